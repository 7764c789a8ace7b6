"""Lines of an invoice: whole periods of a plan, and prorations of a change within a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from bot.integrations.stripe.formatting import money
from sandbox.stripe.account import Account, Json


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """An amount in minor units for a price and a time; a negative amount is a credit."""

    subscription: str
    item: str
    price: Json
    quantity: int
    amount: int
    start: int
    end: int
    description: str
    proration: bool = False
    invoice_item: str | None = None


def amount_of(item: Json, used: int = 0) -> int:
    """The price of a whole period of the item; of a metered item, of the `used` units."""
    price = item["price"]
    many = used if price["recurring"]["usage_type"] == "metered" else int(item["quantity"])
    if price["billing_scheme"] == "tiered":
        return _in_tiers(price, many)
    return int((Decimal(price["unit_amount_decimal"]) * many).quantize(Decimal(1), ROUND_HALF_UP))


def _in_tiers(price: Json, many: int) -> int:
    """Graduated: each unit costs its tier's price; volume: all units cost the last tier's price."""
    total, below = 0, 0
    for tier in price["tiers"]:
        top = many if tier["up_to"] is None else min(many, tier["up_to"])
        last = top == many
        if price["tiers_mode"] == "volume" and last:
            return int(tier["unit_amount"] * many)
        total += tier["unit_amount"] * (top - below)
        below = top
        if last:
            break
    return total


def whole_period(
    account: Account, subscription: str, item: Json, period: tuple[int, int], *, free: bool = False
) -> InvoiceLine:
    price = item["price"]
    name = account.get("product", price["product"])["name"]
    used = account.usage.get(item["id"], 0)
    amount = 0 if free else amount_of(item, used)
    at = money(price["unit_amount"] or amount, price["currency"])
    text = f"{item['quantity']} × {name} (at {at} / {price['recurring']['interval']})"
    text = f"Trial period for {name}" if free else text
    return InvoiceLine(subscription, item["id"], price, item["quantity"], amount, *period, text)


def proration(account: Account, subscription: str, item: Json, amount: int, period: tuple[int, int]) -> InvoiceLine:
    """Negative: the unused rest of a paid period; positive: the same time at the new price."""
    price = item["price"]
    name = account.get("product", price["product"])["name"]
    many = f"{item['quantity']} × " if item["quantity"] > 1 else ""
    kind = "Unused" if amount < 0 else "Remaining"
    text = f"{kind} time on {many}{name} after {datetime.fromtimestamp(period[0], UTC):%d %b %Y}"
    return InvoiceLine(subscription, item["id"], price, item["quantity"], amount, *period, text, proration=True)


def invoice_line_json(account: Account, line: InvoiceLine, invoice: str) -> Json:
    """The line in an invoice's JSON."""
    details = {
        "invoice_item": line.invoice_item,
        "proration": line.proration,
        "proration_details": {"credited_items": None},
        "subscription": line.subscription,
        "subscription_item": line.item,
    }
    return {
        "id": account.new_id("line_item"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": line.description,
        "discount_amounts": [],
        "discountable": not line.proration,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"end": line.end, "start": line.start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "type": "price_details",
            "unit_amount_decimal": str((not line.proration and line.price["unit_amount_decimal"]) or line.amount),
        },
        "quantity": line.quantity,
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": [],
    }
