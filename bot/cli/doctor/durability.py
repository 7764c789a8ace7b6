"""Check of Redis' durability: after a crash, under memory pressure, and at a failover."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra.replicas import NotReplicated, Replicas

_FSYNC = {
    "always": "each write is on the disk before it is acknowledged",
    "everysec": "a machine that dies loses the last second; appendfsync always keeps it",
    "no": "a machine that dies loses what its system has not written yet; appendfsync always keeps it",
}


async def problems(client: Redis, info: dict[str, Any], wanted: int) -> list[str]:
    """Settings that let Redis lose messages, each with its fix; `wanted` as in REDIS_WAIT_REPLICAS."""
    found: list[str] = []
    if info.get("cluster_enabled"):
        return ["is a Redis Cluster, which Recado does not support; use one primary, with replicas if you like"]
    if info.get("role") == "slave":
        return ["is a replica, which takes no writes; name the primary in REDIS_URL"]
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(f"forgets under pressure (maxmemory-policy {policy}); set it to noeviction")
    acknowledged = await _acknowledged(client, wanted)
    if acknowledged is not None:
        found.append(f"{acknowledged}, so that webhooks get 503; add replicas, or lower REDIS_WAIT_REPLICAS")
    # Because replicas hold all acknowledged messages, a primary without a file may restart empty after a failover.
    if not info.get("aof_enabled") and not (wanted and acknowledged is None):
        found.append("loses what is new when it restarts; set appendonly to yes, or wait for replicas")
    return found


async def summary(client: Redis, info: dict[str, Any], wanted: int) -> str:
    """Summary of durability, for a Redis without problems."""
    followers = int(info.get("connected_slaves", 0))
    replicas = f"{followers} replicas, {wanted} of them waited for" if followers or wanted else "no replica"
    if not info.get("aof_enabled"):
        return f"no append-only file; {replicas}"
    fsync = await _fsync(client)
    return f"append-only file ({_FSYNC.get(fsync, 'its appendfsync is not told')}); {replicas}"


async def _acknowledged(client: Redis, wanted: int) -> str | None:
    try:
        await Replicas(client, wanted).caught_up()
    except NotReplicated as error:
        return str(error)
    except RedisError as error:
        return f"does not take WAIT or INFO ({type(error).__name__})"
    return None


async def _fsync(client: Redis) -> str:
    """Setting `appendfsync`; empty, because managed servers refuse CONFIG."""
    try:
        return str((await client.config_get("appendfsync")).get("appendfsync", ""))
    except RedisError:
        return ""
