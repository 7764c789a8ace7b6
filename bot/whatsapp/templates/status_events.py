"""Webhooks about templates: each changes at once which templates may be sent, and alerts an operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.infra.alerts import alert
from bot.infra.live_events import LiveEvents
from bot.whatsapp.lenient_json import text
from bot.whatsapp.templates.registry import Templates

# Events that are no states of a template, and the states that they stand for.
_STATES = {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED"}
_GOOD = ("APPROVED", "PENDING", "REINSTATED", "UNARCHIVED")
TEMPLATE_FIELDS = (
    "message_template_status_update",
    "message_template_quality_update",
    "template_category_update",
    "message_template_components_update",
)
Handler = Callable[[dict[str, Any]], Awaitable[None]]


class TemplateStatusHandler:
    """Handlers by webhook field, in the table `handlers`. Each may get the same event twice."""

    def __init__(self, templates: Templates, events: LiveEvents) -> None:
        self._templates = templates
        self._events = events
        handlers = (self.on_status, self.on_quality, self.on_category, self.on_components)
        self.handlers: dict[str, Handler] = dict(zip(TEMPLATE_FIELDS, handlers, strict=True))

    async def on_status(self, value: dict[str, Any]) -> None:
        """`{event, message_template_name, message_template_language, reason?, …}`."""
        found, event = _which(value), (text(value.get("event")) or "").upper()
        if found is None or not event:
            return
        reason = text(value.get("reason")) or "NONE"
        # A flagged one still leaves: it is a warning.
        if event != "FLAGGED":
            state = {"status": _STATES.get(event, event), "rejected_reason": "" if reason == "NONE" else reason}
            await self._templates.note(*found, **state)
        if event not in _GOOD:
            await self._alert(*found, f"{event}: {reason}", "see WhatsApp Manager; only APPROVED templates leave")

    async def on_quality(self, value: dict[str, Any]) -> None:
        """`{previous_quality_score, new_quality_score, …}`: RED is where Meta pauses next."""
        found, score = _which(value), (text(value.get("new_quality_score")) or "").upper()
        if found is None or not score:
            return
        await self._templates.note(*found, quality=score)
        if score in ("YELLOW", "RED"):
            await self._alert(
                *found, f"quality {score}", "people block or report it: send it to fewer, or write it anew"
            )

    async def on_category(self, value: dict[str, Any]) -> None:
        """A warning a day ahead (`correct_category`), or the change itself (`new_category`)."""
        found = _which(value)
        if found is None:
            return
        coming, now = text(value.get("correct_category")), text(value.get("new_category"))
        if coming:
            await self._alert(*found, f"will become {coming} in a day", "ask for a review, or write it anew")
        elif now:
            await self._templates.note(*found, category=now.upper())
            fix = "it does not leave until `recado templates sync --accept` or a new wording"
            await self._alert(*found, f"became {now}", fix)

    async def on_components(self, value: dict[str, Any]) -> None:
        """Mark an edited template as outdated, because the webhook leaves out too much to update from it."""
        found = _which(value)
        if found is not None:
            await self._templates.note(*found, outdated="1")

    async def _alert(self, name: str, language: str, what: str, fix: str) -> None:
        await alert(self._events, "template", f"template {name} ({language}): {what}", fix)


def _which(value: dict[str, Any]) -> tuple[str, str] | None:
    name, language = text(value.get("message_template_name")), text(value.get("message_template_language"))
    return (name, language) if name and language else None
