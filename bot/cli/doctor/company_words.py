"""Sentences of `recado doctor` about subscribers, notifications, e-mail, prompts and the console."""

from __future__ import annotations

from bot.cli.language import Words

COMPANY_WORDS: Words = {
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
