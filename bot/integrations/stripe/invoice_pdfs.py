"""Invoices as documents in the chat: Stripe's PDF, stored with the person's other files."""

from __future__ import annotations

from dataclasses import dataclass

from bot.integrations.stripe.client import Stripe
from bot.integrations.stripe.errors import StripeObjectGone
from bot.integrations.stripe.objects import Invoice
from bot.messages.outbound import StoredFile
from bot.storage.files import Files


@dataclass(frozen=True, slots=True)
class InvoicePdfs:
    stripe: Stripe
    files: Files

    async def of(self, conversation: str, invoice: Invoice) -> StoredFile:
        """The invoice's PDF; raises StripeFailed, StorageFailed."""
        if not invoice.invoice_pdf:
            raise StripeObjectGone("the invoice has no PDF; it is a draft")
        name = f"{invoice.number or invoice.id}.pdf"
        pdf = await self.stripe.pdf(invoice.invoice_pdf)
        place = await self.files.keep(conversation, name, "application/pdf", pdf)
        return StoredFile(key=place, mime="application/pdf", filename=name)
