"""The prompts of a process: the current release for turns that begin, older ones for those in hand, compiled once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.alerts import alert
from bot.events import Events
from bot.prompting.check import Checked, Vocabulary, check, check_folder
from bot.prompting.findings import Finding, PromptsWrong
from bot.prompting.prompts import Prompts
from bot.prompting.releases import InUse, Releases
from bot.redis import RedisAway

_log = structlog.get_logger()
# The current one, and those of turns in hand.
_COMPILED = 8
_RELEASE = "set it right, then `recado prompts release`"


class Library:
    """`vocabulary` is what prompts may name; `watching` says that saving is releasing."""

    def __init__(
        self, redis: Redis, folder: Path, vocabulary: Vocabulary, *, in_use: InUse, watching: bool = False
    ) -> None:
        self.folder = folder
        self.releases = Releases(redis, in_use)
        self._events = Events(redis)
        self._vocabulary = vocabulary
        self._watching = watching
        self._compiled: OrderedDict[str, Prompts] = OrderedDict()
        self._latest: Prompts | None = None
        self._compiling = asyncio.Lock()

    async def open(self) -> Prompts:
        """Find the release to work with when a process starts: the current one; the folder, where it is to be released.

        A broken folder is told, and stops the start only where nothing is released: raises PromptsWrong.
        """
        checked = await self.check()
        try:
            current = await self.releases.current()
        except (RedisError, OSError) as error:
            checked.release()
            raise RedisAway from error
        if current is None:
            checked.release()
        if checked.prompts is not None and (self._watching or current is None):
            await self.take(checked, how="watch" if self._watching else "start")
        elif checked.prompts is None and not self._watching:  # `watch` tells it, with its first look
            await self.tell(checked.findings)
        elif checked.prompts is not None and checked.prompts.release != current:
            fix = "release it with `recado prompts release`, or see `recado prompts diff`"
            _log.info("prompts_not_released", folder=checked.prompts.release, current=current, fix=fix)
        return await self.now()

    async def check(self) -> Checked:
        """Check the folder, off the loop."""
        return await asyncio.to_thread(check_folder, self.folder, self._vocabulary)

    async def take(self, checked: Checked, *, how: str, author: str = "", note: str = "") -> bool:
        """Release a folder that was checked; False when it is the current release already. Raises PromptsWrong."""
        prompts = checked.release()
        self._keep(prompts)
        done = await self.releases.release(prompts.texts, author=author or how, note=note, how=how)
        if done:
            _log.info("prompts_released", release=prompts.release, how=how)
            released = {"type": "prompts", "state": "released", "release": prompts.release, "how": how}
            warnings = [finding.as_json() for finding in checked.findings]
            await self._events.publish(released | {"findings": warnings})
        return done

    async def go_back(self, release: str | None, *, author: str, note: str = "") -> str:
        """Make an earlier release the current one again; gives its name. Raises UnknownRelease, PromptsWrong."""
        name = await self.releases.before(release)
        if await self.at(name) is None:
            raise PromptsWrong([Finding(name, 1, 1, "no-files", "can't be used by this version of Recado", _RELEASE)])
        await self.releases.roll_back(name, author=author, note=note)
        _log.info("prompts_released", release=name, how="rollback")
        await self._events.publish(
            {"type": "prompts", "state": "released", "release": name, "how": "rollback", "findings": []}
        )
        return name

    async def tell(self, findings: tuple[Finding, ...]) -> None:
        """Tell the operator what is wrong with the folder, and that the last good release goes on."""
        current = await self.releases.current()
        errors = [finding for finding in findings if finding.is_error]
        for finding in errors:
            _log.error("prompt_wrong", why=str(finding))
        words = f"{errors[0]}{f' (and {len(errors) - 1} more)' if len(errors) > 1 else ''}" if errors else ""
        await alert(self._events, "prompts", words, f"{_RELEASE}; release {current} goes on")
        wrong = {"type": "prompts", "state": "wrong", "release": current}
        await self._events.publish(wrong | {"findings": [finding.as_json() for finding in findings]})

    async def now(self) -> Prompts:
        """The current release. The pointer is read every time, so that no process lags behind."""
        current = await self.releases.current()
        found = await self.at(current) if current else None
        if found is not None:
            self._latest = found
        elif self._latest is None:
            raise PromptsWrong([_NOTHING])
        else:
            _log.warning("release_gone", release=current, fix="Redis has lost it: `recado prompts release`")
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
            checked = await asyncio.to_thread(check, texts, Vocabulary())
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


_NOTHING = Finding(".", 1, 1, "no-files", "nothing is released that can be used", "see `recado prompts release`")
