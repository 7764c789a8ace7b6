"""Text of a draft for its person: fields, differences from the catalogue, and a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bot.messages.language import Language
from bot.messages.outbound import Buttons, Choice, Menu
from bot.products.catalogue import Product
from bot.products.draft import Draft, ShownField, differs, open_question, shown_of
from bot.products.texts import has_phrase, label, phrase
from pipelines.product import FIELDS, Doubt, DoubtKind

_LONGEST = 120
_MOST_BUTTONS = 3
_MOST_ROWS = 10
_OTHER, _DISCARD = "other", "discard"
_SUBJECT = "subject"
_PREFIX = "product"
# A currency is shown with its price.
_LINES = tuple(name for name in FIELDS if name != "currency")


def text_of(draft: Draft, stored: Product | None, language: Language) -> str:
    """The card's text; `stored` is the product in the catalogue under its barcode."""
    shown = shown_of(draft)
    head = phrase("known" if stored else "card", language)
    lines = [_line(name, shown, draft, stored, language) for name in _LINES]
    facts = {name: value for name, value in draft.read.details.items() if has_phrase(name)}
    if facts:
        listed = " · ".join(f"{phrase(name, language)} {_plain(value)}" for name, value in facts.items())
        lines.append(phrase("label_says", language, facts=listed))
    return "\n".join([head, *lines])


def product_line(fields: Mapping[str, str]) -> str:
    """A product in one line: `Detergente líquido · Lunaria · 3 L · 35.50 MXN · 7503001234564`."""
    price = " ".join(filter(None, (fields.get("price"), fields.get("currency"))))
    parts = (fields.get("name"), fields.get("brand"), fields.get("size"), price, fields.get("barcode"))
    return " · ".join(_plain(part) for part in parts if part)


def question(draft: Draft, doubt: Doubt, text: str, language: Language) -> Buttons | Menu:
    """The card with a question below it: the likeliest values first, then another one to be typed, then discarding.

    Because a message has three buttons at most, "another" makes room for two values: whatever is typed is taken.
    """
    values = list(dict.fromkeys(_plain(candidate.value) for candidate in doubt.candidates))[: _MOST_ROWS - 2]
    choices = [Choice(id=_choice(draft, doubt.field, str(at)), title=value) for at, value in enumerate(values)]
    asked = _asked(draft, doubt, language)
    if len(values) == _MOST_BUTTONS - 1:
        asked += f" {phrase('or_type_it', language)}"
    else:
        choices.append(Choice(id=_choice(draft, doubt.field, _OTHER), title=phrase("other", language)))
    choices.append(discarding(draft, doubt.field, language))
    body = f"{text}\n\n{asked}"
    if len(choices) <= _MOST_BUTTONS:
        return Buttons(body=body, choices=tuple(choices))
    return Menu(body=body, opener=phrase("choose", language), choices=tuple(choices))


def subject_question(draft: Draft, language: Language) -> Buttons:
    """The question whether photos are of a product at all."""
    yes = Choice(id=_choice(draft, _SUBJECT, "0"), title=phrase("is_product", language))
    no = Choice(id=_choice(draft, _SUBJECT, _DISCARD), title=phrase("no_product", language))
    return Buttons(body=phrase(f"ask_{draft.doubtful}", language), choices=(yes, no))


def discarding(draft: Draft, field: str, language: Language) -> Choice:
    """The button that discards a draft, below a question about a field."""
    return Choice(id=_choice(draft, field, _DISCARD), title=phrase("leave", language))


class ChosenAnswer(NamedTuple):
    """A tap on a question: `which` is a candidate's place; None for another one, and for `discards`."""

    draft: str
    revision: int
    field: str
    which: int | None
    discards: bool

    @property
    def is_of_subject(self) -> bool:
        """Whether the question was if it is a product."""
        return self.field == _SUBJECT


def chosen(tapped: str) -> ChosenAnswer | None:
    """Parse a tap on a question; None if it isn't one."""
    prefix, *parts = tapped.split(".")
    if prefix != _PREFIX or len(parts) != 4 or not parts[1].isdecimal():  # noqa: PLR2004 - as _choice writes it
        return None
    draft, revision, field, which = parts
    if field not in (*FIELDS, _SUBJECT) or not (which in (_OTHER, _DISCARD) or which.isdecimal()):
        return None
    return ChosenAnswer(draft, int(revision), field, int(which) if which.isdecimal() else None, which == _DISCARD)


def candidate(draft: Draft, field: str, at: int) -> str | None:
    """The candidate's value as it was shown."""
    doubt = open_question(draft)
    if doubt is None or doubt.field != field:
        return None
    values = list(dict.fromkeys(candidate.value for candidate in doubt.candidates))
    return values[at] if at < len(values) else None


def _choice(draft: Draft, field: str, which: str) -> str:
    return f"{_PREFIX}.{draft.id}.{draft.revision}.{field}.{which}"


def _asked(draft: Draft, doubt: Doubt, language: Language) -> str:
    if doubt.kind is not DoubtKind.SEVERAL:
        pieces = {"pieces": draft.read.details.get("price_for", "2")} if doubt.kind is DoubtKind.FOR_SEVERAL else {}
        return phrase(f"ask_{doubt.kind.value}", language, **pieces)
    if len({candidate.photo for candidate in doubt.candidates}) > 1:
        return phrase("ask_several", language, field=label(doubt.field, language))
    name = "ask_codes" if doubt.field == "barcode" else "ask_one_photo"
    return phrase(name, language, field=label(doubt.field, language))


def _line(name: str, shown: Mapping[str, ShownField], draft: Draft, stored: Product | None, language: Language) -> str:
    title = label(name, language)
    old = stored.fields.get(name) if stored else None
    field = shown.get(name)
    if field is None:
        if stored and old and name not in draft.said:
            return f"{title}: {_amount(name, old, stored.fields)} ({phrase('from_store', language)})"
        gone = "none" if name in draft.said else "missing"
        return f"{title}: {phrase(gone, language)}" + ("" if name in draft.said else " ⚠️")
    now = {field: value.value for field, value in shown.items()}
    value = _amount(name, field.value, now)
    if stored and (differs(name, old, field.value) or _other_money(name, stored, now)):
        value = f"{_amount(name, old, stored.fields) if old else phrase('missing', language)} → *{value}*"
    value += _for(name, draft, language)
    mark = "" if field.sure and _currency_sure(name, shown) else " ⚠️"
    return f"{title}: {value} ({_source(field, draft, language)}){mark}"


def _source(field: ShownField, draft: Draft, language: Language) -> str:
    if field.confidence is None:
        return phrase("from_you", language)
    if field.photo is None:
        return phrase("from_shop", language)
    # Because 99.9 % is not certain, we round down.
    return phrase(
        "from_photo", language, photo=str(draft.number_of(field.photo)), percent=str(int(field.confidence * 100))
    )


def _amount(name: str, value: str, fields: Mapping[str, str]) -> str:
    return f"{_plain(value)} {fields.get('currency', '')}".strip() if name == "price" else _plain(value)


def _other_money(name: str, stored: Product, now: Mapping[str, str]) -> bool:
    return name == "price" and differs("currency", stored.fields.get("currency"), now.get("currency"))


def _currency_sure(name: str, shown: Mapping[str, ShownField]) -> bool:
    return name != "price" or "currency" not in shown or shown["currency"].sure


def _for(name: str, draft: Draft, language: Language) -> str:
    """Number of pieces or unit of a price that isn't for one piece."""
    if name != "price" or "price" in draft.said:
        return ""
    details = draft.read.details
    if "price_for" in details:
        return " " + phrase("for_several", language, pieces=details["price_for"])
    return " " + phrase("per", language, unit=details["price_per"]) if "price_per" in details else ""


def _plain(value: str) -> str:
    """Put a value on one line, without WhatsApp's marks for bold and the like."""
    bare = " ".join("".join(" " if sign in "*_~`" else sign for sign in value).split())
    return bare if len(bare) <= _LONGEST else f"{bare[: _LONGEST - 1]}…"
