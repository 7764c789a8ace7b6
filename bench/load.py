"""Signed webhooks as fast as a server accepts them: prepared bytes over open connections, so that the load is cheap."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import count

from bot.whatsapp.signature import signature_of

_CONNECTIONS = 32
# Most senders have written before, but each person's messages still pass the whole webhook.
_PEOPLE = 500


class Load:
    def __init__(self, secret: str, people: int = _PEOPLE) -> None:
        self._secret = secret
        self._people = people
        self._numbers = count()

    async def acknowledge(self, port: int, requests: int) -> float:
        """Post this many messages, by turns of each person; gives the rate. Raises at an answer other than 200."""
        prepared = [self._request() for _ in range(requests)]
        began = time.perf_counter()
        queue = iter(prepared)
        await asyncio.gather(*(self._connection(port, queue) for _ in range(min(_CONNECTIONS, requests))))
        return requests / (time.perf_counter() - began)

    async def _connection(self, port: int, queue: object) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in queue:  # type: ignore[attr-defined]
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            await _read_body(reader, head.lower())
        writer.close()
        await writer.wait_closed()

    def _request(self) -> bytes:
        number = next(self._numbers)
        person, bsuid = f"52155{number % self._people:08}", f"MX.{number % self._people:016}"
        message = {
            "from": person,
            "from_user_id": bsuid,
            "id": f"wamid.BENCH{number}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": "Hola, ¿a qué hora abren?"},
        }
        contact = {"profile": {"name": "Ana"}, "wa_id": person, "user_id": bsuid}
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": "1"},
            "contacts": [contact],
            "messages": [message],
        }
        changes = [{"field": "messages", "value": value}]
        body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()
        head = (
            "POST /webhooks/whatsapp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"X-Hub-Signature-256: {signature_of(body, self._secret)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> None:
    if b"chunked" in head:
        await reader.readuntil(b"0\r\n\r\n")
    else:
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0"))
