"""Kept data, and for how long: every key of a day's work is in docs/retention.md, and stays no longer than it says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.conversations.contacts import Contacts
from bot.infra import queues
from bot.integrations.email.suppression import Suppression
from bot.integrations.push.invitations import InvitationLinks
from bot.integrations.push.vapid import new_pair
from bot.messages.outbound import Say
from bot.storage.files import files_of
from bot.web.server import listening
from sandbox.meta.simulator import Person
from sandbox.simulators.event_subscriber import ErpSimulator, new_secret
from sandbox.simulators.openrouter import calls, fails, says
from sandbox.simulators.vision import VisionSimulator
from sandbox.simulators.web_push import PushServiceSimulator
from tests.billing import asks, billing, buttons, mails, stripe_settled, subscriber
from tests.conversations.test_identity import written
from tests.notifications import conversation_of, post, settled
from tests.outgoing import acquainted, put, text
from tests.paths import ROOT
from tests.processes import eventually, recado
from tests.products.shelf import Shelf, Shop
from tests.world import Start, World

PUBLIC, PRIVATE = new_pair()
BEA = Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Bea")
EVA = Person(phone="5215587650000", bsuid="MX.8809876543210000", name="Eva")
_UNITS = {"second": 1, "hour": 3600, "day": 86400}
_SPOKEN = re.compile(r"(\d+) (second|hour|day)s?\b")


@dataclass(frozen=True)
class Row:
    """Names of keys, and the seconds that they are kept at most; None for what stays until something happens."""

    patterns: tuple[str, ...]
    seconds: int | None


def rows() -> list[Row]:
    lines = (ROOT / "docs" / "retention.md").read_text().splitlines()
    cells = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    found = []
    for names, _, kept in cells:
        times = [int(number) * _UNITS[unit] for number, unit in _SPOKEN.findall(kept)]
        lasting = kept.strip().startswith(("until", "for good"))
        found.append(Row(tuple(re.findall(r"`([^`]+)`", names)), None if lasting else times[0]))
    return found


def spelled(key: str) -> str:
    """A key as the table spells it."""
    return re.sub(r"\{c_[0-9a-f]{20}\}", "{c}", key.removeprefix("recado:"))


def row_of(key: str) -> Row | None:
    name = spelled(key)
    return next((row for row in rows() if any(fnmatchcase(name, pattern) for pattern in row.patterns)), None)


async def unlisted(redis: Redis) -> list[str]:
    """Keys of which the table knows nothing, or which stay longer than it says."""
    wrong = []
    async for key in redis.scan_iter(count=1000):
        row, left = row_of(key), await redis.ttl(key)
        if row is None:
            wrong.append(f"{spelled(key)}: not in the table")
        elif row.seconds is not None and not 0 <= left <= row.seconds and left != -2:
            wrong.append(f"{spelled(key)}: {left} s, {row.seconds} s in the table")
    return wrong


@pytest.fixture
async def shop(start: Start, stripe: Any, ana: Person) -> AsyncIterator[Shop]:
    shelf, secret = Shelf(), new_secret()
    vision, erp = VisionSimulator(shelf), ErpSimulator(secret)
    endpoint = await vision.start()
    async with listening(erp.app(), "127.0.0.1", 0, finish=0.1) as url:
        world = await start(
            stripe=stripe,
            **billing(stripe),
            GOOGLE_VISION_ENDPOINT=endpoint,
            STAFF_CONTACTS=f"{BEA.phone}",
            WEBHOOK_SUBSCRIBERS=f"{url}/events",
            WEBHOOK_SECRET=secret,
            WEBHOOK_ALLOW_PRIVATE="true",
            VAPID_PUBLIC_KEY=PUBLIC,
            VAPID_PRIVATE_KEY=PRIVATE,
            VAPID_SUBJECT="mailto:erp@example.com",
            PUSH_ALLOW_PRIVATE="true",
            PUBLIC_URL="http://127.0.0.1",
        )
        yield Shop(world, shelf, erp)
    await vision.stop()


async def talked(world: World, ana: Person, media: Callable[[str], bytes]) -> None:
    """Texts, a voice note, a document, edits, reactions, an answer that nobody gave, a colleague, a new number."""
    await acquainted(world, ana)
    await world.meta.sends_media(ana, "audio", media("voice/es_subscription.ogg"), "audio/ogg; codecs=opus")
    await world.meta.sends_media(ana, "document", media("documents/price_list.pdf"), "application/pdf", None, "L.pdf")
    await settled(world)
    await files_of(world.redis, world.settings).keep(await conversation_of(world, ana.bsuid), "F.pdf", "x/y", b"%PDF-1")
    world.models.will(*[fails(402)] * 2)
    await world.meta.writes(ana, text("¿cuánto?"))
    await settled(world)
    for news in ("edit", "revoke", "reaction", "smb_message_echoes", "user_preferences_stop", "user_id_update"):
        await post(world, news)
    await written(world, "wamid.0", "por teléfono", EVA.phone, None)
    await written(world, "wamid.a", "sin teléfono", None, EVA.bsuid)
    await written(world, "wamid.b", "con los dos", EVA.phone, EVA.bsuid)
    await post(world, "system_user_changed_number")
    await settled(world)


async def paid(world: World, ana: Person) -> None:
    """A plan, a card that is tapped, a code by e-mail, an address at which nobody is."""
    await subscriber(world, ana)
    await asks(world, ana, "¿qué plan tengo?", "get_subscription")
    (card,) = await asks(world, ana, "quiero el plan Pro", "change_plan", plan="pro")
    tap = {"type": "button_reply", "button_reply": buttons(card)[0]}
    await world.meta.writes(ana, {"type": "interactive", "interactive": tap})
    await settled(world)
    await asks(world, ana, "eva@example.com", "verify_email", email=f"{ana.name}@example.com".lower())
    await mails(world)
    await stripe_settled(world)
    await Suppression(world.redis).add("nobody@example.com", "smtp", "550 no such user")


async def notified(world: World, person: Person, service: PushServiceSimulator) -> None:
    """A browser, a notification, a template, and a reply that waits for somebody who doesn't write."""
    conversation = await acquainted(world, person, hours_ago=25)
    token = await InvitationLinks(world.redis).token(conversation)
    body = {"subscription": service.subscribe(PUBLIC), "token": token}
    async with world.http.post(f"{world.url}/push/subscriptions", json=body) as response:
        assert response.status == 201
    push = {"contact": person.bsuid, "title": "Listo", "body": "Tu pedido salió."}
    await queues.add(world.redis, "notification", "push", push, "push-1")
    template = {"to": person.phone, "template": "order_confirmation"}
    template |= {"parameters": {"name": "Bea", "order": "A-1", "total": "$10"}}  # type: ignore[dict-item]
    await queues.add(world.redis, "notification", "template", template, "template-1")

    async def pushed() -> bool:
        return bool(service.pushes)

    await eventually(pushed)
    await put(world, conversation, person, Say(body="espera"), name="x1")
    await eventually(lambda: world.redis.zscore("recado:resend", conversation))


async def test_every_key_is_in_the_table_and_stays_no_longer(
    shop: Shop, ana: Person, media: Callable[[str], bytes]
) -> None:
    world, service = shop.world, PushServiceSimulator()
    await paid(world, ana)
    await talked(world, ana, media)
    await shop.taps(BEA, await shop.sends(BEA, shop.shelf.front(), shop.shelf.tag(), shop.shelf.code()))
    await shop.sends(BEA, shop.shelf.front())
    async with listening(service.app(), "127.0.0.1", 0, finish=0.1) as service.url:
        await notified(world, BEA, service)
    heir = Person(phone=BEA.phone, bsuid="MX.7700000000000001", name="Otro")
    world.models.will(calls(("talk_to_a_person", {"reason": "lo pide"})), says("Te escribirán."))
    await world.meta.writes(heir, text("una persona"))
    await settled(world)
    await Contacts(world.redis).find_or_create(phone="5215500000077", bsuid=None)
    assert "\n".join(await unlisted(world.redis)) == ""
    seen = {spelled(key) for key in await world.redis.keys()}
    for bsuid in (heir.bsuid, EVA.bsuid):
        assert (await recado("contacts", "erase", "--yes", bsuid)).code == 0
    assert "\n".join(await unlisted(world.redis)) == ""
    lived = ("contact", "push", "delivery:", "card:", "memory", "outbox", "said:", "stripe:", "files", "moved")
    for name in (
        *(f"{{c}}:{part}" for part in lived),
        "{products}:",
        "phone-owners:",
        "optout:",
        "followed:",
        "mail:{",
    ):
        assert any(seen_name.startswith(name) for seen_name in seen), name


async def test_a_contact_who_never_writes_again_leaves_and_each_message_begins_the_time_anew(
    world: World, ana: Person
) -> None:
    conversation = await acquainted(world, ana)
    names = [f"recado:identity:{identity}" for identity in (ana.phone, ana.bsuid)]
    names += [f"recado:{{{conversation}}}:{part}" for part in ("identities", "contact")]
    for name in names:
        await world.redis.expire(name, 1000)
    world.models.will(says("Sí."))
    await world.meta.writes(ana, text("¿siguen ahí?"))
    await world.meta.replies(ana)
    await settled(world)
    assert [name for name in names if await world.redis.ttl(name) <= 1000] == []
    for name in names:
        await world.redis.delete(name)
    world.models.will(says("Mucho gusto."))
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana, 2)
    assert await conversation_of(world, ana.bsuid) != conversation
