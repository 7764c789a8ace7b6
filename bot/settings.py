"""The service's settings: read once from the environment and `.env`, typed, one class a section."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class SettingsWrong(Exception):
    """Some variables are missing or wrong; `lines` says one thing about one variable each, never a secret."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def _pieces(value: Any) -> Any:
    return [piece.strip() for piece in value.split(",") if piece.strip()] if isinstance(value, str) else value


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not an IANA time zone") from error
    return name


BSUID = re.compile(r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")


def _identities(values: list[str]) -> list[str]:
    """Phones as digits, BSUIDs as they are: a BSUID must never be taken for a phone (reference 2.7)."""
    plain = [value if BSUID.match(value) else re.sub(r"[\s+().-]", "", value) for value in values]
    if any(not BSUID.match(value) and not re.fullmatch(r"[0-9]{6,20}", value) for value in plain):
        raise ValueError("holds something else than a phone or a BSUID")
    return plain


def _address(value: str, *schemes: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes:
        raise ValueError(f"does not start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    # A port that is no number is found out when it is asked for.
    if parts.scheme != "unix" and (not parts.hostname or any(sign.isspace() for sign in value) or parts.port == 0):
        raise ValueError("is not an address")
    return value


def _web_address(value: str) -> str:
    return _address(value, "https", "http").rstrip("/")


# App secrets have 32 characters, tokens and keys more.
_LONGEST_SHOWN = 20

CommaList = Annotated[list[str], NoDecode, BeforeValidator(_pieces)]
Url = Annotated[str, AfterValidator(_web_address)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A secret read from a file brings its line's end along, which no HTTP header may hold; blank is not set."""
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value != ""}


class WhatsAppSettings(Section):
    model_config = SettingsConfigDict(env_prefix="WHATSAPP_")

    access_token: SecretStr | None = Field(None, description="a system user's token")
    phone_number_id: str | None = Field(None, pattern=r"^\d+$", description="the number's id: digits only")
    waba_id: str | None = Field(None, pattern=r"^\d+$", description="the WhatsApp Business Account's id: digits only")
    webhook_verify_token: SecretStr | None = Field(None, description="the words typed into Meta's webhook form")
    app_secret: Annotated[list[SecretStr], NoDecode, BeforeValidator(_pieces)] = Field(
        [], description="the app secret from Meta's App dashboard, Basic; several with commas while rotating"
    )
    api_base_url: Url = Field("https://graph.facebook.com", description="the Graph API's address")
    messages_per_second: int = Field(80, ge=1, le=1000, description="Meta's limit for the number; 20 in coexistence")
    api_version: str = Field("v26.0", pattern=r"^v\d+\.\d+$", description="a Graph API version such as v26.0")


class RedisSettings(Section):
    model_config = SettingsConfigDict(env_prefix="REDIS_")

    url: SecretStr | None = Field(None, description="redis://… or rediss://…, instead of host, port, password, TLS")
    host: str = Field("localhost", description="a host name")
    port: int = Field(6379, ge=1, le=65535, description="a port from 1 to 65535")
    password: SecretStr | None = Field(None, description="the server's password")
    tls: bool = Field(default=False, description="true or false")

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            _address(value.get_secret_value(), "redis", "rediss", "unix")
        return value


class LLMSettings(Section):
    """OpenRouter; `api_key` has its vendor's name, OPENROUTER_API_KEY."""

    model_config = SettingsConfigDict(env_prefix="LLM_")

    api_key: SecretStr | None = Field(None, validation_alias="OPENROUTER_API_KEY", description="OpenRouter's key")
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
            raise ValueError("not host:port")
        return value

    @property
    def configured(self) -> bool:
        return self.application_credentials is not None or self.vision_endpoint.startswith("http://")


class TurnSettings(Section):
    model_config = SettingsConfigDict(env_prefix="TURN_")

    quiet_seconds: float = Field(0.8, ge=0, le=30, description="seconds of silence that end a burst of messages")
    deadline_seconds: Seconds = Field(60, description="seconds from the first message to some answer")


class ChannelSettings(Section):
    """Who is staff, and what of WhatsApp is answered how."""

    staff_contacts: Annotated[CommaList, AfterValidator(_identities)] = Field(
        [], description="phones and BSUIDs of staff, with commas"
    )
    late_message_seconds: Seconds = Field(86400, description="seconds after which a message goes to a person")
    late_message_apology_seconds: Seconds = Field(600, description="seconds after which an answer begins with a sorry")
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
    ttl_days: int = Field(90, ge=1, description="days after the last message until a conversation is forgotten")


class StorageSettings(Section):
    model_config = SettingsConfigDict(env_prefix="STORAGE_")

    dir: Path = Field(Path("data/files"), description="the folder of files that are kept on this machine")


class ServiceSettings(Section):
    """What belongs to no single integration."""

    default_language: Literal["es", "en"] = Field("es", description="es or en")
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "America/Mexico_City", description="an IANA name such as America/Mexico_City"
    )
    prompts_dir: Path = Field(Path("prompts"), description="the folder of the prompt files")
    templates_dir: Path = Field(Path("templates"), description="the folder of the WhatsApp templates' files")
    console_token: SecretStr | None = Field(None, description="the operators' password; without it there is no console")
    shutdown_grace_seconds: Seconds = Field(25, description="seconds to finish the turns in hand after SIGTERM")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class LogSettings(Section):
    model_config = SettingsConfigDict(env_prefix="LOG_")

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    format: Literal["json", "console"] = Field("json", description="json or console")

    @field_validator("level", "format", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value


# USD for one million tokens, from the company's catalogue; used only where OpenRouter does not say what a call cost.
PRICES = {
    "anthropic/claude-3-haiku": Decimal("0.25"),
    "anthropic/claude-3-sonnet": Decimal("3.00"),
    "openai/gpt-4o-mini": Decimal("0.15"),
    "openai/gpt-3.5-turbo": Decimal("0.50"),
    "mistralai/mistral-7b": Decimal("0.06"),
    "meta-llama/llama-3-8b": Decimal("0.20"),
}


class Settings:
    """All sections. A part is handed its own section only."""

    def __init__(self) -> None:
        wrong: list[str] = []
        self.whatsapp = _read(WhatsAppSettings, wrong)
        self.redis = _read(RedisSettings, wrong)
        self.llm = _read(LLMSettings, wrong)
        self.whisper = _read(WhisperSettings, wrong)
        self.vision = _read(VisionSettings, wrong)
        self.turn = _read(TurnSettings, wrong)
        self.channel = _read(ChannelSettings, wrong)
        self.memory = _read(MemorySettings, wrong)
        self.storage = _read(StorageSettings, wrong)
        self.service = _read(ServiceSettings, wrong)
        self.log = _read(LogSettings, wrong)
        if wrong:
            raise SettingsWrong(wrong)

    def require(self, *, server: bool = False, turns: bool = False) -> None:
        """Stop a process that could not do its work: what `serve` or the `llm` queue can't be without."""
        whatsapp = self.whatsapp
        needs: list[tuple[str, Any, str]] = [
            ("WHATSAPP_ACCESS_TOKEN", whatsapp.access_token, "a token of a system user at Meta"),
            ("WHATSAPP_PHONE_NUMBER_ID", whatsapp.phone_number_id, "the id of the number, from Meta's API setup page"),
        ]
        if server:
            secret = "the app secret, from Meta's App dashboard, Basic"  # noqa: S105 - words, not a secret
            needs.append(("WHATSAPP_APP_SECRET", whatsapp.app_secret, secret))
        if turns:
            needs.append(("OPENROUTER_API_KEY", self.llm.api_key, "a key of OpenRouter, for the queue llm"))
        missing = [f"{name}: is not set; expected {what}" for name, value, what in needs if not value]
        if missing:
            raise SettingsWrong(missing)


SECTIONS: tuple[type[Section], ...] = (
    WhatsAppSettings,
    RedisSettings,
    LLMSettings,
    WhisperSettings,
    VisionSettings,
    TurnSettings,
    ChannelSettings,
    MemorySettings,
    StorageSettings,
    ServiceSettings,
    LogSettings,
)


def log_settings() -> LogSettings:
    """How to log while the other settings are read; a wrong value counts as none, and `Settings` tells it."""
    return _read(LogSettings, [])


def variables(section: type[Section]) -> dict[str, str]:
    """The section's environment variables and the field that each one fills."""
    prefix = section.model_config.get("env_prefix", "")
    return {
        str(field.validation_alias or f"{prefix}{name}").upper(): name for name, field in section.model_fields.items()
    }


S = TypeVar("S", bound=Section)


def _read(section: type[S], wrong: list[str]) -> S:
    try:
        return section()
    except ValidationError as error:
        names = {name.lower(): variable for variable, name in variables(section).items()}
        for problem in error.errors():
            key = str(problem["loc"][0])
            variable = names.get(key.lower(), key.upper())
            wrong.append(_complaint(section, variable, problem["input"], problem["msg"]))
    except UnicodeDecodeError:
        complaint = ".env: is not UTF-8; expected a text file saved with the encoding UTF-8"
        if complaint not in wrong:
            wrong.append(complaint)
    return cast("S", section.model_construct())


def _complaint(section: type[Section], variable: str, value: Any, problem: str) -> str:
    field = section.model_fields[variables(section)[variable]]
    # A secret may stand in the wrong variable, or in an address: only what can't be one is shown.
    secret = "SecretStr" in str(field.annotation) or len(str(value)) > _LONGEST_SHOWN or "@" in str(value)
    shown = "its value" if secret else repr(value)
    problem = problem.removeprefix("Value error, ").removeprefix("Input ")
    return f"{variable}: {shown}: {problem}; expected {field.description}"
