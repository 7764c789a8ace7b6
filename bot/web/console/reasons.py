"""Why a field, a file or a template is refused, in both languages of the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.messages.language import Language


class Reason(NamedTuple):
    es: str
    en: str

    def within(self, **facts: Any) -> Reason:
        """The sentence with these facts in its braces."""
        return Reason(self.es.format(**facts), self.en.format(**facts))

    def said_in(self, language: Language) -> str:
        return self.es if language == "es" else self.en


OBJECT = Reason("se esperaba un objeto JSON", "expected a JSON object")
UNWRITABLE = Reason("tiene un signo que no es de Unicode", "it has a sign that is none of Unicode's characters")
UNKNOWN_FIELD = Reason("no hay un campo así", "there is no such field")
NO_FORM = Reason("se esperaba un formulario con un archivo", "expected a form with a file")
FORM_UNREADABLE = Reason("el formulario no se puede leer", "the form can't be read")
NO_FILE = Reason("falta el archivo", "the file is missing")
CURSOR = Reason("no es un cursor de esta lista", "the cursor is not one of this list")
NO_SUCH_DAY = Reason("no es un día de este negocio", "not a day of this business")
AFTER_END = Reason("está después de `to`", "it is after `to`")
MOST_DAYS = Reason("son {days} días como máximo", "at most {days} days")
SUBSCRIPTION = Reason("no es la suscripción de un navegador", "it is no browser's subscription")
OF_META = Reason("Meta la rechazó (error {code})", "Meta refused it (error {code})")

FILES: Mapping[str, Reason] = {
    "empty": Reason("está vacío", "it is empty"),
    "picture_large": Reason("una imagen puede medir {limit} MB", "a picture may have {limit} MB"),
    "recording_large": Reason("una grabación puede medir {limit} MB", "a recording may have {limit} MB"),
    "video_large": Reason(
        "un video puede medir {limit} MB; recórtalo, baja su resolución o manda un enlace",
        "a video may have {limit} MB; cut it, make it smaller, or send a link",
    ),
    "document_large": Reason("un documento puede medir {limit} MB aquí", "a document may have {limit} MB here"),
    "video_container": Reason(
        "WhatsApp sólo reproduce videos MP4 y 3GP; guárdalo como MP4 (H.264 y AAC) o manda un enlace",
        "WhatsApp plays only MP4 and 3GP videos; save it as MP4 (H.264 and AAC), or send a link",
    ),
    "video_broken": Reason(
        "el video está cortado o dañado; expórtalo de nuevo", "the video is cut off or damaged; export it anew"
    ),
    "video_codec": Reason(
        "WhatsApp sólo reproduce video H.264; conviértelo (en un iPhone: Cámara, Formatos, Más compatible)",
        "WhatsApp plays only H.264 video; convert it (on an iPhone: Camera, Formats, Most Compatible)",
    ),
    "video_sound": Reason(
        "WhatsApp sólo reproduce una pista de sonido AAC; conviértelo, o quítale el sonido",
        "WhatsApp plays only one AAC sound track; convert it, or take the sound out",
    ),
    "document_kind": Reason(
        "WhatsApp no acepta documentos de este tipo; mándalo como PDF",
        "WhatsApp takes no document of this kind; send it as PDF",
    ),
}

# Errors by pydantic's types, with the braces of their contexts.
_FIELDS: Mapping[str, Reason] = {
    "missing": Reason("falta", "it is missing"),
    "extra_forbidden": UNKNOWN_FIELD,
    "string_type": Reason("se esperaba un texto", "expected a text"),
    "string_too_short": Reason("al menos {min_length} signos", "at least {min_length} signs"),
    "string_too_long": Reason("{max_length} signos como máximo", "at most {max_length} signs"),
    "string_pattern_mismatch": Reason("tiene otra forma", "it has another form"),
    "string_unicode": UNWRITABLE,
    "bool_type": Reason("se esperaba verdadero o falso", "expected true or false"),
    "bool_parsing": Reason("se esperaba verdadero o falso", "expected true or false"),
    "int_type": Reason("se esperaba un número entero", "expected a whole number"),
    "int_parsing": Reason("se esperaba un número entero", "expected a whole number"),
    "int_parsing_size": Reason("el número es demasiado grande", "the number is too large"),
    "int_from_float": Reason("se esperaba un número entero", "expected a whole number"),
    "greater_than_equal": Reason("{ge} o más", "{ge} or more"),
    "less_than_equal": Reason("{le} o menos", "{le} or less"),
    "list_type": Reason("se esperaba una lista", "expected a list"),
    "dict_type": OBJECT,
    "too_long": Reason("{max_length} como máximo", "at most {max_length}"),
    "too_short": Reason("al menos {min_length}", "at least {min_length}"),
    "literal_error": Reason("se esperaba {expected}", "expected {expected}"),
    "date_from_datetime_parsing": Reason("se esperaba un día como 2026-12-01", "expected a day such as 2026-12-01"),
    "date_parsing": Reason("se esperaba un día como 2026-12-01", "expected a day such as 2026-12-01"),
    "date_type": Reason("se esperaba un día como 2026-12-01", "expected a day such as 2026-12-01"),
    "date_from_datetime_inexact": Reason("se esperaba un día, sin hora", "expected a day without a time"),
}
_OTHER = Reason("no es lo que se espera aquí", "it is not what is expected here")


class WrongValue(ValueError):
    """A rule of a body's own that a value breaks."""

    def __init__(self, es: str, en: str) -> None:
        super().__init__(en)
        self.reason = Reason(es, en)


def of_field(error: Mapping[str, Any]) -> Reason:
    """The reason of one of pydantic's errors."""
    context = error.get("ctx") or {}
    own = context.get("error")
    if isinstance(own, WrongValue):
        return own.reason
    found = _FIELDS.get(error["type"], _OTHER)
    return found.within(**{name: value for name, value in context.items() if isinstance(value, str | int | float)})
