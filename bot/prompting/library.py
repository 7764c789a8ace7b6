"""The prompts of a process: the releases that turns begin with, older ones for those in hand, compiled once."""

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
from bot.prompting.linter import CheckedFolder, PromptVocabulary, check, check_folder
from bot.prompting.prompts import Prompts
from bot.prompting.releases import How, InUse, Releases

_log = structlog.get_logger()
# The current one, a candidate, and those of turns in hand.
_COMPILED = 8
_RELEASE = "set it right, then `recado prompts release`"

# What keeps prompts that are right from being released; nothing, as a rule.
Gate = Callable[[Prompts], Awaitable[Sequence[Diagnostic]]]


class Library:
    """`vocabulary` is what prompts may name; `watching` says that saving is releasing.

    What is released has to pass the `gate`, and comes to `percent` of the contacts first (0: to all at once).
    """

    def __init__(  # noqa: PLR0913 - what the settings decide
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
        self._events = LiveEvents(redis)
        self._vocabulary = vocabulary
        self._watching = watching
        self._gate = gate
        self._percent = percent
        self._compiled: OrderedDict[str, Prompts] = OrderedDict()
        self._latest: Prompts | None = None
        self._compiling = asyncio.Lock()

    async def open(self) -> Prompts:
        """Find the release to work with when a process starts: the current one; the folder, where it is to be released.

        A broken folder is told, and stops the start only where nothing is released: raises PromptsWrong.
        """
        checked = await self.check()
        try:
            standing = await self.releases.standing()
        except (RedisError, OSError) as error:
            checked.release()
            raise RedisNotReachable from error
        current = standing.current
        if current is None:
            checked.release()
        own = checked.prompts.release if checked.prompts else None
        if current is None or (self._watching and own and not self._gate):
            await self.take(checked, how="watch" if self._watching else "start")
        elif self._watching:
            # `watch` tells what is wrong, or asks the gate, with its first look: no start waits for an evaluation.
            pass
        elif own is None:
            await self.tell(checked.findings)
        elif own not in (current, standing.canary and standing.canary.release):
            fix = "release it with `recado prompts release`, or see `recado prompts diff`"
            _log.info("prompts_not_released", folder=own, current=current, fix=fix)
        return await self.now()

    async def check(self) -> CheckedFolder:
        """Check the folder, off the loop."""
        return await asyncio.to_thread(check_folder, self.folder, self._vocabulary)

    async def take(
        self, checked: CheckedFolder, *, how: How, author: str = "", note: str = "", percent: int | None = None
    ) -> How | None:
        """Release a folder that was checked, or make it the candidate; gives which, None when it is so already.

        `percent` is in the place of the settings' one. The first release is everybody's and needs no gate. What was
        dropped isn't taken by `watch` again. Raises PromptsWrong, also with what the gate finds.
        """
        prompts = checked.release()
        self._keep(prompts)
        share = self._percent if percent is None else percent
        standing = await self.releases.standing()
        if standing.current in (None, prompts.release):
            share = 0
        # What was saved before may be a candidate for whatever share by now.
        stands = _stands(standing, prompts.release, None if how == "watch" else share)
        if stands and await self.releases.keeps(prompts.release):
            return None
        if how == "watch" and await self.releases.was_dropped(prompts.release):
            _log.info("prompts_not_released", folder=prompts.release, current=standing.current, fix=_DROPPED)
            return None
        if standing.current not in (None, prompts.release) and self._gate and (found := await self._gate(prompts)):
            raise PromptsWrong(found)
        said: dict[str, Any] = {"author": author or how, "note": note}
        if share:
            how = "canary"
            done = await self.releases.try_out(prompts.texts, percent=share, **said)
        else:
            done = await self.releases.release(prompts.texts, how=how, **said)
        if not done:
            return None
        warnings = [finding.as_json() for finding in checked.findings]
        await self._tell_of(prompts.release, how, findings=warnings, **({"percent": share} if share else {}))
        return how

    async def go_back(self, release: str | None, *, author: str, note: str = "") -> str:
        """Make an earlier release the current one again; gives its name. Raises UnknownRelease, PromptsWrong."""
        name = await self.releases.before(release)
        if await self.at(name) is None:
            raise PromptsWrong(
                [Diagnostic(name, 1, 1, "no-files", "can't be used by this version of Recado", _RELEASE)]
            )
        await self.releases.roll_back(name, author=author, note=note)
        await self._tell_of(name, "rollback")
        return name

    async def end(self, canary: Canary, *, promote: bool, author: str, note: str = "") -> bool:
        """Make the candidate everybody's, or drop it; False when that canary was over already."""
        done = await self.releases.end(canary, promote=promote, author=author, note=note)
        if done:
            await self._tell_of(canary.release, "promote" if promote else "drop", note=note)
        return done

    async def _tell_of(self, release: str, how: How, **more: Any) -> None:
        if how in ("canary", "drop"):
            _log.info("prompts_candidate", release=release, how=how)
        else:
            _log.info("prompts_released", release=release, how=how)
        told = {"type": "prompts", "state": _STATES.get(how, "released"), "release": release, "how": how}
        await self._events.publish(told | {"findings": []} | more)

    async def tell(self, findings: Sequence[Diagnostic]) -> None:
        """Tell the operator what is wrong with the folder, and that the last good release goes on."""
        current = await self.releases.current()
        errors = [finding for finding in findings if finding.is_error]
        for finding in errors:
            _log.error("prompt_wrong", why=str(finding))
        words = f"{errors[0]}{f' (and {len(errors) - 1} more)' if len(errors) > 1 else ''}" if errors else ""
        await alert(self._events, "prompts", words, f"{_RELEASE}; release {current} goes on")
        wrong = {"type": "prompts", "state": "wrong", "release": current}
        await self._events.publish(wrong | {"findings": [finding.as_json() for finding in findings]})

    async def now(self, conversation: str | None = None) -> Prompts:
        """What turns of a conversation begin with; without one, the current release."""
        return (await self.begin(conversation))[1]

    async def begin(self, conversation: str | None) -> tuple[CurrentRelease, Prompts]:
        """What a turn begins with. The pointers are read every time, so that no process lags behind."""
        standing = await self.releases.standing()
        return standing, await self.prompts_of(standing, conversation)

    async def prompts_of(self, standing: CurrentRelease, conversation: str | None) -> Prompts:
        """The prompts of a conversation, by pointers that were read just now."""
        if conversation and standing.canary and standing.arm_of(conversation) == "candidate":
            if (tried := await self.at(standing.canary.release)) is not None:
                return tried
            _log.warning("candidate_gone", release=standing.canary.release, fix="`recado prompts rollback` drops it")
        found = await self.at(standing.current) if standing.current else None
        if found is not None:
            self._latest = found
        elif self._latest is None:
            raise PromptsWrong([_NOTHING])
        else:
            _log.warning("release_gone", release=standing.current, fix="Redis has lost it: `recado prompts release`")
        return self._latest

    async def at(self, release: str) -> Prompts | None:
        """A release by its name; None when it isn't kept, or can't be used by this version of Recado."""
        if release in self._compiled:
            self._compiled.move_to_end(release)
            return self._compiled[release]
        async with self._compiling:
            if release in self._compiled:
                return self._compiled[release]
            texts = await self.releases.texts(release)
            if texts is None:
                return None
            # What it names was looked at when it was released; a tool that has gone since is offered to nobody.
            checked = await asyncio.to_thread(check, texts, PromptVocabulary(), released=True)
            if checked.prompts is None:
                for finding in checked.errors:
                    _log.error("release_wrong", release=release, why=str(finding))
                return None
            self._keep(checked.prompts)
            return checked.prompts

    def _keep(self, prompts: Prompts) -> None:
        self._compiled[prompts.release] = prompts
        while len(self._compiled) > _COMPILED:
            self._compiled.popitem(last=False)


def _stands(standing: CurrentRelease, release: str, percent: int | None) -> bool:
    """Whether it is the current release of everybody, or the candidate for this share; None is any."""
    canary = standing.canary
    if canary is None:
        return standing.current == release
    return canary.release == release and percent in (None, canary.percent)


_STATES: dict[How, str] = {"canary": "canary", "promote": "promoted", "drop": "dropped"}
_DROPPED = "it was dropped: change it, or release it with `recado prompts release`"
_NOTHING = Diagnostic(".", 1, 1, "no-files", "nothing is released that can be used", "see `recado prompts release`")
