"""Routes by which people trust the assistant: turns, dead letters, confirmations, health, audit log, reports."""

from __future__ import annotations

import re
from datetime import date, timedelta

from aiohttp import web
from pydantic import Field

from bot.conversations.dead_letters import Acted
from bot.conversations.identity import is_conversation
from bot.web.console import reasons
from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.bodies import Body, read_body, read_query
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.route_steps import audit

routes = web.RouteTableDef()
_DRAFT = re.compile(r"[\w.-]{1,80}")


class TurnQuery(Body):
    conversation: str = Field("", max_length=64)


class CaseWanted(Body):
    """`turns` is how many are in the case, the last of which is the turn itself."""

    conversation: str = Field("", max_length=64)
    turns: int = Field(1, ge=1, le=20)


class AuditQuery(Body):
    before: int | None = Field(None, ge=1, le=2**53)
    who: str = Field("", max_length=320)
    action: str = Field("", max_length=64)
    object: str = Field("", max_length=200)
    limit: int = Field(100, ge=1, le=200)


class OptOutQuery(Body):
    q: str = Field("", max_length=200)


class ReportQuery(Body):
    since: date | None = Field(None, alias="from")
    to: date | None = None


@routes.get("/console/api/turns/{turn}", allow_head=False)
@operators_may("read")
async def turn(request: web.Request, _: Caller) -> web.Response:
    """Why the assistant said something."""
    query, console = read_query(request, TurnQuery), await parts(request)
    found = await console.history.turn(request.match_info["turn"][:64], query.conversation or None)
    if found is None:
        raise ApiProblem(404, "not_found")
    shown = found.as_json()
    # The trace's own fields lie beside it, as the live event of the turn has them.
    return json_answer((shown["trace"] or {}) | shown)


@routes.post("/console/api/turns/{turn}/case")
@operators_may("make_cases")
async def make_case(request: web.Request, caller: Caller) -> web.Response:
    """A test case of this turn and those before it, as YAML without identities."""
    body, console = await read_body(request, CaseWanted), await parts(request)
    from bot.past_cases.from_history import NoPastTurns  # noqa: PLC0415 - loaded with the console's parts

    found = await console.history.turn(request.match_info["turn"][:64], body.conversation or None)
    if found is None:
        raise ApiProblem(404, "not_found")
    try:
        name, text = await console.cases.make(found, body.turns, caller.language)
    except NoPastTurns as error:
        raise ApiProblem(409, "turn_unanswered") from error
    await audit(console, caller, "case_made", found.conversation, turn=found.id)
    return json_answer({"name": name, "yaml": text})


@routes.get("/console/api/dead-letters", allow_head=False)
@operators_may("handle_dead_letters")
async def dead_letters(request: web.Request, _: Caller) -> web.Response:
    return json_answer({"dead_letters": await (await parts(request)).failed.listed()})


@routes.post("/console/api/dead-letters/{id}/{act:retry|drop}")
@operators_may("handle_dead_letters")
async def handle_dead_letter(request: web.Request, caller: Caller) -> web.Response:
    """Retry or drop the failed messages of a conversation."""
    name, act, console = request.match_info["id"], request.match_info["act"], await parts(request)
    if not is_conversation(name):
        raise ApiProblem(404, "not_found")
    try:
        retries = act == "retry"
        count = await (console.failed.retry(name, console.scheduler) if retries else console.failed.drop(name))
    except Acted as error:
        raise ApiProblem(409, "acted_already") from error
    if not count:
        raise ApiProblem(404, "not_found")
    await audit(console, caller, f"dead_letter_{act}", name, messages=count)
    return json_answer({"id": name, "messages": count})


@routes.get("/console/api/confirmations", allow_head=False)
@operators_may("read")
async def confirmations(request: web.Request, _: Caller) -> web.Response:
    """Cards that wait for a customer's tap."""
    return json_answer({"confirmations": await (await parts(request)).confirmations.listed()})


@routes.get("/console/api/product-cards", allow_head=False)
@operators_may("read")
async def product_cards(request: web.Request, _: Caller) -> web.Response:
    """Product cards that staff have not checked yet."""
    return json_answer({"cards": await (await parts(request)).product_cards.listed()})


@routes.get("/console/api/product-cards/{conversation}/{draft}/{field}", allow_head=False)
@operators_may("read")
async def product_picture(request: web.Request, _: Caller) -> web.Response:
    """The piece of a photo from which a field of a card was read."""
    place, console = request.match_info, await parts(request)
    if not is_conversation(place["conversation"]) or not _DRAFT.fullmatch(place["draft"]):
        raise ApiProblem(404, "not_found")
    picture = await console.product_cards.picture(place["conversation"], place["draft"], place["field"])
    if picture is None:
        raise ApiProblem(404, "not_found")
    headers = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=picture, content_type="image/jpeg", headers=headers)


@routes.get("/console/api/budget", allow_head=False)
@operators_may("read_reports")
async def budget(request: web.Request, _: Caller) -> web.Response:
    """Spent today, and allowed."""
    return json_answer(await (await parts(request)).budget.today())


@routes.get("/console/api/opt-outs", allow_head=False)
@operators_may("read_reports")
async def opt_outs(request: web.Request, _: Caller) -> web.Response:
    """People who want no marketing, the newest first, two hundred at most."""
    query = read_query(request, OptOutQuery)
    return json_answer(await (await parts(request)).opted_out.listed(query.q))


@routes.get("/console/api/health", allow_head=False)
@operators_may("read")
async def health(request: web.Request, caller: Caller) -> web.Response:
    """The state of each integration, in words."""
    return json_answer({"integrations": await (await parts(request)).health.examine(caller.language)})


@routes.get("/console/api/audit", allow_head=False)
@operators_may("read_audit")
async def audit_log(request: web.Request, _: Caller) -> web.Response:
    """Entries of the audit log, the newest first."""
    query, console = read_query(request, AuditQuery), await parts(request)
    from bot.people.audit import AuditFilter  # noqa: PLC0415 - loaded with the console's parts

    wanted = AuditFilter(query.before, query.who or None, query.action or None, query.object or None)
    found = await console.audit.entries(wanted, query.limit)
    entries = [
        {
            "id": entry.id,
            "at": entry.at.isoformat(),
            "who": entry.who,
            "action": entry.action,
            "object": entry.object,
            "details": dict(entry.details),
            "address": entry.address,
        }
        for entry in found
    ]
    return json_answer({"entries": entries, "next": str(found[-1].id) if len(found) == query.limit else None})


@routes.get("/console/api/reports", allow_head=False)
@operators_may("read_reports")
async def reports(request: web.Request, _: Caller) -> web.Response:
    """Figures over days, the last thirty unless the query says others."""
    query, console = read_query(request, ReportQuery), await parts(request)
    from bot.console.reports import LONGEST_DAYS  # noqa: PLC0415 - loaded with the console's parts

    last = query.to or console.reports.today()
    if last.year < 2000 or last.year > 2200:  # noqa: PLR2004 - no report is about another time
        raise ApiProblem(422, "field_wrong", field="to", why=reasons.NO_SUCH_DAY)
    first = query.since or last - timedelta(days=29)
    if first > last:
        raise ApiProblem(422, "field_wrong", field="from", why=reasons.AFTER_END)
    if (last - first).days >= LONGEST_DAYS:
        raise ApiProblem(422, "field_wrong", field="from", why=reasons.MOST_DAYS.within(days=LONGEST_DAYS))
    return json_answer(await console.reports.over(first, last))
