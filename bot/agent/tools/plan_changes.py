"""Changes of the customer's subscription: a tool shows a card with the amount; only the customer's tap applies it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.agent.tool import Arguments, ToolContext, ToolError, tool
from bot.agent.tools.billing import WhichSubscription, as_tool_errors, billing_of, customer_of, subscription_of
from bot.integrations.stripe.change_card import PlanChange
from bot.integrations.stripe.objects import Subscription, SubscriptionItem
from bot.integrations.stripe.plans import normalized

_SHOWN = (
    "A card with the amount and two buttons is shown with your answer. Nothing is changed until the customer taps: "
    "you can't confirm for them, and neither does a text. Don't say that it is done; if there is nothing to add, "
    "answer only: -"
)


class NewPlan(Arguments):
    plan: str = Field(description="The new plan's name, from list_plans", min_length=1, max_length=100)
    interval: Literal["month", "year"] | None = Field(
        None, description="Paid by the month or by the year; left out, as now"
    )
    instead_of: str | None = Field(
        None, description="Only where their subscription has several plans: the name of the one that is replaced"
    )


@tool(NewPlan)
async def change_plan(arguments: NewPlan, context: ToolContext) -> str:
    """Show the customer what changing to another plan, or between month and year, costs today, with buttons to confirm
    it or leave it. Call it again whenever they ask, however often it was shown.
    """
    billing = billing_of(context)
    async with as_tool_errors(context):
        subscription = await subscription_of(context, await customer_of(context), arguments.instead_of)
        item = await _item(context, subscription, arguments.instead_of)
        now = item.price
        plan = await billing.plans.find(arguments.plan)
        price = plan.price(arguments.interval or now.interval, now.currency) if plan else None
        if price is None:
            raise ToolError(
                f"there is no such plan with that interval in {now.currency}; list_plans shows what there is"
            )
        if price.id in {item.price.id for item in subscription.items.data}:
            raise ToolError("they have that very plan already")
        if subscription.ends:
            raise ToolError("their subscription is to end; it has to go on first: resume_subscription")
        if subscription.pending_update is not None:
            raise ToolError("an earlier change waits for its payment; it can be paid in the portal: open_portal")
        return await _show(context, await billing.changes.plan_switch(subscription, item, price))


async def _item(context: ToolContext, subscription: Subscription, name: str | None) -> SubscriptionItem:
    """The replaced item: the named one, else the only one whose plan is on offer."""
    items = subscription.items.data
    if len(items) == 1:
        return items[0]
    plans = billing_of(context).plans
    names = [await plans.name_of(item.price) for item in items]
    if name is not None:
        found = [
            item for item, item_name in zip(items, names, strict=True) if normalized(item_name) == normalized(name)
        ]
    else:
        offered = {plan.id for plan in await plans.all()}
        found = [item for item in items if item.price.product_id in offered]
    if len(found) != 1:
        raise ToolError(f"their subscription has several: {', '.join(names)}. Ask which one is replaced: `instead_of`")
    return found[0]


@tool(WhichSubscription)
async def cancel_subscription(arguments: WhichSubscription, context: ToolContext) -> str:
    """Show the customer when their subscription would end, with buttons to cancel it or leave it. It ends with the
    period that is paid; nothing is refunded.
    """
    async with as_tool_errors(context):
        subscription = await subscription_of(context, await customer_of(context), arguments.which)
        if subscription.ends:
            raise ToolError("it is cancelled already: see get_subscription; resume_subscription takes it back")
        return await _show(context, await billing_of(context).changes.cancellation(subscription))


@tool(WhichSubscription)
async def resume_subscription(arguments: WhichSubscription, context: ToolContext) -> str:
    """Show the customer that their cancelled subscription can go on, with buttons to confirm it or leave it."""
    async with as_tool_errors(context):
        subscription = await subscription_of(context, await customer_of(context), arguments.which)
        if not subscription.ends:
            raise ToolError("it is not cancelled: it goes on as it is")
        return await _show(context, await billing_of(context).changes.resumption(subscription))


async def _show(context: ToolContext, change: PlanChange) -> str:
    card = await billing_of(context).changes.card(context.conversation, change, context.language)
    context.parts.append(card)
    return _SHOWN
