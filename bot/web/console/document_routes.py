"""Routes of the documents: their list, and suggested questions and answers that a person accepts or rejects."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web
from pydantic import Field

from bot.knowledge.embeddings import EmbeddingsFailed
from bot.knowledge.finding_words import finding_in
from bot.messages.language import Language
from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.bodies import Body, NoFields, read_body, read_query
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.route_steps import audit

routes = web.RouteTableDef()
_LANGUAGES: tuple[Language, ...] = ("es", "en")


class DocumentQuery(Body):
    after: str = Field("", max_length=1024)
    limit: int = Field(100, ge=1, le=200)


class AnswerBody(Body):
    question: str = Field(min_length=1, max_length=500, pattern=r"\S")
    answer: str = Field(min_length=1, max_length=2000, pattern=r"\S")


@routes.get("/console/api/documents", allow_head=False)
@operators_may("review_documents")
async def documents(request: web.Request, _: Caller) -> web.Response:
    """Documents by name, with what the newest sync found wrong."""
    query, console = read_query(request, DocumentQuery), await parts(request)
    found = await console.documents.documents(query.after, query.limit)
    shown = [
        asdict(document)
        | {
            "valid_from": document.valid_from.isoformat() if document.valid_from else None,
            "valid_until": document.valid_until.isoformat() if document.valid_until else None,
        }
        for document in found.documents
    ]
    synced_at = found.synced_at.isoformat() if found.synced_at else None
    problems = [
        problem.as_json() | {"said": {name: finding_in(name, problem).as_json() for name in _LANGUAGES}}
        for problem in found.problems
    ]
    return json_answer({"synced_at": synced_at, "documents": shown, "problems": problems, "next": found.next})


@routes.get("/console/api/suggestions", allow_head=False)
@operators_may("review_documents")
async def suggested(request: web.Request, _: Caller) -> web.Response:
    """Suggestions that wait for a decision, and the answers that people have accepted."""
    console = await parts(request)
    try:
        found = await console.documents.suggested()
    except EmbeddingsFailed as error:
        raise ApiProblem(503, "unavailable") from error
    return json_answer({"suggestions": found, "accepted": await console.documents.accepted()})


@routes.post("/console/api/suggestions/{id}/accept")
@operators_may("review_documents")
async def accept(request: web.Request, caller: Caller) -> web.Response:
    """Take a question and its answer into the next sync."""
    body, console = await read_body(request, AnswerBody), await parts(request)
    from bot.console.document_review import SuggestionUnknown  # noqa: PLC0415 - loaded with the console's parts
    from bot.knowledge.answers import Decision  # noqa: PLC0415 - as above

    name = _name(request)
    try:
        origins = await console.documents.decide(Decision(name, body.question, body.answer, caller.who), "accept")
    except SuggestionUnknown as error:
        raise ApiProblem(404, "not_found") from error
    await audit(console, caller, "suggestion_accepted", name, origins=", ".join(origins))
    return json_answer({"id": name, "state": "accepted"})


@routes.post("/console/api/suggestions/{id}/reject")
@operators_may("review_documents")
async def reject(request: web.Request, caller: Caller) -> web.Response:
    """Let a suggestion not come back; an accepted answer leaves the next sync."""
    await read_body(request, NoFields)
    console, name = await parts(request), _name(request)
    from bot.console.document_review import SuggestionUnknown  # noqa: PLC0415 - loaded with the console's parts
    from bot.knowledge.answers import Decision  # noqa: PLC0415 - as above

    try:
        origins = await console.documents.decide(Decision(name, "", "", caller.who), "reject")
    except SuggestionUnknown as error:
        raise ApiProblem(404, "not_found") from error
    await audit(console, caller, "suggestion_rejected", name, origins=", ".join(origins))
    return json_answer({"id": name, "state": "rejected"})


def _name(request: web.Request) -> str:
    name = request.match_info["id"]
    if len(name) > 32 or "\0" in name:  # noqa: PLR2004 - the width of the column
        raise ApiProblem(404, "not_found")
    return name
