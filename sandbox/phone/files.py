"""The stored files of all people on the sandbox's page, each with a link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from redis.asyncio import Redis

from bot.conversations.contacts import Contacts
from bot.storage.file_index import conversations_with_files
from bot.storage.files import Files, NoLink
from bot.storage.storage import NotStored, StorageFailed


def list_files_handler(redis: Redis, files: Files) -> Callable[[web.Request], Awaitable[web.Response]]:
    """`GET /sandbox/files`: `[{conversation, person, id, name, mime, size, by, at, link}]`, newest first."""
    contacts = Contacts(redis)

    async def handler(_: web.Request) -> web.Response:
        found = []
        for conversation in await conversations_with_files(redis):
            contact = await contacts.get(conversation)
            for file in await files.of(conversation):
                shown = file.model_dump(include={"name", "mime", "size", "by"}) | {"id": file.id}
                shown |= {"conversation": conversation, "person": contact.name, "at": file.at.isoformat()}
                found.append(shown | {"link": await _link(files, conversation, file.key)})
        return web.json_response(sorted(found, key=lambda file: str(file["at"]), reverse=True))

    return handler


async def _link(files: Files, conversation: str, place: str) -> str | None:
    try:
        return await files.link(conversation, place)
    except (NoLink, NotStored, StorageFailed):
        return None
