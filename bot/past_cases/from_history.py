"""A case of past turns in a conversation: messages, perceived facts and tool calls, without identities."""

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
from bot.messages.language import Language, language_from, language_of
from bot.past_cases.redaction import Redaction

HANDOFF_TOOL = "talk_to_a_person"
_FILES = ("voice", "photo", "video", "document")
_TAGGED = re.compile(r"<(\w+)>(.*)</\1>", re.DOTALL)
_FACT = re.compile(r"<(\w+)>([^<]*)</\1>")
# Because a tool adds these lines again in each run, a case holds the reply without them.
_REDACTED = re.compile(r"[\d+()]|\S+@\S+$|no phone")
_TOOL_ADDITION = re.compile(
    r"^\((?:to tap|button|link|attachment|picture|template|location|voice note)\b.*$", re.MULTILINE
)
_PRODUCT_CODE = re.compile(r"\b(?:EAN|UPC)-\w+ (\d{8,13})\b")
# Because a longer argument is the model's own wording, which differs each time, a case doesn't expect it.
_SHORT_ARGUMENT = 40


class NoPastTurns(Exception):
    """The conversation has no turn for a case; the message names the reason, `said` in both languages."""

    def __init__(self, *, en: str, es: str) -> None:
        super().__init__(en)
        self.said: dict[Language, str] = {"en": en, "es": es}


@dataclass(frozen=True, slots=True)
class _ReceivedMessage:
    """Message of the person; `facts` were perceived in its file, or written in it."""

    kind: str
    text: str = ""
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastTurn:
    """Past turn; `tools` is None if the calls are no longer known."""

    at: datetime
    received: tuple[_ReceivedMessage, ...]
    reply: tuple[str, ...]
    tools: tuple[dict[str, Any], ...] | None

    @property
    def words(self) -> list[str]:
        return [word for message in self.received for word in (message.text, *message.facts.values())]


@dataclass(frozen=True, slots=True)
class PastConversation:
    """The last turns, and the messages before them."""

    turns: tuple[PastTurn, ...]
    before: tuple[HistoryEntry, ...]
    summary: str


def past_conversation(traces: Iterable[dict[str, Any]], memory: History, count: int) -> PastConversation:
    """The last `count` answered turns, by their traces, or by the memory alone where no trace is left.

    Raises NoPastTurns.
    """
    answered = [trace for trace in traces if trace.get("reply") and trace.get("perceived")][-count:]
    entries = (*memory.unsummarised, *memory.recent)
    if answered:
        ours = {wamid for trace in answered for wamid in trace["messages"]}
        begun = datetime.fromisoformat(answered[0]["started_at"])
        first = next((at for at, entry in enumerate(entries) if entry.wamid in ours or entry.at >= begun), len(entries))
        # If the memory begins after the turns, its summary tells of them and of later messages, so we leave it out.
        is_later = bool(entries) and first == 0 and entries[0].wamid not in ours
        return PastConversation(
            tuple(map(_turn_of_trace, answered)), entries[:first], "" if is_later else memory.summary
        )
    starts = [
        at for at, entry in enumerate(entries) if entry.role == "user" and (at == 0 or entries[at - 1].role != "user")
    ]
    if not starts:
        raise NoPastTurns(
            en="nothing that was said in this conversation is remembered",
            es="de lo dicho en esta conversación ya no se recuerda nada",
        )
    starts = starts[-count:]
    ends = [*starts[1:], len(entries)]
    turns = tuple(_turn_of_memory(entries[start:end]) for start, end in zip(starts, ends, strict=True))
    return PastConversation(turns, entries[: starts[0]], memory.summary)


def case_of(
    past: PastConversation, contact: Contact, redaction: Redaction, zone: ZoneInfo, name: str
) -> dict[str, Any]:
    """Make the case, of YAML's own types."""
    for turn in past.turns:
        for words in turn.words:
            redaction.learn(words)
    for entry in past.before:
        redaction.learn(entry.text if entry.role == "user" else "")
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
        made["memory"] = [{entry.role: redaction.text(entry.text)} for entry in past.before]
    made["turns"] = [made_turn for turn in past.turns for made_turn in _turns(turn, redaction)]
    return made


def product_codes_in(past: PastConversation) -> frozenset[str]:
    """Codes that were read off products; they identify no person."""
    read = (message.facts.get("codes", "") for turn in past.turns for message in turn.received)
    return frozenset(code for codes in read for code in _PRODUCT_CODE.findall(codes))


def _turn_of_trace(trace: dict[str, Any]) -> PastTurn:
    received = tuple(_received(perceived["kind"], perceived["text"]) for perceived in trace["perceived"])
    at = datetime.fromisoformat(trace["started_at"])
    return PastTurn(at, received, tuple(trace["reply"]), tuple(trace["tools"]))


def _turn_of_memory(said: Sequence[HistoryEntry]) -> PastTurn:
    received = [_received("", entry.text) for entry in said if entry.role == "user"]
    return PastTurn(said[0].at, tuple(received), tuple(entry.text for entry in said if entry.role == "assistant"), None)


def _received(kind: str, text: str) -> _ReceivedMessage:
    """Parse a message from the text that the model read."""
    tagged = _TAGGED.fullmatch(text.strip()) if kind != "text" else None
    if tagged is None:
        return _ReceivedMessage("text", text)
    kind = kind or {"voice_note": "voice", "tapped": "tap"}.get(tagged[1], tagged[1])
    return _ReceivedMessage(kind, facts={name: unescape(value) for name, value in _FACT.findall(tagged[2])})


def _turns(turn: PastTurn, redaction: Redaction) -> list[dict[str, Any]]:
    """Make a case's turn, or one for each file where several came at once; only the last has expectations.

    Because a case's turn is one message, a text that came beside a file becomes the caption.
    """
    files = [message for message in turn.received if message.kind in (*_FILES, "location", "tap")]
    typed = "\n".join(
        filter(None, (_typed_text(message, redaction) for message in turn.received if message not in files))
    )
    made: list[dict[str, Any]] = [_case_message(message, redaction) for message in files] or [{"text": typed or "-"}]
    if files and typed and files[-1].kind in _FILES:
        made[-1]["caption"] = "\n".join(filter(None, (made[-1].get("caption"), typed)))
    elif files and typed:
        made.append({"text": typed})
    called, said = _successful_calls(turn, redaction), _reply_text(turn, redaction)
    made[-1]["example"] = [*([{"calls": called}] if called else []), {"says": said or "-"}]
    made[-1]["expect"] = _expected(turn, redaction)
    return made


def _case_message(message: _ReceivedMessage, redaction: Redaction) -> dict[str, Any]:
    facts = {name: redaction.text(value) for name, value in message.facts.items()}
    match message.kind:
        case "tap":
            return {"tap": facts.get("title", "-")}
        case "location":
            latitude, longitude = (float(number) for number in facts.pop("coordinates").split(","))
            # Because name and address of a place tell whose it is, both are replaced.
            named = {"name": "Un lugar"} if "name" in facts else {}
            named |= {"address": "Calle Ejemplo 1"} if "address" in facts else {}
            return {"location": {"latitude": latitude, "longitude": longitude, **named}}
    caption = facts.pop("caption", None)
    return {message.kind: facts} | ({"caption": caption} if caption else {})


def _typed_text(message: _ReceivedMessage, redaction: Redaction) -> str:
    if message.kind == "text":
        return redaction.text(message.text)
    if "cards" in message.facts:
        cards = (_contact_details(card.rpartition(": ")[2]) for card in message.facts["cards"].split("; "))
        return redaction.text(f"({message.kind}: {'; '.join(f'Persona: {ways}' for ways in cards)})")
    return redaction.text(f"({message.kind}: {'; '.join(message.facts.values())})")


def _contact_details(ways: str) -> str:
    """Keep phones and e-mail addresses, which the redaction replaces; drop the rest, because it identifies people."""
    return ", ".join(way if _REDACTED.match(way) else "un dato" for way in ways.split(", "))


def _successful_calls(turn: PastTurn, redaction: Redaction) -> list[Any]:
    """Calls that succeeded, in a case's form."""
    done = [call for call in turn.tools or () if call["outcome"] == "ok"]
    return [{call["name"]: redaction.value(call["arguments"])} if call["arguments"] else call["name"] for call in done]


def _reply_text(turn: PastTurn, redaction: Redaction) -> str:
    bare = (_TOOL_ADDITION.sub("", part).strip() for part in turn.reply)
    return redaction.text("\n\n".join(filter(None, bare)))


def _expected(turn: PastTurn, redaction: Redaction) -> dict[str, Any]:
    expected: dict[str, Any] = {}
    if turn.tools is not None:
        calls: list[Any] = []
        for call in _successful_calls(turn, redaction):
            short = call if isinstance(call, str) else _shortened(call)
            calls += [short] if short not in calls else []
        expected |= {"calls": calls} if calls else {}
        expected["hands_over"] = any(call["name"] == HANDOFF_TOOL and call["outcome"] == "ok" for call in turn.tools)
        expected["messages"] = len(turn.reply)
    if language := language_of("\n".join(turn.reply)):
        expected["language"] = language
    return expected | {"contains": []}


def _shortened(call: dict[str, Any]) -> Any:
    ((name, arguments),) = call.items()
    kept = {key: value for key, value in arguments.items() if value is not None and len(str(value)) <= _SHORT_ARGUMENT}
    return {name: kept} if kept else name
