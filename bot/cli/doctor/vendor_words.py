"""Sentences of `recado doctor` about WhatsApp, models and Stripe."""

from __future__ import annotations

from bot.cli.language import Words

VENDOR_WORDS: Words = {
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
}
