"""Causes of hand-offs: a code for programs, and words in both languages for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.messages.language import Language

Code = Literal[
    "asked", "several_customers", "budget", "several_proved", "belongs_to_another", "withheld_role", "late", "taken"
]

_TEXTS: dict[Code, dict[Language, str]] = {
    "asked": {"es": "{words}", "en": "{words}"},
    "several_customers": {
        "es": "este contacto tiene varias cuentas en Stripe",
        "en": "several Stripe customers have this contact",
    },
    "budget": {
        "es": "se gastó el presupuesto de hoy",
        "en": "the day's budget is spent: {whose}",
    },
    "several_proved": {
        "es": "comprobó su correo, pero hay varias cuentas de Stripe con él",
        "en": "A contact proved an e-mail address, but the address has several Stripe customers",
    },
    "belongs_to_another": {
        "es": "comprobó su correo, pero la cuenta de Stripe es de otro contacto; lo decide su metadata.whatsapp_id",
        "en": "A contact proved an e-mail address, but the Stripe customer belongs to another contact; its "
        "metadata.whatsapp_id decides whose it is",
    },
    "withheld_role": {
        "es": "su número está en STAFF_CONTACTS, pero antes fue de otra persona, así que no da permisos; si son la "
        "misma, pon ahí el BSUID que muestra `recado contacts export`",
        "en": "this contact's number is in STAFF_CONTACTS, but was another person's before, so it gives no role; if "
        "both are one person, put the BSUID there that `recado contacts export` shows",
    },
    "late": {
        "es": "llegó un mensaje con {hours} horas de retraso",
        "en": "a message came {hours} hours late",
    },
    "taken": {
        "es": "{name} tiene la conversación",
        "en": "{name} has the conversation",
    },
}


@dataclass(frozen=True, slots=True)
class HandOffCause:
    """`facts` fill the text of the code; a model's own words are the fact `words` of `asked`."""

    code: Code
    facts: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: Language) -> str:
        return _TEXTS[self.code][language].format_map(self.facts)

    def as_json(self) -> dict[str, Any]:
        """Fields of a live event: `reason` for logs and programs, `code`, and `words` by language."""
        words = {language: self.text(language) for language in _LANGUAGES}
        return {"reason": self.text("en"), "code": self.code, "words": words}


_LANGUAGES: tuple[Language, ...] = ("es", "en")
