"""A server, a worker, a real Redis, and simulators of Meta, the models and the transcription."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bench.abuse.process import MonitoredProcess
from bot.web.server import listening
from sandbox.meta.simulator import MetaSimulator
from sandbox.ports import free_port
from sandbox.redis_server import redis_server
from sandbox.simulators.openrouter import OpenRouterSimulator

REPEAT = "repite"
ANSWER = "[a](" * 1000


def answered(messages: list[dict[str, Any]], _tools: list[dict[str, Any]]) -> dict[str, Any]:
    """A model that anybody can talk into an answer."""
    said = str(next(line["content"] for line in reversed(messages) if line["role"] == "user"))
    return {"role": "assistant", "content": ANSWER if REPEAT in said else "Abrimos a las 9."}


@dataclass
class AttackedCompany:
    meta: MetaSimulator
    serve: MonitoredProcess
    worker: MonitoredProcess
    port: int
    secret: str
    files: Path

    @property
    def kept_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.rglob("*") if path.is_file())


@asynccontextmanager
async def open_company(folder: Path) -> AsyncIterator[AttackedCompany]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_server(folder / "redis", options=("--appendfsync", "everysec")))
        models = OpenRouterSimulator("openrouter-key", rules=answered)
        models_url = await stack.enter_async_context(listening(models.app(), "127.0.0.1", 0, finish=0.1))
        whisper_url = await stack.enter_async_context(listening(_whisper(), "127.0.0.1", 0, finish=0.1))
        secret, token, port = secrets.token_hex(8), secrets.token_hex(8), free_port()
        meta = MetaSimulator(
            webhook_url=f"http://127.0.0.1:{port}/webhooks/whatsapp",
            app_secret=secret,
            access_token=token,
            verify_token="verify",
            status_pauses=(0, 0.05, 0.1),
        )
        environment = {
            "REDIS_URL": redis,
            "DATABASE_URL": f"sqlite:///{folder / 'recado.db'}",
            "WHATSAPP_ACCESS_TOKEN": token,
            "WHATSAPP_PHONE_NUMBER_ID": meta.phone_number_id,
            "WHATSAPP_WABA_ID": meta.waba_id,
            "WHATSAPP_APP_SECRET": secret,
            "WHATSAPP_API_BASE_URL": await meta.start(),
            "OPENROUTER_API_KEY": "openrouter-key",
            "LLM_BASE_URL": f"{models_url}/api/v1",
            "OPENAI_API_KEY": "openai-key",
            "OPENAI_BASE_URL": f"{whisper_url}/v1",
            "BUDGET_CONTACT_USD_DAY": "100",
            "STORAGE_DIR": str(folder / "files"),
            "RATE_LIMIT_CONTACT": "100/minute",
            "LOG_LEVEL": "info",
            "LOG_FORMAT": "json",
        }
        stack.push_async_callback(meta.stop)
        at = ["--host", "127.0.0.1", "--port", str(port)]
        serve = await MonitoredProcess.start(["serve", *at], environment, folder / "serve.log")
        stack.callback(serve.stop)
        worker = await MonitoredProcess.start(["worker"], environment, folder / "worker.log")
        stack.callback(worker.stop)
        yield AttackedCompany(meta, serve, worker, port, secret, folder / "files")


def _whisper() -> web.Application:
    """A transcription that accepts any clip, so that only Recado is measured."""

    async def hear(request: web.Request) -> web.Response:
        while await request.content.readany():
            pass
        return web.json_response({"text": "hola, ¿a qué hora abren?", "language": "spanish", "duration": 5.0})

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/audio/transcriptions", hear)
    return app
