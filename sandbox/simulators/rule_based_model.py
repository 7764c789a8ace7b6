"""A rule-based substitute for a language model: it reads the same messages as a model and calls the real tools."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from bot.messages.language import Language, language_of
from sandbox.simulators import rule_based_billing

_HOURS = re.compile(
    r"\b(abre[ns]?|abiert[oa]|cierra[ns]?|horarios?|a qué hora|a que hora|open|close[sd]?|hours?|direcci[oó]n|address|"
    r"d[oó]nde est[aá]n|where are|planes|plan|plans|precios?|prices?|cu[aá]nto cuesta|how much)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(una persona|con alguien|humano|asesor|agente|encargado|queja|human|agent|a person|somebody|someone real)\b",
    re.IGNORECASE,
)
_NOTIFY = re.compile(r"\b(av[ií]sa(me|rme)|avisos|notificaci[oó]n(es)?|notify me|notifications?)\b", re.IGNORECASE)
_THANKS = re.compile(r"\b(gracias|thanks|thank you)\b", re.IGNORECASE)
_TAGS = "voice_note|video|photo|document|location|contact_cards|order|sticker|tapped"
# These tags don't nest.
_TAG = re.compile(rf"<({_TAGS})>((?:[^<]|<(?!/?(?:{_TAGS})>))*)</\1>")
_FIELD = re.compile(r"<(\w++)>([^<]*+)</\1>")
_LONGEST = 300


def answer_by_rules(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
    """An assistant message: a tool call where a rule asks for an offered tool, else a text."""
    said, results = _latest(messages)
    words = " ".join(_words(said))
    language = language_of(words) or "es"
    offered = {tool.get("function", {}).get("name") for tool in tools}
    if billing := rule_based_billing.next_tool_call(words, results, offered):
        return _call(*billing)
    if not results:
        if _PERSON.search(words) and "talk_to_a_person" in offered:
            return _call("talk_to_a_person", {"reason": f"The customer asks for a person: {words[:200]}"})
        if _NOTIFY.search(words) and "notify_me" in offered:
            return _call("notify_me", {})
        if _HOURS.search(words) and "business_hours" in offered:
            return _call("business_hours", {})
    return {"role": "assistant", "content": _text(said, words, results, language)}


def _latest(messages: list[dict[str, Any]]) -> tuple[str, dict[str, str]]:
    """The person's last message, and the results of the tools called since then, by tool."""
    names: dict[str, str] = {}
    results: dict[str, str] = {}
    said = ""
    for message in messages:
        if message["role"] == "user":
            content = message["content"]
            said = content if isinstance(content, str) else content[0].get("text", "")
            results = {}
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if message["role"] == "tool":
            results[names.get(message["tool_call_id"], "")] = str(message["content"])
    return said, results


def _words(said: str) -> list[str]:
    """The person's own text, typed or in voice notes, without the text of documents."""
    typed = _TAG.sub(" ", said).strip()
    spoken = [dict(_FIELD.findall(inside)).get("transcript", "") for _, inside in _TAG.findall(said)]
    return [unescape(words) for words in (typed, *spoken) if words]


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
    }


def _text(said: str, words: str, results: dict[str, str], language: Language) -> str:
    if "talk_to_a_person" in results:
        return _SAY["person"][language]
    if "notify_me" in results:
        # The button carries the text.
        return "-"
    seen = [
        _SEEN[tag]({name: unescape(value) for name, value in _FIELD.findall(inside)}, language)
        for tag, inside in _TAG.findall(said)
        if tag in _SEEN
    ]
    if billing := rule_based_billing.describe_results(results, language):
        seen.append(billing)
    if "business_hours" in results:
        seen.append(_hours(results["business_hours"], language))
    if seen:
        return "\n\n".join(seen)
    if _THANKS.search(words):
        return _SAY["welcome"][language]
    return _SAY["echo"][language].format(words=words[:_LONGEST])


def _hours(result: str, language: Language) -> str:
    try:
        facts = json.loads(result)
    except ValueError:
        return _SAY["broken"][language]
    today = facts["now"].partition(" ")[0].lower()
    hours = facts["hours"].get(today)
    state = _SAY["open" if facts["open_now"] else "closed"][language]
    shown = _SAY["no_hours"][language] if hours == "closed" else ", ".join(hours)
    weekdays = ", ".join(facts["hours"]["monday"]) if isinstance(facts["hours"]["monday"], list) else "-"
    return _SAY["hours"][language].format(state=state, today=shown, week=weekdays, facts=facts["facts"])


def _voice(facts: dict[str, str], language: Language) -> str:
    return _SAY["voice"][language].format(seconds=facts.get("seconds", "?"), words=facts.get("transcript", ""))


def _photo(facts: dict[str, str], language: Language) -> str:
    read = facts.get("text_read", "")
    lines = [_SAY["photo"][language]]
    if read and read != "none":
        lines.append("> " + " / ".join(read[:_LONGEST].splitlines()))
        prices = re.findall(r"\$\s?[\d.,]+\d", read)
        if prices:
            lines.append(_SAY["price"][language].format(price=prices[0]))
    if facts.get("codes"):
        lines.append(_SAY["code"][language].format(code=facts["codes"]))
    if len(lines) == 1:
        lines.append(_SAY["nothing_read"][language])
    return "\n".join(lines)


def _document(facts: dict[str, str], language: Language) -> str:
    first = " / ".join(line for line in facts.get("text", "").splitlines() if line.strip())[:_LONGEST]
    name = facts.get("filename", "PDF")
    return _SAY["document"][language].format(name=name, pages=facts.get("pages", "1"), first=first)


def _location(facts: dict[str, str], language: Language) -> str:
    place = ", ".join(facts[name] for name in ("name", "address", "coordinates") if facts.get(name))
    return _SAY["location"][language].format(place=place)


_SEEN: dict[str, Callable[[dict[str, str], Language], str]] = {
    "voice_note": _voice,
    "video": _voice,
    "photo": _photo,
    "document": _document,
    "location": _location,
}

_SAY: dict[str, dict[Language, str]] = {
    "person": {
        "es": "Listo, ya avisé: una persona del equipo te escribe por aquí.",
        "en": "Done, I have called a colleague: somebody will write to you here.",
    },
    "welcome": {"es": "¡Con gusto! ¿Algo más?", "en": "You're welcome! Anything else?"},
    "echo": {
        "es": "Te leí: «{words}». Soy un doble de pruebas con reglas, no un modelo de lenguaje: pregúntame por "
        "horarios, planes o una persona, o mándame una nota de voz, una foto, un PDF o tu ubicación.",
        "en": "I read: “{words}”. I am a rule-based stand-in, not a language model: ask me about opening hours, plans "
        "or a person, or send me a voice note, a photo, a PDF or your location.",
    },
    "broken": {"es": "Ahora no puedo consultar los horarios.", "en": "I can't look up the hours right now."},
    "open": {"es": "Ahora está *abierto*", "en": "It is *open* now"},
    "closed": {"es": "Ahora está *cerrado*", "en": "It is *closed* now"},
    "no_hours": {"es": "no abrimos", "en": "we don't open"},
    "hours": {
        "es": "{state}. Hoy: {today}. De lunes a viernes: {week}.\n\n{facts}",
        "en": "{state}. Today: {today}. Monday to Friday: {week}.\n\n{facts}",
    },
    "voice": {
        "es": "Escuché tu audio ({seconds} s): «{words}»",
        "en": "I listened to your audio ({seconds} s): “{words}”",
    },
    "photo": {"es": "Vi tu foto. Dice:", "en": "I looked at your photo. It says:"},
    "price": {"es": "Precio: *{price}*", "en": "Price: *{price}*"},
    "code": {"es": "Código: {code}", "en": "Code: {code}"},
    "nothing_read": {
        "es": "(no encontré texto ni códigos; ¿qué necesitas saber?)",
        "en": "(no text or codes found; what would you like to know?)",
    },
    "document": {
        "es": "Leí *{name}* ({pages} pág.): «{first}»",
        "en": "I read *{name}* ({pages} p.): “{first}”",
    },
    "location": {"es": "Recibí tu ubicación: {place}", "en": "I got your location: {place}"},
}
