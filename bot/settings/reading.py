"""Reading of a section from the environment and `.env`, and complaints about its wrong values."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.settings.complaints import Complaint, refusal

_NOT_UTF8 = Complaint(
    ".env",
    "not_utf8",
    {"es": "un archivo de texto guardado con la codificación UTF-8", "en": "a text file saved with the encoding UTF-8"},
)


def pieces(value: Any) -> Any:
    return [piece.strip() for piece in value.split(",") if piece.strip()] if isinstance(value, str) else value


def address(value: str, *schemes: str) -> str:
    """The address as it is. Errors say nothing of it: it may hold a password, whole or in pieces."""
    if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise refusal("other_scheme", schemes=", ".join(f"{scheme}://" for scheme in schemes))
    if value.startswith("unix://"):
        return value
    try:
        parts = urlsplit(value)
        # Reading the port raises for one that is no number.
        whole = bool(parts.hostname) and parts.port != 0 and not any(sign.isspace() for sign in value)
    except ValueError:
        # Without its cause, because the library's words quote pieces of the value.
        raise _no_address(value) from None
    # A password with one of the three ends the host's part early: all after it would be path, question or fragment.
    cut = parts.fragment or value.endswith("#") or (parts.scheme.startswith("redis") and _past_the_host(value))
    if not whole or cut:
        raise _no_address(value)
    return value


def _no_address(value: str) -> ValueError:
    return refusal("cut_address" if {"@", "#"} & set(value) else "no_address")


def _past_the_host(value: str) -> bool:
    rest = value.partition("://")[2]
    return "@" in rest[len(urlsplit(value).netloc) :]


def web_address(value: str) -> str:
    return address(value, "https", "http").rstrip("/")


def secure_address(value: str) -> str:
    """The address as it is: with TLS, or of this machine, and without user and password."""
    parts = urlsplit(address(value, "https", "http"))
    if "@" in parts.netloc:
        raise refusal("user_in_address")
    if parts.scheme != "https" and not _of_this_machine(parts.hostname or ""):
        raise refusal("other_scheme", schemes="https://")
    return value


def _of_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_user(value: str) -> str:
    """Refuse a password in an address that gets a key or is shown, because clients refuse it or show it."""
    if "@" in urlsplit(web_address(value)).netloc:
        raise refusal("user_in_address")
    return web_address(value)


def origin(url: str) -> str:
    """An address to show, without user, password, path and query."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


CommaList = Annotated[list[str], NoDecode, BeforeValidator(pieces)]
Url = Annotated[str, AfterValidator(_without_user)]
SecureUrl = Annotated[str, AfterValidator(secure_address)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Variables(PydanticBaseSettingsSource):
    """Texts of the environment and, below it, of `.env`.

    Because the library's own sources look into each field's type for JSON, which no field takes, they take most of
    the time of reading the settings.
    """

    def __init__(self, section: type[BaseSettings], found: Mapping[str, str | None]) -> None:
        super().__init__(section)
        self._found = found
        self._prefix = str(section.model_config.get("env_prefix", ""))

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        alias = field.validation_alias
        variable = str(alias or f"{self._prefix}{field_name}")
        return self._found.get(variable.lower()), variable if alias else field_name, False

    def __call__(self) -> dict[str, Any]:
        read = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {key: value for value, key, _ in read if value is not None}


class Section(BaseSettings):
    # Pydantic's own engine takes 2 MB for a pattern such as that of an e-mail address, in each process.
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, regex_engine="python-re"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library passes it, and no secret is a file
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        environment, file = cast("EnvSettingsSource", env_settings), cast("EnvSettingsSource", dotenv_settings)
        return init_settings, _Variables(settings_cls, {**file.env_vars, **environment.env_vars})

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A secret read from a file brings its line's end along, which no HTTP header may hold; blank is not set."""
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value != ""}


def variables(section: type[Section]) -> dict[str, str]:
    """The section's environment variables and the field that each one fills."""
    prefix = section.model_config.get("env_prefix", "")
    return {
        str(field.validation_alias or f"{prefix}{name}").upper(): name for name, field in section.model_fields.items()
    }


def found_variables(wrong: list[Complaint]) -> Mapping[str, str | None]:
    """Texts of the environment and, below it, of `.env`, by names in small letters."""
    environment = EnvSettingsSource(Section).env_vars
    try:
        return {**DotEnvSettingsSource(Section).env_vars, **environment}
    except UnicodeDecodeError:
        wrong.append(_NOT_UTF8)
        return environment


S = TypeVar("S", bound=Section)


def read(section: type[S], found: Mapping[str, str | None], wrong: list[Complaint]) -> S:
    try:
        # Of the variables that were found once for all sections.
        return section(_build_sources=((_Variables(section, found),), {}))
    except ValidationError as error:
        names = {name.lower(): variable for variable, name in variables(section).items()}
        for problem in error.errors():
            key = str(problem["loc"][0])
            variable = names.get(key.lower(), key.upper())
            wrong.append(Complaint(variable, problem["type"], expected_of(section, variable), problem.get("ctx", {})))
    return cast("S", section.model_construct())


def expected_of(section: type[Section], variable: str) -> str:
    """The value that is expected of a variable, in English."""
    return section.model_fields[variables(section)[variable]].description or ""
