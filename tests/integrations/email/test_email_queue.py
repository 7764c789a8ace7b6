"""The queue `email` and the tool `send_email`, through the real worker to a real SMTP server."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bullmq import Queue

from bot.cli.doctor import examine
from bot.conversations.contacts import Contact, Contacts
from bot.infra import queue_admin
from bot.infra.redis import answer
from bot.integrations.email.composer import LARGEST_ATTACHMENTS
from bot.integrations.email.factory import email_queue
from bot.integrations.email.suppression import Suppression
from bot.settings import Settings
from bot.storage.factory import storage_of
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from sandbox.simulators.sendgrid import SendGridFault
from sandbox.simulators.smtp import SmtpSimulator
from tests.integrations.email.outside import KEY, LOGIN, SENDER, Outside
from tests.processes import eventually, recado, running
from tests.turns.test_conversation import conversation_of, settled, text
from tests.world import Start, World

JOB = {"to": "ana@cliente.example", "template": "welcome", "data": {"name": "Ana"}}
KEEP = {"removeOnComplete": False, "removeOnFail": False}
INVOICE = {"number": "FAC-17", "amount": 799, "currency": "MXN", "date": "2026-11-24"}
Environment = dict[str, str]


@pytest.fixture
def by_smtp(postbox: SmtpSimulator, trusted: None) -> Environment:
    return {
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(postbox.port),
        "SMTP_USERNAME": LOGIN[0],
        "SMTP_PASSWORD": LOGIN[1],
        "SMTP_FROM_EMAIL": SENDER,
    }


@pytest.fixture
def by_sendgrid(sendgrid: Outside) -> Environment:
    return {"SENDGRID_API_KEY": KEY, "SENDGRID_FROM_EMAIL": SENDER, "SENDGRID_BASE_URL": sendgrid.url}


async def add(world: World, data: Any, name: str = "send", **options: Any) -> str:
    """Adds a job as the company's other services do: with BullMQ and no code of ours."""
    job = await Queue("email", {"connection": world.redis}).add(name, data, KEEP | options)
    return str(job.id)


async def ended(world: World, job: str) -> tuple[str, str]:
    async def state() -> str | None:
        for state in ("completed", "failed"):
            if await world.redis.zscore(f"bull:email:{state}", job) is not None:
                return state
        return None

    found = await eventually(state)
    return str(found), await answer(world.redis.hget(f"bull:email:{job}", "failedReason")) or ""


async def test_a_job_of_another_service_becomes_an_email(
    start: Start, by_smtp: Environment, postbox: SmtpSimulator
) -> None:
    world = await start(**by_smtp)
    await storage_of(world.settings.storage).put("invoices/17.pdf", b"%PDF-1.7", "application/pdf")
    attached = [{"file": "invoices/17.pdf", "filename": "factura.pdf", "mime": "application/pdf"}]
    assert await ended(world, await add(world, JOB | {"language": "en_US"})) == ("completed", "")
    invoice = {"to": "ana@cliente.example", "template": "invoice_paid", "data": INVOICE, "attachments": attached}
    assert await ended(world, await add(world, invoice)) == ("completed", "")
    welcome, bill = postbox.mails
    assert welcome.to == ["ana@cliente.example"]
    assert welcome.subject == "Welcome to Recado Demo"
    assert welcome.sender == "Recado Demo <hola@recado.example>"
    assert bill.subject == "Recibimos tu pago de la factura FAC-17"
    assert bill.attachments == ["factura.pdf"]
    assert "$799.00 MXN" in bill.text


async def test_an_email_is_signed_with_the_name_that_is_released_when_it_leaves(
    start: Start, by_smtp: Environment, postbox: SmtpSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(os.environ["PROMPTS_DIR"], tmp_path / "own", ignore=shutil.ignore_patterns("evals"))
    monkeypatch.setenv("PROMPTS_DIR", str(tmp_path / "own"))
    world = await start(**by_smtp)
    assert await ended(world, await add(world, JOB)) == ("completed", "")
    business = tmp_path / "own" / "_business.md"
    business.write_text(business.read_text().replace("Recado Demo", "La Nueva"))
    assert (await recado("prompts", "release")).code == 0
    assert await ended(world, await add(world, JOB)) == ("completed", "")
    assert [mail.sender for mail in postbox.mails] == [f"{name} <{SENDER}>" for name in ("Recado Demo", "La Nueva")]
    assert postbox.mails[1].subject == "Te damos la bienvenida a La Nueva"


async def test_wrong_data_fails_at_once_and_says_why(
    start: Start, by_smtp: Environment, postbox: SmtpSimulator
) -> None:
    world = await start(**by_smtp)
    for data, name, told in (
        (JOB | {"to": "ana"}, "send", "to: is not an e-mail address"),
        (JOB | {"data": {}}, "send", "data.name: Field required"),
        (JOB, "telegram", "there is no job 'telegram' here; expected send"),
        (JOB | {"attachments": [{"file": "no/such", "filename": "a"}]}, "send", "attachments.0.file: there is no such"),
        (JOB | {"attachments": [{"file": "../../x", "filename": "a"}]}, "send", "attachments.0.file: there is no such"),
    ):
        job = await add(world, data, name, attempts=5, backoff={"type": "fixed", "delay": 60_000})
        state, reason = await ended(world, job)
        assert state == "failed"
        assert told in reason
        assert await answer(world.redis.hget(f"bull:email:{job}", "atm")) == "1"
    assert not postbox.mails


async def test_attachments_that_no_provider_takes_are_told(start: Start, by_smtp: Environment) -> None:
    world = await start(**by_smtp)
    await storage_of(world.settings.storage).put("large", bytes(LARGEST_ATTACHMENTS + 1), "a/b")
    job = await add(world, JOB | {"attachments": [{"file": "large", "filename": "a.bin"}]})
    assert await ended(world, job) == ("failed", "attachments: larger than 20 MB together")


async def test_a_job_that_nobody_takes_is_tried_again_and_in_the_end_fails_for_all_to_see(
    start: Start, by_smtp: Environment, by_sendgrid: Environment, sendgrid: Outside, postbox: SmtpSimulator
) -> None:
    world = await start(**by_smtp, **by_sendgrid)
    sendgrid.sendgrid.will(SendGridFault(503), SendGridFault(500))
    postbox.will_answer("RCPT", "451 4.3.0 later", "451 4.3.0 later")
    job = await add(world, JOB, attempts=3, backoff={"type": "exponential", "delay": 20})
    assert (await ended(world, job))[0] == "completed"
    assert (len(sendgrid.sendgrid.mails), len(postbox.mails)) == (1, 0)
    sendgrid.sendgrid.will(SendGridFault(503), SendGridFault(500))
    postbox.will_answer("RCPT", "451 4.3.0 later", "451 4.3.0 later")
    state, reason = await ended(world, await add(world, JOB, attempts=2))
    assert state == "failed"
    assert reason == "sendgrid: HTTP 500; smtp: 451 4.3.0 later"


async def test_the_order_of_the_providers_is_the_operators(
    start: Start, by_smtp: Environment, by_sendgrid: Environment, sendgrid: Outside, postbox: SmtpSimulator
) -> None:
    world = await start(**by_smtp, **by_sendgrid, EMAIL_PROVIDERS="smtp,sendgrid")
    assert await ended(world, await add(world, JOB)) == ("completed", "")
    assert (len(sendgrid.sendgrid.mails), len(postbox.mails)) == (0, 1)


async def test_the_same_job_has_the_same_message_id_and_is_sent_once(
    start: Start, by_sendgrid: Environment, sendgrid: Outside
) -> None:
    world = await start(**by_sendgrid)
    for _ in range(2):
        assert await ended(world, await add(world, JOB, jobId="welcome-17")) == ("completed", "")
        await Queue("email", {"connection": world.redis}).remove("welcome-17")
    (sent,) = sendgrid.sendgrid.mails
    assert await ended(world, await add(world, JOB, jobId="welcome-18")) == ("completed", "")
    assert sent["headers"]["Message-ID"] != sendgrid.sendgrid.mails[1]["headers"]["Message-ID"]


async def test_a_worker_killed_while_the_provider_thinks_sends_no_second_mail(
    start: Start, by_sendgrid: Environment, sendgrid: Outside
) -> None:
    world = await start(workers=0, **by_sendgrid)
    sendgrid.sendgrid.will(SendGridFault(seconds=600))
    async with running("worker", "--queues", "email") as worker:
        job = await add(world, JOB, attempts=3)

        async def taken() -> bool:
            return bool(sendgrid.sendgrid.mails)

        await eventually(taken)
        worker.process.kill()
        await worker.process.wait()
        assert "ana@" not in worker.text
    async with running("worker", "--queues", "email") as worker:
        state, reason = await ended(world, job)
        assert "cliente.example" not in worker.text
    assert state == "failed"
    assert reason.startswith("in doubt: sendgrid may have sent it")
    assert len(sendgrid.sendgrid.mails) == 1


async def test_without_a_provider_jobs_wait_and_the_tool_is_not_there(world: World, ana: Person) -> None:
    await add(world, JOB)
    await world.meta.writes(ana, text("hola"))
    await world.meta.replies(ana)
    assert "send_email" not in [tool["function"]["name"] for tool in world.models.requests[0]["tools"]]
    assert await answer(world.redis.llen("bull:email:wait")) == 1


Ask = Callable[..., Any]


@pytest.fixture
def asked(start: Start, by_smtp: Environment, ana: Person) -> Ask:
    """Lets the model call `send_email` in a chat with Ana; gives the world and the tool's answer to the model."""

    async def ask(
        arguments: dict[str, Any], *, email: str | None, staff: bool = False, suppressed: bool = False
    ) -> tuple[World, str]:
        world = await start(**by_smtp, **({"STAFF_CONTACTS": ana.bsuid} if staff else {}))
        await world.meta.writes(ana, text("hola"))
        await world.meta.replies(ana)
        await settled(world)
        if email:
            await Contacts(world.redis).set_email(await conversation_of(world, ana), email)
        if suppressed and email:
            await Suppression(world.redis).add(email, "smtp", "550 5.1.1 User unknown")
        world.models.will(calls(("send_email", arguments)), says("Listo."))
        await world.meta.writes(ana, text("mándame mi factura"))
        await world.meta.replies(ana, 2)
        await settled(world)
        return world, str(world.models.requests[-1]["messages"][-1]["content"])

    return ask


async def test_a_customer_gets_an_email_at_their_own_address_and_in_their_language(
    asked: Ask, postbox: SmtpSimulator
) -> None:
    _, told = await asked({"template": "welcome", "data": {"name": "Ana"}}, email="ana@cliente.example")
    assert "is on its way" in told
    assert "ana@" not in told

    async def arrived() -> bool:
        return bool(postbox.mails)

    await eventually(arrived)
    assert postbox.mails[0].to == ["ana@cliente.example"]
    assert postbox.mails[0].subject == "Te damos la bienvenida a Recado Demo"


@pytest.mark.parametrize(
    ("arguments", "email", "told"),
    [
        ({"template": "welcome", "data": {"name": "Ana"}}, None, "no e-mail address is linked"),
        ({"to": "leo@otro.example"}, "ana@cliente.example", "only to the address linked"),
        ({"template": "verify_email", "data": {"code": "123456"}}, "ana@cliente.example", "wrong arguments: template"),
        ({"data": {"name": "Ana", "url": "https://malo.example"}}, "ana@cliente.example", "leave `url` out"),
        ({"template": "invoice_paid", "data": INVOICE}, "ana@cliente.example", "figures come from the books"),
        ({"data": {}}, "ana@cliente.example", "nothing was sent: data.name: Field required"),
    ],
)
async def test_what_a_customer_may_not_send_is_not_sent_and_told(
    asked: Ask, postbox: SmtpSimulator, arguments: dict[str, Any], email: str | None, told: str
) -> None:
    world, heard = await asked({"template": "welcome", "data": {"name": "Ana"}} | arguments, email=email)
    assert told in heard
    assert not any((await queue_admin.counts(world.redis, "email")).values())
    assert not postbox.mails


async def test_an_address_that_refused_is_told_before_anything_is_promised(asked: Ask) -> None:
    _, told = await asked(
        {"template": "welcome", "data": {"name": "Ana"}}, email="ana@cliente.example", suppressed=True
    )
    assert "nothing was sent: to: nothing is sent to this address any more" in told


async def test_staff_may_write_to_anybody(asked: Ask, postbox: SmtpSimulator) -> None:
    _, told = await asked(
        {"template": "welcome", "data": {"name": "Leo"}, "to": "leo@otro.example"}, email=None, staff=True
    )
    assert "on its way to leo@otro.example" in told

    async def arrived() -> bool:
        return bool(postbox.mails)

    await eventually(arrived)
    assert postbox.mails[0].to == ["leo@otro.example"]


async def test_the_doctor_looks_at_every_provider(
    start: Start, by_smtp: Environment, by_sendgrid: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start(workers=0, **by_smtp, **by_sendgrid)
    found = {
        finding.integration: finding
        for finding in await examine(Settings())
        if finding.integration.startswith("E-mail")
    }
    assert {name: finding.state for name, finding in found.items()} == {
        "E-mail (SendGrid)": "ok",
        "E-mail (SMTP)": "ok",
    }
    monkeypatch.setenv("SMTP_PASSWORD", "hunter3")
    monkeypatch.setenv("SENDGRID_BASE_URL", "http://127.0.0.1:9")
    words = {finding.integration: finding.words for finding in await examine(Settings()) if finding.wrong}
    assert "SMTP_PASSWORD" in words["E-mail (SMTP)"]
    assert "hunter3" not in words["E-mail (SMTP)"]
    assert "SENDGRID_BASE_URL" in words["E-mail (SendGrid)"]


async def test_the_source_of_a_persons_address_can_be_another(start: Start, by_smtp: Environment) -> None:
    world = await start(workers=0, **by_smtp)
    storage = storage_of(world.settings.storage)

    async def customer_of(contact: Contact) -> str | None:
        return "ana@cliente.example" if contact.phone else None

    async def name() -> str:
        return "Recado"

    settings = world.settings.mail
    async with email_queue(world.redis, settings, storage, business=name, email_of=customer_of) as queue:
        assert queue is not None
        assert await queue.email_of(Contact(phone="5215512345678")) == "ana@cliente.example"
        assert await queue.email_of(Contact()) is None
