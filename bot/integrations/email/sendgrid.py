"""SendGrid's Web API v3 (https://www.twilio.com/docs/sendgrid/api-reference/mail-send)."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import aiohttp

from bot.integrations.email.http import ProviderAnswer, ask
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
    """`sender_name` stands in for the mail's own when it is given. `seconds` are for one request in all."""

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
        answered = await self._ask("POST", "/v3/mail/send", await asyncio.to_thread(self._body, mail))
        if answered.status == _ACCEPTED:
            return answered.headers.get("X-Message-Id", "")
        raise _error(answered)

    async def check(self) -> str:
        try:
            answered = await self._ask("GET", "/v3/scopes")
        except InDoubt as error:
            raise ProviderUnavailable(str(error)) from error
        scopes = answered.data.get("scopes") if isinstance(answered.data, dict) else None
        if not isinstance(scopes, list):
            raise _error(answered)
        if "mail.send" not in scopes:
            raise Misconfigured("the key may not send", "give SENDGRID_API_KEY's key the permission Mail Send")
        return f"takes e-mail from {self._sender}"

    async def _ask(self, method: str, path: str, body: bytes = b"") -> ProviderAnswer:
        return await ask(
            self._http, method, f"{self._base}{path}", headers=self._headers, seconds=self._seconds, body=body
        )

    def _body(self, mail: Mail) -> bytes:
        name = display_name(self._sender_name or mail.sender_name)
        body: dict[str, Any] = {
            "personalizations": [{"to": [{"email": mail.to}]}],
            "from": {"email": self._sender} | ({"name": name} if name else {}),
            "subject": mail.subject,
            # SendGrid wants them in this order.
            "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
            "headers": {"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
            # Links lead where they say: a rewritten one looks like a trick. And nobody's reading is watched.
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


def _error(answered: ProviderAnswer) -> ProviderUnavailable | RecipientRefused:
    """What a refusal stands for: its `field` tells whether the recipient is at fault."""
    errors = answered.data.get("errors") if isinstance(answered.data, dict) else None
    errors = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    told = scrubbed("; ".join(str(one.get("message", "")) for one in errors))
    words = f"HTTP {answered.status}" + (f": {told}" if told else "")
    if answered.status == _UNAUTHORIZED:
        return Misconfigured(words, "see SENDGRID_API_KEY")
    if answered.status == _FORBIDDEN:
        return Misconfigured(words, "verify SENDGRID_FROM_EMAIL at SendGrid, and let the key send (Mail Send)")
    fields = [str(one.get("field")) for one in errors]
    if answered.status == _BAD_REQUEST and fields and all(_of_recipient(field) for field in fields):
        return RecipientRefused(words)
    if answered.status < _SERVER_ERROR and (answered.page or answered.status < _BAD_REQUEST):
        return Misconfigured(f"{words} is not SendGrid's answer", "see SENDGRID_BASE_URL")
    return ProviderUnavailable(words)


def _of_recipient(field: str) -> bool:
    return field.startswith("personalizations") and ".to" in field
