"""Roles of the console: which of them may do what. `recado doctor --console` prints this table."""

from __future__ import annotations

import json
from typing import Literal, get_args

Role = Literal["agent", "supervisor", "admin"]
Action = Literal[
    "read",
    "take",
    "write",
    "note",
    "label",
    "assign",
    "close",
    "act_for_others",
    "edit_canned_replies",
    "read_reports",
    "read_audit",
    "handle_dead_letters",
    "review_documents",
    "make_cases",
    "replay_turns",
    "export_contact",
    "erase_contact",
]
ROLES: tuple[Role, ...] = get_args(Role)

_EVERYBODY: tuple[Role, ...] = ("agent", "supervisor", "admin")
_SUPERVISORS: tuple[Role, ...] = ("supervisor", "admin")
_ADMINS: tuple[Role, ...] = ("admin",)

# Each action, its meaning, and the roles that may do it.
TABLE: dict[Action, tuple[str, tuple[Role, ...]]] = {
    "read": ("read conversations, messages, turns, contacts, live events, and whether all works", _EVERYBODY),
    "take": ("take a conversation that nobody has, and give it back to the assistant", _EVERYBODY),
    "write": ("write to the customer of a conversation that one has taken", _EVERYBODY),
    "note": ("write private notes for colleagues", _EVERYBODY),
    "label": ("add and remove labels", _EVERYBODY),
    "assign": ("assign a conversation that nobody has, or one's own, to a colleague", _EVERYBODY),
    "close": ("close a conversation that nobody has, or one's own", _EVERYBODY),
    "act_for_others": ("assign, close or give back a conversation that a colleague has", _SUPERVISORS),
    "edit_canned_replies": ("add, change and delete canned replies", _SUPERVISORS),
    "read_reports": ("read the reports", _SUPERVISORS),
    "read_audit": ("read who did what", _SUPERVISORS),
    "handle_dead_letters": ("read, retry and drop messages whose turn failed for good", _SUPERVISORS),
    "review_documents": ("read the documents, and accept or reject suggested questions and answers", _SUPERVISORS),
    "make_cases": ("make a test case of what the assistant answered, without identities", _SUPERVISORS),
    "replay_turns": ("ask the model again with another release of the prompts, and send nothing", _SUPERVISORS),
    "export_contact": ("export everything stored about a person", _ADMINS),
    "erase_contact": ("erase everything stored about a person", _ADMINS),
}


def may(role: Role, action: Action) -> bool:
    """Whether a role may do this."""
    return role in TABLE[action][1]


def actions_of(role: Role) -> list[Action]:
    """Actions of a role, in the order of the table."""
    return [action for action in TABLE if may(role, action)]


def listed(output: str) -> str:
    """The table as text or as JSON."""
    if output == "json":
        rows = {action: {"meaning": meaning, "roles": list(roles)} for action, (meaning, roles) in TABLE.items()}
        return json.dumps(rows, indent=2)
    width = max(map(len, TABLE))
    lines = [f"{'action'.ljust(width)}  {'  '.join(ROLES)}"]
    for action, (meaning, roles) in TABLE.items():
        marks = "  ".join(("yes" if role in roles else "–").ljust(len(role)) for role in ROLES)
        lines.append(f"{action.ljust(width)}  {marks}  {meaning}")
    return "\n".join(lines)
