# ruff: noqa: INP001 - a script of its own

"""The pictures of docs/console.*.md, anew: the sandbox's real console, with conversations that were held in it.

PYTHONPATH=. python docs/pictures/console.py
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from make import Browser, chromium
from pydantic import SecretStr

from bot.database.opening import open_current
from bot.history.entries import Entry, HandOver, MessageReceived, ReplyQueued, TurnTraced
from bot.history.writer import HistoryWriter
from bot.infra import logs
from bot.messages.inbound import Inbound, Tap, Text
from bot.messages.outbound import Reply, Say
from bot.messages.rating import rating_question
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from bot.settings import Settings
from sandbox.app import open_company

_WIDTH, _HEIGHT = 1400, 860
_PASSWORD = "una frase larga y rara"  # noqa: S105 - of a sandbox that lives for a minute
_CUSTOMERS = {
    "Paula Benítez": "¿A qué hora abren el sábado?",
    "Mateo Rojas": "Quiero hablar con una persona",
    "Sofía Aguilar": "¿Qué planes tienen?",
    "Emilio Cárdenas": "No me llegó el paquete, quiero hablar con una persona",
    "Camila Ortega": "Hola, ¿me ayudan?",
}
_LATE = "Inés Robledo"
_HERO = "María José Beltrán"


_TYPE = """(() => {{
  const input = document.querySelectorAll('.sheet form input')[{at}];
  input.value = '{value}';
  input.dispatchEvent(new Event('input', {{bubbles: true}}));
}})()"""


class ConsoleClient:
    """Customers on the sandbox's phones, and Ana, who answers them through the console's API."""

    def __init__(self, http: aiohttp.ClientSession, server: str) -> None:
        self._http = http
        self._server = server

    async def customer(self, name: str) -> str:
        return str((await self._post("/sandbox/people", {"name": name}))["bsuid"])

    async def writes(self, bsuid: str, words: str) -> None:
        message = {"type": "text", "text": {"body": words}}
        await self._post("/sandbox/messages", {"person": bsuid, "message": message})

    async def message_comes_late(self) -> None:
        """Let the next message be three days old."""
        await self._post("/sandbox/trouble", {"kind": "late"})

    async def log_in(self) -> None:
        await self._post("/console/api/session", {"email": "ana@example.com", "password": _PASSWORD})

    async def conversation_of(self, name: str, words: str) -> str:
        """The conversation, once it has these words."""
        while True:
            url = f"{self._server}/console/api/conversations?q={name.split(maxsplit=1)[0]}"
            async with self._http.get(url) as answer:
                found = (await answer.json())["conversations"]
            for conversation in found:
                async with self._http.get(
                    f"{self._server}/console/api/conversations/{conversation['id']}/messages"
                ) as answer:
                    said = [message["author"] for message in (await answer.json())["messages"]]
                if conversation["contact"]["name"] == name and words in said:
                    return str(conversation["id"])
            await asyncio.sleep(0.1)

    async def acts(self, conversation: str, what: str, body: dict[str, Any]) -> None:
        await self._post(f"/console/api/conversations/{conversation}/{what}", body)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        key = f"{random.getrandbits(64):x}"
        headers = {"Origin": self._server, "X-Requested-With": "recado", "Idempotency-Key": key}
        async with self._http.post(self._server + path, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return dict(await answer.json()) if answer.content_type == "application/json" else {}


def _past() -> list[Entry]:
    """A month of conversations for the reports."""
    chance, entries = random.Random(7), []  # noqa: S311 - the same pictures each time
    for day in range(1, 30):
        for number in range(chance.randint(9, 19)):
            at = datetime.now(UTC) - timedelta(days=day, minutes=chance.randint(0, 300))
            entries += _conversation(f"c_{day:010d}{number:010d}", at, chance)
    return entries


def _conversation(name: str, at: datetime, chance: random.Random) -> list[Entry]:
    def received(content: Text | Tap, wamid: str, when: datetime) -> MessageReceived:
        message = Inbound(id=wamid, phone=f"521551{name[-7:]}", sent_at=when, received_at=when, content=content)
        return MessageReceived(id=wamid, conversation=name, at=when, message=message)

    def queued(id_: str, part: Any, seconds: float) -> ReplyQueued:
        reply = Reply(id=id_, parts=(part,), phone=f"521551{name[-7:]}")
        return ReplyQueued(id=id_, conversation=name, at=at + timedelta(seconds=seconds), reply=reply)

    turn, question = f"t_{name[-12:]}", f"r_{name[2:].zfill(24)}"
    trace = {"outcome": "answered", "cost_usd": f"{chance.uniform(0.002, 0.03):.4f}"}
    made: list[Entry] = [
        received(Text(body="Hola"), f"wamid.{name}", at),
        queued(turn, Say(body="¿En qué te ayudo?"), chance.uniform(1.4, 4)),
        TurnTraced(id=turn, conversation=name, at=at + timedelta(seconds=4), trace=trace),
    ]
    if chance.randrange(5) == 0:
        reason = chance.choice(("Quiere una devolución", "Pide hablar con una persona", "Cobro repetido"))
        made.append(HandOver(id=f"asked-{name}", conversation=name, at=at, action="asked", reason=reason))
    if chance.randrange(5) in {1, 3}:
        grade = chance.choice(("good",) * 8 + ("fair", "bad"))
        made.append(queued(question, rating_question(question, "es"), 600))
        tap, when = Tap(id=f"rate.{question}.{grade}", title=grade), at + timedelta(seconds=660)
        made.append(received(tap, f"wamid.{name}.r", when))
    made.append(HandOver(id=f"closed-{name}", conversation=name, at=at + timedelta(minutes=9), action="closed"))
    return made


async def _hold(console: ConsoleClient, settings: Settings) -> tuple[str, str]:
    """Let people write and Ana answer; gives the conversation to look at, and one whose window is shut."""
    for name, words in _CUSTOMERS.items():
        await console.writes(await console.customer(name), words)
        await console.conversation_of(name, "assistant")
    hero = await console.customer(_HERO)
    await console.writes(hero, "Hola, ¿a qué hora abren?")
    conversation = await console.conversation_of(_HERO, "assistant")
    await console.writes(hero, "Me cobraron dos veces, quiero hablar con una persona")
    await asyncio.sleep(3)
    await console.acts(conversation, "take", {})
    await console.acts(conversation, "messages", {"text": "Hola, soy Ana. Ya estoy viendo tus cobros."})
    await console.acts(conversation, "notes", {"text": "El segundo cobro es de la sucursal. @leo ¿lo puedes devolver?"})
    await console.acts(conversation, "labels", {"add": ["queja", "cobros"]})
    await console.acts(conversation, "messages", {"text": "¿Cuándo te llamamos?", "buttons": ["Hoy", "Mañana"]})
    await asyncio.sleep(2)
    late = await console.customer(_LATE)
    await console.message_comes_late()
    await console.writes(late, "¿Ya salió mi pedido?")
    shut = await console.conversation_of(_LATE, "customer")
    await console.acts(shut, "take", {})
    database = await open_current(settings.database.url.get_secret_value())
    await HistoryWriter(database).write(_past())
    await database.close()
    return conversation, shut


async def _people(settings: Settings) -> None:
    database = await open_current(settings.database.url.get_secret_value())
    operators = Operators(database, Passwords())
    for name, role in (("Ana Morales", "admin"), ("Leo Duarte", "agent")):
        _, token = await operators.add(name, f"{name.split()[0].lower()}@example.com", role)  # type: ignore[arg-type]
        await operators.set_password(token, _PASSWORD)
    await database.close()


async def _look(browser: Browser, server: str, session: str, conversation: str) -> None:
    await browser.size(_WIDTH, _HEIGHT)
    await browser.ask("Network.setCookie", name="recado_session", value=session, url=server)
    await browser.ask("Page.navigate", url=f"{server}/console/")
    await browser.until("document.querySelector('.rail') !== null")
    for language, dark in (("es", False), ("en", True)):
        await browser.size(_WIDTH, _HEIGHT, dark=dark)
        await browser.run(f"localStorage.setItem('language', '{language}'); localStorage.setItem('side', 'open')")
        await browser.run(f"localStorage.setItem('tab', 'bot'); location.hash = '#/c/{conversation}'")
        await browser.ask("Page.reload")
        await asyncio.sleep(1)
        await browser.until("document.querySelectorAll('.bubble').length > 3")
        await asyncio.sleep(1)
        await browser.look(f"console.{language}.png", _WIDTH, _HEIGHT)
    await browser.run("location.hash = '#/reports'")
    await browser.until("document.querySelector('.big-numbers') !== null")
    await asyncio.sleep(1)
    await browser.look("console-reports.en.png", _WIDTH, _HEIGHT)


async def _look_into(browser: Browser, conversation: str, shut: str) -> None:
    """Why an answer was given, the same turn with the current release, and a template for a shut window."""
    await browser.size(_WIDTH, _HEIGHT)
    await browser.run(f"localStorage.setItem('language', 'es'); location.hash = '#/c/{conversation}'")
    await browser.ask("Page.reload")
    await asyncio.sleep(1)
    await browser.until("document.querySelector('.bubble.bot .why-link') !== null")
    await browser.run("document.querySelector('.bubble.bot .why-link').click()")
    await browser.until("document.querySelector('.why-summary') !== null")
    await asyncio.sleep(1)
    await browser.look("console-why.es.png", _WIDTH, _HEIGHT)
    await browser.run("[...document.querySelectorAll('.why button')].find(b => b.textContent.includes('otra')).click()")
    await browser.until("document.querySelector('.replay-form button') !== null")
    await browser.run("document.querySelector('.replay-form button').click()")
    await browser.until("document.querySelector('.difference') !== null")
    await asyncio.sleep(1)
    await browser.look("console-replay.es.png", _WIDTH, _HEIGHT)
    await browser.run(f"location.hash = '#/c/{shut}'")
    await browser.ask("Page.reload")
    await asyncio.sleep(1)
    await browser.until("document.getElementById('open-templates') !== null")
    await browser.run("document.getElementById('open-templates').click()")
    await browser.until("document.querySelector('.template-row') !== null")
    found = "[...document.querySelectorAll('.template-row')].find(row => row.textContent.includes('cambió a'))"
    await browser.run(f"{found}.click()")
    await browser.until("document.querySelector('.template-preview') !== null")
    for at, value in enumerate(("Inés", "A-17", "en camino")):
        await browser.run(_TYPE.format(at=at, value=value))
    await asyncio.sleep(1)
    await browser.look("console-template.es.png", _WIDTH, _HEIGHT)


async def make() -> None:
    logs.configure("critical", "console")
    with TemporaryDirectory() as made:
        settings = Settings()
        token = SecretStr("token-of-the-pictures")
        settings.service = settings.service.model_copy(update={"console_token": token})
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(open_company(settings, "127.0.0.1", 0, Path(made, "data")))
            server = url.removesuffix("/sandbox/")
            jar = aiohttp.CookieJar(unsafe=True)
            http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
            browser = await stack.enter_async_context(chromium(http, Path(made, "chromium")))
            await _people(settings)
            console = ConsoleClient(http, server)
            await console.log_in()
            conversation, shut = await _hold(console, settings)
            session = next(cookie.value for cookie in jar if cookie.key == "recado_session")
            await _look(browser, server, session, conversation)
            await _look_into(browser, conversation, shut)


if __name__ == "__main__":
    asyncio.run(make())
