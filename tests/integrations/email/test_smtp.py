"""SMTP against a real server with STARTTLS and login: arriving e-mails, and the meaning of each refusal."""

from collections.abc import Callable
from dataclasses import replace
from traceback import format_exception
from typing import Any

import pytest

from bot.integrations.email.provider import (
    InDoubt,
    Mail,
    MailAttachment,
    MailError,
    Misconfigured,
    ProviderUnavailable,
    RecipientRefused,
)
from bot.integrations.email.smtp import Smtp
from sandbox.simulators.smtp import SmtpSimulator
from tests.integrations.email.outside import LOGIN, SENDER

Make = Callable[..., Smtp]


@pytest.fixture
def smtp(postbox: SmtpSimulator, trusted: None) -> Smtp:
    return Smtp("localhost", postbox.port, sender=SENDER, login=LOGIN, seconds=5)


async def test_a_mail_arrives_as_it_was_written(smtp: Smtp, postbox: SmtpSimulator, mail: Mail) -> None:
    pdf = MailAttachment("factura-ñ.pdf", "application/pdf", b"%PDF-1.7\x00\xff")
    await smtp.send(replace(mail, attachments=(pdf,)))
    (posted,) = postbox.mails
    assert posted.to == [mail.to]
    assert posted.subject == mail.subject
    assert posted.text.replace("\r\n", "\n") == mail.text
    assert posted.html.strip() == mail.html
    assert posted.attachments == ["factura-ñ.pdf"]
    assert posted.sender == '"Café Ñandú, S.A. de C.V." <hola@recado.example>'
    assert posted.message["Message-ID"] == mail.message_id
    assert posted.message["Date"] == "Tue, 24 Nov 2026 16:00:00 +0000"
    assert posted.message["Auto-Submitted"] == "auto-generated"
    (attached,) = posted.message.iter_attachments()
    assert attached.get_content() == pdf.data


@pytest.mark.parametrize("field", ["sender_name", "subject", "to"])
async def test_no_value_becomes_a_header_of_its_own(smtp: Smtp, postbox: SmtpSimulator, mail: Mail, field: str) -> None:
    changed: dict[str, Any] = {field: f"{getattr(mail, field)}\r\nBcc: todos@otro.example\r\n\r\nhola"}
    evil = replace(mail, **changed)
    try:
        await smtp.send(evil)
    except ValueError:
        assert field != "sender_name"
        assert not postbox.mails
        return
    (posted,) = postbox.mails
    assert posted.message["Bcc"] is None
    assert posted.to == [mail.to]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 5.1.1 <ana@cliente.example>: Recipient address rejected: User unknown", RecipientRefused),
        ("550 No such user here", RecipientRefused),
        ("553 5.1.3 Bad recipient address syntax", RecipientRefused),
        ("550 5.2.1 The email account that you tried to reach is disabled", RecipientRefused),
        ("550 5.7.1 Relaying denied", ProviderUnavailable),
        ("550 relay not permitted", ProviderUnavailable),
        ("554 5.7.1 Service unavailable; client host blocked", ProviderUnavailable),
        ("552 5.2.2 Mailbox full", ProviderUnavailable),
        ("450 4.2.0 Greylisted, try again", ProviderUnavailable),
        ("451 4.3.0 Try again later", ProviderUnavailable),
        ("421 4.7.0 Too many connections", ProviderUnavailable),
        ("drop", ProviderUnavailable),
    ],
)
async def test_what_a_refused_recipient_means(
    smtp: Smtp, postbox: SmtpSimulator, mail: Mail, answer: str, error: type[MailError]
) -> None:
    postbox.will_answer("RCPT", answer)
    with pytest.raises(MailError) as raised:
        await smtp.send(mail)
    assert type(raised.value) is error
    assert "ana@" not in "".join(format_exception(raised.value))
    assert not postbox.mails


@pytest.mark.parametrize("answer", ["554 5.6.0 I don't like it", "451 4.3.0 Disk full", "552 5.3.4 Too large"])
async def test_a_message_that_is_refused_after_data_has_not_left(
    smtp: Smtp, postbox: SmtpSimulator, mail: Mail, answer: str
) -> None:
    postbox.will_answer("DATA", answer)
    with pytest.raises(ProviderUnavailable):
        await smtp.send(mail)


@pytest.mark.parametrize("answer", ["drop", "drop after"])
async def test_a_connection_that_breaks_after_the_message_leaves_a_doubt(
    smtp: Smtp, postbox: SmtpSimulator, mail: Mail, answer: str
) -> None:
    postbox.will_answer("DATA", answer)
    with pytest.raises(InDoubt):
        await smtp.send(mail)


async def test_a_sender_who_is_refused_is_for_the_operator(smtp: Smtp, postbox: SmtpSimulator, mail: Mail) -> None:
    postbox.will_answer("MAIL", "553 5.7.1 Sender address rejected: not owned by user")
    with pytest.raises(Misconfigured) as raised:
        await smtp.send(mail)
    assert "SMTP_FROM_EMAIL" in raised.value.fix


async def test_a_wrong_password_is_for_the_operator_and_never_told(postbox: SmtpSimulator, trusted: None) -> None:
    with pytest.raises(Misconfigured) as raised:
        await Smtp("localhost", postbox.port, sender=SENDER, login=("recado", "hunter3"), seconds=5).check()
    assert "SMTP_PASSWORD" in raised.value.fix
    assert "hunter" not in str(raised.value)


async def test_a_certificate_of_a_stranger_is_refused(postbox: SmtpSimulator, mail: Mail) -> None:
    with pytest.raises(Misconfigured, match="no secure connection"):
        await Smtp("localhost", postbox.port, sender=SENDER, login=LOGIN, seconds=5).send(mail)
    assert not postbox.mails


async def test_a_certificate_for_another_name_is_refused(postbox: SmtpSimulator, trusted: None) -> None:
    with pytest.raises(Misconfigured, match="no secure connection"):
        await Smtp("127.0.0.1", postbox.port, sender=SENDER, login=LOGIN, seconds=5).check()


async def test_no_password_goes_to_a_server_without_starttls(mail: Mail) -> None:
    async with SmtpSimulator().running() as plain:
        with pytest.raises(Misconfigured, match="STARTTLS") as raised:
            await Smtp("localhost", plain.port, sender=SENDER, login=LOGIN, seconds=5).send(mail)
        assert "SMTP_TLS" in raised.value.fix
        assert not plain.mails


async def test_where_neither_tls_nor_login_is_set_neither_is_used(mail: Mail) -> None:
    async with SmtpSimulator().running() as plain:
        await Smtp("localhost", plain.port, sender=SENDER, tls="none", seconds=5).send(mail)
        assert len(plain.mails) == 1


async def test_nobody_there_is_no_doubt(mail: Mail) -> None:
    with pytest.raises(ProviderUnavailable, match="no connection"):
        await Smtp("127.0.0.1", 9, sender=SENDER, seconds=5).send(mail)


async def test_a_server_that_says_nothing_is_left_in_time(silent_port: int, mail: Mail) -> None:
    with pytest.raises(ProviderUnavailable, match="no connection"):
        await Smtp("127.0.0.1", silent_port, sender=SENDER, seconds=0.2).send(mail)


async def test_a_check_connects_and_logs_in(smtp: Smtp, postbox: SmtpSimulator) -> None:
    assert SENDER in await smtp.check()
    assert not postbox.mails
