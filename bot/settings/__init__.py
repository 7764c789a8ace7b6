"""The service's settings: read once from the environment and `.env`, typed, one class a section."""

from __future__ import annotations

from typing import Any

from bot.settings.conversation import (
    BSUID,
    LONGEST_MEMORY_DAYS,
    ChannelSettings,
    MemorySettings,
    TurnSettings,
    WhatsAppSettings,
)
from bot.settings.integrations import (
    MailSettings,
    OidcSettings,
    PushSettings,
    StorageSettings,
    StripeSettings,
    SubscriberSettings,
)
from bot.settings.knowledge import EmbeddingsSettings, KnowledgeSettings
from bot.settings.models import PRICES, BudgetSettings, LLMSettings, VisionSettings, WhisperSettings
from bot.settings.reading import Section, SettingsWrong, found_variables, read, variables
from bot.settings.service import DatabaseSettings, LogSettings, RedisSettings, ServiceSettings

__all__ = [
    "BSUID",
    "LONGEST_MEMORY_DAYS",
    "PRICES",
    "SECTIONS",
    "BudgetSettings",
    "ChannelSettings",
    "DatabaseSettings",
    "EmbeddingsSettings",
    "KnowledgeSettings",
    "LLMSettings",
    "LogSettings",
    "MailSettings",
    "MemorySettings",
    "OidcSettings",
    "PushSettings",
    "RedisSettings",
    "Section",
    "ServiceSettings",
    "Settings",
    "SettingsWrong",
    "StorageSettings",
    "StripeSettings",
    "SubscriberSettings",
    "TurnSettings",
    "VisionSettings",
    "WhatsAppSettings",
    "WhisperSettings",
    "log_settings",
    "variables",
]


class Settings:
    """The sections. A part is handed its own section only."""

    def __init__(self) -> None:
        wrong: list[str] = []
        found = found_variables(wrong)
        self.whatsapp = read(WhatsAppSettings, found, wrong)
        self.redis = read(RedisSettings, found, wrong)
        self.database = read(DatabaseSettings, found, wrong)
        self.llm = read(LLMSettings, found, wrong)
        self.whisper = read(WhisperSettings, found, wrong)
        self.vision = read(VisionSettings, found, wrong)
        self.turn = read(TurnSettings, found, wrong)
        self.channel = read(ChannelSettings, found, wrong)
        self.memory = read(MemorySettings, found, wrong)
        self.budget = read(BudgetSettings, found, wrong)
        self.stripe = read(StripeSettings, found, wrong)
        self.mail = read(MailSettings, found, wrong)
        self.push = read(PushSettings, found, wrong)
        self.storage = read(StorageSettings, found, wrong)
        self.subscribers = read(SubscriberSettings, found, wrong)
        self.knowledge = read(KnowledgeSettings, found, wrong)
        self.embeddings = read(EmbeddingsSettings, found, wrong)
        self.oidc = read(OidcSettings, found, wrong)
        self.service = read(ServiceSettings, found, wrong)
        self.log = read(LogSettings, found, wrong)
        if wrong:
            raise SettingsWrong(wrong)

    def require(self, *, server: bool = False, turns: bool = False) -> None:
        """Raise SettingsWrong for variables without which `serve` or the `llm` queue can't work."""
        whatsapp = self.whatsapp
        needs: list[tuple[str, Any, str]] = [
            ("WHATSAPP_ACCESS_TOKEN", whatsapp.access_token, "a token of a system user at Meta"),
            ("WHATSAPP_PHONE_NUMBER_ID", whatsapp.phone_number_id, "the id of the number, from Meta's API setup page"),
        ]
        if server:
            secret = "the app secret, from Meta's App dashboard, Basic"  # noqa: S105 - words, not a secret
            needs.append(("WHATSAPP_APP_SECRET", whatsapp.app_secret, secret))
            needs += self._needs_of_oidc()
        if turns:
            needs.append(("OPENROUTER_API_KEY", self.llm.api_key, "a key of OpenRouter, for the queue llm"))
        if self.subscribers.subscribers:
            needs.append(("WEBHOOK_SECRET", self.subscribers.secret, "the secret that signs events, whsec_ and base64"))
        missing = [f"{name}: is not set; expected {what}" for name, value, what in needs if not value]
        if missing:
            raise SettingsWrong(missing)

    def _needs_of_oidc(self) -> list[tuple[str, Any, str]]:
        """The provider's variables, each where one is set, and the address to which it sends people back."""
        oidc = self.oidc
        needs: list[tuple[str, Any, str]] = [
            ("OIDC_ISSUER", oidc.issuer, "the provider's https:// address (issuer)"),
            ("OIDC_CLIENT_ID", oidc.client_id, "the id that the provider gave to Recado"),
            ("OIDC_CLIENT_SECRET", oidc.client_secret, "the secret that goes with that id"),
        ]
        if not any(value for _, value, _ in needs):
            return []
        return [*needs, ("PUBLIC_URL", self.service.public_url, "the address to which OIDC_ISSUER sends people back")]


SECTIONS: tuple[type[Section], ...] = (
    WhatsAppSettings,
    RedisSettings,
    DatabaseSettings,
    LLMSettings,
    WhisperSettings,
    VisionSettings,
    TurnSettings,
    ChannelSettings,
    MemorySettings,
    BudgetSettings,
    StripeSettings,
    MailSettings,
    PushSettings,
    StorageSettings,
    SubscriberSettings,
    KnowledgeSettings,
    EmbeddingsSettings,
    OidcSettings,
    ServiceSettings,
    LogSettings,
)


def log_settings() -> LogSettings:
    """Settings of the log while the others are read; a wrong value counts as none here, and `Settings` reports it."""
    return read(LogSettings, found_variables([]), [])
