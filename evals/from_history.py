"""A case from what happened in a conversation: what was said and perceived, and what was done, without identities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from bot.conversations.contacts import Contact
from bot.conversations.memory import History, HistoryEntry
from bot.messages.language import language_from, language_of
from evals.redaction import Redaction

HANDING_OVER = "talk_to_a_person"
_FILES = ("voice", "photo", "video", "document")
_TAGGED = re.compile(r"<(\w+)>(.*)</\1>", re.DOTALL)
_FACT = re.compile(r"<(\w+)>([^<]*)</\1>")
# What a tool added to the reply; it adds it again when the case is performed.
_REPLACED = re.compile(r"[\d+()]|\S+@\S+$|no phone")
_ADDED = re.compile(r"^\((?:to tap|button|link|attachment|picture|template|location|voice note)\b.*$", re.MULTILINE)
_PRODUCT_CODE = re.compile(r"\b(?:EAN|UPC)-\w+ (\d{8,13})\b")
# A longer argument is the model's own wording, which is never the same twice.
_SHORT_ARGUMENT = 40


class NothingHappened(Exception):
    """There is no turn of this conversation that a case could be made of; the message says why."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """One message: `facts` are what was perceived in it, or what stood in it."""

    kind: str
    text: str = ""
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastTurn:
    """One turn; `tools` is None where nobody knows any more what was called."""

    at: datetime
    heard: tuple[_Heard, ...]
    reply: tuple[str, ...]
    tools: tuple[dict[str, Any], ...] | None

    @property
    def words(self) -> list[str]:
        return [word for one in self.heard for word in (one.text, *one.facts.values())]


@dataclass(frozen=True, slots=True)
class PastConversation:
    """The last turns, and what was said before them."""

    turns: tuple[PastTurn, ...]
    before: tuple[HistoryEntry, ...]
    summary: str


def past_of(stories: Iterable[dict[str, Any]], memory: History, count: int) -> PastConversation:
    """The last `count` turns that were answered; by their stories, or, where those are gone, by the memory alone.

    Raises NothingHappened.
    """
    told = [one for one in stories if one.get("reply") and one.get("perceived")][-count:]
    said = (*memory.fallen, *memory.recent)
    if told:
        ours = {wamid for one in told for wamid in one["messages"]}
        begun = datetime.fromisoformat(told[0]["started_at"])
        first = next((at for at, one in enumerate(said) if one.wamid in ours or one.at >= begun), len(said))
        return PastConversation(tuple(map(_told, told)), said[:first], memory.summary)
    starts = [at for at, one in enumerate(said) if one.role == "user" and (at == 0 or said[at - 1].role != "user")]
    if not starts:
        raise NothingHappened("nothing that was said in this conversation is remembered")
    starts = starts[-count:]
    ends = [*starts[1:], len(said)]
    turns = tuple(_remembered(said[start:end]) for start, end in zip(starts, ends, strict=True))
    return PastConversation(turns, said[: starts[0]], memory.summary)


def case_of(
    past: PastConversation, contact: Contact, redaction: Redaction, zone: ZoneInfo, name: str
) -> dict[str, Any]:
    """The case as it is written: YAML's types alone."""
    for turn in past.turns:
        for words in turn.words:
            redaction.learn(words)
    for one in past.before:
        redaction.learn(one.text if one.role == "user" else "")
    known = {
        "name": redaction.text(contact.name) if contact.name else None,
        "email": redaction.text(contact.email) if contact.email else None,
        "language": language_from(contact.language, None),
    }
    made: dict[str, Any] = {"name": name, "tags": ["happened"]}
    if contact.role != "customer":
        made["role"] = contact.role
    if any(known.values()):
        made["contact"] = {name: value for name, value in known.items() if value}
    made["now"] = past.turns[0].at.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    if past.summary:
        made["summary"] = redaction.text(past.summary)
    if past.before:
        made["memory"] = [{one.role: redaction.text(one.text)} for one in past.before]
    made["turns"] = [one for turn in past.turns for one in _turns(turn, redaction)]
    return made


def goods_in(past: PastConversation) -> frozenset[str]:
    """Codes that were read off products, which are nobody's."""
    read = (one.facts.get("codes", "") for turn in past.turns for one in turn.heard)
    return frozenset(code for codes in read for code in _PRODUCT_CODE.findall(codes))


def _told(story: dict[str, Any]) -> PastTurn:
    heard = tuple(_heard(one["kind"], one["text"]) for one in story["perceived"])
    at = datetime.fromisoformat(story["started_at"])
    return PastTurn(at, heard, tuple(story["reply"]), tuple(story["tools"]))


def _remembered(said: Sequence[HistoryEntry]) -> PastTurn:
    heard = [_heard("", one.text) for one in said if one.role == "user"]
    return PastTurn(said[0].at, tuple(heard), tuple(one.text for one in said if one.role == "assistant"), None)


def _heard(kind: str, text: str) -> _Heard:
    """A message by what the model read of it."""
    tagged = _TAGGED.fullmatch(text.strip()) if kind != "text" else None
    if tagged is None:
        return _Heard("text", text)
    kind = kind or {"voice_note": "voice", "tapped": "tap"}.get(tagged[1], tagged[1])
    return _Heard(kind, facts={name: unescape(value) for name, value in _FACT.findall(tagged[2])})


def _turns(turn: PastTurn, redaction: Redaction) -> list[dict[str, Any]]:
    """One turn, or, where several files came at once, one each; what came of them is expected of the last.

    A case's turn is one message: what was typed beside a file is its caption.
    """
    files = [one for one in turn.heard if one.kind in (*_FILES, "location", "tap")]
    typed = "\n".join(filter(None, (_typed(one, redaction) for one in turn.heard if one not in files)))
    made: list[dict[str, Any]] = [_sent(one, redaction) for one in files] or [{"text": typed or "-"}]
    if files and typed and files[-1].kind in _FILES:
        made[-1]["caption"] = "\n".join(filter(None, (made[-1].get("caption"), typed)))
    elif files and typed:
        made.append({"text": typed})
    called, said = _called(turn, redaction), _said(turn, redaction)
    made[-1]["example"] = [*([{"calls": called}] if called else []), {"says": said or "-"}]
    made[-1]["expect"] = _expected(turn, redaction)
    return made


def _sent(one: _Heard, redaction: Redaction) -> dict[str, Any]:
    facts = {name: redaction.text(value) for name, value in one.facts.items()}
    match one.kind:
        case "tap":
            return {"tap": facts.get("title", "-")}
        case "location":
            latitude, longitude = (float(number) for number in facts.pop("coordinates").split(","))
            # A place's name and address are whose it is.
            named = {"name": "Un lugar"} if "name" in facts else {}
            named |= {"address": "Calle Ejemplo 1"} if "address" in facts else {}
            return {"location": {"latitude": latitude, "longitude": longitude, **named}}
    caption = facts.pop("caption", None)
    return {one.kind: facts} | ({"caption": caption} if caption else {})


def _typed(one: _Heard, redaction: Redaction) -> str:
    if one.kind == "text":
        return redaction.text(one.text)
    if "cards" in one.facts:
        cards = (_ways(card.rpartition(": ")[2]) for card in one.facts["cards"].split("; "))
        return redaction.text(f"({one.kind}: {'; '.join(f'Persona: {ways}' for ways in cards)})")
    return redaction.text(f"({one.kind}: {'; '.join(one.facts.values())})")


def _ways(ways: str) -> str:
    """Phones and e-mail addresses, which are replaced next; a street or a page tells who somebody is."""
    return ", ".join(one if _REPLACED.match(one) else "un dato" for one in ways.split(", "))


def _called(turn: PastTurn, redaction: Redaction) -> list[Any]:
    """Calls that came out well, as a case names them."""
    done = [one for one in turn.tools or () if one["outcome"] == "ok"]
    return [{one["name"]: redaction.value(one["arguments"])} if one["arguments"] else one["name"] for one in done]


def _said(turn: PastTurn, redaction: Redaction) -> str:
    bare = (_ADDED.sub("", part).strip() for part in turn.reply)
    return redaction.text("\n\n".join(filter(None, bare)))


def _expected(turn: PastTurn, redaction: Redaction) -> dict[str, Any]:
    expected: dict[str, Any] = {}
    if turn.tools is not None:
        calls: list[Any] = []
        for call in _called(turn, redaction):
            short = call if isinstance(call, str) else _shortened(call)
            calls += [short] if short not in calls else []
        expected |= {"calls": calls} if calls else {}
        expected["hands_over"] = any(one["name"] == HANDING_OVER and one["outcome"] == "ok" for one in turn.tools)
        expected["messages"] = len(turn.reply)
    if language := language_of("\n".join(turn.reply)):
        expected["language"] = language
    return expected | {"contains": []}


def _shortened(call: dict[str, Any]) -> Any:
    ((name, arguments),) = call.items()
    kept = {key: value for key, value in arguments.items() if value is not None and len(str(value)) <= _SHORT_ARGUMENT}
    return {name: kept} if kept else name
