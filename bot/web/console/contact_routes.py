"""Routes of a contact: everything that is known, export, erasure."""

from __future__ import annotations

from aiohttp import web

from bot.storage.files import FilesLost
from bot.storage.storage import StorageFailed
from bot.web.console.access import Caller, json_answer, operators_may
from bot.web.console.acting import audit, known_conversation
from bot.web.console.problems import ApiProblem

routes = web.RouteTableDef()
_ONE = "/console/api/conversations/{conversation}"


@routes.get(f"{_ONE}/contact", allow_head=False)
@operators_may("read")
async def contact(request: web.Request, _: Caller) -> web.Response:
    console, name = await known_conversation(request)
    return json_answer({"contact": await console.contacts.of(name)})


@routes.get(f"{_ONE}/export", allow_head=False)
@operators_may("export_contact")
async def export(request: web.Request, caller: Caller) -> web.Response:
    """Everything stored about the person, as JSON."""
    console, name = await known_conversation(request)
    try:
        found = await console.contacts.export(name)
    except StorageFailed as error:
        raise ApiProblem(503, "unavailable") from error
    if found is None:
        raise ApiProblem(404, "conversation_unknown")
    await audit(console, caller, "contact_exported", name)
    return json_answer(found)


@routes.post(f"{_ONE}/erase")
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
