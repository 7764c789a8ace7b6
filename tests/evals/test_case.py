"""`recado prompts case`: a conversation becomes a complete case, without identities, ready to record."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.conversations.contacts import Contact
from bot.conversations.memory import History, HistoryEntry
from bot.past_cases.from_history import NoPastTurns, case_of, past_conversation, product_codes_in
from bot.past_cases.redaction import Redaction
from evals.cases import Case, read_cases
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.paths import ROOT
from tests.processes import recado
from tests.world import Start, World

MEDIA = ROOT / "fixtures" / "media"
PERSON = Person(phone="5215587651234", bsuid="MX.8801234567890123", name="Fernanda Montalvo")
WHO = ("5587651234", "87651234", "8801234567890123", "fernanda", "montalvo", "ferm@correo.mx", "MOGF850101AB1")
ZONE = ZoneInfo("America/Mexico_City")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pack's prompts without its cases."""
    own = tmp_path / "own"
    shutil.copytree(os.environ["PROMPTS_DIR"], own, ignore=shutil.ignore_patterns("evals"))
    monkeypatch.setenv("PROMPTS_DIR", str(own))
    return own


async def writes(world: World, text: str, *answers: Any) -> None:
    count = len(world.meta.sent_to(PERSON))
    world.models.will(*answers)
    await world.meta.writes(PERSON, {"type": "text", "text": {"body": text}})
    await world.meta.replies(PERSON, count + 1)


async def speaks(world: World, voice: str, *answers: Any) -> None:
    count = len(world.meta.sent_to(PERSON))
    world.models.will(*answers)
    data = (MEDIA / "voice" / voice).read_bytes()
    await world.meta.sends_media(PERSON, "audio", data, "audio/ogg; codecs=opus", voice=True)
    await world.meta.replies(PERSON, count + 1)


async def test_what_happened_becomes_a_case_that_is_recorded_and_passes(start: Start, folder: Path) -> None:
    world = await start()
    await writes(world, "Hola, soy Fernanda, mi RFC es MOGF850101AB1", says("Hola, Fernanda. ¿En qué te ayudo?"))
    hours = (calls(("business_hours", {})), says("Hoy abrimos a las 9:00, Fernanda."))
    await writes(world, "¿Abren hoy? Márcame (55 8765 1234)", *hours)
    reason = {"reason": "Fernanda Montalvo pide que la llamen al 5587651234 por su internet de desde anoche"}
    await speaks(
        world, "es_ticket.ogg", calls(("talk_to_a_person", reason)), says("Ya avisé a una persona del equipo.")
    )

    made = await recado("prompts", "case", PERSON.phone or "", "--turns", "2", "--name", "calls-a-person")
    path = folder / "evals" / "calls-a-person.yaml"
    assert (made.code, made.out.strip()) == (0, str(path))
    text = path.read_text()
    assert text.startswith("# ")
    assert "OTRAS personas" in text
    assert [name for name in WHO if name.casefold() in text.casefold()] == []
    assert not any(secret in made.out + made.err for secret in ("Fernanda", "8765"))
    (case,) = read_cases(folder)
    assert case.contact.name == "Alex Rivera"
    assert [entry.user or entry.assistant for entry in case.memory] == [
        "Hola, soy Alex, mi RFC es XAXX010100001", "Hola, Alex. ¿En qué te ayudo?",
    ]  # fmt: skip
    asked, spoken = case.turns
    assert asked.text == "¿Abren hoy? Márcame (55 0000 0001)"
    assert (asked.expect.calls, asked.expect.hands_over, asked.expect.messages) == (("business_hours",), False, 1)
    assert isinstance(spoken.voice, dict)
    assert "levantar un reporte" in spoken.voice["transcript"]
    # The model's own long wording is no expectation: it is never the same twice.
    assert (spoken.expect.calls, spoken.expect.hands_over, spoken.expect.language) == (
        ("talk_to_a_person",),
        True,
        "es",
    )

    assert (await recado("prompts", "check")).code == 0
    away: dict[str, str] = {"OPENROUTER_API_KEY": ""}
    stale = await recado("prompts", "eval", "calls-a-person", **away)
    assert (stale.code, "it has no recording" in stale.out) == (0, True)
    spanish = await recado("prompts", "eval", "calls-a-person", **away, LANG="es_MX.UTF-8")
    assert "viejo   calls-a-person: aún no está grabado" in spanish.out
    assert "1 passed" in (await recado("prompts", "eval", "calls-a-person", "--record", **away)).out

    again = await recado("prompts", "case", PERSON.bsuid, "--turns", "2", "--name", "calls-a-person")
    assert (again.code, "choose another --name" in again.err) == (1, True)
    assert path.read_text() == text
    elsewhere = await recado("prompts", "case", PERSON.bsuid, "--name", "other", "--out", str(path))
    assert (elsewhere.code, "nothing is overwritten" in elsewhere.err) == (1, True)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("5215500000000",), 1, "nothing is known of this conversation"),
        (("c_00000000000000000001",), 1, "nothing is known of this conversation"),
        (("5215500000000", "--name", "Ana y Leo"), 2, "expected small letters, digits and -"),
        (("5215500000000", "--turns", "0"), 2, "--turns"),
    ],
)
async def test_what_no_case_can_be_made_of_is_told_in_a_line(
    world: World, command: tuple[str, ...], code: int, words: str
) -> None:
    assert world
    ended = await recado("prompts", "case", *command)
    assert (ended.code, words in ended.err, "Traceback" in ended.err) == (code, True, False)


def moment(minute: int) -> datetime:
    return datetime(2026, 11, 24, 16, minute, tzinfo=UTC)


def perceived(kind: str, text: str) -> dict[str, Any]:
    return {"message": f"wamid.{kind}", "kind": kind, "text": text}


def story(*seen: dict[str, Any], reply: tuple[str, ...] = ("Va.",), tools: tuple[dict[str, Any], ...] = ()) -> Any:
    told = {
        "started_at": moment(5).isoformat(),
        "messages": [perceived["message"] for perceived in seen],
        "perceived": seen,
    }
    return told | {"reply": reply, "tools": tools}


def case(*stories: Any, memory: History | None = None, name: str = "Ana") -> Case:
    past = past_conversation(stories, memory or History(), 20)
    return Case.model_validate(
        case_of(past, Contact(name=name), Redaction([name], product_codes=product_codes_in(past)), ZONE, "x")
    )


def test_a_photo_with_a_question_beside_it_is_one_turn_with_a_caption() -> None:
    photo = "<photo><text_read>A &amp; B</text_read><codes>EAN-13 8413000065504</codes></photo>"
    (turn,) = case(story(perceived("photo", photo), perceived("text", "¿cuánto cuesta?"))).turns
    assert turn.photo == {"text_read": "A & B", "codes": "EAN-13 8413000065504"}
    assert turn.caption == "¿cuánto cuesta?"


def test_two_files_at_once_are_two_turns_and_the_last_one_is_expected_something_of() -> None:
    voice = perceived("voice", "<voice_note><transcript>soy Ana</transcript></voice_note>")
    document = perceived("document", "<document><filename>a.pdf</filename><text>Ana debe 5</text></document>")
    first, second = case(story(voice, document, tools=())).turns
    assert (first.voice, first.expect.messages) == ({"transcript": "soy Alex"}, None)
    assert (second.document, second.expect.messages) == ({"filename": "a.pdf", "text": "Alex debe 5"}, 1)


def test_a_place_a_tap_and_a_card_stay_what_they_are_and_are_of_nobody() -> None:
    place = "<location><coordinates>19.411111, -99.151111</coordinates><name>Casa de Eva</name></location>"
    cards = "<contact_cards><cards>Eva Luna: +52 55 4444 3333; Teo: no phone; Luna SA, Eva: "
    cards += "eva@luna.example, https://luna.example/eva, Calle Luna 7</cards></contact_cards>"
    turns = case(
        story(perceived("location", place)),
        story(perceived("tap", "<tapped><title>Sí, cámbialo</title></tapped>")),
        story(perceived("cards", cards)),
        story(perceived("sticker", "<sticker><note>a sticker, as a gesture</note></sticker>")),
    ).turns
    assert turns[0].location == {"latitude": 19.4426, "longitude": -99.1332, "name": "Un lugar"}
    assert turns[1].tap == "Sí, cámbialo"
    assert (
        turns[2].text
        == "(cards: Persona: 55 0000 0001; Persona: no phone; Persona: persona1@example.com, un dato, un dato)"
    )
    assert turns[3].text == "(sticker: a sticker, as a gesture)"


def test_a_call_that_was_refused_is_not_expected_and_each_other_one_once() -> None:
    done = {"name": "send_invoice", "arguments": {"by": "email", "to": "ana@x.mx"}, "outcome": "ok"}
    refused = {"name": "change_plan", "arguments": {}, "outcome": "refused"}
    (turn,) = case(story(perceived("text", "mándala a ana@x.mx"), tools=(refused, done, done))).turns
    assert turn.expect.calls == ({"send_invoice": {"by": "email", "to": "persona1@example.com"}},)
    assert turn.text == "mándala a persona1@example.com"


def test_where_only_the_memory_is_left_the_words_are_known_and_the_tools_are_not() -> None:
    said = (
        HistoryEntry(role="user", text="hola, soy Ana", at=moment(1)),
        HistoryEntry(role="assistant", text="Hola, Ana.", at=moment(1)),
        HistoryEntry(role="user", text="<voice_note><transcript>¿abren?</transcript></voice_note>", at=moment(2)),
        HistoryEntry(role="assistant", text="Sí, está abierto.", at=moment(2)),
    )
    past = past_conversation([], History("Ana preguntó antes.", (), said), 1)
    made = Case.model_validate(case_of(past, Contact(name="Ana"), Redaction(["Ana"]), ZONE, "x"))
    assert made.summary == "Alex preguntó antes."
    assert [entry.user or entry.assistant for entry in made.memory] == ["hola, soy Alex", "Hola, Alex."]
    (turn,) = made.turns
    assert turn.voice == {"transcript": "¿abren?"}
    assert (turn.expect.calls, turn.expect.hands_over, turn.expect.language) == ((), None, "es")


def test_where_nothing_is_left_there_is_no_case() -> None:
    with pytest.raises(NoPastTurns):
        past_conversation([], History("", (), (HistoryEntry(role="assistant", text="Hola", at=moment(1)),)), 3)


def test_what_a_tool_added_is_left_to_the_tool() -> None:
    reply = ("Cambio tu plan.\n(to tap: Sí | No)", "(attachment: factura.pdf)")
    (turn,) = case(story(perceived("text", "cámbiame"), reply=reply)).turns
    assert [step.says for step in turn.example] == ["Cambio tu plan."]
    assert turn.expect.messages == 2


def test_a_case_is_written_in_plain_yaml() -> None:
    past = past_conversation([story(perceived("text", "#1: «Ñandú» - sí: no\n\nA"))], History(), 1)
    made = case_of(past, Contact(), Redaction(), ZONE, "x")
    assert yaml.safe_load(yaml.safe_dump([made], allow_unicode=True)) == [made]
