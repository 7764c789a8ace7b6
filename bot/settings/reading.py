"""How a section is read from the environment and `.env`, and what is said of a wrong value."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class SettingsWrong(Exception):
    """Some variables are missing or wrong; `lines` says one thing about one variable each, never a secret."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def pieces(value: Any) -> Any:
    return [piece.strip() for piece in value.split(",") if piece.strip()] if isinstance(value, str) else value


def address(value: str, *schemes: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes:
        raise ValueError(f"does not start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    # A port that is no number is found out when it is asked for.
    if parts.scheme != "unix" and (not parts.hostname or any(sign.isspace() for sign in value) or parts.port == 0):
        raise ValueError("is not an address")
    return value


def web_address(value: str) -> str:
    return address(value, "https", "http").rstrip("/")


# App secrets have 32 characters, tokens and keys more.
_LONGEST_SHOWN = 20


CommaList = Annotated[list[str], NoDecode, BeforeValidator(pieces)]
Url = Annotated[str, AfterValidator(web_address)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

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


S = TypeVar("S", bound=Section)


def read(section: type[S], wrong: list[str]) -> S:
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
