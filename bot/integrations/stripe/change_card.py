"""A change of a subscription, and the text of the card that asks to confirm it."""

from __future__ import annotations

from datetime import tzinfo
from typing import Literal

from bot.integrations.stripe.formatting import day, money
from bot.integrations.stripe.texts import per, phrase
from bot.messages.language import Language
from bot.messages.record import Record


class PlanChange(Record):
    """The values that the card shows. Amounts are in the currency's smallest unit, times are Unix seconds.

    - `amount` is charged today; `total` is negative when money is credited; `charge` is charged on `day`.
    - `before` and `after` are all prices of the subscription; `others` names the plans that stay beside it.
    - `usual`: each period costs `charge`. `metered`: use is charged on top. `mixed`: some items are charged more often.
    - `rest` is charged at the end all the same; `owed` is not paid yet; `ends_on` is the end that is taken back.
    """

    kind: Literal["plan", "cancel", "resume"]
    customer: str
    subscription: str
    item: str = ""
    price: str = ""
    before: str = ""
    after: str = ""
    old: str
    new: str
    others: str = ""
    interval: str
    old_interval: str
    amount: int = 0
    total: int = 0
    charge: int
    currency: str
    day: int
    usual: bool = True
    metered: bool = False
    mixed: bool = False
    rest: int = 0
    owed: int = 0
    ends_on: int = 0
    proration_date: int = 0

    @property
    def payment(self) -> str:
        if self.kind != "plan":
            return self.kind
        return "credit" if self.total < 0 else "pay" if self.amount else "free"


def card_text(change: PlanChange, zone: tzinfo, language: Language) -> str:
    text = {"plan": _plan, "cancel": _end, "resume": _resume}[change.kind](change, zone, language)
    if change.owed:
        text += " " + phrase("owed", language, amount=money(change.owed, change.currency))
    return f"{text}\n\n{phrase('valid', language)}"


def _plan(change: PlanChange, zone: tzinfo, language: Language) -> str:
    old, new = change.old, change.new
    if old == new:
        # The plan stays and its interval changes: the intervals tell the difference.
        old, new = (f"{change.old} {per(interval, language)}" for interval in (change.old_interval, change.interval))
    today = -change.total if change.payment == "credit" else change.amount
    price = money(change.charge, change.currency)
    if change.others:
        price += phrase("with_others", language, others=change.others)
    price += phrase("and_usage", language) if change.metered else ""
    usual = change.usual and change.interval
    every = f" {per(change.interval, language)}" if usual else ""
    return phrase(
        f"card_{change.payment}",
        language,
        old=old,
        new=new,
        amount=money(today, change.currency),
        then=phrase(
            "then_usual" if usual else "then_next",
            language,
            price=f"{price}{every}".strip(),
            day=day(change.day, zone, language),
        ),
    )


def _end(change: PlanChange, zone: tzinfo, language: Language) -> str:
    amount = money(change.charge, change.currency)
    spared = phrase("spared", language, amount=amount) if change.charge > 0 and not change.mixed else ""
    text = phrase("card_cancel", language, plan=change.old, day=day(change.day, zone, language), spared=spared)
    if change.rest:
        text += " " + phrase("rest", language, amount=money(change.rest, change.currency))
    if change.metered:
        text += " " + phrase("usage_at_the_end", language)
    if change.mixed:
        text += " " + phrase("meanwhile", language)
    return text


def _resume(change: PlanChange, zone: tzinfo, language: Language) -> str:
    ends, then = (day(moment, zone, language) for moment in (change.ends_on, change.day))
    if not change.charge:
        return phrase("card_resume_free", language, plan=change.old, ends=ends)
    usage = phrase("and_usage", language) if change.metered else ""
    when = phrase("that_day" if ends == then else "on_day", language, day=then)
    amount = money(change.charge, change.currency)
    return phrase("card_resume", language, plan=change.old, ends=ends, when=when, amount=amount, usage=usage)
