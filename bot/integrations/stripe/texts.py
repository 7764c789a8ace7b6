"""Billing texts that need no model: cards, results of taps, and notices."""

from __future__ import annotations

from bot.messages.language import Language

_PHRASES: dict[str, dict[Language, str]] = {
    # Cards
    "confirm": {"es": "Confirmar", "en": "Confirm"},
    "leave": {"es": "Dejarlo así", "en": "Leave it as it is"},
    "card_pay": {
        "es": "Cambio de plan: de *{old}* a *{new}*.\n\nHoy se cobra: *{amount}* (la diferencia por lo que queda del "
        "periodo).\n{then}",
        "en": "Change of plan: from *{old}* to *{new}*.\n\nCharged today: *{amount}* (the difference for the rest of "
        "the period).\n{then}",
    },
    "card_credit": {
        "es": "Cambio de plan: de *{old}* a *{new}*.\n\nHoy no se cobra nada; quedan *{amount}* a tu favor para tus "
        "próximos cobros.\n{then}",
        "en": "Change of plan: from *{old}* to *{new}*.\n\nNothing is charged today; *{amount}* is credited to your "
        "next charges.\n{then}",
    },
    "card_free": {
        "es": "Cambio de plan: de *{old}* a *{new}*.\n\nHoy se cobra: *{amount}*.\n{then}",
        "en": "Change of plan: from *{old}* to *{new}*.\n\nCharged today: *{amount}*.\n{then}",
    },
    "then_usual": {
        "es": "Después: {price}, próximo cobro el {day}.",
        "en": "Then: {price}, next charge on {day}.",
    },
    "then_next": {
        "es": "Próximo cobro: {price}, el {day}.",
        "en": "Next charge: {price}, on {day}.",
    },
    "with_others": {"es": " con {others}", "en": " with {others}"},
    "and_usage": {"es": " más lo que uses", "en": " plus what you use"},
    "card_cancel": {
        "es": "Cancelar tu plan *{plan}*.\n\nSigue activo hasta el {day} y ya no se renueva{spared}. Hoy no se cobra "
        "ni se devuelve nada.",
        "en": "Cancel your plan *{plan}*.\n\nIt stays active until {day} and is not renewed{spared}. Nothing is "
        "charged or refunded today.",
    },
    "spared": {
        "es": ": no se cobran los *{amount}* del siguiente periodo",
        "en": ": the *{amount}* of the next period is not charged",
    },
    "rest": {
        "es": "Al terminar se cobran todavía *{amount}* que están pendientes.",
        "en": "When it ends, *{amount}* that is still pending is charged.",
    },
    "usage_at_the_end": {
        "es": "Al terminar se cobra lo que hayas usado.",
        "en": "When it ends, what you have used is charged.",
    },
    "meanwhile": {
        "es": "Hasta entonces se sigue cobrando lo que se renueva antes.",
        "en": "Until then, what is renewed earlier is still charged.",
    },
    "owed": {
        "es": "Además están por pagar *{amount}* de tu última factura.",
        "en": "Besides, *{amount}* of your latest invoice is still to be paid.",
    },
    "card_resume": {
        "es": "Seguir con tu plan *{plan}*.\n\nYa no termina el {ends}: {when} se cobran *{amount}*{usage} y se "
        "renueva. Hoy no se cobra nada.",
        "en": "Keep your plan *{plan}*.\n\nIt no longer ends on {ends}: {when} *{amount}*{usage} is charged and it is "
        "renewed. Nothing is charged today.",
    },
    "card_resume_free": {
        "es": "Seguir con tu plan *{plan}*.\n\nYa no termina el {ends}. Hoy no se cobra nada.",
        "en": "Keep your plan *{plan}*.\n\nIt no longer ends on {ends}. Nothing is charged today.",
    },
    "checkout_today": {"es": "Hoy se cobran {amount}.", "en": "{amount} is charged today."},
    "that_day": {"es": "ese día", "en": "that day"},
    "on_day": {"es": "el {day}", "en": "on {day}"},
    "valid": {"es": "Esta confirmación vale 15 minutos.", "en": "This confirmation is valid for 15 minutes."},
    # Results of a tap
    "done_pay": {
        "es": "Listo: tu plan ahora es *{plan}*. Se cobró {amount}.",
        "en": "Done: your plan is now *{plan}*. {amount} was charged.",
    },
    "done_credit": {
        "es": "Listo: tu plan ahora es *{plan}*. No se cobró nada y quedan {amount} a tu favor.",
        "en": "Done: your plan is now *{plan}*. Nothing was charged, and {amount} is credited to you.",
    },
    "done_free": {
        "es": "Listo: tu plan ahora es *{plan}*. Hoy no se cobró nada.",
        "en": "Done: your plan is now *{plan}*. Nothing was charged today.",
    },
    "done_owed": {
        "es": "Listo: tu plan ahora es *{plan}*. Falta pagar {amount} de su factura.",
        "en": "Done: your plan is now *{plan}*. {amount} of its invoice is still to be paid.",
    },
    "plan_waits": {
        "es": "Tu plan todavía es *{old}*: cambia a *{new}* cuando se paguen {amount}.",
        "en": "Your plan is still *{old}*: it changes to *{new}* when {amount} is paid.",
    },
    "done_cancel": {
        "es": "Listo: tu plan *{plan}* termina el {day} y no se renueva. Hasta entonces sigue activo.",
        "en": "Done: your plan *{plan}* ends on {day} and is not renewed. It stays active until then.",
    },
    "done_ended": {
        "es": "Listo: tu plan *{plan}* terminó hoy.",
        "en": "Done: your plan *{plan}* has ended today.",
    },
    "still_goes_on": {
        "es": "El sistema de cobros no registró la cancelación: tu plan *{plan}* sigue. Si quieres, pido que una "
        "persona del equipo lo vea.",
        "en": "The payment system did not record the cancellation: your plan *{plan}* goes on. I can ask somebody from "
        "the team to look into it.",
    },
    "done_resume": {
        "es": "Listo: tu plan *{plan}* sigue.",
        "en": "Done: your plan *{plan}* goes on.",
    },
    "still_ends": {
        "es": "Tu plan *{plan}* todavía termina el {day}: el sistema de cobros no quitó esa fecha. Si quieres, pido "
        "que una persona del equipo lo vea.",
        "en": "Your plan *{plan}* still ends on {day}: the payment system did not take that date back. I can ask "
        "somebody from the team to look into it.",
    },
    "next_charge": {"es": "Próximo cobro: {amount}, el {day}.", "en": "Next charge: {amount}, on {day}."},
    "paused": {"es": "Los cobros están en pausa.", "en": "Charges are paused."},
    "paused_until": {
        "es": "Los cobros están en pausa hasta el {day}.",
        "en": "Charges are paused until {day}.",
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
    "needs_action": {
        "es": "Tu banco pide que tú mismo confirmes el cobro de {amount}, así que no cambié nada. Puedes hacerlo en tu "
        "portal; si quieres, te mando la liga.",
        "en": "Your bank wants you to confirm the charge of {amount} yourself, so I haven't changed anything. You can "
        "do it in your portal; I can send you the link.",
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
    # Notices
    "event_active": {
        "es": "¡Listo! Tu plan *{plan}* está activo.",
        "en": "Your plan *{plan}* is active.",
    },
    "event_trial": {
        "es": "¡Listo! Empezó tu prueba de *{plan}*. Termina el {day}{then}.",
        "en": "Your trial of *{plan}* has begun. It ends on {day}{then}.",
    },
    "trial_then": {
        "es": "; ese día se cobran {amount}, salvo que canceles antes",
        "en": "; that day {amount} is charged, unless you cancel before",
    },
    "event_changed": {
        "es": "Tu plan ahora es *{plan}*.",
        "en": "Your plan is now *{plan}*.",
    },
    "event_ending": {
        "es": "Tu plan *{plan}* termina el {day} y no se renueva.",
        "en": "Your plan *{plan}* ends on {day} and is not renewed.",
    },
    "event_resumed": {
        "es": "Tu plan *{plan}* sigue.",
        "en": "Your plan *{plan}* goes on.",
    },
    "event_ended": {
        "es": "Tu plan *{plan}* terminó. Si quieres volver, dime y te mando la liga para suscribirte.",
        "en": "Your plan *{plan}* has ended. If you want to come back, tell me and I'll send you the link.",
    },
    "event_one_ended": {
        "es": "Tu plan *{plan}* terminó. Tu plan *{other}* sigue.",
        "en": "Your plan *{plan}* has ended. Your plan *{other}* goes on.",
    },
    "event_failed": {
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


def phrase(name: str, language: Language, **values: str) -> str:
    return _PHRASES[name][language].format(**values)


def per(interval: str, language: Language) -> str:
    """A price's interval (`month`, `3 months`) as said after an amount; empty for an unknown one."""
    count, _, unit = interval.rpartition(" ")
    return phrase(unit, language, count=count) if unit in _UNITS else ""
