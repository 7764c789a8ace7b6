"""Pillow, imported at the first picture: a worker that waits for its first message does without its 2 MB."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image, ImageChops, ImageFilter, ImageOps, UnidentifiedImageError

__all__ = ["Image", "ImageChops", "ImageFilter", "ImageOps", "UnidentifiedImageError"]


def __getattr__(name: str) -> Any:
    import PIL  # noqa: PLC0415 - see above
    from PIL import Image, ImageChops, ImageFilter, ImageOps  # noqa: F401, PLC0415 - become attributes of PIL

    return getattr(PIL, name)
