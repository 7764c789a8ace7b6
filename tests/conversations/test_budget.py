"""What may be spent in a day: reserved before, settled after, for one person and for all."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionBroken

from bench.chaos.redis_proxy import RedisProxy
from bot.ai.chat import BudgetSpent
from bot.conversations.budget import Budget
from bot.settings import BudgetSettings
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, fails, says
from tests.world import Start, World

ANA, LUIS = f"c_{'a' * 20}", f"c_{'b' * 20}"
CENT = Decimal("0.01")


def budget(redis: Redis, **limits: str) -> Budget:
    settings = BudgetSettings.model_validate({"contact_usd_day": "0.05", "total_usd_day": "0.08"} | limits)
    return Budget(redis, settings, ZoneInfo("America/Mexico_City"))


async def test_what_is_reserved_counts_until_it_is_settled(redis: Redis) -> None:
    money = budget(redis)
    await money.account(ANA).reserve(4 * CENT)
    assert await money.spent(ANA) == 4 * CENT
    await money.account(ANA).settle(4 * CENT, CENT)
    assert (await money.spent(ANA), await money.spent()) == (CENT, CENT)


async def test_one_person_can_not_spend_more_than_theirs_nor_all_together_more_than_all(redis: Redis) -> None:
    money = budget(redis)
    await money.account(ANA).reserve(4 * CENT)
    with pytest.raises(BudgetSpent) as caught:
        await money.account(ANA).reserve(2 * CENT)
    assert caught.value.whose == "contact"
    with pytest.raises(BudgetSpent) as caught:
        await money.account(LUIS).reserve(5 * CENT)
    assert caught.value.whose == "total"
    # What was refused is not half taken.
    assert (await money.spent(LUIS), await money.spent()) == (Decimal(0), 4 * CENT)


async def test_a_hundred_at_once_do_not_get_past_the_limit_together(redis: Redis) -> None:
    money = budget(redis)
    taken = await asyncio.gather(*(money.account(ANA).reserve(CENT) for _ in range(100)), return_exceptions=True)
    assert sum(account is None for account in taken) == 5
    assert await money.spent(ANA) == 5 * CENT


async def test_what_a_call_cost_beyond_the_guess_is_counted_too(redis: Redis) -> None:
    money = budget(redis)
    await money.account(ANA).reserve(CENT)
    await money.account(ANA).settle(CENT, 9 * CENT)
    with pytest.raises(BudgetSpent):
        await money.account(ANA).reserve(Decimal("0.000000001"))


async def test_the_cheap_model_may_spend_the_same_sum_again_and_no_more(redis: Redis) -> None:
    money = budget(redis, when_spent="cheaper")
    await money.account(ANA).reserve(5 * CENT)
    await money.account(ANA).reserve(3 * CENT, economy=True)
    with pytest.raises(BudgetSpent):
        await money.account(ANA).reserve(3 * CENT, economy=True)


async def test_a_reservation_whose_answer_is_lost_counts_once(proxy: RedisProxy, through: Redis) -> None:
    cuts = [1]
    proxy.cuts = lambda request: b"EVAL" in request and bool(cuts) and bool(cuts.pop())
    account = budget(through).turn_account(ANA)
    await account.reserve(CENT)
    assert proxy.cut == 1
    assert await budget(through).spent(ANA) == CENT


async def test_a_refusal_whose_answer_is_lost_books_what_is_settled_once(proxy: RedisProxy, through: Redis) -> None:
    account = budget(through).turn_account(ANA)
    await account.reserve(4 * CENT)
    await account.settle(4 * CENT, 3 * CENT)
    cuts = [1]
    proxy.cuts = lambda request: b"EVAL" in request and bool(cuts) and bool(cuts.pop())
    with pytest.raises(BudgetSpent):
        await account.reserve(3 * CENT)
    assert proxy.cut == 1
    assert await budget(through).spent(ANA) == 3 * CENT


async def test_a_turns_cost_is_booked_with_its_next_reservation_and_with_its_last_write(redis: Redis) -> None:
    money = budget(redis)
    account = money.turn_account(ANA)
    await account.reserve(4 * CENT)
    await account.settle(4 * CENT, CENT)
    assert await money.spent(ANA) == 4 * CENT
    # Within the limit, because three cents of the first reservation were not spent.
    await account.reserve(4 * CENT)
    await account.settle(4 * CENT, 2 * CENT)
    pipeline = redis.pipeline(transaction=True)
    account.write(pipeline)
    await pipeline.execute()
    assert (await money.spent(ANA), await money.spent()) == (3 * CENT, 3 * CENT)


async def test_a_settlement_whose_answer_is_lost_counts_once(proxy: RedisProxy, through: Redis) -> None:
    account = budget(through).account(ANA)
    await account.reserve(4 * CENT)
    cuts = [1]
    proxy.cuts = lambda request: b"spent" in request and bool(cuts) and bool(cuts.pop())
    await account.settle(4 * CENT, 3 * CENT)
    assert proxy.cut == 1
    assert await budget(through).spent(ANA) == 3 * CENT


async def test_a_refund_is_never_given_twice(proxy: RedisProxy, through: Redis, redis: Redis) -> None:
    account = budget(through).turn_account(ANA)
    await account.reserve(4 * CENT)
    await account.settle(4 * CENT, 3 * CENT)
    # Redis performs it, and no answer ever comes.
    proxy.cuts = lambda request: b"spent" in request
    with pytest.raises(ConnectionBroken):
        await account.reserve(CENT)
    pipeline = redis.pipeline(transaction=True)
    account.write(pipeline)
    await pipeline.execute()
    assert await budget(redis).spent(ANA) == 4 * CENT


async def test_a_turn_that_dies_leaves_its_reservation_spent(redis: Redis) -> None:
    money = budget(redis)
    account = money.turn_account(ANA)
    await account.reserve(4 * CENT)
    await account.settle(4 * CENT, CENT)
    del account
    with pytest.raises(BudgetSpent):
        await money.turn_account(ANA).reserve(2 * CENT)


async def test_every_count_of_a_day_ends_with_it(redis: Redis) -> None:
    account = budget(redis).turn_account(ANA)
    await account.settle(Decimal(0), 9 * CENT)
    with pytest.raises(BudgetSpent):
        await account.reserve(CENT)
    names = [name async for name in redis.scan_iter("recado:*")]
    assert len(names) >= 2
    assert all([await redis.ttl(name) > 0 for name in names])


# --- through the front door


async def hello(world: World, person: Person, words: str = "Hola, ¿qué planes tienen?") -> str:
    await world.meta.writes(person, {"type": "text", "text": {"body": words}})
    return (await world.meta.replies(person))[-1].text


async def test_when_the_budget_is_spent_the_customer_is_told_and_no_model_is_asked(start: Start, ana: Person) -> None:
    world = await start(BUDGET_CONTACT_USD_DAY="0.0000001")
    assert (await hello(world, ana)).startswith("Por hoy llegué al límite")
    assert not world.models.requests


async def test_what_a_model_cost_is_what_stays_spent(start: Start, ana: Person) -> None:
    world = await start()
    world.models.will(replace(says("Dos planes."), cost=0.0042))
    await hello(world, ana)
    money = Budget(world.redis, world.settings.budget, world.settings.service.zone)
    (name,) = [key async for key in world.redis.scan_iter("recado:{*}:spent:*")]
    assert await money.spent(name.partition("{")[2].partition("}")[0]) == Decimal("0.0042")
    assert await money.spent() == Decimal("0.0042")


async def test_the_budget_is_asked_again_at_each_fallback(start: Start, ana: Person) -> None:
    # Enough for the default model, too little for the dearer one that would follow it.
    world = await start(
        BUDGET_CONTACT_USD_DAY="0.003", LLM_MODEL_FALLBACK="anthropic/claude-3-sonnet", LLM_MAX_TOKENS="500"
    )
    world.models.will(fails(400))
    assert (await hello(world, ana)).startswith("Perdona")
    assert [request["model"] for request in world.models.requests] == ["anthropic/claude-3-haiku"]


async def test_a_person_can_be_called_instead(start: Start, ana: Person) -> None:
    world = await start(BUDGET_CONTACT_USD_DAY="0.0000001", BUDGET_WHEN_SPENT="person")
    assert await hello(world, ana) == "Listo, una persona del equipo te escribe por aquí."
    assert not world.models.requests


async def test_a_cheaper_model_can_go_on(start: Start, ana: Person) -> None:
    world = await start(
        BUDGET_CONTACT_USD_DAY="0.0006", BUDGET_WHEN_SPENT="cheaper", LLM_MODEL_DEFAULT="anthropic/claude-3-sonnet"
    )
    world.models.will(says("Barato y bueno."))
    assert await hello(world, ana) == "Barato y bueno."
    assert [request["model"] for request in world.models.requests] == ["mistralai/mistral-7b"]


async def test_what_a_tool_did_before_the_money_was_gone_is_said(start: Start, ana: Person) -> None:
    # The first request fits; the second, with the tool's answer in it, doesn't.
    world = await start(BUDGET_CONTACT_USD_DAY="0.002", LLM_MAX_TOKENS="10")
    world.models.will(replace(calls(("talk_to_a_person", {"reason": "wants to talk"})), cost=0.0019))
    assert await hello(world, ana) == "Listo, una persona del equipo te escribe por aquí."


async def test_a_voice_note_beyond_the_budget_is_not_sent_to_be_heard(
    start: Start, ana: Person, media: Callable[[str], bytes]
) -> None:
    world = await start(BUDGET_TOTAL_USD_DAY="0.00001")
    await world.meta.sends_media(ana, "audio", media("voice/es_hola.ogg"), "audio/ogg; codecs=opus")
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Por hoy ya no puedo escuchar ni revisar archivos aquí. ¿Me lo escribes, por favor?"
    assert not world.whisper.requests
