"""Meta's bodies into our words: every type, every odd shape, and nothing lost because of its neighbour."""

import json
from datetime import UTC, datetime
from typing import Any

from bot.messages.inbound import (
    CallPermission,
    ContactCard,
    ContactCards,
    Content,
    Document,
    Edit,
    Form,
    Inbound,
    Location,
    Order,
    Photo,
    Reaction,
    Revoke,
    Sticker,
    System,
    Tap,
    Text,
    Unsupported,
    Video,
    Voice,
)
from bot.whatsapp.errors import MetaUnavailable, error_from
from tests.rows import each
from tests.whatsapp.webhook_values import ANA, FROM_ANA, METADATA, NOW, notification, value

MEDIA = {"id": "9001", "mime_type": "image/jpeg", "sha256": "5M0="}


def read(**message: Any) -> Inbound:
    (found,) = notification(value(FROM_ANA | message)).messages
    return found


def test_a_message_in_all_its_parts() -> None:
    message = read(type="text", text={"body": "Hola"}, context={"id": "wamid.0", "forwarded": True})
    assert message == Inbound(
        id="wamid.1",
        phone="5215512345678",
        bsuid="MX.8801",
        name="Ana",
        phone_number_id="1060000000",
        sent_at=datetime.fromtimestamp(1764000000, UTC),
        received_at=NOW,
        quoted="wamid.0",
        forwarded=True,
        content=Text(body="Hola"),
    )


CONTENTS: dict[str, tuple[dict[str, Any], Content]] = {
    "text": ({"type": "text", "text": {"body": "¿Qué?\n*ya*"}}, Text(body="¿Qué?\n*ya*")),
    "voice note": (
        {"type": "audio", "audio": {"id": "9", "mime_type": "audio/ogg; codecs=opus", "voice": True}},
        Voice(media_id="9", mime="audio/ogg; codecs=opus"),
    ),
    "audio file": ({"type": "audio", "audio": {"id": "9"}}, Voice(media_id="9", recorded=False)),
    "photo": (
        {"type": "image", "image": MEDIA | {"caption": "¿Cuánto?"}},
        Photo(media_id="9001", mime="image/jpeg", sha256="5M0=", caption="¿Cuánto?"),
    ),
    "video": ({"type": "video", "video": {"id": "9"}}, Video(media_id="9")),
    "document": (
        {"type": "document", "document": {"id": "9", "filename": "a.pdf"}},
        Document(media_id="9", filename="a.pdf"),
    ),
    "document without a name": ({"type": "document", "document": {"id": "9"}}, Document(media_id="9")),
    "sticker": ({"type": "sticker", "sticker": {"id": "9", "animated": False}}, Sticker(media_id="9")),
    "location": (
        {"type": "location", "location": {"latitude": 19.4, "longitude": -99.1, "name": "Tienda"}},
        Location(latitude=19.4, longitude=-99.1, name="Tienda"),
    ),
    "cards": (
        {
            "type": "contacts",
            "contacts": [
                {"name": {"formatted_name": "Luis"}, "phones": [{"phone": "+52 1"}, {"type": "WORK"}]},
                {"phones": [{"phone": "+52 2"}], "origin": "contact_request"},
            ],
        },
        ContactCards(cards=(ContactCard(name="Luis", phones=("+52 1",)), ContactCard(phones=("+52 2",), vouched=True))),
    ),
    "a card without a phone": (
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "Eva"},
                    "org": {"company": "Luna SA", "title": "Ventas"},
                    "emails": [{"email": "eva@luna.example", "type": "WORK"}, {"type": "HOME"}, "x"],
                    "urls": [{"url": "https://luna.example"}],
                    "addresses": [{"street": "Luna 7", "city": "Puebla", "country_code": "MX"}],
                },
                {"name": {"formatted_name": "Teo"}, "org": "x", "emails": {}, "addresses": [{}]},
            ],
        },
        ContactCards(
            cards=(
                ContactCard(
                    name="Eva",
                    company="Luna SA, Ventas",
                    others=("eva@luna.example", "https://luna.example", "Luna 7, Puebla"),
                ),
                ContactCard(name="Teo"),
            )
        ),
    ),
    "button": (
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "y", "title": "Sí"}}},
        Tap(id="y", title="Sí"),
    ),
    "list row": (
        {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "r", "title": "Azul"}}},
        Tap(id="r", title="Azul"),
    ),
    "flow": (
        {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": '{"a":1}'}}},
        Form(answers='{"a":1}'),
    ),
    "template's button": ({"type": "button", "button": {"payload": "p", "text": "Ver"}}, Tap(id="p", title="Ver")),
    "button without payload": ({"type": "button", "button": {"text": "Ver"}}, Tap(id="Ver", title="Ver")),
    "order": (
        {"type": "order", "order": {"product_items": [{"product_retailer_id": "SKU", "quantity": 2}]}},
        Order(items=("2 x SKU",)),
    ),
    "reaction": (
        {"type": "reaction", "reaction": {"message_id": "w", "emoji": "👍"}},
        Reaction(message_id="w", emoji="👍"),
    ),
    "reaction taken back": (
        {"type": "reaction", "reaction": {"message_id": "w"}},
        Reaction(message_id="w", emoji=None),
    ),
    "reaction taken back otherwise": (
        {"type": "reaction", "reaction": {"message_id": "w", "emoji": ""}},
        Reaction(message_id="w", emoji=None),
    ),
    "edit": (
        {"type": "edit", "edit": {"original_message_id": "w", "message": {"type": "text", "text": {"body": "no"}}}},
        Edit(message_id="w", body="no"),
    ),
    "revoke": ({"type": "revoke", "revoke": {"original_message_id": "w"}}, Revoke(message_id="w")),
    "new number": ({"type": "system", "system": {"type": "user_changed_number"}}, System(event="user_changed_number")),
    "edited caption": (
        {"type": "edit", "edit": {"original_message_id": "w", "message": {"type": "image", "image": {"caption": "x"}}}},
        Edit(message_id="w", body="x", caption=True),
    ),
    "permission to call": (
        {
            "type": "interactive",
            "interactive": {"call_permission_reply": {"response": "accept", "is_permanent": True}},
        },
        CallPermission(accepted=True),
    ),
    "number and id": (
        {"type": "system", "system": {"type": "user_changed_number", "wa_id": "5215599990000", "user_id": "MX.9"}},
        System(event="user_changed_number", phone="5215599990000", bsuid="MX.9"),
    ),
    "number, as before": (
        {"type": "system", "system": {"type": "customer_changed_number", "new_wa_id": "5215599990000"}},
        System(event="customer_changed_number", phone="5215599990000"),
    ),
    "photo that got lost": (
        {"type": "image", "image": MEDIA, "errors": [{"code": 131052}]},
        Unsupported(type="image", error=131052),
    ),
    "welcome": ({"type": "request_welcome"}, System(event="request_welcome")),
    "poll": ({"type": "unsupported", "unsupported": {"type": "poll"}}, Unsupported(type="poll")),
    "unknown": ({"type": "unknown", "errors": [{"code": 131051}]}, Unsupported(type="unknown", error=131051)),
    "type of next year": ({"type": "hologram", "hologram": {"id": 1}}, Unsupported(type="hologram")),
    "no type": ({}, Unsupported(type="unknown")),
}


@each(("message", "content"), CONTENTS.values(), ids=CONTENTS)
def test_what_a_message_says(message: dict[str, Any], content: Content) -> None:
    assert read(**message).content == content


@each(
    "message",
    [
        {"type": "text"},
        {"type": "text", "text": "hola"},
        {"type": "text", "text": {"body": ""}},
        {"type": "text", "text": {"body": {"body": "hola"}}},
        {"type": "image", "image": {"mime_type": "image/jpeg"}},
        {"type": "image", "image": {"id": "../../me"}},
        {"type": "image", "image": {"id": "9?fields=token"}},
        {"type": "image", "image": {"id": "9/../me"}},
        {"type": "image", "image": {"id": "/me"}},
        {"type": "image", "image": {"id": "9%2e%2e"}},
        {"type": "image", "image": {"id": "9#9"}},
        {"type": "image", "image": {"id": "9\n9"}},
        {"type": "image", "image": {"id": "\u0669"}},
        {"type": "image", "image": {"id": "9" * 513}},
        {"type": "audio", "audio": None},
        {"type": "location", "location": {"latitude": "north", "longitude": 1}},
        {"type": "location", "location": {"latitude": 91, "longitude": 1}},
        {"type": "location", "location": {"latitude": 1}},
        {"type": "contacts", "contacts": {}},
        {"type": "interactive"},
        {"type": "interactive", "interactive": {"type": "button_reply"}},
        {"type": "interactive", "interactive": {"type": "call_permission_reply", "call_permission_reply": {}}},
        {"type": "order", "order": {"product_items": "all"}},
        {"type": "reaction", "reaction": {"emoji": "👍"}},
        {"type": "edit", "edit": {"original_message_id": "w"}},
    ],
    ids=json.dumps,
)
def test_a_known_type_with_odd_insides_is_kept_as_unreadable(message: dict[str, Any]) -> None:
    assert read(**message).content == Unsupported(type=message["type"])


@each(
    ("name", "kept"),
    [(None, None), ("", None), ({"first": "Ana"}, None), (["Ana"], None), ("ñ" * 50_000, "ñ" * 200)],
    ids=str,
)
def test_a_name_may_be_missing_odd_or_endless(name: Any, kept: str | None) -> None:
    (message,) = notification(value(FROM_ANA, contacts=[ANA | {"profile": {"name": name}}])).messages
    assert message.name == kept


def test_half_an_emoji_is_stored_as_a_sign_that_can_be() -> None:
    message = read(type="text", text={"body": "hola \ud83d"})
    assert message.content == Text(body="hola ?")
    assert Inbound.model_validate_json(message.model_dump_json()) == message


@each(
    ("sender", "contacts", "phone", "bsuid"),
    [
        ({"from": "5215512345678"}, [], "5215512345678", None),
        ({"from_user_id": "MX.8801"}, [], None, "MX.8801"),
        ({"from_user_id": "MX.8801"}, [{"user_id": "MX.8801", "profile": {"name": "Ana"}}], None, "MX.8801"),
        ({"from_user_id": "MX.8801"}, [ANA], "5215512345678", "MX.8801"),
        ({"from": "5215512345678"}, [ANA], "5215512345678", "MX.8801"),
        ({}, [ANA], "5215512345678", "MX.8801"),
        ({"from": "+5215512345678"}, [], "5215512345678", None),
        ({"from": 5215512345678}, [], "5215512345678", None),
    ],
    ids=["phone", "bsuid", "bsuid twice", "phone of the contact", "bsuid of the contact", "contact", "plus", "number"],
)
def test_who_wrote(sender: dict[str, Any], contacts: list[Any], phone: str | None, bsuid: str | None) -> None:
    message = {"id": "wamid.1", "timestamp": "1764000000", "type": "text", "text": {"body": "Hola"}} | sender
    (found,) = notification(value(message, contacts=contacts)).messages
    assert (found.phone, found.bsuid) == (phone, bsuid)


def test_in_a_batch_of_contacts_each_message_finds_its_own() -> None:
    luis = {"profile": {"name": "Luis"}, "wa_id": "5215599999999", "user_id": "MX.9"}
    from_luis = FROM_ANA | {"from": "5215599999999", "from_user_id": "MX.9", "id": "wamid.2"}
    stranger = FROM_ANA | {"from": "5215500000000", "from_user_id": "MX.0", "id": "wamid.3"}
    found = notification(value(from_luis, FROM_ANA, stranger, contacts=[ANA, luis])).messages
    assert [message.name for message in found] == ["Luis", "Ana", None]


def test_a_lone_contact_does_not_lend_its_name_and_phone_to_another_sender() -> None:
    stranger = FROM_ANA | {"from": "5215500000000", "from_user_id": "MX.0"}
    (found,) = notification(value(stranger, contacts=[ANA])).messages
    assert (found.phone, found.bsuid, found.name) == ("5215500000000", "MX.0", None)


DISPLAYED: dict[str, Any] = {
    "missing": {"phone_number_id": "1"},
    "null": {"display_phone_number": None},
    "empty": {"display_phone_number": ""},
    "for people": {"display_phone_number": "+1 (555) 078-3881"},
    "with dots": {"display_phone_number": "+1.555.078.3881"},
    "words": {"display_phone_number": "hidden"},
    "too long": {"display_phone_number": "5" * 5000},
    "a list": {"display_phone_number": ["15550783881"]},
    "an object": {"display_phone_number": {"number": "15550783881"}},
    "no metadata": None,
    "metadata that is a text": "15550783881",
    "metadata that is a list": [METADATA],
}


@each("metadata", DISPLAYED.values(), ids=DISPLAYED)
@each("field", ["messages", "standby", "smb_message_echoes", "echo on standby"])
def test_somebody_without_a_phone_is_never_taken_for_the_business(metadata: Any, field: str) -> None:
    written = {"id": "wamid.1", "from_user_id": "MX.8801", "type": "text", "text": {"body": "Hola"}}
    sent = {"id": "wamid.1", "to_user_id": "MX.8801", "type": "text", "text": {"body": "Hola"}}
    values: dict[str, dict[str, Any]] = {
        "messages": {"messages": [written]},
        "standby": {"standby": {"messages": [written]}},
        "smb_message_echoes": {"message_echoes": [sent]},
        "echo on standby": {"standby": {"message_echoes": [{"id": "wamid.1", "message": sent}]}},
    }
    found = notification(values[field] | {"metadata": metadata}, field="standby" if "standby" in field else field)
    assert [(message.phone, message.bsuid, found.unknown) for message in found.messages] == [(None, "MX.8801", [])]


OURS: dict[str, tuple[str, Any]] = {
    "as it is": ("525500001111", "525500001111"),
    "a number": ("525500001111", 525500001111),
    "for people": ("525500001111", "+52 (55) 0000-1111"),
    "with dots and blanks": ("525500001111", "+52\u00a055.0000.1111"),
    "with Mexico's old 1": ("525500001111", "+52 1 55 0000 1111"),
    "without Mexico's old 1": ("5215500001111", "+52 55 0000 1111"),
    "of the United States": ("15550783881", "+1 (555) 078-3881"),
}


@each(("phone", "displayed"), OURS.values(), ids=OURS)
def test_the_business_itself_is_known_however_its_number_is_written(phone: str, displayed: Any) -> None:
    metadata = {"display_phone_number": displayed, "phone_number_id": "1"}
    found = notification(value(FROM_ANA | {"from": phone, "id": "wamid.2"}, FROM_ANA, contacts=[], metadata=metadata))
    assert [message.id for message in found.messages] == ["wamid.1"]


@each("displayed", ["+52 1 55 0000 1112", "525500001111", "+1 (555) 078-3881", None])
def test_a_status_is_read_whatever_our_number_looks_like(displayed: Any) -> None:
    status = {"id": "wamid.1", "status": "sent", "recipient_user_id": "MX.8801"}
    found = notification({"metadata": {"display_phone_number": displayed}, "statuses": [status]})
    assert [status.wamid for status in found.statuses] == ["wamid.1"]


@each("number", ["", "../me", "1/../2", "\r\nX: y", "1\0", "1?x=", "9" * 400, [], None])
def test_a_receiving_number_that_is_none_leads_nowhere(number: Any) -> None:
    metadata = {"phone_number_id": number}
    message = {"id": "wamid.1", "from": "5215512345678", "timestamp": "1764000000", "type": "x"}
    found = notification(
        {"metadata": metadata, "messages": [message], "statuses": [{"id": "wamid.2", "status": "sent"}]}
    )
    assert [found.messages[0].phone_number_id, found.statuses[0].phone_number_id] == ["", ""]


@each("code", [1e308, 10**20, -(10**20), "1e400", [], True])
def test_a_code_that_no_error_has_is_none(code: Any) -> None:
    errors = [{"code": code}]
    found = notification({"statuses": [{"id": "wamid.2", "status": "failed", "errors": errors}]})
    assert found.statuses[0].error is None
    assert isinstance(error_from(400, json.dumps({"error": {"code": code}}).encode()), MetaUnavailable)


IDS = ["9001", "wacid.HBgNNTIxNTUxMjM0NTY3OBUCABIYFjNFQjA=", "a-b_c", "x" * 512, "12:34@56", "AQ+b/9==", "-7"]


@each("media_id", IDS)
@each("kind", ["image", "audio", "video", "document", "sticker"])
def test_a_media_id_is_any_plain_name(kind: str, media_id: str) -> None:
    assert getattr(read(**{"type": kind, kind: {"id": media_id}}).content, "media_id", None) == media_id


@each(
    "message",
    [
        None,
        "wamid.1",
        [],
        {},
        {"type": "text", "text": {"body": "Hola"}},
        {"id": "wamid.1", "from": "nobody"},
        {"id": "", "from": "5215512345678"},
        {"id": "wamid.1", "from": "0" * 21},
        {"id": "wamid.1", "from": "525500001111"},
    ],
    ids=["null", "text", "list", "empty", "no id", "no digits", "empty id", "too many digits", "our own number"],
)
def test_what_nobody_sent_is_counted_and_costs_its_neighbours_nothing(message: Any) -> None:
    found = notification(value(message, FROM_ANA, contacts=[]), value(FROM_ANA | {"id": "wamid.2"}))
    assert [message.id for message in found.messages] == ["wamid.1", "wamid.2"]
    assert found.unknown == ["message"]


@each(
    ("timestamp", "sent_at"),
    [
        ("1764000000", datetime.fromtimestamp(1764000000, UTC)),
        (1764000000, datetime.fromtimestamp(1764000000, UTC)),
        (None, NOW),
        ("soon", NOW),
        ("0", NOW),
        ("-1", NOW),
        ("1e300", NOW),
        ("1764000000000", NOW),
        ("NaN", NOW),
    ],
)
def test_a_time_that_is_none_is_now(timestamp: Any, sent_at: datetime) -> None:
    assert read(timestamp=timestamp).sent_at == sent_at


def test_a_time_that_has_not_come_is_now() -> None:
    assert read(timestamp="4102444800").sent_at == NOW
