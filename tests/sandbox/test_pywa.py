"""An independent client, pywa, works with the Meta simulator as with Meta: it sends, and reads webhooks."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pywa import errors
from pywa_async import WhatsApp, handlers
from pywa_async.types import (
    Button,
    CallbackButton,
    CallbackSelection,
    DeletedMessage,
    EditedMessage,
    Message,
    MessageStatus,
    MessageType,
    Section,
    SectionList,
    SectionRow,
)
from pywa_async.types.templates import BodyText, TemplateLanguage, TemplateStatusUpdate

from bot.whatsapp.templates.files import load
from bot.whatsapp.templates.rules import create_body
from sandbox.meta.simulator import MetaSimulator, Person
from tests.paths import ROOT

SECRET, TOKEN = "the app's secret", "the business's token"
Media = Callable[[str], bytes]


class ToTheSandbox(httpx.AsyncHTTPTransport):
    """Redirects requests, because pywa's address of Meta is fixed."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = httpx.URL(base)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host in {"graph.facebook.com", "127.0.0.1"}
        request.url = request.url.copy_with(scheme="http", host=self._base.host, port=self._base.port)
        return await super().handle_async_request(request)


@pytest.fixture
def updates() -> list[Any]:
    """The updates that pywa's parser made of the webhooks, in order."""
    return []


@pytest.fixture
async def meta() -> AsyncIterator[MetaSimulator]:
    meta = MetaSimulator(
        webhook_url="", app_secret=SECRET, access_token=TOKEN, verify_token="verify", status_pauses=(0, 0, 0)
    )
    await meta.start()
    yield meta
    await meta.stop()


@pytest.fixture
async def pywa(meta: MetaSimulator, updates: list[Any], caplog: pytest.LogCaptureFixture) -> AsyncIterator[WhatsApp]:
    """The client, whose own parser gets the sandbox's webhooks; it may log no warning."""
    async with httpx.AsyncClient(transport=ToTheSandbox(meta.media.base_url)) as session:
        client = WhatsApp(
            phone_id=meta.phone_number_id, token=TOKEN, session=session, server=None, app_secret=SECRET,
            verify_token="verify", waba_id=meta.waba_id, filter_updates=False,
        )  # fmt: skip

        async def collect(_: WhatsApp, update: Any) -> None:
            updates.append(update)

        for kind in (
            handlers.MessageHandler, handlers.MessageStatusHandler, handlers.CallbackButtonHandler,
            handlers.CallbackSelectionHandler, handlers.EditedMessageHandler, handlers.DeletedMessageHandler,
            handlers.TemplateStatusUpdateHandler,
        ):  # fmt: skip
            client.add_handlers(kind(collect))

        async def hook(request: web.Request) -> web.Response:
            body = await request.read()
            assert await client.webhook_update_validator(body, request.headers["X-Hub-Signature-256"]) is None
            words, status = await client.webhook_update_handler(body)
            return web.Response(text=words, status=status)

        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/hook", hook)
        async with TestServer(app) as server:
            meta._sender.url = meta.webhook_url = str(server.make_url("/hook"))
            yield client
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.fixture
async def wrote(meta: MetaSimulator, pywa: WhatsApp, ana: Person, updates: list[Any]) -> str:
    """Ana has written, so that her window is open."""
    wamid = await meta.writes(ana, {"type": "text", "text": {"body": "Hola"}})
    updates.clear()
    return wamid


def address(person: Person) -> str:
    return person.phone or person.bsuid


# ---- sending with pywa


async def test_a_text_arrives_and_its_statuses_come_back(
    meta: MetaSimulator, pywa: WhatsApp, ana: Person, wrote: str, updates: list[Any]
) -> None:
    sent = await pywa.send_message(address(ana), "Hola, Ana", reply_to_message_id=wrote, tracker="job:1")
    await meta.idle()
    (message,) = meta.sent_to(ana)
    assert (message.wamid, message.text, message.request["context"]) == (sent.id, "Hola, Ana", {"message_id": wrote})
    assert [(update.status, update.id, update.tracker) for update in updates] == [
        ("sent", sent.id, "job:1"), ("delivered", sent.id, "job:1"), ("read", sent.id, "job:1"),
    ]  # fmt: skip


async def test_a_person_without_a_visible_phone_is_reached_by_their_bsuid(meta: MetaSimulator, pywa: WhatsApp) -> None:
    sam = Person(phone=None, bsuid="US.13491208655302741918", name="Sam", username="sam.w")
    await meta.writes(sam, {"type": "text", "text": {"body": "hello"}})
    await pywa.send_message(sam.bsuid, "Hello, Sam")
    assert [sent.text for sent in meta.sent_to(sam)] == ["Hello, Sam"]


async def test_files_are_uploaded_and_sent(
    meta: MetaSimulator, pywa: WhatsApp, ana: Person, wrote: str, media: Media
) -> None:
    photo, voice, price_list = (
        media("photos/ean13-1_1.jpg"),
        media("voice/es_hola.ogg"),
        media("documents/price_list.pdf"),
    )
    await pywa.send_image(address(ana), photo, caption="Mira", mime_type="image/jpeg")
    await pywa.send_audio(address(ana), voice, mime_type="audio/ogg", is_voice=True)
    await pywa.send_document(address(ana), price_list, filename="precios.pdf", mime_type="application/pdf")
    image, audio, document = (sent.request for sent in meta.sent_to(ana))
    assert image["image"]["caption"] == "Mira"
    assert document["document"]["filename"] == "precios.pdf"
    kept = [meta.media.get(part["id"]).data for part in (image["image"], audio["audio"], document["document"])]
    assert kept == [photo, voice, price_list]


async def test_buttons_and_lists_arrive_and_their_taps_come_back(
    meta: MetaSimulator, pywa: WhatsApp, ana: Person, wrote: str, updates: list[Any]
) -> None:
    asked = await pywa.send_message(
        address(ana), "¿Confirmas?", buttons=[Button("Sí", callback_data="yes"), Button("No", callback_data="no")]
    )
    rows = [SectionRow(title="Chica", callback_data="s", description="36-38")]
    listed = await pywa.send_message(
        address(ana), "Elige", buttons=SectionList("Tallas", sections=[Section("Tallas", rows=rows)])
    )
    assert [sent.request["interactive"]["type"] for sent in meta.sent_to(ana)] == ["button", "list"]
    await meta.idle()
    updates.clear()
    tap = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Sí"}}
    await meta.writes(ana, {"type": "interactive", "interactive": tap}, context=asked.id)
    tap = {"type": "list_reply", "list_reply": {"id": "s", "title": "Chica", "description": "36-38"}}
    await meta.writes(ana, {"type": "interactive", "interactive": tap}, context=listed.id)
    button, row = updates
    assert isinstance(button, CallbackButton)
    assert (button.data, button.title) == ("yes", "Sí")
    assert isinstance(row, CallbackSelection)
    assert (row.data, row.title, row.description) == ("s", "Chica", "36-38")


async def test_a_template_is_made_reviewed_and_sent_to_somebody_who_never_wrote(
    meta: MetaSimulator, pywa: WhatsApp, ana: Person, updates: list[Any]
) -> None:
    await pywa.send_template(
        address(ana), "order_confirmation", TemplateLanguage.SPANISH,
        params=[BodyText.params(name="Ana", order="A-17", total="120.00 MXN")],
    )  # fmt: skip
    (sent,) = meta.accepted
    assert sent.request["template"]["name"] == "order_confirmation"
    listed = await pywa.get_templates()
    assert {template.name for template in listed} == {"order_confirmation", "payment_reminder", "shipping_update"}


async def test_our_own_template_files_are_read_by_pywa_as_we_mean_them(
    meta: MetaSimulator, pywa: WhatsApp, updates: list[Any]
) -> None:
    for definition in load(ROOT / "templates"):
        meta._tasks.start(meta._status_reporter.review(meta.templates.create(create_body(definition))))
    await meta.idle()
    told = [update for update in updates if isinstance(update, TemplateStatusUpdate)]
    assert {(update.template_name, update.new_status) for update in told} == {
        (name, "APPROVED") for name in ("order_confirmation", "payment_reminder", "shipping_update")
    }
    found = {(template.name, str(template.language)): template for template in await pywa.get_templates()}
    ours = found["payment_reminder", "es_MX"]
    assert [type(component).__name__ for component in ours.components] == [
        "HeaderText",
        "BodyText",
        "FooterText",
        "Buttons",
    ]


async def test_a_message_is_marked_as_read_and_typing_is_shown(meta: MetaSimulator, pywa: WhatsApp, wrote: str) -> None:
    assert (await pywa.mark_message_as_read(wrote)).success
    assert (await pywa.indicate_typing(wrote)).success
    assert (meta.read_marks, meta.typing) == ([wrote, wrote], [wrote])


async def test_refusals_are_the_errors_that_pywa_knows(meta: MetaSimulator, pywa: WhatsApp, ana: Person) -> None:
    with pytest.raises(errors.ReEngagementMessage):
        await pywa.send_message(address(ana), "Hola")


# ---- reading with pywa


async def test_pywa_reads_every_kind_of_file(
    meta: MetaSimulator, pywa: WhatsApp, ana: Person, updates: list[Any], media: Media
) -> None:
    photo, voice = media("photos/ean13-1_1.jpg"), media("voice/es_hola.ogg")
    await meta.sends_media(ana, "image", photo, "image/jpeg", caption="¿Cuánto?")
    await meta.sends_media(ana, "audio", voice, "audio/ogg; codecs=opus")
    await meta.sends_media(
        ana, "document", media("documents/price_list.pdf"), "application/pdf", filename="precios.pdf"
    )
    image, audio, document = updates
    assert (image.image.mime_type, image.caption) == ("image/jpeg", "¿Cuánto?")
    assert audio.audio.voice
    assert document.document.filename == "precios.pdf"
    assert await image.image.get_bytes() == photo


POLL = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
CARD = {"name": {"formatted_name": "Luis"}, "phones": [{"phone": "+52 55 9876 5432", "wa_id": "5215598765432"}]}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"type": "text", "text": {"body": "¡Hola! 👋 a/b"}}, MessageType.TEXT),
        ({"type": "location", "location": {"latitude": 19.4, "longitude": -99.1, "name": "A"}}, MessageType.LOCATION),
        ({"type": "contacts", "contacts": [CARD | {"origin": "other"}]}, MessageType.CONTACTS),
        ({"type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "👍"}}, MessageType.REACTION),
        ({"type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": ""}}, MessageType.REACTION),
        ({"type": "unsupported", "unsupported": {"type": "poll"}, "errors": [POLL]}, MessageType.UNSUPPORTED),
    ],
    ids=["text", "location", "contacts", "reaction", "reaction taken back", "unsupported"],
)  # fmt: skip
@pytest.mark.parametrize("phone", ["5215512345678", None], ids=["with a phone", "without a phone"])
async def test_pywa_reads_every_kind_of_message(
    meta: MetaSimulator,
    pywa: WhatsApp,
    updates: list[Any],
    message: dict[str, Any],
    kind: MessageType,
    phone: str | None,
) -> None:
    person = Person(phone, "MX.8801234567890123", "Ana", "ana.b")
    wamid = await meta.writes(person, message)
    (update,) = updates
    assert isinstance(update, Message)
    assert (update.id, update.type) == (wamid, kind)
    assert (update.from_user.wa_id, update.from_user.name) == (person.phone, "Ana")
    assert update.from_user.bsuid == person.bsuid


async def test_pywa_reads_edits_revocations_and_failures(
    meta: MetaSimulator, pywa: WhatsApp, ana: Person, wrote: str, updates: list[Any]
) -> None:
    words = {"type": "text", "text": {"body": "Hola, Ana"}}
    await meta.writes(ana, {"type": "edit", "edit": {"original_message_id": wrote, "message": words}})
    await meta.writes(ana, {"type": "revoke", "revoke": {"original_message_id": wrote}})
    meta.will_fail(131026)
    await pywa.send_message(address(ana), "Hola")
    await meta.idle()
    edited, deleted, failed = updates
    assert isinstance(edited, EditedMessage)
    assert isinstance(deleted, DeletedMessage)
    assert isinstance(failed, MessageStatus)
    assert (failed.status, failed.error.code if failed.error else None) == ("failed", 131026)


async def test_pywa_reads_a_batch(meta: MetaSimulator, pywa: WhatsApp, ana: Person, updates: list[Any]) -> None:
    await meta.writes(ana, {"type": "text", "text": {"body": "Hola"}}, context={"forwarded": True})
    assert updates[0].forwarded
