"""Health, readiness, metrics of all processes, and logs without personal data."""

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sandbox.meta.simulator import Person
from sandbox.redis_server import redis_server
from sandbox.simulators.openrouter import calls, fails, says
from tests.processes import eventually, running
from tests.world import Start, World

PROMISED = {
    "recado_messages_received_total": {"type"},
    "recado_messages_ended_total": {"state"},
    "recado_messages_unaccounted": set(),
    "recado_turns_total": {"outcome"},
    "recado_turn_seconds_count": set(),
    "recado_llm_requests_total": {"model", "outcome"},
    "recado_llm_tokens_total": {"model", "kind"},
    "recado_cost_usd_total": {"kind"},
    "recado_replies_total": {"outcome"},
    "recado_queue_jobs": {"queue", "state"},
    "recado_webhook_rejected_total": {"reason"},
}
ANSWERED: tuple[tuple[str, dict[str, str]], ...] = (
    ("recado_messages_received_total", {}),
    ("recado_messages_ended_total", {"state": "answered"}),
)


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


async def counted(http: aiohttp.ClientSession, url: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """The page of metrics: values with their labels, by name."""
    async with http.get(f"{url}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        page = await response.text()
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def total(page: dict[str, list[tuple[dict[str, str], float]]], name: str, **labels: str) -> float:
    return sum(value for given, value in page.get(name, []) if labels.items() <= given.items())


async def test_a_process_lives_and_is_ready(world: World) -> None:
    async with world.http.get(f"{world.url}/healthz") as response:
        assert (response.status, await response.text()) == (200, "ok")
    async with world.http.get(f"{world.url}/readyz") as response:
        assert (response.status, await response.json()) == (200, {"ready": True, "reasons": []})


async def test_without_redis_it_lives_and_is_not_ready_until_redis_is_back(
    start: Start, ana: Person, tmp_path: Path
) -> None:
    async with AsyncExitStack() as first:
        url = await first.enter_async_context(redis_server(tmp_path / "redis"))
        world = await start(workers=0, REDIS_URL=url)
        await first.aclose()
        async with world.http.get(f"{world.url}/healthz") as response:
            assert response.status == 200
        async with world.http.get(f"{world.url}/readyz") as response:
            said = await response.json()
            assert (response.status, said["ready"]) == (503, False)
            assert "REDIS_URL" in said["reasons"][0]
        assert "recado_messages_unaccounted" not in await counted(world.http, world.url)
        assert not await world.meta.deliver({"messages": [{"id": "w", "from": ana.phone} | text("hola")]})
        port = int(url.rpartition(":")[2].partition("/")[0])
        async with redis_server(tmp_path / "redis", port=port):

            async def ready() -> bool:
                async with world.http.get(f"{world.url}/readyz") as response:
                    return bool(response.status == 200)

            await eventually(ready)


async def test_the_page_of_metrics_has_all_that_is_promised(world: World, ana: Person) -> None:
    before = await counted(world.http, world.url)
    world.models.will(fails(402), says("hola"))
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    async with world.http.post(f"{world.url}/webhooks/whatsapp", data=b"{}") as response:
        assert response.status == 401

    async def complete() -> bool:
        return set(PROMISED) <= set(await counted(world.http, world.url))

    await eventually(complete)
    page = await counted(world.http, world.url)
    for name, promised in PROMISED.items():
        assert set(page[name][0][0]) == promised, name
    assert total(page, "recado_messages_unaccounted") == 0
    assert total(page, "recado_cost_usd_total", kind="llm") > total(before, "recado_cost_usd_total", kind="llm")
    for name, labels in (
        ("recado_messages_received_total", {"type": "text"}),
        ("recado_messages_ended_total", {"state": "answered"}),
        ("recado_llm_requests_total", {"outcome": "no_credit"}),
        ("recado_llm_requests_total", {"outcome": "ok"}),
        ("recado_webhook_rejected_total", {"reason": "signature"}),
    ):
        assert total(page, name, **labels) == total(before, name, **labels) + 1, name


async def test_a_histogram_shows_all_its_buckets_from_small_to_large(world: World, ana: Person) -> None:
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)

    async def turned() -> bool:
        return total(await counted(world.http, world.url), "recado_turn_seconds_count") > 0

    await eventually(turned)
    buckets = (await counted(world.http, world.url))["recado_turn_seconds_bucket"]
    edges = [float(labels["le"]) for labels, _ in buckets]
    assert edges == [0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120, float("inf")]
    values = [value for _, value in buckets]
    assert values == sorted(values)


async def test_what_waits_is_counted_until_it_is_answered(start: Start, ana: Person) -> None:
    world = await start(workers=0)
    for _ in range(3):
        await world.meta.writes(ana, text("hola"))
    page = await counted(world.http, world.url)
    assert total(page, "recado_messages_unaccounted") == 3

    async def nudged() -> bool:
        page = await counted(world.http, world.url)
        return total(page, "recado_queue_jobs", queue="llm", state="waiting") == 1

    await eventually(nudged)


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_processes_of_their_own_answer_count_together_and_give_nobody_away(
    start: Start, ana: Person, media: Callable[[str], bytes], level: str
) -> None:
    world = await start(workers=0, TURN_QUIET_SECONDS="0")
    person = Person(phone="5215598765432", bsuid="MX.7654321098765432", name="Ximena Zaldívar")
    world.models.will(calls(("talk_to_a_person", {"reason": "quiere hablar del secreto azul"})), says("Clave verde"))
    before = await counted(world.http, world.url)
    async with (
        running("serve", "--host", "127.0.0.1", "--port", "0", LOG_LEVEL=level) as serve,
        running("worker", LOG_LEVEL=level) as worker,
    ):
        url = f"http://127.0.0.1:{(await serve.line('server_ready'))['port']}"
        world.meta._sender.url = f"{url}/webhooks/whatsapp"
        await world.meta.sends_media(person, "image", media("photos/not_a_photo.jpg"), "image/jpeg", "etiqueta roja")
        await world.meta.replies(person)
        await world.meta.writes(person, text("secreto azul"))
        await world.meta.replies(person, 2)

        async def both() -> bool:
            page = await counted(world.http, url)
            return all(total(page, name, **labels) == total(before, name, **labels) + 2 for name, labels in ANSWERED)

        await eventually(both)
    assert {"server_ready", "stopped"} <= {line["event"] for line in serve.lines}
    assert {"worker_ready", "turn_closed", "reply_sent", "stopped"} <= {line["event"] for line in worker.lines}
    assert all(line["level"] for line in (*serve.lines, *worker.lines))
    if level == "debug":
        return
    for secret in (*_secrets(person), "azul", "verde", "roja"):
        assert secret not in serve.text + worker.text


def _secrets(person: Person) -> list[str]:
    names = ["WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "OPENROUTER_API_KEY", "OPENAI_API_KEY", "CONSOLE_TOKEN"]
    return [str(person.phone), person.bsuid, "Ximena", "Zald", *(os.environ[name] for name in names)]
