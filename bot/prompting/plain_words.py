"""Diagnostics of prompt files in plain words, for people who don't program: a title, and what to do."""

from __future__ import annotations

from bot.messages.language import Language


def explanation(code: str, about: str, instead: str, language: Language) -> str:
    """A line for a code: what is wrong, and what to do."""
    return f"{title(code, about, language)}. {hint(code, instead, language)}"


def title(code: str, about: str, language: Language) -> str:
    """A mistake's name, with the words in question."""
    words = _WORDS[code][language][0]
    return f"{words}: {about.strip()}" if about.strip() else words


def hint(code: str, instead: str, language: Language) -> str:
    """The remedy, with the name that was perhaps meant."""
    words = _WORDS[code][language][1]
    return f"{words} {_MEANT[language].format(name=instead)}" if instead else words


_MEANT: dict[Language, str] = {"es": "¿Quisiste decir «{name}»?", "en": "Did you mean “{name}”?"}
_WORDS: dict[str, dict[Language, tuple[str, str]]] = {
    "no-files": {
        "es": (
            "No hay archivos",
            "La carpeta de prompts está vacía. Devuélvele sus archivos.",
        ),
        "en": (
            "No files",
            "The folder of prompts is empty. Put its files back.",
        ),
    },
    "missing-file": {
        "es": (
            "Falta un archivo",
            "Falta un archivo que Recado necesita. Devuélvelo a la carpeta.",
        ),
        "en": (
            "A file is missing",
            "A file that Recado needs is missing. Put it back.",
        ),
    },
    "unreadable-file": {
        "es": (
            "No se puede leer",
            "Revisa que el archivo exista y que se pueda abrir.",
        ),
        "en": (
            "Can't be read",
            "See that the file is there and can be opened.",
        ),
    },
    "not-utf8": {
        "es": (
            "No está en UTF-8",
            "Guárdalo otra vez con la codificación UTF-8.",
        ),
        "en": (
            "Not in UTF-8",
            "Save it again in the encoding UTF-8.",
        ),
    },
    "too-large": {
        "es": (
            "Demasiado grande",
            "Acórtalo, o reparte el texto en varios archivos.",
        ),
        "en": (
            "Too large",
            "Shorten it, or spread the text over several files.",
        ),
    },
    "empty-prompt": {
        "es": (
            "Está vacío",
            "Escribe el texto, o borra el archivo.",
        ),
        "en": (
            "It is empty",
            "Write the text, or delete the file.",
        ),
    },
    "unclosed-front-matter": {
        "es": (
            "Falta el --- que cierra la cabecera",
            "Después de la cabecera va una línea con tres guiones: ---",
        ),
        "en": (
            "The --- that ends the head is missing",
            "Below the head stands a line of three hyphens: ---",
        ),
    },
    "broken-yaml": {
        "es": (
            "La cabecera está mal escrita",
            (
                "En cada línea de la cabecera va un nombre, dos puntos, un espacio y un valor. Si el valor lleva dos "
                "puntos, ponlo entre comillas. Usa espacios, no tabuladores."
            ),
        ),
        "en": (
            "The head is written wrong",
            (
                "Each line of the head is a name, a colon, a blank and a value. A value that holds a colon goes in "
                "quotes. Use blanks, no tabs."
            ),
        ),
    },
    "bad-field": {
        "es": (
            "Valor que no sirve en la cabecera",
            "Cambia el valor de esa línea por uno de los que se aceptan.",
        ),
        "en": (
            "A value in the head that can't be used",
            "Change the value of that line to one that is accepted.",
        ),
    },
    "unknown-field": {
        "es": (
            "Campo desconocido en la cabecera",
            "Revisa cómo se escribe ese nombre, o quita la línea.",
        ),
        "en": (
            "An unknown field in the head",
            "Check the spelling of that name, or remove the line.",
        ),
    },
    "bad-business": {
        "es": (
            "Datos del negocio mal escritos",
            "Revisa los datos del negocio: días, horas como 9:00-19:00 y fechas como 2026-12-25.",
        ),
        "en": (
            "The business is written wrong",
            "Check the business: days, hours such as 9:00-19:00 and dates such as 2026-12-25.",
        ),
    },
    "model-syntax": {
        "es": (
            "Modelo mal escrito",
            "Un modelo se escribe proveedor/nombre, por ejemplo anthropic/claude-3-haiku.",
        ),
        "en": (
            "A model written wrong",
            "A model is written provider/name, such as anthropic/claude-3-haiku.",
        ),
    },
    "unknown-model": {
        "es": (
            "Modelo desconocido",
            "Revisa cómo se escribe el modelo.",
        ),
        "en": (
            "Unknown model",
            "Check the spelling of the model.",
        ),
    },
    "unknown-tool": {
        "es": (
            "Herramienta que no existe",
            "Revisa cómo se escribe la herramienta, o quítala.",
        ),
        "en": (
            "No such tool",
            "Check the spelling of the tool, or remove it.",
        ),
    },
    "unknown-template": {
        "es": (
            "Plantilla que no existe",
            "Revisa cómo se escribe la plantilla, o quítala.",
        ),
        "en": (
            "No such template",
            "Check the spelling of the template, or remove it.",
        ),
    },
    "template-syntax": {
        "es": (
            "Llaves mal escritas",
            "Revisa las llaves de esa línea: {{ dato }} y {% … %} van completas.",
        ),
        "en": (
            "Braces written wrong",
            "Check the braces of that line: {{ value }} and {% … %} are whole.",
        ),
    },
    "unclosed-block": {
        "es": (
            "Bloque sin cerrar",
            "Al bloque le falta su final, por ejemplo {% endif %}.",
        ),
        "en": (
            "A block that is not closed",
            "The block lacks its end, such as {% endif %}.",
        ),
    },
    "not-allowed": {
        "es": (
            "No se permite aquí",
            "Quita esa parte: aquí sólo valen texto, datos y condiciones.",
        ),
        "en": (
            "Not allowed here",
            "Remove that part: only text, values and conditions are allowed here.",
        ),
    },
    "unknown-filter": {
        "es": (
            "Filtro que no existe",
            "Quita lo que va después de la barra |, o revisa cómo se escribe.",
        ),
        "en": (
            "No such filter",
            "Remove the word behind the bar |, or check its spelling.",
        ),
    },
    "unknown-variable": {
        "es": (
            "Dato que no existe",
            "Revisa cómo se escribe el dato entre llaves.",
        ),
        "en": (
            "No such value",
            "Check the spelling of the value between braces.",
        ),
    },
    "missing-variable": {
        "es": (
            "Falta un dato",
            "Declara ese dato en la cabecera, o quítalo del texto.",
        ),
        "en": (
            "A value is missing",
            "Declare that value in the head, or take it out of the text.",
        ),
    },
    "unused-variable": {
        "es": (
            "Dato declarado que no se usa",
            "Úsalo en el texto, o quítalo de la cabecera.",
        ),
        "en": (
            "A value that is not used",
            "Use it in the text, or take it out of the head.",
        ),
    },
    "unknown-include": {
        "es": (
            "Parcial que no existe",
            "Revisa el nombre del archivo que se incluye.",
        ),
        "en": (
            "No such partial",
            "Check the name of the included file.",
        ),
    },
    "circular-include": {
        "es": (
            "Parciales que se llaman en círculo",
            "Un archivo no puede incluirse a sí mismo, ni por medio de otro.",
        ),
        "en": (
            "Partials that include each other",
            "A file can't include itself, not through another either.",
        ),
    },
    "part-in-block": {
        "es": (
            "system:/user: dentro de un bloque",
            "Saca system: o user: del bloque.",
        ),
        "en": (
            "system:/user: inside a block",
            "Move system: or user: out of the block.",
        ),
    },
    "part-in-partial": {
        "es": (
            "system:/user: dentro de un parcial",
            "Saca system: o user: de este archivo.",
        ),
        "en": (
            "system:/user: inside a partial",
            "Move system: or user: out of this file.",
        ),
    },
    "can-not-render": {
        "es": (
            "No se puede armar",
            "Con los datos de prueba no se puede armar. Revisa esa línea.",
        ),
        "en": (
            "Can't be put together",
            "It can't be put together with the trial values. Check that line.",
        ),
    },
    "unknown-name": {
        "es": (
            "Nombre que no existe",
            "Revisa cómo se escribe ese nombre.",
        ),
        "en": (
            "No such name",
            "Check the spelling of that name.",
        ),
    },
    "secret-in-text": {
        "es": (
            "Una clave secreta en el texto",
            "Quita la clave del texto y cámbiala, porque ya se pudo ver.",
        ),
        "en": (
            "A secret key in the text",
            "Take the key out of the text and change it, because it may have been seen.",
        ),
    },
    "token-budget": {
        "es": (
            "Demasiado largo",
            "Acorta el texto, o sube el límite en la cabecera.",
        ),
        "en": (
            "Too long",
            "Shorten the text, or raise the limit in the head.",
        ),
    },
    "whatsapp-format": {
        "es": (
            "WhatsApp no dibuja este formato",
            "WhatsApp sólo conoce *negritas*, _cursivas_, listas con - y citas con >.",
        ),
        "en": (
            "WhatsApp doesn't draw this",
            "WhatsApp knows only *bold*, _italics_, lists with - and quotes with >.",
        ),
    },
    "language-missing": {
        "es": (
            "Falta un idioma",
            "Escribe también el texto del otro idioma.",
        ),
        "en": (
            "A language is missing",
            "Write the text of the other language too.",
        ),
    },
    "case-failed": {
        "es": (
            "Un caso de prueba falla",
            "Con este texto, un caso de prueba contesta otra cosa. Revisa el caso o el texto.",
        ),
        "en": (
            "A test case fails",
            "With this text a test case gets another answer. Check the case or the text.",
        ),
    },
    "case-stale": {
        "es": (
            "Un caso sin grabar de nuevo",
            "Graba otra vez ese caso: recado prompts eval --record.",
        ),
        "en": (
            "A case to be recorded anew",
            "Record that case again: recado prompts eval --record.",
        ),
    },
    "no-cases": {
        "es": (
            "No hay casos de prueba",
            "Escribe al menos un caso de prueba.",
        ),
        "en": (
            "There are no test cases",
            "Write at least one test case.",
        ),
    },
    "not-evaluated": {
        "es": (
            "No se pudo probar",
            "Los casos no se pudieron probar. Revisa el modelo y su clave.",
        ),
        "en": (
            "Could not be tried",
            "The cases could not be tried. Check the model and its key.",
        ),
    },
}
