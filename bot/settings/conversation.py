"""WhatsApp, and how its messages are answered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from bot.settings.complaints import refusal
from bot.settings.message_prices import readable_prices
from bot.settings.reading import CommaList, Seconds, Section, Url, pieces

# A contact is kept this long after the last message, so no memory of it may outlive that.
LONGEST_MEMORY_DAYS = 400
BSUID = re.compile(r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")


def _identities(values: list[str]) -> list[str]:
    """Phones as digits, BSUIDs as they are: a BSUID must never be taken for a phone."""
    plain = [value if BSUID.match(value) else re.sub(r"[\s+().-]", "", value) for value in values]
    if any(not BSUID.match(value) and not re.fullmatch(r"[0-9]{6,20}", value) for value in plain):
        raise refusal("no_contact")
    return plain


class WhatsAppSettings(Section):
    model_config = SettingsConfigDict(env_prefix="WHATSAPP_")

    access_token: SecretStr | None = Field(None, description="a token of a system user at Meta")
    phone_number_id: str | None = Field(
        None, pattern=r"^\d+$", description="the id of the number, from Meta's API setup page: digits only"
    )
    waba_id: str | None = Field(None, pattern=r"^\d+$", description="the WhatsApp Business Account's id: digits only")
    webhook_verify_token: SecretStr | None = Field(None, description="the words typed into Meta's webhook form")
    app_secret: Annotated[list[SecretStr], NoDecode, BeforeValidator(pieces)] = Field(
        [], description="the app secret from Meta's App dashboard, Basic; several with commas while rotating"
    )
    api_base_url: Url = Field("https://graph.facebook.com", description="the Graph API's address")
    messages_per_second: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="messages that leave in a second, at most; without it what Meta tells of the number; 20 where the "
        "number is in the WhatsApp Business app too (coexistence)",
    )
    api_version: str = Field("v26.0", pattern=r"^v\d+\.\d+$", description="a Graph API version such as v26.0")
    prices: Annotated[Path | None, AfterValidator(readable_prices)] = Field(
        None, description="a CSV file of Meta's prices: country,category,usd; without it fees are only counted"
    )


class TurnSettings(Section):
    model_config = SettingsConfigDict(env_prefix="TURN_")

    quiet_seconds: float = Field(0.8, ge=0, le=30, description="seconds of silence that end a burst of messages")
    deadline_seconds: Seconds = Field(60, description="seconds from the first message to some answer")


class ChannelSettings(Section):
    """Staff, limits of messages and the answers to special ones."""

    staff_contacts: Annotated[CommaList, AfterValidator(_identities)] = Field(
        [], description="phones and BSUIDs of staff, with commas"
    )
    late_message_seconds: Seconds = Field(86400, description="seconds after which a message goes to a person")
    late_message_apology_seconds: Seconds = Field(600, description="seconds after which an answer begins with a sorry")
    rate_limit_contact: str = Field(
        "20/minute",
        pattern=r"^[1-9]\d{0,5}/(second|minute|hour|day)$",
        description="messages of one person that are answered, such as 20/minute",
    )
    echo_pause_minutes: float = Field(
        60, ge=0, le=100_000, description="minutes that the bot stays quiet after a colleague wrote from the app"
    )
    opt_out_words: CommaList = Field(
        ["stop", "baja", "alto", "unsubscribe"], description="words that end marketing, with commas"
    )
    opt_in_words: CommaList = Field(
        ["start", "alta", "subscribe"], description="words that allow marketing again, with commas"
    )


class MemorySettings(Section):
    model_config = SettingsConfigDict(env_prefix="MEMORY_")

    messages: int = Field(40, ge=2, description="messages that a conversation keeps word for word")
    tokens: int = Field(6000, ge=200, description="tokens that those messages may take")
    ttl_days: int = Field(
        90,
        ge=1,
        le=LONGEST_MEMORY_DAYS,
        description="days after the last message until a conversation is forgotten, at most 400",
    )
