"""An answer without an end, or a small one that unpacks to gigabytes, is left after a few megabytes."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from importlib import import_module

import pytest
from aiohttp import web
from pydantic import SecretStr
from yarl import URL

from bot.ai.chat import Attempt, FromPerson, ModelRequest, NoModelAnswered
from bot.ai.openrouter import OpenRouter
from bot.ai.whisper import TranscriptionFailed, Whisper
from bot.infra import bounded_http
from bot.integrations.email.http import send_request
from bot.integrations.email.http import session as mail_session
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import StripeUnavailable
from bot.knowledge.embeddings import EmbeddingsFailed, RemoteEmbedder
from bot.settings import EmbeddingsSettings, LLMSettings, StripeSettings, WhatsAppSettings
from bot.web.server import listening
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import MetaUnavailable
from pipelines.voice import Clip

MEGABYTE = 1024 * 1024
# Megabytes of an answer, which has no end; of what is kept of it.
OFFERED, MOST_KEPT = 96, 48
PIECE = b'"' + b" " * (MEGABYTE - 1)
ASKED = web.AppKey("asked", Counter[str])
PACKED = gzip.compress(PIECE * OFFERED, 1)


async def _endless(request: web.Request) -> web.StreamResponse:
    """Answer with JSON that goes on and on, in one piece if it is packed."""
    await request.read()
    packed = request.path.startswith("/packed")
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if packed else {})
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    with suppress(ConnectionError):
        for piece in [PACKED] if packed else [PIECE] * OFFERED:
            await response.write(piece)
    return response


@pytest.fixture
async def server() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _endless)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        yield url


async def _meta(url: str) -> None:
    async with bounded_http.session() as http:
        settings = WhatsAppSettings(access_token=SecretStr("t"), phone_number_id="1", api_base_url=url)
        with pytest.raises(MetaUnavailable):
            await Graph(http, settings).send({"to": "1"})


async def _stripe(url: str) -> None:
    async with bounded_http.session() as http:
        settings = StripeSettings().model_copy(update={"api_base": url, "secret_key": SecretStr("sk_test_1")})
        with pytest.raises(StripeUnavailable):
            await Stripe(http, settings, first_wait=0).customer("cus_1")


async def _mail(url: str) -> None:
    async with mail_session() as http:
        found = await send_request(http, "POST", URL(url), headers={}, seconds=20)
        # The status decides, also without a body.
        assert (found.status, found.data) == (200, None)


async def _model(url: str) -> None:
    model = OpenRouter(LLMSettings(base_url=url, model_default="a/b", model_fallback="a/b"))
    deadline = asyncio.get_running_loop().time() + 20
    with pytest.raises(NoModelAnswered):
        await model.answer(ModelRequest((FromPerson("hola"),), deadline), _unrecorded)
    await model.close()


async def _unrecorded(_: Attempt) -> None:
    """Nobody keeps the books."""


async def _whisper(url: str) -> None:
    whisper = Whisper(api_key="k", base_url=url, model="whisper-1")
    with pytest.raises(TranscriptionFailed):
        await whisper(Clip(b"", "a.mp3", "audio/mpeg", 1.0, None))
    await whisper.close()


async def _embeddings(url: str) -> None:
    embedder = RemoteEmbedder(EmbeddingsSettings(model="m", base_url=url))
    with pytest.raises(EmbeddingsFailed):
        await embedder.embed(["hola"])
    await embedder.close()


async def _page(request: web.Request) -> web.Response:
    """Answer each question for a page with another full one."""
    request.app[ASKED].update(["page"])
    number = request.app[ASKED].total()
    price = {"currency": "mxn", "product": "prod_1", "object": "price"}
    data = [price | {"id": f"price_{number}_{place}"} for place in range(100)]
    return web.json_response({"data": data, "paging": {"cursors": {"after": str(number)}, "next": "x"}})


DOORS: dict[str, Callable[[str], Awaitable[None]]] = {
    "Meta": _meta,
    "Stripe": _stripe,
    "a mail provider": _mail,
    "a model": _model,
    "transcription": _whisper,
    "vectors": _embeddings,
}


@pytest.mark.parametrize("way", ["endless", "packed"])
@pytest.mark.parametrize("door", DOORS)
async def test_little_of_an_answer_without_an_end_is_kept(
    server: str, monkeypatch: pytest.MonkeyPatch, door: str, way: str
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "k")
    await asyncio.to_thread(import_module, "openai")
    tracemalloc.start()
    try:
        await DOORS[door](f"{server}/{way}")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_KEPT * MEGABYTE


async def test_a_list_without_an_end_has_some_pages() -> None:
    app = web.Application()
    app[ASKED] = Counter()
    app.router.add_get("/{path:.*}", _page)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url, bounded_http.session() as http:
        meta = WhatsAppSettings(access_token=SecretStr("t"), phone_number_id="1", waba_id="2", api_base_url=url)
        stripe = StripeSettings().model_copy(update={"api_base": url, "secret_key": SecretStr("sk_test_1")})
        async with asyncio.timeout(20):
            assert len(await Graph(http, meta).templates()) == 10_000
            assert len(await Stripe(http, stripe).prices()) == 2_000
