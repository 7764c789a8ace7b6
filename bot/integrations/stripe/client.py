"""Client of Stripe's API (https://docs.stripe.com/api), over Stripe's library: bounded in time, safe to repeat."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

import aiohttp
from pydantic import ValidationError
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from bot.integrations.stripe.errors import (
    KeyRejected,
    RequestRefused,
    StripeObjectGone,
    StripeUnavailable,
    error_from,
    worth_another_try,
)
from bot.integrations.stripe.objects import (
    Customer,
    HostedPage,
    Invoice,
    PageOptions,
    PaymentMethod,
    Price,
    StripeObject,
    StripeProduct,
    Subscription,
)
from bot.integrations.stripe.transport import transport_of
from bot.messages.language import Language
from bot.settings import StripeSettings

if TYPE_CHECKING:
    from stripe import StripeClient

F = TypeVar("F", bound=StripeObject)
_TRIES = 3
_PDF_BYTES = 20 * 1024 * 1024
_REDIRECTS = 3
_PAGE = 100
# More plans than anybody could be told of.
_MOST_PAGES = 20
_OK = 200
# Stripe's Latin American Spanish: https://docs.stripe.com/js/appendix/supported_locales
_LOCALES: dict[Language, str] = {"es": "es-419", "en": "en"}


class Stripe:
    """Each call raises StripeFailed. `key` is the idempotency key: the same key makes the same change once.

    `attempt_seconds` bounds one attempt; no attempt begins after `all_seconds`; `first_wait` comes before the second
    one.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: StripeSettings,
        *,
        attempt_seconds: float = 10,
        all_seconds: float = 12,
        first_wait: float = 0.4,
    ) -> None:
        self._http = http
        self._settings = settings
        self._timeout = aiohttp.ClientTimeout(total=attempt_seconds)
        self._all_seconds = all_seconds
        self._first_wait = first_wait
        self._client: StripeClient | None = None
        secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
        # Cached data of one account must not serve another: test mode, or the sandbox's last run.
        self.account_mark = hashlib.sha256(secret.encode()).hexdigest()[:8]

    # ---- people

    async def customer(self, id_: str) -> Customer:
        """Raises StripeObjectGone, for a deleted customer too."""
        found = await self._one(Customer, lambda api: api.customers.retrieve_async(id_))
        if found.deleted:
            raise StripeObjectGone("the customer was deleted")
        return found

    async def customers_of(self, whatsapp_ids: list[str]) -> list[Customer]:
        """Customers whose metadata name one of these contacts. The search learns of changes after about a minute.

        It takes ten clauses at most (https://docs.stripe.com/search#search-query-language).
        """
        query = " OR ".join(f"metadata['whatsapp_id']:'{whatsapp_id}'" for whatsapp_id in whatsapp_ids)
        return await self._list(Customer, lambda api: api.customers.search_async({"query": query, "limit": 10}))

    async def customers_by_email(self, email: str) -> list[Customer]:
        return await self._list(Customer, lambda api: api.customers.list_async({"email": email, "limit": 10}))

    async def create_customer(self, whatsapp_id: str, name: str | None, key: str) -> Customer:
        params: Any = {"metadata": {"whatsapp_id": whatsapp_id}} | ({"name": name} if name else {})
        return await self._one(Customer, lambda api: api.customers.create_async(params, _idempotency(key)))

    async def set_whatsapp_id(self, customer: str, whatsapp_id: str, key: str) -> Customer:
        params: Any = {"metadata": {"whatsapp_id": whatsapp_id}}
        return await self._one(Customer, lambda api: api.customers.update_async(customer, params, _idempotency(key)))

    async def payment_method(self, id_: str) -> PaymentMethod:
        return await self._one(PaymentMethod, lambda api: api.payment_methods.retrieve_async(id_))

    async def payment_methods(self, customer: str) -> list[PaymentMethod]:
        params: Any = {"customer": customer, "limit": 3}
        return await self._list(PaymentMethod, lambda api: api.payment_methods.list_async(params))

    # ---- plans and subscriptions

    async def prices(self) -> list[Price]:
        """The recurring prices on offer, each with its product."""
        found: list[Price] = []
        for _ in range(_MOST_PAGES):
            after: Any = {"starting_after": found[-1].id} if found else {}
            params: Any = {"active": True, "type": "recurring", "limit": _PAGE, "expand": ["data.product"]} | after
            page = await self._list(Price, partial(_prices, params))
            found += page
            if len(page) < _PAGE:
                break
        return found

    async def product(self, id_: str) -> StripeProduct:
        return await self._one(StripeProduct, lambda api: api.products.retrieve_async(id_))

    async def subscriptions(self, customer: str) -> list[Subscription]:
        """The subscriptions, ended ones too, the newest first, each with its latest invoice."""
        params: Any = {"customer": customer, "status": "all", "limit": 20, "expand": ["data.latest_invoice"]}
        return await self._list(Subscription, lambda api: api.subscriptions.list_async(params))

    async def subscription(self, id_: str) -> Subscription:
        params: Any = {"expand": ["latest_invoice"]}
        return await self._one(Subscription, lambda api: api.subscriptions.retrieve_async(id_, params))

    async def preview(self, subscription: Subscription, **assumed: Any) -> Invoice:
        """The next invoice, with these assumptions about the subscription; raises NothingToBill.

        With `proration_behavior="always_invoice"` it is the immediate cost of a change. The preview then tells the
        moment that it was made for: https://docs.stripe.com/billing/subscriptions/prorations
        """
        params: Any = {"customer": subscription.customer, "subscription": subscription.id}
        if assumed:
            params["subscription_details"] = assumed
        return await self._one(Invoice, lambda api: api.invoices.create_preview_async(params))

    async def change_price(
        self, subscription: str, item: str, price: str, proration_date: int, *, key: str
    ) -> Subscription:
        """Change the plan and charge the difference; raises CardRefused, and then nothing is changed."""
        params: Any = {
            "items": [{"id": item, "price": price}],
            "proration_behavior": "always_invoice",
            "proration_date": proration_date,
            "payment_behavior": "error_if_incomplete",
        }
        return await self._update(subscription, params, key)

    async def cancel_at_period_end(self, subscription: str, *, last: bool = False, key: str) -> Subscription:
        """End the subscription with its paid period. Of several periods, the first that ends, or with `last` the last
        one.

        https://docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums
        """
        end: dict[str, Any] = {"cancel_at": "max_period_end"} if last else {"cancel_at_period_end": True}
        return await self._update(subscription, end, key)

    async def resume(self, subscription: str, *, key: str) -> Subscription:
        """Take back a coming end. The returned subscription shows whether it worked.

        With flexible billing the customer portal sets a date without the flag, and one request takes only one of the
        two: https://docs.stripe.com/billing/subscriptions/billing-mode/compare
        """
        found = await self._update(subscription, {"cancel_at_period_end": False}, key)
        return await self._update(subscription, {"cancel_at": ""}, f"{key}-date") if found.ends else found

    async def _update(self, subscription: str, change: dict[str, Any], key: str) -> Subscription:
        params: Any = change | {"expand": ["latest_invoice"]}
        return await self._one(
            Subscription, lambda api: api.subscriptions.update_async(subscription, params, _idempotency(key))
        )

    # ---- hosted pages

    async def checkout(self, customer: str, price: str, trial_days: int, options: PageOptions, key: str) -> HostedPage:
        params: Any = {
            "mode": "subscription",
            "locale": _LOCALES[options.language],
            "customer": customer,
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": options.back,
            "cancel_url": options.back,
        }
        if trial_days:
            params["subscription_data"] = {"trial_period_days": trial_days}
        return await self._one(HostedPage, lambda api: api.checkout.sessions.create_async(params, _idempotency(key)))

    async def open_checkouts(self, customer: str) -> list[HostedPage]:
        params: Any = {"customer": customer, "status": "open", "limit": 10}
        return await self._list(HostedPage, lambda api: api.checkout.sessions.list_async(params))

    async def expire_checkout(self, id_: str) -> None:
        await self._one(HostedPage, lambda api: api.checkout.sessions.expire_async(id_))

    async def portal(self, customer: str, options: PageOptions, key: str) -> HostedPage:
        params: Any = {"customer": customer, "return_url": options.back, "locale": _LOCALES[options.language]}
        return await self._one(
            HostedPage, lambda api: api.billing_portal.sessions.create_async(params, _idempotency(key))
        )

    # ---- invoices

    async def invoices(self, customer: str, *, limit: int) -> list[Invoice]:
        """The newest first."""
        params: Any = {"customer": customer, "limit": limit}
        return await self._list(Invoice, lambda api: api.invoices.list_async(params))

    async def invoice(self, id_: str) -> Invoice:
        return await self._one(Invoice, lambda api: api.invoices.retrieve_async(id_))

    async def pdf(self, address: str) -> bytes:
        """An invoice's PDF. The address came in a response, so that it is followed to Stripe's own hosts alone."""
        try:
            async with asyncio.timeout(self._timeout.total):
                for _ in range(_REDIRECTS):
                    self._check_host(address)
                    async with self._http.get(address, allow_redirects=False) as response:
                        if response.status == _OK:
                            return await _read_pdf(response)
                        if "Location" not in response.headers:
                            raise StripeUnavailable(f"HTTP {response.status} for a PDF")
                        address = urljoin(address, response.headers["Location"])
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StripeUnavailable(f"no PDF ({type(error).__name__})") from error
        raise RequestRefused("the PDF is nowhere to be found")

    async def check(self) -> None:
        """Raise unless Stripe answers and accepts the key."""
        await self._list(Customer, lambda api: api.customers.list_async({"limit": 1}))

    # ---- transport

    def _check_host(self, address: str) -> None:
        ours, target = urlsplit(self._settings.api_base), urlsplit(address)
        is_stripe = target.scheme == "https" and f".{target.hostname}".endswith(".stripe.com")
        if not is_stripe and (target.scheme, target.netloc) != (ours.scheme, ours.netloc):
            raise RequestRefused("the address of the PDF is not Stripe's")

    async def _api(self) -> Any:
        if self._client is None:
            # Because the import takes half a second, it happens in a thread, at the first use.
            stripe: Any = await asyncio.to_thread(import_module, "stripe")
            key = self._settings.secret_key
            if key is None:
                raise KeyRejected("STRIPE_SECRET_KEY is not set")
            transport = transport_of(stripe, self._http, self._timeout)
            # The library's retries leave out 429, so that ours replace them: one layer retries a call, never two.
            self._client = stripe.StripeClient(
                key.get_secret_value(),
                base_addresses={"api": self._settings.api_base.rstrip("/")},
                max_network_retries=0,
                http_client=transport,
            )
        return self._client.v1

    async def _one(self, shape: type[F], call: Callable[[Any], Awaitable[Any]]) -> F:
        return _read(shape, await self._call(call))

    async def _list(self, shape: type[F], call: Callable[[Any], Awaitable[Any]]) -> list[F]:
        return [_read(shape, listed) for listed in (await self._call(call)).get("data") or ()]

    async def _call(self, call: Callable[[Any], Awaitable[Any]]) -> dict[str, Any]:
        retrying = AsyncRetrying(
            retry=retry_if_exception(worth_another_try),
            stop=stop_after_attempt(_TRIES) | stop_after_delay(self._all_seconds),
            wait=wait_exponential(multiplier=self._first_wait, max=4) + wait_random(0, self._first_wait),
            reraise=True,
        )
        found: dict[str, Any] = await retrying(self._attempt, call)
        return found

    async def _attempt(self, call: Callable[[Any], Awaitable[Any]]) -> dict[str, Any]:
        api = await self._api()
        stripe = import_module("stripe")
        try:
            found: dict[str, Any] = (await call(api)).to_dict(for_json=True)
        except stripe.StripeError as error:
            # Stripe's texts repeat values of the request, such as an e-mail address. Errors are logged, so that the
            # cause is cut off.
            raise error_from(error) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            # The library wraps errors until the headers are there, not those of reading the body.
            raise StripeUnavailable(f"no whole answer ({type(error).__name__})") from error
        return found


def _read(shape: type[F], raw: Any) -> F:
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        raise RequestRefused(
            f"a {shape.__name__} of an unknown shape came; is STRIPE_API_BASE Stripe's API?"
        ) from error


def _prices(params: Any, api: Any) -> Awaitable[Any]:
    found: Awaitable[Any] = api.prices.list_async(params)
    return found


def _idempotency(key: str) -> Any:
    return {"idempotency_key": key}


async def _read_pdf(response: aiohttp.ClientResponse) -> bytes:
    content = await response.content.read(_PDF_BYTES + 1)
    while len(content) <= _PDF_BYTES and (more := await response.content.read(_PDF_BYTES)):
        content += more
    if len(content) > _PDF_BYTES or not content.startswith(b"%PDF"):
        raise RequestRefused("what came is no PDF, or too large")
    return content
