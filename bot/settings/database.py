"""The SQL database, and for how long its history is kept."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bot.settings.reading import Section, address

_SQLITE = "sqlite:///"


class DatabaseSettings(Section):
    model_config = SettingsConfigDict(env_prefix="DATABASE_")

    url: SecretStr = Field(
        SecretStr("sqlite:///data/recado.db"),
        description="sqlite:///… (a file, for one machine) or postgresql://… (for several)",
    )
    history_days: int = Field(
        365,
        ge=1,
        le=3650,
        validation_alias="HISTORY_DAYS",
        description="days after which messages, turns and notes leave the history",
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text.startswith("sqlite:"):
            if not text.startswith(_SQLITE) or not text.removeprefix(_SQLITE):
                raise ValueError("names no file")
        else:
            address(text, "postgresql", "postgres")
        return value

    @property
    def is_postgresql(self) -> bool:
        return not self.url.get_secret_value().startswith(_SQLITE)
