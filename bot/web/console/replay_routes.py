"""Routes of replays: the releases of the prompts, and a turn's answer with one of them."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import Field

from bot.ai.chat import BudgetSpent, NoModelAnswered
from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.bodies import Body, read_body
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.web.console.route_steps import audit

routes = web.RouteTableDef()


class ReplayWanted(Body):
    """Without `release` it is the current one."""

    conversation: str = Field("", max_length=64)
    release: str | None = Field(None, pattern=r"^[0-9a-f]{12}$")


@routes.get("/console/api/releases", allow_head=False)
@operators_may("replay_turns")
async def releases(request: web.Request, _: Caller) -> web.Response:
    """Releases of the prompts that a turn may be replayed with."""
    return json_answer({"releases": await (await parts(request)).replays.releases()})


@routes.post("/console/api/turns/{turn}/replay")
@operators_may("replay_turns")
async def replay(request: web.Request, caller: Caller) -> web.Response:
    """Answer of the model with another release; nothing is carried out, sent or remembered."""
    body, console = await read_body(request, ReplayWanted), await parts(request)
    from bot.console import replayable_turn, replays  # noqa: PLC0415 - loaded with the console's parts

    if not console.replays.model.has_key:
        raise ApiProblem(409, "model_missing")
    found = await console.history.turn(request.match_info["turn"][:64], body.conversation or None)
    if found is None:
        raise ApiProblem(404, "not_found")
    try:
        attempt, model_request = await console.replays.prepare(found, body.release)
    except replayable_turn.NotReplayable as error:
        raise ApiProblem(409, "turn_without_messages") from error
    except replays.ReleaseUnknown as error:
        raise ApiProblem(404, "release_unknown", field="release") from error
    except replays.ReleaseUnusable as error:
        raise ApiProblem(409, "release_unusable", field="release") from error
    try:
        await console.replays.run(attempt, model_request)
    except replays.TooManyReplays as error:
        raise ApiProblem(503, "replays_full", headers={"Retry-After": "5"}) from error
    except BudgetSpent as error:
        raise ApiProblem(409, "budget_spent") from error
    except NoModelAnswered as error:
        raise ApiProblem(503, "model_away", headers={"Retry-After": "5"}) from error
    finally:
        if attempt.attempts:
            details = {"turn": found.id, "release": attempt.release, "cost_usd": f"{attempt.cost_usd:f}"}
            await audit(console, caller, "replay", found.conversation, **details)
    return json_answer(await asyncio.to_thread(attempt.as_json))
