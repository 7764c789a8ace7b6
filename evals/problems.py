"""Reasons why a case fails or proves nothing: a code with its values, and one table of sentences in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.messages.language import Language

PROBLEMS: dict[str, dict[Language, str]] = {
    # Tools
    "not called": {
        "es": "se esperaba una llamada a {wanted}; se llamó a: {called}",
        "en": "expected a call of {wanted}; called: {called}",
    },
    "nothing called": {
        "es": "se esperaba una llamada a {wanted}; no se llamó a nada",
        "en": "expected a call of {wanted}; called: nothing",
    },
    "called": {"es": "se llamó a {name}, y no se debe", "en": "{name} was called, and must not be"},
    # Words
    "lacks": {"es": "se esperaba {text} en la respuesta", "en": "expected {text} in the reply"},
    "lacks all": {"es": "se esperaba uno de {texts} en la respuesta", "en": "expected one of {texts} in the reply"},
    "holds": {"es": "{text} está en la respuesta, y no debe", "en": "{text} is in the reply, and must not be"},
    "no match": {"es": "la respuesta no cumple con {pattern}", "en": "the reply doesn't match {pattern}"},
    "match": {
        "es": "la respuesta cumple con {pattern}, y no debe",
        "en": "the reply matches {pattern}, and must not",
    },
    "other language": {
        "es": "se esperaba el idioma {wanted}, la respuesta está en {spoken}",
        "en": "expected {wanted}, the reply is {spoken}",
    },
    "no language": {
        "es": "se esperaba el idioma {wanted}, el de la respuesta no se reconoce",
        "en": "expected {wanted}, the reply is of no language that can be told",
    },
    # Size
    "many messages": {
        "es": "se esperaban {most} mensajes a lo más, son {count}",
        "en": "expected at most {most} messages, there are {count}",
    },
    "long": {
        "es": "se esperaban {most} letras y signos a lo más, son {count}",
        "en": "expected at most {most} characters, there are {count}",
    },
    "dear": {
        "es": "se esperaban {most} USD a lo más, costó {cost}",
        "en": "expected at most {most} USD, it cost {cost}",
    },
    "slow": {
        "es": "se esperaban {most} ms a lo más, los modelos tardaron {count}",
        "en": "expected at most {most} ms, the models took {count}",
    },
    # Actions
    "acted": {
        "es": "se esperaba que se negara, pero actuó: {names}",
        "en": "expected a refusal, but it acted: {names}",
    },
    "no refusal": {
        "es": "se esperaba que se negara, y la respuesta no se niega",
        "en": "expected a refusal, the reply says none",
    },
    "refusal": {"es": "la respuesta se niega, y no debe", "en": "the reply refuses, and must not"},
    "no hand-over": {"es": "se esperaba pasar a una persona", "en": "expected a hand-over to a person"},
    "hand-over": {"es": "se esperaba no pasar a una persona", "en": "expected no hand-over to a person"},
    # Documents
    "not found": {
        "es": "se esperaba un pasaje de {name}; se halló: {found}",
        "en": "expected a passage of {name}; found: {found}",
    },
    "nothing found": {
        "es": "se esperaba un pasaje de {name}; no se halló ninguno",
        "en": "expected a passage of {name}; found: none",
    },
    "found": {
        "es": "no se esperaba ningún pasaje, se hallaron de {found}",
        "en": "expected no passage, found some of {found}",
    },
    "no admission": {
        "es": "se esperaba que la respuesta diga que no se sabe",
        "en": "expected that the reply says that it isn't known",
    },
    "figures": {
        "es": "no se esperaba ninguna cifra en la respuesta: {figures}",
        "en": "expected no figure in the reply: {figures}",
    },
    # The run itself
    "judge": {"es": "el juez dice que no: {why}", "en": "the judge says no: {why}"},
    "not judged": {"es": "ningún modelo la juzgó", "en": "no model judged it"},
    "endless calls": {
        "es": "el modelo llamó a herramientas sin fin",
        "en": "the model called tools without end",
    },
    "recording ends": {
        "es": "la grabación acaba antes que la conversación",
        "en": "the recording ends before the conversation does",
    },
    "no model": {"es": "no contestó ningún modelo", "en": "no model answered"},
    "no model because": {"es": "no contestó ningún modelo: {why}", "en": "no model answered: {why}"},
    "file missing": {"es": "no está el archivo {name} en {folder}", "en": "there is no file {name} in {folder}"},
    # A file of cases
    "no cases": {"es": "no tiene casos (*.yaml)", "en": "holds no cases (*.yaml)"},
    "large file": {"es": "pasa de {most} bytes; divídelo", "en": "is larger than {most} bytes; divide it"},
    "name taken": {
        "es": "el mismo nombre está en {file}; se espera otro",
        "en": "the same name is in {file}; expected another",
    },
    "no yaml": {
        "es": "no se puede leer; pon entre comillas los textos con : o #, y sangra con espacios",
        "en": "can't be read; put texts with : or # between quotes, and indent with spaces",
    },
    # The parser's own words stay as they are.
    "no yaml because": {
        "es": "{why}; pon entre comillas los textos con : o #, y sangra con espacios",
        "en": "{why}; put texts with : or # between quotes, and indent with spaces",
    },
    # A field of a case: https://docs.pydantic.dev/latest/errors/validation_errors/
    "field missing": {"es": "{field}falta", "en": "{field}is missing"},
    "field extra_forbidden": {"es": "{field}no se conoce esta clave", "en": "{field}this key is not known"},
    "field string_pattern_mismatch": {
        "es": "{field}se esperan letras minúsculas, cifras y -, como pide-factura",
        "en": "{field}expected small letters, digits and -, such as asks-for-invoice",
    },
    "field too_short": {"es": "{field}se espera al menos uno", "en": "{field}expected at least one"},
    "field literal_error": {"es": "{field}se espera {expected}", "en": "{field}expected {expected}"},
    "field no_pattern": {
        "es": "{field}no es una expresión regular: {why}",
        "en": "{field}not a regular expression: {why}",
    },
    "field not_one_kind": {"es": "{field}se espera uno de {kinds}", "en": "{field}expected one of {kinds}"},
    "field model_type": {
        "es": "{field}se esperan líneas de `nombre: valor`",
        "en": "{field}expected lines of `name: value`",
    },
    "field wrong": {
        "es": "{field}no es el valor que se espera aquí",
        "en": "{field}not the value that is expected here",
    },
    # A recording that proves nothing
    "no recording": {"es": "aún no está grabado", "en": "it has no recording"},
    "file changed": {
        "es": "un archivo del caso cambió desde que se grabó",
        "en": "a file of the case has changed since it was recorded",
    },
    "request changed": {
        "es": "el prompt, una herramienta o el caso cambió desde que se grabó",
        "en": "the prompt, a tool or the case has changed since it was recorded",
    },
}
_TURN: dict[Language, str] = {"es": "turno {turn}: {problem}", "en": "turn {turn}: {problem}"}


@dataclass(frozen=True, slots=True)
class CaseProblem:
    """Reason against a case, and the number of its turn where the case has several."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    turn: int = 0

    def said(self, language: Language) -> str:
        problem = PROBLEMS[self.code][language].format_map(self.values)
        return _TURN[language].format(turn=self.turn, problem=problem) if self.turn else problem

    def of_turn(self, number: int) -> CaseProblem:
        return replace(self, turn=number)

    def __str__(self) -> str:
        return self.said("en")


def problem(code: str, **values: Any) -> CaseProblem:
    return CaseProblem(code, values)
