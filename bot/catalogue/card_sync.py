"""Brings the cards that staff confirmed from Redis into the catalogue's table."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from bot.catalogue.product import CatalogueProduct
from bot.products.catalogue import Catalogue, Product

if TYPE_CHECKING:
    from bot.catalogue.table import ProductTable


@dataclass(slots=True)
class CardSync:
    """Copies cards from Redis, which is authoritative. The table stores its last change; a new one gets all cards."""

    cards: Catalogue
    _known: int | None = field(default=None, init=False)

    async def sync(self, table: ProductTable) -> None:
        """Write the cards that changed since the last time; two processes at once write the same."""
        latest = await self.cards.latest_change()
        if self._known == latest:
            return
        since = await table.cards_seen()
        # A Redis that lost its data counts from 0 again, so after a lower count we start from the first card.
        changed = await self.cards.changed_since(since if since <= latest else -1)
        products = [product for card in changed if (product := product_of(card)) is not None]
        await table.write_cards(products, latest)
        self._known = latest


def product_of(card: Product) -> CatalogueProduct | None:
    """The product of a confirmed card; None for a card without a name, which nobody can ask for."""
    fields = card.fields
    if not fields.get("name"):
        return None
    barcode = fields.get("barcode", "")
    return CatalogueProduct(
        sku=barcode or card.id,
        name=fields["name"],
        brand=fields.get("brand", ""),
        size=fields.get("size", ""),
        price=_amount(fields.get("price")),
        currency=fields.get("currency", "") if fields.get("price") else "",
        barcode=barcode,
        source="card",
        card=card.id,
        updated_at=card.updated_at,
    )


def _amount(text: str | None) -> Decimal | None:
    try:
        amount = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return amount if amount is None or amount.is_finite() else None
