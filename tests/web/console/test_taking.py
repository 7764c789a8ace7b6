"""Taking a conversation: of a newcomer before any turn, and while the database is locked."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from bot.database import engine
from bot.web.console.message_routes import MOST_UPLOADS_OF_ONE
from sandbox.meta.simulator import Person
from tests.console import Browser, add_operator, program
from tests.outgoing import acquainted, conversation_of, text
from tests.processes import eventually
from tests.world import Start, World


async def test_a_newcomer_is_taken_and_answered_before_any_turn_has_begun(start: Start, ana: Person) -> None:
    world = await start(workers=0)
    client = program(world)
    await world.meta.writes(ana, text("hola, ¿me ayudan?"))
    conversation = await eventually(lambda: conversation_of(world, ana))
    taken = await client.post(f"conversations/{conversation}/take", {})
    assert (taken.status, taken.body["contact"]["name"]) == (200, "Ana")
    assert (taken.body["contact"]["phone"], taken.body["contact"]["bsuid"]) == (ana.phone, ana.bsuid)
    key = {"Idempotency-Key": "k1"}
    assert (await client.post(f"conversations/{conversation}/messages", {"text": "Claro"}, headers=key)).status == 201


async def test_a_locked_database_keeps_nobody_from_taking(
    start: Start, ana: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than a test may take: whoever waits for the lock fails it.
    monkeypatch.setattr(engine, "_BUSY_MILLISECONDS", 600_000)
    world = await start()
    conversation, client = await acquainted(world, ana), program(world)
    assert (await client.get(f"conversations/{conversation}")).status == 200
    lock = sqlite3.connect(tmp_path / "data" / "recado.db", isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        assert (await client.post(f"conversations/{conversation}/take", {})).body["state"] == "person"
        assert (await client.post(f"conversations/{conversation}/give-back", {})).status == 200
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    # What was done meanwhile is in the log once the database takes it.
    actions = [entry["action"] for entry in (await client.get("audit")).body["entries"]]
    assert actions[:2] == ["give_back", "take"]


async def test_an_operator_leaves_places_to_upload_for_colleagues(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    eva, bob = await add_operator(world, "Eva"), await add_operator(world, "Bob")
    assert (await eva.post(f"conversations/{conversation}/take", {})).status == 200
    go_on = asyncio.Event()

    async def body() -> object:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhola'
        await go_on.wait()
        yield b"\r\n--x--\r\n"

    def headers(number: int) -> dict[str, str]:
        return {"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": f"u{number}"}

    path = f"conversations/{conversation}/messages"

    async def uploaded(number: int) -> int:
        # The probe below may have had the place a moment before.
        while (answer := await eva.post(path, data=body(), headers=headers(number))).status == 503:
            pass
        return answer.status

    slow = [asyncio.ensure_future(uploaded(number)) for number in range(MOST_UPLOADS_OF_ONE)]

    async def is_full() -> bool:
        form = aiohttp.FormData()
        form.add_field("file", b"hola", filename="b.txt")
        return (await eva.post(path, data=form, headers={"Idempotency-Key": "u9"})).status == 503

    await eventually(is_full)
    form = aiohttp.FormData()
    form.add_field("file", b"hola", filename="c.txt")
    # Bob gets a place, and is told that the conversation is not his.
    assert (await bob.post(path, data=form, headers={"Idempotency-Key": "b1"})).code == "not_yours"
    go_on.set()
    assert [await upload for upload in slow] == [201] * MOST_UPLOADS_OF_ONE


async def test_who_takes_while_another_closes_and_gives_back_keeps_the_conversation(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    eva, bob = await add_operator(world, "Eva"), await add_operator(world, "Bob")
    path = f"conversations/{conversation}"
    for _ in range(15):
        assert (await eva.post(f"{path}/take", {})).status == 200
        _, second, _ = await asyncio.gather(
            eva.post(f"{path}/close", {}), bob.post(f"{path}/take", {}), eva.post(f"{path}/give-back", {})
        )
        now = (await bob.get(path)).body
        if second.status == 200:
            assert (now["state"], now["assigned_to"]) == ("person", "bob@example.com")
            assert (await bob.post(f"{path}/give-back", {})).status == 200


async def test_a_key_that_is_known_stores_no_second_file(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    eva, bob = await add_operator(world, "Eva"), await add_operator(world, "Bob")
    path = f"conversations/{conversation}"

    async def sent(browser: Browser, words: bytes) -> int:
        form = aiohttp.FormData()
        form.add_field("file", words, filename="a.txt", content_type="text/plain")
        return (await browser.ask("POST", f"{path}/messages", data=form, headers={"Idempotency-Key": "f"})).status

    assert (await eva.post(f"{path}/take", {})).status == 200
    assert await sent(eva, b"hola") == 201
    assert (await eva.post(f"{path}/give-back", {})).status == 200
    assert [await sent(bob, words) for words in (b"otra", b"otra cosa")] == [409, 409]
    assert await sent(eva, b"hola") == 200
    assert len((await eva.get(f"{path}/contact")).body["contact"]["files"]) == 1
