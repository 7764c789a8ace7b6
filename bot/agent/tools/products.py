"""Products by chat for staff: correct the open product card, and send the catalogue as a file."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Literal

from pydantic import Field

from bot.agent.tool import Arguments, ToolContext, ToolError, tool
from bot.messages.outbound import Attachment, StoredFile
from bot.products.corrections import NoValue
from bot.products.export import MIMES, Format, Listed, exported
from bot.products.texts import phrase
from bot.storage.storage import StorageFailed, TooLarge
from pipelines.product import FIELDS


class FieldValue(Arguments):
    field: str = Field(description="Which field of the card", json_schema_extra={"enum": list(FIELDS)})
    value: str = Field(
        description="Exactly as the person said it in this message, such as 36.50, 500 g, Bimbo", min_length=1
    )


@tool(FieldValue)
async def correct_product(arguments: FieldValue, context: ToolContext) -> str:
    """Correct a field of the product card that is open in this chat. Only with a value that the person said in their
    message, never with one that you think is right. The corrected card is shown below your answer; only a tap saves it.
    """
    if context.product_card is None:
        raise ToolError("no product card is open; staff open one by sending photos of a product")
    if arguments.field not in FIELDS:
        raise ToolError(f"a card has no field {arguments.field!r}; it has {', '.join(FIELDS)}")
    try:
        now = await context.product_card.correct(arguments.field, arguments.value)
    except NoValue as error:
        raise ToolError(str(error)) from error
    card = ", ".join(f"{name} = {value}" for name, value in now.items())
    return f"Noted: {card}. The card is shown below your answer: don't repeat it; if there is nothing to add, answer: -"


class Export(Arguments):
    format: Literal["xlsx", "csv", "json"] = Field("xlsx", description="xlsx for Excel, unless they ask for another")


@tool(Export)
async def export_products(arguments: Export, context: ToolContext) -> str:
    """Send the whole product catalogue as a file in this chat. Only for staff."""
    if context.services.products is None or context.services.files is None:
        raise ToolError("the catalogue can't be reached now. Say so.")
    listed = [
        Listed(product, await context.services.products.history(product.id) if arguments.format == "json" else ())
        async for product in context.services.products.all()
    ]
    if not listed:
        return "The catalogue is empty: no product has been confirmed yet. Say so."
    as_: Format = arguments.format
    zone = context.now.tzinfo or UTC
    data = await asyncio.to_thread(exported, listed, as_, zone, for_excel=True)
    name = f"catalogo-{context.now:%Y-%m-%d}.{as_}"
    try:
        key = await context.services.files.keep(context.conversation, name, MIMES[as_], data)
    except (StorageFailed, TooLarge) as error:
        raise ToolError("the file could not be made now. Say so; `recado products export` gives it as well.") from error
    caption = phrase("file", context.language, count=str(len(listed)))
    context.parts.append(Attachment(file=StoredFile(key=key, mime=MIMES[as_], filename=name), caption=caption))
    return f"The file with {len(listed)} products is sent with your answer. If there is nothing to add, answer only: -"
