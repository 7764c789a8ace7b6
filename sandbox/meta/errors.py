"""Refusals in Meta's own format, because our client decides by their codes."""

import secrets
from typing import Any

from aiohttp import web

# code → (HTTP status, title), from Meta's list of error codes of 2026-05-15.
_KNOWN = {
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131042: (400, "Business eligibility payment issue"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "User has stopped marketing messages"),
    131051: (400, "Message type unknown"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131061: (400, "Template requires the Marketing Messages API"),
    131062: (400, "Business-scoped user id is not supported for this message"),
    131070: (400, "Thread is owned by another app"),
    132000: (400, "Template Param Count Mismatch"),
    132001: (404, "Template does not exist"),
    132005: (400, "Template Hydrated Text Too Long"),
    132012: (400, "Template Parameter Format Mismatch"),
    132015: (400, "Template is Paused"),
    132016: (400, "Template is Disabled"),
    132018: (400, "Template parameter validation failed"),
    133010: (400, "Phone number not registered"),
    138038: (400, "App is not the primary one for calls"),
    2494191: (400, "Thread take not permitted"),
}
_DOCUMENTATION = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes/"


class GraphRefusal(Exception):
    """An error of the Graph API; `response` builds the HTTP answer."""

    def __init__(self, code: int, details: str, *, status: int | None = None, subcode: int | None = None) -> None:
        known_status, self.title = _KNOWN.get(code, (400, "Unknown error"))
        super().__init__(f"(#{code}) {self.title}: {details}")
        self.code, self.details, self.subcode = code, details, subcode
        self.status = known_status if status is None else status

    def response(self) -> web.Response:
        """The HTTP answer: Graph's error envelope."""
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.title}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return web.json_response({"error": error}, status=self.status)

    def in_webhook(self) -> dict[str, Any]:
        """The same error inside a `failed` status: without type and trace."""
        title = self.title
        details = {"details": self.details}
        return {"code": self.code, "title": title, "message": title, "error_data": details, "href": _DOCUMENTATION}


def unknown_number(number_id: str) -> GraphRefusal:
    """Meta's error for a phone number or account that is gone or hidden from the token."""
    return GraphRefusal(33, f"Object with ID '{number_id}' does not exist or is not visible to this token", subcode=33)


def unknown_object(object_id: str) -> GraphRefusal:
    """Graph's error for any other id that doesn't exist."""
    return GraphRefusal(
        100, f"Object with ID '{object_id}' does not exist or does not support this operation", subcode=33
    )
