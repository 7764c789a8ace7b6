"""The service's settings: read once from the environment and `.env`, typed, one class a section."""

from __future__ import annotations

from typing import Any

from bot.settings.complaints import Complaint, SettingsWrong
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
from bot.settings.reading import Section, expected_of, found_variables, read, variables
from bot.settings.service import DatabaseSettings, LogSettings, RedisSettings, ServiceSettings

__all__ = [
    "BSUID",
    "LONGEST_MEMORY_DAYS",
    "PRICES",
    "SECTIONS",
    "BudgetSettings",
    "ChannelSettings",
    "Complaint",
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
    "expected_of",
    "log_settings",
    "variables",
]


class Settings:
    """The sections. A part is handed its own section only."""

    def __init__(self) -> None:
        wrong: list[Complaint] = []
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
        needs: list[tuple[type[Section], str, Any, str]] = [
            (WhatsAppSettings, "WHATSAPP_ACCESS_TOKEN", whatsapp.access_token, "not_set"),
            (WhatsAppSettings, "WHATSAPP_PHONE_NUMBER_ID", whatsapp.phone_number_id, "not_set"),
        ]
        if server:
            needs.append((WhatsAppSettings, "WHATSAPP_APP_SECRET", whatsapp.app_secret, "not_set"))
            needs += self._needs_of_oidc()
        if turns:
            needs.append((LLMSettings, "OPENROUTER_API_KEY", self.llm.api_key, "not_set_for_queue"))
        if self.subscribers.subscribers:
            needs.append((SubscriberSettings, "WEBHOOK_SECRET", self.subscribers.secret, "not_set_for_events"))
        missing = [
            Complaint(name, code, expected_of(section, name), {"queue": "llm"})
            for section, name, value, code in needs
            if not value
        ]
        if missing:
            raise SettingsWrong(missing)

    def _needs_of_oidc(self) -> list[tuple[type[Section], str, Any, str]]:
        """The provider's variables, each where one is set, and the address to which it sends people back."""
        oidc = self.oidc
        needs: list[tuple[type[Section], str, Any, str]] = [
            (OidcSettings, "OIDC_ISSUER", oidc.issuer, "not_set"),
            (OidcSettings, "OIDC_CLIENT_ID", oidc.client_id, "not_set_for_login"),
            (OidcSettings, "OIDC_CLIENT_SECRET", oidc.client_secret, "not_set_for_login"),
        ]
        if not any(value for _, _, value, _ in needs):
            return []
        return [*needs, (ServiceSettings, "PUBLIC_URL", self.service.public_url, "not_set_for_login")]


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
