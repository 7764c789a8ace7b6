"""The service itself: where its data lives, its words, its log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bot.settings.complaints import refusal
from bot.settings.reading import Seconds, Section, Url, address


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refusal("no_time_zone") from error
    return name


# Currencies of ISO 4217 that people pay with, without metals, units of account and test codes.
_CURRENCIES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN
PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY
TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""


def _currency(code: str) -> str:
    if code.upper() not in _CURRENCIES.split():
        raise refusal("no_currency")
    return code.upper()


class RedisSettings(Section):
    model_config = SettingsConfigDict(env_prefix="REDIS_")

    url: SecretStr | None = Field(None, description="redis://… or rediss://…, instead of host, port, password, TLS")
    host: str = Field("localhost", description="a host name")
    port: int = Field(6379, ge=1, le=65535, description="a port from 1 to 65535")
    password: SecretStr | None = Field(None, description="the server's password")
    tls: bool = Field(default=False, description="true or false")
    wait_replicas: int = Field(
        0, ge=0, le=100, description="replicas that have a message before Meta and Stripe are told that it is stored"
    )

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            address(value.get_secret_value(), "redis", "rediss", "unix")
        return value


class DatabaseSettings(Section):
    model_config = SettingsConfigDict(env_prefix="DATABASE_")

    url: SecretStr = Field(
        SecretStr("sqlite:///data/recado.db"), description="sqlite:///FILE for one machine, postgresql://… for several"
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
        if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
            return value
        address(text, "postgresql", "postgres")
        return value

    @property
    def is_postgresql(self) -> bool:
        return not self.url.get_secret_value().startswith("sqlite:")


class ServiceSettings(Section):
    """Settings of no single integration."""

    default_language: Literal["es", "en"] = Field("es", description="es or en")
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "America/Mexico_City", description="an IANA name such as America/Mexico_City"
    )
    shop_currency: Annotated[str, AfterValidator(_currency)] = Field(
        "MXN", description="the ISO 4217 code of a price without a currency, such as MXN"
    )
    prompts_dir: Path = Field(Path("prompts"), description="the folder of the prompt files")
    prompts_release: Literal["watch", "manual"] = Field(
        "manual", description="watch (saving is releasing; the sandbox's default) or manual (`recado prompts release`)"
    )
    prompts_gate: Literal["off", "offline"] = Field(
        "off", description="off, or offline (`recado prompts eval` has to pass before anything is released)"
    )
    prompts_canary_percent: int = Field(
        0, ge=0, le=99, description="the share of contacts that get a release first, 1 to 99, or 0 (all at once)"
    )
    templates_dir: Path = Field(Path("templates"), description="the folder of the WhatsApp templates' files")
    public_url: Url | None = Field(None, description="the address at which people reach `serve`, for links in chats")
    console_token: SecretStr | None = Field(
        None, description="programs' password to the console, as an admin; without it there is no console"
    )
    console_session_hours: float = Field(
        12, gt=0, le=24 * 30, description="hours after which somebody has to log in to the console again"
    )
    console_pickup_minutes: float = Field(
        10,
        gt=0,
        le=24 * 60,
        description="minutes after which a customer who waits for a person is told so, and supervisors are alerted",
    )
    console_digest_minutes: float = Field(
        15,
        gt=0,
        le=24 * 60,
        description="minutes that a customer waits before operators get a mail, if nobody has the console open",
    )
    console_digest_every_minutes: float = Field(
        60, gt=0, le=7 * 24 * 60, description="minutes between two of those mails, at least"
    )
    console_ratings: bool = Field(
        True, description="whether customers are asked, once a conversation is closed, how it went"
    )
    metrics_token: SecretStr | None = Field(
        None, description="the password of /metrics (Bearer, or Basic with any name); without it the page is open"
    )
    shutdown_grace_seconds: Seconds = Field(25, description="seconds to finish the turns in hand after SIGTERM")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class LogSettings(Section):
    model_config = SettingsConfigDict(env_prefix="LOG_")

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    format: Literal["json", "console"] = Field(
        "json", description="json or console; left out: console on a terminal, json everywhere else"
    )

    @field_validator("level", "format", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value
