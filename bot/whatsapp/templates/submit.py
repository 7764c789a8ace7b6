"""Our template files handed to Meta's review: new ones made, changed ones edited, the others left alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, Remedy
from bot.whatsapp.lenient_json import text
from bot.whatsapp.templates.registry import StoredTemplate, Templates
from bot.whatsapp.templates.rules import Definition, create_body

# Meta takes an edit only of what it has judged.
_EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
# Fields of a component with words; examples and ids are the review's.
_SAYING = ("type", "format", "text", "url", "phone_number")


@dataclass(frozen=True, slots=True)
class Submission:
    """Result for one definition: `made`, `changed`, `the same` or `refused`."""

    name: str
    language: str
    outcome: str
    problem: str | None = None


async def push(templates: Templates, graph: Graph, definitions: Iterable[Definition]) -> list[Submission]:
    """Compare with Meta, then make and edit. Raises GraphError when it is not about one template, and Unavailable."""
    there = {(kept.synced.name, kept.synced.language): kept for kept in await templates.sync()}
    outcomes = []
    for definition in definitions:
        try:
            outcomes.append(await _one(graph, definition, there.get((definition.name, definition.language))))
        except GraphError as error:
            if error.remedy is not Remedy.GIVE_UP:
                raise
            outcomes.append(Submission(definition.name, definition.language, "refused", str(error)))
    await templates.sync()
    return outcomes


async def _one(graph: Graph, definition: Definition, there: StoredTemplate | None) -> Submission:
    body = create_body(definition)
    which = (definition.name, definition.language)
    if there is None:
        made = await graph.create_template(body)
        category = text(made.get("category")) or definition.category
        changed = f"Meta made it {category}" if category != definition.category else None
        return Submission(*which, "made", changed)
    problem = there.why_not if there.synced.status in ("APPROVED", "DISABLED") else None
    if _says(there.synced.components) == _says(body["components"]):
        return Submission(*which, "the same", problem)
    if there.synced.status not in _EDITABLE:
        return Submission(*which, "refused", f"it is {there.synced.status}; Meta takes no edit now")
    await graph.edit_template(there.synced.id, body["components"])
    return Submission(*which, "changed")


def _says(components: Iterable[dict[str, Any]]) -> list[Any]:
    """The words and buttons of a template in the order of Meta's parts, without the examples."""
    order = ("HEADER", "BODY", "FOOTER", "BUTTONS")
    parts = sorted(components, key=lambda part: order.index(part["type"]) if part.get("type") in order else len(order))
    return [_said(part) | {"buttons": [_said(button) for button in part.get("buttons", ())]} for part in parts]


def _said(part: dict[str, Any]) -> dict[str, Any]:
    return {name: part[name] for name in _SAYING if name in part}
