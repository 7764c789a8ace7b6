"""Complaints about variables: a code with its values, and one table of sentences in Spanish and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from pydantic_core import PydanticCustomError

Spoken = Literal["es", "en"]

# Faults by their code. Those of pydantic have its own codes: https://docs.pydantic.dev/latest/errors/validation_errors/
PROBLEMS: dict[str, dict[Spoken, str]] = {
    # Missing
    "not_set": {"es": "falta", "en": "is not set"},
    "not_set_for_queue": {"es": "falta para la cola {queue}", "en": "is not set, and the queue {queue} needs it"},
    "not_set_for_storage": {
        "es": "falta para el almacén {storage}",
        "en": "is not set, and the storage {storage} needs it",
    },
    "not_set_for_login": {"es": "falta para entrar por OIDC_ISSUER", "en": "is not set, and OIDC_ISSUER needs it"},
    "not_set_for_events": {
        "es": "falta para WEBHOOK_SUBSCRIBERS",
        "en": "is not set, and WEBHOOK_SUBSCRIBERS needs it",
    },
    # Found by pydantic
    "int_parsing": {"es": "no es un número entero", "en": "should be a whole number"},
    "float_parsing": {"es": "no es un número", "en": "should be a number"},
    "decimal_parsing": {"es": "no es un número", "en": "should be a number"},
    "finite_number": {"es": "no es un número finito", "en": "should be a finite number"},
    "bool_parsing": {"es": "no es true ni false", "en": "should be true or false"},
    "greater_than": {"es": "debe ser mayor que {gt}", "en": "should be greater than {gt}"},
    "greater_than_equal": {"es": "debe ser {ge} o más", "en": "should be {ge} or more"},
    "less_than": {"es": "debe ser menor que {lt}", "en": "should be less than {lt}"},
    "less_than_equal": {"es": "debe ser {le} o menos", "en": "should be {le} or less"},
    "literal_error": {"es": "no es ninguna de sus opciones", "en": "is none of its options"},
    "string_pattern_mismatch": {"es": "no tiene la forma debida", "en": "does not have the right form"},
    "string_too_long": {
        "es": "pasa de {max_length} letras y signos",
        "en": "is longer than {max_length} characters",
    },
    "wrong": {"es": "no sirve", "en": "can't be used"},
    # Addresses
    "other_scheme": {"es": "no empieza con {schemes}", "en": "does not start with {schemes}"},
    "no_address": {"es": "no es una dirección", "en": "is not an address"},
    "cut_address": {
        "es": "no es una dirección; en un usuario o una contraseña escribe # como %23, / como %2F, ? como %3F y @ "
        "como %40",
        "en": "is not an address; in a user name or a password, write # as %23, / as %2F, ? as %3F and @ as %40",
    },
    "user_in_address": {
        "es": "lleva un usuario o una contraseña, que ahí no van",
        "en": "holds a user name or a password, which has no place in it",
    },
    "no_host_and_port": {"es": "no es servidor:puerto", "en": "not host:port"},
    "refused_sender": {
        "es": "no es mailto: con una dirección ni https://, sin espacios ni paréntesis: Apple no lo acepta",
        "en": "is neither mailto: and an address nor https://, without blanks and brackets: Apple refuses it",
    },
    "unreachable_sender": {
        "es": "nombra un servidor al que nadie llega: Apple no lo acepta",
        "en": "names a host that nobody can reach: Apple refuses it",
    },
    # Other values
    "no_contact": {
        "es": "tiene algo que no es un teléfono ni un BSUID",
        "en": "holds something else than a phone or a BSUID",
    },
    "unknown_provider": {"es": "tiene un proveedor que no existe", "en": "holds a provider that there is not"},
    "no_private_key": {"es": "no es el base64url de 32 bytes", "en": "is not the base64url of 32 bytes"},
    "no_base64": {"es": "no es base64 después de whsec_", "en": "is not base64 after whsec_"},
    "no_signing_key": {
        "es": "no es whsec_ y el base64 de una clave",
        "en": "is not whsec_ and the base64 of a key",
    },
    "no_time_zone": {"es": "no es una zona horaria de IANA", "en": "not an IANA time zone"},
    "no_currency": {"es": "no es una moneda de ISO 4217", "en": "not a currency of ISO 4217"},
    "unknown_queues": {"es": "no hay {queues}", "en": "there is no {queues}"},
    "no_queue": {"es": "no nombra ninguna cola", "en": "names no queue"},
    # Files
    "not_utf8": {"es": "no es UTF-8", "en": "is not UTF-8"},
    "unreadable": {"es": "no se puede leer: {why}", "en": "can't be read: {why}"},
    "unreadable_text": {"es": "no se puede leer: no es UTF-8", "en": "can't be read: it isn't UTF-8"},
    "large_file": {"es": "pasa de {most} bytes", "en": "is larger than {most} bytes"},
    "many_lines": {"es": "pasa de {most} líneas", "en": "has more than {most} lines"},
    "other_columns": {"es": "no tiene las columnas {columns}", "en": "lacks some of the columns {columns}"},
    "no_country": {
        "es": "línea {line}: {value} no es un país como MX, 52 o *",
        "en": "line {line}: {value} is no country such as MX, 52 or *",
    },
    "no_price": {"es": "línea {line}: {value} no es un precio en USD", "en": "line {line}: {value} is no price in USD"},
}
_LINE: dict[Spoken, str] = {
    "es": "{variable}: {problem}; se espera {expected}",
    "en": "{variable}: {problem}; expected {expected}",
}


def refusal(code: str, **values: Any) -> PydanticCustomError:
    """The error that a validator raises; it holds no value that may be a secret."""
    return PydanticCustomError(code, PROBLEMS[code]["en"], values)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Fault of one variable, and the value that is expected of it: in English, or in both languages."""

    variable: str
    code: str
    expected: str | Mapping[Spoken, str]
    values: Mapping[str, Any] = field(default_factory=dict)

    def said(self, language: Spoken) -> str:
        """The line without the value, because any variable may hold a secret by mistake."""
        problem = PROBLEMS.get(self.code, PROBLEMS["wrong"])[language].format_map(self.values)
        return _LINE[language].format(variable=self.variable, problem=problem, expected=self._expected(language))

    def _expected(self, language: Spoken) -> str:
        if not isinstance(self.expected, str):
            return self.expected[language]
        if language == "en":
            return self.expected
        # Because a process whose settings are right needs none of them, the Spanish words are loaded here.
        spanish: dict[str, str] = import_module("bot.settings.expected_in_spanish").EXPECTED
        return spanish.get(self.variable, self.expected)


class SettingsWrong(Exception):
    """Some variables are missing or wrong; its lines say one thing about one variable each, never a secret."""

    def __init__(self, complaints: list[Complaint]) -> None:
        self.complaints = complaints
        self.lines = self.said("en")
        super().__init__("\n".join(self.lines))

    def said(self, language: Spoken) -> list[str]:
        return [complaint.said(language) for complaint in self.complaints]
