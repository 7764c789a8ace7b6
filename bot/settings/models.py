"""Language models, transcription and vision, and what may be spent on them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bot.settings.complaints import refusal
from bot.settings.reading import CommaList, Seconds, Section, Url


class LLMSettings(Section):
    """OpenRouter; `api_key` has its vendor's name, OPENROUTER_API_KEY."""

    model_config = SettingsConfigDict(env_prefix="LLM_")

    api_key: SecretStr | None = Field(None, validation_alias="OPENROUTER_API_KEY", description="a key of OpenRouter")
    base_url: Url = Field("https://openrouter.ai/api/v1", description="OpenRouter's address")
    model_default: str = Field("anthropic/claude-3-haiku", description="a model's id at OpenRouter")
    model_fallback: str = Field("openai/gpt-3.5-turbo", description="a model's id at OpenRouter")
    models_fallback: CommaList = Field([], description="more models, with commas")
    max_tokens: int = Field(1000, ge=1, description="tokens of one answer")
    temperature: float = Field(0.7, ge=0, le=2, description="a number from 0 to 2")
    timeout_seconds: Seconds = Field(30, description="seconds of one attempt, all in all")

    @property
    def models(self) -> tuple[str, ...]:
        """The models in the order in which they are asked, each once."""
        return tuple(dict.fromkeys((self.model_default, self.model_fallback, *self.models_fallback)))


class WhisperSettings(Section):
    model_config = SettingsConfigDict(env_prefix="WHISPER_")

    api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY", description="OpenAI's key")
    base_url: Url = Field(
        "https://api.openai.com/v1", validation_alias="OPENAI_BASE_URL", description="a server of the transcription API"
    )
    model: str = Field("whisper-1", description="a transcription model's id")


class VisionSettings(Section):
    model_config = SettingsConfigDict(env_prefix="GOOGLE_")

    application_credentials: Path | None = Field(None, description="the path of a service account's JSON file")
    vision_project_id: str | None = Field(None, description="the project that is billed")
    vision_endpoint: str = Field(
        "vision.googleapis.com:443", description="host:port of the gRPC API, or http://host:port without TLS"
    )

    @field_validator("vision_endpoint")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.removeprefix("http://").rpartition(":")
        if not host or not port.isdigit() or "/" in host:
            raise refusal("no_host_and_port")
        return value

    @property
    def configured(self) -> bool:
        return self.application_credentials is not None or self.vision_endpoint.startswith("http://")


class BudgetSettings(Section):
    model_config = SettingsConfigDict(env_prefix="BUDGET_")

    contact_usd_day: Decimal = Field(Decimal("0.50"), gt=0, description="USD that one person may cost in a day")
    total_usd_day: Decimal = Field(Decimal(50), gt=0, description="USD that all together may cost in a day")
    when_spent: Literal["cheaper", "answer", "person"] = Field(
        "answer", description="cheaper (BUDGET_MODEL goes on, up to the same sum again), answer (we say so) or person"
    )
    model: str = Field("mistralai/mistral-7b", description="the model that goes on when the budget is spent")


# USD for one million tokens, from the company's catalogue; used only where OpenRouter does not say what a call cost.
PRICES = {
    "anthropic/claude-3-haiku": Decimal("0.25"),
    "anthropic/claude-3-sonnet": Decimal("3.00"),
    "openai/gpt-4o-mini": Decimal("0.15"),
    "openai/gpt-3.5-turbo": Decimal("0.50"),
    "mistralai/mistral-7b": Decimal("0.06"),
    "meta-llama/llama-3-8b": Decimal("0.20"),
}
