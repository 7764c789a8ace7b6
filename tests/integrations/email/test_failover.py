"""A job is a single e-mail: by the first provider that accepts it, never by two, whatever breaks in between."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.infra.alerts import Alerts
from bot.infra.live_events import LiveEvents
from bot.infra.queues import JobRejected
from bot.infra.redis import answer
from bot.integrations.email.failover import EmailNotTaken, FailoverSender
from bot.integrations.email.provider import Mail, Provider
from bot.integrations.email.receipts import HoldLost, Receipts
from bot.integrations.email.sendgrid import SendGrid
from bot.integrations.email.smtp import Smtp
from bot.integrations.email.suppression import Suppression
from sandbox.simulators.sendgrid import SendGridFault
from sandbox.simulators.smtp import SmtpSimulator
from tests.integrations.email.outside import KEY, LOGIN, NOBODY, SENDER, Outside
from tests.processes import eventually

Build = Callable[..., FailoverSender]


@pytest.fixture
def build(redis: Redis) -> Build:
    def made(*providers: Provider, hold_seconds: float = 6.0) -> FailoverSender:
        receipts = Receipts(redis, hold_seconds=hold_seconds)
        return FailoverSender(providers, receipts, Suppression(redis), Alerts(redis, LiveEvents(redis)))

    return made


@pytest.fixture
def first(http: aiohttp.ClientSession, sendgrid: Outside) -> SendGrid:
    return SendGrid(http, api_key=KEY, sender=SENDER, base_url=sendgrid.url, seconds=3)


@pytest.fixture
def second(postbox: SmtpSimulator, trusted: None) -> Smtp:
    return Smtp("localhost", postbox.port, sender=SENDER, login=LOGIN, seconds=5)


async def alarms(redis: Redis) -> list[str]:
    return sorted([name async for name in redis.scan_iter("recado:alert:mail:*")])


async def test_the_first_provider_sends_and_the_second_is_not_asked(
    build: Build, first: SendGrid, second: Smtp, sendgrid: Outside, postbox: SmtpSimulator, mail: Mail
) -> None:
    await build(first, second).send(mail, "job-1")
    assert len(sendgrid.sendgrid.mails) == 1
    assert not postbox.mails


@pytest.mark.parametrize("fault", [SendGridFault(429), SendGridFault(500), SendGridFault(503)], ids=str)
async def test_a_mail_that_one_provider_does_not_take_leaves_by_the_next(
    build: Build,
    first: SendGrid,
    second: Smtp,
    sendgrid: Outside,
    postbox: SmtpSimulator,
    mail: Mail,
    fault: SendGridFault,
) -> None:
    sendgrid.sendgrid.will(fault)
    await build(first, second).send(mail, "job-1")
    assert not sendgrid.sendgrid.mails
    assert [mail.message["Message-ID"] for mail in postbox.mails] == [mail.message_id]


@pytest.mark.parametrize(("key", "away"), [("SG.other", False), (KEY, True)], ids=["wrong key", "away"])
async def test_a_provider_that_is_away_or_knows_us_not_costs_no_mail(
    build: Build, http: aiohttp.ClientSession, sendgrid: Outside, second: Smtp, postbox: SmtpSimulator, mail: Mail,
    redis: Redis, key: str, away: bool,  # noqa: FBT001 - a table's column
) -> None:  # fmt: skip
    broken = SendGrid(http, api_key=key, sender=SENDER, base_url=NOBODY if away else sendgrid.url)
    post = build(broken, second)
    for number in range(2):
        await post.send(mail, f"job-{number}")
    assert len(postbox.mails) == 2
    # A fault that only an operator can repair is reported once.
    assert await alarms(redis) == ([] if away else ["recado:alert:mail:sendgrid"])


async def test_smtp_that_fails_is_followed_by_the_next_as_well(
    build: Build, first: SendGrid, second: Smtp, sendgrid: Outside, postbox: SmtpSimulator, mail: Mail
) -> None:
    postbox.will_answer("RCPT", "451 4.3.0 Try again later")
    await build(second, first).send(mail, "job-1")
    assert len(sendgrid.sendgrid.mails) == 1


async def test_nobody_who_takes_it_means_a_later_try_which_sends_it(
    build: Build, first: SendGrid, second: Smtp, sendgrid: Outside, postbox: SmtpSimulator, mail: Mail
) -> None:
    post = build(first, second)
    sendgrid.sendgrid.will(SendGridFault(503))
    postbox.will_answer("DATA", "452 4.3.1 Insufficient storage")
    with pytest.raises(EmailNotTaken, match=r"sendgrid: HTTP 503; smtp: 452") as raised:
        await post.send(mail, "job-1")
    assert "ana@" not in str(raised.value)
    await post.send(mail, "job-1")
    assert len(sendgrid.sendgrid.mails) == 1
    assert not postbox.mails


async def test_the_same_job_sends_once_however_often_it_is_tried(
    build: Build, first: SendGrid, sendgrid: Outside, mail: Mail
) -> None:
    post = build(first)
    await asyncio.gather(*(post.send(mail, "job-1") for _ in range(5)))
    await post.send(mail, "job-1")
    assert len(sendgrid.sendgrid.mails) == 1
    await post.send(mail, "job-2")
    assert len(sendgrid.sendgrid.mails) == 2


@pytest.mark.parametrize(
    "fault", [SendGridFault(drop=True), SendGridFault(seconds=600)], ids=["connection lost", "no answer"]
)
async def test_a_mail_in_doubt_is_sent_by_nobody_else_and_an_operator_is_told(
    build: Build, first: SendGrid, second: Smtp, sendgrid: Outside, postbox: SmtpSimulator, mail: Mail, redis: Redis,
    fault: SendGridFault,
) -> None:  # fmt: skip
    sendgrid.sendgrid.will(fault)
    post = build(first, second)
    for _ in range(2):
        with pytest.raises(JobRejected, match=r"in doubt: sendgrid may have sent it .* it is not sent again"):
            await post.send(mail, "job-1")
    assert len(sendgrid.sendgrid.mails) == 1
    assert not postbox.mails
    assert len(await alarms(redis)) == 1


async def test_a_doubt_of_smtp_is_one_too(
    build: Build, first: SendGrid, second: Smtp, sendgrid: Outside, postbox: SmtpSimulator, mail: Mail
) -> None:
    postbox.will_answer("DATA", "drop after")
    with pytest.raises(JobRejected, match="in doubt: smtp"):
        await build(second, first).send(mail, "job-1")
    assert len(postbox.mails) == 1
    assert not sendgrid.sendgrid.mails


async def test_a_worker_that_dies_before_the_answer_leaves_a_doubt_and_no_second_mail(
    build: Build, first: SendGrid, second: Smtp, sendgrid: Outside, postbox: SmtpSimulator, mail: Mail
) -> None:
    sendgrid.sendgrid.will(SendGridFault(seconds=600))
    dying = asyncio.create_task(build(first).send(mail, "job-1"))
    while not sendgrid.sendgrid.mails:
        await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.wait({dying})
    with pytest.raises(JobRejected, match=r"in doubt: sendgrid may have sent it \(the worker stopped"):
        await build(first, second).send(mail, "job-1")
    assert len(sendgrid.sendgrid.mails) == 1
    assert not postbox.mails


async def test_a_worker_that_lost_its_hold_asks_nobody(redis: Redis) -> None:
    receipts = Receipts(redis, hold_seconds=0.1)
    async with receipts.locked("job-1") as late:
        await redis.set(f"recado:mail:{{{late.job}}}:hold", "another worker's")
        with pytest.raises(HoldLost):
            await late.write("asking", "sendgrid")
    assert not await redis.exists(f"recado:mail:{{{late.job}}}")


async def test_a_job_of_a_dead_worker_is_taken_up_when_its_hold_is_over(
    build: Build, first: SendGrid, sendgrid: Outside, mail: Mail, redis: Redis
) -> None:
    async with Receipts(redis).locked("job-1") as receipt:
        pass
    await redis.set(f"recado:mail:{{{receipt.job}}}:hold", "a dead worker's", px=200)
    await build(first).send(mail, "job-1")
    assert len(sendgrid.sendgrid.mails) == 1


async def test_a_long_attempt_keeps_its_hold(redis: Redis) -> None:
    receipts = Receipts(redis, hold_seconds=3)
    async with receipts.locked("job-1") as held:
        hold = f"recado:mail:{{{held.job}}}:hold"
        await redis.pexpire(hold, 2_000)

        async def renewed() -> bool:
            return int(await redis.pttl(hold)) > 2_000

        await eventually(renewed)
        await held.write("asking", "sendgrid")
    assert held.state == "asking"


async def test_a_recipient_who_is_gone_ends_the_job_and_is_written_to_no_more(
    build: Build, first: SendGrid, second: Smtp, sendgrid: Outside, postbox: SmtpSimulator, mail: Mail, redis: Redis
) -> None:
    postbox.will_answer("RCPT", "550 5.1.1 <ana@cliente.example>: User unknown")
    post = build(second, first)
    for _ in range(2):
        with pytest.raises(JobRejected, match=r"to: smtp refused the recipient for good: 550 5\.1\.1") as raised:
            await post.send(mail, "job-1")
        assert "ana@" not in str(raised.value)
    with pytest.raises(JobRejected, match=r"nothing is sent to this address any more: 550 5\.1\.1"):
        await post.send(replace(mail, to="Ana@cliente.example"), "job-2")
    assert sendgrid.sendgrid.asked == 0
    assert not postbox.mails
    assert await Suppression(redis).lift(mail.to)
    await post.send(mail, "job-3")
    assert len(postbox.mails) == 1


async def test_what_is_kept_tells_nobodys_address(
    build: Build, second: Smtp, postbox: SmtpSimulator, mail: Mail, redis: Redis
) -> None:
    postbox.will_answer("RCPT", "550 5.1.1 <ana@cliente.example>: User unknown")
    post = build(second)
    with pytest.raises(JobRejected):
        await post.send(mail, "job-1")
    await post.send(replace(mail, to="leo@cliente.example"), "job-2")
    for name in [name async for name in redis.scan_iter("recado:*")]:
        kept = await answer(redis.hgetall(name)) if await redis.type(name) == "hash" else {}
        assert "cliente.example" not in f"{name} {kept}"
