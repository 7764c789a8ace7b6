"""State of everything that Recado needs, in words: what works, what is not set up, and what is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.conversations.waiting_list import WaitingList
from bot.database.engine import Database
from bot.delivery.pause import FIX, SendingPause
from bot.history.stream import HISTORY
from bot.infra import queue_admin, queues
from bot.infra.redis import answer
from bot.messages.language import Language
from bot.settings import Settings

State = Literal["ok", "off", "warn", "down"]
_SECONDS = 5.0
# So many entries are more than a moment's delay.
_BEHIND = 1000

_WORDS: dict[str, tuple[str, str]] = {
    "works": ("Funciona.", "Works."),
    "set_up": ("Está configurado.", "Is set up."),
    "not_set_up": ("No está configurado.", "Is not set up."),
    "away": ("No responde.", "Does not answer."),
    "paused": ("Meta no deja enviar: {why}", "Meta lets nobody send: {why}"),
    "waiting": ("{count} mensajes esperan respuesta.", "{count} messages wait for an answer."),
    "failed": ("{count} trabajos fallaron.", "{count} jobs have failed."),
    "behind": ("{count} sucesos todavía no están en el historial.", "{count} events are not in the history yet."),
    "local_ocr": ("Sin Google Vision lee el motor local.", "Without Google Vision the local engine reads."),
    "local_disk": ("Los archivos están en este servidor.", "Files are on this machine."),
}


_FIXES: dict[str, dict[Language, str]] = {
    "see_redis": {"es": "revisa REDIS_URL", "en": "see REDIS_URL"},
    "see_database": {"es": "revisa DATABASE_URL", "en": "see DATABASE_URL"},
    "see_queues": {"es": "mira `recado queues show`", "en": "see `recado queues show`"},
    "see_worker": {"es": "revisa que haya un `recado worker`", "en": "see that a worker runs"},
    "see_number": {
        "es": "revisa WHATSAPP_ACCESS_TOKEN y el número en WhatsApp Manager; `recado doctor` dice más",
        "en": FIX,
    },
}


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    redis: Redis
    settings: Settings
    pause: SendingPause
    database: Database

    async def examine(self, language: Language) -> list[dict[str, Any]]:
        """An item each: `{name, state, words, fix?}`. What can't be asked in seconds is down."""
        checks = (self._redis, self._database, self._sending, self._queues, self._history)
        found = [await self._checked(check, language) for check in checks]
        return [*found, *self._integrations(language)]

    async def _checked(self, check: Any, language: Language) -> dict[str, Any]:
        name = check.__name__.strip("_")
        try:
            async with asyncio.timeout(_SECONDS):
                found: dict[str, Any] = await check(language)
        except (RedisError, SQLAlchemyError, OSError, TimeoutError):
            see = _FIXES["see_database" if name == "database" else "see_redis"]
            return _item(name, "down", "away", language) | {"fix": see[language]}
        return found

    async def _redis(self, language: Language) -> dict[str, Any]:
        await answer(cast("Any", self.redis.ping()))
        return _item("redis", "ok", "works", language)

    async def _database(self, language: Language) -> dict[str, Any]:
        async with self.database.reading() as connection:
            await connection.execute(text("SELECT 1"))
        return _item("database", "ok", "works", language)

    async def _sending(self, language: Language) -> dict[str, Any]:
        paused = await self.pause.current()
        if paused:
            return _item("whatsapp", "down", "paused", language, why=paused.why) | {
                "fix": _FIXES["see_number"][language]
            }
        return _item("whatsapp", "ok", "works", language)

    async def _queues(self, language: Language) -> dict[str, Any]:
        failed = 0
        for name in queues.QUEUES:
            failed += (await queue_admin.counts(self.redis, name)).get("failed", 0)
        if failed:
            return _item("queues", "warn", "failed", language, count=failed) | {"fix": _FIXES["see_queues"][language]}
        waiting = await WaitingList(self.redis).count()
        return _item("queues", "ok", "waiting", language, count=waiting)

    async def _history(self, language: Language) -> dict[str, Any]:
        behind = int(await self.redis.xlen(HISTORY))
        if behind > _BEHIND:
            return _item("history", "warn", "behind", language, count=behind) | {"fix": _FIXES["see_worker"][language]}
        return _item("history", "ok", "works", language)

    def _integrations(self, language: Language) -> list[dict[str, Any]]:
        settings = self.settings
        configured = {
            "openrouter": settings.llm.api_key is not None,
            "whisper": settings.whisper.api_key is not None,
            "stripe": settings.stripe.secret_key is not None,
            "email": bool(settings.mail.configured),
            "push": settings.push.configured,
            "webhooks": bool(settings.subscribers.subscribers),
        }
        found = [
            _item(name, "ok" if there else "off", "set_up" if there else "not_set_up", language)
            for name, there in configured.items()
        ]
        vision = settings.vision.configured
        found.append(_item("vision", "ok", "set_up" if vision else "local_ocr", language))
        local = settings.storage.chosen == "local"
        found.append(_item("storage", "ok", "local_disk" if local else "set_up", language))
        return found


def _item(name: str, state: State, words: str, language: Language, **facts: Any) -> dict[str, Any]:
    spanish, english = _WORDS[words]
    return {"name": name, "state": state, "words": (spanish if language == "es" else english).format(**facts)}
