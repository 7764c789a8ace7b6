"""A rule-based substitute for a language model: it reads the same messages as a model and calls the real tools."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.messages.language import Language, language_of
from sandbox.simulators import (
    message_answers,
    opening_hours,
    rule_based_billing,
    rule_based_knowledge,
    rule_based_products,
)

_HOURS = re.compile(
    r"\b(abre[ns]?|abiert[oa]s?|cierra[ns]?|cerrad[oa]s?|horarios?|a qué hora|a que hora|open|opening|close[sd]?|"
    r"hours?)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(direcci[oó]n|d[oó]nde est[aá]n|ubicados|c[oó]mo llego|address|where are you|located)\b", re.IGNORECASE
)
_PLACE_LINE = re.compile(r"^[-* ]{0,5}(?:direcci[oó]n|address)\b.*$", re.IGNORECASE | re.MULTILINE)
_PLACE_NAME = re.compile(r"^[-* ]{0,5}(?:direcci[oó]n|address)", re.IGNORECASE)
_PLANS = re.compile(r"\b(planes|plan|plans|precios?|prices?|cu[aá]nto cuesta|how much)\b", re.IGNORECASE)
_PERSON = re.compile(
    r"\b(una persona|con alguien|humano|asesora?|agente|encargad[oa]|queja|human|agent|a person|somebody|someone)\b",
    re.IGNORECASE,
)
_NOTIFY = re.compile(r"\b(av[ií]sa(me|rme)|avisos|notificaci[oó]n(es)?|notify me|notifications?)\b", re.IGNORECASE)
_THANKS = re.compile(r"\b(gracias|thanks|thank you)\b", re.IGNORECASE)
_EXPORT = re.compile(r"\b(exporta\w*|export|cat[aá]logo|catalogue|catalog)\b", re.IGNORECASE)
_FILES = re.compile(
    r"\b((?:mis|qu[eé]) (?:archivos|documentos)|(?:my|what|which) (?:files|documents))\b", re.IGNORECASE
)
_HELP = re.compile(
    r"\b(qu[eé] (?:puedes|sabes) hacer|qu[eé] haces|ayuda|ay[uú]dame|informes|informaci[oó]n|what can you do|"
    r"what do you do|help|information|qui[eé]n eres|who are you|(?:un|eres|a|you) (?:ro)?bot|"
    r"una m[aá]quina|a machine)\b",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\W*+(?:(?:hola|buenas(?: tardes| noches)?|buenos d[ií]as|qu[eé] (?:onda|tal)|hi|hey|hello|"
    r"good (?:morning|afternoon|evening)|hay alguien(?: ah[ií]| aqu[ií])?|(?:is )?any(?:body|one) (?:there|here))"
    r"\b\W*+)+",
    re.IGNORECASE,
)
_AGREED = re.compile(
    r"\W*+(s[ií]|no|ok|okay|okey|vale|va|listo|perfecto|claro|de acuerdo|est[aá] bien|yes|yep|sure|fine|"
    r"great|all right)\W*+",
    re.IGNORECASE,
)
_GOODBYE = re.compile(r"\W*+(adi[oó]s|hasta luego|nos vemos|bye|bye bye|goodbye|see you(?: later)?)\W*+", re.IGNORECASE)
_NEW_PRODUCT = re.compile(
    r"\b(agrega\w*|a[ñn]ad\w{1,4}|guarda\w*|regist\w+|add|save)\b.{0,40}\b(productos?|products?)\b", re.IGNORECASE
)
# Words without which `language_of` can't tell an English message from a Spanish one.
_ENGLISH = re.compile(
    r"\b(cancel|resume|invoices?|subscription|subscribe|change|card|export|catalogue|upgrade|payments?|agent|human|"
    r"prices|plans|files|notifications?|help|trial|bye|goodbye|yes|sure|fine|great|charged|sign up|products?|"
    r"address|located|hours|stop)\b",
    re.IGNORECASE,
)
_LONGEST = 300


def answer_by_rules(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
    """An assistant message: a tool call where a rule asks for an offered tool, else a text."""
    said, results = _latest(messages)
    if not tools and (summary := message_answers.summarised(said)):
        return {"role": "assistant", "content": summary}
    said, colleague = _without_give_back(said)
    if colleague and not said:
        language = _language("", messages)
        return {"role": "assistant", "content": _SAY["given_back"][language].format(name=colleague)}
    return _answer(said, results, messages, tools)


def _answer(
    said: str, results: dict[str, str], messages: list[dict[str, Any]], tools: list[dict[str, Any]]
) -> dict[str, Any]:
    words = " ".join(message_answers.words_of(said))
    language = _language(words, messages)
    offered = {tool.get("function", {}).get("name") for tool in tools}
    of_products = not results and not any(rule.search(words) for rule in (_PERSON, _NOTIFY, _HOURS, _PLACE, _FILES))
    if of_products and (looked_up := rule_based_products.next_tool_call(said, words, offered)):
        return _call(*looked_up)
    about_price = _PLANS.search(words) and rule_based_knowledge.is_price_of_something(words, offered)
    if about_price and not results:
        return _call(rule_based_knowledge.TOOL, {"question": words[:500]})
    if billing := rule_based_billing.next_tool_call(words, results, offered):
        return _call(*billing)
    staff = "export_products" in offered
    if not results and (call := _tool_call(words, language, offered)):
        return call
    # A voice note or the first message after an ad may tell something that no document answers.
    tells = message_answers.described(said, language) and "?" not in words
    may_search = not tells and (not results or rule_based_products.found_nothing(results))
    if may_search and not _small_talk(words, staff=staff) and rule_based_knowledge.is_question(words, offered):
        return _call(rule_based_knowledge.TOOL, {"question": words[:500]})
    text = _text(said, words, results, language, staff=staff)
    return {"role": "assistant", "content": text}


def _tool_call(words: str, language: Language, offered: set[Any]) -> dict[str, Any] | None:
    """The first rule that asks for an offered tool."""
    reason = _SAY["reason"][language].format(words=words[:200])
    rules: tuple[tuple[re.Pattern[str], str, dict[str, Any]], ...] = (
        (_PERSON, "talk_to_a_person", {"reason": reason}),
        (_NOTIFY, "notify_me", {}),
        (_EXPORT, "export_products", {}),
        (_FILES, "list_files", {}),
        (_HOURS, "business_hours", {}),
        (_PLACE, "business_hours", {}),
        (_PLANS, "business_hours", {}),
    )
    return next((_call(tool, given) for rule, tool, given in rules if tool in offered and rule.search(words)), None)


def _language(words: str, messages: list[dict[str, Any]]) -> Language:
    """The language of these words, else of the person's latest words that tell."""
    if found := language_of(words):
        return found
    if _ENGLISH.search(words):
        return "en"
    for message in reversed(messages):
        if message["role"] == "user" and (found := language_of(" ".join(message_answers.words_of(_typed(message))))):
            return found
    return "es"


def _typed(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else str(content[0].get("text", ""))


def _latest(messages: list[dict[str, Any]]) -> tuple[str, dict[str, str]]:
    """The person's last message, and the results of the tools called since then, by tool."""
    names: dict[str, str] = {}
    results: dict[str, str] = {}
    said, open_question = "", ""
    for message in messages:
        if message["role"] == "user":
            # A colleague's note asks for nothing: the answer is for what nobody has answered before it.
            said = _typed(message)
            said = open_question if open_question and "<given_back>" in said else said
            # The colleague who gives it back was the person that the customer wanted.
            open_question = "" if _PERSON.search(said) else said
            results = {}
        elif message["role"] == "assistant" and message.get("content"):
            open_question = ""
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if message["role"] == "tool":
            results[names.get(message["tool_call_id"], "")] = str(message["content"])
    return said, results


def _without_give_back(said: str) -> tuple[str, str]:
    """The words without the note of a colleague who gave the conversation back, and the colleague's name."""
    before, _, rest = said.partition("<given_back>")
    note, _, after = rest.partition("</given_back>")
    return f"{before}{after}".strip(), note.partition("<by>")[2].partition("</by>")[0]


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
    }


def _text(said: str, words: str, results: dict[str, str], language: Language, *, staff: bool) -> str:
    if "talk_to_a_person" in results:
        return _SAY["person"][language]
    if "notify_me" in results:
        # The button carries the text.
        return "-"
    if "find_products" in results and rule_based_knowledge.TOOL not in results:
        return rule_based_products.described(results["find_products"], language)
    seen = [*message_answers.described(said, language), *_of_results(words, results, language)]
    if seen:
        return "\n\n".join(seen)
    if small_talk := _small_talk(words, staff=staff):
        return _SAY[small_talk][language]
    return _SAY["echo"][language].format(words=words[:_LONGEST])


def _small_talk(words: str, *, staff: bool) -> str | None:
    """The answer's name in `_SAY` for words that need no tool."""
    if staff and _NEW_PRODUCT.search(words):
        return "new_product"
    if _HELP.search(words) or _GREETING.fullmatch(words):
        return "help_staff" if staff else "help"
    for rule, name in ((_THANKS, "welcome"), (_EXPORT, "staff_only")):
        if rule.search(words):
            return name
    return "agreed" if _AGREED.fullmatch(words) else "goodbye" if _GOODBYE.fullmatch(words) else None


def _of_results(words: str, results: dict[str, str], language: Language) -> list[str]:
    """A text for each tool that was called."""
    seen = []
    if billing := rule_based_billing.describe_results(results, language):
        seen.append(billing)
    if "business_hours" in results:
        seen.append(_hours(words, results["business_hours"], language))
    elif rule_based_knowledge.TOOL in results:
        seen.append(rule_based_knowledge.described(results[rule_based_knowledge.TOOL], language))
    if "export_products" in results:
        seen.append(_SAY[_exported(results["export_products"])][language])
    if "list_files" in results:
        seen.append(_files(results["list_files"], language))
    return seen


def _hours(words: str, result: str, language: Language) -> str:
    try:
        facts = json.loads(result)
    except ValueError:
        return _SAY["broken"][language]
    if _HOURS.search(words):
        return opening_hours.described(facts, language)
    about = str(facts["facts"])
    place = _PLACE_LINE.search(about) if _PLACE.search(words) else None
    return _PLACE_NAME.sub(_SAY["address"][language], place[0], count=1) if place else about


def _exported(result: str) -> str:
    if result.startswith("Error: "):
        return "not_exported"
    return "no_products" if "is empty" in result else "exported"


def _files(result: str, language: Language) -> str:
    try:
        found = json.loads(result)
        names = [str(file["name"]) for file in (found["files"] if isinstance(found, dict) else found)]
    except (ValueError, KeyError, TypeError):
        names = []
    return "\n".join([_SAY["files" if names else "no_files"][language], *(f"- {name}" for name in names)])


_SAY: dict[str, dict[Language, str]] = {
    "person": {
        "es": "Listo, ya avisé: una persona del equipo te escribe por aquí.",
        "en": "Done, I have called a colleague: somebody will write to you here.",
    },
    "reason": {"es": "Pide hablar con una persona: «{words}»", "en": "Asks for a person: “{words}”"},
    "given_back": {
        "es": "Gracias por esperar. Ya hablé con {name} y sigo contigo: ¿qué más necesitas?",
        "en": "Thank you for waiting. I have talked to {name} and go on with you: what else do you need?",
    },
    "welcome": {"es": "¡Con gusto! ¿Algo más?", "en": "You're welcome! Anything else?"},
    "help": {
        "es": "¡Hola! Soy el asistente virtual (en esta prueba, unas cuantas reglas). Puedo:\n"
        "- decirte el horario, la dirección, los planes y los precios de los productos\n"
        "- mostrarte tu plan y tus facturas, o mandarte una por correo\n"
        "- cambiar, cancelar o reanudar tu plan, y cambiar tu tarjeta\n"
        "- escuchar notas de voz, y leer fotos y documentos\n"
        "- llamar a una persona del equipo",
        "en": "Hello! I am the virtual assistant (in this trial, a handful of rules). I can:\n"
        "- tell you the opening hours, the address, the plans and the prices of products\n"
        "- show your plan and your invoices, or mail you one\n"
        "- change, cancel or resume your plan, and change your card\n"
        "- listen to voice notes, and read photos and documents\n"
        "- call somebody of the team",
    },
    "help_staff": {
        "es": "¡Hola! Soy el asistente virtual (en esta prueba, unas cuantas reglas). Como eres del personal, puedo:\n"
        "- guardar un producto: mándame fotos de su etiqueta\n"
        "- exportar el catálogo: dime «exporta el catálogo»\n"
        "- lo mismo que a un cliente: horario, planes, facturas, una persona del equipo",
        "en": "Hello! I am the virtual assistant (in this trial, a handful of rules). As you are staff, I can:\n"
        "- save a product: send me photos of its label\n"
        "- export the catalogue: say “export the catalogue”\n"
        "- do what I do for a customer: hours, plans, invoices, somebody of the team",
    },
    "new_product": {
        "es": "Mándame una o varias fotos de la etiqueta: leo el nombre, el precio y el código, y tú confirmas.",
        "en": "Send me one or more photos of the label: I read name, price and code, and you confirm.",
    },
    "address": {"es": "Dirección", "en": "Address"},
    "agreed": {"es": "De acuerdo. ¿Algo más?", "en": "All right. Anything else?"},
    "goodbye": {"es": "¡Hasta luego!", "en": "Goodbye!"},
    "echo": {
        "es": "Te leí: «{words}». Soy un doble de pruebas con reglas, no un modelo de lenguaje: pregúntame por "
        "horarios, planes o una persona, o mándame una nota de voz, una foto, un PDF o tu ubicación.",
        "en": "I read: “{words}”. I am a rule-based stand-in, not a language model: ask me about opening hours, plans "
        "or a person, or send me a voice note, a photo, a PDF or your location.",
    },
    "broken": {"es": "Ahora no puedo consultar los horarios.", "en": "I can't look up the hours right now."},
    "exported": {"es": "Aquí va el catálogo.", "en": "Here is the catalogue."},
    "no_products": {
        "es": "Todavía no hay fichas confirmadas por el personal: manda fotos de un producto para guardar la primera.",
        "en": "No card has been confirmed by staff yet: send photos of a product to save the first.",
    },
    "not_exported": {
        "es": "Ahora no puedo mandar el catálogo. Inténtalo en unos minutos.",
        "en": "I can't send the catalogue right now. Try again in a few minutes.",
    },
    "staff_only": {
        "es": "El catálogo completo sólo lo exporta el personal. Si buscas un producto, pide una persona del equipo.",
        "en": "Only staff export the whole catalogue. If you look for a product, ask for somebody of the team.",
    },
    "files": {"es": "Tus archivos:", "en": "Your files:"},
    "no_files": {"es": "Todavía no tienes archivos.", "en": "You have no files yet."},
}
