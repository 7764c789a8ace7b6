"""HTTP side of Stripe's API: keys, form bodies, idempotency, `expand`, and planned faults."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.stripe.account import API_VERSION, Account, Json, copied
from sandbox.stripe.encoding import decode, read
from sandbox.stripe.errors import StripeRefusal
from sandbox.stripe.faults import StripeFault, StripeFaults
from sandbox.stripe.forms import Retrieve
from sandbox.stripe.listing import Expander, check_expand

_IDEMPOTENCY_SECONDS = 24 * 3600
_LONGEST_KEY = 255
_CARD_ERROR = 402
_FAULT_RESPONSES = {
    "rate_limit": StripeRefusal(
        "Request rate limit exceeded. Learn more about rate limits https://stripe.com/docs/rate-limits.",
        status=429,
        code="rate_limit",
    ),
    "error": StripeRefusal("An unknown error occurred", status=500, kind="api_error"),
    "unavailable": StripeRefusal("Stripe is temporarily unavailable", status=503, kind="api_error"),
}


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: its form, and the function that returns the object (from the form and the ids of the path)."""

    method: str
    path: str
    form: type[Retrieve]
    act: Callable[..., Json]


@dataclass(frozen=True, slots=True)
class IdempotentResponse:
    """A request with an idempotency key, and its response."""

    at: int
    request: tuple[str, str, str]
    status: int
    body: Json
    id: str


class ApiServer:
    def __init__(self, account: Account, secret_key: str, faults: StripeFaults, catch_up: Callable[[], None]) -> None:
        self._account = account
        self._secret_key = secret_key
        self._faults = faults
        self._catch_up = catch_up
        self._expander = Expander(account)
        self._idempotent_responses: dict[str, IdempotentResponse] = {}

    def routes(self, endpoints: Sequence[Route]) -> list[web.RouteDef]:
        table = [web.route(each.method, each.path, self._handler(each)) for each in endpoints]
        return [*table, web.route("*", "/{tail:.*}", self._handler(None))]

    def _handler(self, route: Route | None) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            name = self._account.new_id("request")
            try:
                self._authorise(request)
                if route is None:
                    raise _unrecognised(request)
                encoded = request.query_string if request.method == "GET" else await _body(request)
                fault = self._faults.take(request.path)
                if fault is not None and fault.kind == "html":
                    return web.Response(status=502, content_type="text/html", text=_GATEWAY)
                if fault is not None and fault.kind in _FAULT_RESPONSES:
                    raise _FAULT_RESPONSES[fault.kind]
                response = self._answer(route, request, encoded, name)
            except StripeRefusal as error:
                return _json(error.body(), name, error.status)
            return await _apply_delivery_fault(request, response, fault)

        return handle

    def _authorise(self, request: web.Request) -> None:
        key = _key(request.headers.get("Authorization", ""))
        if not key:
            raise StripeRefusal(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                status=401,
            )
        if key.startswith("pk_"):
            raise StripeRefusal(
                "This API call cannot be made with a publishable API key. Please use a secret API key. You can find "
                "a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
                status=403,
                code="secret_key_required",
            )
        if not hmac.compare_digest(key.encode(), self._secret_key.encode()):
            raise StripeRefusal(f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}", status=401)

    def _answer(self, route: Route, request: web.Request, encoded: str, name: str) -> web.Response:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        asked = (request.method, request.path, encoded)
        if key is not None:
            known = self._stored_response(key, asked)
            if known is not None:
                headers = {"Idempotency-Key": key, "Idempotent-Replayed": "true", "Original-Request": known.id}
                return _json(known.body, name, known.status, headers)
        data = decode(encoded)
        form = read(route.form, data)
        check_expand(form.expand)
        self._catch_up()
        self._account.base_url = self._account.public_url or f"{request.scheme}://{request.host}"
        status, body = self._perform(route, request, form, {"id": name, "idempotency_key": key})
        if key is not None:
            self._idempotent_responses[key] = IdempotentResponse(
                self._account.clock.now(), asked, status, copied(body), name
            )
        return _json(body, name, status, {"Idempotency-Key": key} if key else {})

    def _perform(self, route: Route, request: web.Request, form: Retrieve, origin: Json) -> tuple[int, Json]:
        """The response; a declined card's response is stored too, while a refused request may be repeated."""
        self._account.request = origin
        try:
            answer = route.act(form, *request.match_info.values())
            return 200, self._expander.expanded(answer, form.expand)
        except StripeRefusal as error:
            if error.status != _CARD_ERROR:
                raise
            return error.status, error.body()
        finally:
            self._account.request = {"id": None, "idempotency_key": None}

    def _stored_response(self, key: str, asked: tuple[str, str, str]) -> IdempotentResponse | None:
        if len(key) > _LONGEST_KEY:
            raise StripeRefusal("Idempotency keys can be at most 255 characters long.")
        oldest = self._account.clock.now() - _IDEMPOTENCY_SECONDS
        self._idempotent_responses = {
            name: each for name, each in self._idempotent_responses.items() if each.at > oldest
        }
        known = self._idempotent_responses.get(key)
        if known is None or known.request == asked:
            return known
        what = "parameters they were" if known.request[:2] == asked[:2] else "endpoint it was"
        raise StripeRefusal(
            f"Keys for idempotent requests can only be used with the same {what} first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )


def _key(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[0]
        except ValueError:
            return ""
    return value.strip() if scheme.lower() == "bearer" else ""


async def _body(request: web.Request) -> str:
    """The form; Stripe accepts a DELETE's parameters in the address or the body."""
    try:
        text = await request.text()
    except UnicodeDecodeError as error:
        raise StripeRefusal("Invalid UTF-8 in the request body") from error
    if text and request.content_type != "application/x-www-form-urlencoded":
        raise StripeRefusal(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). "
            "If you have questions, we can help at https://support.stripe.com/."
        )
    return text or (request.query_string if request.method == "DELETE" else "")


async def _apply_delivery_fault(
    request: web.Request, response: web.Response, fault: StripeFault | None
) -> web.StreamResponse:
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault is not None and fault.kind == "drop" and request.transport is not None:
        request.transport.abort()
    return response


def _unrecognised(request: web.Request) -> StripeRefusal:
    return StripeRefusal(
        f"Unrecognized request URL ({request.method}: {request.path}). Please see https://stripe.com/docs "
        "or we can help at https://support.stripe.com/.",
        status=404,
    )


def _json(body: Any, name: str, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    text = json.dumps(body, ensure_ascii=False)
    every = {"Request-Id": name, "Stripe-Version": API_VERSION} | (headers or {})
    return web.Response(text=text, status=status, content_type="application/json", headers=every)


_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
