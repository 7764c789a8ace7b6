"""Everything outside fails in every way it knows: what the customer reads, and who is asked how often.

The table is `bench/chaos/upstreams.py`'s; `make chaos` prints it with its seconds, which a busy machine stretches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bench.chaos.cases import FailureCase, play
from bench.chaos.in_process import InProcessRecado, open_recado
from bench.chaos.upstreams import GROUPS

# A healthy model answers within this time on a busy machine too.
_UNHURRIED = {"LLM_TIMEOUT_SECONDS": "2.5", "TURN_DEADLINE_SECONDS": "12"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recado(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[InProcessRecado]:
    _, environment = GROUPS[request.param]
    async with open_recado(tmp_path_factory.mktemp("recado"), **{**_UNHURRIED, **environment}) as recado:
        yield recado


CASES = [
    pytest.param(name, case, id=f"{case.upstream}: {case.failure}", marks=pytest.mark.xdist_group(f"recado-{name}"))
    for name, (cases, _) in GROUPS.items()
    for case in cases
    if not case.slow
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("recado", "case"), CASES, indirect=["recado"], scope="module")
async def test_the_customer_has_an_honest_answer_and_nobody_is_asked_in_vain(
    recado: InProcessRecado, case: FailureCase
) -> None:
    assert (await play(recado, case)).faults == []
