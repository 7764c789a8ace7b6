"""Redis behind TLS and a password, as managed ones are: the whole service works so, an unknown CA is refused."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from bot.cli.doctor import examine
from bot.infra.redis import answer, connect
from bot.settings import Settings
from sandbox.meta.simulator import Person
from sandbox.redis_server import redis_server
from sandbox.simulators.openrouter import says
from tests.outgoing import text
from tests.world import Start


@dataclass(frozen=True)
class Tls:
    """A door with TLS in front of the test's Redis: its port, and the CA that vouches for `localhost`."""

    port: int
    ca: str


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _tls(behind: int, folder: Path) -> tuple[asyncio.Server, Tls]:
    import trustme  # noqa: PLC0415 - heavy

    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    path = folder / "ca.pem"
    ca.cert_pem.write_to_path(path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(_carry(reader, outer), _carry(inner, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    return server, Tls(server.sockets[0].getsockname()[1], str(path))


@pytest.fixture
async def tls(redis_address: str, tmp_path: Path) -> AsyncIterator[Tls]:
    server, found = await _tls(int(redis_address.rpartition(":")[2].partition("/")[0]), tmp_path)
    yield found
    server.close()


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Tls]:
    """A Redis of its own, with TLS and a password."""
    async with redis_server(tmp_path / "redis") as url:
        async with Redis.from_url(url) as client:
            await client.config_set("requirepass", "hunter2")
        server, found = await _tls(int(url.rpartition(":")[2].partition("/")[0]), tmp_path)
        yield found
        server.close()


async def test_the_whole_service_works_over_tls(start: Start, tls: Tls, redis: Redis, ana: Person) -> None:
    await redis.acl_setuser(
        "tenant", enabled=True, passwords=["+hunter2"], keys=["*"], channels=["*"], categories=["+@all"]
    )
    address = f"rediss://tenant:hunter2@localhost:{tls.port}/0?ssl_ca_certs={tls.ca}"
    world = await start(REDIS_URL=address)
    world.models.will(says("Por TLS"))
    await world.meta.writes(ana, text("hola"))
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Por TLS"


async def test_host_port_password_and_tls_do_as_well_as_a_url(locked: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOST": "localhost", "PORT": str(locked.port), "TLS": "true", "PASSWORD": "hunter2"}.items():
        monkeypatch.setenv(f"REDIS_{name}", value)
    # As for every program on the machine: where the CA's certificate is.
    monkeypatch.setenv("SSL_CERT_FILE", locked.ca)
    async with connect(Settings().redis) as client:
        assert await answer(client.ping())
    monkeypatch.setenv("REDIS_PASSWORD", "wrong")
    async with connect(Settings().redis) as client:
        with pytest.raises(AuthenticationError):
            await answer(client.ping())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_server_that_nobody_vouches_for_is_refused(
    tls: Tls, redis: Redis, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    # Here the CA is unknown, there the name is not the certificate's.
    ca = "" if host == "localhost" else f"?ssl_ca_certs={tls.ca}"
    monkeypatch.setenv("REDIS_URL", f"rediss://{host}:{tls.port}/0{ca}")
    async with connect(Settings().redis) as client:
        with pytest.raises(RedisError):
            await answer(client.ping())
    (found,) = [finding for finding in await examine(Settings()) if finding.integration == "Redis"]
    assert found.state == "wrong"
