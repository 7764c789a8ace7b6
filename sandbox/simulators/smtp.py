"""An SMTP server that keeps mails instead of delivering them, for the sandbox's page and the tests."""

import asyncio
import ssl
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from weakref import WeakSet

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.kept_records import KeptRecords

_KEPT = 50
_LOOPBACK = "127.0.0.1"
_LARGEST = 35 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedEmail:
    """A mail as its reader sees it; `attachments` are file names, `at` its arrival in ISO 8601."""

    id: int
    to: list[str]
    sender: str
    subject: str
    text: str
    html: str
    attachments: list[str]
    at: str
    message: EmailMessage = field(repr=False)

    def shown(self) -> dict[str, Any]:
        shown = asdict(self)
        del shown["message"]
        return shown


class SmtpSimulator:
    """The last 50 mails, oldest first; `login` is the only name and password, `will_answer` queues refusals.

    `kept` has the mails of earlier runs.
    """

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        on_received: Callable[[ReceivedEmail], Awaitable[None]] | None = None,
        kept: KeptRecords | None = None,
    ) -> None:
        self._kept = kept or KeptRecords("mail")
        self.mails = deque(map(_restored, self._kept.all()[-_KEPT:]), maxlen=_KEPT)
        self.port = 0
        self._login = login
        self._tls = tls
        self._arrived = on_received
        self._count = self.mails[-1].id if self.mails else 0
        self._answers: dict[str, deque[str]] = {}

    def will_answer(self, command: str, *answers: str) -> None:
        """Answer the next MAIL, RCPT or DATA so; `drop` closes the connection, `drop after` once the mail is kept."""
        self._answers.setdefault(command, deque()).extend(answers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["SmtpSimulator"]:
        """Listen on a free port of the loopback until the context ends."""
        loop = asyncio.get_running_loop()
        servers: WeakSet[SMTP] = WeakSet()

        def connected() -> SMTP:
            made = SMTP(
                self,
                hostname="postbox.example",
                ident="Postbox",
                data_size_limit=_LARGEST,
                enable_SMTPUTF8=True,
                tls_context=self._tls,
                require_starttls=self._tls is not None,
                auth_required=self._login is not None,
                auth_require_tls=self._tls is not None,
                authenticator=self._authenticate,
                loop=loop,
            )
            servers.add(made)
            return made

        server = await loop.create_server(connected, _LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for connection in list(servers):
                if connection.transport is not None:
                    connection.transport.close()
            await server.wait_closed()

    async def listing(self, _: web.Request) -> web.Response:
        """The mails as JSON, newest first."""
        return web.json_response([mail.shown() for mail in reversed(self.mails)])

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer("MAIL", server):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._answer("RCPT", server):
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answer("DATA", server)
        if answer and answer != "drop after":
            return answer
        self._count += 1
        raw, to = envelope.original_content or b"", list(envelope.rcpt_tos)
        posted = _read(self._count, raw, to, datetime.now(UTC).isoformat(timespec="seconds"))
        self.mails.append(posted)
        self._kept.put(posted.id, {"id": posted.id, "to": to, "at": posted.at, "raw": b64encode(raw).decode()})
        if self._arrived is not None:
            await self._arrived(posted)
        if answer:
            _close_connection(server)
        return f"250 2.0.0 queued as {self._count}"

    def _answer(self, command: str, server: SMTP) -> str:
        planned = self._answers.get(command)
        answer = planned.popleft() if planned else ""
        if answer == "drop":
            _close_connection(server)
        return answer

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and self._login == (data.login.decode(), data.password.decode())
        return AuthResult(success=known, handled=False)


def _close_connection(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


def _restored(record: dict[str, Any]) -> ReceivedEmail:
    return _read(record["id"], b64decode(record["raw"]), record["to"], record["at"])


def _read(number: int, raw: bytes, to: list[str], at: str) -> ReceivedEmail:
    message = message_from_bytes(raw, policy=policy.default)
    bodies = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
    texts = {kind: str(body.get_content()) if body else "" for kind, body in bodies.items()}
    return ReceivedEmail(
        id=number,
        to=to,
        sender=str(message.get("From", "")),
        subject=str(message.get("Subject", "")),
        text=texts["plain"],
        html=texts["html"],
        attachments=[part.get_filename() or "" for part in message.iter_attachments()],
        at=at,
        message=message,
    )
