"""The wire format of chat completions, as OpenRouter speaks it: what is sent, what comes back, what it may cost."""

from __future__ import annotations

import base64
import json
from decimal import Decimal, InvalidOperation
from itertools import dropwhile
from typing import Any

from bot.ai.chat import Answer, Attempt, FromModel, FromPerson, FromTool, Instructions, Line, ModelFailed, ToolCall
from bot.settings import PRICES

_MILLION = Decimal(1_000_000)
_OUTCOMES = {400: "bad_request", 401: "unauthorized", 402: "no_credit", 403: "refused", 404: "unknown_model",
             408: "timeout", 413: "too_large", 429: "rate_limited"}  # fmt: skip
_SERVER_ERROR = 500
# What a model costs that the company's catalogue doesn't know: as much as its dearest, to be on the safe side.
_DEAREST = max(PRICES.values())
_CHARACTERS_A_TOKEN, _TOKENS_A_PICTURE = 3, 1600
_BUSY = (408, 429)


def message(line: Line, *, sees: bool) -> dict[str, Any]:
    match line:
        case Instructions(text):
            return {"role": "system", "content": text}
        case FromPerson(text, pictures):
            if not (sees and pictures):
                return {"role": "user", "content": text}
            urls = [f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}" for picture in pictures]
            shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
            return {"role": "user", "content": [{"type": "text", "text": text}, *shown]}
        case FromModel(text, calls):
            said: dict[str, Any] = {"role": "assistant", "content": text or None}
            return said | ({"tool_calls": [_call(call) for call in calls]} if calls else {})
        case FromTool(call_id, text):
            return {"role": "tool", "tool_call_id": call_id, "content": text}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def document(body: str) -> Any:
    """The JSON in a body, whatever type it claims; OpenRouter keeps a slow connection open with blank and `:` lines."""
    lines = body.splitlines(keepends=True)
    try:
        return json.loads("".join(dropwhile(lambda line: not line.strip() or line.startswith(":"), lines)))
    except (ValueError, RecursionError) as error:
        raise ModelFailed("unreadable") from error


def read(raw: Any, *, may_call: bool = True) -> Answer:
    """The answer in a 200's body, which can still hold an error, nothing, or arguments that aren't JSON.

    Where no tool may be called, calls are left out, and an answer that is nothing else is none.
    """
    if not isinstance(raw, dict):
        raise ModelFailed("unreadable")
    if raw.get("error"):
        raise _error_inside(raw["error"])
    choices = raw.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    choice = choice if isinstance(choice, dict) else {}
    message = choice.get("message")
    if not isinstance(message, dict) or choice.get("error"):
        raise ModelFailed("no_choice")
    asked = message.get("tool_calls") or []
    if not isinstance(asked, list):
        raise ModelFailed("bad_tool_call")
    if choice.get("finish_reason") == "content_filter":
        raise ModelFailed("filtered")
    calls = tuple(_tool_call(call) for call in asked) if may_call else ()
    text = message.get("content")
    text = _storable(text).strip() if isinstance(text, str) else ""
    if not text and not calls:
        raise ModelFailed("bad_tool_call" if asked else "empty")
    if choice.get("finish_reason") == "length" and not calls:
        text = _whole_sentences(text)
    return Answer(text=text, calls=calls, served=str(raw.get("model") or ""))


def _whole_sentences(text: str) -> str:
    """A text that was cut at LLM_MAX_TOKENS, without its last half sentence; one sentence alone ends in dots."""
    whole = max(text.rfind(end) for end in (". ", "? ", "! ", ".\n", "?\n", "!\n", "\n\n")) + 1
    return text[:whole].rstrip() if whole > len(text) // 2 else f"{text}…"


def failure(status: int, wait: float | None = None) -> ModelFailed:
    """A retry can help where the provider was busy or broken; where the request or the account is wrong, never."""
    broken = status >= _SERVER_ERROR
    outcome = "server_error" if broken else _OUTCOMES.get(status, "error")
    return ModelFailed(outcome, retryable=broken or status in _BUSY, retry_after=wait)


def _error_inside(error: Any) -> ModelFailed:
    """OpenRouter answers 200 and puts the provider's HTTP status into `error.code`."""
    code = error.get("code") if isinstance(error, dict) else None
    return failure(code) if isinstance(code, int) else ModelFailed("error")


def _tool_call(raw: Any) -> ToolCall:
    try:
        function = raw["function"]
        arguments = json.loads(function.get("arguments") or "{}")
        arguments = json.loads(_storable(json.dumps(arguments, ensure_ascii=False)))
        call = ToolCall(id=str(raw["id"]), name=_storable(str(function["name"])), arguments=arguments)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ModelFailed("bad_tool_call") from error
    if not isinstance(call.arguments, dict):
        raise ModelFailed("bad_tool_call")
    return call


def _storable(text: str) -> str:
    """JSON can hold half of a surrogate pair (an emoji cut in two), which no encoder will take back."""
    return text.encode("utf-8", "replace").decode()


def price(model: str) -> Decimal:
    """USD for a million tokens of a model."""
    return PRICES.get(model, _DEAREST)


def most(model: str, body: dict[str, Any]) -> Decimal:
    """The most that a request can cost, in USD: its prompt, guessed on the high side, and all tokens it may answer."""
    prompt: int = 0
    pictures: int = 0
    for message in body["messages"]:
        content = message.get("content") or ""
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        prompt += sum(len(part["text"]) for part in parts if part["type"] == "text")
        prompt += len(json.dumps(message.get("tool_calls") or ""))
        pictures += sum(part["type"] == "image_url" for part in parts)
    prompt += len(json.dumps(body.get("tools") or ""))
    tokens = prompt // _CHARACTERS_A_TOKEN + pictures * _TOKENS_A_PICTURE + body["max_tokens"]
    return price(model) * Decimal(tokens) / _MILLION


def attempt(model: str, outcome: str, seconds: float, raw: Any) -> Attempt:
    usage = raw.get("usage") if isinstance(raw, dict) else None
    usage = usage if isinstance(usage, dict) else {}
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    served = str(raw.get("model") or "") if isinstance(raw, dict) else ""
    table = PRICES.get(served, PRICES.get(model, Decimal(0))) * (prompt + completion) / _MILLION
    cost = _money(usage.get("cost"))
    return Attempt(model, outcome, seconds, served, prompt, completion, table if cost is None else cost)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _money(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def retry_after(header: str | None) -> float | None:
    """Retry-After in seconds; the form with a date (RFC 9110) is not used by OpenRouter and counts as none."""
    try:
        return max(float(header), 0.0) if header else None
    except ValueError:
        return None
