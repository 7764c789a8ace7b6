"""Shared steps of the console's routes: the conversation of a path, the actor, refused actions, the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.conversations.assignment import ColleagueHasIt, NoConversation, StillSending
from bot.people.roles import may
from bot.web.console.access import Caller
from bot.web.console.parts import parts
from bot.web.console.problems import ApiProblem
from bot.whatsapp.errors import GraphError, MetaUnavailable

if TYPE_CHECKING:
    from bot.console.conversation_actions import Actor
    from bot.console.parts import ConsoleParts

CONVERSATION = "/console/api/conversations/{conversation}"


async def known_conversation(request: web.Request) -> tuple[ConsoleParts, str]:
    """The parts, and the conversation of the path (or the one that it has joined); raises 404."""
    console = await parts(request)
    try:
        return console, await console.actions.known(request.match_info["conversation"])
    except NoConversation as error:
        raise ApiProblem(404, "conversation_unknown") from error


def actor_of(caller: Caller) -> Actor:
    from bot.console.conversation_actions import Actor  # noqa: PLC0415 - loaded with the console's parts

    return Actor(caller.who, caller.name, may(caller.role, "act_for_others"))


@contextmanager
def action_refusals(colleague: str = "someone_elses") -> Iterator[None]:
    """Turn a refused action into its answer; `colleague` is the code where a colleague has the conversation."""
    try:
        yield
    except ColleagueHasIt as error:
        raise ApiProblem(409, colleague, who=error.name) from error
    except NoConversation as error:
        raise ApiProblem(404, "conversation_unknown") from error
    except StillSending as error:
        raise ApiProblem(503, "conversation_busy") from error
    except GraphError as error:
        raise ApiProblem(409, "thread_of_another", why=error.code) from error
    except MetaUnavailable as error:
        raise ApiProblem(503, "unavailable") from error


async def audit(console: ConsoleParts, caller: Caller, action: str, object_: str, **details: Any) -> None:
    await console.audit.record(caller.who, action, object_, address=caller.address, details=details)
