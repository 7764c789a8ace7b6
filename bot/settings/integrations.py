"""The company's integrations: billing, e-mail, browser notifications, files, subscribers."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Literal, assert_never, cast, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bot.settings.complaints import refusal
from bot.settings.reading import CommaList, Section, SecureUrl, Url, pieces, web_address

MailProvider = Literal["sendgrid", "ses", "smtp"]
StorageProvider = Literal["s3", "r2", "minio", "local"]


# Because each provider verifies its senders itself, we refuse only what is no address at all.
_SENDER = r"^[^@\s<>]+@[^@\s<>.]+(\.[^@\s<>.]+)+$"


# The sender of notifications by RFC 8292, and names that lead nowhere outside (RFC 2606, RFC 6762, RFC 8375).
_SUBJECT = re.compile(r"mailto:[^\s@<>,;]+@([\w-]+(?:\.[\w-]+)*)|https://([\w-]+(?:\.[\w-]+)*)(?:[/:][^\s<>]*)?")
_NOWHERE = (".localhost", ".local", ".invalid", ".test", ".example", ".internal", ".lan", ".home.arpa", ".localdomain")


class StripeSettings(Section):
    model_config = SettingsConfigDict(env_prefix="STRIPE_")

    secret_key: SecretStr | None = Field(None, description="a secret or restricted key, sk_… or rk_…")
    publishable_key: str | None = Field(
        None,
        description="the publishable key, pk_…; for pages of yours that take cards, because Recado sends people to "
        "Stripe's own",
    )
    webhook_secret: Annotated[list[SecretStr], NoDecode, BeforeValidator(pieces)] = Field(
        [], description="the signing secret of the webhook endpoint, whsec_…; several with commas while rotating"
    )
    api_base: Url = Field("https://api.stripe.com", description="Stripe's address")
    trial_days: int = Field(0, ge=0, le=730, description="days of trial of a first subscription; 0 is none")
    return_url: Url | None = Field(None, description="where Stripe's pages lead back to; without it, the chat")


class MailSettings(Section):
    """SendGrid, Amazon SES and SMTP, each configured or not."""

    providers: CommaList = Field(
        [], validation_alias="EMAIL_PROVIDERS", description="sendgrid, ses, smtp in the order in which they are tried"
    )
    sendgrid_api_key: SecretStr | None = Field(None, description="SendGrid's key, SG.…")
    sendgrid_from_email: str | None = Field(None, pattern=_SENDER, description="a sender that SendGrid has verified")
    sendgrid_from_name: str | None = Field(None, description="the name that people see as the sender")
    sendgrid_base_url: Url = Field("https://api.sendgrid.com", description="SendGrid's address")
    aws_ses_access_key_id: str | None = Field(None, description="an access key's id")
    aws_ses_secret_access_key: SecretStr | None = Field(None, description="the access key's secret")
    aws_ses_region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="such as us-east-1")
    aws_ses_from_email: str | None = Field(None, pattern=_SENDER, description="a sender that SES has verified")
    aws_endpoint_url_ses: Url | None = Field(None, description="another address of SES than Amazon's")
    smtp_host: str | None = Field(None, description="a host name")
    smtp_port: int = Field(587, ge=1, le=65535, description="a port from 1 to 65535")
    smtp_username: str | None = Field(None, description="the name to log in with")
    smtp_password: SecretStr | None = Field(None, description="the password to log in with")
    smtp_tls: Literal["starttls", "tls", "none"] = Field("starttls", description="starttls, tls or none")
    smtp_from_email: str | None = Field(None, pattern=_SENDER, description="the sender's address")

    @field_validator("providers")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        if set(names) - set(get_args(MailProvider)):
            raise refusal("unknown_provider")
        return names

    def sender(self, provider: MailProvider) -> str | None:
        """The address from which a provider sends; None if the provider isn't configured."""
        match provider:
            case "sendgrid":
                return self.sendgrid_from_email if self.sendgrid_api_key else None
            case "ses":
                key = self.aws_ses_access_key_id and self.aws_ses_secret_access_key
                return self.aws_ses_from_email if key else None
            case "smtp":
                return self.smtp_from_email if self.smtp_host else None
        assert_never(provider)

    @property
    def configured(self) -> tuple[MailProvider, ...]:
        """The providers that can be tried, in their order."""
        names = cast("tuple[MailProvider, ...]", tuple(self.providers) or get_args(MailProvider))
        return tuple(name for name in dict.fromkeys(names) if self.sender(name))


class PushSettings(Section):
    model_config = SettingsConfigDict(env_prefix="VAPID_")

    public_key: str | None = Field(None, pattern=r"^[\w-]{87}=?$", description="a public key; see `recado keys vapid`")
    private_key: SecretStr | None = Field(None, description="its private key; see `recado keys vapid`")
    subject: str | None = Field(
        None, description="mailto: and an e-mail address that reaches you, such as mailto:sistemas@empresa.mx"
    )
    allow_private: bool = Field(
        default=False,
        validation_alias="PUSH_ALLOW_PRIVATE",
        description="true or false: allow private addresses",
    )

    @field_validator("private_key")
    @classmethod
    def _scalar(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[\w-]{43}=?", value.get_secret_value()):
            raise refusal("no_private_key")
        return value

    @field_validator("subject")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        """Check for Apple, which answers 403 BadJwtToken else: https://github.com/web-push-libs/web-push/issues/947."""
        if value is None:
            return None
        found = _SUBJECT.fullmatch(value)
        if found is None:
            raise refusal("refused_sender")
        host = (found[1] or found[2]).casefold()
        if "." not in host or host.endswith(_NOWHERE) or host.replace(".", "").isdigit():
            raise refusal("unreachable_sender")
        return value

    @property
    def configured(self) -> bool:
        return bool(self.public_key and self.private_key and self.subject)


class StorageSettings(Section):
    """Amazon S3, Cloudflare R2, MinIO or a folder of this machine."""

    provider: StorageProvider | None = Field(
        None,
        validation_alias="STORAGE_PROVIDER",
        description="s3, r2, minio or local; left out, the one whose key is set, else local",
    )
    dir: Path = Field(
        Path("data/files"),
        validation_alias="STORAGE_DIR",
        description="the folder of files that are kept on this machine",
    )
    link_minutes: float = Field(
        60,
        gt=0,
        le=7 * 24 * 60,
        validation_alias="STORAGE_LINK_MINUTES",
        description="minutes that a link lives",
    )
    contact_mb_day: float = Field(
        100,
        gt=0,
        validation_alias="STORAGE_CONTACT_MB_DAY",
        description="megabytes of files that are kept of one person in 24 hours",
    )
    contact_mb: float = Field(
        500,
        gt=0,
        validation_alias="STORAGE_CONTACT_MB",
        description="megabytes of files that are kept of one person in all",
    )
    keep_days: float = Field(
        365,
        gt=0,
        validation_alias="STORAGE_KEEP_DAYS",
        description="days until a file is deleted",
    )
    aws_access_key_id: str | None = Field(None, description="an access key's id")
    aws_secret_access_key: SecretStr | None = Field(None, description="the access key's secret")
    aws_region: str = Field("us-east-1", description="such as us-east-1")
    aws_s3_bucket: str = Field("erp-core-files", description="the bucket's name")
    aws_endpoint_url_s3: Url | None = Field(None, description="another address of S3 than Amazon's")
    r2_access_key_id: str | None = Field(None, description="an R2 token's access key id")
    r2_secret_access_key: SecretStr | None = Field(None, description="its secret")
    r2_endpoint: Url | None = Field(None, description="https://<account>.r2.cloudflarestorage.com")
    r2_bucket: str | None = Field(None, description="the bucket's name")
    minio_endpoint: Url = Field("http://localhost:9000", description="MinIO's address")
    minio_access_key: str | None = Field(None, description="MinIO's access key")
    minio_secret_key: SecretStr | None = Field(None, description="its secret")
    minio_bucket: str | None = Field(None, description="the bucket's name")

    @property
    def chosen(self) -> StorageProvider:
        """The provider that is asked for, else the one whose key is set, else this machine's disk.

        What it lacks beside its key stops the start: files must not stay on a machine where nobody looks for them.
        """
        there: dict[StorageProvider, str | None] = {
            "s3": self.aws_access_key_id,
            "r2": self.r2_access_key_id,
            "minio": self.minio_access_key,
        }
        found: list[StorageProvider] = [name for name, key in there.items() if key]
        return self.provider or (*found, "local")[0]


def _addresses(values: list[str]) -> list[str]:
    return [web_address(value) for value in values]


class SubscriberSettings(Section):
    model_config = SettingsConfigDict(env_prefix="WEBHOOK_")

    subscribers: Annotated[CommaList, AfterValidator(_addresses)] = Field(
        [], description="addresses that get events, with commas"
    )
    secret: SecretStr | None = Field(None, description="the secret that signs events, whsec_ and base64")
    allow_private: bool = Field(default=False, description="true or false: allow private addresses")

    @field_validator("secret")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        """Check for the Standard Webhooks specification: a prefix, and the base64 of 24 to 64 bytes."""
        if value is None:
            return None
        text = value.get_secret_value()
        try:
            length = len(b64decode(f"{text.removeprefix('whsec_')}==")) if text.startswith("whsec_") else 0
        except ValueError as error:
            raise refusal("no_base64") from error
        if not 16 <= length <= 128:  # noqa: PLR2004 - wider than the specification, for secrets that exist
            raise refusal("no_signing_key")
        return value


class OidcSettings(Section):
    """The company's identity provider (OpenID Connect), with which operators may log in."""

    model_config = SettingsConfigDict(env_prefix="OIDC_")

    issuer: SecureUrl | None = Field(
        None, description="the provider's https:// address (issuer), such as https://accounts.google.com"
    )
    client_id: str | None = Field(None, description="the id that the provider gave to Recado")
    client_secret: SecretStr | None = Field(None, description="the secret that goes with that id")
    name: str = Field("", max_length=40, description="the provider's name on the login page, such as Google")

    @property
    def configured(self) -> bool:
        return bool(self.issuer and self.client_id and self.client_secret)

    @property
    def label(self) -> str:
        """The provider's name, or else its host."""
        return self.name or urlsplit(self.issuer or "").hostname or ""
