"""Names that operators' prompts may use: tools, templates and models; and the prompt library that checks them."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.agent.tools.catalog import TABLE
from bot.conversations.turn_state import releases_in_use
from bot.prompting.library import Library
from bot.prompting.linter import PromptVocabulary
from bot.prompting.release_gate import EvaluateCases, OfflineGate, no_evaluation
from bot.settings import PRICES, Settings
from bot.whatsapp.templates.files import names


def vocabulary(settings: Settings) -> PromptVocabulary:
    """Names of every tool, also of integrations that aren't configured; of template files; of models with a price."""
    models = {*PRICES, *settings.llm.models, settings.budget.model, "openrouter/auto"}
    return PromptVocabulary(
        tools=frozenset(row.tool.name for row in TABLE),
        templates=names(settings.service.templates_dir),
        models=frozenset(models),
    )


def library_of(redis: Redis, settings: Settings, evaluate: EvaluateCases = no_evaluation) -> Library:
    """The library as the settings want it; `evaluate` performs cases where PROMPTS_GATE=offline."""
    service = settings.service
    return Library(
        redis,
        service.prompts_dir,
        vocabulary(settings),
        in_use=lambda: releases_in_use(redis),
        watching=service.prompts_release == "watch",
        gate=OfflineGate(service.prompts_dir, evaluate) if service.prompts_gate == "offline" else None,
        percent=service.prompts_canary_percent,
    )
