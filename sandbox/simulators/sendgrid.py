"""SendGrid for the tests: its v3 API, and its refusals as on SendGrid's page "Mail Send errors"."""

import asyncio
import base64
import binascii
import json
import re
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

_ADDRESS = re.compile(r"[\x21-\x7e]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LARGEST = 30 * 1024 * 1024
_RESERVED = {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"} | {
    "to", "from", "subject", "reply-to", "cc", "bcc"
}  # fmt: skip
_KNOWN = {"personalizations", "from", "subject", "content", "headers", "attachments", "tracking_settings", "reply_to"}
_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message"


@dataclass(frozen=True, slots=True)
class SendGridFault:
    """The next fault: an answer of this status after so many seconds, or no answer once the mail is stored."""

    status: int | None = None
    seconds: float = 0.0
    drop: bool = False


class SendGridSimulator:
    """`mails` are the accepted bodies, in order; `senders` are the verified addresses."""

    def __init__(self, api_key: str, *senders: str, scopes: tuple[str, ...] = ("mail.send",)) -> None:
        self._api_key = api_key
        self._senders = frozenset(senders)
        self._scopes = scopes
        self._faults: deque[SendGridFault] = deque()
        self.mails: list[dict[str, Any]] = []
        self.asked = 0

    def will(self, *faults: SendGridFault) -> None:
        self._faults.extend(faults)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes([web.post("/v3/mail/send", self._send), web.get("/v3/scopes", self._list_scopes)])
        return app

    async def _list_scopes(self, request: web.Request) -> web.Response:
        if not self._authorised(request):
            return _refusal(401, "authorization required")
        return web.json_response({"scopes": list(self._scopes)})

    async def _send(self, request: web.Request) -> web.Response:
        self.asked += 1
        fault = self._faults.popleft() if self._faults else SendGridFault()
        if fault.status is not None:
            await asyncio.sleep(fault.seconds)
            return _failure(fault.status)
        refusal = self._problem(request, body := await request.read())
        if refusal is not None:
            return refusal
        self.mails.append(json.loads(body))
        await asyncio.sleep(fault.seconds)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        return web.Response(status=202, headers={"X-Message-Id": secrets.token_urlsafe(16)})

    def _problem(self, request: web.Request, body: bytes) -> web.Response | None:
        checks = (
            (self._authorised(request), 401, "The provided authorization grant is invalid, expired, or revoked"),
            ("mail.send" in self._scopes, 403, "access forbidden"),
            (len(body) <= _LARGEST, 413, "The JSON payload you have included in your request is too large."),
            (request.content_type == "application/json", 415, "Content-Type should be application/json."),
        )
        for fine, status, words in checks:
            if not fine:
                return _refusal(status, words)
        return self._problem_of(_parsed(body))

    def _problem_of(self, mail: Any) -> web.Response | None:
        if not isinstance(mail, dict):
            return _refusal(400, "Bad Request")
        if errors := _errors(mail):
            return web.json_response({"errors": errors}, status=400)
        if mail["from"]["email"] not in self._senders:
            words = "The from address does not match a verified Sender Identity. Mail cannot be sent until this error "
            return _refusal(403, f"{words}is resolved.", "from")
        return None

    def _authorised(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self._api_key}"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _errors(mail: dict[str, Any]) -> list[dict[str, Any]]:
    found = [_error(name, f"Invalid argument: {name}") for name in set(mail) - _KNOWN]
    if not _is_address(mail.get("from")):
        found.append(_error("from.email", "The from email does not contain a valid address."))
    found += _recipients(mail.get("personalizations"))
    if not isinstance(mail.get("subject"), str) or not mail["subject"]:
        found.append(_error("subject", "The subject is required."))
    contents = mail.get("content")
    if not isinstance(contents, list) or not contents:
        found.append(_error("content", "Unless a valid template_id is provided, the content parameter is required."))
    else:
        found += _contents(contents)
    for name in mail.get("headers", {}):
        if name.lower() in _RESERVED:
            found.append(_error(f"headers.{name}", f"The header {name} is reserved."))
    for number, attached in enumerate(mail.get("attachments", [])):
        found += _attachment(number, attached)
    return found


def _recipients(personalizations: Any) -> list[dict[str, Any]]:
    if not isinstance(personalizations, list) or not personalizations:
        return [_error("personalizations", "The personalizations field is required and must have at least one.")]
    found = []
    for number, personalization in enumerate(personalizations):
        to = personalization.get("to") if isinstance(personalization, dict) else None
        if not isinstance(to, list) or not to:
            found.append(_error(f"personalizations.{number}.to", "The to array is required for all personalization"))
            continue
        found += [
            _error(f"personalizations.{number}.to.{place}.email", "Does not contain a valid address.")
            for place, each in enumerate(to)
            if not _is_address(each)
        ]
    return found


def _contents(contents: list[Any]) -> list[dict[str, Any]]:
    types = [content.get("type") for content in contents]
    if types != sorted(types, key=lambda kind: (kind != "text/plain", kind != "text/html")):
        words = "If present, text/plain and text/html may only be provided once, text/plain first, then text/html."
        return [_error("content", words)]
    return [
        _error(f"content.{number}.value", "The content value must be a string at least one character in length.")
        for number, content in enumerate(contents)
        if not isinstance(content.get("value"), str) or not content["value"]
    ]


def _attachment(number: int, attached: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        base64.b64decode(attached["content"], validate=True)
    except (binascii.Error, KeyError, TypeError):
        return [_error(f"attachments.{number}.content", "The attachment content must be base64 encoded.")]
    if re.search(r"[\r\n;]", attached.get("type", "")):
        return [_error(f"attachments.{number}.type", "The type cannot contain ‘;’, or CRLF characters.")]
    if not attached.get("filename"):
        return [_error(f"attachments.{number}.filename", "The filename of the attachment is required.")]
    return []


def _is_address(party: Any) -> bool:
    return isinstance(party, dict) and bool(_ADDRESS.fullmatch(str(party.get("email", ""))))


def _error(field: str, message: str) -> dict[str, Any]:
    return {"message": message, "field": field, "help": f"{_HELP}.{field}"}


def _refusal(status: int, message: str, field: str | None = None) -> web.Response:
    return web.json_response({"errors": [{"message": message, "field": field, "help": None}]}, status=status)


def _failure(status: int) -> web.Response:
    if status != web.HTTPTooManyRequests.status_code:
        return web.Response(status=status, text="<html>upstream error</html>", content_type="text/html")
    limits = {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795500060"}
    return web.json_response(
        {"errors": [{"field": None, "message": "too many requests"}]}, status=status, headers=limits
    )
