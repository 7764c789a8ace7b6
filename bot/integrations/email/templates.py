"""Values of each e-mail template: typed, bounded, and of no use for tricking its reader."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
)

Template = Literal[
    "welcome", "verify_email", "password_reset", "invoice", "invoice_paid", "trial_ending", "people_waiting"
]

_LONGEST_URL = 2000
# Signs that mail programs turn into links, or that look like one.
_LINKS = re.compile(r"[/:@\\<>]|\w{2}\.\w{2}")


def _safe_name(name: str | None) -> str | None:
    """People name themselves: a name like "win.example" would advertise a link, and is left out."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in name or "").split())
    return None if not line or _LINKS.search(line) else line


def _day(value: Any) -> Any:
    """A day, also from a moment in its own time zone; a bare number is ambiguous and refused."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).date()
        except ValueError as error:
            raise ValueError("expected a date such as 2026-11-24") from error
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    raise ValueError("expected a date such as 2026-11-24")


def _bounded_url(url: HttpUrl) -> str:
    if len(str(url)) > _LONGEST_URL or url.username or url.password:
        raise ValueError(f"expected an address of at most {_LONGEST_URL} signs, without a password")
    return str(url)


Name = Annotated[str, StringConstraints(max_length=100), AfterValidator(_safe_name)]
Day = Annotated[date, BeforeValidator(_day)]
Link = Annotated[str, BeforeValidator(lambda value: _bounded_url(_URL.model_validate({"url": value}).url))]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[\w .#/-]+$")]


class _URL(BaseModel):
    url: HttpUrl


class EmailTemplate(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)


class Welcome(EmailTemplate):
    name: Name | None
    url: Link | None = None


class VerifyEmail(EmailTemplate):
    name: Name | None = None
    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{4,16}$")]


class PasswordReset(EmailTemplate):
    name: Name | None = None
    url: Link
    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]


class InvoicePaid(EmailTemplate):
    """`amount` is in the currency's own unit, such as pesos: 799 or "799.00", not 79900."""

    name: Name | None = None
    number: Line
    amount: Annotated[Decimal, Field(ge=0, lt=10**12, allow_inf_nan=False)]
    currency: Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{3}$")]
    date: Day
    url: Link | None = None


class TrialEnding(EmailTemplate):
    name: Name | None = None
    date: Day
    url: Link | None = None


class PersonWaiting(EmailTemplate):
    """Somebody who waits for a person: `who` is nobody's whole name."""

    who: Name | None = None
    minutes: Annotated[int, Field(ge=0, le=366 * 24 * 60)]
    url: Link | None = None


class PeopleWaiting(EmailTemplate):
    """To operators: `count` people wait, the first of whom are named. `url` is the console's."""

    people: Annotated[tuple[PersonWaiting, ...], Field(min_length=1, max_length=20)]
    count: Annotated[int, Field(ge=1, le=100_000)]
    url: Link | None = None


TEMPLATES: dict[Template, type[EmailTemplate]] = {
    "welcome": Welcome,
    "verify_email": VerifyEmail,
    "password_reset": PasswordReset,
    "invoice": InvoicePaid,
    "invoice_paid": InvoicePaid,
    "trial_ending": TrialEnding,
    "people_waiting": PeopleWaiting,
}
