"""OpenAI's transcription API on this machine: as strict about requests, and it recognises the sample voice notes."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

from pipelines import file_type
from sandbox.simulators.audio_match import Recording, listen, recognise

_MODELS = {"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe"}
_EXTENSIONS = ("m4a", "mp3", "mp4", "mpeg", "mpga", "wav", "webm")
_CONTAINERS = {"m4a", "mp3", "mp4", "wav", "webm"}
_LARGEST_BYTES = 25 * 1024 * 1024
_SHORTEST_SECONDS = 0.1
_REMEMBERED = 100
_LANGUAGES = {"es": "spanish", "en": "english"}
_INVENTED = "¡Gracias por ver el vídeo!"


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """The request; `size` in bytes, `seconds` of sound."""

    model: str
    language: str | None
    filename: str
    mime: str
    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class ScriptedTranscription:
    """A prepared answer after `delay` seconds; `drip` sends a byte in so many seconds, `cut` ends it early."""

    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    cut: bool = False
    drip: float = 0


@dataclass(frozen=True, slots=True)
class _Form:
    audio: bytes
    filename: str
    mime: str
    model: str
    language: str | None
    response_format: str


class _Refused(Exception):
    """OpenAI's envelope for errors."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


class WhisperSimulator:
    """A server; without a key it accepts any."""

    def __init__(self, *, api_key: str | None = None) -> None:
        self.requests: list[TranscriptionRequest] = []
        self._api_key = api_key
        self._answers: deque[ScriptedTranscription] = deque()

    def app(self) -> web.Application:
        """Return the application, to be served at the root of OPENAI_BASE_URL's host."""
        # Larger bodies are read too, so that OpenAI's refusal is sent and not the server's.
        app = web.Application(client_max_size=2 * _LARGEST_BYTES)
        app.router.add_post("/v1/audio/transcriptions", self._transcriptions)
        return app

    def will(self, *answers: ScriptedTranscription) -> None:
        """Queue these answers for the next requests, one each."""
        self._answers.extend(answers)

    def forget(self) -> None:
        """Drop the queued answers."""
        self._answers.clear()

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        try:
            self._authorise(request)
            form = await _form(request)
            recording = await self._listen(form)
        except _Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        if self._answers:
            return await _scripted(self._answers.popleft(), request)
        text, language, no_speech = await self._transcribe(recording)
        if form.response_format == "text":
            return web.Response(text=f"{text}\n")
        if form.response_format == "json":
            return web.json_response({"text": text, "usage": _usage(recording)})
        return web.json_response(_verbose(text, form.language or language, no_speech, recording))

    def _authorise(self, request: web.Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            raise _Refused(
                401, "You didn't provide an API key. You need to provide your API key in an Authorization header."
            )
        if self._api_key is not None and key != self._api_key:
            raise _Refused(401, "Incorrect API key provided.", "invalid_api_key")

    async def _listen(self, form: _Form) -> Recording:
        recording = await listen(form.audio)
        size = len(form.audio)
        asked = TranscriptionRequest(form.model, form.language, form.filename, form.mime, recording.seconds, size)
        self.requests = [*self.requests[1 - _REMEMBERED :], asked]
        if recording.seconds < _SHORTEST_SECONDS:
            raise _Refused(
                400, "Audio file is too short. Minimum audio length is 0.1 seconds.", "audio_too_short", "file"
            )
        return recording

    async def _transcribe(self, recording: Recording) -> tuple[str, str, float]:
        """Return a text, its language, and the probability that it is no speech."""
        if recording.is_silent:
            # The real model writes this for silence, because it was trained on subtitles.
            return _INVENTED, "es", 0.9
        sample = await recognise(recording)
        if sample:
            return sample.text, sample.language, 0.02
        seconds = round(recording.seconds)
        what = f"nota de voz de {seconds} s que no está entre las muestras"
        return f"(imitación de Whisper: {what}; con OPENAI_API_KEY se transcribe de verdad)", "es", 0.05


async def _form(request: web.Request) -> _Form:
    if request.content_type != "multipart/form-data":
        raise _Refused(400, "Could not parse multipart form")
    fields = await request.post()
    upload, model = fields.get("file"), str(fields.get("model") or "")
    if not isinstance(upload, web.FileField):
        raise _Refused(400, "you must provide a file", param="file")
    if not model:
        raise _Refused(400, "you must provide a model parameter", param="model")
    if model not in _MODELS:
        raise _Refused(404, f"The model `{model}` does not exist or you do not have access to it.", "model_not_found")
    with upload.file as file:
        audio = await asyncio.to_thread(file.read)
    form = _Form(
        *(audio, upload.filename, upload.content_type, model),
        language=str(fields["language"]) if "language" in fields else None,
        response_format=str(fields.get("response_format", "json")),
    )
    _check(form)
    return form


def _check(form: _Form) -> None:
    if len(form.audio) > _LARGEST_BYTES:
        sizes = f"({_LARGEST_BYTES}) exceeded ({len(form.audio)} bytes read)"
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Maximum content size limit {sizes}")
    signature = file_type.signature_of(form.audio)
    is_named = form.filename.rpartition(".")[2].lower() in _EXTENSIONS
    if not is_named or signature is None or signature.format not in _CONTAINERS:
        raise _Refused(400, f"Invalid file format. Supported formats: {list(_EXTENSIONS)}", param="file")
    allowed = ("json", "text", "verbose_json") if form.model == "whisper-1" else ("json",)
    if form.response_format not in allowed:
        value = form.response_format
        raise _Refused(400, f"response_format '{value}' is not compatible", "unsupported_value", "response_format")
    if form.language is not None and not (len(form.language) == 2 and form.language.isalpha()):  # noqa: PLR2004 -- ISO
        message = f"Invalid language '{form.language}'. Language parameter must be specified in ISO-639-1 format."
        raise _Refused(400, message, "invalid_language_format", "language")


async def _scripted(answer: ScriptedTranscription, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(answer.delay)
    if answer.cut and request.transport:
        request.transport.abort()
    if answer.drip:
        return await _dripping(answer, request)
    return web.Response(
        status=answer.status, text=answer.body, content_type=answer.content_type, headers=answer.headers
    )


async def _dripping(answer: ScriptedTranscription, request: web.Request) -> web.StreamResponse:
    body = answer.body.encode()
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    response.content_length = len(body)
    await response.prepare(request)
    # The client may hang up early.
    with suppress(ConnectionResetError):
        for byte in body:
            await response.write(bytes([byte]))
            await asyncio.sleep(answer.drip)
    return response


def _usage(recording: Recording) -> dict[str, Any]:
    return {"type": "duration", "seconds": max(1, round(recording.seconds))}


def _verbose(text: str, language: str, no_speech: float, recording: Recording) -> dict[str, Any]:
    segment = {
        "id": 0,
        "start": 0.0,
        "end": recording.seconds,
        "text": f" {text}",
        "avg_logprob": -0.3,
        "compression_ratio": 1.3,
        "no_speech_prob": no_speech,
    }
    return {
        "task": "transcribe",
        "language": _LANGUAGES.get(language, language),
        "duration": recording.seconds,
        "text": text,
        "segments": [segment],
        "usage": _usage(recording),
    }
