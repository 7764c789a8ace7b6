"""Sentences of Recado itself, without a model, in the customer's language."""

from __future__ import annotations

from bot.messages.language import Language

_PHRASES: dict[str, dict[Language, str]] = {
    "no_answer": {
        "es": "Perdona, ahora mismo no puedo contestarte por un problema nuestro. Tu mensaje quedó guardado; "
        "escríbeme otra vez en unos minutos.",
        "en": "Sorry, I can't answer right now because of a problem on our side. Your message is saved; "
        "please write again in a few minutes.",
    },
    "acted": {
        "es": "Perdona, por un problema nuestro no puedo confirmarte cómo quedó lo que pediste. Es posible que ya esté "
        "hecho: antes de pedirlo otra vez, espera unos minutos y compruébalo.",
        "en": "Sorry, because of a problem on our side I can't confirm what became of what you asked for. It may be "
        "done already: before you ask again, please wait a few minutes and check.",
    },
    "still_on_it": {
        "es": "Sigo con tu mensaje; en un momento te contesto.",
        "en": "I'm still working on your message; I'll answer in a moment.",
    },
    "strange_link": {"es": "[enlace no verificado]", "en": "[unverified link]"},
    "budget_spent": {
        "es": "Por hoy llegué al límite de lo que puedo contestar aquí. Mañana sigo con gusto; si es urgente, escribe "
        "«una persona» y te atiende el equipo.",
        "en": "I have reached today's limit of what I can answer here. I'll be glad to go on tomorrow; if it is "
        "urgent, write “a person” and the team will take over.",
    },
    "budget_media": {
        "es": "Por hoy ya no puedo escuchar ni revisar archivos aquí. ¿Me lo escribes, por favor?",
        "en": "I can't listen to or look at any more files here today. Could you type it, please?",
    },
    "numbered_photo": {"es": "Foto {number}: {said}", "en": "Photo {number}: {said}"},
    "products_found": {
        "es": "Encontré estos productos. Toca el que buscas:",
        "en": "I found these products. Tap the one that you want:",
    },
    "products_similar": {
        "es": "No encontré ése, pero sí algo parecido. Toca el que te interese:",
        "en": "I didn't find that one, but something similar. Tap the one that interests you:",
    },
    "products_open": {"es": "Ver productos", "en": "See products"},
    "too_many": {
        "es": "Recibí muchos mensajes tuyos en poco tiempo y no puedo contestarlos todos. Espera un momento y "
        "escríbeme de nuevo, por favor.",
        "en": "I got many messages from you in a short time and can't answer them all. Please wait a moment and "
        "write again.",
    },
    "handed_off": {
        "es": "Listo, una persona del equipo te escribe por aquí.",
        "en": "Done: somebody from the team will write to you here.",
    },
    "nobody_yet": {
        "es": "Todavía no hay nadie libre, pero tu mensaje no se perdió: en cuanto pueda, una persona te escribe aquí.",
        "en": "Nobody is free yet, but your message is not lost: somebody will write to you here as soon as they can.",
    },
    "voice_silent": {
        "es": "No se escucha nada en tu nota de voz. ¿Me la mandas otra vez, o me lo escribes?",
        "en": "I can't hear anything in your voice note. Could you send it again, or type it?",
    },
    "voice_unintelligible": {
        "es": "No alcancé a entender tu nota de voz. ¿Me la mandas otra vez, o me lo escribes?",
        "en": "I couldn't make out your voice note. Could you send it again, or type it?",
    },
    "voice_long": {
        "es": "Tu audio es demasiado largo para mí. ¿Me lo mandas en partes más cortas, o me lo escribes?",
        "en": "Your audio is too long for me. Could you send it in shorter parts, or type it?",
    },
    "voice_off": {
        "es": "Por ahora no puedo escuchar notas de voz. ¿Me lo escribes, por favor?",
        "en": "I can't listen to voice notes for now. Could you type it, please?",
    },
    "media_broken": {
        "es": "No pude abrir el archivo que mandaste. ¿Lo mandas otra vez?",
        "en": "I couldn't open the file you sent. Could you send it again?",
    },
    "media_large": {
        "es": "El archivo que mandaste es demasiado grande para mí. ¿Tienes uno más pequeño?",
        "en": "The file you sent is too large for me. Do you have a smaller one?",
    },
    "media_locked": {
        "es": "El archivo que mandaste está protegido con contraseña y no lo puedo abrir.",
        "en": "The file you sent is protected by a password and I can't open it.",
    },
    "media_format": {
        "es": "Ese tipo de archivo no lo puedo leer. Puedes mandarme texto, notas de voz, fotos o un PDF.",
        "en": "I can't read that kind of file. You can send me text, voice notes, photos or a PDF.",
    },
    "media_trouble": {
        "es": "No pude revisar lo que mandaste por un problema nuestro. ¿Lo mandas otra vez en unos minutos, "
        "o me lo escribes?",
        "en": "I couldn't look at what you sent because of a problem on our side. Could you send it again in a few "
        "minutes, or type it?",
    },
    "media_lost": {
        "es": "El archivo que mandaste no me llegó completo. ¿Me lo mandas otra vez?",
        "en": "The file you sent didn't reach me. Could you send it again?",
    },
    "call_missed": {
        "es": "Por aquí no puedo contestar llamadas. Escríbeme o mándame una nota de voz, y te ayudo.",
        "en": "I can't take calls here. Write to me or send me a voice note, and I'll help you.",
    },
    "file_not_kept": {
        "es": "Un aviso: no guardé tu archivo, porque el espacio para los que me mandas ya está ocupado. Más tarde no "
        "podré reenviártelo.",
        "en": "A note: I haven't kept your file, because the space for those that you send me is used up. I won't be "
        "able to send it back to you later.",
    },
    "late": {
        "es": "Perdona la demora: tu mensaje me acaba de llegar.",
        "en": "Sorry for the delay: your message has only just reached me.",
    },
    "opted_out": {
        "es": "Listo, ya no te mandaremos promociones. Si cambias de opinión, escribe ALTA.",
        "en": "Done: we won't send you promotions any more. If you change your mind, write START.",
    },
    "opted_in": {
        "es": "Listo, volverás a recibir nuestras promociones. Para dejar de recibirlas, escribe BAJA.",
        "en": "Done: you will receive our promotions again. To stop them, write STOP.",
    },
    "file_link": {
        "es": "Aquí puedes descargar tu archivo. El enlace funciona {minutes} minutos; no lo compartas.",
        "en": "You can download your file here. The link works for {minutes} minutes; don't share it.",
    },
    "file_link_label": {"es": "Descargar", "en": "Download"},
    "notify_me": {
        "es": "Activa aquí los avisos en tu navegador. El enlace es solo para ti y dura un día.",
        "en": "Turn on notifications in your browser here. The link is for you alone and lasts a day.",
    },
    "notify_me_label": {"es": "Activar avisos", "en": "Turn on"},
    "card_left": {
        "es": "De acuerdo, no cambié nada.",
        "en": "All right, I haven't changed anything.",
    },
    "card_unsure": {
        "es": "Ya lo había pedido y no sé si alcanzó a hacerse. Si se hizo, te aviso por aquí.",
        "en": "I had already asked for it and can't tell whether it was done. If it was, I'll tell you here.",
    },
    "card_expired": {
        "es": "Esa confirmación ya no vale, no cambié nada. Si todavía lo quieres, pídemelo otra vez.",
        "en": "That confirmation is no longer valid, and I haven't changed anything. If you still want it, "
        "ask me again.",
    },
    "tapped_before": {
        "es": "Ya habías contestado a esa confirmación. {answer}",
        "en": "You had already answered that confirmation. {answer}",
    },
    "rating_question": {"es": "¿Cómo te atendimos?", "en": "How did we do?"},
    "rating_good": {"es": "😀 Bien", "en": "😀 Well"},
    "rating_fair": {"es": "😐 Regular", "en": "😐 So-so"},
    "rating_bad": {"es": "🙁 Mal", "en": "🙁 Badly"},
    "unsupported": {
        "es": "Ese tipo de mensaje no lo puedo ver. Puedes mandarme texto, notas de voz, fotos o un PDF.",
        "en": "I can't see that kind of message. You can send me text, voice notes, photos or a PDF.",
    },
}


def phrase(name: str, language: Language) -> str:
    return _PHRASES[name][language]
