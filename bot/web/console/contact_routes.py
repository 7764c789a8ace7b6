"""Routes of a contact: everything that is known, export, erasure."""

from __future__ import annotations

from contextlib import aclosing

import structlog
from aiohttp import web

from bot.storage.files import FilesLost
from bot.storage.storage import StorageFailed
from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.problems import ApiProblem
from bot.web.console.route_steps import CONVERSATION, audit, known_conversation

routes = web.RouteTableDef()
_log = structlog.get_logger()


@routes.get(f"{CONVERSATION}/contact", allow_head=False)
@operators_may("read")
async def contact(request: web.Request, _: Caller) -> web.Response:
    console, name = await known_conversation(request)
    return json_answer({"contact": await console.contacts.of(name)})


@routes.get(f"{CONVERSATION}/export", allow_head=False)
@operators_may("export_contact")
async def export(request: web.Request, caller: Caller) -> web.StreamResponse:
    """Everything stored about the person, as JSON."""
    console, name = await known_conversation(request)
    pieces = await console.contacts.export(name)
    if pieces is None:
        raise ApiProblem(404, "conversation_unknown")
    async with aclosing(pieces):
        try:
            # The second piece is from the database: a part that is away is told while there still is an answer to tell.
            begun = await anext(pieces) + await anext(pieces)
        except StorageFailed as error:
            raise ApiProblem(503, "unavailable") from error
        await audit(console, caller, "contact_exported", name)
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-store"})
        await response.prepare(request)
        try:
            await response.write(begun.encode())
            async for piece in pieces:
                await response.write(piece.encode())
            await response.write_eof()
        except ConnectionResetError:
            _log.info("export_left", conversation=name)
        except Exception:  # noqa: BLE001 - the answer has begun, so that only its end tells of the fault
            _log.exception("export_broken", conversation=name)
            if request.transport is not None:
                request.transport.abort()
    return response


@routes.post(f"{CONVERSATION}/erase")
@operators_may("erase_contact")
async def erase(request: web.Request, caller: Caller) -> web.Response:
    """Erase everything stored about the person."""
    console, name = await known_conversation(request)
    from bot.privacy import ConversationBusy  # noqa: PLC0415 - loaded with the console's parts

    try:
        erased = await console.contacts.erase(name)
    except ConversationBusy as error:
        raise ApiProblem(503, "conversation_busy") from error
    except FilesLost as error:
        raise ApiProblem(409, "files_missing") from error
    except StorageFailed as error:
        raise ApiProblem(503, "unavailable") from error
    if erased is None:
        raise ApiProblem(404, "conversation_unknown")
    await audit(console, caller, "contact_erased", name, keys=erased.keys, files=erased.files, jobs=erased.jobs)
    return json_answer({"keys": erased.keys, "files": erased.files, "jobs": erased.jobs})
