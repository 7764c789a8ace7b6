"""Answers to messages that aren't words: what was received, and the next thing to ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from bot.messages.language import Language

_TAGS = (
    "voice_note|video|photo|document|location|contact_cards|order|sticker|tapped|form|lost_file|unreadable_message|"
    "came_from_ad|replying_to|given_back|asking_about_product|forwarded_message|edited_caption|tap_settled|conversation"
)
# These tags don't nest.
_TAG = re.compile(rf"<({_TAGS})>((?:[^<]|<(?!/?(?:{_TAGS})>))*)</\1>")
_FIELD = re.compile(r"<(\w++)>([^<]*+)</\1>")
_FORWARDED = "(forwarded:)"
_LONGEST = 300
_SUMMARISED, _MOST_SUMMARISED = 60, 8


def summarised(said: str) -> str | None:
    """A summary, if the request has a conversation to summarise: the person's messages, the latest last."""
    talks = [inside for tag, inside in _TAG.findall(said) if tag == "conversation"]
    lines = dict(_FIELD.findall(talks[0])).get("lines") if talks else None
    if lines is None:
        return None
    written = [" ".join(words_of(unescape(line))) for line in re.findall(r"^user: (.*)$", lines, re.MULTILINE)]
    latest = [f"«{line[:_SUMMARISED]}»" for line in written if line][-_MOST_SUMMARISED:]
    return f"La persona escribió: {', '.join(latest)}." if latest else "La persona mandó archivos."


def words_of(said: str) -> list[str]:
    """The person's own text, typed or in voice notes, without the text of documents and quotes."""
    typed = _TAG.sub(" ", said).replace(_FORWARDED, " ").strip()
    spoken = [dict(_FIELD.findall(inside)).get("transcript", "") for _, inside in _TAG.findall(said)]
    return [unescape(words) for words in (typed, *spoken) if words]


def described(said: str, language: Language) -> list[str]:
    """A sentence for each part of the message that isn't typed."""
    return [
        _SEEN[tag]({name: unescape(value) for name, value in _FIELD.findall(inside)}, language)
        for tag, inside in _TAG.findall(said)
        if tag in _SEEN
    ]


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
        return _SAY["nothing_read"][language]
    return "\n".join(lines)


def _document(facts: dict[str, str], language: Language) -> str:
    first = " / ".join(line for line in facts.get("text", "").splitlines() if line.strip())[:_LONGEST]
    name = facts.get("filename", "PDF")
    return _SAY["document"][language].format(name=name, pages=facts.get("pages", "1"), first=first)


def _location(facts: dict[str, str], language: Language) -> str:
    place = ", ".join(facts[name] for name in ("name", "address", "coordinates") if facts.get(name))
    return _SAY["location"][language].format(place=place)


def _fact(key: str, *names: str) -> Callable[[dict[str, str], Language], str]:
    """A sentence with the first of these facts that is there."""

    def say(facts: dict[str, str], language: Language) -> str:
        fact = next((facts[name] for name in names if facts.get(name)), "")
        return _SAY[key][language].format(fact=" ".join(fact.split())[:_LONGEST])

    return say


def _cards(facts: dict[str, str], language: Language) -> str:
    """The cards without what only a model is told of them."""
    return _SAY["cards"][language].format(fact=facts.get("cards", "").partition(" (the sender")[0][:_LONGEST])


_SEEN: dict[str, Callable[[dict[str, str], Language], str]] = {
    "voice_note": _voice,
    "video": _voice,
    "photo": _photo,
    "document": _document,
    "location": _location,
    "contact_cards": _cards,
    "order": _fact("order", "items"),
    "sticker": _fact("sticker"),
    "tapped": _fact("tapped", "title"),
    "form": _fact("form", "answers"),
    "lost_file": _fact("lost"),
    "unreadable_message": _fact("unreadable"),
    "came_from_ad": _fact("ad", "headline", "text", "source"),
    "asking_about_product": _fact("product", "product"),
    "forwarded_message": _fact("forwarded", "text"),
}
_SAY: dict[str, dict[Language, str]] = {
    "voice": {
        "es": "Escuché tu audio ({seconds} s): «{words}»",
        "en": "I listened to your audio ({seconds} s): “{words}”",
    },
    "photo": {"es": "Vi tu foto. Dice:", "en": "I looked at your photo. It says:"},
    "price": {"es": "Precio: *{price}*", "en": "Price: *{price}*"},
    "code": {"es": "Código: {code}", "en": "Code: {code}"},
    "nothing_read": {
        "es": "Vi tu foto, pero no encontré texto ni códigos. ¿Qué necesitas saber?",
        "en": "I looked at your photo, but found no text or codes. What would you like to know?",
    },
    "document": {
        "es": "Leí *{name}* ({pages} pág.): «{first}»",
        "en": "I read *{name}* ({pages} p.): “{first}”",
    },
    "location": {"es": "Recibí tu ubicación: {place}", "en": "I got your location: {place}"},
    "cards": {"es": "Recibí el contacto de {fact}.", "en": "I got the contact of {fact}."},
    "order": {
        "es": "Recibí tu pedido: {fact}. Una persona del equipo lo confirma contigo si me dices «quiero hablar con una "
        "persona».",
        "en": "I got your order: {fact}. Somebody of the team confirms it with you if you say “I want to talk to a "
        "person”.",
    },
    "sticker": {"es": "¡Qué buen sticker! ¿En qué te ayudo?", "en": "Nice sticker! How can I help?"},
    "tapped": {"es": "Elegiste «{fact}». ¿Algo más?", "en": "You chose “{fact}”. Anything else?"},
    "form": {"es": "Recibí tu formulario: {fact}.", "en": "I got your form: {fact}."},
    "lost": {
        "es": "Tu archivo no llegó. ¿Me lo mandas otra vez?",
        "en": "Your file did not arrive. Could you send it again?",
    },
    "unreadable": {
        "es": "Ese tipo de mensaje no lo puedo leer aquí. ¿Me lo escribes?",
        "en": "I can't read that kind of message here. Could you type it?",
    },
    "ad": {
        "es": "Vienes de nuestro anuncio «{fact}». ¿En qué te ayudo?",
        "en": "You come from our ad “{fact}”. How can I help?",
    },
    "product": {
        "es": "Preguntas por el producto *{fact}*. Dime qué quieres saber, o pide una persona.",
        "en": "You ask about the product *{fact}*. Tell me what you want to know, or ask for a person.",
    },
    "forwarded": {
        "es": "Leí lo que reenviaste: «{fact}». ¿Qué hago con eso?",
        "en": "I read what you forwarded: “{fact}”. What shall I do with it?",
    },
}
