"""The one door to whoever carries e-mail, so that nobody who sends one knows the carrier."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Protocol

from bot.infra.logs import EMAIL
from pipelines.truncation import truncated

if TYPE_CHECKING:
    from email_validator import ValidatedEmail

_LONGEST_WORDS = 200
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class MailAttachment:
    filename: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail to one person. `message_id` comes with its angle brackets, and is the same for the same job."""

    to: str
    sender_name: str
    subject: str
    text: str
    html: str
    message_id: str
    sent_at: datetime
    attachments: tuple[MailAttachment, ...] = ()


class MailError(Exception):
    """Why an e-mail did not leave, in words without the address that it was for."""


class ProviderUnavailable(MailError):
    """This provider did not take it, and will not deliver it: another one, or a later try, may."""


class Misconfigured(ProviderUnavailable):
    """This provider can't take any e-mail until an operator does what `fix` says."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


class RecipientRefused(MailError):
    """There is no such recipient, or they take nothing: nobody can deliver it, now or later."""


class InDoubt(MailError):
    """It was handed over and no answer came: it may have left."""


class Provider(Protocol):
    """Each call raises one of the errors above, and no other."""

    @property
    def name(self) -> str:
        """As in EMAIL_PROVIDERS."""

    async def send(self, mail: Mail) -> str:
        """Hand it over; gives the provider's own id of it, empty when it told none."""

    async def check(self) -> str:
        """Whether it can be reached and would take our e-mail, without sending one; gives what it said of itself."""


def address(value: str) -> str:
    """An address as carriers take it: its domain in lower case and ASCII. Raises ValueError.

    Local parts beyond ASCII (RFC 6531) are refused: neither SendGrid nor SES delivers to them.
    """
    try:
        found = _validate()(value.strip())
    except ValueError:
        # Without its cause: the library's words repeat pieces of the address.
        raise ValueError("is not an e-mail address") from None
    return str(found.ascii_email)


@cache
def _validate() -> Callable[[str], ValidatedEmail]:
    import email_validator  # noqa: PLC0415 - 60 ms, and `recado serve` looks at no address

    # Mail servers of a company's own network may have such domains.
    for name in ("local", "test"):
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(name)
    return partial(email_validator.validate_email, allow_smtputf8=False, check_deliverability=False, strict=True)


def domain_of(sender: str) -> str:
    return sender.rpartition("@")[2].lower()


def display_name(name: str) -> str:
    """A name as one short line, which can't begin a header of its own."""
    printable = "".join(sign if sign.isprintable() else " " for sign in name)
    return " ".join(printable.split())[:_LONGEST_NAME].rstrip()


def scrubbed(reason: str) -> str:
    """A provider's own words as one line, without the addresses that it quotes."""
    line = " ".join(re.sub(EMAIL, "…", truncated(reason)).split())
    return line[:_LONGEST_WORDS]
