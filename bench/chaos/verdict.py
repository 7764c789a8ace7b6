"""The fate of all written messages: lost, doubled, out of order, or without an end state."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import chain

from bench.chaos.company import TOKEN, Company
from bench.chaos.crowd import Crowd
from bench.chaos.kept_history import judge_history
from bot.conversations.ledger import Ledger
from bot.infra.redis import answer


@dataclass
class CrowdVerdict:
    """All counts must be zero, except for the first three."""

    messages: int = 0
    replies: int = 0
    effects: int = 0
    lost: list[str] = field(default_factory=list)
    answered_twice: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    effects_lost: list[str] = field(default_factory=list)
    effects_twice: list[str] = field(default_factory=list)
    without_end: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    history_lost: list[str] = field(default_factory=list)
    history_twice: list[str] = field(default_factory=list)
    unaccounted: int = 0

    @property
    def faults(self) -> dict[str, object]:
        found = asdict(self)
        counted = ("messages", "replies", "effects")
        return {name: value for name, value in found.items() if name not in counted and value}


async def settled(company: Company, within: float = 90) -> None:
    """Return when no message waits, is being sent, or is being processed."""
    async with asyncio.timeout(within):
        while await _is_busy(company):
            await asyncio.sleep(0.1)
    await company.meta.idle()


async def _is_busy(company: Company) -> bool:
    redis = company.redis
    # Messages that wait for the person's next message are listed under the day of their expiry.
    soon = time.time() + 3600
    if await redis.xlen("recado:history"):
        return True
    if await redis.zcard("recado:open") or await redis.zcount("recado:resend", "-inf", soon):
        return True
    # Failed records wait for their retry.
    if await redis.zcard("bull:notification:delayed"):
        return True
    queues = ("llm", "notification")
    return any([await answer(redis.llen(f"bull:{name}:{state}")) for name in queues for state in ("wait", "active")])


async def judge(company: Company, crowd: Crowd) -> CrowdVerdict:
    verdict = CrowdVerdict(effects=len(crowd.orders))
    for person in crowd.people:
        replies = [reply.text for reply in company.meta.sent_to(person) if reply.type == "text"]
        _judge_chat(verdict, replies, crowd.sent.get(person.bsuid, []), crowd.late)
    confirmed = Counter(
        parameter["text"]
        for message in company.meta.accepted
        if message.type == "template"
        for component in message.request["template"]["components"]
        for parameter in component["parameters"]
        if parameter["text"].startswith("A-")
    )
    verdict.effects_lost = [order for order in crowd.orders if not confirmed[order]]
    verdict.effects_twice = [order for order, times in confirmed.items() if times > 1]
    ledgers = [name async for name in company.redis.scan_iter("recado:{*}:ledger")]
    for name in ledgers:
        for wamid, entry in (await Ledger(company.redis).of(name[8:30])).items():
            if entry["state"] == "open":
                verdict.without_end.append(wamid)
            elif entry["state"].startswith("failed"):
                verdict.failed.append(entry["state"])
    verdict.unaccounted = await _unaccounted(company)
    verdict.history_lost, verdict.history_twice = await judge_history(company, crowd)
    return verdict


def _judge_chat(verdict: CrowdVerdict, replies: list[str], bursts: list[list[str]], late: set[str]) -> None:
    verdict.replies += len(replies)
    wanted = list(chain.from_iterable(bursts))
    verdict.messages += len(wanted)
    answered = [token for text in replies for token in TOKEN.findall(text)]
    times = Counter(answered)
    verdict.lost += [token for token in wanted if not times[token]]
    verdict.answered_twice += [token for token in wanted if times[token] > 1]
    # A burst's messages arrive in any order, and a turn may end between them; bursts come one after the other. Late
    # messages belong, by Meta's time, before earlier arrivals.
    place = {token: burst for burst, tokens in enumerate(bursts) for token in tokens}
    places = [place[token] for token in dict.fromkeys(answered) if token not in late]
    if places != sorted(places):
        verdict.out_of_order.append(" ".join(answered))


async def _unaccounted(company: Company) -> int:
    waiting = [name async for name in company.redis.scan_iter("recado:{*}:waiting")]
    return sum([await answer(company.redis.llen(name)) for name in waiting])
