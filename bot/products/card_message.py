"""Message that shows a draft: the card to confirm, or the question that comes first."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversations.confirmations import ConfirmationCards
from bot.messages.language import Language
from bot.messages.outbound import Buttons, Part
from bot.products.card_text import discarding, question, subject_question, text_of
from bot.products.catalogue import Catalogue, Product, product_id
from bot.products.draft import Draft, differs, open_question, shown_of, values_of
from bot.products.texts import label, phrase

KIND = "product"


@dataclass(frozen=True, slots=True)
class CardMessages:
    catalogue: Catalogue
    cards: ConfirmationCards

    async def stored(self, draft: Draft) -> Product | None:
        """The product that the catalogue holds under the draft's barcode."""
        return await self.catalogue.get(product_id(values_of(draft), draft.id))

    async def card(self, conversation: str, draft: Draft, language: Language, *, saving: bool = False) -> Part:
        """Show the draft with buttons; a tap is valid for this revision and the current version in the catalogue.

        `saving`: the person wants to save a card that lacks the awaited field, and may do so without it.
        """
        if draft.doubtful:
            return subject_question(draft, language)
        shown = shown_of(draft)
        doubt = open_question(draft)
        stored = await self.stored(draft)
        text = text_of(draft, stored, language)
        action = {"draft": draft.id, "revision": draft.revision, "version": stored.version if stored else 0}
        if draft.awaiting:
            body = f"{text}\n\n{phrase('type_it', language, field=label(draft.awaiting, language))}"
            if saving:
                labels = (phrase("save_without", language), phrase("leave", language))
                return await self.cards.ask(conversation, KIND, action | {"incomplete": True}, body, labels)
            return Buttons(body=body, choices=(discarding(draft, draft.awaiting, language),))
        if doubt:
            return question(draft, doubt, text, language)
        if not shown:
            return Buttons(body=phrase("empty", language), choices=(discarding(draft, "name", language),))
        hints = [phrase("how", language)]
        if any(not field.sure for field in shown.values()):
            hints.insert(0, phrase("check", language))
        labels = (phrase("save", language), phrase("leave", language))
        if stored:
            new = any(differs(name, stored.fields.get(name), field.value) for name, field in shown.items())
            hints.insert(0, phrase("which_holds" if new else "nothing_new", language))
            labels = (phrase("save_new", language), phrase("keep_old", language)) if new else labels
        return await self.cards.ask(conversation, KIND, action, "\n".join([text, "", *hints]), labels)
