"""OpenRouter for the sandbox and the tests: its wire protocol, its errors, answers by script or by rules."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.simulators.rule_based_model import answer_by_rules

_PRICE = 0.00000025
# Maps the messages and tools of a request to the answer's message.
Rules = Callable[[list[dict[str, Any]], list[dict[str, Any]]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """An answer prepared by a test: a message, or a fault of the connection.

    It is sent `delay` seconds after the request, and not before `until` is set.
    """

    message: dict[str, Any] | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    delay: float = 0.0
    until: asyncio.Event | None = None
    cut: bool = False
    drip: float = 0.0
    cost: float | None = None
    finish: str | None = None


def says(text: str, *, until: asyncio.Event | None = None) -> ScriptedAnswer:
    return ScriptedAnswer({"role": "assistant", "content": text}, until=until)


def calls(*tools: tuple[str, Any]) -> ScriptedAnswer:
    """The model calls tools: (name, arguments); arguments given as a string are sent unchanged."""
    made = [
        {
            "id": f"call_{index}",
            "type": "function",
            "function": {"name": name, "arguments": raw if isinstance(raw, str) else json.dumps(raw)},
        }
        for index, (name, raw) in enumerate(tools)
    ]
    return ScriptedAnswer({"role": "assistant", "content": None, "tool_calls": made})


def fails(status: int, message: str = "Provider returned error", **headers: str) -> ScriptedAnswer:
    error = {"error": {"code": status, "message": message}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ScriptedAnswer(status=status, body=json.dumps(error), headers=named)


class OpenRouterSimulator:
    """`requests` are the received bodies; `will(...)` queues answers, and `rules` answer when none is left.

    Answers by rules take `seconds`.
    """

    def __init__(self, api_key: str, *, rules: Rules = answer_by_rules, seconds: float = 0) -> None:
        self._api_key = api_key
        self._rules = rules
        self._seconds = seconds
        self._script: deque[ScriptedAnswer] = deque()
        self._by_model: dict[str, deque[ScriptedAnswer]] = {}
        self.requests: list[dict[str, Any]] = []

    def will(self, *answers: ScriptedAnswer, model: str | None = None) -> None:
        """Queue these answers; with `model`, only for requests to that model."""
        (self._by_model.setdefault(model, deque()) if model else self._script).extend(answers)

    def forget(self) -> None:
        """Drop the queued answers."""
        self._script.clear()
        self._by_model.clear()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.post("/api/v1/chat/completions", self._complete),
                web.get("/api/v1/key", self._key),
                web.get("/api/v1/models", self._models),
            ]
        )
        return app

    async def _key(self, request: web.Request) -> web.Response:
        if not self._authorised(request):
            return _error(401, "No auth credentials found")
        return web.json_response({"data": {"label": "sandbox", "usage": 0, "limit": None, "is_free_tier": False}})

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": []})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        if not self._authorised(request):
            return _error(401, "No auth credentials found")
        try:
            body = await request.json()
        except ValueError:
            return _error(400, "Invalid JSON")
        problem = _problem(body)
        if problem:
            return _error(400, problem)
        self.requests.append(body)
        own = self._by_model.get(body["model"])
        script = own or self._script
        answer = script.popleft() if script else self._by_rules(body)
        return await _send_scripted(request, answer, body)

    def _by_rules(self, body: dict[str, Any]) -> ScriptedAnswer:
        return ScriptedAnswer(self._rules(body["messages"], body.get("tools") or []), delay=self._seconds)

    def _authorised(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self._api_key}"


def _problem(body: Any) -> str | None:
    """The reason for which OpenRouter refuses with 400 before any model runs."""
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return "No models provided"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "Input required: specify messages"
    asked: set[str] = set()
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant", "tool"):
            return "messages: invalid role"
        asked.update(call["id"] for call in message.get("tool_calls") or ())
        if message["role"] == "tool" and message.get("tool_call_id") not in asked:
            return "messages: tool result without a call"
    return None


async def _send_scripted(request: web.Request, answer: ScriptedAnswer, body: dict[str, Any]) -> web.StreamResponse:
    await asyncio.sleep(answer.delay)
    if answer.until is not None:
        await answer.until.wait()
    text = answer.body if answer.body is not None else json.dumps(_completion(answer, body))
    if answer.cut or answer.drip:
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
        response.content_length = len(text.encode())
        await response.prepare(request)
        # The client may hang up early.
        with suppress(ConnectionResetError):
            for byte in text.encode()[: len(text) // 2 if answer.cut else None]:
                await response.write(bytes([byte]))
                await asyncio.sleep(answer.drip)
        if answer.cut and request.transport is not None:
            request.transport.abort()
        return response
    kind = "text/html" if text.startswith("<") else "application/json"
    return web.Response(status=answer.status, headers=answer.headers, text=text, content_type=kind)


def _completion(answer: ScriptedAnswer, body: dict[str, Any]) -> dict[str, Any]:
    message = answer.message or {}
    prompt = len(json.dumps(body["messages"], ensure_ascii=False)) // 4
    completion = len(json.dumps(message, ensure_ascii=False)) // 4
    return {
        "id": "gen-sandbox",
        "object": "chat.completion",
        "provider": "Sandbox",
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": answer.finish or ("tool_calls" if message.get("tool_calls") else "stop"),
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "cost": round((prompt + completion) * _PRICE, 8) if answer.cost is None else answer.cost,
        },
    }


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"code": status, "message": message}}, status=status)
