"""Vectors come from the embedded model, or from an OpenAI-compatible endpoint; a failure of it is named."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.knowledge.embeddings import EmbeddingsFailed, RemoteEmbedder
from bot.settings import EmbeddingsSettings
from bot.web.server import listening

ASKED: list[dict[str, object]] = []


async def _embed(request: web.Request) -> web.Response:
    asked = await request.json()
    ASKED.append({"key": request.headers["Authorization"], "model": asked["model"], "input": asked["input"]})
    if "falla" in asked["input"]:
        return web.json_response({"error": {"message": "no"}}, status=400)
    found = [{"index": place, "embedding": [3.0, 4.0 * place]} for place in range(len(asked["input"]))]
    return web.Response(text=json.dumps({"data": found[::-1], "object": "list"}), content_type="application/json")


@pytest.fixture
async def embedder() -> AsyncIterator[RemoteEmbedder]:
    app = web.Application()
    app.router.add_post("/v1/embeddings", _embed)
    ASKED.clear()
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        opened = RemoteEmbedder(
            EmbeddingsSettings().model_copy(
                update={"model": "mini", "base_url": f"{url}/v1", "api_key": SecretStr("k")}
            )
        )
        yield opened
        await opened.close()


async def test_vectors_of_the_endpoint_are_in_order_and_of_length_one(embedder: RemoteEmbedder) -> None:
    vectors = await embedder.embed(["uno", "dos"])
    assert vectors.round(3).tolist() == [[1.0, 0.0], [0.6000000238418579, 0.800000011920929]]
    assert ASKED == [{"key": "Bearer k", "model": "mini", "input": ["uno", "dos"]}]


async def test_a_failure_of_the_endpoint_is_named_without_its_words(embedder: RemoteEmbedder) -> None:
    with pytest.raises(EmbeddingsFailed, match="EMBEDDINGS_BASE_URL failed"):
        await embedder.embed(["falla"])
