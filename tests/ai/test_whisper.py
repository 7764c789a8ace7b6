"""Whisper over real HTTP: what is heard, what is retried, and what the imitation refuses as OpenAI does."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from bot.ai.whisper import TranscriptionFailed, Whisper, cost_usd
from pipelines.audio import RATE
from pipelines.errors import FileProblem, FileRefused
from pipelines.voice import Clip, RawTranscript, Segment, transcribe
from sandbox.simulators.whisper import ScriptedTranscription, WhisperSimulator
from tests.paths import ROOT
from tests.sounds import mp3
from tests.waiting import PATIENCE

MEDIA = ROOT / "fixtures" / "media"
LABELS = json.loads((MEDIA / "labels.json").read_text(encoding="utf-8"))
SPOKEN = {Path(voice["file"]).stem: voice for voice in LABELS["voice"]}
FALLEN = json.dumps({"error": {"message": "down", "type": "server_error"}})
Connect = Callable[..., Whisper]


@pytest.fixture
def imitation() -> WhisperSimulator:
    return WhisperSimulator(api_key="sk-test")


@pytest.fixture
async def server(imitation: WhisperSimulator) -> AsyncIterator[TestServer]:
    server = TestServer(imitation.app())
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def connect(server: TestServer) -> AsyncIterator[Connect]:
    opened: list[Whisper] = []

    def connect(**options: Any) -> Whisper:
        settings = {"api_key": "sk-test", "base_url": str(server.make_url("/v1")), "model": "whisper-1"}
        opened.append(Whisper(**settings | options))
        return opened[-1]

    yield connect
    for whisper in opened:
        await whisper.close()


def note(name: str) -> bytes:
    return (MEDIA / "voice" / name).read_bytes()


def clip(name: str = "es_subscription.mp3", language: str | None = None) -> Clip:
    return Clip(note(name), name, "audio/mpeg", 4.5, language)


@pytest.mark.parametrize(
    "name",
    [
        "es_ticket.ogg",
        "en_invoice_mail.ogg",
        "es_subscription.mp3",
        "es_subscription.wav",
        "es_subscription.mp4",
        "es_subscription.webm",
        "es_ticket_quiet.ogg",
    ],
)
async def test_a_voice_note_of_any_format_is_written_down(
    connect: Connect, imitation: WhisperSimulator, name: str
) -> None:
    transcript = await transcribe(note(name), speech_to_text=connect())
    spoken = SPOKEN[Path(name).stem.removesuffix("_quiet")]
    assert (transcript.text, transcript.language) == (spoken["text"], spoken["lang"])
    (asked,) = imitation.requests
    assert (asked.model, asked.filename, asked.mime, asked.language) == ("whisper-1", "voice.mp3", "audio/mpeg", None)
    assert asked.seconds == pytest.approx(transcript.seconds, abs=0.2)


async def test_the_language_of_the_person_is_passed_on(connect: Connect, imitation: WhisperSimulator) -> None:
    await transcribe(note("es_hola.ogg"), speech_to_text=connect(), language="es")
    assert imitation.requests[0].language == "es"


async def test_an_unknown_recording_is_honest_about_the_imitation(connect: Connect) -> None:
    transcript = await transcribe(note("truncated.ogg"), speech_to_text=connect())
    assert transcript.text == (
        "(imitación de Whisper: nota de voz de 17 s que no está entre las muestras; "
        "con OPENAI_API_KEY se transcribe de verdad)"
    )


async def test_what_whisper_invents_over_silence_reaches_nobody(connect: Connect) -> None:
    silence = Clip(mp3(bytes(2 * RATE)), "voice.mp3", "audio/mpeg", 1.0, None)
    heard = await connect()(silence)
    assert heard.text == "¡Gracias por ver el vídeo!"
    assert heard.segments[0].no_speech == 0.9

    async def hear(_clip: Clip) -> RawTranscript:
        return heard

    with pytest.raises(FileRefused) as refused:
        await transcribe(note("noise.ogg"), speech_to_text=hear)
    assert refused.value.reason is FileProblem.UNINTELLIGIBLE


async def test_a_newer_model_is_asked_for_json(connect: Connect) -> None:
    heard = await connect(model="gpt-4o-mini-transcribe")(clip())
    assert heard == RawTranscript(SPOKEN["es_subscription"]["text"])


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ({"text": "Hola"}, RawTranscript("Hola")),
        ({"text": "Hola", "language": "es", "segments": None}, RawTranscript("Hola", "es")),
        ({"text": "Hola", "language": "Spanish", "duration": 1, "extra": {}}, RawTranscript("Hola", "es")),
        ({"text": "Hej", "language": "danish"}, RawTranscript("Hej", None)),
        ({"text": "Hola", "segments": [{"text": "Hola"}]}, RawTranscript("Hola", segments=(Segment("Hola"),))),
    ],
)
async def test_other_servers_may_tell_less(
    connect: Connect, imitation: WhisperSimulator, body: dict[str, Any], heard: RawTranscript
) -> None:
    imitation.will(ScriptedTranscription(body=json.dumps(body)))
    assert await connect()(clip()) == heard


@pytest.mark.parametrize(
    "answers",
    [
        [ScriptedTranscription(500, FALLEN), ScriptedTranscription(503, "<html>", "text/html")],
        [
            ScriptedTranscription(429, FALLEN, headers={"Retry-After": "0"}),
            ScriptedTranscription(429, FALLEN, headers={"Retry-After": "0.01"}),
        ],
        [ScriptedTranscription(cut=True)],
        [ScriptedTranscription(200, "<html>wait</html>", "text/html")],
        [ScriptedTranscription(200, '{"text": "Ho')],
        [ScriptedTranscription(200, '{"error": {"message": "overloaded"}}')],
    ],
)
async def test_a_bad_moment_is_waited_out(
    connect: Connect, imitation: WhisperSimulator, answers: list[ScriptedTranscription]
) -> None:
    imitation.will(*answers)
    heard = await connect()(clip())
    assert heard.text == SPOKEN["es_subscription"]["text"]
    assert len(imitation.requests) == len(answers) + 1


async def test_three_failures_are_enough(connect: Connect, imitation: WhisperSimulator) -> None:
    imitation.will(*[ScriptedTranscription(500, FALLEN)] * 4)
    with pytest.raises(TranscriptionFailed) as failed:
        await connect()(clip())
    assert (failed.value.retryable, failed.value.status) == (True, 500)
    assert len(imitation.requests) == 3


async def test_who_asks_for_more_patience_than_a_turn_has_is_not_waited_for(
    connect: Connect, imitation: WhisperSimulator
) -> None:
    imitation.will(ScriptedTranscription(429, FALLEN, headers={"Retry-After": "600"}))
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(TranscriptionFailed) as failed:
            await connect()(clip())
    assert (failed.value.retryable, failed.value.wait) == (True, 600)
    assert len(imitation.requests) == 1


async def test_a_server_that_does_not_answer_in_time_is_a_failure(
    connect: Connect, imitation: WhisperSimulator
) -> None:
    imitation.will(*[ScriptedTranscription(delay=600)] * 3)
    with pytest.raises(TranscriptionFailed) as failed:
        await connect(seconds=0.2)(clip())
    assert (failed.value.retryable, failed.value.status) == (True, None)


async def test_a_server_that_is_not_there_is_a_failure(connect: Connect, unused_tcp_port: int) -> None:
    with pytest.raises(TranscriptionFailed) as failed:
        await connect(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1")(clip())
    assert (failed.value.retryable, failed.value.status) == (True, None)


@pytest.mark.parametrize(
    ("options", "name", "status"),
    [
        ({"api_key": "sk-wrong"}, "es_subscription.mp3", 401),
        ({"model": "whisper-9"}, "es_subscription.mp3", 404),
        ({}, "es_subscription.ogg", 400),
        ({}, "es_subscription.amr", 400),
    ],
)
async def test_what_will_never_work_is_not_tried_again(
    connect: Connect, imitation: WhisperSimulator, options: dict[str, str], name: str, status: int
) -> None:
    with pytest.raises(TranscriptionFailed) as failed:
        await connect(**options)(clip(name))
    assert (failed.value.retryable, failed.value.status) == (False, status)


async def test_cancelling_ends_the_waiting(connect: Connect, imitation: WhisperSimulator) -> None:
    imitation.will(ScriptedTranscription(delay=600))
    asking = asyncio.ensure_future(connect()(clip()))
    async with asyncio.timeout(PATIENCE):
        while not imitation.requests:
            await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


def form(**fields: str | bytes | None) -> aiohttp.FormData:
    data = aiohttp.FormData(default_to_multipart=True)
    content = fields.pop("file", note("es_subscription.mp3"))
    name = fields.pop("filename", "voice.mp3")
    if isinstance(content, bytes):
        data.add_field("file", io.BytesIO(content), filename=str(name), content_type="audio/mpeg")
    for field, value in ({"model": "whisper-1"} | fields).items():
        if value is not None:
            data.add_field(field, str(value))
    return data


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"file": None}, 400, "you must provide a file"),
        ({"model": None}, 400, "you must provide a model"),
        ({"model": "gpt-4o-transcribe", "response_format": "verbose_json"}, 400, "not compatible"),
        ({"filename": "voice.ogg"}, 400, "Invalid file format"),
        ({"filename": "voice"}, 400, "Invalid file format"),
        ({"file": note("es_subscription.ogg")}, 400, "Invalid file format"),
        ({"file": note("es_subscription.aac")}, 400, "Invalid file format"),
        ({"file": b"ID3"}, 400, "Invalid file format"),
        ({"file": mp3(bytes(40))}, 400, "too short"),
        ({"file": b"\xff\xf3\x18\xc4" + bytes(26 * 1024 * 1024)}, 413, "Maximum content size limit"),
        ({"language": "spanish"}, 400, "ISO-639-1"),
    ],
)
async def test_the_imitation_refuses_what_openai_refuses(
    server: TestServer, fields: dict[str, str | bytes | None], status: int, message: str
) -> None:
    url, headers = server.make_url("/v1/audio/transcriptions"), {"Authorization": "Bearer sk-test"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=form(**fields), headers=headers) as response,
    ):
        assert response.status == status
        assert message in (await response.json())["error"]["message"]


async def test_the_imitation_wants_a_key(server: TestServer) -> None:
    url = server.make_url("/v1/audio/transcriptions")
    async with aiohttp.ClientSession() as session, session.post(url, data=form()) as response:
        assert response.status == 401
        assert (await response.json())["error"]["type"] == "invalid_request_error"


async def test_the_imitation_answers_in_plain_text_too(server: TestServer) -> None:
    url, headers = server.make_url("/v1/audio/transcriptions"), {"Authorization": "Bearer sk-test"}
    data = form(response_format="text")
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=headers) as response:
        assert await response.text() == SPOKEN["es_subscription"]["text"] + "\n"


def test_a_minute_costs_what_openai_says() -> None:
    assert str(cost_usd(60)) == "0.006"
    assert cost_usd(4.5) == cost_usd(9) / 2
