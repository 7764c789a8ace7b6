"""The last seen state of a customer's subscription: every change is noticed, and told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.infra.locks import renewed_lock
from bot.infra.redis import answer
from bot.integrations.stripe.objects import Subscription
from bot.messages.record import Record

_KEEP_SECONDS = 400 * 24 * 3600
_EXPECT_SECONDS = 3600
_LOCK_SECONDS = 60


class SubscriptionState(Record):
    """The compared fields of a subscription. `status` is Stripe's, or `none` without a subscription.

    `items` are all its prices. States of earlier versions have the first one alone, in `price`.
    """

    subscription: str = ""
    status: str = "none"
    price: str = ""
    items: str = ""
    ends: bool = False
    until: int = 0
    since: int = 0

    def has_items_of(self, other: SubscriptionState) -> bool:
        """Whether both pay for the same items."""
        return self.items == other.items if self.items and other.items else self.price == other.price

    def equals(self, other: SubscriptionState) -> bool:
        """Whether customers would see no change; a renewed period is none."""
        price_signature = (self.subscription, self.status, self.ends)
        return price_signature == (other.subscription, other.status, other.ends) and self.has_items_of(other)


def state_of(subscription: Subscription | None) -> SubscriptionState:
    if subscription is None:
        return SubscriptionState()
    return SubscriptionState(
        subscription=subscription.id,
        status=subscription.status,
        price=subscription.items.data[0].price.id,
        items=subscription.price_signature,
        ends=subscription.ends,
        until=subscription.until,
        since=subscription.created,
    )


@dataclass(frozen=True, slots=True)
class SubscriptionStates:
    """A hash for each customer; its field `state` is the last seen one."""

    redis: Redis
    lock_seconds: float = _LOCK_SECONDS

    @asynccontextmanager
    async def lock(self, customer: str) -> AsyncIterator[None]:
        """Let one worker at a time read Stripe and store the state, so that older data can't overwrite newer."""
        name = f"{_state(customer)}:lock"
        async with renewed_lock(self.redis, name, seconds=self.lock_seconds, poll_seconds=0.05):
            yield

    async def last(self, customer: str) -> SubscriptionState | None:
        """None for a customer without a stored state."""
        raw = await answer(self.redis.hget(_state(customer), "state"))
        return SubscriptionState.model_validate_json(raw) if raw else None

    async def save(self, customer: str, now: SubscriptionState) -> None:
        pipeline = self.redis.pipeline(transaction=True)
        pipeline.hset(_state(customer), "state", now.model_dump_json())
        pipeline.expire(_state(customer), _KEEP_SECONDS)
        await pipeline.execute()

    # ---- a confirmed change is told in the chat at once, so that Stripe's event of it isn't told again

    async def expect(self, customer: str, subscription: str, items: str, *, ends: bool) -> None:
        await self.redis.set(_expected(customer), f"{subscription} {items} {ends}", ex=_EXPECT_SECONDS)

    async def forget_expected(self, customer: str) -> None:
        await self.redis.delete(_expected(customer))

    async def expected(self, customer: str, now: SubscriptionState) -> bool:
        return bool(await self.redis.get(_expected(customer)) == f"{now.subscription} {now.items} {now.ends}")


async def stored(redis: Redis, customer: str) -> dict[str, str]:
    """The stored fields of a customer, to be shown to them."""
    found: dict[str, str] = await answer(redis.hgetall(_state(customer)))
    return found


async def forget(redis: Redis, customer: str) -> None:
    """Forget the stored state of a customer; Stripe has it all."""
    await redis.delete(_state(customer), _expected(customer))


def _state(customer: str) -> str:
    return f"recado:stripe:state:{customer}"


def _expected(customer: str) -> str:
    return f"recado:stripe:expected:{customer}"
