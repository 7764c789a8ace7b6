"""Makes a test case of past turns, and its YAML with what its reader has to check."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot.conversations.contacts import Contact, Contacts
from bot.conversations.memory import Memory
from bot.infra.logs import masked
from bot.messages.language import Language
from bot.past_cases.from_history import PastConversation, case_of, past_conversation, product_codes_in
from bot.past_cases.redaction import Redaction
from bot.prompting.files import read_folder

_WIDTH = 110
_NOTES: dict[Language, tuple[str, ...]] = {
    "es": (
        "Lo que pasó en una conversación. Teléfonos, correos, direcciones y lo demás que se reconoce está cambiado.",
        "LÉELO UNA VEZ antes de guardarlo: quita los nombres de OTRAS personas y lo que sólo tú reconoces.",
        "Luego escribe en `contains` lo que debe decir la respuesta, borra lo que no importe y graba:",
        "recado prompts eval {name} --record",
    ),
    "en": (
        "What happened in a conversation. Phones, e-mail addresses, streets and what else is recognised are changed.",
        "READ IT ONCE before you keep it: take out names of OTHER people and whatever only you recognise.",
        "Then write in `contains` what the reply has to say, delete what doesn't matter, and record it:",
        "recado prompts eval {name} --record",
    ),
}
_TOOLS_UNKNOWN: dict[Language, str] = {
    "es": "El historial ya no sabe qué herramientas se usaron: escribe tú `calls`.",
    "en": "The history no longer knows which tools were used: write `calls` yourself.",
}


@dataclass(frozen=True, slots=True)
class MadeCase:
    """A case, of YAML's own types, and the past turns that it was made of."""

    case: dict[str, Any]
    past: PastConversation

    @property
    def name(self) -> str:
        return str(self.case["name"])


@dataclass(frozen=True, slots=True)
class CaseMaker:
    """`prompts_dir` has the names that are public, because the prompts say them."""

    contacts: Contacts
    memory: Memory
    prompts_dir: Path
    zone: ZoneInfo

    async def make(
        self, conversation: str, traces: Sequence[dict[str, Any]], turns: int, name: str | None = None
    ) -> MadeCase:
        """Make a case of the last turns of these traces, oldest first. Raises NoPastTurns."""
        contact, memory = await self.contacts.get(conversation), await self.memory.recall(conversation)
        # In a thread, because the documents of twenty turns take a second.
        return await asyncio.to_thread(
            self._made, conversation, contact, past_conversation(traces, memory, turns), name
        )

    def _made(self, conversation: str, contact: Contact, past: PastConversation, name: str | None) -> MadeCase:
        files, _ = read_folder(self.prompts_dir)
        redaction = Redaction(
            filter(None, [contact.name]), public="\n".join(files.values()), product_codes=product_codes_in(past)
        )
        begun = past.turns[0].at
        # Because the same turns give the same name, a second case of them is refused.
        name = name or f"happened-{begun:%Y-%m-%d}-{masked(conversation + begun.isoformat())[:6]}"
        return MadeCase(case_of(past, contact, redaction, self.zone, name), past)


def as_yaml(made: MadeCase, language: Language) -> str:
    """YAML of the case, below comments that tell its reader what to check."""
    notes = [line.format(name=made.name) for line in _NOTES[language]]
    notes += [_TOOLS_UNKNOWN[language]] if any(turn.tools is None for turn in made.past.turns) else []
    body = yaml.safe_dump([made.case], allow_unicode=True, sort_keys=False, width=_WIDTH)
    return "".join(f"# {line}\n" for line in notes) + body
