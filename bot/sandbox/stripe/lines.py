"""What an invoice bills: whole periods of a plan, and the time of a change within one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.sandbox.stripe.account import Account, Json

_SIGNS = {"usd": "$", "mxn": "MX$"}


@dataclass(frozen=True, slots=True)
class Line:
    """An amount in minor units for a price and a time; negative is a credit."""

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


def amount_of(item: Json) -> int:
    """A whole period of the item."""
    return int(item["price"]["unit_amount"]) * int(item["quantity"])


def whole_period(
    account: Account, subscription: str, item: Json, period: tuple[int, int], *, free: bool = False
) -> Line:
    price = item["price"]
    name = account.get("product", price["product"])["name"]
    money = f"{_SIGNS[price['currency']]}{price['unit_amount'] / 100:,.2f}"
    text = f"{item['quantity']} × {name} (at {money} / {price['recurring']['interval']})"
    amount = 0 if free else amount_of(item)
    text = f"Trial period for {name}" if free else text
    return Line(subscription, item["id"], price, item["quantity"], amount, *period, text)


def proration(account: Account, subscription: str, item: Json, amount: int, period: tuple[int, int]) -> Line:
    """Negative: the rest of the period that was paid and isn't used; positive: the same time at the new price."""
    price = item["price"]
    name = account.get("product", price["product"])["name"]
    many = f"{item['quantity']} × " if item["quantity"] > 1 else ""
    kind = "Unused" if amount < 0 else "Remaining"
    text = f"{kind} time on {many}{name} after {datetime.fromtimestamp(period[0], UTC):%d %b %Y}"
    return Line(subscription, item["id"], price, item["quantity"], amount, *period, text, proration=True)


def shown(account: Account, line: Line, invoice: str) -> Json:
    """The line as an invoice shows it."""
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
            "unit_amount_decimal": str(line.price["unit_amount"] if not line.proration else line.amount),
        },
        "quantity": line.quantity,
        "subscription": line.subscription,
        "subtotal": line.amount,
        "taxes": [],
    }
