"""Products and prices, and the small catalogue of a new account."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.stripe.account import Account, Json, submitted_values, with_metadata
from sandbox.stripe.errors import StripeRefusal
from sandbox.stripe.forms import (
    PriceCreate,
    PricePage,
    PriceUpdate,
    ProductCreate,
    ProductPage,
    ProductUpdate,
    Recurring,
    Retrieve,
)
from sandbox.stripe.listing import page_of

# Product, its description, and its prices in minor units by currency and interval.
_SEEDS = (
    ("basico", "Básico", "Punto de venta e inventario de una tienda", {"mxn": (19900, 199000), "usd": (1200, 12000)}),
    (
        "pro",
        "Pro",
        "Hasta cinco tiendas, facturación electrónica y reportes",
        {"mxn": (49900, 499000), "usd": (2900, 29000)},
    ),
)


@dataclass(frozen=True, slots=True)
class Catalog:
    account: Account

    def seed(self) -> None:
        """Create Básico and Pro, monthly and yearly, in pesos and dollars; lookup keys such as `pro_year_usd`."""
        for key, name, description, by_currency in _SEEDS:
            product = self.create_product(ProductCreate(name=name, description=description, metadata={"key": key}))
            for currency, amounts in by_currency.items():
                for interval, amount in zip(("month", "year"), amounts, strict=True):
                    wanted = {
                        "currency": currency,
                        "product": product["id"],
                        "unit_amount": amount,
                        "recurring": Recurring.model_validate({"interval": interval}),
                        "lookup_key": f"{key}_{interval}_{currency}",
                    }
                    price = self.create_price(PriceCreate.model_validate(wanted))
                    product["default_price"] = product["default_price"] or price["id"]

    def create_product(self, form: ProductCreate) -> Json:
        fields: Json = {
            "active": form.active,
            "default_price": None,
            "description": form.description or None,
            "images": [],
            "marketing_features": [],
            "metadata": with_metadata({}, form.metadata),
            "name": form.name,
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": self.account.clock.now(),
            "url": None,
        }
        return self.account.keep(self.account.make("product", fields))

    def update_product(self, form: ProductUpdate, product: str) -> Json:
        found = self.account.get("product", product)
        if form.default_price:
            self.account.get_by_param("price", form.default_price, "default_price")
        found |= submitted_values(form, "name", "active", "description", "default_price")
        found |= {
            "metadata": with_metadata(found["metadata"], form.metadata),
            "updated": self.account.clock.now(),
        }
        return self.account.keep(found)

    def product(self, _: Retrieve, product: str) -> Json:
        return self.account.get("product", product)

    def products(self, page: ProductPage) -> Json:
        found = [
            each
            for each in self.account.all("product")
            if page.active in (None, each["active"]) and (page.ids is None or each["id"] in page.ids)
        ]
        return page_of(found, page, "/v1/products")

    def create_price(self, form: PriceCreate) -> Json:
        self.account.get_by_param("product", form.product, "product")
        self._check_lookup_key(form.lookup_key)
        if sum(each is not None for each in (form.unit_amount, form.unit_amount_decimal, form.tiers)) != 1:
            raise StripeRefusal(
                "You must pass one of `unit_amount`, `unit_amount_decimal`, `tiers`.", param="unit_amount"
            )
        fields: Json = {
            "active": form.active,
            "billing_scheme": form.billing_scheme,
            "currency": form.currency,
            "custom_unit_amount": None,
            "lookup_key": form.lookup_key,
            "metadata": with_metadata({}, form.metadata),
            "nickname": form.nickname or None,
            "product": form.product,
            "recurring": form.recurring.model_dump() | {"meter": None},
            "tax_behavior": "unspecified",
            "tiers_mode": form.tiers_mode,
            "transform_quantity": None,
            "type": "recurring",
            "unit_amount": form.unit_amount,
            "unit_amount_decimal": None if form.tiers else form.unit_amount_decimal or str(form.unit_amount),
        }
        if form.tiers:
            tiers = [tier.model_dump() for tier in form.tiers]
            fields["tiers"] = [tier | {"up_to": None if tier["up_to"] == "inf" else tier["up_to"]} for tier in tiers]
        return self.account.keep(self.account.make("price", fields))

    def update_price(self, form: PriceUpdate, price: str) -> Json:
        found = self.account.get("price", price, "price")
        if form.lookup_key != found["lookup_key"]:
            self._check_lookup_key(form.lookup_key)
        found |= submitted_values(form, "active", "nickname", "lookup_key")
        found["metadata"] = with_metadata(found["metadata"], form.metadata)
        return self.account.keep(found)

    def price(self, _: Retrieve, price: str) -> Json:
        return self.account.get("price", price, "price")

    def prices(self, page: PricePage) -> Json:
        return page_of([each for each in self.account.all("price") if _matches(each, page)], page, "/v1/prices")

    def _check_lookup_key(self, wanted: str | None) -> None:
        if wanted is not None and any(self.account.all("price", lookup_key=wanted)):
            raise StripeRefusal(
                f"A price (`{wanted}`) already uses that lookup key. "
                "You can transfer it to the new price by setting `transfer_lookup_key: true`",
                code="resource_already_exists",
                param="lookup_key",
            )


def _matches(price: Json, page: PricePage) -> bool:
    return (
        page.active in (None, price["active"])
        and page.product in (None, price["product"])
        and page.currency in (None, price["currency"])
        and page.type in (None, price["type"])
        and (page.lookup_keys is None or price["lookup_key"] in page.lookup_keys)
        and (page.recurring is None or page.recurring.interval in (None, price["recurring"]["interval"]))
    )
