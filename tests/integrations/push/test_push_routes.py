"""Routes for browsers: a link from the chat subscribes one person's browser, and nothing else."""

import asyncio
import base64
import json
import re
import time
from typing import Any

import pytest
from bullmq import Queue

from bot.conversations.contacts import Contacts
from bot.conversations.identity_resolution import conversation_for
from bot.integrations.push.invitations import InvitationLinks
from bot.integrations.push.subscriptions import (
    MOST,
    NotASubscription,
    PushSubscription,
    PushSubscriptions,
    parse_subscription,
)
from bot.integrations.push.vapid import new_pair
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from sandbox.simulators.web_push import PushServiceSimulator
from tests.processes import eventually, recado
from tests.rows import each
from tests.turns.test_conversation import conversation_of, text
from tests.world import Start, World

PUBLIC, PRIVATE = new_pair()
CONVERSATION = f"c_{'0' * 19}1"
KEYS = {"VAPID_PUBLIC_KEY": PUBLIC, "VAPID_PRIVATE_KEY": PRIVATE, "VAPID_SUBJECT": "mailto:erp@example.com"}
SERVICE = PushServiceSimulator()
SERVICE.url = "https://push.example.com"


@pytest.fixture
async def world(start: Start) -> World:
    return await start(workers=0, **KEYS)


async def call(world: World, method: str, subscription: Any, token: Any) -> tuple[int, dict[str, Any]]:
    body = {"subscription": subscription, "token": token}
    async with world.http.request(method, f"{world.url}/push/subscriptions", json=body) as response:
        return response.status, await response.json()


async def test_from_the_chat_to_the_browser_and_back_out(start: Start, ana: Person) -> None:
    world = await start(**KEYS, PUBLIC_URL="http://127.0.0.1", PUSH_ALLOW_PRIVATE="true")
    service = PushServiceSimulator()
    from bot.web.server import listening  # noqa: PLC0415

    async with listening(service.app(), "127.0.0.1", 0, finish=0.1) as service.url:
        world.models.will(calls(("notify_me", {})), says("-"))
        await world.meta.writes(ana, text("avísame cuando pase algo"))
        (sent,) = await world.meta.replies(ana)
        link = sent.request["interactive"]["action"]["parameters"]["url"]
        token = link.removeprefix("http://127.0.0.1/push/")
        async with world.http.get(f"{world.url}/push/public-key") as response:
            key = (await response.json())["publicKey"]
        subscribe = service.subscribe(key)
        assert await call(world, "POST", subscribe, token) == (201, {"subscribed": True})
        assert await call(world, "POST", subscribe, token) == (201, {"subscribed": True})
        queue = Queue("notification", {"connection": world.redis})
        await queue.add("push", {"contact": ana.phone, "title": "Listo", "body": "Tu pedido salió."}, {})
        assert await eventually(lambda: _pushed(service)) == ["Listo"]
        assert await call(world, "DELETE", subscribe, token) == (200, {"subscribed": False})
        assert await PushSubscriptions(world.redis).of(await conversation_of(world, ana)) == []
        assert service.refused == []


async def _pushed(service: PushServiceSimulator) -> list[str]:
    return [push["title"] for push in service.pushes]


@each("token", [None, 7, "", "x", f"{CONVERSATION}.9999999999.{'A' * 43}", f"{CONVERSATION}.1.x"])
async def test_a_token_that_is_not_ours_opens_nothing(token: Any, world: World) -> None:
    for method in ("POST", "DELETE"):
        status, told = await call(world, method, SERVICE.subscribe(), token)
        assert status == 403
        assert "link is over" in told["error"]
    async with world.http.get(f"{world.url}/push/{token or 'none'}") as response:
        assert response.status == 404
        assert "Este enlace ya no sirve" in await response.text()


async def test_a_token_is_over_after_a_day_and_is_one_persons(world: World) -> None:
    token = await InvitationLinks(world.redis).token(CONVERSATION)
    assert await InvitationLinks(world.redis).conversation(token) == CONVERSATION
    assert await InvitationLinks(world.redis).conversation(f"{token}x") is None
    until = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))[0]
    assert time.time() + 23 * 3600 < until <= time.time() + 24 * 3600


GOOD = SERVICE.subscribe()


@each(
    "wrong",
    [
        None,
        [],
        "x",
        {},
        GOOD | {"endpoint": "ftp://push.example.com/a"},
        GOOD | {"endpoint": "http://push.example.com/a"},
        GOOD | {"endpoint": "https://"},
        GOOD | {"endpoint": "https://a b"},
        GOOD | {"endpoint": "https://user:word@push.example.com/a"},
        GOOD | {"endpoint": "https://push.example.com:99999/a"},
        GOOD | {"endpoint": "https://127.0.0.1/a"},
        GOOD | {"endpoint": "https://localhost/a"},
        GOOD | {"endpoint": "https://2130706433/a"},
        GOOD | {"endpoint": "https://10.1.2.3/a"},
        GOOD | {"endpoint": "https://169.254.169.254/a"},
        GOOD | {"endpoint": "https://[::1]/a"},
        GOOD | {"endpoint": "https://[::ffff:10.0.0.1]/a"},
        GOOD | {"endpoint": f"https://push.example.com/{'a' * 1000}"},
        GOOD | {"keys": {}},
        GOOD | {"keys": {"p256dh": GOOD["keys"]["p256dh"]}},
        GOOD | {"keys": GOOD["keys"] | {"auth": "AAAA"}},
        GOOD | {"keys": GOOD["keys"] | {"auth": "%" * 22}},
        GOOD | {"keys": GOOD["keys"] | {"p256dh": "B" + "A" * 86}},
        GOOD | {"keys": GOOD["keys"] | {"p256dh": GOOD["keys"]["p256dh"][:-2]}},
    ],
)
async def test_what_is_no_subscription_is_refused_with_a_reason(wrong: Any) -> None:
    with pytest.raises(NotASubscription, match=r"\w"):
        await parse_subscription(wrong, allow_private=False)


@each(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 8000, 400), (b" " * 9000, 413), (b"null", 400)],
)
async def test_bad_bodies_are_refused_in_words(body: bytes, status: int, world: World) -> None:
    async with world.http.post(f"{world.url}/push/subscriptions", data=body) as response:
        assert response.status == status
        assert (await response.json())["error"].startswith("expected")


async def test_a_body_that_is_compressed_is_refused_in_words(world: World) -> None:
    headers = {"Content-Encoding": "gzip"}
    for method in ("POST", "DELETE"):
        url = f"{world.url}/push/subscriptions"
        async with world.http.request(method, url, data=b"\x1f\x8bgarbage", headers=headers) as response:
            assert response.status == 415
            assert (await response.json())["error"].startswith("the body is compressed")


async def test_while_redis_is_full_the_page_asks_to_try_again(world: World) -> None:
    token = await InvitationLinks(world.redis).token(CONVERSATION)
    assert (await call(world, "POST", SERVICE.subscribe(), token))[0] == 201
    await world.redis.config_set("maxmemory", "1")
    try:
        for method in ("POST", "DELETE"):
            status, told = await call(world, method, SERVICE.subscribe(), token)
            assert status == 503
            assert "try again" in told["error"]
    finally:
        await world.redis.config_set("maxmemory", "0")


async def test_a_wrong_subscription_is_400_and_nothing_of_it_is_kept(world: World) -> None:
    token = await InvitationLinks(world.redis).token(CONVERSATION)
    status, told = await call(world, "POST", {"endpoint": "https://127.0.0.1"}, token)
    assert status == 400
    assert "keys" in told["error"]
    assert await PushSubscriptions(world.redis).of(CONVERSATION) == []


async def test_the_oldest_browser_makes_room_and_too_many_changes_have_to_wait(world: World) -> None:
    token = await InvitationLinks(world.redis).token(CONVERSATION)
    many = [SERVICE.subscribe() for _ in range(MOST + 2)]
    for item in many:
        assert (await call(world, "POST", item, token))[0] == 201
    kept = [subscription.endpoint for subscription in await PushSubscriptions(world.redis).of(CONVERSATION)]
    assert kept == [item["endpoint"] for item in many[2:]]
    statuses = await asyncio.gather(*(call(world, "DELETE", many[-1], token) for _ in range(30)))
    assert {status for status, _ in statuses} == {200, 429}


@pytest.mark.parametrize("joined", [False, True], ids=["erased", "erased after it joined another"])
async def test_a_link_of_somebody_who_was_erased_is_over_and_leaves_nothing(world: World, joined: bool) -> None:  # noqa: FBT001
    contacts = Contacts(world.redis)
    conversation = await contacts.find_or_create(phone="5215512345678", bsuid=None)
    younger = await contacts.find_or_create(phone=None, bsuid="MX.8801234567890123")
    token = await InvitationLinks(world.redis).token(younger if joined else conversation)
    if joined:
        await conversation_for(world.redis, "5215512345678", "MX.8801234567890123")
    assert (await call(world, "POST", SERVICE.subscribe(), token))[0] == 201
    ended = await recado("contacts", "erase", "--yes", "5215512345678")
    assert ended.code == 0, ended.err
    for method in ("POST", "DELETE"):
        assert (await call(world, method, SERVICE.subscribe(), token))[0] == 403
    async with world.http.get(f"{world.url}/push/{token}") as response:
        assert response.status == 404
    assert not await PushSubscriptions(world.redis).add(
        conversation, PushSubscription.model_validate(SERVICE.subscribe())
    )
    left = [name async for name in world.redis.scan_iter(f"recado:{{{conversation}}}:*")]
    assert left == [f"recado:{{{conversation}}}:erased"]


async def test_without_keys_there_is_no_route(start: Start) -> None:
    world = await start(workers=0)
    for path in ("public-key", "page.js", "worker.js", "anything", "manifest.webmanifest"):
        async with world.http.get(f"{world.url}/push/{path}") as response:
            assert response.status == 404
    async with world.http.post(f"{world.url}/push/subscriptions", json={}) as response:
        assert response.status == 404


@pytest.mark.parametrize(("asked", "title"), [("en-GB,es;q=0.5", "Notifications"), ("fr,es", "Avisos"), ("", "Avisos")])
async def test_the_page_speaks_the_persons_language_and_runs_no_script_but_its_own(
    asked: str, title: str, world: World
) -> None:
    token = await InvitationLinks(world.redis).token(CONVERSATION)
    async with world.http.get(f"{world.url}/push/{token}", headers={"Accept-Language": asked}) as response:
        page = await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
    assert f"<h1>{title} " in page
    assert "'unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page)
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        async with world.http.get(f"{world.url}{path.replace('&amp;', '&')}") as response:
            assert response.status == 200, path


async def test_the_known_language_goes_before_the_browsers(world: World) -> None:
    await world.redis.hset(f"recado:{{{CONVERSATION}}}:contact", "language", "en")  # type: ignore[misc]
    token = await InvitationLinks(world.redis).token(CONVERSATION)
    async with world.http.get(f"{world.url}/push/{token}", headers={"Accept-Language": "es"}) as response:
        assert '<html lang="en">' in await response.text()


async def test_the_manifest_opens_this_persons_page_and_the_worker_may_serve_it(world: World) -> None:
    token = await InvitationLinks(world.redis).token(CONVERSATION)
    async with world.http.get(f"{world.url}/push/manifest.webmanifest", params={"token": token}) as response:
        assert response.content_type == "application/manifest+json"
        told = json.loads(await response.text())
    assert (told["start_url"], told["scope"], told["display"]) == (f"/push/{token}", "/push/", "standalone")
    async with world.http.get(f"{world.url}/push/worker.js") as response:
        assert response.content_type == "text/javascript"


async def test_a_new_pair_can_be_pasted_into_the_settings(start: Start) -> None:
    ended = await recado("keys", "vapid")
    assert (ended.code, ended.err) == (0, "")
    *variables, comment = ended.out.splitlines()
    pasted = dict(line.split("=", 1) for line in variables)
    assert list(pasted) == ["VAPID_PUBLIC_KEY", "VAPID_PRIVATE_KEY"]
    assert comment.startswith("# VAPID_SUBJECT=mailto:"), "an address that nobody filled in would stop the start"
    assert (len(pasted["VAPID_PUBLIC_KEY"]), len(pasted["VAPID_PRIVATE_KEY"])) == (87, 43)
    world = await start(workers=0, **pasted, VAPID_SUBJECT="mailto:erp@example.com")
    async with world.http.get(f"{world.url}/push/public-key") as response:
        assert await response.json() == {"publicKey": pasted["VAPID_PUBLIC_KEY"]}
