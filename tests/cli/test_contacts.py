"""`recado contacts`: stored data of one person is exported and erased everywhere; later messages start anew."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from bot import privacy
from bot.conversations.contacts import Contacts
from bot.conversations.dead_letters import DeadLetters
from bot.conversations.identity import contact_key
from bot.conversations.inbox import Inbox
from bot.conversations.lease import ConversationLeases, Lease, LeaseLost
from bot.database.engine import Database
from bot.database.opening import open_current
from bot.delivery.statuses import DeliveryStatuses
from bot.history import tables
from bot.history.personal import PersonalHistory
from bot.infra import queue_admin, queues
from bot.infra.live_events import LiveEvents
from bot.infra.redis import answer
from bot.integrations.email.suppression import Suppression
from bot.integrations.stripe import customers
from bot.integrations.stripe.objects import Customer
from bot.integrations.stripe.subscription_state import SubscriptionStates, state_of
from bot.messages.inbound import Inbound, Status, Text
from bot.privacy import ConversationBusy, Erased, Person, PersonalData
from bot.storage.files import Files, files_of
from bot.storage.s3 import BucketLocation, S3Storage
from bot.storage.storage import StorageFailed
from sandbox.meta import simulator
from sandbox.simulators.openrouter import says
from tests.billing import mails, stripe_of, subscriber
from tests.notifications import post, settled
from tests.outgoing import acquainted, conversation_of, text
from tests.processes import eventually, recado
from tests.rows import each
from tests.storage.conftest import BRIEF
from tests.terminals import on_terminal
from tests.traces import traces
from tests.world import Start, World

Media = Callable[[str], bytes]
_open: list[Database] = []
LEO = simulator.Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Leo Fuentes")


def personal_data_of(world: World, *, patience: float = 5, files: Files | None = None) -> PersonalData:
    leases = ConversationLeases(world.redis, lease_seconds=2)
    person_files = files or files_of(world.redis, world.settings)
    deliveries = DeliveryStatuses(world.redis, LiveEvents(world.redis))

    async def history() -> PersonalHistory:
        return PersonalHistory(world.redis, await _database(world))

    return PersonalData(world.redis, leases, person_files, deliveries, history, longest_wait=patience)


async def _database(world: World) -> Database:
    """The database of the test, opened once."""
    if not _open:
        _open.append(await open_current(world.settings.database.url.get_secret_value()))
    return _open[0]


@pytest.fixture(autouse=True)
async def _closed() -> AsyncIterator[None]:
    yield
    while _open:
        await _open.pop().close()


async def person_of(world: World, identity: str) -> Person:
    found = await privacy.find(world.redis, identity)
    assert found is not None
    return found


async def erase(world: World, person: simulator.Person) -> Erased:
    await settled(world)
    return await personal_data_of(world).erase(await person_of(world, person.bsuid))


async def lived(world: World, person: simulator.Person, media: Media) -> str:
    """A life with Recado: words, a file, a document, a template job that failed; gives the conversation."""
    world.models.will(says(f"Hola {person.name}"))
    conversation = await acquainted(world, person)
    await world.meta.sends_media(
        person, "document", media("documents/price_list.pdf"), "application/pdf", None, "L.pdf"
    )
    await settled(world)
    await files_of(world.redis, world.settings).keep(conversation, "Factura.pdf", "application/pdf", b"%PDF-1")
    data = {"to": person.phone, "template": "nowhere", "parameters": {"name": person.name}}
    await queues.add(world.redis, "notification", "template", data, f"job-of-{person.name}")

    async def failed() -> bool:
        return any(
            job.data == data and job.job.failedReason
            for job in await queue_admin.jobs_about(world.redis, lambda _: True)
        )

    await eventually(failed)
    return conversation


async def test_the_export_shows_everything_and_nobody_else(world: World, ana: simulator.Person, media: Media) -> None:
    conversation = await lived(world, ana, media)
    await lived(world, LEO, media)
    found = await personal_data_of(world).export(await person_of(world, "5215512345678"))
    assert found["identities"] == ["5215512345678", "MX.8801234567890123"]
    kept = found["conversations"][conversation]
    assert kept["contact"]["name"] == "Ana"
    assert {"ledger", "memory", "files", "identities"} <= set(kept)
    assert "hola" in [line["text"] for line in kept["memory"]]
    assert [file["key"].split("/")[0] for file in found["files"]] == ["media", "made"]
    assert [(job["queue"], job["data"]["to"]) for job in found["jobs"]] == [("notification", ana.phone)]
    assert "Leo" not in json.dumps(found)
    assert str(LEO.phone) not in json.dumps(found)


async def test_an_export_of_any_length_comes_in_small_pieces_that_are_the_whole(
    world: World, ana: simulator.Person
) -> None:
    conversation = await acquainted(world, ana)
    await settled(world)
    said = [
        {
            "conversation": conversation,
            "name": f"wamid.{number}",
            "at": datetime.now(UTC),
            "body": f"{number} ¿\x9b?" * 40,
        }
        for number in range(1000)
    ]
    async with (await _database(world)).writing() as connection:
        await connection.execute(insert(tables.MESSAGES), said)
    person, personal = await person_of(world, ana.bsuid), personal_data_of(world)
    pieces = [piece async for piece in personal.export_text(person)]
    whole = await personal.export(person)
    assert json.loads("".join(pieces)) == json.loads(json.dumps(whole))
    assert max(map(len, pieces[1:])) < len("".join(pieces)) / 50
    ended = await recado("contacts", "export", ana.bsuid)
    assert json.loads(ended.out)["history"]["messages"] == json.loads("".join(pieces))["history"]["messages"]
    assert (ended.code, "\x9b" in ended.out, "¿" in ended.out) == (0, False, True)
    rows = sum(map(len, whole["history"].values()))
    assert rows > 1000
    refused = await recado("contacts", "erase", ana.bsuid)
    assert f"{rows} rows" in refused.err


async def test_an_erased_person_leaves_no_trace_and_a_neighbour_loses_nothing(
    world: World, ana: simulator.Person, media: Media
) -> None:
    conversation = await lived(world, ana, media)
    leos = await lived(world, LEO, media)
    before = await personal_data_of(world).export(await person_of(world, LEO.bsuid))
    erased = await erase(world, ana)
    assert erased.keys > 5
    assert (erased.files, erased.jobs, erased.opted_out) == (2, 1, False)
    assert await traces(world, conversation, "5215512345678", "8801234567890123") == [
        f"recado:{{{conversation}}}:erased"
    ]
    assert await privacy.find(world.redis, ana.bsuid) is None
    after = await personal_data_of(world).export(await person_of(world, LEO.bsuid))
    assert after["files"] == before["files"]
    assert after["conversations"][leos]["memory"] == before["conversations"][leos]["memory"]


async def test_what_billing_and_mail_keep_goes_too(world: World, ana: simulator.Person) -> None:
    conversation = await acquainted(world, ana)
    await Contacts(world.redis).set_email(conversation, "ana@example.com")
    await customers.store_link(world.redis, conversation, Customer(id="cus_OfAna"))
    await SubscriptionStates(world.redis).save("cus_OfAna", state_of(None))
    await Suppression(world.redis).add("ana@example.com", "smtp", "550 no such user")
    mail = {"to": "Ana@Example.com", "template": "welcome", "data": {"name": "A"}}
    await queues.add(world.redis, "email", "send", mail, "welcome-1")
    assert (await erase(world, ana)).jobs == 1
    assert await traces(world, "cus_OfAna", "ana@example.com", "Ana@Example.com") == []
    assert await Suppression(world.redis).why("ana@example.com") is None


async def test_whoever_writes_afterwards_starts_anew(world: World, ana: simulator.Person) -> None:
    old = await acquainted(world, ana)
    await erase(world, ana)
    world.meta.accepted.clear()
    world.models.will(says("Mucho gusto"))
    await world.meta.writes(ana, text("hola de nuevo"))
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Mucho gusto"
    assert await conversation_of(world, ana) != old
    assert [message["role"] for message in world.models.requests[-1]["messages"]] == ["system", "user"]


async def test_a_message_that_meta_delivers_once_more_is_not_answered_and_brings_nobody_back(world: World) -> None:
    now = datetime.now(UTC)
    await post(world, "text", now=now)
    await settled(world)
    person = await _only(world)
    await personal_data_of(world).erase(person)
    asked = len(world.models.requests)
    await post(world, "text", now=now)
    assert await privacy.find(world.redis, min(person.identities)) is None
    assert len(world.models.requests) == asked
    assert await traces(world, *person.identities) == []


async def _only(world: World) -> Person:
    names = [name async for name in world.redis.scan_iter("recado:identity:*")]
    return await person_of(world, names[0].removeprefix("recado:identity:"))


async def test_a_status_that_comes_late_leaves_nothing(world: World, ana: simulator.Person) -> None:
    conversation = await acquainted(world, ana)
    await erase(world, ana)
    deliveries = DeliveryStatuses(world.redis, LiveEvents(world.redis))
    status = Status(wamid="wamid.x", status="failed", callback=f"{conversation}.t_1.0", error=131026)
    assert await deliveries.record([status]) == [False]
    names = await traces(world, conversation)
    assert [name for name in names if "delivery" in name or "failures" in name] == []


async def test_a_wish_for_no_marketing_outlives_the_erasure(world: World, ana: simulator.Person) -> None:
    conversation = await acquainted(world, ana)
    contacts = Contacts(world.redis)
    await contacts.choose_marketing(conversation, wanted=False, at=datetime.now(UTC))
    assert (await erase(world, ana)).opted_out
    assert await traces(world, "5215512345678", "8801234567890123") == []
    reached = await contacts.find_or_create(phone="525512345678", bsuid=None)
    assert (await contacts.get(reached)).marketing_opt_out
    await contacts.choose_marketing(reached, wanted=True, at=datetime.now(UTC))
    await personal_data_of(world).erase(await person_of(world, "525512345678"))
    again = await contacts.find_or_create(phone="5215512345678", bsuid=None)
    assert not (await contacts.get(again)).marketing_opt_out


async def test_a_turn_in_hand_is_waited_for_and_can_write_nothing_later(world: World, ana: simulator.Person) -> None:
    conversation = await acquainted(world, ana)
    leases = ConversationLeases(world.redis, lease_seconds=30)
    late = Lease(conversation, "turn")
    assert await leases.acquire(late)
    person = await person_of(world, ana.bsuid)
    with pytest.raises(ConversationBusy):
        await personal_data_of(world, patience=0.1).erase(person)
    erasing = asyncio.create_task(personal_data_of(world).erase(person))
    await leases.commit(late, lambda pipeline: pipeline.set(f"recado:{{{conversation}}}:said:1", "words"))
    await leases.abandon(late)
    await erasing
    assert await leases.acquire(late)
    with pytest.raises(LeaseLost):
        await leases.commit(late, lambda pipeline: pipeline.set(f"recado:{{{conversation}}}:said:1", "words"))


async def test_a_storage_that_fails_leaves_the_person_to_be_found_and_answered(
    world: World, ana: simulator.Person
) -> None:
    await acquainted(world, ana)
    away = Files(
        world.redis, S3Storage(BucketLocation("files", "http://127.0.0.1:9", "auto", "id", "x"), BRIEF), link_minutes=1
    )
    with pytest.raises(StorageFailed):
        await personal_data_of(world, files=away).erase(await person_of(world, ana.bsuid))
    await world.meta.writes(ana, text("¿sigues?"))
    await world.meta.replies(ana)
    assert (await erase(world, ana)).keys > 3
    assert await traces(world, "5215512345678") == []


@each("to", ["5215512345678", "+52 1 (55) 1234-5678", "52 55 1234 5678", "+521.55.1234.5678"])
async def test_jobs_of_other_systems_go_too_however_they_write_the_phone(
    start: Start, ana: simulator.Person, to: str
) -> None:
    world = await start(workers=0)
    conversation = await Contacts(world.redis).find_or_create(phone=ana.phone, bsuid=ana.bsuid)
    await DeadLetters(world.redis).add_to_index(conversation)
    for number, address in enumerate((to, "+52 1 55 1234 56789", "5215587654321")):
        data = {"to": address, "template": "nowhere", "parameters": {"name": "x"}}
        await queues.add(world.redis, "notification", "template", data, f"job-{number}")
    erased = await personal_data_of(world).erase(await person_of(world, ana.bsuid))
    assert erased.jobs == 1
    assert await traces(world, conversation, to) == [f"recado:{{{conversation}}}:erased"]


async def test_conversations_that_became_one_are_erased_as_one(world: World) -> None:
    by_phone = simulator.Person(phone="5215512345678", bsuid="", name="Ana")
    contacts = Contacts(world.redis)
    first = await contacts.find_or_create(phone=by_phone.phone, bsuid=None)
    second = await contacts.find_or_create(phone=None, bsuid="MX.8801234567890123")
    files = files_of(world.redis, world.settings)
    for name in (first, second):
        await files.keep(name, f"{name}.pdf", "application/pdf", b"%PDF-1")
    ana = simulator.Person(phone="5215512345678", bsuid="MX.8801234567890123", name="Ana")
    await acquainted(world, ana)
    person = await person_of(world, "5512345678".rjust(12, "0").replace("00", "52", 1))
    assert set(person.conversations) == {first, second}
    assert len((await personal_data_of(world).export(person))["files"]) == 2
    (listed,) = json.loads((await recado("contacts", "list", "--format", "json")).out)
    assert listed["conversation"] == person.conversations[0]
    for name in (first, second):
        assert (await recado("contacts", "export", name)).code == 0
    await erase(world, ana)
    left = {f"recado:{{{name}}}:erased" for name in (first, second)}
    assert set(await traces(world, first, second, "5215512345678", "8801234567890123")) == left


async def test_the_commands_export_erase_and_then_know_nobody(
    world: World, ana: simulator.Person, media: Media, tmp_path: Path
) -> None:
    await lived(world, ana, media)
    folder = tmp_path / "export"
    ended = await recado("contacts", "export", "+52 1 55 1234 5678", "--files", str(folder))
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert paths == sorted(file["key"] for file in found["files"])
    ended = await recado("contacts", "erase", "--yes", ana.bsuid)
    assert ended.code == 0
    assert ended.out.startswith("erased: ")
    assert "2 files, 1 jobs" in ended.out
    for command, whose in (("erase", ana.bsuid), ("export", "5215512345678"), ("export", "nobody"), ("erase", "c_1")):
        ended = await recado("contacts", command, whose)
        assert (ended.code, ended.out) == (1, "")
        assert "nothing is known" in ended.err


@pytest.mark.parametrize("sign", ["\x1b[2K\x1b[1A", "\x1b[8m", "\x9b2J", "\x7f", "\r", "\u202e"])
async def test_a_name_commands_no_terminal(world: World, sign: str) -> None:
    person = simulator.Person(phone="5215512345678", bsuid="MX.8801234567890123", name=f"Ana{sign}Leo")
    conversation = await acquainted(world, person)
    refused = await recado("contacts", "erase", conversation)
    assert refused.code == 2
    listed, exported = await recado("contacts", "list"), await recado("contacts", "export", conversation)
    for words in (refused.err, listed.out, exported.out):
        assert "Ana" in words
        assert sign[0] not in words.replace("\r\n", "\n")
    assert json.loads(exported.out)["conversations"][conversation]["contact"]["name"] == person.name


async def test_without_a_terminal_nobody_is_erased_unless_it_was_meant(world: World, ana: simulator.Person) -> None:
    conversation = await acquainted(world, ana)
    ended = await recado("contacts", "erase", conversation)
    assert (ended.code, ended.out) == (2, "")
    assert "would be deleted: Ana, 5215512345678, MX.8801234567890123" in ended.err
    assert "--yes" in ended.err
    assert await privacy.find(world.redis, conversation) is not None
    assert (await recado("contacts", "erase", conversation, "--yes")).code == 0
    assert await privacy.find(world.redis, conversation) is None


@pytest.mark.parametrize(("typed", "code", "left"), [("n", 1, True), ("", 1, True), ("y", 0, False)])
async def test_on_a_terminal_it_is_asked(
    world: World, ana: simulator.Person, typed: str, code: int, *, left: bool
) -> None:
    conversation = await acquainted(world, ana)
    shown = await on_terminal("contacts", "erase", ana.bsuid, says=f"{typed}\n")
    assert shown.code == code
    assert "Delete it? [y/N]" in shown.text
    assert (await privacy.find(world.redis, conversation) is not None) == left


async def test_people_are_listed_and_found(world: World, ana: simulator.Person) -> None:
    conversation = await acquainted(world, ana)
    leos = await acquainted(world, LEO)
    await answer(world.redis.hset(contact_key(leos), "last_inbound_at", "1"))
    listed = (await recado("contacts", "list")).out.splitlines()
    assert [line.split()[0] for line in listed] == ["conversation", conversation, leos]
    assert all(len(line) <= 80 for line in listed)
    (first,) = json.loads((await recado("contacts", "list", "--limit", "1", "--format", "json")).out)
    assert (first["conversation"], first["name"], first["phone"]) == (conversation, "Ana", ana.phone)
    for part in ("fuentes", "LÉO", "55 8765 4321", "+52 1 (55) 8765-4321", "880987", leos[:15]):
        ended = await recado("contacts", "find", part, "--format", "json")
        assert [entry["conversation"] for entry in json.loads(ended.out)] == [leos], part
    nobody = await recado("contacts", "find", "zzz")
    assert (nobody.code, nobody.out, "nobody" in nobody.err) == (1, "", True)


async def test_an_export_for_people_is_a_folder_with_a_page_the_files_and_the_data(
    world: World, ana: simulator.Person, media: Media, tmp_path: Path
) -> None:
    conversation = await lived(world, ana, media)
    world.models.will(says("Claro, <b>Ana</b>."))
    await world.meta.writes(ana, text("<script>alert(1)</script>"))
    await settled(world)
    folder = tmp_path / "for-ana"
    ended = await recado("contacts", "export", conversation, "--folder", str(folder))
    assert (ended.code, ended.out.strip(), ended.err) == (0, str(folder / "index.html"), "")
    page = (folder / "index.html").read_text()
    assert "<h1>Lo que se guarda de ti</h1>" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert set(re.findall(r'href="(.*?)"', page)) == {"files/001-L.pdf", "files/002-Factura.pdf"}
    assert all((folder / link).is_file() for link in re.findall(r'href="(.*?)"', page))
    assert conversation in json.loads((folder / "data.json").read_text())["conversations"]
    assert folder.stat().st_mode & 0o077 == 0
    again = await recado("contacts", "export", conversation, "--folder", str(folder))
    assert (again.code, "nothing is overwritten" in again.err) == (1, True)


async def test_a_redis_that_is_away_is_told() -> None:
    ended = await recado("contacts", "export", "5215512345678", REDIS_URL="redis://127.0.0.1:9")
    assert ended.code == 1
    assert "REDIS_URL" in ended.err
    assert "Traceback" not in ended.err


async def test_a_message_that_comes_in_the_middle_of_it_is_told_to_come_again(
    world: World, ana: simulator.Person
) -> None:
    conversation = await acquainted(world, ana)
    await world.redis.set(f"recado:{{{conversation}}}:erased", "1")
    now = datetime.now(UTC)
    message = Inbound(id="wamid.x", phone=ana.phone, sent_at=now, received_at=now, content=Text(body="hola"))
    inbox = Inbox(world.redis, lambda *_: None)
    (outcome,) = await inbox.accept([message])
    # An OSError is what the webhook answers with 503, so that Meta delivers the message again.
    assert isinstance(outcome, OSError)
    await world.redis.delete(f"recado:{{{conversation}}}:erased")
    assert await inbox.accept([message]) == [True]


async def test_who_has_their_address_at_stripe_alone_leaves_no_trace_of_billing(
    shop: World, ana: simulator.Person
) -> None:
    await acquainted(shop, ana)
    subscription = await subscriber(shop, ana)
    customer = str(stripe_of(shop).account.get("subscription", subscription)["customer"])
    assert [mail["to"] for mail in await mails(shop)] == ["ana@example.com"]
    await Suppression(shop.redis).add("ana@example.com", "smtp", "550 no such user")
    shown = await personal_data_of(shop).export(await person_of(shop, ana.bsuid))
    assert "email" in [job["queue"] for job in shown["jobs"]]
    assert shown["billing"][customer]["state"]["status"] == "active"
    assert shown["suppressed"] == {"ana@example.com": "550 no such user"}
    await erase(shop, ana)
    assert await traces(shop, customer, "ana@example.com") == []
    assert await Suppression(shop.redis).why("ana@example.com") is None
