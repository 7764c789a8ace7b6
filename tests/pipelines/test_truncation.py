"""Texts from outside are cut at one length at every entrance, with a note."""

import json
from datetime import UTC, datetime
from typing import Any

from bot.ai.chat import ModelAnswer
from bot.infra.logs import without_identities
from bot.messages.inbound import Inbound, Order
from bot.messages.prompt_text import content_text, tagged
from bot.whatsapp.lenient_json import identifier, text
from bot.whatsapp.payload import parse
from pipelines.bounding_box import BoundingBox
from pipelines.image import Reading, TextLine
from pipelines.transcript import RawTranscript, Segment, spoken_text
from pipelines.truncation import LONGEST_ID, LONGEST_LINE, LONGEST_PRINT, LONGEST_TEXT, MOST_LINES, truncated
from tests.rows import each

LONG = "a" * (LONGEST_TEXT + 1)
NOTE = f"… [cut here, of {LONGEST_TEXT + 1} characters]"


def message(**content: Any) -> Inbound:
    raw = {"id": "wamid.1", "from": "5215512345678", "timestamp": "1764000000"} | content
    value = {"messaging_product": "whatsapp", "metadata": {}, "messages": [raw]}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}
    (found,) = parse(json.dumps(body).encode(), datetime.now(UTC)).messages
    return found


def test_what_is_short_enough_stays() -> None:
    assert truncated("a" * LONGEST_TEXT) == "a" * LONGEST_TEXT
    assert truncated("") == ""


def test_what_is_longer_says_where_it_was_cut() -> None:
    cut = truncated(LONG)
    assert len(cut) == LONGEST_TEXT
    assert cut.endswith(NOTE)
    assert truncated(cut) == cut


@each(
    "content",
    [
        {"type": "text", "text": {"body": LONG}},
        {"type": "text", "text": {"body": "ñ" * (LONGEST_TEXT + 1)}},
        {"type": "image", "image": {"id": "1", "caption": LONG}},
        {"type": "document", "document": {"id": "1", "filename": LONG}},
        {"type": "button", "button": {"payload": "1", "text": LONG}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": LONG}}]},
        {"type": "contacts", "contacts": [{"phones": [{"phone": LONG}]}]},
        {"type": "location", "location": {"latitude": 1, "longitude": 1, "address": LONG}},
        {"type": "interactive", "interactive": {"nfm_reply": {"response_json": LONG}}},
        {"type": "interactive", "interactive": {"list_reply": {"id": "1", "title": LONG}}},
        {"type": "order", "order": {"text": LONG, "product_items": [{}]}},
        {"type": "edit", "edit": {"original_message_id": "1", "message": {"text": {"body": LONG}}}},
        {"type": "text", "text": {"body": "hola"}, "referral": {"body": LONG}},
    ],
    ids=lambda content: str(content["type"]),
)
def test_a_message_of_any_kind_is_cut_at_the_door(content: dict[str, Any]) -> None:
    dumped = message(**content).model_dump_json()
    assert NOTE in dumped
    assert len(dumped) < LONGEST_TEXT + 2000


def test_many_short_things_are_cut_where_they_become_one_text() -> None:
    order = Order(items=tuple(f"{number} x product" for number in range(10_000)))
    said, _ = content_text(order)
    assert "… [cut here, of " in said
    assert len(said) < LONGEST_TEXT + 100
    assert len(tagged("document", text="&" * (LONGEST_TEXT + 5))) < 5 * LONGEST_TEXT + 100


def test_what_models_and_vendors_say_is_cut() -> None:
    assert ModelAnswer(text=LONG, calls=(), served="").text.endswith(NOTE)
    assert RawTranscript(LONG).text.endswith(NOTE)
    assert Reading(LONG).text.endswith(NOTE)
    line, word = TextLine("a" * 5000, 1.0, BoundingBox(0, 0, 1, 1)), TextLine("a", 1.0, BoundingBox(0, 0, 1, 1))
    assert len(line.text) == LONGEST_LINE
    assert len(Reading("a", (word,) * 2000).lines) == MOST_LINES
    assert len(Reading("a", (line,) * 400).lines) == LONGEST_PRINT // LONGEST_LINE
    assert len(spoken_text(RawTranscript("hola", segments=(Segment("hola "), Segment(LONG))))) <= LONGEST_TEXT
    assert len(without_identities(LONG)) == LONGEST_TEXT


def test_a_name_is_not_cut_but_refused() -> None:
    assert identifier("a" * LONGEST_ID) == "a" * LONGEST_ID
    assert identifier("a" * (LONGEST_ID + 1)) is None
    assert text("a" * (LONGEST_ID + 1)) is not None
