"""Every part as Meta's JSON."""

from __future__ import annotations

from typing import Any

from bot.messages.outbound import (
    AskLocation,
    Attachment,
    Buttons,
    Choice,
    LinkButton,
    Menu,
    Picture,
    Reply,
    Say,
    StoredFile,
    VoiceNote,
)
from bot.whatsapp.rendering import Plain, render
from sandbox.meta.validation import parse_request
from tests.rows import each

ANA = Reply(id="r", parts=(), phone="5215512345678", bsuid="MX.1")
SAM = Reply(id="r", parts=(), bsuid="US.13491208655302741918")
INVOICE = StoredFile(key="invoices/A-17.pdf", mime="application/pdf", filename="Factura A-17.pdf")
CHOICES = (Choice(id="s", title="Chica", description="36-38"), Choice(id="m", title="Grande"))


def interactive(kind: str, body: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "body": {"text": body}, "action": action} | more


@each(
    ("part", "kind", "content"),
    [
        (Say(body="Hola"), "text", {"body": "Hola", "preview_url": False}),
        (Say(body="ve https://a.example"), "text", {"body": "ve https://a.example", "preview_url": True}),
        (Picture(file=INVOICE, caption="Foto"), "image", {"id": "77", "caption": "Foto"}),
        (Picture(file=INVOICE), "image", {"id": "77"}),
        (Attachment(file=INVOICE), "document", {"id": "77", "filename": "Factura A-17.pdf"}),
        (
            Attachment(file=StoredFile(key="invoices/A-17.pdf", mime="application/pdf"), caption="x"),
            "document",
            {"id": "77", "filename": "A-17.pdf", "caption": "x"},
        ),
        (VoiceNote(file=INVOICE), "audio", {"id": "77", "voice": True}),
        (
            AskLocation(body="¿Dónde?"),
            "interactive",
            interactive("location_request_message", "¿Dónde?", {"name": "send_location"}),
        ),
        (
            Buttons(body="¿Talla?", choices=CHOICES, footer="Tienda"),
            "interactive",
            interactive(
                "button",
                "¿Talla?",
                {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "s", "title": "Chica"}},
                        {"type": "reply", "reply": {"id": "m", "title": "Grande"}},
                    ]
                },
                footer={"text": "Tienda"},
            ),
        ),
        (
            Menu(body="¿Talla?", opener="Ver", choices=CHOICES),
            "interactive",
            interactive(
                "list",
                "¿Talla?",
                {
                    "button": "Ver",
                    "sections": [
                        {
                            "rows": [
                                {"id": "s", "title": "Chica", "description": "36-38"},
                                {"id": "m", "title": "Grande"},
                            ]
                        }
                    ],
                },
            ),
        ),
        (
            LinkButton(body="Tu factura", label="Abrir", url="https://shop.example/1"),
            "interactive",
            interactive(
                "cta_url",
                "Tu factura",
                {"name": "cta_url", "parameters": {"display_text": "Abrir", "url": "https://shop.example/1"}},
            ),
        ),
    ],
)
def test_a_part_is_written_as_meta_reads_it(part: Plain, kind: str, content: dict[str, Any]) -> None:
    message = render(part, ANA, "c.r.0", "77")
    assert (message["type"], message[kind]) == (kind, content)
    assert message["to"] == "+5215512345678"
    assert message["biz_opaque_callback_data"] == "c.r.0"
    parse_request(message)


def test_a_quote_goes_into_the_context() -> None:
    message = render(Say(body="Sí", quote="wamid.9"), ANA, "c.r.0")
    assert message["context"] == {"message_id": "wamid.9"}


def test_a_person_without_a_phone_gets_it_by_recipient_and_never_by_to() -> None:
    message = render(Say(body="Hi"), SAM, "c.r.0")
    assert message["recipient"] == SAM.bsuid
    assert "to" not in message
