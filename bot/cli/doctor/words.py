"""Sentences of `recado doctor` in both languages: results, problems and their remedies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.cli.language import Words
from bot.messages.language import Language
from bot.settings import SettingsWrong

# A sentence in both languages.
Said = dict[Language, str]

WORDS: Words = {
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
    # WhatsApp
    "no whatsapp": {
        "es": "pon WHATSAPP_ACCESS_TOKEN y WHATSAPP_PHONE_NUMBER_ID",
        "en": "set WHATSAPP_ACCESS_TOKEN and WHATSAPP_PHONE_NUMBER_ID",
    },
    "meta away": {
        "es": "{error}; mira la red y WHATSAPP_API_BASE_URL",
        "en": "{error}; see the network and WHATSAPP_API_BASE_URL",
    },
    "meta refuses": {"es": "{error}; {fix}", "en": "{error}; {fix}"},
    "make a token": {
        "es": "haz un token de un usuario del sistema con whatsapp_business_messaging",
        "en": "make a token of a system user with whatsapp_business_messaging",
    },
    "see the id": {"es": "mira el id del número", "en": "see the number's id"},
    "number": {"es": "número {number} ({name})", "en": "number {number} ({name})"},
    "no secret": {
        "es": "pon WHATSAPP_APP_SECRET; sin él `serve` no arranca",
        "en": "set WHATSAPP_APP_SECRET; `serve` does not start without it",
    },
    "no verify token": {
        "es": "Meta no puede verificar la URL del webhook; pon WHATSAPP_WEBHOOK_VERIFY_TOKEN",
        "en": "Meta can't verify the callback URL; set WHATSAPP_WEBHOOK_VERIFY_TOKEN",
    },
    "webhook whole": {
        "es": "{secrets} secreto(s) de la app y un token de verificación",
        "en": "{secrets} app secret(s) and a verify token",
    },
    "paused": {
        "es": "en pausa, las respuestas esperan: {why}; sigue por sí solo",
        "en": "paused, replies wait: {why}; it resumes by itself",
    },
    "may not send": {
        "es": "{error}; mira el estado del número en el WhatsApp Manager de Meta",
        "en": "{error}; see the number's state in Meta's WhatsApp Manager",
    },
    "not subscribed": {
        "es": "ninguna app está suscrita a la cuenta, así que no llegan mensajes; suscribe la app: POST /{{WABA "
        "id}}/subscribed_apps",
        "en": "no app is subscribed to the account, so no message arrives; subscribe the app: POST /{{WABA "
        "id}}/subscribed_apps",
    },
    "may send": {"es": "sin pausa, el número puede mandar", "en": "not paused, the number may send"},
    "may send, unknown": {
        "es": "sin pausa, el número puede mandar; pon WHATSAPP_WABA_ID para ver también si la app está suscrita",
        "en": "not paused, the number may send; set WHATSAPP_WABA_ID to see whether the app is subscribed too",
    },
    # Models
    "no openrouter": {
        "es": "pon OPENROUTER_API_KEY; sin ella la cola llm no trabaja",
        "en": "set OPENROUTER_API_KEY; the queue llm does not work without it",
    },
    "openrouter wrong": {
        "es": "{problem}; mira OPENROUTER_API_KEY y LLM_BASE_URL",
        "en": "{problem}; see OPENROUTER_API_KEY and LLM_BASE_URL",
    },
    "models": {"es": "modelos {models}", "en": "models {models}"},
    "no whisper": {
        "es": "las notas de voz no se pueden oír; pon OPENAI_API_KEY",
        "en": "voice notes can't be heard; set OPENAI_API_KEY",
    },
    "whisper wrong": {
        "es": "{problem}; mira OPENAI_API_KEY y OPENAI_BASE_URL",
        "en": "{problem}; see OPENAI_API_KEY and OPENAI_BASE_URL",
    },
    "whisper answers": {"es": "contesta; modelo {model}", "en": "answers; model {model}"},
    "local engine": {
        "es": "las fotos se leen en esta máquina; para Google Vision pon GOOGLE_APPLICATION_CREDENTIALS",
        "en": "the local engine reads photos; for Google Vision set GOOGLE_APPLICATION_CREDENTIALS",
    },
    "no engine": {
        "es": "las fotos no se pueden leer: instala el extra recado[ocr]; para Google Vision pon "
        "GOOGLE_APPLICATION_CREDENTIALS",
        "en": "photos can't be read: install the extra recado[ocr]; for Google Vision set "
        "GOOGLE_APPLICATION_CREDENTIALS",
    },
    "no credentials": {
        "es": "{file} no es un archivo; mira GOOGLE_APPLICATION_CREDENTIALS",
        "en": "{file} is not a file; see GOOGLE_APPLICATION_CREDENTIALS",
    },
    "vision away": {
        "es": "sin conexión con {host}:{port}; mira GOOGLE_VISION_ENDPOINT",
        "en": "no connection to {host}:{port}; see GOOGLE_VISION_ENDPOINT",
    },
    "vision answers": {
        "es": "Google Vision en {host}:{port} se alcanza",
        "en": "Google Vision at {host}:{port} can be reached",
    },
    "ffmpeg": {"es": "ffmpeg: {program}", "en": "ffmpeg: {program}"},
    # Stripe
    "stripe events refused": {
        "es": "sus eventos se rechazan, porque nadie podría atenderlos; pon STRIPE_SECRET_KEY",
        "en": "its events are refused, because nobody could work on them; set STRIPE_SECRET_KEY",
    },
    "no billing": {"es": "no hay cobros; pon STRIPE_SECRET_KEY", "en": "there is no billing; set STRIPE_SECRET_KEY"},
    "stripe key": {
        "es": "{error}; mira STRIPE_SECRET_KEY: una clave secreta, o una restringida que pueda leer clientes",
        "en": "{error}; see STRIPE_SECRET_KEY: a secret key, or a restricted one that may read customers",
    },
    "stripe away": {
        "es": "{error}; mira la red y STRIPE_API_BASE",
        "en": "{error}; see the network and STRIPE_API_BASE",
    },
    "no stripe events": {
        "es": "acepta la clave, pero sus eventos no llegan; haz un endpoint para /webhooks/stripe y pon "
        "STRIPE_WEBHOOK_SECRET",
        "en": "takes the key, but its events don't arrive; make an endpoint for /webhooks/stripe and set "
        "STRIPE_WEBHOOK_SECRET",
    },
    "stripe whole": {
        "es": "acepta la clave ({mode}), y {secrets} secreto(s) del webhook",
        "en": "takes the key ({mode}), and {secrets} webhook secret(s)",
    },
    "live mode": {"es": "modo real", "en": "live mode"},
    "test mode": {"es": "modo de prueba", "en": "test mode"},
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
    # Subscribers, notifications, e-mail
    "no subscribers": {
        "es": "nadie recibe eventos; pon WEBHOOK_SUBSCRIBERS y WEBHOOK_SECRET",
        "en": "nobody gets events; set WEBHOOK_SUBSCRIBERS and WEBHOOK_SECRET",
    },
    "no webhook secret": {
        "es": "los eventos no se pueden firmar; pon WEBHOOK_SECRET con whsec_ y base64",
        "en": "events can't be signed; set WEBHOOK_SECRET to whsec_ and base64",
    },
    "subscriber away": {"es": "{host}: {error}", "en": "{host}: {error}"},
    "subscriber private": {
        "es": "{host}: {error}; permítelo con WEBHOOK_ALLOW_PRIVATE",
        "en": "{host}: {error}; allow it with WEBHOOK_ALLOW_PRIVATE",
    },
    "subscribers wrong": {"es": "{problems}; mira WEBHOOK_SUBSCRIBERS", "en": "{problems}; see WEBHOOK_SUBSCRIBERS"},
    "subscribers whole": {
        "es": "{count} se alcanzan, los eventos van firmados",
        "en": "{count} can be reached, events are signed",
    },
    "no push": {
        "es": "no hay avisos en el navegador; haz claves con `recado keys vapid`",
        "en": "no notifications in browsers; make keys with `recado keys vapid`",
    },
    "no push subject": {
        "es": "los servicios de avisos quieren saber a quién escribir; pon VAPID_SUBJECT=mailto:…",
        "en": "push services want to know whom to write to; set VAPID_SUBJECT=mailto:…",
    },
    "push without address": {
        "es": "claves de un mismo par; el asistente no invita a nadie hasta que haya PUBLIC_URL",
        "en": "keys of one pair; the assistant invites nobody until PUBLIC_URL is set",
    },
    "push without https": {
        "es": "los navegadores sólo se suscriben en direcciones https; mira PUBLIC_URL",
        "en": "browsers subscribe only at https addresses; see PUBLIC_URL",
    },
    "push whole": {
        "es": "claves de un mismo par, se invita a las personas a {address}",
        "en": "keys of one pair, people are invited to {address}",
    },
    "no e-mail": {
        "es": "no sale ningún correo; pon SENDGRID_API_KEY y SENDGRID_FROM_EMAIL, o AWS_SES_…, o SMTP_HOST y "
        "SMTP_FROM_EMAIL",
        "en": "no e-mail leaves; set SENDGRID_API_KEY and SENDGRID_FROM_EMAIL, or AWS_SES_…, or SMTP_HOST and "
        "SMTP_FROM_EMAIL",
    },
    # Prompts, console, people, metrics
    "prompts wrong": {
        "es": "{first}; y {more} más, mira `recado prompts check`",
        "en": "{first}; and {more} more, see `recado prompts check`",
    },
    "folder is": {
        "es": "la carpeta es la versión {release}, para {business}",
        "en": "the folder is release {release}, for {business}",
    },
    "customers get": {
        "es": "los clientes reciben la versión {release}, mira `recado prompts diff`",
        "en": "customers get release {release}, see `recado prompts diff`",
    },
    "some get": {
        "es": "{percent} % de ellos reciben {release}, mira `recado prompts canary`",
        "en": "{percent} % of them get {release}, see `recado prompts canary`",
    },
    "no console": {"es": "no hay consola; pon CONSOLE_TOKEN", "en": "there is no console; set CONSOLE_TOKEN"},
    "behind": {"es": "tras {name}", "en": "behind {name}"},
    "behind short": {
        "es": "tras {name}, que es tan corto que se puede adivinar; haz otro: openssl rand -base64 24",
        "en": "behind {name}, which is short enough to be guessed; make another: openssl rand -base64 24",
    },
    "metrics open": {
        "es": "/metrics está abierto a quien alcance `serve`; pon METRICS_TOKEN",
        "en": "/metrics is open to whoever reaches `serve`; set METRICS_TOKEN",
    },
    "metrics open at": {
        "es": "/metrics está abierto a quien alcance `serve` en {address}; pon METRICS_TOKEN",
        "en": "/metrics is open to whoever reaches `serve` at {address}; set METRICS_TOKEN",
    },
    "passwords alone": {
        "es": "se entra sólo con contraseñas; mira OIDC_ISSUER",
        "en": "operators log in with passwords alone; see OIDC_ISSUER",
    },
    "needs too": {"es": "necesita también {missing}", "en": "needs {missing} too"},
    "needs authlib": {
        "es": "necesita authlib; pip install recado[oidc]",
        "en": "needs authlib; pip install recado[oidc]",
    },
    "provider away": {"es": "{issuer}: {error}", "en": "{issuer}: {error}"},
    "provider answers": {
        "es": "{label} contesta como {issuer}; registra ahí {uri} como URI de redirección",
        "en": "{label} answers as {issuer}; register {uri} there as redirect URI",
    },
}

# Sentences of other parts that a result quotes; a vendor's own words stay as they are.
_QUOTED = (
    (r"VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are not set", "faltan VAPID_PUBLIC_KEY y VAPID_PRIVATE_KEY"),
    (r"VAPID_PRIVATE_KEY is no key", "VAPID_PRIVATE_KEY no es una clave"),
    (
        r"are not of one pair; set both to what was made together",
        "no son de un mismo par; pon las que se hicieron juntas",
    ),
    (r"make a pair with `recado keys vapid`", "haz un par con `recado keys vapid`"),
    (r"(\S+) takes e-mail from (\S+)", r"\1 acepta correo de \2"),
    (r"see the network and ", "mira la red y "),
    (
        r"no request can be made of its address and key; the address may hold no user name or password",
        "de su dirección y su clave no sale una petición; la dirección no debe llevar usuario ni contraseña",
    ),
    (r"no connection", "sin conexión"),
    (r"no answer in time", "no contestó a tiempo"),
    (r"no answer", "sin respuesta"),
    (r"\bsee ([A-Z][A-Z_]+)", r"mira \1"),
)


def said(what: str, **values: object) -> Said:
    """The sentence with these values, which may be sentences themselves."""
    return {
        language: text.format(
            **{name: value[language] if isinstance(value, dict) else value for name, value in values.items()}
        )
        for language, text in WORDS[what].items()
    }


def joined(parts: Sequence[Said], link: str | None = None, *, separator: str = "; ") -> Said:
    """The sentences as one, with a link of WORDS between them."""
    return {
        language: (WORDS[link][language] if link else separator).join(part[language] for part in parts)
        for language in ("es", "en")
    }


def complained(wrong: SettingsWrong) -> Said:
    """The complaints about variables as one sentence."""
    return {"es": "; ".join(wrong.said("es")), "en": "; ".join(wrong.said("en"))}


def quoted(text: str) -> Said:
    """A sentence of another part, in Spanish as far as it is known."""
    spanish = text
    for english, words in _QUOTED:
        spanish = re.sub(english, words, spanish)
    return {"es": spanish, "en": text}
