"""A completion's body as one Answer, in all shapes that OpenAI-compatible servers, gateways and providers send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import dropwhile
from typing import Any

from bot.ai.chat import ModelAnswer, ModelFailed, ToolCall
from bot.ai.special_tokens import unmarked, words_of

LONGEST = 65_536
"""Characters of an answer that are read; `max_tokens` keeps honest models far below."""

_OUTCOMES = {400: "bad_request", 401: "unauthorized", 402: "no_credit", 403: "refused", 404: "unknown_model",
             408: "timeout", 413: "too_large", 429: "rate_limited"}  # fmt: skip
_SERVER_ERROR = 500
_BUSY = (408, 429)
# Errors inside a 200 that have a word in the place of a status.
_STATUS_OF = {
    "rate_limit_exceeded": 429, "rate_limit_error": 429, "insufficient_quota": 402, "model_not_found": 404,
    "context_length_exceeded": 413, "invalid_api_key": 401, "invalid_request_error": 400, "content_filter": 403,
    "server_error": 500, "internal_server_error": 500, "api_error": 500, "overloaded_error": 503,
    "service_unavailable": 503, "timeout": 408,
}  # fmt: skip
# Reasons to finish, in small letters, as OpenAI, Anthropic, Google, Mistral, DeepSeek, Z.ai and gateways name them.
# One that nobody knows says nothing against an answer that is there.
_FILTERED = frozenset({
    "content_filter", "content_filtered", "contentfilter", "safety", "image_safety", "recitation", "blocklist", "spii",
    "prohibited_content", "refusal", "blocked", "sensitive", "guardrail_intervened", "language",
})  # fmt: skip
_BROKE_OFF = frozenset({"error", "network_error", "insufficient_system_resource", "abort", "aborted", "cancelled"})
_CUT = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "incomplete"})
_BAD_CALL = frozenset({"malformed_function_call", "unexpected_tool_call"})
# Honest models make a handful of calls, with some words each. All are kept, and sent to the model again.
_MOST_CALLS, _MOST_ARGUMENTS, _DEEPEST, _LONGEST_NAME = 64, 65_536, 20, 100
# Parts of a content that hold words; the others are reasoning, pictures, citations, calls.
_WORDS = ("text", "output_text")


def document(body: str) -> Any:
    """The JSON in a body, whatever type it claims; OpenRouter keeps a slow connection open with blank and `:` lines."""
    lines = body.removeprefix("\ufeff").splitlines(keepends=True)
    try:
        return json.loads("".join(dropwhile(lambda line: not line.strip() or line.startswith(":"), lines)))
    except (ValueError, RecursionError) as error:
        raise ModelFailed("unreadable") from error


def read(raw: Any, *, may_call: bool = True) -> ModelAnswer:
    """The answer in a 200's body, which can still hold an error, nothing, or arguments that aren't JSON.

    Where no tool may be called, calls are left out, and an answer that is nothing else is none.
    """
    if not isinstance(raw, dict):
        raise ModelFailed("unreadable")
    if raw.get("error"):
        raise _error_inside(raw["error"])
    choice, message = _chosen(raw.get("choices"))
    reason = _reason(choice)
    if reason in _FILTERED:
        raise ModelFailed("filtered")
    if reason in _BROKE_OFF:
        raise ModelFailed("server_error", retryable=True)
    asked = _asked(message)
    calls = _calls(asked) if may_call else ()
    written, refused = _answer_text(message)
    text = words_of(_storable(written[:LONGEST]))
    if not text and not calls:
        raise ModelFailed("filtered" if refused else "bad_tool_call" if asked or reason in _BAD_CALL else "empty")
    if reason in _CUT and not calls:
        text = _whole_sentences(text)
    model = raw.get("model")
    return ModelAnswer(text=text, calls=calls, served=model if isinstance(model, str) else "")


def failure(status: int, wait: float | None = None) -> ModelFailed:
    """A retry can help where the provider was busy or broken; where the request or the account is wrong, never."""
    broken = status >= _SERVER_ERROR
    outcome = "server_error" if broken else _OUTCOMES.get(status, "error")
    return ModelFailed(outcome, retryable=broken or status in _BUSY, retry_after=wait)


def _error_inside(error: Any) -> ModelFailed:
    """OpenRouter answers 200 and puts the provider's HTTP status into `error.code`; others a word."""
    named = error if isinstance(error, dict) else {}
    for value in (named.get(key) for key in ("code", "status", "status_code", "type")):
        if isinstance(value, int) and not isinstance(value, bool):
            return failure(value)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return failure(int(value[:4]))
        if isinstance(value, str) and value.lower() in _STATUS_OF:
            return failure(_STATUS_OF[value.lower()])
    return ModelFailed("error")


def _chosen(choices: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first choice that says or calls something, and its message; else the first that is one at all."""
    given = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    sound = [choice for choice in given if not choice.get("error")]
    found = [(choice, message) for choice in sound if (message := _message(choice)) is not None]
    if not found:
        raise ModelFailed("no_choice")
    return next(
        (choice for choice in found if _answer_text(choice[1])[0].strip() or choice[1].get("tool_calls")), found[0]
    )


def _message(choice: dict[str, Any]) -> dict[str, Any] | None:
    """A choice's message; some gateways put a stream's piece there, or the text of a plain completion."""
    for key in ("message", "delta"):
        if isinstance(choice.get(key), dict):
            message: dict[str, Any] = choice[key]
            return message
    return {"content": choice["text"]} if isinstance(choice.get("text"), str) else None


def _reason(choice: dict[str, Any]) -> str:
    """Why the model stopped. OpenRouter translates a provider's reason and gives the original beside it."""
    reasons = [choice.get(key) for key in ("finish_reason", "native_finish_reason")]
    known = [reason.lower() for reason in reasons if isinstance(reason, str)]
    telling = _FILTERED | _BROKE_OFF | _CUT | _BAD_CALL
    return next((reason for reason in known if reason in telling), "")


def _answer_text(message: dict[str, Any]) -> tuple[str, bool]:
    """Words of a message, and whether it refuses: as text, as parts, or as nothing; reasoning is no part of them."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    words = "".join(_words(parts))
    refusals = [message.get("refusal"), *(part.get("refusal") for part in parts if isinstance(part, dict))]
    refusal = next((refusal.strip() for refusal in refusals if isinstance(refusal, str) and refusal.strip()), "")
    # Some gateways write a refusal into both fields.
    return ("" if refusal and words.strip() == refusal else words), bool(refusal)


def _words(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict) and part.get("type", "text") in _WORDS:
            text = part.get("text")
            text = text.get("value") if isinstance(text, dict) else text
            yield text if isinstance(text, str) else ""


def _asked(message: dict[str, Any]) -> list[Any]:
    """The calls of a message; before tools there was one `function_call`."""
    asked = message.get("tool_calls") or []
    if not isinstance(asked, list) or len(asked) > _MOST_CALLS:
        raise ModelFailed("bad_tool_call")
    older = message.get("function_call")
    return asked or ([older] if isinstance(older, dict) and older.get("name") else [])


def _calls(asked: list[Any]) -> tuple[ToolCall, ...]:
    """The calls, none of which is larger than all of them may be."""
    calls: list[ToolCall] = []
    left = _MOST_ARGUMENTS
    for place, raw in enumerate(asked):
        call, length = _tool_call(raw, place, left)
        calls.append(call)
        left -= length
    return tuple(_with_own_ids(iter(calls)))


def _tool_call(raw: Any, place: int, most: int) -> tuple[ToolCall, int]:
    """A call, and the characters of its arguments, at most so many."""
    try:
        function = raw.get("function", raw)
        arguments, length = _arguments(function.get("arguments"), most)
        name = _name(function["name"])
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ModelFailed("bad_tool_call") from error
    given = raw.get("id")
    return ToolCall(str(given)[:_LONGEST_NAME] if given else f"call_{place}", name, arguments), length


def _name(raw: Any) -> str:
    """A tool's name, without the namespace and the channel that gpt-oss and Kimi write around it."""
    if not isinstance(raw, str):
        raise TypeError(type(raw))
    name = _storable(raw).partition("<")[0].strip().removeprefix("functions.")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError(name[:_LONGEST_NAME])
    return name


def _arguments(raw: Any, most: int) -> tuple[dict[str, Any], int]:
    """A call's arguments: JSON as text, once or twice encoded, an object, or missing."""
    value = raw
    for _ in range(2):
        if isinstance(value, str):
            value = json.loads(value, strict=False, parse_constant=_no_number) if value.strip() else None
    written = _storable(json.dumps({} if value is None else value, ensure_ascii=False))
    if len(written) > most:
        raise ValueError(len(written))
    value = json.loads(written)
    if not isinstance(value, dict):
        raise TypeError(type(value))
    return _plain(value, _DEEPEST), len(written)


def _no_number(constant: str) -> None:
    raise ValueError(constant)


def _plain(value: Any, levels: int) -> Any:
    """A value of an argument: of its texts, which people may get to read, without marks for machines.

    Raises ValueError for one that is nested deeper than so many levels, which no journal could keep.
    """
    match value:
        case str():
            words = unmarked(value)
            return value if words == value.strip() else words
        case list() | dict() if levels == 0:
            raise ValueError(_DEEPEST)
        case list():
            return [_plain(item, levels - 1) for item in value]
        case dict():
            return {name: _plain(item, levels - 1) for name, item in value.items()}
        case _:
            return value


def _with_own_ids(calls: Iterator[ToolCall]) -> Iterator[ToolCall]:
    """Each call once, by an id of its own: a repeated id is the same call again, or another that needs a name."""
    kept: set[tuple[str, str, str]] = set()
    taken: set[str] = set()
    for call in calls:
        same = (call.id, call.name, json.dumps(call.arguments, sort_keys=True))
        if same in kept:
            continue
        kept.add(same)
        own = call.id if call.id not in taken else f"{call.id}_{len(kept)}"
        taken.add(own)
        yield ToolCall(own, call.name, call.arguments)


def _whole_sentences(text: str) -> str:
    """A text that was cut at LLM_MAX_TOKENS, without its last half sentence; one sentence alone ends in dots."""
    whole = max(text.rfind(end) for end in (". ", "? ", "! ", ".\n", "?\n", "!\n", "\n\n")) + 1
    return text[:whole].rstrip() if whole > len(text) // 2 else f"{text}…"


def _storable(text: str) -> str:
    """JSON can hold half of a surrogate pair (an emoji cut in two), which no encoder will take back."""
    return text.encode("utf-8", "replace").decode()
