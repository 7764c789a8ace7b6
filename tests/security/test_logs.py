"""Logs while all kinds of things happen: no number, name, address, message text or secret appears."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from bullmq import Queue

from bot.conversations.contacts import Contacts
from bot.infra import logs
from bot.infra.redis import answer, key
from bot.integrations.push.vapid import new_pair
from bot.storage.files import files_of
from bot.web.server import listening
from sandbox.meta.simulator import Person
from sandbox.phone.demo_customers import customer, subscribe
from sandbox.simulators.event_subscriber import ErpSimulator, EventFault, new_secret
from sandbox.simulators.openrouter import ScriptedAnswer, calls, fails, says
from sandbox.simulators.smtp import SmtpSimulator
from sandbox.simulators.web_push import PushServiceSimulator
from sandbox.simulators.whisper import ScriptedTranscription
from sandbox.stripe import StripeSimulator
from tests.billing import billing, buttons, stripe_of, stripe_settled, taps
from tests.notifications import conversation_of, settled
from tests.processes import Running, eventually, recado, running
from tests.rows import each
from tests.world import Start, World

XIMENA = Person(phone="5215598765432", bsuid="MX.7654321098765432", name="Ximena Zaldívar")
BOSS = Person(phone="5215511122233", bsuid="MX.1112223334445556", name="Jefa Quiroga")
MARK = "berenjena"
PUBLIC, PRIVATE = new_pair()
SECRETS = {
    "WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "OPENROUTER_API_KEY", "OPENAI_API_KEY", "CONSOLE_TOKEN",
    "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "VAPID_PRIVATE_KEY", "WEBHOOK_SECRET",
}  # fmt: skip


@each(
    ("words", "left"),
    [
        ("Recipient 5215598765432 is not allowed", "Recipient … is not allowed"),
        ("to +5215598765432, MX.7654321098765432", "to …, …"),
        ("no mailbox for <ximena.z+1@cliente.example>", "no mailbox for <…>"),
        ("521551234567ximena@cliente.example is full", "… is full"),
        ("c_0123456789abcdef@cliente.example is full", "… is full"),
        ("https://ana:pw@erp.example/d@f.example", "https://……"),
        ("@ximena and ximena@ name nobody", "@ximena and ximena@ name nobody"),
        ("wamid.HBgNNTIxNTU5ODc2NTQzMhUCABIYFjNFQjA= is unknown", "… is unknown"),
        ("GET http://127.0.0.1:80/files/WzE3.abc broke", "GET http://127.0.0.1:80… broke"),
        ("https://ana:pw@erp.example/in?key=s3cret&b=2", "https://…erp.example/in?…"),
        (
            "Error connecting to redis://:p)w'd\"<x@redis.example:6379.",
            "Error connecting to redis://…redis.example:6379.",
        ),
        ("InvalidURL: https://erp:p%23w@erp.example/hook", "InvalidURL: https://…erp.example/hook"),
        (
            "ClientResponseError: 404, message='x', url='https://erp:Kq7(Kq7@erp.example/hook?key=Kq7'",
            "ClientResponseError: 404, message='x', url='https://…erp.example/hook?…'",
        ),
        ("Authorization: Bearer EAAG.x-1", "Authorization: Bearer …"),
        (
            "line 4821, HTTP 503, Meta's error 2494100, port 65535",
            "line 4821, HTTP 503, Meta's error 2494100, port 65535",
        ),
        ("there is no job 'x5215598765432'", "there is no job 'x…'"),
        ("c_52155987654321000000 and 0123456789ab", "c_52155987654321000000 and 0123456789ab"),
        ("t_0123456789ab after 0.25 s on 2026-11-24", "t_0123456789ab after 0.25 s on 2026-11-24"),
    ],
)
def test_words_of_others_lose_whom_they_name(words: str, left: str) -> None:
    assert logs.without_identities(words) == left


async def test_all_that_can_happen_is_logged_without_anybody_or_anything_secret(
    start: Start, stripe: StripeSimulator, monkeypatch: pytest.MonkeyPatch, media: Callable[[str], bytes]
) -> None:
    erp, smtp, browsers, secret = (
        ErpSimulator(signing := new_secret()),
        SmtpSimulator(),
        PushServiceSimulator(),
        "Kq7" * 9,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(smtp.running())
        events = await stack.enter_async_context(listening(erp.app(), "127.0.0.1", 0, finish=0.1))
        browsers.url = await stack.enter_async_context(listening(browsers.app(), "127.0.0.1", 0, finish=0.1))
        environment = billing(stripe) | {
            "SMTP_PORT": str(smtp.port), "SMTP_TLS": "none", "TURN_QUIET_SECONDS": "0", "LOG_LEVEL": "info",
            "VAPID_PUBLIC_KEY": PUBLIC, "VAPID_PRIVATE_KEY": PRIVATE, "VAPID_SUBJECT": "mailto:erp@example.com",
            "PUSH_ALLOW_PRIVATE": "true", "WEBHOOK_ALLOW_PRIVATE": "true", "PUBLIC_URL": "http://recado.example",
            "WEBHOOK_SUBSCRIBERS": f"{events}/events?key={secret},{events}/gone/{secret}",
            "WEBHOOK_SECRET": signing, "STAFF_CONTACTS": str(BOSS.phone), "LLM_MODELS_FALLBACK": "",
        }  # fmt: skip
        world = await start(workers=0, stripe=stripe, **environment)
        serve = await stack.enter_async_context(running("serve", "--host", "127.0.0.1", "--port", "0"))
        worker = await stack.enter_async_context(running("worker"))
        url = f"http://127.0.0.1:{(await serve.line('server_ready'))['port']}"
        world.meta._sender.url, stripe.webhooks.url = f"{url}/webhooks/whatsapp", f"{url}/webhooks/stripe"
        visit = Visit(world, url, media, worker)
        for happening in (
            visit.billing, visit.media, visit.files, visit.push, visit.mail, visit.models_fail, visit.meta_refuses,
            visit.jobs_of_others, visit.broken_records, visit.bad_requests,
        ):  # fmt: skip
            await happening(smtp, browsers, erp)
        shown = await recado("queues", "show", "--format", "json")
        await settled(world)
    told = serve.text + worker.text
    events_told = {line["event"] for run in (serve, worker) for line in run.lines}
    # The planned faults have happened and were logged.
    assert {"reply_sent", "mail_sent", "push_sent", "handoff", "job_failed", "tool_failed", "reply_failed",
            "transcription_failed", "no_model_answered", "event_missed", "card_settled"} <= events_told  # fmt: skip
    forbidden = {MARK, secret, *visit.learnt, *_of(XIMENA), *_of(BOSS), "Zald", "Quiroga", "cliente.example"}
    forbidden |= {str(environment.get(name) or _setting(world, name)) for name in SECRETS}
    for word in sorted(forbidden):
        assert word.casefold() not in told.casefold(), (word, _around(told, word))
    assert json.loads(shown.out)["failed"]
    for word in sorted(forbidden):
        assert word.casefold() not in json.dumps(_reasons(shown.out), ensure_ascii=False).casefold(), word


def _of(person: Person) -> set[str]:
    return {str(person.phone), person.bsuid, str(person.phone)[3:]}


def _setting(world: World, name: str) -> str:
    return os.environ[name]


def _around(told: str, word: str) -> str:
    at = told.casefold().find(word.casefold())
    return told[max(0, at - 700) : at + 100] if at >= 0 else ""


def _reasons(out: str) -> list[str]:
    return [job["reason"] for job in json.loads(out)["failed"]]


class Visit:
    """Events of each kind in sequence; `learnt` are secrets created on the way."""

    def __init__(self, world: World, url: str, media: Callable[[str], bytes], worker: Running) -> None:
        self.world, self.url, self.media_of, self.worker = world, url, media, worker
        self.learnt: set[str] = set()

    async def asks(self, person: Person, words: str, *script: ScriptedAnswer, count: int = 1) -> list[Any]:
        before = len(self.world.meta.sent_to(person))
        self.world.models._script.clear()
        self.world.models.will(*script)
        await self.world.meta.writes(person, {"type": "text", "text": {"body": f"{words} {MARK}"}})
        await self.world.meta.replies(person, before + count)
        await settled(self.world)
        return self.world.meta.sent_to(person)[before:]

    async def billing(self, smtp: SmtpSimulator, _: PushServiceSimulator, __: ErpSimulator) -> None:
        world = self.world
        owner = customer(stripe_of(world), XIMENA.phone, XIMENA.name, "ximena.z@cliente.example")
        subscribe(stripe_of(world), owner)
        await stripe_settled(world)
        await self.asks(
            XIMENA, "¿mi plan?", calls(("get_subscription", {}), ("list_invoices", {})), says(f"Sí, {MARK}")
        )
        (card,) = await self.asks(XIMENA, "Pro", calls(("change_plan", {"plan": "Pro"})), says("-"))
        self.learnt |= {button["id"] for button in buttons(card)}
        await taps(world, XIMENA, buttons(card)[0])
        (page,) = await self.asks(XIMENA, "mi portal", calls(("open_portal", {})), says("-"))
        self.learnt.add(page.request["interactive"]["action"]["parameters"]["url"].rpartition("/")[2])
        await self.asks(XIMENA, "factura", calls(("send_invoice", {"by": "email"})), says("Va"))

    async def media(self, _: SmtpSimulator, __: PushServiceSimulator, ___: ErpSimulator) -> None:
        world = self.world
        note = self.media_of("voice/es_ticket.ogg")
        heard = json.dumps({"text": f"Soy {XIMENA.name}, {MARK}", "language": "spanish", "duration": 5})
        for answer_ in (
            ScriptedTranscription(body=heard),
            *(ScriptedTranscription(status=401, body=f'{{"error": {{"message": "{MARK}"}}}}'),) * 3,
        ):
            world.whisper.will(answer_)
        world.models.will(says(f"Te oí, {MARK}"))
        for _number in range(2):
            before = len(world.meta.sent_to(XIMENA))
            await world.meta.sends_media(XIMENA, "audio", note, "audio/ogg; codecs=opus")
            await world.meta.replies(XIMENA, before + 1)
            await settled(world)
        for name in ("documents/noise.bin", "documents/encrypted.pdf", "photos/bomb.png"):
            before = len(world.meta.sent_to(XIMENA))
            await world.meta.sends_media(
                XIMENA, "document", self.media_of(name), "application/pdf", MARK, f"{XIMENA.name} {MARK}.pdf"
            )
            await world.meta.replies(XIMENA, before + 1)
            await settled(world)

    async def files(self, _: SmtpSimulator, __: PushServiceSimulator, ___: ErpSimulator) -> None:
        world = self.world
        conversation = await conversation_of(world, XIMENA.bsuid)
        cabinet = files_of(world.redis, world.settings)
        await cabinet.keep(conversation, f"{MARK}.zip", "application/zip", b"PK\x03\x04x")
        (sent,) = await self.asks(XIMENA, "mi zip", calls(("send_file", {"file": f"{MARK}.zip"})), says("-"))
        link = sent.request["interactive"]["action"]["parameters"]["url"]
        token = link.rpartition("/")[2]
        self.learnt.add(token)
        for path, status in ((token, 200), (f"{token}x", 404)):
            async with world.http.get(f"{self.url}/files/{path}") as response:
                assert response.status == status

    async def push(self, _: SmtpSimulator, browsers: PushServiceSimulator, __: ErpSimulator) -> None:
        world = self.world
        (sent,) = await self.asks(XIMENA, "avísame", calls(("notify_me", {})), says("-"))
        token = sent.request["interactive"]["action"]["parameters"]["url"].rpartition("/")[2]
        subscription = browsers.subscribe(PUBLIC)
        self.learnt |= {token.rpartition(".")[2], subscription["endpoint"].rpartition("/")[2]}
        async with world.http.get(f"{self.url}/push/{token}") as response:
            assert response.status == 200
        body = {"subscription": subscription, "token": token}
        async with world.http.post(f"{self.url}/push/subscriptions", json=body) as response:
            assert response.status == 201
        await self.job("notification", "push", {"contact": XIMENA.phone, "title": MARK, "body": MARK})
        await eventually(lambda: _true(browsers.pushes))

    async def mail(self, smtp: SmtpSimulator, _: PushServiceSimulator, __: ErpSimulator) -> None:
        world = self.world
        address = "lena.mora@cliente.example"
        customer(stripe_of(world), None, "Lena", address)
        lena = Person(phone="5215544443333", bsuid="MX.4444333322221111", name=f"Lena {MARK}")
        await self.asks(lena, "soy yo", calls(("verify_email", {"email": address})), says("Te mandé un código"))
        smtp.will_answer("RCPT", f"550 5.1.1 <{address}> unknown")
        await self.job("email", "send", {"to": address, "template": "welcome", "data": {"name": MARK}})
        await self.job("email", "send", {"to": f"{MARK} {address}", "template": "welcome", "data": {"name": MARK}})
        await self.job("email", "send", {"to": address, "template": MARK, "data": {MARK: address}})
        self.learnt |= _of(lena)

    async def models_fail(self, _: SmtpSimulator, __: PushServiceSimulator, ___: ErpSimulator) -> None:
        said = f"your input {MARK} of {XIMENA.phone} was flagged"
        await self.asks(
            XIMENA, "hola", *(fails(status, said) for status in (400, 401, 402, 500, 500, 500, 500, 500, 500))
        )
        await self.asks(XIMENA, "¿y?", calls(("talk_to_a_person", {"reason": f"quiere {MARK}"})), says("Ya"))
        await Contacts(self.world.redis).set_handed_off(
            await conversation_of(self.world, XIMENA.bsuid), handed_off=False
        )

    async def meta_refuses(self, _: SmtpSimulator, __: PushServiceSimulator, erp: ErpSimulator) -> None:
        world = self.world
        erp.faults.append(EventFault(500))
        world.meta.will_refuse(100)
        world.models._script.clear()
        world.models.will(says(f"Hola {MARK}"))
        await world.meta.writes(XIMENA, {"type": "text", "text": {"body": f"hola {MARK}"}})
        await settled(world)
        parameters = {"name": MARK, "order": "1", "total": "2"}
        order = {"to": XIMENA.phone, "template": "order_confirmation", "parameters": parameters}
        await self.asks(BOSS, "manda", calls(("send_template", order)), says("Listo"))
        await self.asks(BOSS, "manda", calls(("send_template", order | {"parameters": {MARK: MARK}})), says("No"))

    async def jobs_of_others(self, _: SmtpSimulator, __: PushServiceSimulator, ___: ErpSimulator) -> None:
        await self.job(
            "notification", "template", {"to": XIMENA.phone, "template": "no_such", "parameters": {MARK: "1"}}
        )
        await self.job("notification", "template", {"to": f"{MARK}", "template": "order_confirmation"})
        await self.job("notification", f"x{XIMENA.phone}", {"to": MARK})
        await self.job("webhook", "deliver", {"event": MARK + "/ ", "data": {}})
        await self.job("llm", "turn", {"conversation": f"{XIMENA.phone}"})
        await self.job("email", "send", [MARK, XIMENA.phone])

    async def broken_records(self, _: SmtpSimulator, __: PushServiceSimulator, ___: ErpSimulator) -> None:
        """Broken records in Redis, as by an older version or by hand: a tool, a turn and the waiting list fail."""
        redis = self.world.redis
        conversation = await conversation_of(self.world, XIMENA.bsuid)
        await answer(redis.hset(key(conversation, "files"), "x", json.dumps({"name": MARK, "phone": XIMENA.phone})))
        await self.asks(XIMENA, "archivos", calls(("list_files", {})), says("No puedo"))
        await answer(redis.hdel(key(conversation, "files"), "x"))
        await answer(redis.rpush(key(conversation, "waiting"), json.dumps({"id": MARK, "from": XIMENA.phone})))
        await answer(redis.rpush(key(conversation, "memory"), json.dumps({"role": "user", "text": MARK})))
        self.world.models.will(says("Hola"))
        await self.world.meta.writes(XIMENA, {"type": "text", "text": {"body": f"hola {MARK}"}})

        async def crashed() -> bool:
            return "ValidationError" in self.worker.text

        await eventually(crashed)
        await answer(redis.delete(key(conversation, "memory")))
        await settled(self.world)

    async def bad_requests(self, _: SmtpSimulator, __: PushServiceSimulator, ___: ErpSimulator) -> None:
        host, _sep, port = self.url.removeprefix("http://").partition(":")
        lines = (
            f"GET /files/{MARK}\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            f"GET /push/c_{MARK} HTTP/1.1\r\nHost: x\r\nHost: {MARK}\r\n\r\n",
            f"{MARK} {MARK}\r\n\r\n",
            f"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: -{MARK}\r\n\r\n",
        )
        for line in lines:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(line.encode("latin-1"))
            await reader.read(200)
            writer.close()
        async with self.world.http.get(f"{self.url}/console/events", headers={"Authorization": f"Bearer {MARK}"}) as no:
            assert no.status == 401

    async def job(self, queue: str, name: str, data: Any) -> None:
        """Add another service's job, and wait until it is done or given up."""
        queue_ = Queue(queue, {"connection": self.world.redis})
        await queue_.add(name, data, {"attempts": 1})

        async def over() -> bool:
            counts = await queue_.getJobCounts("waiting", "active")
            return not (counts["waiting"] or counts["active"])

        await eventually(over)


async def _true(value: Any) -> bool:
    return bool(value)
