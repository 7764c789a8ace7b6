"""Functions that read foreign texts, whole: the time of their loops is linear, as that of patterns."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bot.ai import answers
from bot.ai.chat import ModelFailed, tokens
from bot.infra.logs import without_identities
from bot.integrations.email.provider import display_name, scrubbed
from bot.messages import prompt_text
from bot.messages.inbound import ContactCard, ContactCards, Form
from bot.messages.language import language_of
from bot.messages.links import without_unverified
from bot.messages.outbound import Say
from bot.past_cases.redaction import Redaction
from bot.products import corrections
from bot.turns import rules
from bot.whatsapp import lenient_json, limits
from bot.whatsapp.markdown import whatsapp
from bot.whatsapp.payload import NotJSON, parse
from bot.whatsapp.templates import parameters
from pipelines import document, file_type, transcript
from pipelines.errors import FileRefused
from pipelines.product import codes, price_parsing, size_parsing
from sandbox.simulators.rule_based_model import answer_by_rules
from tests.rows import each
from tests.security.growth import steep

UNITS = (
    " ", "<", "< ", "[a](", "@", "a@", "a.", "1", "1,", "1 ", "\n", " \n", "&", "http://", "a", "a ", "A", "¡",
    "hola. ",
    "1 g ", "$1 ", "36 pesos ", "<a>", "</a>", '{"a":', "de ", "no ", "1x", "6 pack ", "*a ", "_", "`", "a\u0301", "😀",
    "\x00", "(01)", "precio ", "es ", "a b c. ", "\\", '"', "1/2 ", "½", "-", "'", "Soy Ana. ", "calle 1 ", "col. A ",
    "<voice_note>", "\u202e", "a\n\n", "q: ", "antes 1 ",
)  # fmt: skip
NOW = datetime.now(UTC)
TOOLS = [
    {"function": {"name": name}}
    for name in (
        "talk_to_a_person", "notify_me", "business_hours", "cancel_subscription", "change_plan", "verify_email",
        "send_invoice", "start_subscription",
    )
]  # fmt: skip


def body(*messages: dict[str, Any], contacts: int = 0) -> bytes:
    names = [{"wa_id": str(number), "user_id": f"MX.{number}"} for number in range(contacts)]
    value = {"metadata": {}, "contacts": names, "messages": list(messages)}
    changes = [{"field": "messages", "value": value}]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"changes": changes}]}).encode()


def of_text(words: str) -> dict[str, Any]:
    return {"id": "wamid.1", "from": "5215512345678", "type": "text", "text": {"body": words}}


def answered(**message: Any) -> object:
    return answers.read({"choices": [{"message": message, "finish_reason": "length"}]})


def called(arguments: str) -> object:
    return answered(tool_calls=[{"id": "1", "function": {"name": arguments, "arguments": arguments}}])


READING: dict[str, Callable[[str], object]] = {
    "language": language_of,
    "tokens": tokens,
    "typed text": prompt_text.without_our_tags,
    "fenced text": lambda text: prompt_text.tagged("photo", text=text),
    "a file's name": prompt_text.display_filename,
    "a form": lambda text: prompt_text.content_text(Form(answers=text)),
    "a form's answers": lambda text: prompt_text.content_text(
        Form(answers=json.dumps(dict.fromkeys(text.split()[:3], text)))
    ),
    "cards": lambda text: prompt_text.content_text(
        ContactCards(cards=tuple(ContactCard(name=word, phones=(word,)) for word in text.split()))
    ),
    "a transcript": lambda text: transcript.spoken_text(transcript.RawTranscript(text)),
    "its segments": lambda text: transcript.spoken_text(
        transcript.RawTranscript(text, segments=tuple(transcript.Segment(word) for word in text.split()))
    ),
    "sizes": size_parsing.sizes,
    "what has no size": size_parsing.without_sizes,
    "amounts": price_parsing.amounts,
    "what announces an amount": price_parsing.announces,
    "a number upside down": price_parsing.upside_down,
    "a code": codes.code_of,
    "a correction": corrections.correction_of,
    "a question": corrections.asks,
    "a command": corrections.command_of,
    "a size in words": lambda text: corrections.occurs("size", "500 g", text),
    "a price in words": lambda text: corrections.occurs("price", "36", text),
    "a name in words": lambda text: corrections.occurs("name", "pan blanco", text),
    "a log's line": without_identities,
    "redaction": lambda text: Redaction(["Ana Zaldívar"]).text(text),
    "a provider's words": scrubbed,
    "a name in a mail": display_name,
    "a body of a model": answers.document,
    "a model's answer": lambda text: answered(content=text),
    "a model's call": called,
    "a template's value": parameters.cleaned,
    "a webhook": lambda text: parse(body(of_text(text)), NOW),
    "any bytes as a webhook": lambda text: parse(text.encode(), NOW),
    "a word of opting out": rules._bare,
    "a phone": lenient_json.digits,
    "a number": lenient_json.number,
    "the stand-in of a model": lambda text: answer_by_rules([{"role": "user", "content": text}], TOOLS),
    "Markdown": whatsapp,
    "links": lambda text: without_unverified(text, "", "[…]"),
    "a reply": lambda text: limits.fit([Say.model_construct(body=text)]),
    "a file of text": lambda text: document._read_plain(text.encode()),
    "a file's kind": lambda text: file_type.kind_of(text.encode()),
}


@each("reading", READING.values(), ids=READING)
def test_reading_takes_a_time_that_grows_with_the_text(reading: Callable[[str], object]) -> None:
    def work(text: str) -> None:
        with suppress(ValueError, ModelFailed, NotJSON, FileRefused):
            reading(text)

    slow = {
        unit: growth
        for unit in UNITS
        if (growth := steep(work, lambda length, unit=unit: unit * (length // len(unit)) + "\x00"))  # type: ignore[misc]
    }
    assert slow == {}


def test_a_batch_takes_a_time_that_grows_with_it() -> None:
    def of_many(length: int) -> str:
        return body(*[of_text("hola")] * (length // 40), contacts=length // 40).decode()

    assert steep(lambda text: parse(text.encode(), NOW), of_many) is None
