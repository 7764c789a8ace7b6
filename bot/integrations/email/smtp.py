"""Sends by any SMTP server (RFC 5321), with STARTTLS, TLS from the start, or neither."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPResponseException,
    SMTPSenderRefused,
)

from bot.integrations.email.mime import encoded
from bot.integrations.email.provider import (
    InDoubt,
    Mail,
    Misconfigured,
    ProviderUnavailable,
    RecipientRefused,
    domain_of,
    scrubbed,
)

_PERMANENT = 500
_PARTING_SECONDS = 2.0
# RFC 3463: bad destination (5.1.x, but for the sender's 5.1.7 and 5.1.8), and disabled mailboxes.
_NO_RECIPIENT = re.compile(r"^5\.(1\.(?![78]\b)\d+|2\.[01])\b")
_ENHANCED = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}\b")
# Without an enhanced code these mean the mailbox: missing, not local, misspelt, or a domain without mail.
_NO_MAILBOX = (550, 551, 553, 556)


class Smtp:
    """`seconds` bound one step of the dialogue, `verdict_seconds` the answer to the message.

    That answer may take long, because servers scan the message first (RFC 5321, 4.5.3.2.6, allows ten minutes).
    """

    name = "smtp"

    def __init__(  # noqa: PLR0913 - what the settings say
        self,
        host: str,
        port: int,
        *,
        sender: str,
        tls: Literal["starttls", "tls", "none"] = "starttls",
        login: tuple[str, str] | None = None,
        seconds: float = 15,
        verdict_seconds: float = 120,
    ) -> None:
        self._host = host
        self._port = port
        self._sender = sender
        self._tls = tls
        self._login = login
        self._seconds = seconds
        self._verdict_seconds = verdict_seconds

    async def send(self, mail: Mail) -> str:
        message = await asyncio.to_thread(encoded, mail, self._sender)
        async with self._connected() as server:
            try:
                await server.mail(self._sender)
                await server.rcpt(mail.to)
            except SMTPSenderRefused as error:
                raise _permanent_error(error, "let the server take SMTP_FROM_EMAIL as a sender") from error
            except SMTPResponseException as error:
                # aiosmtplib's errors name the recipient and would be logged. The cause is cut off, here and for DATA.
                raise _recipient_error(error) from None
            except (SMTPException, OSError) as error:
                raise ProviderUnavailable(f"the server went away ({type(error).__name__})") from error
            try:
                response = await server.data(message, timeout=self._verdict_seconds)
            except SMTPDataError as error:
                # The server answered, so that it has not accepted the message (RFC 5321, 4.2.5).
                raise ProviderUnavailable(_reply(error)) from None
            except (SMTPException, OSError) as error:
                raise InDoubt(f"no answer after the message ({type(error).__name__})") from error
        return scrubbed(response.message)

    async def check(self) -> str:
        async with self._connected():
            return f"{self._host}:{self._port} takes e-mail from {self._sender}"

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[SMTP]:
        server = SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=domain_of(self._sender),
            timeout=self._seconds,
            use_tls=self._tls == "tls",
            # STARTTLS is demanded: without it the password would go in clear text.
            start_tls=self._tls == "starttls",
        )
        try:
            await self._open(server)
            yield server
            # The answer stands, even if the goodbye fails.
            with suppress(SMTPException, OSError):
                await server.quit(timeout=_PARTING_SECONDS)
        finally:
            server.close()

    async def _open(self, server: SMTP) -> None:
        try:
            await server.connect()
            if self._login is not None:
                await server.login(*self._login)
        except SMTPAuthenticationError as error:
            raise _permanent_error(error, "see SMTP_USERNAME and SMTP_PASSWORD") from error
        except SMTPResponseException as error:
            raise ProviderUnavailable(_reply(error)) from error
        except (SMTPException, OSError) as error:
            tls = next((failure for failure in (error, error.__cause__) if isinstance(failure, ssl.SSLError)), None)
            if tls is not None:
                reason = f"no secure connection: {getattr(tls, 'verify_message', '') or tls.reason}"
                raise Misconfigured(
                    reason, "see SMTP_HOST, SMTP_PORT, SMTP_TLS and the server's certificate"
                ) from error
            # The text is aiosmtplib's own here, such as that the server lacks STARTTLS or a way to log in.
            if isinstance(error, OSError):
                raise ProviderUnavailable(f"no connection ({type(error).__name__})") from error
            raise Misconfigured(scrubbed(str(error)), "see SMTP_TLS, SMTP_PORT and SMTP_USERNAME") from error


def _permanent_error(error: SMTPResponseException, fix: str) -> ProviderUnavailable:
    """Misconfigured for a permanent reply, which an operator has to resolve; else ProviderUnavailable."""
    return Misconfigured(_reply(error), fix) if error.code >= _PERMANENT else ProviderUnavailable(_reply(error))


def _recipient_error(error: SMTPResponseException) -> ProviderUnavailable | RecipientRefused:
    """RecipientRefused for a missing mailbox. Relaying, reputation, greylisting or a full mailbox are no such case."""
    if error.code < _PERMANENT:
        return ProviderUnavailable(_reply(error))
    if _ENHANCED.match(error.message):
        is_missing = bool(_NO_RECIPIENT.match(error.message))
    else:
        is_missing = error.code in _NO_MAILBOX and not re.search(
            "relay|auth|spam|block|policy", error.message, re.IGNORECASE
        )
    return RecipientRefused(_reply(error)) if is_missing else ProviderUnavailable(_reply(error))


def _reply(error: SMTPResponseException) -> str:
    return f"{error.code} {scrubbed(error.message)}"
