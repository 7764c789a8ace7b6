"""Takes the most typical picture of a video, to be read like a photo."""

from pipelines import ffmpeg, file_type
from pipelines.errors import FileProblem, FileRefused
from pipelines.image import SIDE_TO_READ

__all__ = ["still"]

LARGEST_BYTES = 100 * 1024 * 1024


async def still(video: bytes) -> bytes | None:
    """Take a JPEG out of a video; None if it has sound alone. Raises FileRefused."""
    signature = file_type.signature_of(video)
    if signature is None or signature.kind != "video":
        raise FileRefused(FileProblem.DAMAGED if video else FileProblem.EMPTY, "not a video")
    if len(video) > LARGEST_BYTES:
        raise FileRefused(FileProblem.TOO_LARGE, f"{len(video)} bytes")
    return await ffmpeg.frame(video, signature.format, side=SIDE_TO_READ) or None
