"""Releases of prompts that a process works with, compiled once: the current one, a candidate, and older ones in use."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.infra.redis import RedisNotReachable
from bot.prompting.canary import Canary, CurrentRelease
from bot.prompting.diagnostics import Diagnostic, PromptsWrong
from bot.prompting.knowledge_lock import synced
from bot.prompting.linter import CheckedFolder, PromptVocabulary, check, check_folder
from bot.prompting.prompts import Prompts
from bot.prompting.releases import How, InUse, Releases

_log = structlog.get_logger()
# Enough for the current release, a candidate, and the releases of turns under way.
_COMPILED = 8
_RELEASE = "set it right, then `recado prompts release`"
_STATES: dict[How, str] = {"canary": "canary", "promote": "promoted", "drop": "dropped"}
_DROPPED = "it was dropped: change it, or release it with `recado prompts release`"
_NOTHING = Diagnostic(".", 1, 1, "no-files", "nothing is released that can be used", "see `recado prompts release`")

# Gives reasons against the release of prompts that are without errors; as a rule there are none.
Gate = Callable[[Prompts], Awaitable[Sequence[Diagnostic]]]


class Library:
    """`vocabulary` is what prompts may name. With `watching`, each saved change of the folder is released.

    A new release has to pass the `gate`, and goes to `percent` of the contacts first (0: to all at once).
    """

    def __init__(  # noqa: PLR0913 - the settings decide each of these
        self,
        redis: Redis,
        folder: Path,
        vocabulary: PromptVocabulary,
        *,
        in_use: InUse,
        watching: bool = False,
        gate: Gate | None = None,
        percent: int = 0,
    ) -> None:
        self.folder = folder
        self.releases = Releases(redis, in_use)
        self._redis = redis
        self._events = LiveEvents(redis)
        self._vocabulary = vocabulary
        self._watching = watching
        self._gate = gate
        self._percent = percent
        self._compiled: OrderedDict[str, Prompts] = OrderedDict()
        self._latest: Prompts | None = None
        self._compiling = asyncio.Lock()

    async def open(self) -> Prompts:
        """Find the release to start with: the current one, or the folder where it is to be released.

        A broken folder is reported. It stops the start only where nothing is released: raises PromptsWrong.
        """
        try:
            active = await self.releases.current_release()
        except (RedisError, OSError) as error:
            (await asyncio.to_thread(check_folder, self.folder, self._vocabulary)).release()
            raise RedisNotReachable from error
        checked = await self.check()
        if active.current is None:
            checked.release()
        own = checked.prompts.release if checked.prompts else None
        if active.current is None or (self._watching and own and not self._gate):
            await self.release(checked, how="watch" if self._watching else "start")
        elif self._watching:
            # Because no start waits for an evaluation, the first look of `watch` reports or asks the gate.
            pass
        elif own is None:
            await self.report(checked.diagnostics)
        elif own not in (active.current, active.canary and active.canary.release):
            fix = "release it with `recado prompts release`, or see `recado prompts diff`"
            _log.info("prompts_not_released", folder=own, current=active.current, fix=fix)
        return await self.now()

    async def check(self) -> CheckedFolder:
        """Check the folder, off the loop, with the documents that were synced last."""
        return await asyncio.to_thread(check_folder, self.folder, self._vocabulary, await self.knowledge())

    async def knowledge(self) -> str | None:
        """Lock of the documents that the next release names."""
        return await synced(self._redis)

    async def release(
        self, checked: CheckedFolder, *, how: How, author: str = "", note: str = "", percent: int | None = None
    ) -> How | None:
        """Release a checked folder, or make it the candidate; gives which of both, None when it is so already.

        `percent` replaces the settings' share. The first release goes to everybody and needs no gate. A dropped
        candidate isn't released by `watch` again. Raises PromptsWrong, also with the gate's diagnostics.
        """
        prompts = checked.release()
        self._cache(prompts)
        share = self._percent if percent is None else percent
        active = await self.releases.current_release()
        if active.current in (None, prompts.release):
            share = 0
        # Because an operator may have changed the share since, `watch` accepts a candidate of any share.
        is_released = _is_released(active, prompts.release, None if how == "watch" else share)
        if is_released and await self.releases.has_files(prompts.release):
            return None
        if how == "watch" and await self.releases.was_dropped_last(prompts.release):
            _log.info("prompts_not_released", folder=prompts.release, current=active.current, fix=_DROPPED)
            return None
        if active.current not in (None, prompts.release) and self._gate and (refusals := await self._gate(prompts)):
            raise PromptsWrong(refusals)
        if share:
            how = "canary"
            done = await self.releases.start_canary(prompts.texts, percent=share, author=author or how, note=note)
        else:
            done = await self.releases.release(prompts.texts, how=how, author=author or how, note=note)
        if not done:
            return None
        warnings = [diagnostic.as_json() for diagnostic in checked.diagnostics]
        await self._announce(prompts.release, how, findings=warnings, **({"percent": share} if share else {}))
        return how

    async def roll_back(self, release: str | None, *, author: str, note: str = "") -> str:
        """Make an earlier release the current one again; gives its name. Raises UnknownRelease, PromptsWrong."""
        name = await self.releases.before(release)
        if await self.at(name) is None:
            raise PromptsWrong(
                [Diagnostic(name, 1, 1, "no-files", "can't be used by this version of Recado", _RELEASE)]
            )
        await self.releases.roll_back(name, author=author, note=note)
        await self._announce(name, "rollback")
        return name

    async def end_canary(self, canary: Canary, *, promote: bool, author: str, note: str = "") -> bool:
        """Promote the candidate to all contacts, or drop it; False when that canary was over already."""
        done = await self.releases.end_canary(canary, promote=promote, author=author, note=note)
        if done:
            await self._announce(canary.release, "promote" if promote else "drop", note=note)
        return done

    async def _announce(self, release: str, how: How, **more: Any) -> None:
        if how in ("canary", "drop"):
            _log.info("prompts_candidate", release=release, how=how)
        else:
            _log.info("prompts_released", release=release, how=how)
        event = {"type": "prompts", "state": _STATES.get(how, "released"), "release": release, "how": how}
        await self._events.publish(event | {"findings": []} | more)

    async def report(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Report errors of the folder to the operator, and that the last good release goes on."""
        current = await self.releases.current()
        errors = [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
        for error in errors:
            _log.error("prompt_wrong", why=str(error))
        words = f"{errors[0]}{f' (and {len(errors) - 1} more)' if len(errors) > 1 else ''}" if errors else ""
        await alert(self._events, "prompts", words, f"{_RELEASE}; release {current} goes on")
        wrong = {"type": "prompts", "state": "wrong", "release": current}
        await self._events.publish(wrong | {"findings": [diagnostic.as_json() for diagnostic in diagnostics]})

    async def now(self, conversation: str | None = None) -> Prompts:
        """Prompts that the next turn of a conversation begins with; without one, the current release."""
        return (await self.begin(conversation))[1]

    async def begin(self, conversation: str | None) -> tuple[CurrentRelease, Prompts]:
        """Read the pointers and find a turn's prompts. Because they are read each time, no process lags behind."""
        active = await self.releases.current_release()
        return active, await self.prompts_of(active, conversation)

    async def prompts_of(self, active: CurrentRelease, conversation: str | None) -> Prompts:
        """Prompts of a conversation, by pointers that were read just now."""
        if conversation and active.canary and active.arm_of(conversation) == "candidate":
            if (candidate := await self.at(active.canary.release)) is not None:
                return candidate
            _log.warning("candidate_gone", release=active.canary.release, fix="`recado prompts rollback` drops it")
        current = await self.at(active.current) if active.current else None
        if current is not None:
            self._latest = current
        elif self._latest is None:
            raise PromptsWrong([_NOTHING])
        else:
            _log.warning("release_gone", release=active.current, fix="Redis has lost it: `recado prompts release`")
        return self._latest

    async def at(self, release: str) -> Prompts | None:
        """A release by its name; None when it isn't stored, or can't be used by this version of Recado."""
        if release in self._compiled:
            self._compiled.move_to_end(release)
            return self._compiled[release]
        async with self._compiling:
            if release in self._compiled:
                return self._compiled[release]
            texts = await self.releases.texts(release)
            if texts is None:
                return None
            # Because names were checked at the release, the vocabulary is empty here; a removed tool is not offered.
            checked = await asyncio.to_thread(check, texts, PromptVocabulary(), released=True)
            if checked.prompts is None:
                for diagnostic in checked.errors:
                    _log.error("release_wrong", release=release, why=str(diagnostic))
                return None
            self._cache(checked.prompts)
            return checked.prompts

    def _cache(self, prompts: Prompts) -> None:
        self._compiled[prompts.release] = prompts
        while len(self._compiled) > _COMPILED:
            self._compiled.popitem(last=False)


def _is_released(active: CurrentRelease, release: str, percent: int | None) -> bool:
    """Whether all contacts have this release, or `percent` of them as a candidate; None: any share."""
    canary = active.canary
    if canary is None:
        return active.current == release
    return canary.release == release and percent in (None, canary.percent)
