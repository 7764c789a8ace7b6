"""Meta's fees: counted by day, category, charge and country; priced by the operator's table, and part of the budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.delivery.fees import FeeRow, fees_of
from bot.infra.redis import answer
from bot.settings import Settings, SettingsWrong
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import empty_value
from tests.notifications import post_raw
from tests.outgoing import acquainted, metric
from tests.world import Start, World

PRICES = """country,category,usd
MX,service,0.0085
MX,marketing,0.0305
57,service,0.0008
*,service,0.02
"""


async def charged(world: World, conversation: str, number: int, person: dict[str, str], **pricing: Any) -> None:
    """Meta reports the charge of a message of ours, twice."""
    told = {"pricing_model": "PMP", "type": "regular", "category": "service"} | pricing
    status: dict[str, Any] = {"id": f"wamid.{number}", "status": "sent", "timestamp": "1795500000", "pricing": told}
    status |= person | {"biz_opaque_callback_data": f"{conversation}.fee.{number}"}
    for state in ("sent", "delivered"):
        value = empty_value(world.meta.business) | {"statuses": [status | {"status": state}]}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        await post_raw(world, {"object": "whatsapp_business_account", "entry": [entry]})


async def rows(world: World) -> dict[tuple[str, str, str], FeeRow]:
    found = await fees_of(world.redis, (datetime.now(UTC) - timedelta(days=1)).date(), datetime.now(UTC).date())
    return {(fee.category, fee.charge, fee.country): fee for fee in found}


async def test_a_charged_message_costs_what_the_operator_s_table_says(
    start: Start, ana: Person, tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text(PRICES)
    world = await start(WHATSAPP_PRICES=str(tmp_path / "prices.csv"))
    conversation = await acquainted(world, ana)
    await world.meta.idle()
    before = await metric(world, "recado_cost_usd_total", kind="whatsapp")
    spent = int(await world.redis.get(f"recado:spent:{datetime.now(UTC):%Y-%m-%d}") or 0)
    mexican = {"recipient_id": "5215512345678", "recipient_user_id": "MX.8801234567890123"}
    await charged(world, conversation, 1, mexican)
    await charged(world, conversation, 2, mexican, category="marketing")
    await charged(world, conversation, 3, {"recipient_id": "573001234567"})
    await charged(world, conversation, 4, {"recipient_id": "4915112345678"})
    await charged(world, conversation, 5, mexican, category="authentication")
    await charged(world, conversation, 6, mexican, type="free_customer_service")
    await charged(world, conversation, 7, mexican, subtype="paid_exempt")
    found = await rows(world)
    assert {key: (fee.messages, fee.usd, fee.unpriced) for key, fee in found.items() if fee.charge == "regular"} == {
        ("service", "regular", "MX"): (1, Decimal("0.0085"), 0),
        ("marketing", "regular", "MX"): (1, Decimal("0.0305"), 0),
        ("service", "regular", "57"): (1, Decimal("0.0008"), 0),
        ("service", "regular", "*"): (1, Decimal("0.02"), 0),
        # Nobody knows a price: it is counted, and costs nothing.
        ("authentication", "regular", "MX"): (1, Decimal(0), 1),
    }
    assert found["service", "paid_exempt", "MX"].usd == found["service", "free_customer_service", "MX"].usd == 0
    assert found["service", "free_customer_service", "MX"].messages == 2
    assert await metric(world, "recado_cost_usd_total", kind="whatsapp") == pytest.approx(before + 0.0598)
    day = datetime.now(Settings().service.zone).date().isoformat()
    total = int(await world.redis.get(f"recado:spent:{day}") or 0)
    of_contact = int(await world.redis.get(f"recado:{{{conversation}}}:spent:{day}") or 0)
    assert (total - spent) % 10**9 >= 0.0598 * 10**9 - 1
    assert of_contact >= 0.0598 * 10**9


async def test_without_a_table_fees_are_counted_and_not_priced(world: World, ana: Person) -> None:
    conversation = await acquainted(world, ana)
    await world.meta.idle()
    await charged(world, conversation, 1, {"recipient_id": "5215512345678", "recipient_user_id": "MX.1"})
    found = (await rows(world))["service", "regular", "MX"]
    assert (found.messages, found.usd, found.unpriced) == (1, Decimal(0), 1)
    names: list[str] = await world.redis.keys("recado:fees:*")
    assert all([0 < await answer(world.redis.ttl(name)) <= 400 * 86400 for name in names])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("country,usd\nMX,1\n", "lacks some of the columns country,category,usd"),
        ("country,category,usd\nMexico,service,1\n", "line 2: Mexico is no country"),
        ("country,category,usd\nMX,service,cheap\n", "line 2: cheap is no price in USD"),
        ("country,category,usd\nMX,service,-1\n", "line 2: -1 is no price in USD"),
        ("country,category,usd\nMX,service,1e99\n", "line 2: 1e99 is no price in USD"),
        (None, "can't be read"),
    ],
)
def test_a_wrong_table_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str | None, said: str
) -> None:
    if table is not None:
        (tmp_path / "prices.csv").write_text(table)
    monkeypatch.setenv("WHATSAPP_PRICES", str(tmp_path / "prices.csv"))
    with pytest.raises(SettingsWrong) as raised:
        Settings()
    [line] = raised.value.lines
    assert line.startswith("WHATSAPP_PRICES: ")
    assert said in line
