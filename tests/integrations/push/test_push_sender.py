"""A notification reaches each of a person's browsers once, encrypted, whatever goes wrong on the way."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.conversations import identity_resolution
from bot.infra.guarded_http import GuardedHttpClient
from bot.infra.live_events import LiveEvents
from bot.infra.queues import Job, JobRejected, RetryLater
from bot.integrations.push.sender import LONGEST, PAUSES, PushJob, PushSender, payload, push_job
from bot.integrations.push.subscriptions import PushSubscription, PushSubscriptions
from bot.integrations.push.vapid import new_pair
from bot.settings import PushSettings
from bot.web.server import listening
from sandbox.simulators.web_push import PushFault, PushServiceSimulator
from tests.rows import each

PUBLIC, PRIVATE = new_pair()
DATA = {"contact": "5215512345678", "title": "Pago recibido", "body": "Gracias 🌮", "url": "https://example.com/a"}
TASK = Job("push", DATA, "push-1", time.time())


@pytest.fixture
async def service() -> AsyncIterator[PushServiceSimulator]:
    made = PushServiceSimulator()
    async with listening(made.app(), "127.0.0.1", 0, finish=0.1) as made.url:
        yield made


Make = Callable[..., PushSender]


@pytest.fixture
async def pushes(redis: Redis) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        def make(
            *, private: bool = True, pair: tuple[str, str] = (PUBLIC, PRIVATE), pauses: Any = PAUSES
        ) -> PushSender:
            guarded = GuardedHttpClient(allow_private=private, seconds=1)
            stack.push_async_callback(guarded.close)
            settings = PushSettings(
                public_key=pair[0], private_key=SecretStr(pair[1]), subject="mailto:erp@example.com"
            )
            return PushSender(redis, settings, LiveEvents(redis), guarded, pauses=pauses)

        yield make


@pytest.fixture
async def conversation(redis: Redis) -> str:
    return await identity_resolution.conversation_for(redis, "5215512345678", "MX.8801234567890123")


async def browser(
    service: PushServiceSimulator, redis: Redis, conversation: str, server_key: str | None = PUBLIC
) -> Any:
    subscribe = service.subscribe(server_key)
    await PushSubscriptions(redis).add(conversation, PushSubscription.model_validate(subscribe))
    return subscribe


@pytest.mark.parametrize("contact", ["5215512345678", "+52 55 1234 5678", "MX.8801234567890123"])
async def test_a_push_is_signed_encrypted_and_shown_by_every_browser_of_the_person(
    contact: str, service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    for _ in range(2):
        await browser(service, redis, conversation)
    await pushes().process(Job("push", DATA | {"contact": contact}, "push-1"))
    assert service.refused == []
    first, second = service.pushes
    assert first["browser"] != second["browser"]
    assert (first["title"], first["body"], first["url"]) == ("Pago recibido", "Gracias 🌮", "https://example.com/a")
    assert (first["ttl"], first["urgency"]) == (86400, "normal")
    assert first["topic"] == second["topic"]


async def test_a_number_that_was_another_persons_before_leads_to_nobodys_browser(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    heir = await identity_resolution.conversation_for(redis, "5215512345678", "MX.7700000000000001")
    for owner in (conversation, heir):
        await browser(service, redis, owner)
    for phone in ("5215512345678", "525512345678"):
        with pytest.raises(JobRejected, match="was another person's"):
            await pushes().process(Job("push", DATA | {"contact": phone}, "push-1"))
    assert not service.pushes
    for bsuid in ("MX.7700000000000001", "MX.8801234567890123"):
        await pushes().process(Job("push", DATA | {"contact": bsuid}, f"push-{bsuid}"))
    assert len({push["browser"] for push in service.pushes}) == 2


async def test_the_same_job_reaches_a_browser_once(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    for _ in range(2):
        await pushes().process(TASK)
    assert service.calls == 1


async def test_who_has_no_browser_makes_no_failure(pushes: Make, conversation: str) -> None:
    await pushes().process(TASK)
    await pushes().process(Job("push", DATA | {"contact": "5215500000000"}, "push-2"))


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    status: int, service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    service.faults = [PushFault(status)]
    await pushes().process(TASK)
    assert await PushSubscriptions(redis).of(conversation) == []


async def test_a_retry_goes_only_to_the_browser_that_missed_it_and_as_late_as_its_service_asks(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    await browser(service, redis, conversation)
    service.faults = [PushFault(429, {"Retry-After": "120"})]
    with pytest.raises(RetryLater, match="HTTP 429") as later:
        await pushes().process(TASK)
    assert later.value.seconds == 120
    await pushes().process(TASK)
    assert service.calls == 3
    assert len(service.pushes) == 2
    assert len({push["topic"] for push in service.pushes}) == 1


@pytest.mark.parametrize("status", [301, 307, 408, 500, 502, 503])
async def test_a_passing_failure_is_retried(
    status: int, service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    subscribed = await browser(service, redis, conversation)
    service.faults = [PushFault(status, {"Location": subscribed["endpoint"]})]
    with pytest.raises(RetryLater, match=f"HTTP {status}"):
        await pushes().process(TASK)
    # A redirect isn't followed.
    assert service.calls == 1
    await pushes().process(TASK)
    assert len(service.pushes) == 1


async def test_a_service_that_does_not_answer_in_time_is_retried(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    service.faults = [PushFault(201, delay=3)]
    with pytest.raises(RetryLater, match="no answer in time"):
        await pushes().process(TASK)


async def test_a_service_that_is_down_is_retried(pushes: Make, redis: Redis, conversation: str) -> None:
    service = PushServiceSimulator()
    service.url = "http://127.0.0.1:1"
    await browser(service, redis, conversation)
    with pytest.raises(RetryLater, match="no connection"):
        await pushes().process(TASK)


async def test_after_the_last_try_it_is_given_up(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    service.faults = [PushFault(500)] * 2
    send = pushes(pauses=(0.01,))
    with pytest.raises(RetryLater):
        await send.process(TASK)
    with pytest.raises(JobRejected, match="given up after 2 tries"):
        await send.process(TASK)


async def test_a_push_that_was_given_up_has_all_its_tries_when_an_operator_retries_it(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    service.faults = [PushFault(500)] * 3
    send = pushes(pauses=(0.01,))
    for expected in (RetryLater, JobRejected, RetryLater):
        with pytest.raises(expected):
            await send.process(TASK)
    await send.process(TASK)
    assert len(service.pushes) == 1


async def test_once_the_keys_are_mended_a_retry_reaches_the_browser_that_was_refused_and_no_other(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    wrong = new_pair()
    await browser(service, redis, conversation, wrong[0])
    with pytest.raises(JobRejected, match=r"1 of 2 browsers not reached: .*HTTP 403"):
        await pushes(pair=wrong).process(TASK)
    await pushes().process(TASK)
    first, second = service.pushes
    assert first["browser"] != second["browser"]
    assert service.calls == 3


async def test_another_vapid_key_than_the_browser_knows_is_told_once_with_the_fix(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    for number in range(2):
        with pytest.raises(JobRejected, match=r"1 of 1 browsers not reached: .*HTTP 403"):
            await pushes(pair=new_pair()).process(Job("push", DATA, f"push-{number}"))
    assert service.refused == ["403 the subscription belongs to another VAPID key"] * 2
    assert len([name async for name in redis.scan_iter("recado:alert:push_refused:*")]) == 1
    # The browser stays: with the right keys it works again.
    assert len(await PushSubscriptions(redis).of(conversation)) == 1


async def test_keys_that_are_no_pair_are_told_once_with_the_fix(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    with pytest.raises(JobRejected, match="not of one pair"):
        await pushes(pair=(PUBLIC, new_pair()[1])).process(TASK)
    assert service.calls == 0
    assert await redis.exists("recado:alert:push_keys")


async def test_a_private_endpoint_is_refused_when_it_is_connected_to(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    with pytest.raises(JobRejected, match="PUSH_ALLOW_PRIVATE"):
        await pushes(private=False).process(TASK)
    assert service.calls == 0


@each("sign", ["a", "ñ", "€", "🌮", "👩🏽‍🚀", "e\u0301", '"', "\\"])
@each("offset", range(4))
def test_a_long_body_fits_and_ends_in_a_whole_sign(sign: str, offset: int) -> None:
    job = PushJob(contact="1", title="Título", body="x" * offset + sign * 5000, url="https://example.com")
    told = payload(job)
    assert LONGEST - 40 <= len(told) <= LONGEST
    body = PushJob.model_validate_json(told.replace(b'{"title"', b'{"contact":"1","title"', 1)).body
    kept = body.removesuffix("…")
    assert body != kept
    assert job.body.startswith(kept)
    assert kept == "x" * offset + sign * ((len(kept) - offset) // len(sign))


async def test_the_longest_payload_is_taken_by_the_service(
    service: PushServiceSimulator, pushes: Make, redis: Redis, conversation: str
) -> None:
    await browser(service, redis, conversation)
    longest = {"title": "🌮" * 200, "body": "ñ" * 9000, "url": "https://example.com/" + "a" * 900}
    await pushes().process(Job("push", DATA | longest, "push-1"))
    assert service.refused == []
    assert service.pushes[0]["title"] == "🌮" * 200


@each(
    ("data", "told"),
    [
        ({}, "contact: Field required; title: Field required"),
        (DATA | {"contact": "Ana"}, "contact: expected a phone"),
        (DATA | {"title": ""}, "title: String should have at least 1"),
        (DATA | {"url": "javascript:alert(1)"}, "url: does not start with https"),
        ("text", "data: Input should be a valid dictionary"),
    ],
)
def test_wrong_data_fails_with_a_reason(data: Any, told: str) -> None:
    with pytest.raises(JobRejected, match=told):
        push_job(data)
