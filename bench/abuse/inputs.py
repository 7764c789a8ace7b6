"""Inputs of an attacker, each sent while another person only asks for the opening hours."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from bench.abuse import files
from bench.abuse.company import REPEAT, AttackedCompany
from bot.whatsapp.signature import signature_of
from sandbox.meta.simulator import Person

Send = Callable[[AttackedCompany, Person], Awaitable[None]]
SECURITY_SIGNS = 70_000
_UNFINISHED = 4 * files.MEGABYTE


def text(*bodies: str) -> Send:
    async def send(company: AttackedCompany, person: Person) -> None:
        for body in bodies:
            await company.meta.writes(person, {"type": "text", "text": {"body": body}})

    return send


def media(kind: Any, mime: str, *makes: Callable[[], bytes]) -> Send:
    async def send(company: AttackedCompany, person: Person) -> None:
        for make in makes:
            await company.meta.sends_media(person, kind, await asyncio.to_thread(make), mime, None, "archivo")

    return send


async def all_at_once(company: AttackedCompany, person: Person) -> None:
    """The worst input of each kind in one turn."""
    for send in (
        media("video", "video/mp4", lambda: files.film("3840x2160", 60)),
        media("video", "video/mp4", lambda: files.film("8000x8000", 10)),
        media("audio", "audio/ogg", lambda: files.note(59)),
        media("document", "text/csv", *[lambda: files.table(30)] * 8),
        media("image", "image/jpeg", picture),
        media("document", "application/pdf", endless),
    ):
        await send(company, person)


async def signed_security(company: AttackedCompany, _: Person) -> None:
    value: dict[str, Any] = {"event": "PIN_CHANGED", "requester": "a@" * (SECURITY_SIGNS // 2) + "@" * SECURITY_SIGNS}
    changes = [{"field": "security", "value": value}]
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()
    headers = {"X-Hub-Signature-256": signature_of(body, company.secret), "Content-Type": "application/json"}
    await _post(company, body, headers)


async def packed_bodies(company: AttackedCompany, _: Person) -> None:
    body = gzip.compress(bytes(1024 * files.MEGABYTE), compresslevel=9)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    await asyncio.gather(*(_post(company, body, headers) for _ in range(5)))


async def unfinished_posts(company: AttackedCompany, _person: Person) -> None:
    """Sixty bodies, each one byte short, held open for a while."""
    head = f"POST /webhooks/whatsapp HTTP/1.1\r\nHost: localhost\r\nContent-Length: {_UNFINISHED}\r\n\r\n".encode()
    held = []
    for _ in range(60):
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", company.port)
            held.append(writer)
            writer.write(head + bytes(_UNFINISHED - 1))
    drained = asyncio.gather(*(writer.drain() for writer in held), return_exceptions=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(drained, 10)
    await asyncio.sleep(2)
    for writer in held:
        writer.transport.abort()


def picture() -> bytes:
    return (_media() / "photos" / "large_4000x3000.jpg").read_bytes()


def endless() -> bytes:
    return (_media() / "documents" / "endless.pdf").read_bytes()


def _media() -> Path:
    return Path(__file__).parents[2] / "fixtures" / "media"


async def _post(company: AttackedCompany, body: bytes, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as http:
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            url = f"http://127.0.0.1:{company.port}/webhooks/whatsapp"
            async with http.post(url, data=body, headers=headers) as response:
                await response.read()


# Name, sender function, and the least number of answers to the sender.
INPUTS: list[tuple[str, Send, int]] = [
    ("hola (to compare)", text("hola"), 1),
    ("A: < and 7,000 blanks", text("<" + " " * 7000), 1),
    ("A: three texts of 4,095 characters", text(*["<" + " " * 4094] * 3), 1),
    ("A: [a]( 1,000 times as the model's answer", text(REPEAT), 1),
    ("A: 16,000 letters", text("a" * 16_000), 1),
    ("A: 70,000 @ in a security event", signed_security, 0),
    ("C: video of 4K", media("video", "video/mp4", lambda: files.film("3840x2160", 120)), 1),
    ("C: video of 8000x8000, 30 frames", media("video", "video/mp4", lambda: files.film("8000x8000", 30)), 1),
    ("C: voice note of an hour", media("audio", "audio/ogg", lambda: files.note(59)), 1),
    ("C: 16 documents of 30 MB", media("document", "text/csv", *[lambda: files.table(30)] * 16), 1),
    (
        "C: 20 documents of noise, 8 MB each",
        media("document", "application/zip", *[lambda n=n: files.noise(n, 8) for n in range(20)]),
        1,
    ),
    ("C: photo of 12 megapixels", media("image", "image/jpeg", picture), 1),
    ("C: PDF without end", media("document", "application/pdf", endless), 1),
    ("C: the worst of each kind at once", all_at_once, 1),
    ("C: five packed bodies without a signature", packed_bodies, 0),
    ("C: sixty unfinished posts of 4 MiB", unfinished_posts, 0),
]
