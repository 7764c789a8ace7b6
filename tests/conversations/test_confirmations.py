"""Taps that mean an action: once, in time, in their own conversation, and finished after a crash."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.conversations.confirmations import ConfirmationCards, Confirmations, ConfirmedAction, TapResult
from bot.conversations.contacts import Contact
from bot.messages.inbound import Inbound, Tap, Text
from bot.messages.outbound import Buttons, Say

MINE, OTHERS = f"c_{'0' * 20}", f"c_{'1' * 20}"


class Till:
    """Counts what is done; `crashes` times it dies after beginning, `doubts` times it doesn't know."""

    def __init__(self, *, crashes: int = 0, doubts: int = 0) -> None:
        self.done: list[tuple[str, dict[str, Any], bool]] = []
        self._crashes = crashes
        self._doubts = doubts

    async def pay(self, confirmed: ConfirmedAction) -> TapResult:
        await confirmed.begin()
        self.done.append((confirmed.key, confirmed.action, confirmed.begun))
        if self._crashes:
            self._crashes -= 1
            raise RuntimeError("killed")
        if self._doubts:
            self._doubts -= 1
            return TapResult(text="no sé", again=True)
        return TapResult(text="pagado", parts=(Say(body="recibo"),))


async def card(redis: Redis, **more: Any) -> Buttons:
    return await ConfirmationCards(redis, **more).ask(MINE, "pay", {"amount": 5}, "¿Pagar?", ("Pagar", "Dejar"))


def tap(choice: str, number: int = 1) -> Inbound:
    now = datetime.now(UTC)
    return Inbound(id=f"m{number}", sent_at=now, received_at=now, content=Tap(id=choice, title="Pagar"))


async def told(redis: Redis, till: Till, *messages: Inbound, conversation: str = MINE) -> str:
    confirmations = Confirmations(redis, {"pay": till.pay})
    return (await confirmations.handle_taps(conversation, list(messages), Contact(), "es")).text


async def test_the_first_button_does_it_once_with_the_action_that_was_shown(redis: Redis) -> None:
    till, shown = Till(), await card(redis)
    do, leave = shown.choices
    assert await told(redis, till, tap(do.id)) == "pagado"
    assert await told(redis, till, tap(do.id)) == "pagado"
    assert await told(redis, till, tap(do.id, 2)) == "Ya habías contestado a esa confirmación. pagado"
    assert "Ya habías contestado" in await told(redis, till, tap(leave.id, 3))
    assert [(action, begun) for _, action, begun in till.done] == [({"amount": 5}, False)]


async def test_the_last_button_leaves_it_for_good(redis: Redis) -> None:
    till, shown = Till(), await card(redis)
    do, leave = shown.choices
    assert await told(redis, till, tap(leave.id)) == "De acuerdo, no cambié nada."
    assert "no cambié nada" in await told(redis, till, tap(do.id, 2))
    assert till.done == []


async def test_two_taps_in_one_burst_are_one_act(redis: Redis) -> None:
    till, shown = Till(), await card(redis)
    do = shown.choices[0].id
    assert (await told(redis, till, tap(do), tap(do, 2))).startswith("pagado")
    assert len(till.done) == 1


async def test_too_late_and_elsewhere_it_does_nothing(redis: Redis) -> None:
    till = Till()
    late = await card(redis, valid_seconds=-1)
    assert "ya no vale" in await told(redis, till, tap(late.choices[0].id))
    good = await card(redis)
    assert "ya no vale" in await told(redis, till, tap(good.choices[0].id), conversation=OTHERS)
    assert "ya no vale" in await told(redis, till, tap(f"do.{'A' * 22}", 2))
    assert till.done == []


async def test_only_a_tap_is_a_tap(redis: Redis) -> None:
    till, shown = Till(), await card(redis)
    now = datetime.now(UTC)
    typed = Inbound(id="m1", sent_at=now, received_at=now, content=Text(body=shown.choices[0].id))
    forwarded = tap(shown.choices[0].id, 2).model_copy(update={"forwarded": True})
    for message in (typed, forwarded, tap("t_1.r0c0.1", 3), tap(f"{shown.choices[0].id} ", 4)):
        found = await Confirmations(redis, {"pay": till.pay}).handle_taps(MINE, [message], Contact(), "es")
        assert (found.text, found.messages) == ("", frozenset())
    assert till.done == []


async def test_a_crash_after_the_beginning_is_taken_up_with_the_same_key(redis: Redis) -> None:
    till, shown = Till(crashes=2), await card(redis)
    message = tap(shown.choices[0].id)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await told(redis, till, message)
    assert await told(redis, till, message) == "pagado"
    assert len({key for key, _, _ in till.done}) == 1
    assert [begun for _, _, begun in till.done] == [False, True, True]


async def test_in_doubt_the_card_stays_good_and_can_not_be_called_left(redis: Redis) -> None:
    till, shown = Till(doubts=1), await card(redis)
    do, leave = (choice.id for choice in shown.choices)
    assert await told(redis, till, tap(do)) == "no sé"
    assert "no sé si alcanzó a hacerse" in await told(redis, till, tap(leave, 2))
    assert len(till.done) == 1
    other, till = await card(redis), Till(doubts=1)
    do = other.choices[0].id
    assert await told(redis, till, tap(do, 3)) == "no sé"
    assert await told(redis, till, tap(do, 4)) == "pagado"
    assert len({key for key, _, _ in till.done}) == 1


async def test_tokens_can_not_be_guessed_and_cards_have_their_own(redis: Redis) -> None:
    shown = [await card(redis) for _ in range(20)]
    ids = {choice.id for card in shown for choice in card.choices}
    tokens = {id_.partition(".")[2] for id_ in ids}
    assert (len(ids), len(tokens)) == (40, 20)
    assert {len(token) for token in tokens} == {22}
    assert all(len(id_) <= 256 for id_ in ids)
    kept = [key async for key in redis.scan_iter("*card*")]
    lives = [await redis.ttl(name) for name in kept]
    assert all(0 < live <= 7 * 24 * 3600 for live in lives)
