"""Codes by e-mail: few tries, a short life, one use, a limited number, and no hint of an account."""

from __future__ import annotations

import json

import pytest
from redis.asyncio import Redis

from bot.infra.redis import answer, key
from bot.integrations.email.verification import TooManyCodes, Verification

CONVERSATION = f"c_{'0' * 20}"


async def code_of(redis: Redis, address: str) -> str:
    """The code of the newest e-mail to an address."""
    keys = [key async for key in redis.scan_iter("bull:email:verify-*", _type="hash")]
    jobs = [await answer(redis.hmget(key, ["data", "timestamp"])) for key in keys]
    found = [(int(str(at)), json.loads(str(data))) for data, at in jobs]
    return str(max((at, data["data"]["code"]) for at, data in found if data["to"] == address)[1])


async def start(verification: Verification, address: str, effect: str, subject: str | None = "cus_1") -> None:
    await verification.start(CONVERSATION, address, subject, "es", effect)


async def test_a_right_code_proves_its_subject_until_it_is_used_up(redis: Redis) -> None:
    verification = Verification(redis)
    await start(verification, "a@example.com", "e1")
    code = await code_of(redis, "a@example.com")
    assert await verification.check(CONVERSATION, f" {code[:3]} {code[3:]}") == "cus_1"
    await verification.consume(CONVERSATION)
    assert await verification.check(CONVERSATION, code) is None


async def test_five_tries_and_then_the_right_code_is_no_use(redis: Redis) -> None:
    verification = Verification(redis)
    await start(verification, "a@example.com", "e1")
    code = await code_of(redis, "a@example.com")
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert [await verification.check(CONVERSATION, wrong) for _ in range(5)] == [None] * 5
    assert await verification.check(CONVERSATION, code) is None


async def test_a_code_is_of_its_conversation_lives_ten_minutes_and_is_not_kept_in_clear(redis: Redis) -> None:
    verification = Verification(redis)
    await start(verification, "a@example.com", "e1")
    code = await code_of(redis, "a@example.com")
    kept = key(CONVERSATION, "verify", "code")
    assert 590 < await redis.ttl(kept) <= 600
    assert code not in str(await answer(redis.hgetall(kept)))
    assert await verification.check(f"c_{'1' * 20}", code) is None
    await redis.delete(kept)
    assert await verification.check(CONVERSATION, code) is None


async def test_a_new_code_makes_the_earlier_one_void(redis: Redis) -> None:
    verification = Verification(redis)
    await start(verification, "a@example.com", "e1")
    first = await code_of(redis, "a@example.com")
    await start(verification, "b@example.com", "e2", "cus_2")
    second = await code_of(redis, "b@example.com")
    if first != second:
        assert await verification.check(CONVERSATION, first) is None
    assert await verification.check(CONVERSATION, second) == "cus_2"


async def test_an_address_of_nobody_leaves_the_same_traces_but_the_mail(redis: Redis) -> None:
    verification = Verification(redis)
    await start(verification, "nobody@example.com", "e1", None)
    assert await redis.exists(key(CONVERSATION, "verify", "code"))
    assert [key async for key in redis.scan_iter("bull:email:*")] == []
    assert await verification.check(CONVERSATION, "123456") is None


@pytest.mark.parametrize("subject", ["cus_1", None])
async def test_three_an_hour_for_a_contact_whether_there_is_somebody_or_not(redis: Redis, subject: str | None) -> None:
    verification = Verification(redis)
    for number in range(3):
        await start(verification, f"{number}@example.com", f"e{number}", subject)
    with pytest.raises(TooManyCodes):
        await start(verification, "4@example.com", "e4", subject)


async def test_three_an_hour_for_an_address_whoever_asks_and_however_it_is_typed(redis: Redis) -> None:
    verification = Verification(redis)
    for number in range(3):
        await verification.start(f"c_{str(number) * 20}", "A@example.com", "cus_1", "es", f"e{number}")
    with pytest.raises(TooManyCodes):
        await start(verification, "a@EXAMPLE.com", "e4")


async def test_a_sending_that_is_done_again_is_the_same_sending(redis: Redis) -> None:
    verification = Verification(redis)
    for _ in range(5):
        await start(verification, "a@example.com", "e1")
    assert len([key async for key in redis.scan_iter("bull:email:verify-*", _type="hash")]) == 1
    code = await code_of(redis, "a@example.com")
    assert await verification.check(CONVERSATION, code) == "cus_1"


async def test_what_is_allowed_comes_back_with_time(redis: Redis) -> None:
    verification = Verification(redis, per_seconds=1)
    for number in range(3):
        await start(verification, "a@example.com", f"e{number}")
    for counter in [name async for name in redis.scan_iter("*sent*", _type="zset")]:
        for member in await redis.zrange(counter, 0, -1):
            await redis.zincrby(counter, -10, member)
    await start(verification, "a@example.com", "e4")


async def test_a_code_outlasts_an_outage_of_the_provider_as_other_mail_does(redis: Redis) -> None:
    await start(Verification(redis), "a@example.com", "e1")
    (job,) = [key async for key in redis.scan_iter("bull:email:verify-*", _type="hash")]
    options = json.loads(str(await answer(redis.hget(job, "opts"))))
    assert (options["attempts"], options["backoff"]["delay"]) == (10, 5000)
