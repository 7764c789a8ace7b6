"""A model whose likenesses have another scale decides as the embedded one does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date

import numpy as np
import pytest
from aiohttp import web

from bench.knowledge.questions import read_questions
from bot.knowledge.building import index_of, read_documents
from bot.knowledge.embeddings import EmbeddedModel, Embedder, RemoteEmbedder, encoded
from bot.knowledge.scale import EMBEDDED, scale_of
from bot.knowledge.search import SearchQuery, search_index
from bot.settings import EmbeddingsSettings
from bot.web.server import listening
from tests.paths import ROOT

pytestmark = pytest.mark.xdist_group("knowledge")

SHOP = ROOT / "fixtures" / "knowledge"
# A share that all texts have in common, so that no two of them are less alike than 0.8.
COMMON = 2.0


async def _embed(request: web.Request) -> web.Response:
    texts = (await request.json())["input"]
    vectors = np.column_stack([encoded(texts), np.full(len(texts), COMMON)])
    found = [{"index": place, "embedding": vector.tolist()} for place, vector in enumerate(vectors)]
    return web.Response(text=json.dumps({"data": found, "object": "list"}), content_type="application/json")


@pytest.fixture
async def crowded() -> AsyncIterator[RemoteEmbedder]:
    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/embeddings", _embed)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        settings = EmbeddingsSettings().model_copy(update={"model": "crowded", "base_url": f"{url}/v1"})
        embedder = RemoteEmbedder(settings)
        yield embedder
        await embedder.close()


async def test_a_model_by_the_endpoint_with_another_scale_refuses_and_answers_alike(crowded: RemoteEmbedder) -> None:
    documents, _ = await read_documents(SHOP / "documents", "es")
    questions = read_questions(SHOP / "questions.jsonl")[::6]
    verdicts = []
    embedders: list[Embedder] = [EmbeddedModel(), crowded]
    for embedder in embedders:
        index = await index_of(documents, embedder)
        found = [
            await search_index(
                index, embedder, SearchQuery(question.text, question.audience, date(2026, 12, 1), question.history)
            )
            for question in questions
        ]
        verdicts.append([(result.is_enough, result.hits[0].passage.location) for result in found])
    same = sum(verdict == other for verdict, other in zip(*verdicts, strict=True))
    assert same / len(questions) >= 0.95


async def test_the_embedded_model_has_the_scale_of_the_weights() -> None:
    assert await scale_of(EmbeddedModel()) == EMBEDDED
