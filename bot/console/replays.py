"""Replay of a turn with a release of the prompts: the model is asked, nothing is carried out, sent or remembered."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from bot.agent.dry_run import DryTools
from bot.agent.loop import Journal, JournalEntry, converse
from bot.agent.prompt import request_with
from bot.agent.tools.catalog import TABLE
from bot.ai.chat import Attempt, FromModel, FromPerson, Instructions, Line, ModelRequest
from bot.ai.openrouter import OpenRouter
from bot.conversations.budget import Budget
from bot.history.reader import HistoryReader
from bot.history.views import TurnShown
from bot.messages import links
from bot.messages.language import Language, language_from
from bot.messages.phrases import phrase
from bot.prompting.canary import CurrentRelease
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.knowledge_lock import prompt_texts
from bot.prompting.library import Library
from bot.prompting.prompts import Prompts, Rendered
from bot.prompting.releases import ReleaseEntry
from bot.storage.storage import NotStored, Storage, StorageFailed
from bot.turns.trace import count
from bot.whatsapp.markdown import whatsapp
from pipelines import image
from pipelines.errors import FileRefused

MOST_REPLAYS = 2
_SECONDS = 45.0
_MOST_LISTED = 50
# A comparison takes the number of equal pairs, for each piece that it finds: words that repeat make it slow.
_MOST_WORDS, _MOST_PAIRS = 800, 20_000
# Begins at no space within others, so that a text of spaces is read once.
_WORD = re.compile(r"(?<!\s)\s*+\S+")


class NotReplayable(Exception):
    """The history has no messages of this turn any more, or from before replays."""


class ReleaseUnknown(Exception):
    """No such release is kept."""


class ReleaseUnusable(Exception):
    """The release can't be rendered with the values of this turn, or by this version."""


class TooManyReplays(Exception):
    """Others are under way."""


@dataclass(slots=True)
class Replay:
    """`missing` counts the pictures that the turn's model saw, and that are not in the storage any more."""

    release: str
    language: Language = "es"
    missing: int = 0
    before: str = ""
    answer: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    tools: DryTools = field(default_factory=lambda: DryTools((), ()))

    @property
    def cost_usd(self) -> Decimal:
        return sum((attempt.cost_usd for attempt in self.attempts), Decimal(0))

    async def record_attempt(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        await count(attempt)

    def as_json(self) -> dict[str, Any]:
        return {
            "release": self.release,
            "answer": self.answer,
            "before": self.before,
            "diff": difference(self.before, self.answer),
            "tools": [asdict(call) for call in self.tools.calls],
            "requests": [
                {
                    "asked": attempt.asked,
                    "served": attempt.served,
                    "outcome": attempt.outcome,
                    "ms": round(attempt.seconds * 1000, 1),
                    "prompt_tokens": attempt.prompt_tokens,
                    "completion_tokens": attempt.completion_tokens,
                    "cost_usd": f"{attempt.cost_usd:f}",
                }
                for attempt in self.attempts
            ],
            "cost_usd": f"{self.cost_usd:f}",
            "pictures_left_out": self.missing,
        }


@dataclass(frozen=True, slots=True)
class TurnReplays:
    """Few at a time, because each may take most of a minute."""

    library: Library
    model: OpenRouter
    budget: Budget
    history: HistoryReader
    storage: Storage
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_REPLAYS))

    async def releases(self) -> list[dict[str, Any]]:
        """Releases to replay with, the newest first: each once, with its last entry in the history."""
        active, found = await self.library.releases.current_release(), dict[str, dict[str, Any]]()
        for entry in (await self.library.releases.history())[: _MOST_LISTED * 2]:
            found.setdefault(entry.release, _listed(entry, active))
        return list(found.values())[:_MOST_LISTED]

    async def prepare(self, turn: TurnShown, release: str | None) -> tuple[Replay, ModelRequest]:
        """The request of a replay; without a release it is the current one.

        Raises NotReplayable, ReleaseUnknown and ReleaseUnusable.
        """
        trace, asked = turn.trace or {}, turn.asked[0] if turn.asked else {}
        rendering, messages = asked.get("rendering"), asked.get("messages")
        if not rendering or not messages:
            raise NotReplayable
        prompts = await self._prompts(release)
        try:
            rendered = prompts.render("assistant", rendering["values"])
        except PromptsWrong as error:
            raise ReleaseUnusable from error
        said = messages[rendering["lines"] :]
        seen = sum(_pictures(message) for message in said)
        pictures = await self._photos(turn, seen) if seen else ()
        language = language_from(str(rendering["values"].get("language")), "es")
        before = "\n\n".join(filter(None, trace.get("reply") or []))
        replay = Replay(prompts.release, language, seen - len(pictures), before)
        replay.tools = DryTools(_offered(rendered, rendering["tools"]), trace.get("tools") or [])
        lines = (
            *rendered.lines,
            *map(_line, said[:-1]),
            *(_with_pictures(_line(message), pictures) for message in said[-1:]),
        )
        deadline = asyncio.get_running_loop().time() + _SECONDS
        request = ModelRequest(lines, deadline, spending=self.budget.replay_account())
        return replay, request_with(rendered, request)

    async def run(self, replay: Replay, request: ModelRequest) -> None:
        """Ask the model. Raises TooManyReplays, BudgetSpent and NoModelAnswered."""
        if self.slots.locked():
            raise TooManyReplays
        async with self.slots:
            reply = await converse(self.model, request, replay.tools, Journal((), _unkept), replay.record_attempt)
        prompts = await self._prompts(replay.release)
        known = "\n".join(
            (
                *prompt_texts(prompts.texts).values(),
                *(call.result for call in replay.tools.calls if call.how == "recorded"),
                *(line.text for line in request.lines if isinstance(line, FromModel)),
            )
        )
        replay.answer = links.without_unverified(whatsapp(reply.text), known, phrase("strange_link", replay.language))

    async def _photos(self, turn: TurnShown, most: int) -> tuple[bytes, ...]:
        """The turn's photos as its model saw them, as far as they are in the storage."""
        found: list[bytes] = []
        perceived = (turn.trace or {}).get("perceived") or []
        for message in [file["message"] for file in perceived if file["kind"] == "photo"][:most]:
            place = await self.history.file_of(turn.conversation, message)
            if place is not None:
                with suppress(NotStored, StorageFailed, FileRefused):
                    found.append(await image.for_models(await self.storage.get(place.key)))
        return tuple(found)

    async def _prompts(self, release: str | None) -> Prompts:
        active = await self.library.releases.current()
        name = release or active
        if name is None or not await self.library.releases.has_files(name):
            raise ReleaseUnknown
        if (found := await self.library.at(name)) is None:
            raise ReleaseUnusable
        return found


def difference(before: str, after: str) -> list[dict[str, str]]:
    """Pieces of both texts in order: `same`, `gone` or `new`.

    By words; by lines where there are many words, or few that repeat; as a whole where not even lines are few enough.
    """
    old, new = _pieces(before, after)
    found: list[dict[str, str]] = []
    for how, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            found.append({"how": "same", "text": "".join(new[k:m])})
            continue
        found += [{"how": "gone", "text": "".join(old[i:j])}] if j > i else []
        found += [{"how": "new", "text": "".join(new[k:m])}] if m > k else []
    return found


def _pieces(before: str, after: str) -> tuple[list[str], list[str]]:
    cuts: tuple[Callable[[str], list[str]], ...] = (_WORD.findall, lambda text: text.splitlines(keepends=True))
    for cut in cuts:
        old, new = cut(before), cut(after)
        counts = Counter(old)
        if max(len(old), len(new)) <= _MOST_WORDS and sum(counts[piece] for piece in new) <= _MOST_PAIRS:
            return old, new
    return [before] if before else [], [after] if after else []


def _listed(entry: ReleaseEntry, active: CurrentRelease) -> dict[str, Any]:
    candidate = active.canary.release if active.canary else None
    return {
        "release": entry.release,
        "at": entry.at.isoformat(),
        "author": entry.author,
        "note": entry.note,
        "current": entry.release == active.current,
        "candidate": entry.release == candidate,
    }


def _offered(rendered: Rendered, names: Sequence[str]) -> list[Any]:
    """Tools that the contact had, as far as the release allows them; one that is gone is not offered."""
    allowed = set(names) if rendered.tools is None else rendered.tools.intersection(names)
    return [row.tool for row in TABLE if row.tool.name in allowed]


def _line(message: Mapping[str, Any]) -> Line:
    content = message.get("content") or ""
    text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content).strip()
    match message["role"]:
        case "system":
            return Instructions(text)
        case "assistant":
            return FromModel(text)
        case _:
            return FromPerson(text)


def _with_pictures(line: Line, pictures: tuple[bytes, ...]) -> Line:
    """The turn's own line, with its pictures, which the history does not keep beside the words."""
    return replace(line, pictures=pictures) if isinstance(line, FromPerson) else line


def _pictures(message: Mapping[str, Any]) -> int:
    content = message.get("content")
    return sum(part.get("type") == "image_url" for part in content) if isinstance(content, list) else 0


async def _unkept(_: JournalEntry) -> None:
    """No journal is kept, because a replay that fails is asked for again by hand."""
