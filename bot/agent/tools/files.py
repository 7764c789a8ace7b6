"""The customer's own files: those they sent, and documents that the company made for them."""

from __future__ import annotations

import json

from pydantic import Field

from bot.agent.tool import Arguments, NoArguments, ToolContext, ToolError, tool
from bot.delivery.uploads import DOCUMENTS
from bot.messages.outbound import Attachment, LinkButton, Part, Picture, VoiceNote
from bot.messages.phrases import phrase
from bot.storage.file_index import KeptFile
from bot.storage.files import Files, NoLink
from bot.storage.storage import NotStored, StorageFailed

_SHOWN = 20
# WhatsApp carries documents of 100 MB, but a worker holds whole files in memory while it uploads many of them.
_LARGEST_IN_CHAT = 16 * 1024 * 1024
_AWAY = "the files can't be reached now. Say so; don't guess what is in them."


@tool(NoArguments)
async def list_files(_: NoArguments, context: ToolContext) -> str:
    """The files of this customer: those they sent in this chat, and documents that were made for them, such as
    invoices. Newest first.
    """
    found = await _files(context).of(context.conversation, context.contact.earlier)
    shown = [
        {
            "file": file.id,
            "name": file.name,
            "from": file.by,
            "date": file.at.astimezone(context.now.tzinfo).strftime("%Y-%m-%d %H:%M"),
            "kilobytes": max(1, file.size // 1024),
        }
        for file in found[:_SHOWN]
    ]
    return json.dumps({"files": shown, "older_ones_not_shown": max(0, len(found) - _SHOWN)}, ensure_ascii=False)


class WhichFile(Arguments):
    file: str = Field(description="What list_files gives as `file`, or the file's exact name", min_length=1)


@tool(WhichFile)
async def send_file(arguments: WhichFile, context: ToolContext) -> str:
    """Send the customer one of their own files in this chat. Call list_files first to see which there are."""
    files = _files(context)
    found = await files.of(context.conversation, context.contact.earlier)
    # Ids first, because a file's name may equal another file's id.
    chosen = next((file for file in found if file.id == arguments.file), None) or next(
        (file for file in found if file.name == arguments.file), None
    )
    if chosen is None:
        raise ToolError(f"this customer has no file {arguments.file!r}; see list_files")
    context.parts.append(_in_chat(chosen) or await _as_link(files, chosen, context))
    return "Shown with your answer. Now answer with what is not said yet; if there is nothing to add, answer only: -"


def _files(context: ToolContext) -> Files:
    if context.services.files is None:
        raise ToolError(_AWAY)
    return context.services.files


def _in_chat(file: KeptFile) -> Part | None:
    """The file as a message; None if WhatsApp doesn't carry it."""
    if file.size > _LARGEST_IN_CHAT:
        return None
    if file.mime in ("image/jpeg", "image/png", "image/webp"):
        return Picture(file=file.stored)
    if file.mime.startswith("audio/"):
        return VoiceNote(file=file.stored)
    if file.mime in DOCUMENTS or file.mime.startswith("text/"):
        return Attachment(file=file.stored)
    return None


async def _as_link(files: Files, file: KeptFile, context: ToolContext) -> Part:
    conversation = file.key.split("/")[1]
    try:
        url = await files.link(conversation, file.key)
    except NoLink as error:
        raise ToolError("this file can't be sent through WhatsApp; a colleague can send it otherwise") from error
    except (NotStored, StorageFailed) as error:
        raise ToolError(_AWAY) from error
    words = phrase("file_link", context.language).format(minutes=files.link_minutes)
    return LinkButton(body=f"{file.name}\n{words}", label=phrase("file_link_label", context.language), url=url)
