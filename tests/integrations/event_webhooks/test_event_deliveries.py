"""An event reaches every subscriber once, signed, whatever goes wrong on the way."""

import socket
import time
from typing import Any

import pytest
from bullmq import Queue
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.conversations.events import EventPublisher
from bot.infra.queues import Job, JobRejected, RetryLater, working
from bot.integrations.event_webhooks import PAUSES
from bot.settings import RedisSettings, Settings, SettingsWrong, SubscriberSettings
from sandbox.simulators.event_subscriber import ErpSimulator, EventFault
from tests.integrations.event_webhooks.conftest import EVENT, TASK, Make
from tests.processes import eventually
from tests.rows import each


async def test_an_event_arrives_signed_with_the_jobs_id_and_its_time(erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    await deliveries(url).process(TASK)
    (event,) = erp.events
    assert event["id"] == "message-sent-1"
    assert event["type"] == "message.sent"
    assert event["timestamp"] == "2023-11-14T22:13:20.500Z"
    assert event["data"] == EVENT["data"]
    assert erp.refused == []


async def test_a_job_without_an_id_of_its_own_goes_under_the_jobs(erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    await deliveries(url).process(Job("deliver", {"event": "order.created", "data": [1]}, "17-170000", time.time()))
    assert erp.events[0]["id"] == "17-170000"


async def test_an_event_that_comes_again_is_not_posted_again(erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    for _ in range(3):
        await deliveries(url).process(TASK)
    assert erp.calls == 1


async def test_a_retry_goes_only_to_those_who_missed_it(erps: Any, deliveries: Make) -> None:
    (first, first_url), (second, second_url) = await erps(), await erps()
    second.faults = [EventFault(500)]
    with pytest.raises(RetryLater) as later:
        await deliveries(first_url, second_url).process(TASK)
    assert "HTTP 500" in str(later.value)
    assert 1 <= later.value.seconds <= 1.5
    await deliveries(first_url, second_url).process(TASK)
    assert (first.calls, second.calls) == (1, 2)
    assert [event["times"] for event in (*first.events, *second.events)] == [1, 1]


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504])
async def test_every_other_answer_than_success_is_retried(status: int, erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(status, {"Location": url} if status in (301, 307) else {})]
    with pytest.raises(RetryLater, match=f"HTTP {status}"):
        await deliveries(url).process(TASK)
    # A redirect isn't followed.
    assert erp.calls == 1
    await deliveries(url).process(TASK)
    assert len(erp.events) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_success_counts_as_taken(status: int, erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(status)]
    for _ in range(2):
        await deliveries(url).process(TASK)
    assert erp.calls == 1


async def test_a_subscriber_that_is_gone_gets_no_more_of_it_and_an_operator_hears_so(
    erps: Any, deliveries: Make, redis: Redis
) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(410)]
    for _ in range(2):
        await deliveries(url).process(TASK)
    assert erp.calls == 1
    assert len([name async for name in redis.scan_iter("recado:alert:subscriber_gone:*")]) == 1


async def test_a_subscriber_may_say_when_to_come_back(erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(429, {"Retry-After": "120"})]
    with pytest.raises(RetryLater) as later:
        await deliveries(url).process(TASK)
    assert later.value.seconds == 120


@pytest.mark.parametrize("header", ["-5", "soon", "nan", "inf", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 400])
async def test_a_strange_time_to_come_back_costs_nothing(header: str, erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(503, {"Retry-After": header})]
    with pytest.raises(RetryLater) as later:
        await deliveries(url).process(TASK)
    assert later.value.seconds <= 6 * 3600


async def test_one_that_does_not_answer_in_time_is_retried_and_holds_up_nobody(erps: Any, deliveries: Make) -> None:
    (slow, slow_url), (quick, quick_url) = await erps(), await erps()
    slow.faults = [EventFault(200, delay=3)]
    with pytest.raises(RetryLater, match="no answer in time"):
        await deliveries(slow_url, quick_url).process(TASK)
    assert len(quick.events) == 1


async def test_one_that_is_down_is_retried(deliveries: Make) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/secret-path"
        with pytest.raises(RetryLater, match="no connection") as later:
            await deliveries(url).process(TASK)
    assert "secret-path" not in str(later.value)


async def test_after_the_last_try_it_is_given_up_and_an_operator_hears_so(
    erps: Any, deliveries: Make, redis: Redis
) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(500)] * 3
    bring = deliveries(url, pauses=(0.01, 0.01))
    for _ in range(2):
        with pytest.raises(RetryLater):
            await bring.process(TASK)
    with pytest.raises(JobRejected, match=r"given up after 3 tries: 127\.0\.0\.1: HTTP 500"):
        await bring.process(TASK)
    assert len([name async for name in redis.scan_iter("recado:alert:subscriber_missed:*")]) == 1


async def test_what_is_known_of_an_event_that_nobody_takes_is_forgotten_by_itself(
    erps: Any, deliveries: Make, redis: Redis
) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(500)]
    with pytest.raises(RetryLater):
        await deliveries(url).process(TASK)
    (progress,) = [name async for name in redis.scan_iter("recado:delivered:*")]
    assert await redis.ttl(progress) > sum(PAUSES)


async def test_an_event_that_was_given_up_has_all_its_tries_when_an_operator_retries_it(
    erps: Any, deliveries: Make
) -> None:
    (up, up_url), (down, down_url) = await erps(), await erps()
    down.faults = [EventFault(500)] * 5
    bring = deliveries(up_url, down_url, pauses=(0.01, 0.01))
    for expected in (RetryLater, RetryLater, JobRejected, RetryLater, RetryLater):
        with pytest.raises(expected):
            await bring.process(TASK)
    await bring.process(TASK)
    assert (len(up.events), len(down.events)) == (1, 1)


def test_the_waits_take_hours() -> None:
    assert sum(PAUSES) > 12 * 3600
    assert list(PAUSES) == sorted(PAUSES)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "event: Field required"),
        ("text", "data: Input should be a valid dictionary"),
        ({"event": "a b", "data": {}}, "event: String should match"),
        ({"event": "a", "data": {}, "id": "a\r\nX-Evil: 1"}, "id: String should match"),
    ],
)
async def test_wrong_data_fails_with_a_reason(data: Any, told: str, deliveries: Make) -> None:
    with pytest.raises(JobRejected, match=told):
        await deliveries("http://127.0.0.1:1").process(Job("deliver", data, "1"))


async def test_a_job_of_another_name_fails_with_a_reason(deliveries: Make) -> None:
    with pytest.raises(JobRejected, match="there is no job 'send' here; expected deliver"):
        await deliveries("http://127.0.0.1:1").process(Job("send", EVENT, "1"))


async def test_without_subscribers_nothing_is_added_and_another_services_job_is_done(
    redis: Redis, deliveries: Make
) -> None:
    await EventPublisher(redis, SubscriberSettings()).publish("message.sent", {}, "a")
    assert [name async for name in redis.scan_iter("bull:*")] == []
    await deliveries().process(TASK)


async def test_from_publishing_to_delivery_with_a_queue_between_and_a_retry_that_costs_no_attempt(
    erps: Any, deliveries: Make, redis: Redis, redis_address: str
) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(503)]
    subscribers = EventPublisher(redis, SubscriberSettings(subscribers=[url]))
    process = deliveries(url, pauses=(0.05, 0.05)).process
    async with working({"webhook": process}, RedisSettings(url=SecretStr(redis_address)), concurrency=5):
        for _ in range(3):
            await subscribers.publish("message.sent", {"text": "hola"}, "message-sent-7")
        # The ERP's services add jobs like this: BullMQ alone, and one attempt.
        await Queue("webhook", {"connection": redis}).add(
            "deliver", {"event": "order.new", "data": {"n": 1}, "id": "o1"}
        )
        await eventually(lambda: _has(erp, 2))
        await eventually(lambda: _done(redis))
        # The personal data of a job are gone with it, and the same id delivers nothing again.
        assert not await redis.exists("bull:webhook:message-sent-7")
        await subscribers.publish("message.sent", {"text": "hola"}, "message-sent-7")
        await eventually(lambda: _done(redis))
    assert {event["id"]: event["times"] for event in erp.events} == {"message-sent-7": 1, "o1": 1}
    assert erp.calls == 3


async def _has(erp: ErpSimulator, count: int) -> bool:
    return len(erp.events) >= count


async def _done(redis: Redis) -> bool:
    counts = [await redis.llen("bull:webhook:wait"), await redis.llen("bull:webhook:active")]  # type: ignore[misc]
    return not any((*counts, await redis.zcard("bull:webhook:delayed")))


async def test_subscribers_that_fail_together_do_not_come_back_together(erps: Any, deliveries: Make) -> None:
    erp, url = await erps()
    erp.faults = [EventFault(500)] * 5
    waits = set()
    for number in range(5):
        task = Job("deliver", EVENT | {"id": f"e{number}"}, f"e{number}")
        with pytest.raises(RetryLater) as later:
            await deliveries(url).process(task)
        waits.add(later.value.seconds)
    assert len(waits) == 5


@each(
    ("secret", "told"),
    [
        ("", "WEBHOOK_SECRET: is not set"),
        ("hunter2", "WEBHOOK_SECRET: is not whsec_ and the base64 of a key"),
        ("whsec_", "WEBHOOK_SECRET: is not whsec_"),
        ("whsec_ééé", "WEBHOOK_SECRET: is not"),
        ("whsec_aHVudGVyMg==", "WEBHOOK_SECRET: is not whsec_"),
    ],
)
def test_subscribers_without_a_secret_that_can_sign_stop_the_start(
    secret: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "WEBHOOK_SUBSCRIBERS": "https://erp.example.com/events",
        "WEBHOOK_SECRET": secret,
        "WHATSAPP_ACCESS_TOKEN": "t",
        "WHATSAPP_PHONE_NUMBER_ID": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsWrong, match=told) as wrong:
        Settings().require()
    assert "hunter2" not in str(wrong.value)
