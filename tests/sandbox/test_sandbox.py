"""`recado sandbox` for a newcomer: one process, no key, a phone that gets answers, a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from sandbox import redis_server
from tests.paths import ROOT
from tests.processes import Running, eventually, recado, running
from tests.waiting import at_most

ANA = "MX.8801234567890123"
Run = Callable[..., Awaitable[tuple[Running, str]]]

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("sandbox")]


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Run]:
    async with AsyncExitStack() as stack:

        async def run(*options: str, reads_photos: bool = False, documents: bool = False) -> tuple[Running, str]:
            where = ("--port", "0", "--data", str(tmp_path / "data"))
            # Nobody reads photos there, which spares the start of an engine.
            elsewhere = {} if reads_photos else {"GOOGLE_VISION_ENDPOINT": "http://127.0.0.1:9"}
            if documents:
                elsewhere["KNOWLEDGE_DIR"] = str(ROOT / "knowledge")
            started = await stack.enter_async_context(running("sandbox", *where, *options, **elsewhere))

            async def address() -> str | None:
                found = re.search(r"http://\S+/sandbox/", started.printed)
                assert found or started.process.returncode is None, started.text
                return found and found[0]

            return started, str(await eventually(address))

        yield run


async def talk(url: str, message: dict[str, Any]) -> dict[str, Any]:
    """Send a message from Ana's phone and wait for the closed turn that answers it."""
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{url}messages", json={"person": ANA} | message) as response:
            wamid = (await response.json())["wamid"]
        async with at_most():
            while True:
                async with http.get(f"{url}state") as response:
                    turns = (await response.json())["turns"]
                for turn in turns:
                    if wamid in turn["messages"] and turn["state"] == "closed":
                        found: dict[str, Any] = turn
                        return found
                await asyncio.sleep(0.05)


def text(body: str) -> dict[str, Any]:
    return {"message": {"type": "text", "text": {"body": body}}}


async def seen_in_the_console(url: str) -> str:
    """The name of the one customer in the console, into which the sandbox's link logs in; others stay outside."""
    cookies = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=cookies) as http:
        conversations = url.replace("/sandbox/", "/console/api/conversations")
        async with http.get(f"{url}console", headers={"X-Forwarded-For": "203.0.113.7"}) as response:
            assert response.status == 403
        async with http.get(conversations) as response:
            assert response.status == 401
        async with http.get(f"{url}console") as response:
            assert (response.status, response.url.path) == (200, "/console/")
        async with at_most():
            while True:
                async with http.get(conversations) as response:
                    assert response.status == 200
                    if found := (await response.json())["conversations"]:
                        return str(found[0]["contact"]["name"])
                await asyncio.sleep(0.05)


async def test_a_newcomer_writes_speaks_and_sends_a_photo_and_is_understood(sandbox: Run) -> None:
    run, url = await sandbox(reads_photos=True)
    hours = await talk(url, text("Hola, ¿a qué hora abren?"))
    assert [tool["name"] for tool in hours["tools"]] == ["business_hours"]
    assert "Lunes a viernes: 09:00-19:00" in hours["reply"][0]
    assert await seen_in_the_console(url) == "Ana Morales"
    assert hours["prompt"]["name"] == "assistant"
    assert hours["requests"][0]["served"] == "anthropic/claude-3-haiku"
    assert float(hours["cost_usd"]) > 0

    invited = await talk(url, text("quiero recibir avisos"))
    token = re.findall(r"/push/(\S+?)\)", invited["reply"][0])[0]
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{url}push/browser", json={"token": token}) as response:
            assert (response.status, await response.json()) == (201, {"subscribed": True})
        async with http.get(f"{url}pushes") as response:
            assert await response.json() == {"pushes": [], "browsers": 1}
        async with http.get(f"{url}events-out") as response:
            told = [event["type"] for event in (await response.json())["events"]]
    assert {"message.received", "message.sent"} <= set(told)

    plan = await talk(url, text("¿Qué plan tengo?"))
    assert "Básico" in plan["reply"][0]
    await talk(url, text("Mándame mi última factura"))
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}stripe") as response:
            by_name = {customer["name"]: customer for customer in (await response.json())["customers"]}
        async with http.get(f"{url}files") as response:
            (invoice,) = await response.json()
        async with http.get(invoice["link"]) as response:
            assert (response.status, response.content_type) == (200, "application/pdf")
        async with http.get(f"{url}state") as response:
            staff = [person["name"] for person in (await response.json())["people"] if person["staff"]]
    assert invoice["name"] == f"{by_name['Ana Morales']['invoices'][0]['number']}.pdf"
    assert staff == ["Leo Fuentes"]

    voice = await talk(url, {"sample": "es_ticket.ogg"})
    assert "Mi internet no funciona desde ayer en la noche" in voice["reply"][0]
    photo = await talk(url, {"sample": "label_tv_photo.jpg"})
    assert "Precio: *$1,249.00*" in photo["reply"][0]
    assert "Código: EAN-13 7501055300075" in photo["reply"][0]
    document = await talk(url, {"sample": "price_list.pdf"})
    assert "Detergente líquido 3 L $35.50" in document["reply"][0]
    place = {"message": {"type": "location", "location": {"latitude": 19.43, "longitude": -99.13, "name": "Zócalo"}}}
    assert "Zócalo" in (await talk(url, place))["reply"][0]

    assert await run.stop() == 0


async def test_the_first_words_of_a_first_start_are_answered_from_documents_and_products(sandbox: Run) -> None:
    run, url = await sandbox("--fresh", documents=True)
    assert re.search(r"(\d+) of \1\n", run.printed)
    page = (ROOT / "sandbox/phone/page/language.js").read_text("utf-8")
    for tool, kind, spanish, english in (
        ("search_knowledge", "document", "30 días", "Mac"),
        ("find_products", "product", "Leche entera", "Leche entera"),
    ):
        said = re.findall(rf'starter_{kind}: "([^"]+)"', page)
        for words, expected, source in zip(said, (spanish, english), ("Fuente", "Source"), strict=True):
            turn = await talk(url, text(words))
            assert [tool["name"] for tool in turn["tools"]] == [tool]
            assert expected in turn["reply"][0]
            assert (source in turn["reply"][0]) == (kind == "document")
    assert await run.stop() == 0
    again, _ = await sandbox(documents=True)
    assert "documents" not in again.printed


async def test_the_second_run_remembers_the_first_and_shows_it(sandbox: Run) -> None:
    run, url = await sandbox()
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{url}people", json={"name": "Rosa"}) as response:
            rosa = await response.json()
        await talk(url, {"sample": "smile.webp"})
        first = await talk(url, text("Quiero cambiar al plan Pro"))
        (button, *_), card = await buttons(http, url)
        tapped = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": button}}
        await talk(url, {"message": tapped, "context": card})
        await talk(url, text("portal"))
        await talk(url, text("Quiero hablar con una persona"))
        before = await until(http, f"{url}state", all_ended)
    # A machine may lose its power, too.
    run.process.kill()
    await run.process.wait()
    _, url = await sandbox()
    async with aiohttp.ClientSession() as http:
        after = await until(http, f"{url}state", bool)
        for name in ("people", "history", "turns", "asked", "handoffs"):
            assert after[name] == before[name]
        assert rosa in after["people"]
        sticker = after["history"][ANA][0]["message"]["sticker"]
        async with http.get(f"{url}media/{sticker['id']}") as response:
            assert (response.status, response.content_type) == (200, "image/webp")
        (handoff,) = after["handoffs"]
        async with http.post(f"{url}give-back", json={"conversation": handoff["conversation"]}) as response:
            assert response.status == 200
    second = await talk(url, text("¿Qué plan tengo?"))
    assert second["conversation"] == first["conversation"]
    assert "Cambio de plan: de *Básico* a *Pro*" in first["reply"][0]
    assert "Tienes el plan *Pro*" in second["reply"][0]
    # A link of the first run opens the page of the second.
    page = re.findall(r"http://127\.0\.0\.1:\d+", json.dumps(after["history"][ANA]))
    reach = {origin: path for origin, path in after["facts"]["reach"].items() if path.endswith("stripe-pages")}
    assert len(reach) == 2
    assert set(reach) & set(page)


async def test_its_redis_ends_with_it_even_when_it_is_killed(sandbox: Run) -> None:
    run, _ = await sandbox()
    children = psutil.Process(run.process.pid).children(recursive=True)
    servers = [child for child in children if re.search("redis|valkey", child.name())]
    assert len(servers) == 1
    run.process.kill()
    await run.process.wait()
    gone, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=10)
    assert (len(gone) > 0, alive) == (True, [])


async def test_a_port_and_a_folder_that_are_taken_are_said_in_one_line_each(sandbox: Run, tmp_path: Path) -> None:
    _, url = await sandbox()
    port = url.split(":")[2].split("/")[0]
    assert "--port" in await refused("--port", port, "--data", str(tmp_path / "other"))
    # The port is looked at before anything starts.
    assert not (tmp_path / "other").exists()
    said = await refused("--port", "0", "--data", str(tmp_path / "data"), "--fresh")
    assert "another sandbox uses" in said
    assert "--data" in said
    assert (await talk(url, text("gracias")))["outcome"] == "answered"


async def test_a_redis_that_cannot_read_its_file_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "data" / "redis" / "appendonlydir"
    files.mkdir(parents=True)
    # As another server wrote it, such as a newer one.
    (files / "appendonly.aof.1.base.rdb").write_bytes(b"OTHER080")
    (files / "appendonly.aof.manifest").write_text("file appendonly.aof.1.base.rdb seq 1 type b\n")
    # However long it would wait for a server that lives.
    monkeypatch.setattr(redis_server, "_START_SECONDS", float("inf"))
    with pytest.raises(redis_server.NoRedis):
        async with redis_server.redis_server(tmp_path / "data" / "redis"):
            pass
    said = json.loads(await refused("--port", "0", "--data", str(tmp_path / "data")))["why"]
    assert "the Redis server did not start" in said
    assert re.search(r"redis\.log: (?!\d+:).*append only file", said)


async def test_a_second_run_notifies_nobody_again(sandbox: Run, tmp_path: Path) -> None:
    run, url = await sandbox()
    async with aiohttp.ClientSession() as http:
        # A receipt for each of the two seeded customers.
        first = await until(http, f"{url}mails", lambda mails: len(mails) == 2)
    turn = await talk(url, text("Mándame mi última factura"))
    await run.stop()
    assert not (tmp_path / "data" / "redis.url").exists()

    run, url = await sandbox()
    await talk(url, text("gracias"))
    async with aiohttp.ClientSession() as http:
        stripe = await until(http, f"{url}stripe", bool)
        assert await until(http, f"{url}mails", bool) == first
        state = await until(http, f"{url}state", bool)
    assert {event["taken"] for event in stripe["events"]} == {True}
    said = [event["message"] for event in state["history"][ANA] if event["direction"] == "in"]
    assert [message["text"]["body"] for message in said] == ["Mándame mi última factura", "gracias"]
    place = state["facts"]["redis"]
    assert place["url"] == (tmp_path / "data" / "redis.url").read_text().strip()
    assert f'"url": "{place["url"]}"' in run.text
    await run.stop()

    _, url = await sandbox("--fresh")
    async with aiohttp.ClientSession() as http:
        # The seeded customers are notified as on the first day.
        assert await until(http, f"{url}mails", bool)
        assert (await until(http, f"{url}state", bool))["history"][ANA] == []
    assert (await talk(url, text("gracias")))["conversation"] != turn["conversation"]


async def buttons(http: aiohttp.ClientSession, url: str) -> tuple[list[dict[str, str]], str]:
    """The buttons of Ana's newest message that has some, and its wamid."""
    async with http.get(f"{url}state") as response:
        history = (await response.json())["history"][ANA]
    card = [event for event in history if "buttons" in event["message"].get("interactive", {}).get("action", {})][-1]
    return [button["reply"] for button in card["message"]["interactive"]["action"]["buttons"]], card["wamid"]


def all_ended(state: dict[str, Any]) -> bool:
    """Whether everything has come to its end, so that nothing changes any more."""
    read = all(event.get("status") == "read" for event in state["history"][ANA])
    return bool(state["handoffs"]) and read and all(turn["state"] == "closed" for turn in state["turns"])


async def until(http: aiohttp.ClientSession, url: str, enough: Callable[[Any], bool]) -> Any:
    async with at_most():
        while True:
            async with http.get(url) as response:
                found = await response.json()
            if enough(found):
                return found
            await asyncio.sleep(0.05)


async def refused(*options: str) -> str:
    """The last line of a sandbox that can't start."""
    ended = await recado("sandbox", *options)
    assert ended.code == 1
    assert "Traceback" not in ended.err
    return ended.err.splitlines()[-1]


async def test_one_turn_is_traced_from_the_webhook_to_the_last_key(sandbox: Run, tmp_path: Path) -> None:
    _, url = await sandbox()
    port = url.split(":")[2].split("/")[0]
    command = ["-m", "bench.trace_turn", "¿A qué hora abren?", "--port", port, "--data", str(tmp_path / "data")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT, env=dict(os.environ)
    )
    shown = (await process.communicate())[0].decode()
    assert process.returncode == 0
    for line in (
        r"turn t_\w+ of c_\w+: answered, 0\.\d+ USD",
        r"  outbox +[\d.]+ ms",
        r"model anthropic/claude-3-haiku: ok, .*tokens",
        r"tool business_hours\({}\): ok",
        r" +[\d.]+ ms  \w+ recado:\{c\}:lease",
    ):
        assert re.search(f"^{line}", shown, re.MULTILINE), line
