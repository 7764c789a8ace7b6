"""Billing rules of the rule-based model: the tool that a sentence asks for, and a summary of its result."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from bot.messages.language import Language

_Match = re.Match[str]
_PLAN = r"(?:b[aá]sico|basic|pro)"
_MINE = (
    r"mi plan|mi suscripci[oó]n|pr[oó]ximo (?:cobro|pago)|qu[eé] plan tengo|cu[aá]ndo (?:me cobran|pago)|"
    r"cu[aá]nto (?:pago|me cobran)|my plan|my subscription|(?:what|which) plan (?:do|am) i|next (?:charge|payment)|"
    r"when (?:am i|will i be|do i get) charged|how much do i pay"
)
_CANCEL = r"(?:cancela\w*|cancel|dar(?:me|se)? de baja|ya no quiero|no longer want|stop|end)"
_CANCEL_PLAN = (
    rf"\b{_CANCEL}\b.{{0,200}}\b(suscripci[oó]n|plan|subscription|servicio|service|cuenta|account)\b|"
    rf"^\W*+(?:(?:hola|hi|hello)\W++)?(?:(?:quiero|quisiera|me gustar[ií]a|i want to|i['’]d like to|i would like to|"
    rf"please)\W++)?{_CANCEL}(?: it)?(?:\W++(?:por favor|please))?\W*+$"
)
_RESUME = (
    r"^\W*+quiero seguir\W*+$|\b(reactiva\w*|reanuda\w*|resume|reactivate|(?:seguir con|conservar|keep) (?:mi|my) plan|"
    r"(?:no|don['’]?t|do not) (?:quiero )?cancel\w*)\b"
)
# A voice note may ask for two things; the subscription's state tells both.
_STATE = (
    r"\b(estado|situaci[oó]n) de mi (?:suscripci[oó]n|plan|cuenta)\b|"
    r"\b(state|status) of my (?:subscription|plan|account)\b"
)
_PORTAL = (
    r"\b(portal|(?:cambi\w*|actualiz\w*|venci\w*|robaron|perd[ií]|otra|nueva)"
    r"(?: (?:de|a|mi|la|una|otra|nueva)){0,3} tarjeta|m[eé]todo de pago|quiero pagar|"
    r"(?:change|update|replace|new|another|lost|stolen)(?: (?:my|the|a|new|credit)){0,3} card|"
    r"(?:my|the) card (?:has )?expired|payment method|i want to pay)\b"
)
_PLANS = (
    r"\b(planes|plans|precios?|prices?|cu[aá]nto cuestan?|how much|suscribirme|subscribe|contratar|registr\w{1,5}|"
    r"sign up|prueba gratis|prob\w{1,5} gratis|free trial|(?:start|begin) (?:a |my |the )?trial)\b"
)
_NEW = r"(?:soy nuev[oa]|cliente nuev[oa]|no tengo cuenta|i am new|i['’]m new|new customer|no account)"
_EMAIL = r"(?<![\w.+-])(?P<email>[\w.+-]++@[\w-]++\.[\w.]+)"
# Whether there are invoices at all is among the documents.
_GIVEN_INVOICES = r"\b(?:dan|hacen|emiten|do you (?:give|issue|send)) (?:una? )?(?:facturas?|invoices?)\b"
_NUMBER = re.compile(r"\b[A-Z0-9]{4,}-\d{2,}\b")


def _invoice(found: _Match) -> dict[str, Any]:
    number = _NUMBER.search(found.string)
    by = "email" if re.search(r"\b(correo|mail|email|e-mail)\b", found.string, re.IGNORECASE) else "chat"
    return {"by": by} | ({"number": number[0]} if number else {})


def _plan(found: _Match) -> dict[str, Any]:
    yearly = re.search(r"\b(anual|al año|por año|yearly|a year)\b", found.string, re.IGNORECASE)
    plan = "Básico" if found["plan"].lower() == "basic" else found["plan"]
    return {"plan": plan} | ({"interval": "year"} if yearly else {})


def _first_plan(found: _Match) -> dict[str, Any]:
    return {"interval": "month"} | _plan(found) | {"new_customer": True}


def _question(found: _Match) -> dict[str, Any]:
    return {"question": found.string[:500]}


def _nothing(_: _Match) -> dict[str, Any]:
    return {}


# The first matching rule wins; it calls its tool if that is offered.
_RULES: tuple[tuple[str, str, Callable[[_Match], dict[str, Any]]], ...] = (
    (r"^\W*(?P<code>\d{6})\W*$", "confirm_code", lambda found: {"code": found["code"]}),
    (_EMAIL, "verify_email", lambda found: {"email": found["email"]}),
    (_STATE, "get_subscription", _nothing),
    (
        r"\b(m[aá]nda|env[ií]a|send|e-?mail|mail|quiero|necesito|need|want|dame)\w*\b.{0,200}\b(factura|invoice|recibo|receipt)\b",
        "send_invoice",
        _invoice,
    ),
    (_GIVEN_INVOICES, "search_knowledge", _question),
    (r"\b(facturas?|invoices?|recibos?|receipts?|mis pagos|my payments)\b", "list_invoices", _nothing),
    (_RESUME, "resume_subscription", _nothing),
    (_CANCEL_PLAN, "cancel_subscription", _nothing),
    (rf"\b{_NEW}\b.{{0,200}}\b(?P<plan>{_PLAN})\b", "start_subscription", _first_plan),
    (
        rf"\b(prueba gratis|probar|free trial|try)\b.{{0,200}}\b(?P<plan>{_PLAN})\b",
        "start_subscription",
        lambda found: {"interval": "month"} | _plan(found),
    ),
    (
        rf"\b(quiero|c[aá]mbia\w*|p[aá]same|want|change|switch|upgrade|downgrade|move)\b.{{0,200}}\b(?P<plan>{_PLAN})\b",
        "change_plan",
        _plan,
    ),
    (
        _PORTAL,
        "open_portal",
        _nothing,
    ),
    (rf"\b({_MINE})\b", "get_subscription", _nothing),
    (
        _PLANS,
        "list_plans",
        _nothing,
    ),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), tool, make) for pattern, tool, make in _RULES)


def next_tool_call(words: str, results: dict[str, str], offered: set[Any]) -> tuple[str, dict[str, Any]] | None:
    """The next tool call and its arguments; None if billing has nothing to do."""
    found = next(
        (
            (tool, make(match))
            for pattern, tool, make in _COMPILED
            if tool in offered and (match := pattern.search(words))
        ),
        None,
    )
    if not results:
        return found
    # Without a plan there is nothing to change, so that the rule starts one.
    if found and "no subscription" in results.get("change_plan", "") and "start_subscription" not in results:
        return "start_subscription", {"interval": "month"} | found[1]
    return None


def describe_results(results: dict[str, str], language: Language) -> str | None:
    """The last billing tool's result in a sentence; None if no billing tool was called."""
    tool = next((name for name in reversed(list(results)) if name in _ANSWERS), None)
    if tool is None:
        return None
    result = results[tool]
    if result.startswith("Error: "):
        return _SAY[next((key for words, key in _TROUBLE if words in result), "trouble")][language]
    return _ANSWERS[tool](result, language)


def _subscription(result: str, language: Language) -> str:
    facts = json.loads(result)
    card = facts["payment_method"] or _SAY["no_card"][language]
    price = facts.get("price") or ", ".join(f"{item['plan']}: {item['price']}" for item in facts.get("items", ()))
    said = [_SAY["plan"][language].format(plan=facts["plan"], price=price, card=card)]
    if "trial_ends" in facts:
        said.append(_SAY["trial"][language].format(day=facts["trial_ends"]))
    if facts["ends_then"]:
        said.append(_SAY["ends"][language].format(day=facts["period_ends"]))
    elif facts["next_charge"]:
        said.append(_SAY["renews"][language].format(**facts["next_charge"]))
    return " ".join(said)


def _invoices(result: str, language: Language) -> str:
    found = json.loads(result)["invoices"]
    lines = [
        f"- {invoice['number']}: {invoice['amount']}, {invoice['day']} ({_state(invoice['status'], language)})"
        for invoice in found
    ]
    return "\n".join([_SAY["invoices" if lines else "no_invoices"][language], *lines])


def _plans(result: str, language: Language) -> str:
    facts = json.loads(result)
    lines = [
        f"- *{plan['plan']}*: {', '.join(_price(price, language) for price in plan['prices'])}"
        for plan in facts["plans"]
    ]
    trial = [_SAY["trial_days"][language].format(days=facts["trial_days"])] if facts.get("trial_days") else []
    return "\n".join([_SAY["plans"][language], *lines, *trial])


def _price(words: str, language: Language) -> str:
    """An amount and its interval, which the tool names in English."""
    amount, _, interval = words.partition(" per ")
    return f"{amount} {_INTERVALS[interval][language]}" if interval in _INTERVALS else words


def _state(status: str, language: Language) -> str:
    return _STATES.get(status, {}).get(language, status)


def _sent_invoice(result: str, language: Language) -> str:
    """A mailed invoice names the address as the tool masks it."""
    address = _MASKED.search(result)
    if address:
        return _SAY["invoice_mailed"][language].format(address=address[0])
    return _SAY["invoice"][language]


def _checkout(result: str, language: Language) -> str:
    """The trial is named before the button that leads to the payment."""
    trial = _TRIAL.search(result)
    if trial:
        return _SAY["trial_first"][language].format(days=trial[1])
    return _SAY["page"][language]


def _short(name: str) -> Callable[[str, Language], str]:
    return lambda _, language: _SAY[name][language]


_MASKED = re.compile(r"[^\s@]{1,5}•••@[\w.-]{1,250}\w")
_TRIAL = re.compile(r"Trial: (\d{1,4}) days")
_INTERVALS: dict[str, dict[Language, str]] = {
    "day": {"es": "al día", "en": "a day"},
    "week": {"es": "a la semana", "en": "a week"},
    "month": {"es": "al mes", "en": "a month"},
    "year": {"es": "al año", "en": "a year"},
}
_STATES: dict[str, dict[Language, str]] = {
    "paid": {"es": "pagada", "en": "paid"},
    "open": {"es": "por pagar", "en": "to be paid"},
    "draft": {"es": "en preparación", "en": "in preparation"},
    "void": {"es": "anulada", "en": "void"},
    "uncollectible": {"es": "incobrable", "en": "uncollectible"},
}
# Words of a tool's error, and the answer to a customer, who must not read the error itself.
_TROUBLE = (
    ("not known which account", "who"),
    ("waits for its first payment", "first_payment"),
    ("there is no subscription", "no_subscription"),
    ("that very plan already", "same_plan"),
    ("have a subscription already", "has_plan"),
    ("cancelled already", "cancelled"),
    ("not cancelled", "not_cancelled"),
    ("is to end", "resume_first"),
    ("waits for its payment", "waiting_payment"),
    ("no such plan", "no_plan"),
    ("several accounts have this number", "accounts"),
    ("several", "which"),
    ("no such invoice", "no_invoice"),
    ("by e-mail", "not_mailed"),
    ("too many codes", "many_codes"),
    ("code", "wrong_code"),
)

_ANSWERS: dict[str, Callable[[str, Language], str]] = {
    "get_subscription": _subscription,
    "list_invoices": _invoices,
    "list_plans": _plans,
    "send_invoice": _sent_invoice,
    "change_plan": _short("card"),
    "cancel_subscription": _short("card"),
    "resume_subscription": _short("card"),
    "start_subscription": _checkout,
    "open_portal": _short("page"),
    "verify_email": _short("code"),
    "confirm_code": lambda result, language: _SAY["looked_at" if "colleague" in result else "linked"][language],
}
_SAY: dict[str, dict[Language, str]] = {
    "plan": {
        "es": "Tienes el plan *{plan}* por {price}. Tarjeta: {card}.",
        "en": "You have the plan *{plan}* for {price}. Card: {card}.",
    },
    "renews": {
        "es": "Próximo cobro: {amount}, el {day}.",
        "en": "Next charge: {amount}, on {day}.",
    },
    "ends": {"es": "Termina el {day} y no se renueva.", "en": "It ends on {day} and is not renewed."},
    "invoices": {"es": "Tus facturas:", "en": "Your invoices:"},
    "no_invoices": {"es": "Todavía no tienes facturas.", "en": "You have no invoices yet."},
    "plans": {"es": "Estos son los planes:", "en": "These are the plans:"},
    "no_card": {"es": "ninguna", "en": "none"},
    "trial": {"es": "La prueba termina el {day}.", "en": "The trial ends on {day}."},
    "trial_days": {"es": "Los primeros {days} días son gratis.", "en": "The first {days} days are free."},
    "trial_first": {
        "es": "Empiezas con {days} días de prueba gratis: hoy no se cobra nada. Toca el botón:",
        "en": "You begin with a free trial of {days} days: nothing is charged today. Tap the button:",
    },
    "invoice_mailed": {
        "es": "Listo, te la mandé a {address}.",
        "en": "Done, I sent it to {address}.",
    },
    "invoice": {"es": "Aquí va tu factura.", "en": "Here is your invoice."},
    "card": {"es": "Revísalo y toca un botón:", "en": "Have a look and tap a button:"},
    "page": {"es": "Toca el botón:", "en": "Tap the button:"},
    "code": {
        "es": "Si hay una cuenta con ese correo, te llega un código de 6 dígitos. Escríbelo aquí.",
        "en": "If there is an account with that address, a code of 6 digits is on its way. Type it here.",
    },
    "linked": {"es": "Listo, ya sé cuál es tu cuenta.", "en": "Done, I know your account now."},
    "looked_at": {
        "es": "El código es correcto, pero una persona del equipo tiene que revisar esta cuenta. Ya le avisé.",
        "en": "The code is right, but somebody of the team has to look at this account. I have told them.",
    },
    "who": {
        "es": "No sé cuál es tu cuenta. ¿Con qué correo la abriste?",
        "en": "I don't know your account. Which e-mail address did you open it with?",
    },
    "trouble": {
        "es": "Ahora no se pudo. Si quieres, llamo a una persona del equipo.",
        "en": "That didn't work now. If you like, I call somebody of the team.",
    },
    "no_subscription": {
        "es": "No tienes una suscripción. Pregúntame por los planes para empezar una.",
        "en": "You have no subscription. Ask me about the plans to begin one.",
    },
    "first_payment": {
        "es": "Tu suscripción espera su primer pago. Dime «quiero el plan» y su nombre, y te doy el botón.",
        "en": "Your subscription waits for its first payment. Say “I want the plan” and its name for the button.",
    },
    "same_plan": {"es": "Ya tienes ese plan.", "en": "You have that plan already."},
    "has_plan": {
        "es": "Ya tienes una suscripción. Si quieres, la cambio de plan.",
        "en": "You have a subscription already. If you like, I change its plan.",
    },
    "cancelled": {
        "es": "Ya está cancelada: termina con el periodo pagado. Para conservarla, dime «reanudar mi plan».",
        "en": "It is cancelled already: it ends with the paid period. To keep it, say “resume my plan”.",
    },
    "not_cancelled": {
        "es": "Tu suscripción sigue activa: no hay nada que reanudar.",
        "en": "Your subscription is active: there is nothing to resume.",
    },
    "resume_first": {
        "es": "Tu suscripción va a terminar. Primero dime «reanudar mi plan».",
        "en": "Your subscription is to end. First say “resume my plan”.",
    },
    "waiting_payment": {
        "es": "Un cambio anterior espera su pago. Puedes hacerlo en tu portal: dime «portal».",
        "en": "An earlier change waits for its payment. You can pay it in your portal: say “portal”.",
    },
    "no_plan": {
        "es": "No hay un plan así. Pregúntame por los planes.",
        "en": "There is no such plan. Ask me about the plans.",
    },
    "accounts": {
        "es": "Hay varias cuentas con tu número, así que ya avisé a una persona del equipo.",
        "en": "Several accounts have your number, so I have told somebody of the team.",
    },
    "which": {
        "es": "Tienes varias suscripciones. ¿Cuál? Escribe el nombre del plan.",
        "en": "You have several subscriptions. Which one? Write the plan's name.",
    },
    "no_invoice": {"es": "No encuentro esa factura tuya.", "en": "I find no such invoice of yours."},
    "not_mailed": {
        "es": "Esa factura no se puede mandar por correo. Puedo mandarla aquí: dime «mándame la factura».",
        "en": "That invoice can't be mailed. I can send it here: say “send me the invoice”.",
    },
    "wrong_code": {
        "es": "Ese código no es, o ya venció. Revísalo, o escribe tu correo para recibir otro.",
        "en": "That code is wrong or too old. Check it, or write your e-mail address for another.",
    },
    "many_codes": {
        "es": "Pediste demasiados códigos. Inténtalo en una hora.",
        "en": "Too many codes were asked for. Try again in an hour.",
    },
}
