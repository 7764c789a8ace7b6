"""Interface of the e-mail providers, and the values and errors that they share."""

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
    """An e-mail to one person. `message_id` has its angle brackets, and is the same for the same job."""

    to: str
    sender_name: str
    subject: str
    text: str
    html: str
    message_id: str
    sent_at: datetime
    attachments: tuple[MailAttachment, ...] = ()


class MailError(Exception):
    """The e-mail was not sent, or perhaps not; the text holds no recipient's address."""


class ProviderUnavailable(MailError):
    """This provider did not accept the e-mail. Another one, or a later try, may."""


class Misconfigured(ProviderUnavailable):
    """This provider accepts no e-mail until an operator follows `fix`."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


class RecipientRefused(MailError):
    """The recipient doesn't exist or accepts nothing, now or later, by any provider."""


class InDoubt(MailError):
    """No answer came to the request: the e-mail may have been sent."""


class Provider(Protocol):
    """Each call raises the errors above, and no others."""

    @property
    def name(self) -> str:
        """As in EMAIL_PROVIDERS."""

    async def send(self, mail: Mail) -> str:
        """Send the e-mail, and give the provider's id of it; empty without one."""

    async def check(self) -> str:
        """Give the provider's answer to whether it would accept our e-mail, without sending one."""


def address(value: str) -> str:
    """An address as providers accept it: its domain in lower case and ASCII. Raises ValueError.

    Local parts beyond ASCII (RFC 6531) are refused: neither SendGrid nor SES delivers to them.
    """
    try:
        found = _validate()(value.strip())
    except ValueError:
        # The library's text repeats parts of the address, so that the cause is cut off.
        raise ValueError("is not an e-mail address") from None
    return str(found.ascii_email)


@cache
def _validate() -> Callable[[str], ValidatedEmail]:
    import email_validator  # noqa: PLC0415 - 60 ms, and `recado serve` looks at no address

    # Mail servers in a company's own network may have such domains.
    for name in ("local", "test"):
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(name)
    return partial(email_validator.validate_email, allow_smtputf8=False, check_deliverability=False, strict=True)


def domain_of(sender: str) -> str:
    return sender.rpartition("@")[2].lower()


def display_name(name: str) -> str:
    """A name as one short line, which can't begin another header."""
    printable = "".join(sign if sign.isprintable() else " " for sign in name)
    return " ".join(printable.split())[:_LONGEST_NAME].rstrip()


def scrubbed(reason: str) -> str:
    """A provider's text as one line, without the addresses that it quotes."""
    line = " ".join(re.sub(EMAIL, "…", truncated(reason)).split())
    return line[:_LONGEST_WORDS]
