"""Test cases of what the assistant answered, for the why panel."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.history.reader import HistoryReader
from bot.history.views import TurnShown
from bot.messages.language import Language
from bot.past_cases.case_maker import CaseMaker, as_yaml
from bot.past_cases.from_history import NoPastTurns


@dataclass(frozen=True, slots=True)
class CasesOfTurns:
    maker: CaseMaker
    history: HistoryReader

    async def make(self, turn: TurnShown, count: int, language: Language) -> tuple[str, str]:
        """Name and YAML of a case that ends with this turn. Raises NoPastTurns if the turn has no answer."""
        trace = turn.trace or {}
        if not (trace.get("reply") and trace.get("perceived")):
            raise NoPastTurns(en="this turn has no answer any more", es="este turno ya no tiene respuesta")
        # Some turns asked for no answer.
        traces = await self.history.traces(turn.conversation, 2 * count, until=turn.at)
        before = [earlier for earlier in traces if earlier.get("turn") != trace.get("turn")]
        made = await self.maker.make(turn.conversation, [*before, trace], count)
        return made.name, await asyncio.to_thread(as_yaml, made, language)
