"""Sentences of `recado doctor` about requests, Redis, the database, documents and files."""

from __future__ import annotations

from bot.cli.language import Words

INFRASTRUCTURE_WORDS: Words = {
    # Requests
    "a page": {"es": "HTTP {status} con una página web, no la API", "en": "HTTP {status} with a web page, not the API"},
    "status": {"es": "HTTP {status}", "en": "HTTP {status}"},
    "no connection": {"es": "sin conexión ({error})", "en": "no connection ({error})"},
    "no request": {
        "es": "de su dirección y su clave no sale una petición; la dirección no debe llevar usuario ni contraseña",
        "en": "no request can be made of its address and key; the address may hold no user name or password",
    },
    "not looked at": {
        "es": "no se pudo revisar ({error}); mira sus variables en .env.example, primero su dirección: ahí no van "
        "usuario ni contraseña",
        "en": "could not be looked at ({error}); see its variables in .env.example, first its address: no user name "
        "or password belongs there",
    },
    "and it": {"es": "; y ", "en": "; and it "},
    # Redis
    "redis away": {
        "es": "no contesta o no se puede escribir ({error}); mira REDIS_URL, o REDIS_HOST, REDIS_PORT, REDIS_PASSWORD "
        "y REDIS_TLS",
        "en": "does not answer or can't be written ({error}); see REDIS_URL, or REDIS_HOST, REDIS_PORT, "
        "REDIS_PASSWORD and REDIS_TLS",
    },
    "redis answers": {
        "es": "versión {version}, contesta y se puede escribir; {durable}",
        "en": "version {version}, answers and can be written; {durable}",
    },
    "is a cluster": {
        "es": "es un Redis Cluster, con el que Recado no trabaja; usa un primario, con réplicas si quieres",
        "en": "is a Redis Cluster, which Recado does not support; use one primary, with replicas if you like",
    },
    "is a replica": {
        "es": "es una réplica, que no acepta escrituras; pon el primario en REDIS_URL",
        "en": "is a replica, which takes no writes; name the primary in REDIS_URL",
    },
    "forgets": {
        "es": "olvida cuando le falta memoria (maxmemory-policy {policy}); pon noeviction",
        "en": "forgets under pressure (maxmemory-policy {policy}); set it to noeviction",
    },
    "not replicated": {
        "es": "{why}, y los webhooks reciben 503; agrega réplicas o baja REDIS_WAIT_REPLICAS",
        "en": "{why}, so that webhooks get 503; add replicas, or lower REDIS_WAIT_REPLICAS",
    },
    "no wait": {"es": "no acepta WAIT o INFO ({error})", "en": "does not take WAIT or INFO ({error})"},
    "loses what is new": {
        "es": "pierde lo nuevo si reinicia; pon appendonly en yes, o espera a réplicas",
        "en": "loses what is new when it restarts; set appendonly to yes, or wait for replicas",
    },
    "replicas": {
        "es": "{followers} réplicas, se espera a {wanted}",
        "en": "{followers} replicas, {wanted} of them waited for",
    },
    "no replica": {"es": "sin réplicas", "en": "no replica"},
    "no file": {"es": "sin archivo de escrituras (AOF); {replicas}", "en": "no append-only file; {replicas}"},
    "file": {"es": "archivo de escrituras (AOF: {fsync}); {replicas}", "en": "append-only file ({fsync}); {replicas}"},
    "fsync always": {
        "es": "cada escritura está en el disco antes de confirmarse",
        "en": "each write is on the disk before it is acknowledged",
    },
    "fsync everysec": {
        "es": "si la máquina muere se pierde el último segundo; appendfsync always lo conserva",
        "en": "a machine that dies loses the last second; appendfsync always keeps it",
    },
    "fsync no": {
        "es": "si la máquina muere se pierde lo que su sistema aún no escribió; appendfsync always lo conserva",
        "en": "a machine that dies loses what its system has not written yet; appendfsync always keeps it",
    },
    "fsync not told": {"es": "no dice su appendfsync", "en": "its appendfsync is not told"},
    # Database
    "made at first use": {
        "es": "SQLite; {file} se crea al primer arranque",
        "en": "SQLite; {file} is made at the first start",
    },
    "database away": {
        "es": "{kind} no contesta ({why}); mira DATABASE_URL, y que la base exista y su usuario pueda entrar",
        "en": "{kind} does not answer ({why}); see DATABASE_URL, and that the database is there and its user may log "
        "in",
    },
    "database lacks": {
        "es": "a {kind} le faltan {steps} pasos de su esquema; corre `recado db upgrade`",
        "en": "{kind} lacks {steps} steps of its schema; run `recado db upgrade`",
    },
    "history waits": {
        "es": "{waiting} entradas del historial esperan a {kind}; mira que corra un worker, y su registro",
        "en": "{waiting} entries of the history wait for {kind}; see that a worker runs, and its log",
    },
    "schema later": {
        "es": "{kind} contesta, su esquema se pone al día en el próximo arranque",
        "en": "{kind} answers, its schema is brought up to date at the next start",
    },
    "schema current": {
        "es": "{kind} contesta, su esquema está al día",
        "en": "{kind} answers, its schema is up to date",
    },
    # Documents
    "no documents": {
        "es": "nada sincronizado; pon archivos en KNOWLEDGE_DIR, y `recado knowledge sync`",
        "en": "nothing synced; put files into KNOWLEDGE_DIR, then `recado knowledge sync`",
    },
    "documents large": {
        "es": "{documents} documentos sincronizados; {about}",
        "en": "{documents} documents synced; {about}",
    },
    "documents synced": {"es": "{documents} documentos sincronizados", "en": "{documents} documents synced"},
    "left out": {
        "es": "{documents} documentos sincronizados, {count} archivos fuera: {files}; mira `recado knowledge check`",
        "en": "{documents} documents synced, {count} files left out: {files}; see `recado knowledge check`",
    },
    # Storage
    "see the disk": {"es": "mira STORAGE_DIR y su disco", "en": "see STORAGE_DIR and its disk"},
    "see its variables": {
        "es": "mira las variables de {chosen} en .env.example",
        "en": "see the variables of {chosen} in .env.example",
    },
    "storage": {"es": "{chosen}: {why}; {fix}", "en": "{chosen}: {why}; {fix}"},
    "not read back": {"es": "un archivo escrito no se pudo leer", "en": "a file that was written could not be read"},
    "came back changed": {"es": "un archivo regresó cambiado", "en": "a file came back changed"},
    "files lost": {
        "es": "{chosen}: de {sampled} archivos que tienen las personas, {lost} no están aquí; serve, worker y los "
        "comandos necesitan un mismo almacén: {fix}",
        "en": "{chosen}: of {sampled} files that people have, {lost} are not here; serve, worker and commands need "
        "one storage: {fix}",
    },
    "storage whole": {"es": "{chosen}, se puede escribir", "en": "{chosen}, can be written"},
    "storage without links": {
        "es": "{chosen}, se puede escribir; para enlaces pon PUBLIC_URL",
        "en": "{chosen}, can be written; for links set PUBLIC_URL",
    },
}
