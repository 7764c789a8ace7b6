"""Words for what is wrong with a shop's own file, for a person who is no programmer."""

from __future__ import annotations

from bot.catalogue.columns import RowRefused
from bot.catalogue.product import COLUMNS
from bot.messages.language import Language
from pipelines.spreadsheet import LONGEST_CELL, MOST_BYTES, MOST_COLUMNS, MOST_ROWS, TableRefused

_LIMITS = {
    "megabytes": str(MOST_BYTES // 1024**2),
    "rows": f"{MOST_ROWS:,}",
    "columns": str(MOST_COLUMNS),
    "characters": f"{LONGEST_CELL:,}",
    "known": ", ".join(COLUMNS),
}
_FIELDS: dict[str, dict[Language, str]] = {
    "sku": {"es": "la clave", "en": "the sku"},
    "name": {"es": "el nombre", "en": "the name"},
    "brand": {"es": "la marca", "en": "the brand"},
    "size": {"es": "el contenido", "en": "the size"},
    "price": {"es": "el precio", "en": "the price"},
    "stock": {"es": "la existencia", "en": "the stock"},
    "url": {"es": "el enlace", "en": "the url"},
    "image": {"es": "la imagen", "en": "the image"},
}
_TEXTS: dict[str, dict[Language, str]] = {
    # Files
    "large": {"es": "el archivo pasa de {megabytes} MB", "en": "the file is larger than {megabytes} MB"},
    "old_excel": {
        "es": "es un archivo viejo de Excel (.xls); guárdalo como .xlsx o CSV",
        "en": "this is an old Excel file (.xls); save it as .xlsx or CSV",
    },
    "many_rows": {"es": "el archivo tiene más de {rows} filas", "en": "the file has more than {rows} rows"},
    "many_products": {
        "es": "el archivo tiene más de 500,000 productos",
        "en": "the file has more than 500,000 products",
    },
    "no_table": {
        "es": "el archivo no es ni texto ni XLSX",
        "en": "the file is neither a text nor an XLSX",
    },
    "broken_csv": {
        "es": "el CSV no se puede leer; ¿quedaron comillas abiertas?",
        "en": "the file is no readable CSV; is a quotation mark left open?",
    },
    "unpacks": {"es": "el XLSX ocupa más de 1 GB al abrirlo", "en": "the XLSX unpacks to more than 1 GB"},
    "endless_cell": {
        "es": "el XLSX tiene una celda más larga que las que escribe una hoja de cálculo",
        "en": "the XLSX has a longer cell than any spreadsheet program writes",
    },
    "no_sheet": {"es": "el XLSX no tiene una hoja visible", "en": "the XLSX has no visible sheet"},
    "broken_xlsx": {
        "es": "el XLSX no se puede abrir; guárdalo otra vez con la hoja de cálculo",
        "en": "the XLSX can't be opened; save it again with a spreadsheet program",
    },
    "empty": {"es": "el archivo está vacío", "en": "the file is empty"},
    "no_columns": {
        "es": "la primera fila tiene que nombrar las columnas: nombre (name), y clave (sku) o código de barras "
        "(barcode); se conocen {known}",
        "en": "the first row has to name the columns: name (nombre), and sku (clave) or barcode (código de barras); "
        "known are {known}",
    },
    # Rows
    "many_columns": {"es": "tiene más de {columns} columnas", "en": "it has more than {columns} columns"},
    "long_cell": {
        "es": "una celda tiene más de {characters} caracteres",
        "en": "a cell has more than {characters} characters",
    },
    "no_name": {"es": "falta el nombre", "en": "the name is missing"},
    "no_sku": {
        "es": "falta la clave, y no hay código de barras en su lugar",
        "en": "the sku is missing, and there is no barcode in its place",
    },
    "long_text": {"es": "{field} pasa de {most} caracteres", "en": "{field} has more than {most} characters"},
    "out_of_range": {
        "es": "{field} {value} es menor que cero o mayor que {most}",
        "en": "{field} {value} is below zero or above {most}",
    },
    "no_number": {"es": "{field} {value} no es un número", "en": "{field} {value} is not a number"},
    "two_ways": {
        "es": "{field} {value} se puede leer de dos maneras; escríbelo sin puntos de millar",
        "en": "{field} {value} can be read in two ways; write it without thousands' points",
    },
    "no_currency": {
        "es": "la moneda {value} no es un código de tres letras, como MXN",
        "en": "the currency {value} is no code of three letters, such as MXN",
    },
    "rounded": {
        "es": "la hoja de cálculo redondeó el código de barras a {value}; da formato de texto a la columna",
        "en": "a spreadsheet has rounded the barcode to {value}; format the column as text",
    },
    "check_digit": {
        "es": "el dígito de control del código de barras {value} está mal; corrígelo o déjalo vacío",
        "en": "the check digit of the barcode {value} is wrong; correct it or leave it empty",
    },
    "strange_barcode": {
        "es": "el código de barras {value} tiene signos que no son letras ni dígitos",
        "en": "the barcode {value} has other signs than letters and digits",
    },
    "no_address": {
        "es": "{field} {value} no es una dirección que empiece con https://",
        "en": "{field} {value} is no address that begins with https://",
    },
    "repeated": {
        "es": "la clave {value} ya está en la fila {row}",
        "en": "the sku {value} stands in row {row} already",
    },
    # Results
    "row": {"es": "fila {row}: {reason}", "en": "row {row}: {reason}"},
    "more": {
        "es": "… y {count} filas más; --format json las dice todas",
        "en": "… and {count} rows more; --format json names all",
    },
    "done": {
        "es": "{new} nuevos, {changed} cambiados, {same} como estaban",
        "en": "{new} new, {changed} changed, {same} as before",
    },
    "removed": {"es": ", {removed} quitados", "en": ", {removed} removed"},
    "left_out": {"es": "; filas que no se tomaron: {count}", "en": "; rows left out: {count}"},
    "none_taken": {"es": "no se tomó ningún producto", "en": "no product was taken"},
    "not_replaced": {
        "es": "no se cambió nada: --replace necesita un archivo sin filas malas",
        "en": "nothing was changed: --replace needs a file without bad rows",
    },
}


def text_of(name: str, language: Language, **values: object) -> str:
    """Our words with their values."""
    return _TEXTS[name][language].format(**_LIMITS, **values)


def refusal_text(refused: RowRefused | TableRefused, language: Language) -> str:
    """The reason why a row or a file isn't taken."""
    if isinstance(refused, TableRefused):
        return text_of(refused.problem, language)
    field = _FIELDS[refused.field][language] if refused.field else ""
    return text_of(refused.problem, language, field=field, **refused.values)
