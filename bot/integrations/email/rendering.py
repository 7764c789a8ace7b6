"""Renders an e-mail: subject, text and HTML, in the recipient's language, in the business's name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.integrations.dates import long_date
from bot.integrations.email.templates import EmailTemplate, Template
from bot.messages.language import Language

_FOLDER = Path(__file__).parent / "templates"
# Currencies without decimals (https://docs.stripe.com/currencies#zero-decimal), and those written with $ here.
_WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"}
)
_DOLLARS = frozenset({"MXN", "USD"})


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    subject: str
    text: str
    html: str


class EmailRenderer:
    """Templates are `<name>.<language>.txt`, whose first line is the subject, and `<name>.<language>.html`."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._environment = _environment(folder)

    def render(self, template: Template, content: EmailTemplate, language: Language, business: str) -> RenderedEmail:
        values = {name: getattr(content, name) for name in type(content).model_fields}
        values |= {"language": language, "business": business}
        subject, _, text = self._render(f"{template}.{language}.txt", values).strip().partition("\n")
        html = self._render(f"{template}.{language}.html", values | {"subject": subject})
        return RenderedEmail(" ".join(subject.split()), text.strip() + "\n", html)

    def _render(self, name: str, values: dict[str, object]) -> str:
        return self._environment.get_template(name).render(values)


@functools.cache
def _environment(folder: Path) -> ImmutableSandboxedEnvironment:
    """Cached, because compiling a template takes ten times as long as rendering it."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"day": long_date, "money": money, "duration": duration}
    return environment


def money(amount: Decimal, currency: str) -> str:
    """$1,899.00 MXN: in the format of Mexico and the United States, with the currency, since both write $."""
    digits = 0 if currency in _WHOLE else 2
    return f"{'$' if currency in _DOLLARS else ''}{amount:,.{digits}f} {currency}"


def duration(count: int, language: Language) -> str:
    """45 minutos, 1 hora, 2 días."""
    words = {"es": ("minuto", "hora", "día"), "en": ("minute", "hour", "day")}[language]
    for size, word in ((24 * 60, words[2]), (60, words[1])):
        if count % size == 0:
            return f"{count // size} {word}{'' if count == size else 's'}"
    return f"{count} {words[0]}{'' if count == 1 else 's'}"
