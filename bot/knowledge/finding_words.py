"""Reasons against files, and places in them, in the operator's language."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.knowledge.document import FileFinding
from bot.messages.language import Language

# Reasons against a file, and places in it, as the parts below say them.
_REASONS = (
    (r"unpacks to more than the limit", "ocupa más del límite al abrirlo"),
    (r"is damaged", "está dañado"),
    (r"holds no text", "no tiene texto"),
    (r"is locked with a password", "está cerrado con contraseña"),
    (r"is larger than the limit", "pasa del tamaño permitido"),
    (r"took too long to read", "tardó demasiado en leerse"),
    (r"isn't what its name says", "no es lo que dice su nombre"),
    (
        r"(\d+) passages: more than (\d+), so that PostgreSQL holds them and each question asks it",
        r"\1 pasajes: más de \2, así que PostgreSQL los guarda y cada pregunta lo consulta",
    ),
    (
        r"(\d+) passages: each worker holds them in about (\d+) MB and takes about (\d+) ms a question, because",
        r"\1 pasajes: cada worker los tiene en unos \2 MB y tarda unos \3 ms por pregunta, porque",
    ),
    (
        r"PostgreSQL with pgvector 0\.8 would hold them from (\d+) on",
        r"PostgreSQL con pgvector 0.8 los guardaría desde \1",
    ),
    (r"SQLite has no pgvector", "SQLite no tiene pgvector"),
    (r"this PostgreSQL has no pgvector", "este PostgreSQL no tiene pgvector"),
    (r"pgvector (\S+) is too old; 0\.8 is needed", r"pgvector \1 es muy viejo; hace falta 0.8"),
    (r"is left out: more than (\S+) passages in all", r"se queda fuera: más de \1 pasajes en total"),
    (
        r"more than (\S+) files; those behind (.+) are left out",
        r"más de \1 archivos; los que siguen a \2 se quedan fuera",
    ),
    (r"its name has signs that can't be shown; rename it", "su nombre tiene signos que no se pueden mostrar; cámbialo"),
    (r"is a link to a file outside of the folder", "es un enlace a un archivo fuera de la carpeta"),
    (r"a format that isn't read; there are", "un formato que no se lee; hay"),
    (r"can't be read\b", "no se puede leer"),
    (r"front matter without the line --- at its end", "cabecera sin la línea --- al final"),
    (r"front matter that no se puede leer", "cabecera que no se puede leer"),
    (r"front matter without lines of `name: value`", "cabecera sin líneas de `nombre: valor`"),
    (r"a question without an answer", "una pregunta sin respuesta"),
    (r"the answer has more than (\S+) characters", r"la respuesta tiene más de \1 letras"),
    (r"more than (\S+) questions", r"más de \1 preguntas"),
    (r"unknown key", "clave desconocida"),
    (r"(\w+) stands there twice", r"\1 está dos veces"),
    (
        r"its audience stands where nothing reads it; write it into the file NAME\.yml beside it",
        "dice para quién es donde nadie lo lee; escríbelo en el archivo NOMBRE.yml a su lado",
    ),
    (r"are its facts in (\S+)\? Name them (\S+)", r"¿sus datos están en \1? Llámalo \2"),
    (r"; is (.+) meant\?", r"; ¿quisiste decir \1?"),
    (r", and nothing reads it", ", y nadie la lee"),
    (r"expected words", "se esperan palabras"),
    (r"expected a date such as", "se espera una fecha como"),
    (r"expected (\w+) or (\w+)", r"se espera \1 o \2"),
    (r"row (\S+) and what follows is beyond the limit", r"de la fila \1 en adelante se pasa del límite"),
    (r"rows beyond the limit", "filas más allá del límite"),
    (r"behind row (\d+)", r"tras la fila \1"),
    (r"the text is longer than the limit", "el texto pasa del límite"),
    (r"its pages are pictures, and nothing reads them", "sus páginas son imágenes, y nada las lee"),
    (r"the engine fails on it", "el lector de fotos falla con él"),
    (r"\(nothing in it\)", "(no hay nada en él)"),
    (r"\(no text in it\)", "(no tiene texto)"),
    (r"\(a password is needed\)", "(hace falta una contraseña)"),
    (r"it has a password, or is of an Office before 2007", "tiene contraseña, o es de un Office anterior a 2007"),
    (r"its bytes are (.+), not (\w+)", r"sus bytes son \1, no \2"),
    (r"(\d+) bytes, (\d+) allowed", r"\1 bytes, caben \2"),
    (r"not a whole (\S+?)\)", r"no es un \1 completo)"),
    (r"there is no such folder; see", "no existe esa carpeta; mira"),
    (r"the endpoint of (\S+) failed", r"el servidor de \1 falló"),
    (r"the endpoint of (\S+) gave another number of vectors", r"el servidor de \1 dio otro número de vectores"),
    (r"the texts could not be compared", "los textos no se pudieron comparar"),
    (r"the database of the documents does not answer", "la base de datos de los documentos no contesta"),
    (r"the released documents are not in this database", "los documentos publicados no están en esta base de datos"),
    (r"\bexpected\b", "se espera"),
    (r"\bline (\d)", r"línea \1"),
    (r"\bpage (\d)", r"página \1"),
    (r"\brow (\d)", r"fila \1"),
    (r"\brows (\d)", r"filas \1"),
)


def reason_in(language: Language, reason: str) -> str:
    """A reason, or a place, in a language; its parts are found in the English one."""
    if language == "es":
        for english, spanish in _REASONS:
            reason = re.sub(english, spanish, reason)
    return reason


def finding_in(language: Language, finding: FileFinding) -> FileFinding:
    """The finding with its place and its problem in a language."""
    return replace(finding, place=reason_in(language, finding.place), problem=reason_in(language, finding.problem))
