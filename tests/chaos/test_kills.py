"""Processes killed at every named point under load: nothing is lost, nothing is done twice, all has its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.kills import run_kills
from bot.infra.crash_points import POINTS

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("kills")]


async def test_a_crowd_is_answered_once_and_in_order_while_processes_die_at_every_point(tmp_path: Path) -> None:
    outcome = await run_kills(tmp_path, people=24, bursts=2)
    assert set(outcome.deaths) == set(POINTS)
    assert outcome.verdict.messages > 60
    assert outcome.verdict.effects > 15
    assert outcome.verdict.faults == {}, outcome.verdict.faults
