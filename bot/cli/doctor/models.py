"""Checks of models: OpenRouter, Whisper, Vision, and the audio converter."""

from __future__ import annotations

import asyncio
import importlib.util

import aiohttp

from bot.cli.doctor.check import SECONDS, CheckResult, request_problem
from bot.cli.doctor.words import said
from bot.settings import Settings
from pipelines.ffmpeg import program

# Status codes of transcription servers for an authorised request without a recording.
_NO_FILE = (400, 415, 422)


async def openrouter(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    if settings.llm.api_key is None:
        return CheckResult("OpenRouter", "absent", said("no openrouter"))
    problem = await request_problem(
        http, "GET", f"{settings.llm.base_url}/key", settings.llm.api_key.get_secret_value()
    )
    if problem:
        return CheckResult("OpenRouter", "wrong", said("openrouter wrong", problem=problem))
    return CheckResult("OpenRouter", "ok", said("models", models=", ".join(settings.llm.models)))


async def whisper(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    whisper = settings.whisper
    if whisper.api_key is None:
        return CheckResult("Whisper", "absent", said("no whisper"))
    # Because other servers have no list of models, we send a free request without a recording.
    form = aiohttp.FormData({"model": whisper.model}, default_to_multipart=True)
    key = whisper.api_key.get_secret_value()
    problem = await request_problem(
        http, "POST", f"{whisper.base_url}/audio/transcriptions", key, data=form, expected=_NO_FILE
    )
    if problem:
        return CheckResult("Whisper", "wrong", said("whisper wrong", problem=problem))
    return CheckResult("Whisper", "ok", said("whisper answers", model=whisper.model))


async def vision(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    vision = settings.vision
    local = importlib.util.find_spec("rapidocr") is not None
    if not vision.configured:
        return CheckResult("Vision", "absent", said("local engine" if local else "no engine"))
    credentials = vision.application_credentials
    if credentials is not None and not credentials.is_file():
        return CheckResult("Vision", "wrong", said("no credentials", file=credentials))
    host, _colon, port = vision.vision_endpoint.removeprefix("http://").rpartition("@")[2].rpartition(":")
    try:
        async with asyncio.timeout(SECONDS):
            _reader, writer = await asyncio.open_connection(host, int(port))
            writer.close()
    except (OSError, TimeoutError):
        return CheckResult("Vision", "wrong", said("vision away", host=host, port=port))
    return CheckResult("Vision", "ok", said("vision answers", host=host, port=port))


async def audio(_: Settings, __: aiohttp.ClientSession) -> CheckResult:
    return CheckResult("Audio", "ok", said("ffmpeg", program=program()))
