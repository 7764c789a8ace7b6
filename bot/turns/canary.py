"""Counts of each closed turn for the running canary; a clear worsening ends the canary."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.conversations import ledger
from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.messages.inbound import Inbound, Reaction
from bot.prompting.canary import Canary
from bot.prompting.canary_analysis import worse
from bot.prompting.canary_metrics import Tallies, TallyStore, sums_of_turn
from bot.prompting.library import Library
from bot.turns.context import TurnAttempt
from bot.turns.trace import Trace

_log = structlog.get_logger()
# A prefix, because a skin tone may follow.
_DOWN = "\N{THUMBS DOWN SIGN}"
_AUTHOR = "recado"
_FIX = "see `recado prompts diff {release}`, set it right, then release it again; all contacts have the current one"


class CanaryRecorder:
    def __init__(self, redis: Redis, library: Library) -> None:
        self._redis = redis
        self._library = library
        self._signals = TallyStore(redis)

    async def record(self, attempt: TurnAttempt, messages: Iterable[Inbound], trace: Trace) -> None:
        """Count a closed turn and the reactions among its messages, if a canary is running.

        A turn whose worker dies after the close stays uncounted. No turn is counted twice.
        """
        canary = attempt.current.canary
        if canary is None:
            return
        try:
            await self._count(canary, attempt, messages, trace)
        except (RedisError, OSError) as error:
            # The person has their answer, so a failed count must not repeat the job.
            _log.warning("canary_not_counted", error=type(error).__name__)

    async def _count(self, canary: Canary, attempt: TurnAttempt, messages: Iterable[Inbound], trace: Trace) -> None:
        arm = canary.arm_of(trace.conversation)
        sums = _sums(trace) if attempt.prompts.release == attempt.current.release_of(arm) else {}
        down, up = await self._thumbs(trace.conversation, messages)
        if not (sums or down or up):
            return
        found = await self._signals.count(canary, arm, trace.turn, sums, down=down, up=up)
        if found is not None and arm == "candidate":
            await self._judge(canary, found)

    async def _thumbs(self, conversation: str, messages: Iterable[Inbound]) -> tuple[list[str], list[str]]:
        """Our messages with a thumbs down, and messages from which a thumbs down may have been removed."""
        last: dict[str, bool] = {}
        for message in messages:
            if isinstance(message.content, Reaction) and message.author == "person":
                last[message.content.message_id] = (message.content.emoji or "").startswith(_DOWN)
        # The ledger holds incoming messages only, so a message that it doesn't know is ours.
        ours = [
            wamid for wamid, down in last.items() if down and not await ledger.knows(self._redis, conversation, wamid)
        ]
        return ours, [wamid for wamid, down in last.items() if not down]

    async def _judge(self, canary: Canary, tallies: Tallies) -> None:
        found = worse(tallies)
        if not found:
            return
        words = "; ".join(map(str, found))
        if await self._library.end_canary(canary, promote=False, author=_AUTHOR, note=words):
            turns = f"{tallies.candidate.turns} turns against {tallies.current.turns}"
            reason = f"candidate {canary.release} is dropped, by {turns}: {words}"
            await alert(LiveEvents(self._redis), "canary", reason, _FIX.format(release=canary.release))


def _sums(trace: Trace) -> dict[str, int]:
    """Metrics of a turn that used prompts; empty for a turn of a colleague, a flood or a rule."""
    failed = trace.outcome == "failed"
    if trace.prompt is None and not failed:
        return {}
    cost = sum(attempt.cost_usd for attempt in trace.attempts)
    called = any(done.name == "talk_to_a_person" and done.outcome == "ok" for done in trace.tools)
    # A failed turn's apology has the same length whatever the prompts are.
    length = 0 if failed else sum(map(len, trace.reply))
    return sums_of_turn(failed=failed, handed_over=called, cost=round(cost * 1_000_000), length=length)
