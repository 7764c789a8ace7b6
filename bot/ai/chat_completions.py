"""The wire format of chat completions at OpenRouter, and the estimated and actual cost of a request."""

from __future__ import annotations

import base64
import json
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.ai.chat import Attempt, FromModel, FromPerson, FromTool, Instructions, Line, ToolCall
from bot.settings import PRICES

_MILLION = Decimal(1_000_000)
# Price of a model outside the company's catalogue: that of its dearest, to be on the safe side.
_DEAREST = max(PRICES.values())
# More than one request can use or cost: a figure above is an error of who sent it, not a bill.
_MOST_TOKENS, _MOST_USD = 10_000_000, 100
_LONGEST_NAME = 100
_CHARACTERS_A_TOKEN, _TOKENS_A_PICTURE = 3, 1600


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
            turn: dict[str, Any] = {"role": "assistant", "content": text or None}
            return turn | ({"tool_calls": [_call(call) for call in calls]} if calls else {})
        case FromTool(call_id, text):
            return {"role": "tool", "tool_call_id": call_id, "content": text}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def price(model: str) -> Decimal:
    """USD for a million tokens of a model."""
    return PRICES.get(model, _DEAREST)


def most(model: str, body: dict[str, Any], tools: int | None = None) -> Decimal:
    """The most that a request can cost, in USD: its prompt, guessed on the high side, and all tokens it may answer.

    `tools` is how many characters the tools take, where they are not in the body.
    """
    prompt: int = 0
    pictures: int = 0
    for message in body["messages"]:
        content = message.get("content") or ""
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        prompt += sum(len(part["text"]) for part in parts if part["type"] == "text")
        prompt += len(json.dumps(message.get("tool_calls") or ""))
        pictures += sum(part["type"] == "image_url" for part in parts)
    prompt += len(json.dumps(body.get("tools") or "")) if tools is None else tools
    tokens = prompt // _CHARACTERS_A_TOKEN + pictures * _TOKENS_A_PICTURE + body["max_tokens"]
    return price(model) * Decimal(tokens) / _MILLION


def attempt(model: str, outcome: str, seconds: float, raw: Any, sent: tuple[dict[str, Any], ...] = ()) -> Attempt:
    """A request for the books; figures that are missing or can't be true count as none."""
    raw = raw if isinstance(raw, dict) else {}
    usage = raw.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    prompt = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
    completion = _count(usage.get("completion_tokens", usage.get("output_tokens")))
    served = raw.get("model")
    served = served[:_LONGEST_NAME] if isinstance(served, str) else ""
    table = PRICES.get(served, PRICES.get(model, Decimal(0))) * (prompt + completion) / _MILLION
    cost = _money(usage.get("cost"))
    return Attempt(model, outcome, seconds, served, prompt, completion, table if cost is None else cost, sent)


def _count(value: Any) -> int:
    """Tokens, which some gateways send as a text or with a decimal point."""
    amount = _amount(value)
    return int(amount) if amount is not None and amount <= _MOST_TOKENS else 0


def _money(value: Any) -> Decimal | None:
    amount = _amount(value)
    return amount if amount is not None and amount <= _MOST_USD else None


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(value if isinstance(value, int) else str(value)[:_LONGEST_NAME])
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def retry_after(header: str | None) -> float | None:
    """Retry-After in seconds; the form with a date (RFC 9110) is not used by OpenRouter and counts as none."""
    try:
        return max(float(header), 0.0) if header else None
    except ValueError:
        return None
