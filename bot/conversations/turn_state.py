"""Stored state of a turn under way: its messages, its tries, its prompts, its journal."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.conversations.waiting_list import WaitingList
from bot.infra.redis import key


def turn_keys(conversation: str) -> tuple[str, str]:
    """The turn's hash (`count`, `tries`, `release`, `still`) and the list of its journal."""
    return key(conversation, "turn"), key(conversation, "journal")


async def releases_in_use(redis: Redis) -> set[str]:
    """Releases of prompts in use by turns under way."""
    pipeline = redis.pipeline(transaction=False)
    for conversation in await WaitingList(redis).unfinished():
        pipeline.hget(turn_keys(conversation)[0], "release")
    return {release for release in await pipeline.execute() if release} if pipeline.command_stack else set()
