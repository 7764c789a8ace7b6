"""Everything outside fails in every way it knows: what the customer reads, and who is asked how often.

The table is `bench/chaos/upstreams.py`'s; `make chaos` prints it with its seconds, which a busy machine stretches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.chaos.cases import Case, play
from bench.chaos.house import House, opened
from bench.chaos.upstreams import GROUPS

# A healthy model answers within this time on a busy machine too.
_UNHURRIED = {"LLM_TIMEOUT_SECONDS": "2.5", "TURN_DEADLINE_SECONDS": "16"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    _, environment = GROUPS[request.param]
    async with opened(tmp_path_factory.mktemp("house"), **{**_UNHURRIED, **environment}) as house:
        yield house


CASES = [
    pytest.param(name, case, id=f"{case.upstream}: {case.failure}", marks=pytest.mark.xdist_group(f"house-{name}"))
    for name, (cases, _) in GROUPS.items()
    for case in cases
    if not case.slow
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("house", "case"), CASES, indirect=["house"], scope="module")
async def test_the_customer_has_an_honest_answer_and_nobody_is_asked_in_vain(house: House, case: Case) -> None:
    assert (await play(house, case)).faults == []
