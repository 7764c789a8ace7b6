"""What a test holds of a running Recado: its imitated outside, its settings, its Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from redis.asyncio import Redis

from bot.settings import Settings
from sandbox.meta.simulator import MetaSimulator
from sandbox.simulators.openrouter import OpenRouterSimulator
from sandbox.simulators.whisper import WhisperSimulator
from sandbox.stripe import StripeSimulator

SECRET = "app-secret-of-the-tests"
TOKEN = "token-of-the-tests"


@dataclass
class World:
    """Recado between its imitated outside: what goes in is what Meta posts, what comes out is what Meta receives."""

    meta: MetaSimulator
    models: OpenRouterSimulator
    whisper: WhisperSimulator
    settings: Settings
    redis: Redis
    http: aiohttp.ClientSession
    url: str
    stripe: StripeSimulator | None = None


Start = Callable[..., Awaitable[World]]
