"""Checks of models: OpenRouter, Whisper, Vision, and the audio converter."""

from __future__ import annotations

import asyncio
import importlib.util

import aiohttp

from bot.cli.doctor.check import SECONDS, CheckResult, request_problem
from bot.settings import Settings
from pipelines.ffmpeg import program

# Status codes of transcription servers for an authorised request without a recording.
_NO_FILE = (400, 415, 422)


async def openrouter(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    if settings.llm.api_key is None:
        return CheckResult("OpenRouter", "absent", "set OPENROUTER_API_KEY; the queue llm does not work without it")
    problem = await request_problem(
        http, "GET", f"{settings.llm.base_url}/key", settings.llm.api_key.get_secret_value()
    )
    if problem:
        return CheckResult("OpenRouter", "wrong", f"{problem}; see OPENROUTER_API_KEY and LLM_BASE_URL")
    return CheckResult("OpenRouter", "ok", f"models {', '.join(settings.llm.models)}")


async def whisper(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    whisper = settings.whisper
    if whisper.api_key is None:
        return CheckResult("Whisper", "absent", "voice notes can't be heard; set OPENAI_API_KEY")
    # Because other servers have no list of models, we send a free request without a recording.
    form = aiohttp.FormData({"model": whisper.model}, default_to_multipart=True)
    key = whisper.api_key.get_secret_value()
    problem = await request_problem(
        http, "POST", f"{whisper.base_url}/audio/transcriptions", key, data=form, expected=_NO_FILE
    )
    if problem:
        return CheckResult("Whisper", "wrong", f"{problem}; see OPENAI_API_KEY and OPENAI_BASE_URL")
    return CheckResult("Whisper", "ok", f"answers; model {whisper.model}")


async def vision(settings: Settings, _: aiohttp.ClientSession) -> CheckResult:
    vision = settings.vision
    local = importlib.util.find_spec("rapidocr") is not None
    if not vision.configured:
        words = "the local engine reads photos" if local else "photos can't be read: install the extra recado[ocr]"
        return CheckResult("Vision", "absent", f"{words}; for Google Vision set GOOGLE_APPLICATION_CREDENTIALS")
    credentials = vision.application_credentials
    if credentials is not None and not credentials.is_file():
        return CheckResult("Vision", "wrong", f"{credentials} is not a file; see GOOGLE_APPLICATION_CREDENTIALS")
    host, _colon, port = vision.vision_endpoint.removeprefix("http://").rpartition("@")[2].rpartition(":")
    try:
        async with asyncio.timeout(SECONDS):
            _reader, writer = await asyncio.open_connection(host, int(port))
            writer.close()
    except (OSError, TimeoutError):
        return CheckResult("Vision", "wrong", f"no connection to {host}:{port}; see GOOGLE_VISION_ENDPOINT")
    return CheckResult("Vision", "ok", f"Google Vision at {host}:{port} can be reached")


async def audio(_: Settings, __: aiohttp.ClientSession) -> CheckResult:
    return CheckResult("Audio", "ok", f"ffmpeg: {program()}")
