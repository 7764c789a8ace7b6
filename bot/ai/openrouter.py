"""OpenRouter through the openai SDK: models in their order, each with its own time limit."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random,
)

from bot.ai import answers, chat_completions
from bot.ai.chat import (
    BudgetSpent,
    ModelAnswer,
    ModelFailed,
    ModelRequest,
    NoModelAnswered,
    RecordAttempt,
    ToolOffer,
)
from bot.ai.circuit_breaker import CircuitBreaker
from bot.ai.connection import http_client
from bot.infra.json_bytes import json_bytes
from bot.settings import LLMSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai._types import RequestOptions

_log = structlog.get_logger()
_TRIES = 2
_TOOL_SETS = 8
# A model that asks for a longer wait than this is left for the next one.
_LONGEST_WAIT_SECONDS = 3.0
_BLIND = ("openai/gpt-3.5", "mistralai/mistral-7b", "meta-llama/llama-3-8b")
# The SDK's headers about itself and this machine: no vendor needs them, and each costs CPU time.
_UNSENT = (
    *("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async"),
    *("Retry-Count", "Read-Timeout"),
)
# Nobody knows whether these were served and charged: what was reserved for them stays spent.
_SERVED_PERHAPS = ("timeout", "broke_off", "connection")
_OF_THE_QUESTION = (
    "broke_off",
    "bad_request",
    "too_large",
    "refused",
    "empty",
    "filtered",
    "bad_tool_call",
    "no_choice",
)


@dataclass(frozen=True, slots=True)
class _ToolSet:
    """Tools, their JSON, and how many characters count for the price: those of ASCII, which are more."""

    tools: tuple[ToolOffer, ...]
    json: bytes
    characters: int


class OpenRouter:
    """A ChatModel over several models. The SDK's own retries are off: this is the one layer that retries."""

    def __init__(self, settings: LLMSettings, breaker: CircuitBreaker | None = None) -> None:
        self._settings = settings
        self._sdk: AsyncOpenAI | None = None
        self._options: RequestOptions = {}
        self._loading: asyncio.Future[Any] | None = None
        self._breaker = breaker or CircuitBreaker()
        # The whole address, because the SDK parses three addresses to join one.
        self._url = f"{settings.base_url.rstrip('/')}/chat/completions"
        self._known: deque[_ToolSet] = deque(maxlen=_TOOL_SETS)

    @property
    def has_key(self) -> bool:
        return self._settings.api_key is not None

    def load(self) -> asyncio.Future[Any]:
        """Import the SDK once, in a thread, because that takes a second; the result is there when it is imported.

        A worker that waits for its first message does without its 40 MB.
        """
        loading = self._loading
        # A machine without a free file or memory fails an import, and the next one may succeed.
        if loading is None or (loading.done() and (loading.cancelled() or loading.exception())):
            loading = self._loading = asyncio.ensure_future(asyncio.to_thread(import_module, "openai"))
        return asyncio.shield(loading)

    async def answer(self, question: ModelRequest, record_attempt: RecordAttempt) -> ModelAnswer:
        loop = asyncio.get_running_loop()
        await self.load()
        failure: ModelFailed | None = None
        spent: BudgetSpent | None = None
        models = self._breaker.available(tuple(dict.fromkeys((*question.models, *self._settings.models))))
        # A model that failed once in this turn is asked last in its later rounds.
        models = tuple(sorted(models, key=question.failing.__contains__))
        for position, model in enumerate(models):
            left = question.deadline - loop.time()
            if left <= 0:
                break
            alone = position == len(models) - 1
            # While other models remain, one may use half of the time that is left.
            by = loop.time() + (left if alone else left / 2)
            try:
                return await self._try(
                    model, question, by, _LONGEST_WAIT_SECONDS if not alone else left, record_attempt
                )
            except ModelFailed as error:
                failure = error
                if error.outcome not in _OF_THE_QUESTION:
                    question.failing.add(model)
            except BudgetSpent as error:
                # The next one may cost less.
                spent = error
        if spent is not None and failure is None:
            return await self._economise(question, spent, record_attempt)
        raise NoModelAnswered("no model answered") from failure

    async def _economise(
        self, question: ModelRequest, spent: BudgetSpent, record_attempt: RecordAttempt
    ) -> ModelAnswer:
        """Ask the cheap model, if there is one, because the budget is spent."""
        economy = question.spending.economy if question.spending else None
        left = question.deadline - asyncio.get_running_loop().time()
        if economy is None or left <= 0:
            raise spent
        try:
            by = asyncio.get_running_loop().time() + left
            return await self._try(economy, question, by, left, record_attempt, economy=True)
        except ModelFailed as error:
            raise NoModelAnswered("no model answered") from error

    async def _try(  # noqa: PLR0913 - one request has these sides
        self,
        model: str,
        question: ModelRequest,
        by: float,
        longest_wait: float,
        record_attempt: RecordAttempt,
        *,
        economy: bool = False,
    ) -> ModelAnswer:
        # Before the first await, so that only one of many requests tries the model.
        self._breaker.trying(model)

        def may_help(error: BaseException) -> bool:
            if not isinstance(error, ModelFailed) or self._breaker.is_open(model):
                return False
            return error.retryable and (error.retry_after or 0) <= longest_wait

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
                return await self._once(model, question, by, record_attempt, economy=economy)
        raise AssertionError  # pragma: no cover - tenacity returns or raises

    async def _once(
        self, model: str, question: ModelRequest, by: float, record_attempt: RecordAttempt, *, economy: bool
    ) -> ModelAnswer:
        body = self._body(model, question)
        tools = self._written(question.tools)
        most = chat_completions.most(model, body, tools.characters)
        if question.spending:
            await question.spending.reserve(most, economy=economy)
        started = time.perf_counter()
        seconds = min(self._settings.timeout_seconds, by - asyncio.get_running_loop().time())
        raw: Any = None
        outcome = "broke_off"
        try:
            # A timeout around all, because the SDK's own starts anew with every byte.
            async with asyncio.timeout(max(seconds, 0.05)):
                raw = answers.document(await self._ask(_content(body, tools)))
            answer = answers.read(raw, may_call=question.may_call)
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
            self._record_outcome(model, outcome)
            attempt = chat_completions.attempt(
                model, outcome, time.perf_counter() - started, raw, tuple(body["messages"])
            )
            if question.spending and not (raw is None and outcome in _SERVED_PERHAPS):
                await question.spending.settle(most, attempt.cost_usd)
            await record_attempt(attempt)

    def _record_outcome(self, model: str, outcome: str) -> None:
        """Tell the breaker outcomes that depend on the model, and not on our request or our patience."""
        if outcome in _OF_THE_QUESTION:
            return
        if outcome == "ok":
            self._breaker.succeeded(model)
        elif self._breaker.failed(model):
            _log.warning("model_rests", model=model, outcome=outcome, fix="see OpenRouter's status and the account")

    def _written(self, tools: tuple[ToolOffer, ...]) -> _ToolSet:
        """Give the tools as a request names them. Turns offer the same few sets: each is written out once."""
        for known in self._known:
            if known.tools == tools:
                return known
        functions = [
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters} for tool in tools
        ]
        offers = [{"type": "function", "function": function} for function in functions]
        # A copy of the schemas, because the caller may change its own.
        found = _ToolSet(deepcopy(tools), json_bytes(offers), len(json.dumps(offers or "")))
        self._known.append(found)
        return found

    async def _ask(self, body: bytes) -> str:
        import httpx2  # noqa: PLC0415 - a second and 20 MB that only a turn needs
        import openai  # noqa: PLC0415

        client = self._client()
        try:
            # `content` and the bare response skip the SDK's typed copies of the request and the answer, most of its
            # CPU time.
            response = await client.post(self._url, cast_to=httpx2.Response, content=body, options=self._options)
        except openai.APIStatusError as error:
            raise answers.failure(
                error.status_code, chat_completions.retry_after(error.response.headers.get("retry-after"))
            ) from error
        except openai.APIConnectionError as error:
            # The SDK's transport calls a refused connection a time-out; ours is the wall above.
            raise ModelFailed("connection", retryable=True) from error
        except openai.OpenAIError as error:
            raise ModelFailed("unreadable") from error
        return response.content.decode("utf-8", "replace")

    def _client(self) -> AsyncOpenAI:
        if self._sdk is None:
            from openai import AsyncOpenAI, Omit  # noqa: PLC0415 - as above

            # A default that isn't named is copied at every call, and an idempotency key is made, which nobody reads.
            self._options = {
                "max_retries": 0,
                "timeout": self._settings.timeout_seconds,
                "security": {"bearer_auth": True},
                "idempotency_key": "",
                "headers": {f"X-Stainless-{name}": Omit() for name in _UNSENT},
            }
            secret = self._settings.api_key
            self._sdk = AsyncOpenAI(
                api_key=secret.get_secret_value() if secret else "",
                base_url=self._settings.base_url,
                max_retries=0,
                timeout=self._settings.timeout_seconds,
                default_headers={"X-Title": "Recado"},
                http_client=http_client(),
            )
        return self._sdk

    async def close(self) -> None:
        if self._sdk is not None:
            await self._sdk.close()

    def _body(self, model: str, question: ModelRequest) -> dict[str, Any]:
        sees = not model.startswith(_BLIND)
        body: dict[str, Any] = {
            "model": model,
            "messages": [chat_completions.message(line, sees=sees) for line in question.lines],
            "max_tokens": min(question.max_tokens or self._settings.max_tokens, self._settings.max_tokens),
            "temperature": self._settings.temperature if question.temperature is None else question.temperature,
            "usage": {"include": True},
        }
        if question.tools:
            # The tools are named all the same: some providers refuse a history of calls without them.
            body |= {} if question.may_call else {"tool_choice": "none"}
        return body


def _content(body: dict[str, Any], tools: _ToolSet) -> bytes:
    """Write the body of a request; the tools are JSON already."""
    written = json_bytes(body)
    return b'%b,"tools":%b}' % (written[:-1], tools.json) if tools.tools else written
