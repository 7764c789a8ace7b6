"""A running Recado for a test: its simulators, its settings, its Redis."""

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
    """Recado between simulators: Meta's webhooks go in, requests to Meta come out."""

    meta: MetaSimulator
    models: OpenRouterSimulator
    whisper: WhisperSimulator
    settings: Settings
    redis: Redis
    http: aiohttp.ClientSession
    url: str
    stripe: StripeSimulator | None = None


Start = Callable[..., Awaitable[World]]
