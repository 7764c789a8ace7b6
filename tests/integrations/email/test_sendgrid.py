"""SendGrid's API: our requests, and the meaning of each answer."""

from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from bot.integrations.email.provider import (
    InDoubt,
    Mail,
    MailAttachment,
    MailError,
    Misconfigured,
    ProviderUnavailable,
    RecipientRefused,
)
from bot.integrations.email.sendgrid import SendGrid
from bot.web.server import listening
from sandbox.simulators.sendgrid import SendGridFault, SendGridSimulator
from tests.integrations.email.outside import KEY, NOBODY, SENDER, Outside


@pytest.fixture
def client(http: aiohttp.ClientSession, sendgrid: Outside) -> SendGrid:
    return SendGrid(http, api_key=KEY, sender=SENDER, base_url=sendgrid.url, seconds=5)


async def test_a_mail_is_accepted_with_an_id(client: SendGrid, sendgrid: Outside, mail: Mail) -> None:
    id_ = await client.send(replace(mail, attachments=(MailAttachment("a.pdf", "application/pdf", b"%PDF"),)))
    assert id_
    (sent,) = sendgrid.sendgrid.mails
    assert sent["personalizations"] == [{"to": [{"email": mail.to}]}]
    assert sent["from"] == {"email": SENDER, "name": mail.sender_name}
    assert [content["value"] for content in sent["content"]] == [mail.text, mail.html]
    assert sent["headers"]["Message-ID"] == mail.message_id
    assert sent["attachments"][0]["filename"] == "a.pdf"


async def test_the_set_name_of_the_sender_wins(http: aiohttp.ClientSession, sendgrid: Outside, mail: Mail) -> None:
    named = SendGrid(http, api_key=KEY, sender=SENDER, sender_name="Caja\r\nBcc: x", base_url=sendgrid.url)
    await named.send(mail)
    assert sendgrid.sendgrid.mails[0]["from"]["name"] == "Caja Bcc: x"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (SendGridFault(429), ProviderUnavailable),
        (SendGridFault(500), ProviderUnavailable),
        (SendGridFault(503), ProviderUnavailable),
        (SendGridFault(drop=True), InDoubt),
        (SendGridFault(seconds=3), InDoubt),
        (SendGridFault(503, seconds=3), InDoubt),
    ],
    ids=str,
)
async def test_what_a_failure_means(
    http: aiohttp.ClientSession, sendgrid: Outside, mail: Mail, fault: SendGridFault, error: type[MailError]
) -> None:
    sendgrid.sendgrid.will(fault)
    with pytest.raises(MailError) as raised:
        await SendGrid(http, api_key=KEY, sender=SENDER, base_url=sendgrid.url, seconds=0.3).send(mail)
    assert type(raised.value) is error


async def test_an_address_that_sendgrid_refuses_is_refused_for_good(client: SendGrid, mail: Mail) -> None:
    with pytest.raises(RecipientRefused, match="HTTP 400: Does not contain a valid address"):
        await client.send(replace(mail, to="ana@cliente"))


async def test_a_message_that_sendgrid_does_not_like_is_no_fault_of_the_recipient(client: SendGrid, mail: Mail) -> None:
    with pytest.raises(ProviderUnavailable, match="subject is required"):
        await client.send(replace(mail, subject=""))


async def test_a_mail_that_is_too_large_is_no_fault_of_the_recipient(client: SendGrid, mail: Mail) -> None:
    with pytest.raises(ProviderUnavailable, match="413"):
        await client.send(replace(mail, attachments=(MailAttachment("a", "a/b", bytes(24 * 1024**2)),)))


@pytest.mark.parametrize(
    ("key", "sender", "fix"),
    [("SG.other", SENDER, "SENDGRID_API_KEY"), (KEY, "otro@recado.example", "SENDGRID_FROM_EMAIL")],
)
async def test_wrong_credentials_are_for_the_operator(
    http: aiohttp.ClientSession, sendgrid: Outside, mail: Mail, key: str, sender: str, fix: str
) -> None:
    with pytest.raises(Misconfigured) as raised:
        await SendGrid(http, api_key=key, sender=sender, base_url=sendgrid.url).send(mail)
    assert fix in raised.value.fix
    assert key not in str(raised.value)


async def test_nobody_there_is_no_doubt(http: aiohttp.ClientSession, mail: Mail) -> None:
    with pytest.raises(ProviderUnavailable, match="no connection"):
        await SendGrid(http, api_key=KEY, sender=SENDER, base_url=NOBODY).send(mail)


async def test_a_website_is_not_sendgrid(http: aiohttp.ClientSession, mail: Mail) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", page)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        client = SendGrid(http, api_key=KEY, sender=SENDER, base_url=url)
        for asked in (client.send(mail), client.check()):
            with pytest.raises(Misconfigured) as raised:
                await asked
            assert "SENDGRID_BASE_URL" in raised.value.fix


async def test_a_check_tells_whether_the_key_may_send(client: SendGrid, http: aiohttp.ClientSession) -> None:
    assert SENDER in await client.check()
    reader = SendGridSimulator(KEY, SENDER, scopes=("stats.read",))
    async with listening(reader.app(), "127.0.0.1", 0, finish=0.1) as url:
        with pytest.raises(Misconfigured, match="may not send"):
            await SendGrid(http, api_key=KEY, sender=SENDER, base_url=url).check()
