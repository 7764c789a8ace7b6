"""Amazon SES: moto's server accepts, Amazon's own library checks the signature, and a double refuses."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_string, policy
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.integrations.email.aws_sigv4 import AwsKey
from bot.integrations.email.factory import check_providers, provider
from bot.integrations.email.provider import (
    InDoubt,
    Mail,
    MailAttachment,
    MailError,
    Misconfigured,
    ProviderUnavailable,
    RecipientRefused,
)
from bot.integrations.email.ses import Ses
from bot.settings import Settings
from bot.web.server import listening
from tests.integrations.email.outside import NOBODY, SENDER

AWS = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "ses")


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Moto's SES, to which our sender is known."""
    import boto3  # type: ignore[import-untyped] # noqa: PLC0415 - heavy, and Amazon ships no types
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - heavy

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    options = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    ses = boto3.client("sesv2", endpoint_url=url, **options)
    ses.create_email_identity(EmailIdentity=SENDER)
    ses.close()
    yield url
    server.stop()


@dataclass
class Amazon:
    """Answers like Amazon's to faulty requests; `cut` breaks the connection instead."""

    status: int = 200
    kind: str = ""
    message: str = ""
    body: Any = None
    cut: bool = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/v2/email/{tail:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        if self.cut and request.transport is not None:
            await request.read()
            request.transport.abort()
        body = self.body if self.body is not None else {"message": self.message}
        return web.json_response(body, status=self.status, headers={"x-amzn-ErrorType": self.kind} if self.kind else {})


@pytest.fixture
async def amazon() -> AsyncIterator[tuple[Amazon, str]]:
    imitation = Amazon()
    async with listening(imitation.app(), "127.0.0.1", 0, finish=0.1) as url:
        yield imitation, url


@pytest.fixture
def ses(http: aiohttp.ClientSession, amazon: tuple[Amazon, str]) -> Ses:
    return Ses(http, AWS, sender=SENDER, base_url=amazon[1], seconds=2)


def test_the_signature_is_the_one_that_amazons_own_library_makes() -> None:
    from botocore.auth import SigV4Auth  # type: ignore[import-untyped] # noqa: PLC0415 - heavy
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped] # noqa: PLC0415 - heavy
    from botocore.credentials import Credentials  # type: ignore[import-untyped] # noqa: PLC0415 - heavy

    url, body = "https://email.us-east-1.amazonaws.com/v2/email/outbound-emails", b'{"a": 1}'
    moment = datetime.now(UTC)
    request = AWSRequest("POST", url, headers={"Content-Type": "application/json"}, data=body)
    theirs = SigV4Auth(Credentials(AWS.id, AWS.secret), "ses", "us-east-1")
    theirs.add_auth(request)
    stamped = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((stamped - moment).total_seconds()) < 5
    assert AWS.signed("POST", url, body, stamped)["authorization"] == request.headers["Authorization"]


async def test_a_mail_with_both_bodies_and_a_file_is_taken(http: aiohttp.ClientSession, moto: str, mail: Mail) -> None:
    pdf = MailAttachment("factura.pdf", "application/pdf", b"%PDF-1.7")
    assert await Ses(http, AWS, sender=SENDER, base_url=moto).send(replace(mail, attachments=(pdf,)))
    async with http.get(f"{moto}/moto-api/data.json") as response:
        kept = (await response.json(content_type=None))["ses"]
    (raw,) = [message for message in kept["RawMessage"] if mail.to in str(message)]
    message: Any = message_from_string(raw["raw_data"], policy=policy.default)
    assert message["To"] == mail.to
    assert message["Subject"] == mail.subject
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == mail.text
    assert message.get_body(("html",)).get_content().strip() == mail.html
    assert [part.get_filename() for part in message.iter_attachments()] == ["factura.pdf"]


async def test_a_sender_that_ses_does_not_know_is_no_fault_of_the_recipient(
    http: aiohttp.ClientSession, moto: str, mail: Mail
) -> None:
    with pytest.raises(ProviderUnavailable, match="MessageRejected"):
        await Ses(http, AWS, sender="otro@recado.example", base_url=moto).send(mail)


@pytest.mark.parametrize(
    ("status", "kind", "message", "error"),
    [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", ProviderUnavailable),
        (400, "LimitExceededException", "Daily message quota exceeded.", ProviderUnavailable),
        (500, "InternalFailure", "", ProviderUnavailable),
        (503, "ServiceUnavailable", "", ProviderUnavailable),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.", Misconfigured),
        (403, "SignatureDoesNotMatch", "The request signature we calculated does not match", Misconfigured),
        (403, "AccessDeniedException", "not authorized to perform: ses:SendEmail", Misconfigured),
        (400, "SendingPausedException", "Email sending is paused.", Misconfigured),
        (400, "AccountSuspendedException:http://internal.amazon.com/", "Account suspended", Misconfigured),
        (400, "MessageRejected", "Email address is not verified. ana@cliente.example", Misconfigured),
        (400, "MessageRejected", "Email contains a virus", ProviderUnavailable),
        (400, "BadRequestException", "Missing final '@domain'", RecipientRefused),
        (400, "BadRequestException", "Domain contains illegal character", RecipientRefused),
        (400, "BadRequestException", "Raw message is malformed", ProviderUnavailable),
        (302, "", "", Misconfigured),
    ],
)
async def test_what_an_error_of_amazon_means(
    ses: Ses, amazon: tuple[Amazon, str], mail: Mail, status: int, kind: str, message: str, error: type[MailError]
) -> None:
    amazon[0].status, amazon[0].kind, amazon[0].message = status, kind, message
    with pytest.raises(MailError) as raised:
        await ses.send(mail)
    assert type(raised.value) is error
    assert "ana@" not in str(raised.value)


async def test_an_answer_that_never_comes_leaves_a_doubt(ses: Ses, amazon: tuple[Amazon, str], mail: Mail) -> None:
    amazon[0].cut = True
    with pytest.raises(InDoubt):
        await ses.send(mail)
    with pytest.raises(ProviderUnavailable):
        await ses.check()


async def test_nobody_there_is_no_doubt(http: aiohttp.ClientSession, mail: Mail) -> None:
    with pytest.raises(ProviderUnavailable, match="no connection"):
        await Ses(http, AWS, sender=SENDER, base_url=NOBODY).send(mail)


async def test_a_server_that_says_nothing_leaves_a_doubt(
    http: aiohttp.ClientSession, silent_port: int, mail: Mail
) -> None:
    with pytest.raises(InDoubt):
        await Ses(http, AWS, sender=SENDER, base_url=f"http://127.0.0.1:{silent_port}", seconds=0.2).send(mail)


async def test_the_settings_make_a_client_that_the_doctor_can_ask(
    amazon: tuple[Amazon, str], monkeypatch: pytest.MonkeyPatch, mail: Mail, http: aiohttp.ClientSession, moto: str
) -> None:
    monkeypatch.setenv("AWS_SES_ACCESS_KEY_ID", AWS.id)
    monkeypatch.setenv("AWS_SES_SECRET_ACCESS_KEY", AWS.secret)
    monkeypatch.setenv("AWS_SES_FROM_EMAIL", SENDER)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SES", moto)
    assert await provider("ses", Settings().mail, http).send(mail)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SES", amazon[1])
    amazon[0].status, amazon[0].kind = 403, "SignatureDoesNotMatch"
    ((name, works, words),) = await check_providers(Settings().mail)
    assert (name, works) == ("SES", False)
    assert "AWS_SES_SECRET_ACCESS_KEY" in words
    assert AWS.secret not in words


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Amazon(body={"SendingEnabled": True, "ProductionAccessEnabled": True}), "takes e-mail"),
        (Amazon(403, "AccessDeniedException", "not authorized to perform: ses:GetAccount"), "the key is right"),
        (Amazon(body={"SendingEnabled": False}), "may not send"),
        (Amazon(body={"SendingEnabled": True, "ProductionAccessEnabled": False}), "sandbox"),
        (Amazon(403, "SignatureDoesNotMatch"), "SignatureDoesNotMatch"),
        (Amazon(body={"hello": "world"}), "not the answer of SES"),
    ],
    ids=["whole", "may only send", "off", "sandbox", "wrong key", "something else"],
)
async def test_a_check_tells_what_the_account_may(http: aiohttp.ClientSession, answer: Amazon, told: str) -> None:
    async with listening(answer.app(), "127.0.0.1", 0, finish=0.1) as url:
        client = Ses(http, AWS, sender=SENDER, base_url=url)
        try:
            words = await client.check()
        except Misconfigured as error:
            words = str(error)
    assert told in words
