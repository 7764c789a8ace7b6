"""Invoices as documents in the chat: Stripe's PDF, kept with the other files of the person."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages import StoredFile
from bot.payments.client import Stripe
from bot.payments.errors import Gone
from bot.payments.facts import Invoice
from bot.storage.door import Storage, segment


@dataclass(frozen=True, slots=True)
class Documents:
    stripe: Stripe
    storage: Storage

    async def of(self, conversation: str, invoice: Invoice) -> StoredFile:
        """The invoice's PDF; raises StripeFailed, StorageFailed."""
        if not invoice.invoice_pdf:
            raise Gone("the invoice has no PDF; it is a draft")
        name = f"{invoice.number or invoice.id}.pdf"
        # Below what is erased with the person's other files.
        place = f"media/{conversation}/invoices/{segment(name)}"
        await self.storage.put(place, await self.stripe.pdf(invoice.invoice_pdf), "application/pdf")
        return StoredFile(key=place, mime="application/pdf", filename=name)
