"""Texts of the page for browser notifications, in Spanish and English."""

from __future__ import annotations

from bot.messages.language import Language

WORDS: dict[Language, dict[str, str]] = {
    "es": {
        "title": "Avisos en este dispositivo",
        "short": "Avisos",
        "lead": "Te avisamos de tus pagos, pedidos y citas aunque el chat esté cerrado.",
        "on": "Activar avisos",
        "off": "Dejar de recibirlos aquí",
        "checking": "Un momento…",
        "ready": "Tu navegador te pedirá permiso. Elige «Permitir».",
        "working": "Activando…",
        "stopping": "Desactivando…",
        "subscribed": "Listo: los avisos llegarán a este dispositivo.",
        "stopped": "Hecho: aquí ya no llegarán avisos.",
        "denied": "Los avisos están bloqueados en este navegador. Permítelos en los ajustes del sitio (el candado "
        "junto a la dirección), y vuelve a intentarlo.",
        "dismissed": "No diste permiso. Cuando quieras, vuelve a tocar el botón.",
        "unsupported": "Este navegador no puede recibir avisos. Abre el enlace en Chrome, Edge, Firefox o Safari.",
        "insecure": "Los avisos solo funcionan en una dirección segura (https).",
        "failed": "No se pudo activar. Revisa tu conexión y vuelve a intentarlo.",
        "over": "Este enlace ya no sirve",
        "over_lead": "Por seguridad dura un día. Vuelve al chat y pide otro: «quiero recibir avisos».",
        "busy": "Demasiados intentos. Vuelve a probar en una hora.",
        "ios": "En iPhone y iPad, primero agrega esta página a tu pantalla de inicio:",
        "ios_1": "Toca Compartir, el cuadro con la flecha hacia arriba.",
        "ios_2": "Elige «Agregar a inicio».",
        "ios_3": "Abre «Avisos» desde la pantalla de inicio y activa los avisos ahí.",
        "privacy": "Puedes dejar de recibirlos cuando quieras. Solo guardamos la dirección de este navegador.",
        "noscript": "Esta página necesita JavaScript para pedirte permiso.",
    },
    "en": {
        "title": "Notifications on this device",
        "short": "Notifications",
        "lead": "Hear about your payments, orders and appointments even when the chat is closed.",
        "on": "Turn on notifications",
        "off": "Stop them on this device",
        "checking": "One moment…",
        "ready": "Your browser will ask for permission. Choose “Allow”.",
        "working": "Turning on…",
        "stopping": "Turning off…",
        "subscribed": "Done: notifications will come to this device.",
        "stopped": "Done: no more notifications here.",
        "denied": "Notifications are blocked in this browser. Open the site's settings (the padlock next to the "
        "address), allow them, and try again.",
        "dismissed": "You didn't give permission. Tap the button again whenever you like.",
        "unsupported": "This browser can't receive notifications. Open the link in Chrome, Edge, Firefox or Safari.",
        "insecure": "Notifications only work at a secure address (https).",
        "failed": "That didn't work. Check your connection and try again.",
        "over": "This link no longer works",
        "over_lead": "For your safety it lasts a day. Go back to the chat and ask for another: “notify me”.",
        "busy": "Too many tries. Please try again in an hour.",
        "ios": "On iPhone and iPad, first add this page to your home screen:",
        "ios_1": "Tap Share, the square with the arrow pointing up.",
        "ios_2": "Choose “Add to Home Screen”.",
        "ios_3": "Open “Notifications” from the home screen and turn them on there.",
        "privacy": "You can stop them whenever you like. We keep only this browser's address.",
        "noscript": "This page needs JavaScript to ask for your permission.",
    },
}
