"""Reads the company's folder of documents. A bad file is left out with a finding; the other files are read."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bot.knowledge import metadata, pairs
from bot.knowledge.document import FileFinding, KnowledgeDocument, Passage
from bot.knowledge.metadata import DocumentFacts, FactMistake, FrontMatterOpen, misplaced_audience, read_metadata
from bot.knowledge.passages import passages_of
from bot.messages.language import Language, language_of
from pipelines.blocks import FORMATS, BlockLimits, BlockReader
from pipelines.blocks.markdown import read_markdown, read_plain
from pipelines.characters import cleaned, decoded
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import ReadText

MOST_FILES = 5000
_LONGEST_TITLE = 200
_MEBIBYTE = 1024 * 1024
LIMITS = BlockLimits(
    bytes=50 * _MEBIBYTE,
    unpacked=200 * _MEBIBYTE,
    characters=3_000_000,
    pages=600,
    scanned_pages=200,
    rows=20_000,
    cells=500_000,
    seconds=60.0,
)
# Part of each document's digest: a new number makes the next sync read all documents again.
_READER = "5"
_SIDECARS = (".yaml", ".yml")
_DIGITS = 16
# Control characters, which a terminal obeys, and bytes that are no text.
_NO_SIGNS = ("Cc", "Cs")
_FRONT_MATTER = ("md", "txt")
_TEXTS = (*_FRONT_MATTER, "html", "csv")
_FIRST_BLOCKS = 40
_LANGUAGE_JUDGED = 5000
_PROBLEMS = {
    FileProblem.BOMB: "unpacks to more than the limit",
    FileProblem.DAMAGED: "is damaged",
    FileProblem.EMPTY: "holds no text",
    FileProblem.ENCRYPTED: "is locked with a password",
    FileProblem.TOO_LARGE: "is larger than the limit",
    FileProblem.TOO_SLOW: "took too long to read",
    FileProblem.UNREADABLE_FORMAT: "isn't what its name says",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file below the folder; `digest` names its content and its metadata."""

    path: Path
    name: str
    digest: str
    sidecar: Path | None = None


@dataclass(frozen=True, slots=True)
class ListedFolder:
    files: tuple[SourceFile, ...]
    findings: tuple[FileFinding, ...] = ()


class FolderMissing(Exception):
    """KNOWLEDGE_DIR names no folder."""


def list_folder(folder: Path) -> ListedFolder:
    """List the files that can be read, by name. Raises FolderMissing."""
    if not folder.is_dir():
        raise FolderMissing(f"{folder}: there is no such folder; see KNOWLEDGE_DIR")
    files: list[SourceFile] = []
    findings: list[FileFinding] = []
    paths = sorted(paths_of(folder))
    sidecars = {path.with_suffix(""): path for path in paths if path.suffix.lower() in _SIDECARS}
    described = sidecars.keys() & set(paths)
    # The facts of a file may be for the staff alone, so a file beside facts without one is not shown to anybody.
    unclear = {path for path in sidecars if path not in described}
    for path in paths:
        if path.with_suffix("") in described and path.suffix.lower() in _SIDECARS:
            continue
        name = path.relative_to(folder).as_posix()
        if len(files) >= MOST_FILES:
            findings.append(
                FileFinding(".", f"more than {MOST_FILES} files; those behind {files[-1].name} are left out")
            )
            break
        if path.suffix.lower() not in _SIDECARS and path.with_suffix("") in unclear:
            findings.append(FileFinding(name, f"are its facts in {path.stem}.yml? Name them {path.name}.yml"))
            continue
        found = _source(folder, path, name, sidecars.get(path))
        if isinstance(found, FileFinding):
            findings.append(found)
        else:
            files.append(found)
    return ListedFolder(tuple(files), tuple(findings))


def paths_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of those below, without hidden ones."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path


def _source(folder: Path, path: Path, name: str, sidecar: Path | None) -> SourceFile | FileFinding:
    if any(unicodedata.category(sign) in _NO_SIGNS for sign in name):
        return FileFinding(name, "its name has signs that can't be shown; rename it")
    if not path.resolve().is_relative_to(folder.resolve()):
        return FileFinding(name, "is a link to a file outside of the folder")
    if path.suffix.lower() not in FORMATS:
        return FileFinding(name, f"a format that isn't read; there are {', '.join(FORMATS)}")
    try:
        if path.stat().st_size > LIMITS.bytes:
            return FileFinding(name, _PROBLEMS[FileProblem.TOO_LARGE])
        digest = hashlib.sha256(f"{_READER}\0{name}\0".encode("utf-8", "surrogateescape"))
        with path.open("rb") as file:
            while piece := file.read(_MEBIBYTE):
                digest.update(piece)
        if sidecar:
            digest.update(sidecar.read_bytes()[:_MEBIBYTE])
    except OSError as error:
        return FileFinding(name, f"can't be read: {error.strerror or type(error).__name__}")
    return SourceFile(path, name, digest.hexdigest()[:_DIGITS], sidecar)


class FolderReader:
    """Reads files one after the other; `close` ends the process that reads them."""

    def __init__(self, default_language: Language, read_text: ReadText | None = None) -> None:
        self._default_language = default_language
        self._read_text = read_text
        self._reader = BlockReader(LIMITS)

    async def read(self, source: SourceFile) -> tuple[KnowledgeDocument | None, list[FileFinding]]:
        """Read a document; None if it has to be left out, with findings that say why."""
        try:
            content = await asyncio.to_thread(source.path.read_bytes)
            return await self._read(source, content)
        except FileRefused as refusal:
            what = _PROBLEMS.get(refusal.reason, "can't be read")
            return None, [FileFinding(source.name, f"{what} ({str(refusal).partition(': ')[2]})")]
        except FrontMatterOpen as found:
            return None, [
                FileFinding(source.name, "front matter without the line --- at its end", f"line {found.line}")
            ]
        except OSError as error:
            return None, [FileFinding(source.name, f"can't be read: {error.strerror or type(error).__name__}")]

    async def _read(self, source: SourceFile, content: bytes) -> tuple[KnowledgeDocument | None, list[FileFinding]]:
        form = FORMATS[source.path.suffix.lower()]
        findings: list[FileFinding] = []
        front, body, first_line = None, "", 1
        if form in _FRONT_MATTER:
            front, body, first_line = await asyncio.to_thread(_front_matter, content)
        about = self._metadata(source, front, findings)
        if about is None:
            return None, findings
        if form in _TEXTS and (line := misplaced_audience(body or decoded(content[:_MEBIBYTE]))):
            return None, [*findings, _for_staff(source.name, f"line {line + first_line - 1}")]
        pages = None
        if PurePosixPath(source.name).name.lower() == pairs.FILE:
            passages, mistakes = await asyncio.to_thread(pairs.read_pairs, body, first_line)
            findings += [FileFinding(source.name, mistake.problem, f"line {mistake.line}") for mistake in mistakes]
        elif front is not None:
            read = read_markdown if form == "md" else read_plain
            passages = list(passages_of((await asyncio.to_thread(read, body, characters=LIMITS.characters)).blocks))
        else:
            blocks = await self._reader.read(content, form, self._read_text)
            pages = blocks.pages
            passages = list(passages_of(blocks.blocks))
            if misplaced_audience("\n".join(block.text for block in blocks.blocks[:_FIRST_BLOCKS])):
                return None, [*findings, _for_staff(source.name)]
            if blocks.cut:
                findings.append(FileFinding(source.name, blocks.cut, is_error=False))
        if not passages:
            return None, [*findings, FileFinding(source.name, _PROBLEMS[FileProblem.EMPTY])]
        about = replace(about, title=about.title or _heading_of(body) or _title_of(source.name))
        return self._document(source, about, pages, passages), findings

    def _metadata(self, source: SourceFile, front: str | None, findings: list[FileFinding]) -> DocumentFacts | None:
        """Facts about the document; None if they are wrong, with the findings that say why."""
        about, mistakes = read_metadata(front) if front else (DocumentFacts(), [])
        findings += [_mistake(source.name, mistake) for mistake in mistakes]
        if source.sidecar:
            # If the two differ, the narrower audience holds.
            is_for_staff = about.audience == "staff"
            about, beside = read_metadata(decoded(source.sidecar.read_bytes()[:_MEBIBYTE]), 1)
            about = replace(about, audience="staff") if is_for_staff else about
            findings += [_mistake(source.sidecar.name, mistake) for mistake in beside]
            mistakes = [*mistakes, *beside]
        return None if any(mistake.is_error for mistake in mistakes) else about

    def _document(
        self, source: SourceFile, about: DocumentFacts, pages: int | None, passages: list[Passage]
    ) -> KnowledgeDocument:
        sample = "\n".join(passage.text for passage in passages[:20])[:_LANGUAGE_JUDGED]
        return KnowledgeDocument(
            name=source.name,
            digest=source.digest,
            title=about.title,
            language=about.language or language_of(sample) or self._default_language,
            audience=about.audience,
            valid_from=about.valid_from,
            valid_until=about.valid_until,
            pages=pages,
            passages=tuple(passages),
        )

    async def close(self) -> None:
        await self._reader.close()


def _front_matter(content: bytes) -> tuple[str | None, str, int]:
    text = cleaned(decoded(content[: LIMITS.bytes]).replace("\r\n", "\n").replace("\r", "\n"))
    return metadata.split(text)


def _for_staff(file: str, place: str = "") -> FileFinding:
    return FileFinding(
        file, "its audience stands where nothing reads it; write it into the file NAME.yml beside it", place
    )


def _mistake(file: str, mistake: FactMistake) -> FileFinding:
    return FileFinding(file, mistake.problem, f"line {mistake.line}", is_error=mistake.is_error)


def _heading_of(text: str) -> str:
    """The first line, if it is a Markdown heading of the whole document; otherwise an empty text."""
    first = " ".join(text.lstrip().partition("\n")[0].split())
    return first[2:][:_LONGEST_TITLE] if first.startswith("# ") and not first.endswith("?") else ""


def _title_of(name: str) -> str:
    """Words of a file's name."""
    return PurePosixPath(name).stem.replace("_", " ").replace("-", " ")
