"""Replays a turn with another release of the prompts: a model answers, and nothing is carried out or sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from bot.agent.dry_run import DryTools
from bot.agent.loop import Journal, JournalEntry, converse
from bot.agent.prompt import request_with
from bot.agent.tool import Tool
from bot.agent.tools.catalog import TABLE
from bot.ai.chat import Attempt, FromModel, ModelRequest
from bot.ai.openrouter import OpenRouter
from bot.console.replayable_turn import ReplayableTurn
from bot.console.text_difference import difference
from bot.conversations.budget import Budget
from bot.history.reader import HistoryReader
from bot.history.views import TurnShown
from bot.messages import links
from bot.messages.language import Language
from bot.messages.phrases import phrase
from bot.prompting.canary import CurrentRelease
from bot.prompting.diagnostics import PromptsWrong
from bot.prompting.knowledge_lock import prompt_texts
from bot.prompting.library import Library
from bot.prompting.prompts import Prompts, Rendered
from bot.prompting.releases import ReleaseEntry
from bot.storage.storage import NotStored, Storage, StorageFailed
from bot.turns.trace import attempt_as_json, count
from bot.whatsapp.markdown import whatsapp
from pipelines import image
from pipelines.errors import FileRefused

# Few at a time, because each may take most of a minute.
MOST_REPLAYS = 2
_SECONDS = 45.0
_MOST_LISTED = 50


class ReleaseUnknown(Exception):
    """No such release is kept."""


class ReleaseUnusable(Exception):
    """The release can't be rendered with the values of this turn, or by this version of Recado."""


class TooManyReplays(Exception):
    """As many replays as allowed are under way."""


@dataclass(slots=True)
class Replay:
    """An answer with another release, beside the one that was sent (`before`).

    `missing` counts the pictures that the turn's model saw, and that are no longer in the storage.
    """

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
            "requests": [attempt_as_json(attempt) for attempt in self.attempts],
            "cost_usd": f"{self.cost_usd:f}",
            "pictures_left_out": self.missing,
        }


@dataclass(frozen=True, slots=True)
class TurnReplays:
    library: Library
    model: OpenRouter
    budget: Budget
    history: HistoryReader
    storage: Storage
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_REPLAYS))

    async def releases(self) -> list[dict[str, Any]]:
        """Releases to replay with, the newest first; each appears once, with its last entry in the history."""
        current, listed = await self.library.releases.current_release(), dict[str, dict[str, Any]]()
        for entry in (await self.library.releases.history())[: _MOST_LISTED * 2]:
            listed.setdefault(entry.release, _release_as_json(entry, current))
        return list(listed.values())[:_MOST_LISTED]

    async def prepare(self, turn: TurnShown, release: str | None) -> tuple[Replay, ModelRequest]:
        """Make the request to the model, with this release or else the current one.

        Raises NotReplayable, ReleaseUnknown and ReleaseUnusable.
        """
        recorded = ReplayableTurn.of(turn)
        prompts = await self._prompts(release)
        try:
            rendered = prompts.render("assistant", recorded.values)
        except PromptsWrong as error:
            raise ReleaseUnusable from error
        pictures = await self._pictures(recorded)
        replay = Replay(
            release=prompts.release,
            language=recorded.language,
            missing=recorded.picture_count - len(pictures),
            before=recorded.reply,
            tools=DryTools(_offered(rendered, recorded.offered), recorded.calls),
        )
        deadline = asyncio.get_running_loop().time() + _SECONDS
        lines = (*rendered.lines, *recorded.lines(pictures))
        request = ModelRequest(lines, deadline, spending=self.budget.replay_account())
        return replay, request_with(rendered, request)

    async def run(self, replay: Replay, request: ModelRequest) -> None:
        """Ask the model, and put its answer into the replay. Raises TooManyReplays, BudgetSpent and NoModelAnswered."""
        if self.slots.locked():
            raise TooManyReplays
        async with self.slots:
            reply = await converse(
                self.model, request, replay.tools, Journal((), _keep_no_entry), replay.record_attempt
            )
        known = await self._known_texts(replay, request)
        replay.answer = links.without_unverified(whatsapp(reply.text), known, phrase("strange_link", replay.language))

    async def _known_texts(self, replay: Replay, request: ModelRequest) -> str:
        """Texts whose links the answer may repeat, as in a turn: the prompts, results of tools, and earlier answers."""
        prompts = await self._prompts(replay.release)
        return "\n".join(
            (
                *prompt_texts(prompts.texts).values(),
                *(call.result for call in replay.tools.calls if call.how == "recorded"),
                *(line.text for line in request.lines if isinstance(line, FromModel)),
            )
        )

    async def _pictures(self, turn: ReplayableTurn) -> tuple[bytes, ...]:
        """The turn's photos as its model saw them, as far as they are still in the storage."""
        pictures: list[bytes] = []
        for message in turn.photos[: turn.picture_count]:
            place = await self.history.file_of(turn.conversation, message)
            if place is not None:
                with suppress(NotStored, StorageFailed, FileRefused):
                    pictures.append(await image.for_models(await self.storage.get(place.key)))
        return tuple(pictures)

    async def _prompts(self, release: str | None) -> Prompts:
        name = release or await self.library.releases.current()
        if name is None or not await self.library.releases.has_files(name):
            raise ReleaseUnknown
        if (prompts := await self.library.at(name)) is None:
            raise ReleaseUnusable
        return prompts


def _release_as_json(entry: ReleaseEntry, current: CurrentRelease) -> dict[str, Any]:
    candidate = current.canary.release if current.canary else None
    return {
        "release": entry.release,
        "at": entry.at.isoformat(),
        "author": entry.author,
        "note": entry.note,
        "current": entry.release == current.current,
        "candidate": entry.release == candidate,
    }


def _offered(rendered: Rendered, names: Sequence[str]) -> list[Tool[Any]]:
    """Tools that the contact had, as far as the release allows them and they still exist."""
    allowed = set(names) if rendered.tools is None else rendered.tools.intersection(names)
    return [row.tool for row in TABLE if row.tool.name in allowed]


async def _keep_no_entry(_: JournalEntry) -> None:
    """Keep no journal, because a replay that fails is started again by hand."""
