"""The company's offer: products with their recurring prices at Stripe, read at most every few minutes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from pydantic import TypeAdapter
from redis.asyncio import Redis

from bot.infra.cache import Cache
from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.objects import Price, StripeObject, StripeProduct, SubscriptionItem
from bot.settings.integrations import StripeSettings

_KEEP_SECONDS = 300
# The arguments of the tools name these two alone.
_OFFERED = ("month", "year")


class Plan(StripeObject):
    """A product with its monthly and yearly prices, by currency and interval."""

    id: str
    name: str
    description: str | None = None
    prices: tuple[Price, ...]

    def price(self, interval: str, currency: str) -> Price | None:
        fitting = (price for price in self.prices if (price.interval, price.currency) == (interval, currency.lower()))
        return next(fitting, None)


_plans: TypeAdapter[list[Plan]] = TypeAdapter(list[Plan])


@dataclass(frozen=True, slots=True)
class Plans:
    cache: Cache
    stripe: Stripe

    async def all(self) -> list[Plan]:
        """The plans by their price; raises the errors of Stripe's calls when none are cached."""
        name = f"stripe-plans-{self.stripe.account_mark}"
        return _plans.validate_json(await self.cache.get(name, _KEEP_SECONDS, self._read))

    async def _read(self) -> str:
        return _plans.dump_json(_by_product(await self.stripe.prices())).decode()

    async def find(self, name: str) -> Plan | None:
        """The plan of this name, in any spelling."""
        return next((plan for plan in await self.all() if normalized(plan.name) == normalized(name)), None)

    async def names_of(self, items: Sequence[SubscriptionItem]) -> str:
        """Names of all items with their quantities: `Básico + Caja × 3`."""
        names = [await self.name_of(item.price) for item in items]
        return " + ".join(
            name if item.units == 1 else f"{name} × {item.units}" for name, item in zip(names, items, strict=True)
        )

    async def name_of(self, price: Price) -> str:
        """Name of a price's plan, also of one that is no longer offered."""
        offered = {plan.id: plan.name for plan in await self.all()}
        name = offered.get(price.product_id)
        return name if name is not None else (await self.stripe.product(price.product_id)).name


def plans_of(redis: Redis, http: aiohttp.ClientSession, settings: StripeSettings) -> Plans | None:
    """None without STRIPE_SECRET_KEY."""
    return Plans(Cache(redis), Stripe(http, settings)) if settings.secret_key is not None else None


def _by_product(prices: list[Price]) -> list[Plan]:
    found: dict[str, list[Price]] = {}
    for price in prices:
        offered = price.unit_amount is not None and not price.metered and price.interval in _OFFERED
        if offered and isinstance(price.product, StripeProduct) and price.product.active:
            found.setdefault(price.product.id, []).append(price)
    plans = []
    for group in found.values():
        product = group[0].product
        if isinstance(product, StripeProduct):
            ordered = sorted(group, key=lambda price: (price.currency, price.unit_amount or 0))
            plans.append(Plan(id=product.id, name=product.name, description=product.description, prices=tuple(ordered)))
    return sorted(plans, key=lambda plan: min(price.unit_amount or 0 for price in plan.prices))


def normalized(name: str) -> str:
    """A name for comparisons, the same for any spelling."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())
