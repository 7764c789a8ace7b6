"""Photos that a test draws, with the readings that Google Vision would give."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from pipelines.bounding_box import BoundingBox
from pipelines.image import Reading, TextLine
from sandbox.meta.simulator import Person, SentMessage
from sandbox.simulators.event_subscriber import ErpSimulator
from tests.waiting import PATIENCE, at_most
from tests.world import World

CODE, OTHER_CODE = "7501055300075", "7503001234564"
_NARROWEST = 450
_SHADE = 8


@dataclass
class Shelf:
    """Draws photos, each on paper of another shade, by which the reader recognises them and their cuts.

    `reads` are the widths of the pictures that were read.
    """

    readings: list[tuple[int, Reading]] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)

    def photo(
        self,
        *lines: tuple[str, int],
        code: str | None = None,
        digits: str | None = None,
        qr: str | None = None,
        sure: float = 0.98,
    ) -> bytes:
        """A photo with these lines, each with the height of its letters, a code's bars with the digits below, a QR."""
        width = _NARROWEST + len(self.readings)
        picture = Image.new("RGB", (width, 600), (255, 255 - _SHADE * len(self.readings), 255))
        draw = ImageDraw.Draw(picture)
        top, found = 30, []

        def write(text: str, left: int, top: int, height: int) -> None:
            font = ImageFont.load_default(height)
            draw.text((left, top), text, fill="black", font=font)
            x, y, right, lower = map(round, draw.textbbox((left, top), text, font=font))
            found.append(TextLine(text, sure, BoundingBox(x, y, right - x, lower - y)))

        for text, height in lines:
            write(text, 40, top, height)
            top += height * 2
        if code:
            bars = Image.fromarray(
                np.array(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.EAN13).to_image(scale=2))
            )
            picture.paste(bars, (75, 425))
            write(digits or code, 95, 425 + bars.height + 2, 20)
        if qr:
            square = zxingcpp.create_barcode(qr, zxingcpp.BarcodeFormat.QRCode).to_image(scale=3)
            picture.paste(Image.fromarray(np.array(square)), (150, 300))
        self.readings.append((width, Reading("\n".join(line.text for line in found), tuple(found))))
        return _jpeg(picture)

    def front(self) -> bytes:
        return self.photo(("LUNARIA", 55), ("Detergente líquido", 30), ("Cont. Net. 3 L", 20))

    def tag(self, price: str = "$35.50") -> bytes:
        return self.photo(("Detergente líquido Lunaria", 20), (price, 60))

    def code(self, number: str = CODE, digits: str | None = None) -> bytes:
        return self.photo(code=number, digits=digits)

    def view(self) -> bytes:
        """A photo without anything of a product."""
        return self.photo()

    async def read(self, jpeg: bytes) -> Reading:
        with Image.open(io.BytesIO(jpeg)) as picture:
            width, height = picture.size
            _, green, _ = picture.convert("RGB").getpixel((1, 1))  # type: ignore[misc]
        self.reads.append(width)
        place = round((255 - green) / _SHADE)
        if place >= len(self.readings):
            return Reading("")
        whole, reading = self.readings[place]
        if width == whole:
            return reading
        # A rescan is of the price.
        middle = BoundingBox(width // 4, height // 4, width // 2, height // 2)
        prices = tuple(replace(line, box=middle) for line in reading.lines if "$" in line.text)
        return Reading("\n".join(line.text for line in prices), prices)

    async def close(self) -> None:
        pass


@dataclass
class Shop:
    """A running Recado with staff, a shelf of products and an ERP that listens."""

    world: World
    shelf: Shelf
    erp: ErpSimulator

    async def sends(self, person: Person, *photos: bytes, caption: str | None = None) -> SentMessage:
        """The person sends photos as an album; the message with the card that they get."""
        before = len(self.sent(person))
        for photo in photos:
            await self.world.meta.sends_media(person, "image", photo, "image/jpeg", caption=caption)
        return (await self.after(person, before))[-1]

    async def writes(self, person: Person, text: str) -> SentMessage:
        before = len(self.sent(person))
        await self.world.meta.writes(person, {"type": "text", "text": {"body": text}})
        return (await self.after(person, before))[-1]

    async def taps(self, person: Person, sent: SentMessage, at: int = 0) -> SentMessage:
        before = len(self.sent(person))
        button = buttons(sent)[at]
        reply = {"type": "button_reply", "button_reply": button}
        await self.world.meta.writes(person, {"type": "interactive", "interactive": reply})
        return (await self.after(person, before))[-1]

    async def after(self, person: Person, before: int, *, within: float = PATIENCE) -> list[SentMessage]:
        """Messages to the person, once all of theirs are answered."""
        await self.world.meta.replies(person, before + 1, within=within)
        async with at_most():
            while await self.world.redis.zcard("recado:open"):
                await asyncio.sleep(0.01)
        return self.sent(person)[before:]

    def sent(self, person: Person) -> list[SentMessage]:
        return self.world.meta.sent_to(person)

    async def captured(self, count: int = 1) -> list[dict[str, Any]]:
        """Events that the ERP received, once there are so many."""
        async with at_most():
            while len(found := [event for event in self.erp.events if event["type"] == "product.captured"]) < count:
                await asyncio.sleep(0.01)
        return found


Open = Callable[..., Awaitable[Shop]]
"""Opens the shop, with some variables set."""


def buttons(sent: SentMessage) -> list[dict[str, str]]:
    return [button["reply"] for button in sent.request["interactive"]["action"]["buttons"]]


def titles(sent: SentMessage) -> list[str]:
    return [button["title"] for button in buttons(sent)]


def _jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=90)
    return written.getvalue()
