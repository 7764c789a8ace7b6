"""The cost of a subscription's change, planned once for the preview and for the change itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.stripe.account import Account, Json, copied
from sandbox.stripe.errors import StripeRefusal, no_such
from sandbox.stripe.forms_billing import ChangedItem
from sandbox.stripe.lines import InvoiceLine, amount_of, proration, whole_period
from sandbox.stripe.periods import period_after, share


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """The items after the change, the lines that it creates, and whether these are billed immediately."""

    items: list[Json]
    anchor: int
    lines: list[InvoiceLine] = field(default_factory=list)
    at_once: bool = False
    ends_trial: bool = False


@dataclass(frozen=True, slots=True)
class PlanCalculator:
    account: Account

    def item(self, subscription: str, price: Json, quantity: int, period: tuple[int, int]) -> Json:
        return {
            "id": self.account.new_id("subscription_item"),
            "object": "subscription_item",
            "billing_thresholds": None,
            "created": self.account.clock.now(),
            "current_period_end": period[1],
            "current_period_start": period[0],
            "discounts": [],
            "metadata": {},
            "price": copied(price),
            "quantity": quantity,
            "subscription": subscription,
            "tax_rates": [],
        }

    def price(self, wanted: str, param: str, currency: str | None = None) -> Json:
        """An active price in this currency."""
        price = self.account.get_by_param("price", wanted, param)
        if not price["active"]:
            raise StripeRefusal("The price specified is inactive. This field only accepts active prices.", param=param)
        if currency not in (None, price["currency"]):
            raise StripeRefusal(
                f"The price specified only supports `{price['currency']}`. "
                f"This doesn't match the expected currency: `{currency}`.",
                param=param,
            )
        return price

    def change(
        self,
        subscription: Json,
        wanted: Sequence[ChangedItem],
        behavior: str,
        at: int | None,
        *,
        end_trial: bool = False,
    ) -> PlannedChange:
        """Plan the change; the new price counts from the moment `at`, by default from now."""
        old = subscription["items"]["data"]
        if not wanted and not end_trial:
            return PlannedChange(copied(old), subscription["billing_cycle_anchor"])
        now = self.account.clock.now()
        start, end = period_of(subscription)
        at = now if at is None else at
        if not start <= at <= end:
            raise StripeRefusal(
                "Invalid proration_date: it must be within the current period of the subscription.",
                param="proration_date",
            )
        items = self._changed(subscription, wanted)
        trialing = subscription["status"] == "trialing"
        was = {item["id"]: item["price"]["recurring"] for item in old}
        interval_changes = any(
            item["price"]["recurring"] != was.get(item["id"], item["price"]["recurring"]) for item in items
        )
        if trialing and not end_trial:
            return PlannedChange(items, subscription["billing_cycle_anchor"])
        if end_trial or interval_changes:
            lines = [] if behavior == "none" or trialing else self._credits(subscription, old, items, at, whole=True)
            return self._from_now(subscription, items, lines, ends_trial=trialing)
        lines = [] if behavior == "none" else self._credits(subscription, old, items, at, whole=False)
        return PlannedChange(
            items, subscription["billing_cycle_anchor"], lines, behavior == "always_invoice" and bool(lines)
        )

    def next_period(self, subscription: Json, items: Sequence[Json], start: int) -> list[InvoiceLine]:
        """Lines of the period that begins then; items of other intervals continue."""
        anchor, name = subscription["billing_cycle_anchor"], subscription["id"]
        return [
            whole_period(self.account, name, item, (start, period_after(anchor, start, item["price"]["recurring"])))
            for item in items
            if item["current_period_end"] == start
        ]

    def _from_now(
        self, subscription: Json, items: list[Json], lines: list[InvoiceLine], *, ends_trial: bool
    ) -> PlannedChange:
        """Start a new cycle now, because changed intervals and ended trials are billed from this moment."""
        now = self.account.clock.now()
        ends = [period_after(now, now, item["price"]["recurring"]) for item in items]
        items = [
            item | {"current_period_start": now, "current_period_end": end}
            for item, end in zip(items, ends, strict=True)
        ]
        whole = [
            whole_period(self.account, subscription["id"], item, (now, end))
            for item, end in zip(items, ends, strict=True)
        ]
        return PlannedChange(items, now, [*lines, *whole], at_once=True, ends_trial=ends_trial)

    def _credits(
        self, subscription: Json, old: Sequence[Json], new: Sequence[Json], at: int, *, whole: bool
    ) -> list[InvoiceLine]:
        """Credit the rest of the period at the old price and charge it at the new; `whole`: credit all of it only."""
        before = {item["id"]: item for item in old}
        after = {} if whole else {item["id"]: item for item in new}
        lines: list[InvoiceLine] = []
        for name in before | after:
            was, becomes = before.get(name), after.get(name)
            if was and becomes and _same(was, becomes):
                continue
            start, end = _own_period(was or becomes or {})
            if start == end:
                continue
            for item, sign in ((was, -1), (becomes, 1)):
                if item is not None and amount_of(item):
                    amount = sign * share(amount_of(item), at, start, end)
                    lines.append(proration(self.account, subscription["id"], item, amount, (at, end)))
        return lines

    def _changed(self, subscription: Json, wanted: Sequence[ChangedItem]) -> list[Json]:
        """The items after the change; an entry without an id adds an item, as at Stripe."""
        items = {item["id"]: copied(item) for item in subscription["items"]["data"]}
        for place, change in enumerate(wanted):
            self._apply(items, subscription, change, f"items[{place}]")
        left = list(items.values())
        if not left:
            raise StripeRefusal("A subscription must have at least one active plan.", param="items")
        flexible = subscription["billing_mode"]["type"] == "flexible"
        if not flexible and any(item["price"]["recurring"] != left[0]["price"]["recurring"] for item in left):
            raise StripeRefusal(
                "Currency and interval fields must match across all plans on this subscription.", param="items"
            )
        prices = [item["price"]["id"] for item in left]
        if len(set(prices)) < len(prices):
            raise StripeRefusal(
                f"Cannot add multiple subscription items with the same plan: {prices[0]}", param="items"
            )
        return left

    def _apply(self, items: dict[str, Json], subscription: Json, change: ChangedItem, param: str) -> None:
        if change.id is None and change.price is None:
            raise StripeRefusal(
                f"Missing required param: {param}[price].", code="parameter_missing", param=f"{param}[price]"
            )
        if change.id is not None and change.id not in items:
            raise no_such("subscription_item", change.id, f"{param}[id]", status=400)
        if change.deleted:
            items.pop(change.id or "", None)
            return
        price = self.price(change.price, f"{param}[price]", subscription["currency"]) if change.price else None
        if change.id is None:
            added = self.item(subscription["id"], price or {}, change.quantity or 1, period_of(subscription))
            items[added["id"]] = added
            return
        item = items[change.id]
        item["price"] = copied(price) if price else item["price"]
        item["quantity"] = change.quantity or item["quantity"]


def period_of(subscription: Json) -> tuple[int, int]:
    """The period that ends first, because items of other intervals have their own."""
    return min(map(_own_period, subscription["items"]["data"]), key=lambda period: period[1])


def _own_period(item: Json) -> tuple[int, int]:
    return int(item["current_period_start"]), int(item["current_period_end"])


def _same(item: Json, other: Json) -> bool:
    return bool(item["price"]["id"] == other["price"]["id"] and item["quantity"] == other["quantity"])
