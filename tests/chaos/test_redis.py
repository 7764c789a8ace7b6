"""A Redis that is killed, hangs up, changes its role, is full, slow, deaf or absent: nothing lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos.redis_faults import FAULTS, FaultRow, run_fault

pytestmark = pytest.mark.timeout(400)

# What `readyz` gives as the reason, for the faults that last long enough to be asked about.
REASONS = {
    "killed and started again": "ConnectionError",
    "failover: read-only until the address leads on": "ReadOnlyError",
    "out of memory": "OutOfMemoryError",
    "slow: 3 s an answer": "TimeoutError",
    "no answer for 8 s": "TimeoutError",
    "absent at the start": "ConnectionError",
}


def told(row: FaultRow) -> str:
    return " ".join(probe.reasons for probe in row.health if not probe.ready)


@pytest.mark.parametrize("fault", FAULTS)
async def test_redis_may_fail_while_people_write(fault: str, tmp_path: Path) -> None:
    row = await run_fault(tmp_path, fault, people=30, bursts=1)
    assert row.verdict.faults == {}
    assert row.verdict.messages > 30
    assert row.verdict.effects > 5
    # Nobody ended by itself, everybody resumed by itself.
    assert row.unexpected_exits == []
    assert all(probe.alive for probe in row.health)
    assert row.health[-1].ready
    # Meta hears 503 wherever a message could not be stored; `make chaos` prints after how long.
    assert row.unanswered == 0 or fault == "absent at the start"
    # A busy machine may need longer to hear that nobody is there than it waits for an answer.
    assert REASONS.get(fault, "") in told(row) or (REASONS[fault] == "ConnectionError" and "TimeoutError" in told(row))
    if fault == "connections cut between script and answer":
        assert row.cuts > 10
    elif not fault.startswith("slow"):
        assert row.refused > 0
