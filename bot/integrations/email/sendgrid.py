"""SendGrid's Web API v3 (https://www.twilio.com/docs/sendgrid/api-reference/mail-send)."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import aiohttp

from bot.integrations.email.http import ProviderResponse, send_request
from bot.integrations.email.provider import (
    InDoubt,
    Mail,
    Misconfigured,
    ProviderUnavailable,
    RecipientRefused,
    display_name,
    scrubbed,
)

_ACCEPTED, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _SERVER_ERROR = 202, 400, 401, 403, 500


class SendGrid:
    """A given `sender_name` replaces the e-mail's own. `seconds` bound one whole request."""

    name = "sendgrid"

    def __init__(  # noqa: PLR0913 - what the settings say
        self,
        http: aiohttp.ClientSession,
        *,
        api_key: str,
        sender: str,
        sender_name: str | None = None,
        base_url: str = "https://api.sendgrid.com",
        seconds: float = 60,
    ) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._sender = sender
        self._sender_name = sender_name
        self._base = base_url
        self._seconds = seconds

    async def send(self, mail: Mail) -> str:
        response = await self._request("POST", "/v3/mail/send", await asyncio.to_thread(self._body, mail))
        if response.status == _ACCEPTED:
            return response.headers.get("X-Message-Id", "")
        raise _error(response)

    async def check(self) -> str:
        try:
            response = await self._request("GET", "/v3/scopes")
        except InDoubt as error:
            raise ProviderUnavailable(str(error)) from error
        scopes = response.data.get("scopes") if isinstance(response.data, dict) else None
        if not isinstance(scopes, list):
            raise _error(response)
        if "mail.send" not in scopes:
            raise Misconfigured("the key may not send", "give SENDGRID_API_KEY's key the permission Mail Send")
        return f"takes e-mail from {self._sender}"

    async def _request(self, method: str, path: str, body: bytes = b"") -> ProviderResponse:
        return await send_request(
            self._http, method, f"{self._base}{path}", headers=self._headers, seconds=self._seconds, body=body
        )

    def _body(self, mail: Mail) -> bytes:
        name = display_name(self._sender_name or mail.sender_name)
        body: dict[str, Any] = {
            "personalizations": [{"to": [{"email": mail.to}]}],
            "from": {"email": self._sender} | ({"name": name} if name else {}),
            "subject": mail.subject,
            # SendGrid demands this order.
            "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
            "headers": {"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
            # Rewritten links look like a trick, and nobody's reading is tracked.
            "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
        }
        if mail.attachments:
            body["attachments"] = [
                {
                    "content": base64.b64encode(attached.data).decode(),
                    "type": attached.mime,
                    "filename": attached.filename,
                    "disposition": "attachment",
                }
                for attached in mail.attachments
            ]
        return json.dumps(body).encode()


def _error(response: ProviderResponse) -> ProviderUnavailable | RecipientRefused:
    """The error of a refusal. Its `field` tells whether the recipient is at fault."""
    errors = response.data.get("errors") if isinstance(response.data, dict) else None
    errors = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    message = scrubbed("; ".join(str(error.get("message", "")) for error in errors))
    reason = f"HTTP {response.status}" + (f": {message}" if message else "")
    if response.status == _UNAUTHORIZED:
        return Misconfigured(reason, "see SENDGRID_API_KEY")
    if response.status == _FORBIDDEN:
        return Misconfigured(reason, "verify SENDGRID_FROM_EMAIL at SendGrid, and let the key send (Mail Send)")
    fields = [str(error.get("field")) for error in errors]
    if response.status == _BAD_REQUEST and fields and all(_names_recipient(field) for field in fields):
        return RecipientRefused(reason)
    if response.status < _SERVER_ERROR and (response.is_web_page or response.status < _BAD_REQUEST):
        return Misconfigured(f"{reason} is not SendGrid's answer", "see SENDGRID_BASE_URL")
    return ProviderUnavailable(reason)


def _names_recipient(field: str) -> bool:
    return field.startswith("personalizations") and ".to" in field
