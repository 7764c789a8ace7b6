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
    r"mi plan|mi suscripci[oó]n|pr[oó]ximo cobro|qu[eé] plan tengo|"
    r"my plan|my subscription|(?:what|which) plan (?:do|am) i"
)
_NEW = r"(?:soy nuev[oa]|cliente nuev[oa]|no tengo cuenta|i am new|i['’]m new|new customer|no account)"
_EMAIL = r"(?<![\w.+-])(?P<email>[\w.+-]++@[\w-]++\.[\w.]+)"
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


def _nothing(_: _Match) -> dict[str, Any]:
    return {}


# The first matching rule wins; it calls its tool if that is offered.
_RULES: tuple[tuple[str, str, Callable[[_Match], dict[str, Any]]], ...] = (
    (r"^\W*(?P<code>\d{6})\W*$", "confirm_code", lambda found: {"code": found["code"]}),
    (_EMAIL, "verify_email", lambda found: {"email": found["email"]}),
    (
        r"\b(m[aá]nda|env[ií]a|send|quiero|necesito|dame)\w*\b.{0,200}\b(factura|invoice|recibo)\b",
        "send_invoice",
        _invoice,
    ),
    (r"\b(facturas?|invoices?|recibos?|mis pagos|my payments)\b", "list_invoices", _nothing),
    (
        r"\b(cancela\w*|cancel|dar de baja)\b.{0,200}\b(suscripci[oó]n|plan|subscription)\b",
        "cancel_subscription",
        _nothing,
    ),
    (r"\b(reactiva\w*|reanuda\w*|resume|seguir con mi plan|no cancel\w*)\b", "resume_subscription", _nothing),
    (rf"\b{_NEW}\b.{{0,200}}\b(?P<plan>{_PLAN})\b", "start_subscription", _first_plan),
    (rf"\b(quiero|c[aá]mbia\w*|p[aá]same|want|change|switch)\b.{{0,200}}\b(?P<plan>{_PLAN})\b", "change_plan", _plan),
    (r"\b(portal|mi tarjeta|m[eé]todo de pago|my card|payment method)\b", "open_portal", _nothing),
    (rf"\b({_MINE})\b", "get_subscription", _nothing),
    (r"\b(qu[eé] planes|planes|plans)\b", "list_plans", _nothing),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), tool, make) for pattern, tool, make in _RULES)


def next_tool_call(words: str, results: dict[str, str], offered: set[Any]) -> tuple[str, dict[str, Any]] | None:
    """The next tool call and its arguments; None where billing has nothing to do."""
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
    """The last billing tool's result in a sentence; None where no billing tool was called."""
    tool = next((name for name in reversed(list(results)) if name in _ANSWERS), None)
    if tool is None:
        return None
    result = results[tool]
    if result.startswith("Error: "):
        unknown = "not known which account" in result
        return _SAY["who" if unknown and "verify_email" in result else "trouble"][language].format(why=result[7:])
    return _ANSWERS[tool](result, language)


def _subscription(result: str, language: Language) -> str:
    facts = json.loads(result)
    ends = _SAY["ends" if facts["ends_then"] else "renews"][language].format(**facts)
    return _SAY["plan"][language].format(**facts) + " " + ends


def _invoices(result: str, language: Language) -> str:
    found = json.loads(result)["invoices"]
    lines = [f"- {one['number']}: {one['amount']}, {one['day']} ({one['status']})" for one in found]
    return "\n".join([_SAY["invoices" if lines else "no_invoices"][language], *lines])


def _plans(result: str, language: Language) -> str:
    lines = [f"- *{one['plan']}*: {', '.join(one['prices'])}" for one in json.loads(result)["plans"]]
    return "\n".join([_SAY["plans"][language], *lines])


def _short(name: str) -> Callable[[str, Language], str]:
    return lambda _, language: _SAY[name][language]


_ANSWERS: dict[str, Callable[[str, Language], str]] = {
    "get_subscription": _subscription,
    "list_invoices": _invoices,
    "list_plans": _plans,
    "send_invoice": _short("invoice"),
    "change_plan": _short("card"),
    "cancel_subscription": _short("card"),
    "resume_subscription": _short("card"),
    "start_subscription": _short("page"),
    "open_portal": _short("page"),
    "verify_email": _short("code"),
    "confirm_code": _short("linked"),
}
_SAY: dict[str, dict[Language, str]] = {
    "plan": {
        "es": "Tienes el plan *{plan}* por {price}. Tarjeta: {payment_method}.",
        "en": "You have the plan *{plan}* for {price}. Card: {payment_method}.",
    },
    "renews": {
        "es": "Próximo cobro: {next_charge[amount]}, el {next_charge[day]}.",
        "en": "Next charge: {next_charge[amount]}, on {next_charge[day]}.",
    },
    "ends": {"es": "Termina el {period_ends} y no se renueva.", "en": "It ends on {period_ends}."},
    "invoices": {"es": "Tus facturas:", "en": "Your invoices:"},
    "no_invoices": {"es": "Todavía no tienes facturas.", "en": "You have no invoices yet."},
    "plans": {"es": "Estos son los planes:", "en": "These are the plans:"},
    "invoice": {"es": "Aquí va tu factura.", "en": "Here is your invoice."},
    "card": {"es": "Revísalo y toca un botón:", "en": "Have a look and tap a button:"},
    "page": {"es": "Toca el botón:", "en": "Tap the button:"},
    "code": {
        "es": "Si hay una cuenta con ese correo, te llega un código de 6 dígitos. Escríbelo aquí.",
        "en": "If there is an account with that address, a code of 6 digits is on its way. Type it here.",
    },
    "linked": {"es": "Listo, ya sé cuál es tu cuenta.", "en": "Done, I know your account now."},
    "who": {
        "es": "No sé cuál es tu cuenta. ¿Con qué correo la abriste?",
        "en": "I don't know your account. Which e-mail address did you open it with?",
    },
    "trouble": {"es": "No se pudo: {why}", "en": "That didn't work: {why}"},
}
