"""Errors of the Graph API, and their remedies (docs/whatsapp.md, Errors)."""

from __future__ import annotations

import json
from enum import StrEnum

from bot.messages.inbound import FILE_LOST
from bot.whatsapp import lenient_json
from bot.whatsapp.lenient_json import mapping, text


class Remedy(StrEnum):
    """Reaction to an error."""

    RETRY = "retry"  # the same call can succeed in seconds
    WAIT_FOR_PERSON = "wait_for_person"  # the 24-hour window is closed
    FIX_SETTINGS = "fix_settings"  # nobody can send until an operator acts
    GIVE_UP = "give_up"  # this message will never leave


class GraphError(Exception):
    """Meta refused a call; `code` is Meta's number, 0 where it gave none."""

    def __init__(self, code: int, details: str, remedy: Remedy) -> None:
        super().__init__(f"Meta's error {code}: {details}")
        self.code = code
        self.remedy = remedy


class MetaUnavailable(Exception):
    """No usable answer from Meta; with `in_doubt` the call may have taken effect all the same."""

    def __init__(self, why: str, *, in_doubt: bool) -> None:
        super().__init__(why)
        self.in_doubt = in_doubt


PAIR_RATE = 131056
# Limits of the number or the account, for which everybody waits.
RATES = frozenset({4, 17, 32, 613, 80007, 130429, 131057, 2494100})
UNDELIVERABLE = 131026
OPTED_OUT = 131050
MEDIA_REFUSED = 131053
PARAMETER_INVALID = 131009
ACCOUNT_LOCKED = 131031
CURSOR_EXPIRED = 131059
# Another app owns the thread (Conversation Routing), so that free text of ours is refused.
THREAD_OF_ANOTHER = 131070
# Only the app that is the escalation partner may take a thread.
TAKE_REFUSED = 2494191

_RETRY = RATES | {1, 2, PAIR_RATE, 131000, 131016, 133004, 134101}
_FIX_SETTINGS = frozenset(
    {0, 3, 10, 33, 190, 368, 131005, ACCOUNT_LOCKED, 131037, 131042, 131044, 131045, 133010, *range(200, 300)}
)
_WINDOW_CLOSED = 131047
# Errors caused by the person or the content of one message, which no operator can mend.
_OF_THE_PERSON = frozenset({
    130472, 131021, UNDELIVERABLE, _WINDOW_CLOSED, 131049, OPTED_OUT, 131051, FILE_LOST, MEDIA_REFUSED, 131062,
    THREAD_OF_ANOTHER, 137000,
})  # fmt: skip
_SERVER_ERROR = 500
_ROUTING = "in Meta Business Suite, Conversation Routing"
_LOOK_UP = "look the code up in Meta's list of error codes"
_FIXES = {
    131061: "the template has a maximum price, which this call refuses: send another one, or take the price off",
    131062: "send this template to a phone: Meta takes neither authentication nor a maximum price to a BSUID",
    131065: f"Meta documents no remedy yet: read the details in the error, and {_LOOK_UP}",
    THREAD_OF_ANOTHER: "wait until the other app passes the thread on, or take it; templates may leave meanwhile",
    138038: f"make this app the primary one for calls, {_ROUTING}",
    TAKE_REFUSED: f"make this app the escalation partner, {_ROUTING}; or wait until the thread is passed on",
}


def remedy_for(code: int, *, transient: bool = False) -> Remedy:
    """By Meta's code alone: HTTP statuses and titles change."""
    if code == _WINDOW_CLOSED:
        return Remedy.WAIT_FOR_PERSON
    if code in _FIX_SETTINGS:
        return Remedy.FIX_SETTINGS
    return Remedy.RETRY if code in _RETRY or transient else Remedy.GIVE_UP


def needs_operator(code: int) -> bool:
    """True if giving a message up shows a fault of ours, of a template or of the account."""
    return remedy_for(code) is Remedy.GIVE_UP and code not in _OF_THE_PERSON


def fix_for(code: int) -> str:
    """Advice to an operator about an error."""
    return _FIXES.get(code, _LOOK_UP)


def error_from(status: int, body: bytes) -> GraphError | MetaUnavailable:
    """Name the failure; gateways answer HTML or nothing, `error_data` may be a string or missing."""
    try:
        error = mapping(mapping(json.loads(body)).get("error"))
    except (ValueError, RecursionError):
        error = {}
    code = lenient_json.code(error.get("code"))
    if code is None:
        # Without Meta's envelope a gateway answered, and the call may have passed or not.
        return MetaUnavailable(f"HTTP {status} without Meta's error envelope", in_doubt=status >= _SERVER_ERROR)
    data = error.get("error_data")
    # Meta describes mistakes of a new template in `error_user_msg`.
    descriptions = (mapping(data).get("details"), data, error.get("error_user_msg"), error.get("message"))
    details = next((words for words in map(text, descriptions) if words), "no details")
    return GraphError(code, details, remedy_for(code, transient=error.get("is_transient") is True))
