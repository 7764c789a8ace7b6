"""What is said about billing without a model: cards, outcomes of taps, news from Stripe."""

from __future__ import annotations

from bot.language import Language

_WORDS: dict[str, dict[Language, str]] = {
    # Cards
    "confirm": {"es": "Confirmar", "en": "Confirm"},
    "leave": {"es": "Dejarlo así", "en": "Leave it as it is"},
    "card_pay": {
        "es": "Cambio de plan: de *{old}* a *{new}*.\n\nHoy se cobra: *{amount}* (la diferencia por lo que queda del "
        "periodo).\nDespués: {price}, próximo cobro el {day}.\n\nEsta confirmación vale 15 minutos.",
        "en": "Change of plan: from *{old}* to *{new}*.\n\nCharged today: *{amount}* (the difference for the rest of "
        "the period).\nThen: {price}, next charge on {day}.\n\nThis confirmation is valid for 15 minutes.",
    },
    "card_credit": {
        "es": "Cambio de plan: de *{old}* a *{new}*.\n\nHoy no se cobra nada; quedan *{amount}* a tu favor para tus "
        "próximos cobros.\nDespués: {price}, próximo cobro el {day}.\n\nEsta confirmación vale 15 minutos.",
        "en": "Change of plan: from *{old}* to *{new}*.\n\nNothing is charged today; *{amount}* is credited to your "
        "next charges.\nThen: {price}, next charge on {day}.\n\nThis confirmation is valid for 15 minutes.",
    },
    "card_free": {
        "es": "Cambio de plan: de *{old}* a *{new}*.\n\nHoy se cobra: *{amount}*.\nDespués: {price}, próximo cobro el "
        "{day}.\n\nEsta confirmación vale 15 minutos.",
        "en": "Change of plan: from *{old}* to *{new}*.\n\nCharged today: *{amount}*.\nThen: {price}, next charge on "
        "{day}.\n\nThis confirmation is valid for 15 minutes.",
    },
    "card_cancel": {
        "es": "Cancelar tu plan *{plan}*.\n\nSigue activo hasta el {day} y ya no se renueva: no se cobran los "
        "*{amount}* del siguiente periodo. Hoy no se cobra ni se devuelve nada.\n\n"
        "Esta confirmación vale 15 minutos.",
        "en": "Cancel your plan *{plan}*.\n\nIt stays active until {day} and is not renewed: the *{amount}* of the "
        "next period is not charged. Nothing is charged or refunded today.\n\n"
        "This confirmation is valid for 15 minutes.",
    },
    "card_resume": {
        "es": "Seguir con tu plan *{plan}*.\n\nYa no termina el {day}: ese día se cobran *{amount}* y se renueva. "
        "Hoy no se cobra nada.\n\nEsta confirmación vale 15 minutos.",
        "en": "Keep your plan *{plan}*.\n\nIt no longer ends on {day}: that day *{amount}* is charged and it is "
        "renewed. Nothing is charged today.\n\nThis confirmation is valid for 15 minutes.",
    },
    # What became of a tap
    "done_pay": {
        "es": "Listo: tu plan ahora es *{plan}*. Se cobró {amount}. Próximo cobro: {price}, el {day}.",
        "en": "Done: your plan is now *{plan}*. {amount} was charged. Next charge: {price}, on {day}.",
    },
    "done_credit": {
        "es": "Listo: tu plan ahora es *{plan}*. No se cobró nada y quedan {amount} a tu favor. "
        "Próximo cobro: el {day}.",
        "en": "Done: your plan is now *{plan}*. Nothing was charged, and {amount} is credited to you. "
        "Next charge: on {day}.",
    },
    "done_free": {
        "es": "Listo: tu plan ahora es *{plan}*. Hoy no se cobró nada. Próximo cobro: {price}, el {day}.",
        "en": "Done: your plan is now *{plan}*. Nothing was charged today. Next charge: {price}, on {day}.",
    },
    "done_cancel": {
        "es": "Listo: tu plan *{plan}* termina el {day} y no se renueva. Hasta entonces sigue activo.",
        "en": "Done: your plan *{plan}* ends on {day} and is not renewed. It stays active until then.",
    },
    "done_resume": {
        "es": "Listo: tu plan *{plan}* sigue. Próximo cobro: {amount}, el {day}.",
        "en": "Done: your plan *{plan}* goes on. Next charge: {amount}, on {day}.",
    },
    "changed_meanwhile": {
        "es": "No cambié nada: los datos o el importe ya no son los que te mostré. Esto es lo que vale ahora:",
        "en": "I haven't changed anything: the facts or the amount are no longer those I showed you. This holds now:",
    },
    "no_longer_possible": {
        "es": "No cambié nada: tu suscripción ya no está como cuando te lo mostré.",
        "en": "I haven't changed anything: your subscription is no longer as it was when I showed you this.",
    },
    "card_refused": {
        "es": "El banco no aceptó el cobro de {amount}, así que no cambié nada. Puedes actualizar tu tarjeta y pedirlo "
        "otra vez.",
        "en": "The bank did not accept the charge of {amount}, so I haven't changed anything. You can update your card "
        "and ask again.",
    },
    "no_card": {
        "es": "No cambié nada: no hay una tarjeta a la que cobrarlo. Agrégala en tu portal y pídemelo otra vez.",
        "en": "I haven't changed anything: there is no card to charge. Add one in your portal and ask me again.",
    },
    "not_now": {
        "es": "Ahora no puedo comunicarme con el sistema de cobros y no cambié nada. Toca *Confirmar* otra vez en unos "
        "minutos.",
        "en": "I can't reach the payment system right now and haven't changed anything. Tap *Confirm* again in a few "
        "minutes.",
    },
    "not_sure": {
        "es": "El sistema de cobros no me confirmó si se hizo. Toca *Confirmar* otra vez en unos minutos: "
        "se cobra una sola vez.",
        "en": "The payment system didn't confirm whether it was done. Tap *Confirm* again in a few minutes: "
        "it is charged only once.",
    },
    "not_done": {
        "es": "El sistema de cobros no lo aceptó y no cambié nada. Si quieres, pido que una persona del equipo lo vea.",
        "en": "The payment system didn't accept it, and nothing was changed. I can ask somebody from the team to look "
        "into it.",
    },
    # News
    "news_active": {
        "es": "¡Listo! Tu plan *{plan}* está activo. Próximo cobro: {amount}, el {day}.",
        "en": "Your plan *{plan}* is active. Next charge: {amount}, on {day}.",
    },
    "news_trial": {
        "es": "¡Listo! Empezó tu prueba de *{plan}*. Termina el {day}; ese día se cobran {amount}, salvo que canceles "
        "antes.",
        "en": "Your trial of *{plan}* has begun. It ends on {day}; that day {amount} is charged, unless you cancel "
        "before.",
    },
    "news_changed": {
        "es": "Tu plan ahora es *{plan}*. Próximo cobro: {amount}, el {day}.",
        "en": "Your plan is now *{plan}*. Next charge: {amount}, on {day}.",
    },
    "news_ending": {
        "es": "Tu plan *{plan}* termina el {day} y no se renueva.",
        "en": "Your plan *{plan}* ends on {day} and is not renewed.",
    },
    "news_resumed": {
        "es": "Tu plan *{plan}* sigue. Próximo cobro: {amount}, el {day}.",
        "en": "Your plan *{plan}* goes on. Next charge: {amount}, on {day}.",
    },
    "news_ended": {
        "es": "Tu plan *{plan}* terminó. Si quieres volver, dime y te mando la liga para suscribirte.",
        "en": "Your plan *{plan}* has ended. If you want to come back, tell me and I'll send you the link.",
    },
    "news_failed": {
        "es": "No pudimos cobrar {amount} de tu suscripción. {again}Puedes pagar o cambiar tu tarjeta aquí: {url}",
        "en": "We could not charge {amount} for your subscription. {again}You can pay or change your card here: {url}",
    },
    "failed_again": {
        "es": "Lo intentaremos otra vez el {day}. ",
        "en": "We will try again on {day}. ",
    },
    "trial_ends": {
        "es": "Tu prueba de *{plan}* termina el {day}.",
        "en": "Your trial of *{plan}* ends on {day}.",
    },
    # Titles of browser notifications
    "push_subscription": {"es": "Tu suscripción", "en": "Your subscription"},
    "push_paid": {"es": "Pago recibido", "en": "Payment received"},
    "push_failed": {"es": "Pago pendiente", "en": "Payment due"},
    "paid": {
        "es": "Recibimos tu pago de {amount} (factura {number}).",
        "en": "We received your payment of {amount} (invoice {number}).",
    },
    "month": {"es": "al mes", "en": "a month"},
    "year": {"es": "al año", "en": "a year"},
    "week": {"es": "a la semana", "en": "a week"},
    "day": {"es": "al día", "en": "a day"},
    "months": {"es": "cada {count} meses", "en": "every {count} months"},
    "years": {"es": "cada {count} años", "en": "every {count} years"},
    "weeks": {"es": "cada {count} semanas", "en": "every {count} weeks"},
    "days": {"es": "cada {count} días", "en": "every {count} days"},
    "customer": {"es": "cliente", "en": "customer"},
}

_UNITS = frozenset({"day", "days", "week", "weeks", "month", "months", "year", "years"})


def words(name: str, language: Language, **values: str) -> str:
    """Our sentence with its values filled in."""
    return _WORDS[name][language].format(**values)


def per(interval: str, language: Language) -> str:
    """A price's interval (`month`, `3 months`) as it is said after an amount; nothing for one that we don't know."""
    count, _, unit = interval.rpartition(" ")
    return words(unit, language, count=count) if unit in _UNITS else ""
