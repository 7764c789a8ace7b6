"""Check of Redis' durability: after a crash, under memory pressure, and at a failover."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.cli.doctor.words import Said, quoted, said
from bot.infra.replicas import NotReplicated, Replicas

_FSYNC = ("always", "everysec", "no")


async def problems(client: Redis, info: dict[str, Any], wanted: int) -> list[Said]:
    """Settings that let Redis lose messages, each with its fix; `wanted` as in REDIS_WAIT_REPLICAS."""
    found: list[Said] = []
    if info.get("cluster_enabled"):
        return [said("is a cluster")]
    if info.get("role") == "slave":
        return [said("is a replica")]
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(said("forgets", policy=policy))
    acknowledged = await _acknowledged(client, wanted)
    if acknowledged is not None:
        found.append(said("not replicated", why=acknowledged))
    # Because replicas hold all acknowledged messages, a primary without a file may restart empty after a failover.
    if not info.get("aof_enabled") and not (wanted and acknowledged is None):
        found.append(said("loses what is new"))
    return found


async def summary(client: Redis, info: dict[str, Any], wanted: int) -> Said:
    """Summary of durability, for a Redis without problems."""
    followers = int(info.get("connected_slaves", 0))
    replicas = said("replicas", followers=followers, wanted=wanted) if followers or wanted else said("no replica")
    if not info.get("aof_enabled"):
        return said("no file", replicas=replicas)
    fsync = await _fsync(client)
    return said("file", fsync=said(f"fsync {fsync}" if fsync in _FSYNC else "fsync not told"), replicas=replicas)


async def _acknowledged(client: Redis, wanted: int) -> Said | None:
    try:
        await Replicas(client, wanted).caught_up()
    except NotReplicated as error:
        return quoted(str(error))
    except RedisError as error:
        return said("no wait", error=type(error).__name__)
    return None


async def _fsync(client: Redis) -> str:
    """Setting `appendfsync`; empty, because managed servers refuse CONFIG."""
    try:
        return str((await client.config_get("appendfsync")).get("appendfsync", ""))
    except RedisError:
        return ""
