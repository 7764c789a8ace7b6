"""Sentences of the commands in the operator's language: headings, questions, results, and errors with their remedy.

`recado prompts …`, `doctor` and `knowledge` have theirs beside them. `--format json` is the same in both.
"""

from __future__ import annotations

import errno

from bot.cli.language import Words, spoken_language
from bot.messages.language import Language

WORDS: Words = {
    # All commands
    "no question": {"es": "se espera una pregunta", "en": "expected a question"},
    "expected": {"es": "se espera {choices}", "en": "expected {choices}"},
    "text or json": {"es": "text o json", "en": "text or json"},
    "would be deleted": {"es": "se borraría: {found}", "en": "would be deleted: {found}"},
    "delete": {"es": "¿Borrarlo?", "en": "Delete it?"},
    "yes": {"es": "sí", "en": "yes"},
    "not deleted": {"es": "no se borró nada", "en": "nothing was deleted"},
    "not asked": {
        "es": "no se borró nada; sin terminal, di --yes",
        "en": "nothing was deleted; without a terminal, say --yes",
    },
    "redis away": {
        "es": "Redis no contesta ({error}); mira REDIS_URL",
        "en": "Redis does not answer ({error}); see REDIS_URL",
    },
    "database away": {
        "es": "la base de datos no contesta ({error}); mira DATABASE_URL",
        "en": "the database does not answer ({error}); see DATABASE_URL",
    },
    "not written": {"es": "no se puede escribir: {error}", "en": "can't be written: {error}"},
    "output not written": {"es": "no se puede escribir la salida: {why}", "en": "the output can't be written: {why}"},
    "not read": {"es": "no se puede leer: {error}", "en": "can't be read: {error}"},
    "outdated": {
        "es": "a la base de datos le faltan {missing} pasos de su esquema; corre `recado db upgrade`, y empieza otra "
        "vez",
        "en": "the database lacks {missing} steps of its schema; run `recado db upgrade`, then start again",
    },
    "cluster": {
        "es": "REDIS_URL lleva a un Redis Cluster, con el que Recado no trabaja; usa un primario, con réplicas si "
        "quieres, y cluster-enabled no",
        "en": "REDIS_URL leads to a Redis Cluster, which Recado does not support; use one primary, with replicas if "
        "you like, and cluster-enabled no",
    },
    "port taken": {
        "es": "otro programa tiene este puerto: di uno libre con --port, o `make run PORT=8081`",
        "en": "another program has this port: name a free one with --port, or `make run PORT=8081`",
    },
    # contacts
    "erased": {
        "es": "borrado: {keys} claves, {files} archivos, {jobs} trabajos, {rows} filas",
        "en": "erased: {keys} keys, {files} files, {jobs} jobs, {rows} rows",
    },
    "no marketing kept": {
        "es": "; se queda que no quería publicidad",
        "en": "; the wish for no marketing is kept",
    },
    "stored": {
        "es": "{whom}: {keys} claves, {files} archivos, {jobs} trabajos, {rows} filas",
        "en": "{whom}: {keys} keys, {files} files, {jobs} jobs, {rows} rows",
    },
    "some shown": {
        "es": "{shown} de {all}; verás más con --limit",
        "en": "{shown} of {all}; see more with --limit",
    },
    "nobody found": {"es": "nadie se conoce por eso", "en": "nobody is known by that"},
    "nobody yet": {"es": "todavía no ha escrito nadie", "en": "nobody has written yet"},
    "unknown": {
        "es": "no se sabe nada de este ID; se espera un teléfono con las cifras de su país, un BSUID o c_…; mira "
        "`recado contacts find`",
        "en": "nothing is known of this ID; expected a phone with its country's digits, a BSUID or c_…; see `recado "
        "contacts find`",
    },
    "files missing": {
        "es": "{count} archivos no están en este almacén: {places}; córrelo donde los procesos guardan los archivos "
        "(el mismo STORAGE_DIR en el mismo disco, o el mismo bucket); sólo si se perdieron para siempre: `recado "
        "contacts erase --files-lost`",
        "en": "{count} files are not in this storage: {places}; run it where the workers keep files (the same "
        "STORAGE_DIR on the same disk, or the same bucket); only if they are lost for good: `recado contacts erase "
        "--files-lost`",
    },
    "folder taken": {
        "es": "{folder} no está vacía, y nada se sobrescribe; nombra otra carpeta",
        "en": "{folder} isn't empty, and nothing is overwritten; name another folder",
    },
    "storage failed": {
        "es": "el almacén de archivos falló: {error}; mira `recado doctor`, y repítelo",
        "en": "the storage failed: {error}; see `recado doctor`, then do it again",
    },
    "busy": {
        "es": "alguien trabaja en esta conversación; repítelo en un minuto",
        "en": "somebody works on this conversation; do it again in a minute",
    },
    "database away again": {
        "es": "la base de datos no contesta ({error}); mira DATABASE_URL, y repítelo",
        "en": "the database does not answer ({error}); see DATABASE_URL, then do it again",
    },
    "conversation column": {"es": "conversación", "en": "conversation"},
    "last message column": {"es": "último msj. UTC", "en": "last message UTC"},
    "phone column": {"es": "teléfono o BSUID", "en": "phone or BSUID"},
    "name column": {"es": "nombre", "en": "name"},
    # queues
    "queue column": {"es": "cola", "en": "queue"},
    "waiting": {"es": "en espera", "en": "waiting"},
    "active": {"es": "en curso", "en": "active"},
    "delayed": {"es": "aplazados", "en": "delayed"},
    "completed": {"es": "hechos", "en": "completed"},
    "failed": {"es": "fallaron", "en": "failed"},
    "failed job": {
        "es": "{queue} {id} ({name}, {at}, {tries} intentos)",
        "en": "{queue} {id} ({name}, {at}, tried {tries} times)",
    },
    "set aside": {
        "es": "{conversation}: apartado {at}: {messages}",
        "en": "{conversation}: set aside {at}: {messages}",
    },
    "what to do": {
        "es": "Reintentar: recado queues retry ID, o --all. Olvidar: recado queues drop ID, o --all",
        "en": "Try again: recado queues retry ID, or --all. Forget: recado queues drop ID, or --all",
    },
    "nothing failed": {
        "es": "Nada falló, y no hay mensajes apartados.",
        "en": "Nothing failed, and no message is set aside.",
    },
    "no such failure": {
        "es": "nada que haya fallado o esté apartado se llama {which}; mira `recado queues`",
        "en": "nothing that failed or was set aside is called {which}; see `recado queues`",
    },
    "retried": {
        "es": "reintentado: {jobs} trabajos, {messages} mensajes",
        "en": "retried: {jobs} jobs, {messages} messages",
    },
    "dropped": {
        "es": "olvidado: {jobs} trabajos, {messages} mensajes",
        "en": "dropped: {jobs} jobs, {messages} messages",
    },
    "id or all": {"es": "se espera un id, o --all", "en": "expected an id, or --all"},
    "a job": {"es": "trabajo {id} de {queue} ({name})", "en": "job {id} of {queue} ({name})"},
    "messages of": {"es": "{count} mensajes de {conversation}", "en": "{count} messages of {conversation}"},
    "acted": {
        "es": "{conversation}: {tools} ya había actuado; escríbele al cliente, y después olvídalo",
        "en": "{conversation}: {tools} had acted already; write to the customer, then drop it",
    },
    # db
    "lacks": {
        "es": "a la base de datos le falta {steps}; corre `recado db upgrade`",
        "en": "the database lacks {steps}; run `recado db upgrade`",
    },
    "upgraded": {"es": "hecho: {steps}", "en": "done: {steps}"},
    "up to date": {"es": "al día", "en": "up to date"},
    "database not there": {
        "es": "la base de datos no contesta ({error}); mira DATABASE_URL, y que la base exista y su usuario pueda "
        "entrar",
        "en": "the database does not answer ({error}); see DATABASE_URL, and that the database is there and its user "
        "may log in",
    },
    # operators
    "no operator": {
        "es": "nadie tiene este correo; mira `recado operators list`",
        "en": "no operator has this address; see `recado operators list`",
    },
    "no operators": {"es": "nadie todavía: `recado operators add`", "en": "nobody yet: `recado operators add`"},
    "e-mail column": {"es": "correo", "en": "e-mail"},
    "role column": {"es": "rol", "en": "role"},
    "state column": {"es": "estado", "en": "state"},
    "disabled": {"es": "desactivado", "en": "disabled"},
    "no password": {"es": "aún sin contraseña", "en": "no password yet"},
    "is disabled": {"es": "{email} quedó desactivado", "en": "{email} is disabled"},
    "no public url": {
        "es": "falta PUBLIC_URL: pon la dirección de `recado serve` en lugar de http://localhost:8080",
        "en": "PUBLIC_URL is not set: put the address of `recado serve` in the place of http://localhost:8080",
    },
    "no console": {
        "es": "falta CONSOLE_TOKEN: sin él `recado serve` no tiene consola",
        "en": "CONSOLE_TOKEN is not set: without it `recado serve` has no console",
    },
    # products
    "xlsx on a terminal": {
        "es": "un xlsx no es texto para una terminal; escríbelo en un archivo: recado products export … > "
        "products.xlsx",
        "en": "an xlsx is no text for a terminal; write it to a file: recado products export … > products.xlsx",
    },
    # catalogue
    "reading rows": {"es": "Leyendo filas", "en": "Reading rows"},
    "cards missing": {
        "es": "{problem}; pueden faltar fichas confirmadas hace poco",
        "en": "{problem}; cards that were confirmed lately may be missing",
    },
    # keys
    "vapid subject": {"es": "y un correo que te llegue", "en": "and an address that reaches you"},
    # templates
    "fetching": {"es": "trayendo de Meta", "en": "fetching from Meta"},
    "handing in": {"es": "entregando a Meta", "en": "handing in to Meta"},
    "name=value": {"es": "se espera nombre=valor", "en": "expected name=value"},
    "sent": {"es": "mandada: {name}", "en": "sent: {name}"},
    "no waba": {
        "es": "WHATSAPP_WABA_ID: falta; se espera el id de la cuenta, de la página de configuración de la API de Meta",
        "en": "WHATSAPP_WABA_ID: is not set; expected the account's id, from Meta's API setup page",
    },
    "not at Meta": {"es": "AÚN NO ESTÁ EN META", "en": "NOT AT META YET"},
    "template column": {"es": "plantilla", "en": "template"},
    "template columns": {
        "es": "idioma estado  categoría  calidad  parámetros",
        "en": "lang   status  category  quality  parameters",
    },
    "no templates": {
        "es": "no hay plantillas: ni en Meta ni en TEMPLATES_DIR",
        "en": "no templates: neither at Meta nor in TEMPLATES_DIR",
    },
}


# Frequent reasons of the system, by its numbers; in English they are the system's own words.
_SYSTEM_REASONS = {
    errno.ENOENT: "no existe",
    errno.EACCES: "falta permiso",
    errno.EPERM: "falta permiso",
    errno.EISDIR: "es una carpeta",
    errno.ENOTDIR: "no es una carpeta",
    errno.EEXIST: "ya existe",
    errno.ENOSPC: "no queda espacio en el disco",
    errno.EROFS: "el disco es de sólo lectura",
    errno.EADDRINUSE: "la dirección ya está en uso",
    errno.EADDRNOTAVAIL: "la dirección no es de esta máquina",
}


def system_reason(error: OSError, language: Language | None = None) -> str:
    """The system's reason for an error, in the language of the command line where no other is given."""
    own = error.strerror or type(error).__name__
    return _SYSTEM_REASONS.get(error.errno or 0, own) if (language or spoken_language()) == "es" else own


def say(what: str, **values: object) -> str:
    """The sentence in the language of the command line."""
    return WORDS[what][spoken_language()].format(**values)
