"""Amazon SES, API v2 (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html)."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from datetime import UTC, datetime

import aiohttp

from bot.integrations.email.aws_sigv4 import AwsKey
from bot.integrations.email.http import ProviderResponse, send_request
from bot.integrations.email.mime import encoded
from bot.integrations.email.provider import (
    InDoubt,
    Mail,
    Misconfigured,
    ProviderUnavailable,
    RecipientRefused,
    scrubbed,
)

_OK, _BAD_REQUEST, _FORBIDDEN, _SERVER_ERROR = 200, 400, 403, 500
_NO_SENDER = {"MailFromDomainNotVerifiedException", "AccountSuspendedException", "SendingPausedException"}
# SES's texts for an impossible address. The settings checked the sender's, so that it is the recipient's.
_NO_ADDRESS = re.compile(
    r"illegal address|invalid (to|email) address|missing final '@domain'|local address contains|local-part|"
    r"domain (contains|starts|ends|name)|user name is missing|address contains",
    re.IGNORECASE,
)


class Ses:
    """`base_url` has no path. SES replaces the Message-ID and the Date of the message."""

    name = "ses"

    def __init__(
        self, http: aiohttp.ClientSession, key: AwsKey, *, sender: str, base_url: str | None = None, seconds: float = 60
    ) -> None:
        self._http = http
        self._key = key
        self._sender = sender
        self._base = base_url or f"https://email.{key.region}.amazonaws.com"
        self._seconds = seconds

    async def send(self, mail: Mail) -> str:
        response = await self._request("POST", "/v2/email/outbound-emails", await asyncio.to_thread(self._body, mail))
        if response.status == _OK and response.data is None and not response.is_web_page:
            return ""  # SES accepted the e-mail, and its answer broke off.
        if response.status == _OK and isinstance(response.data, dict) and "MessageId" in response.data:
            return str(response.data["MessageId"])
        raise _error(response)

    async def check(self) -> str:
        try:
            response = await self._request("GET", "/v2/email/account")
        except InDoubt as error:
            raise ProviderUnavailable(str(error)) from error
        account = response.data if isinstance(response.data, dict) else {}
        if _error_name(response).startswith("AccessDenied"):
            # Only a valid key gets this answer. A key that may send and nothing else is a good one.
            return f"the key is right (it may not look at the account), from {self._sender}"
        if response.status != _OK or "SendingEnabled" not in account:
            raise _error(response)
        if not account["SendingEnabled"]:
            raise Misconfigured("the account may not send", "see the account's state in the SES console")
        if not account.get("ProductionAccessEnabled", True):
            fix = "ask for production access in the SES console"
            raise Misconfigured("the account is in the SES sandbox and writes to verified addresses only", fix)
        return f"takes e-mail from {self._sender}"

    def _body(self, mail: Mail) -> bytes:
        raw = base64.b64encode(encoded(mail, self._sender)).decode()
        body = {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": [mail.to]},
            "Content": {"Raw": {"Data": raw}},
        }
        return json.dumps(body).encode()

    async def _request(self, method: str, path: str, body: bytes = b"") -> ProviderResponse:
        url = f"{self._base}{path}"
        headers = self._key.signed(method, url, body, datetime.now(UTC))
        return await send_request(self._http, method, url, headers=headers, seconds=self._seconds, body=body)


def _error_name(response: ProviderResponse) -> str:
    """The error's name, from the header or the body, without a prefix up to `#` or a suffix from `:`."""
    data = response.data if isinstance(response.data, dict) else {}
    kind = response.headers.get("x-amzn-ErrorType") or str(data.get("__type", ""))
    return kind.partition(":")[0].rpartition("#")[2]


def _error(response: ProviderResponse) -> ProviderUnavailable | RecipientRefused:
    data = response.data if isinstance(response.data, dict) else {}
    message = str(data.get("message") or data.get("Message") or "")
    kind = _error_name(response)
    reason = " ".join(filter(None, (f"HTTP {response.status}", kind, scrubbed(message))))
    if response.status == _FORBIDDEN:
        fix = "see AWS_SES_ACCESS_KEY_ID, AWS_SES_SECRET_ACCESS_KEY, AWS_SES_REGION, and let the key ses:SendEmail"
        return Misconfigured(reason, fix)
    if kind in _NO_SENDER or "not verified" in message:
        return Misconfigured(reason, "verify AWS_SES_FROM_EMAIL in this region, and see the account's state at SES")
    if response.status == _BAD_REQUEST and kind.startswith("BadRequest") and _NO_ADDRESS.search(message):
        return RecipientRefused(reason)
    if response.status < _SERVER_ERROR and (response.is_web_page or response.status < _BAD_REQUEST):
        return Misconfigured(f"{reason} is not the answer of SES", "see AWS_ENDPOINT_URL_SES")
    return ProviderUnavailable(reason)
