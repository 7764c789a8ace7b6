"""Mistakes of a field, in the words of the person who made them: what the checks of a body find, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Words = tuple[str, str]

UNWRITABLE: Words = ("tiene un signo que no es de Unicode", "it has a sign that is none of Unicode's characters")
NO_OBJECT: Words = ("se espera un objeto JSON", "expected a JSON object")
NO_CURSOR: Words = ("el cursor no es de esta lista", "the cursor is not one of this list")
NO_FORM: Words = ("se espera un formulario con un archivo", "expected a form with a file")
BROKEN_FORM: Words = ("el formulario no se puede leer", "the form can't be read")
NO_FILE: Words = ("falta el archivo", "the file is missing")
NO_FIELD: Words = ("no existe ese campo", "there is no such field")
NO_DAY: Words = ("no es un día de este negocio", "not a day of this business")
AFTER_END: Words = ("es posterior a `to`", "it is after `to`")

# Kinds of pydantic, and our own kinds of bodies; the facts in braces are pydantic's.
_KINDS: dict[str, Words] = {
    "missing": ("falta", "it is missing"),
    "extra_forbidden": ("no existe ese campo", "there is no such field"),
    "string_type": ("se espera un texto", "expected a text"),
    "string_unicode": UNWRITABLE,
    "string_too_short": ("necesita al menos {min_length} signos", "it needs at least {min_length} signs"),
    "string_too_long": ("puede tener hasta {max_length} signos", "it may have up to {max_length} signs"),
    "string_pattern_mismatch": ("tiene signos que no se permiten", "it has signs that are not allowed"),
    "too_short": ("necesita al menos {min_length} elementos", "it needs at least {min_length} items"),
    "too_long": ("puede tener hasta {max_length} elementos", "it may have up to {max_length} items"),
    "int_type": ("se espera un número entero", "expected a whole number"),
    "int_parsing": ("se espera un número entero", "expected a whole number"),
    "int_parsing_size": ("el número es demasiado grande", "the number is too large"),
    "int_from_float": ("se espera un número entero", "expected a whole number"),
    "greater_than_equal": ("se espera {ge} o más", "expected {ge} or more"),
    "less_than_equal": ("se espera {le} o menos", "expected {le} or less"),
    "bool_type": ("se espera true o false", "expected true or false"),
    "bool_parsing": ("se espera true o false", "expected true or false"),
    "list_type": ("se espera una lista", "expected a list"),
    "dict_type": ("se espera un objeto", "expected an object"),
    "model_type": ("se espera un objeto", "expected an object"),
    "literal_error": ("se espera {expected}", "expected {expected}"),
    "date_type": ("se espera un día como 2026-12-01", "expected a day such as 2026-12-01"),
    "date_parsing": ("se espera un día como 2026-12-01", "expected a day such as 2026-12-01"),
    "date_from_datetime_parsing": ("se espera un día como 2026-12-01", "expected a day such as 2026-12-01"),
    "date_from_datetime_inexact": ("se espera un día como 2026-12-01", "expected a day such as 2026-12-01"),
    "text_or_template": ("se espera text o template, uno de los dos", "expected either text or template"),
    "text_empty": ("el texto está vacío", "the text is empty"),
    "buttons_alone": ("los botones necesitan un texto, y sin reply_to", "buttons need a text, and no reply_to"),
    "buttons_alike": ("dos botones tienen el mismo título", "two buttons have the same title"),
    "title_long": ("un título tiene hasta {most} signos", "a title has up to {most} signs"),
}
_OTHER: Words = ("no es lo que se espera aquí", "it is not what is expected here")


def words_of(kind: str, facts: Mapping[str, Any]) -> Words:
    """The mistake of this kind of pydantic, with its facts."""
    spanish, english = _KINDS.get(kind, _OTHER)
    alternatives = str(facts.get("expected", ""))
    in_spanish = facts if not alternatives else {**facts, "expected": alternatives.replace(" or ", " o ")}
    return spanish.format(**in_spanish), english.format(**facts)
