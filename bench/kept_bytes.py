"""Bytes that Redis keeps of a contact after six messages, by kind of key: `python -m bench.kept_bytes`.

MEMORY USAGE of each key that is the contact's own, with names as long as Meta's and with Meta's statuses. What all
contacts share, and what BullMQ keeps of finished jobs for three days, is shown apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from redis.asyncio import Redis

from bench.service import MeasuredService, measured_service
from bench.upstreams import wamid
from bot.whatsapp.signature import signature_of

MESSAGES = (
    "Hola, ¿a qué hora abren?",
    "¿Y los domingos también?",
    "Gracias. ¿Tienen papel térmico de 80 mm?",
    "¿Cuánto cuesta la caja con 50 rollos?",
    "¿Hacen envíos a Puebla?",
    "Perfecto, mañana paso por ella",
)
AIM = 10_000
PHONE, BSUID = "5215512345678", "MX.8801234567890123"
_DAY = 24 * 3600
_STATES = ("sent", "delivered", "read")
_CONVERSATION = re.compile(r"c_[0-9a-f]{20}")


@dataclass
class Kept:
    """Bytes and number of keys by kind; `lasting` are the bytes that live longer than a day."""

    bytes: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    longest: dict[str, int] = field(default_factory=dict)
    lasting: int = 0
    jobs: int = 0

    def add(self, kind: str, size: int, seconds: int) -> None:
        self.bytes[kind] += size
        self.keys[kind] += 1
        self.longest[kind] = max(self.longest.get(kind, 0), seconds)
        if seconds > _DAY:
            self.lasting += size

    @property
    def total(self) -> int:
        return sum(self.bytes.values())


async def kept_after(messages: tuple[str, ...] = MESSAGES) -> Kept:
    """Let one person write these messages, each answered and read, and measure the person's keys."""
    async with measured_service(workers=1) as service, aiohttp.ClientSession() as http:
        meta = _Meta(service, http)
        for count, text in enumerate(messages, 1):
            await meta.say(count, text)
            await service.upstreams.sent(count, within=30)
            await meta.note_statuses(service.upstreams.accepted[-1])
        async with Redis.from_url(service.redis, decode_responses=True) as redis:
            async with asyncio.timeout(30):
                while await redis.zcard("recado:open") or await redis.xlen("recado:history"):
                    await asyncio.sleep(0.05)
            return await measured(redis)


async def measured(redis: Redis) -> Kept:
    """Bytes of the keys of all conversations, of the names that lead to them, and of finished jobs."""
    found = Kept()
    async for name in redis.scan_iter("*", count=1000):
        size = int(await redis.memory_usage(name, samples=0) or 0)
        if name.startswith("bull:"):
            found.jobs += size if _CONVERSATION.search(name) else 0
        elif _CONVERSATION.search(name) or name.startswith(("recado:identity:", "recado:phone-owners:")):
            # Seconds; -1 means for good.
            seconds = int(await redis.ttl(name))
            found.add(_kind(name), size, seconds if seconds >= 0 else 2**31)
    return found


def _kind(name: str) -> str:
    """The key without the contact: `{c}:said:*`."""
    name = name.removeprefix("recado:")
    if not _CONVERSATION.search(name):
        return f"{name.partition(':')[0]}:*"
    head, *rest = _CONVERSATION.sub("c", name).split(":")
    return ":".join((head, *rest[:1], *(["*"] if len(rest) > 1 else [])))


class _Meta:
    """Signed webhooks of one person's messages and of the statuses of our answers."""

    def __init__(self, service: MeasuredService, http: aiohttp.ClientSession) -> None:
        self._secret, self._url = (
            os.environ["WHATSAPP_APP_SECRET"],
            f"http://127.0.0.1:{service.port}/webhooks/whatsapp",
        )
        self._http = http

    async def say(self, count: int, text: str) -> None:
        message = {
            "from": PHONE,
            "from_user_id": BSUID,
            "id": wamid(count, "in"),
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": text},
        }
        contact = {"profile": {"name": "Ana Lucía Hernández"}, "wa_id": PHONE, "user_id": BSUID}
        await self._post({"contacts": [contact], "messages": [message]})

    async def note_statuses(self, sent: tuple[str, str]) -> None:
        name, callback = sent
        for state in _STATES:
            status: dict[str, Any] = {
                "id": name,
                "status": state,
                "timestamp": str(int(time.time())),
                "recipient_id": PHONE,
                "recipient_user_id": BSUID,
                "biz_opaque_callback_data": callback,
            }
            if state != "read":
                status["pricing"] = {
                    "billable": False,
                    "pricing_model": "PMP",
                    "category": "service",
                    "type": "free_customer_service",
                }
            await self._post({"statuses": [status]})

    async def _post(self, news: dict[str, Any]) -> None:
        metadata = {"display_phone_number": "15550783881", "phone_number_id": "1"}
        changes = [{"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **news}}]
        body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()
        headers = {"X-Hub-Signature-256": signature_of(body, self._secret), "Content-Type": "application/json"}
        async with self._http.post(self._url, data=body, headers=headers) as response:
            response.raise_for_status()


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kept_bytes", description=__doc__)
    parser.parse_args()
    found = await kept_after()
    width = max(map(len, found.bytes))
    for kind, size in found.bytes.most_common():
        days = found.longest[kind] / _DAY
        print(f"{kind.ljust(width)}  {size:6}  in {found.keys[kind]:2} keys  {days:7.2f} days")
    print(f"{'a contact after six messages'.ljust(width)}  {found.total:6}  aim: at most {AIM}")
    print(f"{'of these longer than a day'.ljust(width)}  {found.lasting:6}")
    print(f"{'finished jobs, three days'.ljust(width)}  {found.jobs:6}")


if __name__ == "__main__":
    asyncio.run(main())
