"""An e-mail as the bytes that SMTP and SES carry (RFC 5322, 2045): text and HTML, then the attachments."""

from __future__ import annotations

from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from bot.integrations.email.provider import Mail, display_name

# Seven bits pass every server, with any extensions.
_POLICY = policy.SMTP.clone(cte_type="7bit")


def encoded(mail: Mail, sender: str) -> bytes:
    message = EmailMessage(_POLICY)
    message["From"] = Address(display_name(mail.sender_name), addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.sent_at)
    message["Message-ID"] = mail.message_id
    # RFC 3834: this header stops vacation notices and other automatic answers.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for attached in mail.attachments:
        kind, _, subtype = attached.mime.partition("/")
        message.add_attachment(attached.data, kind, subtype, filename=attached.filename)
    return message.as_bytes()
