"""Export for people: a folder with a page to read, the person's files, and the raw data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape, unescape
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from bot.conversations.memory import HistoryEntry
from bot.messages.language import Language
from bot.messages.prompt_text import without_our_tags
from bot.storage.file_index import KeptFile

_WORDS: dict[Language, dict[str, str]] = {
    "es": {
        "title": "Lo que se guarda de ti", "made": "Hecho el", "person": "Quién eres", "said": "Conversación",
        "summary": "Resumen de lo anterior", "files": "Archivos", "jobs": "Envíos", "billing": "Cobros",
        "none": "Nada.", "raw": "Todo, tal como se guarda, está en data.json.", "you": "Tú", "we": "Nosotros",
        "name": "Nombre", "phone": "Teléfono", "bsuid": "Identificador de WhatsApp", "email": "Correo",
        "language": "Idioma", "last_inbound_at": "Último mensaje", "marketing_opt_out": "No quiere publicidad",
        "suppressed": "No se le escribe a", "yes": "sí", "no": "no",
    },
    "en": {
        "title": "What is stored about you", "made": "Made on", "person": "Who you are", "said": "Conversation",
        "summary": "Summary of what came before", "files": "Files", "jobs": "Deliveries", "billing": "Billing",
        "none": "Nothing.", "raw": "Everything, as it is stored, is in data.json.", "you": "You", "we": "We",
        "name": "Name", "phone": "Phone", "bsuid": "WhatsApp identifier", "email": "E-mail",
        "language": "Language", "last_inbound_at": "Last message", "marketing_opt_out": "Wants no marketing",
        "suppressed": "Nothing is sent to", "yes": "yes", "no": "no",
    },
}  # fmt: skip
_FACTS = ("name", "phone", "bsuid", "email", "language", "last_inbound_at", "marketing_opt_out")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1d2125}"
    "h2{margin-top:2rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.3rem .6rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}th{white-space:nowrap}"
    "time{color:#555;white-space:nowrap}pre{white-space:pre-wrap;font:inherit;margin:0}"
)
_TAG = re.compile(r"</?[a-z_]+>")


class FolderTaken(Exception):
    """The folder holds something already."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} isn't empty")
        self.folder = folder


@dataclass(frozen=True, slots=True)
class PersonExport:
    """Data of `PersonalData.about`, the person's files by their keys, and how to show them."""

    data: dict[str, Any]
    files: tuple[KeptFile, ...]
    language: Language
    zone: ZoneInfo


async def write_folder(
    folder: Path,
    export: PersonExport,
    pieces: AsyncGenerator[str, None],
    read: Callable[[str], Awaitable[bytes]],
) -> None:
    """Write index.html, data.json from its pieces, and `files/`. Raises FolderTaken, OSError, and errors of `read`."""
    await asyncio.to_thread(_make, folder)
    names = _file_names(export)
    for key, name in names.items():
        await asyncio.to_thread(_write, folder / "files" / name, await read(key))
    await _write_pieces(folder / "data.json", pieces)
    page = "\n".join(_page(export, names))
    await asyncio.to_thread(_write, folder / "index.html", f"{page}\n".encode())


def _make(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(folder)
    # Because the folder holds what a person said, only its owner may read it.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


async def _write_pieces(path: Path, pieces: AsyncGenerator[str, None]) -> None:
    # Because JSON has the same escapes, half a character pair stays what it is.
    with await asyncio.to_thread(path.open, "w", encoding="utf-8", errors="backslashreplace") as file:
        async with aclosing(pieces):
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
        file.write("\n")


def _file_names(export: PersonExport) -> dict[str, str]:
    """A name on the disk for each stored file, by its key: the person's own name of it where one is known."""
    known = {file.key: file.name for file in export.files}
    names: dict[str, str] = {}
    for number, file in enumerate(export.data["files"], 1):
        own = re.sub(r"[^\w. -]", "_", known.get(file["key"]) or PurePosixPath(file["key"]).name).strip(". ")
        names[file["key"]] = f"{number:03d}-{own[-100:] or 'file'}"
    return names


def _page(export: PersonExport, names: dict[str, str]) -> Iterator[str]:
    words = _WORDS[export.language]
    title = words["title"]
    yield f'<!doctype html>\n<html lang="{export.language}">\n<meta charset="utf-8">'
    yield f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>{_STYLE}</style>'
    yield f"<h1>{title}</h1>\n<p>{words['made']} {_time(datetime.now(UTC), export.zone)}. {words['raw']}</p>"
    yield from _section(words, "person", _table(_facts(export, words)))
    for conversation in export.data["conversations"].values():
        if summary := conversation.get("memory:summary"):
            yield from _section(words, "summary", [f"<pre>{escape(str(summary))}</pre>"])
        yield from _section(words, "said", _table(_said(conversation, export.zone, words)))
    links = ((f'<a href="files/{escape(name)}">{escape(name)}</a>', _size(export, key)) for key, name in names.items())
    yield from _section(words, "files", _table(links, is_html=True))
    jobs = ((f"{job['queue']}: {job['name']}", _as_text(job["data"])) for job in export.data["jobs"])
    yield from _section(words, "jobs", _table(jobs))
    billing = ((name, _as_text(kept)) for name, kept in export.data["billing"].items())
    yield from _section(words, "billing", _table(billing))
    yield "</html>"


def _section(words: dict[str, str], name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"<h2>{words[name]}</h2>"
    yield from list(lines) or [f"<p>{words['none']}</p>"]


def _table(rows: Iterable[tuple[str, str]], *, is_html: bool = False) -> list[str]:
    cells = (row if is_html else (escape(row[0]), escape(row[1])) for row in rows)
    made = [f"<tr><th>{name}</th><td><pre>{value}</pre></td></tr>" for name, value in cells]
    return ["<table>", *made, "</table>"] if made else []


def _facts(export: PersonExport, words: dict[str, str]) -> Iterator[tuple[str, str]]:
    for conversation in export.data["conversations"].values():
        contact = conversation.get("contact", {})
        for name in _FACTS:
            if value := contact.get(name):
                yield words[name], _fact(name, str(value), export.zone, words)
    for address, why in export.data["suppressed"].items():
        yield words["suppressed"], f"{address}: {why}"


def _fact(name: str, value: str, zone: ZoneInfo, words: dict[str, str]) -> str:
    if name == "last_inbound_at":
        return _time(datetime.fromtimestamp(float(value), UTC), zone)
    if name == "marketing_opt_out":
        return words["no" if value == "0" else "yes"]
    return value


def _said(conversation: dict[str, Any], zone: ZoneInfo, words: dict[str, str]) -> Iterator[tuple[str, str]]:
    for raw in (*conversation.get("memory:fallen", ()), *conversation.get("memory", ())):
        entry = HistoryEntry.model_validate(raw)
        who = words["you" if entry.role == "user" else "we"]
        yield f"{_time(entry.at, zone)} {who}", _untagged(entry.text) if entry.role == "user" else entry.text


def _untagged(text: str) -> str:
    """The words of a text; what was perceived in a file is noted in our tags, which the page leaves out."""
    is_ours = text[:1] == "<" and without_our_tags(text)[0] != "<"
    return unescape(_TAG.sub(" ", text)).strip() if is_ours else text


def _as_text(value: Any, indent: str = "") -> str:
    """Nested values as lines `name: value`."""
    if isinstance(value, dict):
        lines = (
            f"{indent}{name}:\n{_as_text(item, f'{indent}  ')}" if isinstance(item, dict | list) and item
            else f"{indent}{name}: {item}"
            for name, item in value.items() if item not in (None, "", {}, [])
        )  # fmt: skip
        return "\n".join(lines)
    if isinstance(value, list):
        return "\n".join(_as_text(item, indent) for item in value)
    return f"{indent}{value}"


def _size(export: PersonExport, key: str) -> str:
    size = next(file["size"] for file in export.data["files"] if file["key"] == key)
    return f"{size / 1024:.1f} KB"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
