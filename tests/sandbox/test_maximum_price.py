"""Templates with a maximum price: Meta refuses them at `/messages`, with one code to a phone and one to a BSUID."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.meta.templates import Template

if TYPE_CHECKING:
    from sandbox.meta.simulator import MetaSimulator, Person
    from tests.sandbox.conftest import Graph


@pytest.mark.parametrize(("bid", "phone", "code"), [(True, True, 131061), (True, False, 131062), (False, True, 0)])
async def test_a_maximum_price_is_refused(
    meta: MetaSimulator, graph: Graph, ana: Person, bid: object, phone: object, code: int
) -> None:
    await meta.writes(ana, {"type": "text", "text": {"body": "Hola"}})
    price = {"bid_amount": 250, "bid_strategy": "LOWEST_COST_WITH_BID_CAP"} if bid else None
    meta.templates.add(Template("sale", "en", "MARKETING", [{"type": "BODY", "text": "Sale"}], bid_spec=price))
    message = graph.to(ana, type="template", template={"name": "sale", "language": {"code": "en"}})
    if not phone:
        del message["to"]
        message["recipient"] = ana.bsuid
    _, answer = await graph.send(message)
    assert answer.get("error", {}).get("code", 0) == code
