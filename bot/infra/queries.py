"""Reads of several modules in one round trip: each module gives its commands, and says how to read the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from redis.asyncio import Redis

Command = tuple[str | int | float, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """Commands that change nothing, such as `("HGETALL", name)`; `read` is given their answers in the same order."""

    commands: tuple[Command, ...]
    read: Callable[[Sequence[Any]], T]


def gathered(*queries: Query[Any]) -> Query[list[Any]]:
    """Several queries as one, whose answer is the list of theirs."""

    def read(answers: Sequence[Any]) -> list[Any]:
        found, start = [], 0
        for query in queries:
            found.append(query.read(answers[start : start + len(query.commands)]))
            start += len(query.commands)
        return found

    return Query(tuple(command for query in queries for command in query.commands), read)


def mapping(found: Any) -> dict[str, str]:
    """A hash as a mapping; a script gives it as a list of fields and values in turn."""
    if isinstance(found, dict):
        return found
    parts = iter(found or ())
    return dict(zip(parts, parts, strict=True))


def put(pipeline: Any, *queries: Query[Any]) -> None:
    """Put the commands of queries into a pipeline."""
    for query in queries:
        for command in query.commands:
            pipeline.execute_command(*command)


async def ask(redis: Redis, query: Query[T]) -> T:
    """The answer of a query, in one round trip; one without commands asks nobody."""
    if not query.commands:
        return query.read(())
    pipeline = redis.pipeline(transaction=False)
    put(pipeline, query)
    return query.read(await pipeline.execute())
