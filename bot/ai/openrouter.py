"""OpenRouter through the openai SDK: the models in their order, each with its own time, nothing believed blindly."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from decimal import Decimal, InvalidOperation
from importlib import import_module
from itertools import dropwhile
from typing import TYPE_CHECKING, Any

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random,
)

from bot.ai.chat import (
    Answer,
    Attempt,
    Book,
    FromModel,
    FromPerson,
    FromTool,
    Instructions,
    Line,
    ModelFailed,
    NoModelAnswered,
    Question,
    ToolCall,
)
from bot.settings import PRICES, LLMSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_MILLION = Decimal(1_000_000)
_TRIES = 2
# A model that asks for more patience than this is left for the next one.
_PATIENCE_SECONDS = 3.0
_BLIND = ("openai/gpt-3.5", "mistralai/mistral-7b", "meta-llama/llama-3-8b")
_OUTCOMES = {400: "bad_request", 401: "unauthorized", 402: "no_credit", 403: "refused", 404: "unknown_model",
             408: "timeout", 413: "too_large", 429: "rate_limited"}  # fmt: skip
_SERVER_ERROR = 500
_BUSY = (408, 429)


class OpenRouter:
    """A ChatModel over several models. The SDK's own retries are off: this is the one layer that retries."""

    def __init__(self, settings: LLMSettings) -> None:
        self._settings = settings
        self._sdk: AsyncOpenAI | None = None

    async def answer(self, question: Question, book: Book) -> Answer:
        loop = asyncio.get_running_loop()
        if self._sdk is None:
            # A second, once: not on the loop, where all conversations would wait, nor on the first model's time.
            await asyncio.to_thread(import_module, "openai")
        failure: ModelFailed | None = None
        models = self._settings.models
        for position, model in enumerate(models):
            left = question.deadline - loop.time()
            if left <= 0:
                break
            alone = position == len(models) - 1
            # While others could still answer, one model may use half of the time that is left.
            by = loop.time() + (left if alone else left / 2)
            try:
                return await self._try(model, question, by, _PATIENCE_SECONDS if not alone else left, book)
            except ModelFailed as error:
                failure = error
        raise NoModelAnswered("no model answered") from failure

    async def _try(self, model: str, question: Question, by: float, patience: float, book: Book) -> Answer:
        def may_help(error: BaseException) -> bool:
            return isinstance(error, ModelFailed) and error.retryable and (error.retry_after or 0) <= patience

        def pause(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked_for = error.retry_after if isinstance(error, ModelFailed) else None
            return asked_for if asked_for is not None else wait_random(0.1, 0.5)(state)

        retrying = AsyncRetrying(
            retry=retry_if_exception(may_help),
            wait=pause,
            stop=stop_after_attempt(_TRIES) | stop_before_delay(by - asyncio.get_running_loop().time()),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                return await self._once(model, question, by, book)
        raise AssertionError  # pragma: no cover - tenacity returns or raises

    async def _once(self, model: str, question: Question, by: float, book: Book) -> Answer:
        started = time.perf_counter()
        seconds = min(self._settings.timeout_seconds, by - asyncio.get_running_loop().time())
        raw: Any = None
        outcome = "broke_off"
        try:
            # A wall around all of it: the SDK's own time-out starts anew with every byte that drips in.
            async with asyncio.timeout(max(seconds, 0.05)):
                raw = _document(await self._ask(model, question))
            answer = _read(raw)
        except ModelFailed as error:
            outcome = error.outcome
            raise
        except TimeoutError as error:
            outcome = "timeout"
            raise ModelFailed("timeout") from error
        else:
            outcome = "ok"
            return answer
        finally:
            await book(_attempt(model, outcome, time.perf_counter() - started, raw))

    async def _ask(self, model: str, question: Question) -> str:
        import openai  # noqa: PLC0415 - a second and 20 MB that only a turn needs

        try:
            # cast_to=str skips the SDK's typed copy of messages and tools, two thirds of a call's CPU time.
            return await self._client().post(
                "/chat/completions", cast_to=str, body=self._body(model, question), options={"max_retries": 0}
            )
        except openai.APIStatusError as error:
            raise _failure(error.status_code, _seconds(error.response.headers.get("retry-after"))) from error
        except openai.APIConnectionError as error:
            # The SDK's transport calls a refused connection a time-out; ours is the wall above.
            raise ModelFailed("connection", retryable=True) from error
        except openai.OpenAIError as error:
            raise ModelFailed("unreadable") from error

    def _client(self) -> AsyncOpenAI:
        if self._sdk is None:
            from openai import AsyncOpenAI, DefaultAioHttpClient  # noqa: PLC0415 - as above

            secret = self._settings.api_key
            self._sdk = AsyncOpenAI(
                api_key=secret.get_secret_value() if secret else "",
                base_url=self._settings.base_url,
                max_retries=0,
                timeout=self._settings.timeout_seconds,
                default_headers={"X-Title": "Recado"},
                http_client=DefaultAioHttpClient(),
            )
        return self._sdk

    async def close(self) -> None:
        if self._sdk is not None:
            await self._sdk.close()

    def _body(self, model: str, question: Question) -> dict[str, Any]:
        sees = not model.startswith(_BLIND)
        body: dict[str, Any] = {
            "model": model,
            "messages": [_message(line, sees=sees) for line in question.lines],
            "max_tokens": self._settings.max_tokens,
            "temperature": self._settings.temperature,
            "usage": {"include": True},
        }
        if question.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
                }
                for tool in question.tools
            ]
            # The tools are named all the same: some providers refuse a history of calls without them.
            body |= {} if question.may_call else {"tool_choice": "none"}
        return body


def _message(line: Line, *, sees: bool) -> dict[str, Any]:
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


def _document(body: str) -> Any:
    """The JSON in a body, whatever type it claims; OpenRouter keeps a slow connection open with blank and `:` lines."""
    lines = body.splitlines(keepends=True)
    try:
        return json.loads("".join(dropwhile(lambda line: not line.strip() or line.startswith(":"), lines)))
    except (ValueError, RecursionError) as error:
        raise ModelFailed("unreadable") from error


def _read(raw: Any) -> Answer:
    """The answer in a 200's body, which can still hold an error, nothing, or arguments that aren't JSON."""
    if not isinstance(raw, dict):
        raise ModelFailed("unreadable")
    if raw.get("error"):
        raise _error_inside(raw["error"])
    choices = raw.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict) or (isinstance(choice, dict) and choice.get("error")):
        raise ModelFailed("no_choice")
    asked = message.get("tool_calls") or []
    if not isinstance(asked, list):
        raise ModelFailed("bad_tool_call")
    calls = tuple(_tool_call(call) for call in asked)
    text = message.get("content")
    text = _storable(text).strip() if isinstance(text, str) else ""
    if not text and not calls:
        raise ModelFailed("empty")
    return Answer(text=text, calls=calls, served=str(raw.get("model") or ""))


def _failure(status: int, retry_after: float | None = None) -> ModelFailed:
    """A retry can help where the provider was busy or broken; where the request or the account is wrong, never."""
    broken = status >= _SERVER_ERROR
    outcome = "server_error" if broken else _OUTCOMES.get(status, "error")
    return ModelFailed(outcome, retryable=broken or status in _BUSY, retry_after=retry_after)


def _error_inside(error: Any) -> ModelFailed:
    """OpenRouter answers 200 and puts the provider's HTTP status into `error.code`."""
    code = error.get("code") if isinstance(error, dict) else None
    return _failure(code) if isinstance(code, int) else ModelFailed("error")


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


def _attempt(model: str, outcome: str, seconds: float, raw: Any) -> Attempt:
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


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; the form with a date (RFC 9110) is not used by OpenRouter and counts as none."""
    try:
        return max(float(header), 0.0) if header else None
    except ValueError:
        return None
