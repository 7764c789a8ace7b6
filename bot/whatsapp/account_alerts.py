"""Alerts about our account and number at Meta, in words that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.infra.alerts import Alarm, Severity
from bot.whatsapp.lenient_json import items, mapping, own_number, text

Raw = dict[str, Any]

_MANAGER = "see WhatsApp Manager, Account overview"
_CRITICAL_EVENTS = {
    "ACCOUNT_DELETED": "the account is gone: nothing can be sent; connect another one",
    "ACCOUNT_VIOLATION": "change what broke the policy, or appeal, in WhatsApp Manager, Account quality",
    "ACCOUNT_RESTRICTION": "see WhatsApp Manager, Account quality: what is restricted until when; appeal if wrong",
    "DISABLED_UPDATE": "Meta disables the account: appeal in WhatsApp Manager, Account quality, before the date",
    "PARTNER_REMOVED": "our access to the account was taken: have it shared again in Business settings",
    "PARTNER_APP_UNINSTALLED": "our app was removed from the account, its token is lost: connect it again",
    "ACCOUNT_OFFBOARDED": "the number left the Cloud API: connect it again",
}
# Events of the same webhooks that need no action.
_GOOD_EVENTS = frozenset({
    "ACCOUNT_RECONNECTED", "AD_ACCOUNT_LINKED", "MM_LITE_TERMS_SIGNED", "PARTNER_ADDED", "PARTNER_APP_INSTALLED",
    "VOLUME_BASED_PRICING_TIER_UPDATE",
})  # fmt: skip
_BAD_ENDINGS = ("_REJECTED", "_FAILED", "_LOST")
_CERTIFIED = "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE"
_GOOD_CERTIFICATION = frozenset({"APPROVED", "PENDING"})
_GOOD_QUALITY = frozenset({"ONBOARDING", "THROUGHPUT_UPGRADE", "UNFLAGGED", "UPGRADE"})
_GOOD_DECISIONS = frozenset({"APPROVED", "PENDING"})
_GOOD_USERNAMES = frozenset({"approved", "reserved"})
_SHOWN_DIGITS = 4
# Meta's values for no limit.
_NO_LIMIT = frozenset({"TIER_UNLIMITED", "UNLIMITED", "-1"})
_SECURITY_EVENTS = {
    "PIN_CHANGED": "if nobody of yours changed the PIN, reset it in WhatsApp Manager and check who has access",
    "PIN_RESET_REQUEST": "if nobody of yours asked for it, refuse it in WhatsApp Manager and check who has access",
    "PIN_REQUEST_SUCCESS": "if nobody of yours asked for a new PIN, set one now and check who has access",
}


def alarms_of(field: str, value: Raw) -> list[Alarm]:
    """The alarms in a field's value; none where it is good news."""
    return _READERS[field](value)


def _account(value: Raw) -> list[Alarm]:
    event = text(value.get("event")) or "unknown"
    restrictions = (
        text(mapping(restriction).get("restriction_type")) for restriction in items(value.get("restriction_info"))
    )
    violation = text(mapping(value.get("violation_info")).get("violation_type"))
    ban = text(mapping(value.get("ban_info")).get("waba_ban_state"))
    concerned = _last_digits(value.get("phone_number"))
    what = " ".join(filter(None, (event, violation, ban, *restrictions, concerned)))
    if event in _GOOD_EVENTS or (event == "DISABLED_UPDATE" and ban == "REINSTATE"):
        return []
    certification = text(mapping(value.get("partner_client_certification_info")).get("status"))
    if event == _CERTIFIED and certification in _GOOD_CERTIFICATION:
        return []
    fix = _CRITICAL_EVENTS.get(event)
    return [Alarm("account_update", "error" if fix else "warning", what, fix or _MANAGER)]


def _last_digits(phone_number: Any) -> str | None:
    """The last digits of the number that is concerned, because alerts are logged and must not hold it all."""
    number = own_number(phone_number)
    return f"number …{number[-_SHOWN_DIGITS:]}" if number else None


def _account_alert(value: Raw) -> list[Alarm]:
    alert = mapping(value.get("alert_info"))
    severity, what = text(alert.get("alert_severity")), text(alert.get("alert_type")) or "unknown"
    # NONE: it is over. A rejection is no good news, however mildly Meta puts it.
    over = text(alert.get("alert_status")) == "NONE"
    if over or what.endswith("_APPROVED") or (severity == "INFORMATIONAL" and not what.endswith(_BAD_ENDINGS)):
        return []
    critical = severity == "CRITICAL"
    return [
        Alarm("account_alerts", "error" if critical else "warning", what, f"{_MANAGER}, and the alert's description")
    ]


def _review(value: Raw) -> list[Alarm]:
    decision = text(value.get("decision")) or "unknown"
    if decision in _GOOD_DECISIONS:
        return []
    severity: Severity = "error" if decision == "REJECTED" else "warning"
    return [Alarm("account_review_update", severity, decision, _MANAGER)]


def _security(value: Raw) -> list[Alarm]:
    event = text(value.get("event")) or "unknown"
    fix = _SECURITY_EVENTS.get(event, "check in WhatsApp Manager who has access to the number")
    return [Alarm("security", "error", event, fix)]


def _quality(value: Raw) -> list[Alarm]:
    event = text(value.get("event")) or "unknown"
    if event in _GOOD_QUALITY:
        return []
    limit = text(value.get("max_daily_conversations_per_business")) or text(value.get("current_limit"))
    worse = event in {"FLAGGED", "DOWNGRADE"}
    fix = "people block or report the number: send less marketing, and only to who asked for it" if worse else _MANAGER
    what = " ".join(filter(None, (event, limit)))
    return [Alarm("phone_number_quality_update", "error" if worse else "warning", what, fix)]


def _name(value: Raw) -> list[Alarm]:
    decision = text(value.get("decision")) or "unknown"
    if decision in _GOOD_DECISIONS:
        return []
    return [Alarm("phone_number_name_update", "warning", decision, "see WhatsApp Manager, Phone numbers, the name")]


def _capability(value: Raw) -> list[Alarm]:
    # Documented as a text such as TIER_2K, sent as a number as well; -1 was "no limit".
    limit = text(value.get("max_daily_conversations_per_business")) or "unknown"
    if limit in _NO_LIMIT:
        return []
    fix = "none needed if the limit grew; else see WhatsApp Manager, Account quality"
    return [Alarm("business_capability_update", "warning", limit, fix)]


def _username(value: Raw) -> list[Alarm]:
    status, context = text(value.get("status")) or "unknown", text(value.get("context"))
    if status in _GOOD_USERNAMES and context is None:
        return []
    what = " ".join(filter(None, (status, context)))
    fix = "people may not find the business by its username any more: see WhatsApp Manager, Phone numbers"
    return [Alarm("business_username_updates", "warning", what, fix)]


def _errors(value: Raw) -> list[Alarm]:
    codes = [text(mapping(error).get("code")) or "unknown" for error in items(value.get("errors"))]
    fix = "a fault of the account or the number, not of a message: look the code up in Meta's error codes"
    slow = "we send faster than Meta takes it: fewer workers, or ask for a higher throughput"
    return [Alarm("errors", "error", code, slow if code == "130429" else fix) for code in codes]


_READERS: dict[str, Callable[[Raw], list[Alarm]]] = {
    "account_update": _account,
    "account_alerts": _account_alert,
    "account_review_update": _review,
    "security": _security,
    "phone_number_quality_update": _quality,
    "phone_number_name_update": _name,
    "business_capability_update": _capability,
    # Meta's page has the singular, its webhooks have the plural.
    "business_username_update": _username,
    "business_username_updates": _username,
    "errors": _errors,
}
FIELDS = tuple(_READERS)
