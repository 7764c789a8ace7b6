"""Servers for e-mail: SMTP with STARTTLS and login, SendGrid, and ports that never answer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.integrations.email.http import session
from bot.integrations.email.provider import Mail
from bot.web.server import listening
from sandbox.simulators.sendgrid import SendGridSimulator
from sandbox.simulators.smtp import SmtpSimulator
from tests.integrations.email.outside import KEY, LOGIN, SENDER, Outside

if TYPE_CHECKING:
    import trustme


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    import trustme  # noqa: PLC0415 - heavy

    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def trusted(ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts the authority that signed the servers' certificates."""
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture
async def postbox(server_tls: ssl.SSLContext) -> AsyncIterator[SmtpSimulator]:
    """A real SMTP server that wants STARTTLS and a login."""
    async with SmtpSimulator(login=LOGIN, tls=server_tls).running() as running:
        yield running


@pytest.fixture
async def sendgrid() -> AsyncIterator[Outside]:
    imitation = SendGridSimulator(KEY, SENDER)
    async with listening(imitation.app(), "127.0.0.1", 0, finish=0.1) as url:
        yield Outside(imitation, url)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with session() as made:
        yield made


@pytest.fixture
def mail() -> Mail:
    return Mail(
        to="ana@cliente.example",
        sender_name="Café Ñandú, S.A. de C.V.",
        subject="Recibimos tu pago: ¡gracias, Ana!",
        text="Hola, Ana:\n\nTu factura está pagada.\n",
        html="<p>Hola, Ana: tu factura está pagada.</p>",
        message_id="<0f1e2d@recado.example>",
        sent_at=datetime(2026, 11, 24, 16, tzinfo=UTC),
    )


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]
