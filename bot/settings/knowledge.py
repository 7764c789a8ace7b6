"""The company's own documents, and the model that compares meanings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bot.settings.reading import Section, Url


class KnowledgeSettings(Section):
    model_config = SettingsConfigDict(env_prefix="KNOWLEDGE_")

    dir: Path = Field(Path("knowledge"), description="the folder of the documents that answers may be taken from")


class EmbeddingsSettings(Section):
    model_config = SettingsConfigDict(env_prefix="EMBEDDINGS_")

    model: str | None = Field(
        None, description="a model of an OpenAI-compatible /embeddings; without it the embedded one compares meanings"
    )
    base_url: Url = Field("https://api.openai.com/v1", description="the address of that /embeddings, without its end")
    api_key: SecretStr | None = Field(None, description="the key of that address")
