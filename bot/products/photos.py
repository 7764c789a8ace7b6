"""Stores the photos of a confirmed product without metadata, with a cut-out for each field."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence

from bot.products.catalogue import ProductPhoto
from bot.products.draft import ShownField
from bot.storage.storage import Storage
from pipelines import pillow
from pipelines.bounding_box import BoundingBox
from pipelines.image import PhotoText

_MIME = "image/jpeg"
# Because a person needs to see where a line stands, a cut-out has a margin.
_MARGIN = 0.25
_LEAST_MARGIN = 8


async def keep(
    storage: Storage, draft: str, photo_texts: Sequence[PhotoText], shown: Mapping[str, ShownField]
) -> tuple[ProductPhoto, ...]:
    """Store photos and cut-outs; the same draft again gives the same files. Raises StorageFailed.

    The JPEG of a photo's text is upright and without metadata: no place, no device.
    """
    kept = []
    for number, photo_text in enumerate(photo_texts):
        place = f"products/{draft}/{number + 1}"
        await storage.put(f"{place}.jpg", photo_text.jpeg, _MIME)
        boxes = {name: field.box for name, field in shown.items() if field.photo == number and field.box}
        crops = await asyncio.to_thread(_crops, photo_text, boxes)
        for name, crop in crops.items():
            await storage.put(f"{place}-{name}.jpg", crop, _MIME)
        kept.append(ProductPhoto(key=f"{place}.jpg", crops={name: f"{place}-{name}.jpg" for name in crops}))
    return tuple(kept)


def piece_of(photo_text: PhotoText, box: BoundingBox) -> bytes:
    """The cut-out of one box, as JPEG."""
    return _crops(photo_text, {"": box})[""]


def _crops(photo_text: PhotoText, boxes: Mapping[str, BoundingBox]) -> dict[str, bytes]:
    if not boxes:
        return {}
    with pillow.Image.open(io.BytesIO(photo_text.jpeg)) as photo:
        # Because the copy may be smaller than the photo that was sent, boxes are scaled to it.
        scale = photo.width / photo_text.width
        return {name: _cut(photo, box.scaled(scale)) for name, box in boxes.items()}


def _cut(photo: pillow.Image.Image, box: BoundingBox) -> bytes:
    margin = max(_LEAST_MARGIN, round(box.height * _MARGIN))
    left, top = max(0, box.x - margin), max(0, box.y - margin)
    right = max(left + 1, min(photo.width, box.x + box.width + margin))
    bottom = max(top + 1, min(photo.height, box.y + box.height + margin))
    written = io.BytesIO()
    photo.crop((left, top, right, bottom)).save(written, "JPEG", quality=90)
    return written.getvalue()
