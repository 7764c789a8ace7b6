"""Google Vision on this machine: the real service definition over gRPC, answered by the local engine."""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import structlog

from pipelines.bounding_box import BoundingBox
from pipelines.errors import FileRefused
from pipelines.image import Reading, TextLine
from pipelines.ocr import EngineMissing, LocalReader
from pipelines.photo_decoder import upright
from pipelines.spool import spooled

_log = structlog.get_logger()
_SERVICE = "google.cloud.vision.v1.ImageAnnotator"
_MOST_IMAGES = 16
_LARGEST_IMAGE = 20 * 1024 * 1024
_LARGEST_REQUEST = 41_943_040
_REMEMBERED = 100
_INVALID_ARGUMENT = 3
_SPACE, _LINE_BREAK = 1, 5  # TextAnnotation.DetectedBreak.BreakType
_TEXT = {"TEXT_DETECTION", "DOCUMENT_TEXT_DETECTION"}


@dataclass(frozen=True, slots=True)
class VisionFault:
    """A fault in place of reading: after `seconds` fail the call (`status`) or one photo (`code`), or find nothing.

    Without any of these the photo is read after the wait.
    """

    status: str | None = None
    code: int | None = None
    message: str = ""
    seconds: float = 0
    empty: bool = False


@dataclass(frozen=True, slots=True)
class VisionRequest:
    """The request about one photo."""

    features: tuple[str, ...]
    size: int


class LineReader(Protocol):
    """Reads the lines of a photo."""

    async def read(self, jpeg: bytes) -> Reading: ...

    async def close(self) -> None: ...


class VisionSimulator:
    """A server, with its own engine unless one is given; `calls` counts all requests, failed ones too."""

    def __init__(self, reader: LineReader | None = None) -> None:
        self.requests: list[VisionRequest] = []
        self.calls = 0
        self._faults: deque[VisionFault] = deque()
        self._reader: LineReader = reader or LocalReader()
        self._server: Any = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the value for GOOGLE_VISION_ENDPOINT."""
        import grpc  # noqa: PLC0415 -- heavy, and only needed where no real Vision is configured
        from google.cloud import vision_v1  # noqa: PLC0415 -- as above

        self._server = grpc.aio.server(options=[("grpc.max_receive_message_length", _LARGEST_REQUEST)])
        method = grpc.unary_unary_rpc_method_handler(
            self._batch_annotate_images,
            request_deserializer=vision_v1.BatchAnnotateImagesRequest.deserialize,
            response_serializer=vision_v1.BatchAnnotateImagesResponse.serialize,
        )
        handler = grpc.method_handlers_generic_handler(_SERVICE, {"BatchAnnotateImages": method})
        self._server.add_generic_rpc_handlers((handler,))
        bound = self._server.add_insecure_port(f"{host}:{port}")
        await self._server.start()
        return f"http://{host}:{bound}"

    async def warm(self) -> None:
        """Load the engine before the first photo, where there is one on this machine."""
        if isinstance(self._reader, LocalReader):
            try:
                await self._reader.warm()
            except (EngineMissing, FileRefused) as error:
                _log.warning("photo_engine_not_loaded", why=str(error))

    async def stop(self) -> None:
        """Stop listening and end the engine."""
        if self._server:
            await self._server.stop(grace=None)
        await self._reader.close()

    def will(self, *faults: VisionFault) -> None:
        """Queue these faults for the next calls, one each."""
        self._faults.extend(faults)

    def forget(self) -> None:
        """Drop the queued faults."""
        self._faults.clear()

    async def _batch_annotate_images(self, request: Any, context: Any) -> Any:
        import grpc  # noqa: PLC0415 -- as above
        from google.cloud import vision_v1  # noqa: PLC0415 -- as above

        self.calls += 1
        fault = self._faults.popleft() if self._faults else VisionFault()
        await asyncio.sleep(fault.seconds)
        if fault.status:
            await context.abort(grpc.StatusCode[fault.status], fault.message)
        if len(request.requests) > _MOST_IMAGES:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "Too many images per request.")
        try:
            answers = [await self._annotate(image_request, fault) for image_request in request.requests]
        except EngineMissing as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return vision_v1.BatchAnnotateImagesResponse(responses=answers)

    async def _annotate(self, request: Any, fault: VisionFault) -> dict[str, Any]:
        features = tuple(feature.type_.name for feature in request.features)
        photo = request.image.content
        self.requests = [*self.requests[1 - _REMEMBERED :], VisionRequest(features, len(photo))]
        if fault.code:
            return _error(fault.code, fault.message)
        if fault.empty:
            return {}
        if not features:
            return _error(_INVALID_ARGUMENT, "Request must specify image and features.")
        if len(photo) > _LARGEST_IMAGE:
            return _error(_INVALID_ARGUMENT, "Image size exceeds the limit.")
        try:
            async with spooled(photo) as path:
                picture, size = await asyncio.to_thread(upright, path)
            reading = await self._reader.read(photo)
        except FileRefused as error:
            _log.warning("photo_not_read", reason=error.reason, why=str(error))
            return _error(_INVALID_ARGUMENT, "Bad image data.")
        picture.close()
        return _annotation(reading, size, set(features))


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _annotation(reading: Reading, size: tuple[int, int], features: set[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if reading.lines and features & _TEXT:
        written = "\n".join(line.text for line in reading.lines)
        blocks = [_block(line) for line in reading.lines]
        page = {"width": size[0], "height": size[1], "blocks": blocks, "confidence": 0.9}
        answer["full_text_annotation"] = {"text": written, "pages": [page]}
        words = [(word, box) for line in reading.lines for word, box in _words(line)]
        answer["text_annotations"] = [{"description": written, "locale": "es"}]
        answer["text_annotations"] += [{"description": word, "bounding_poly": _poly(box)} for word, box in words]
    if reading.lines and "LABEL_DETECTION" in features:
        # The engine only reads text, and this label is true of every photo with lines of text.
        answer["label_annotations"] = [{"description": "Text", "score": 0.9, "topicality": 0.9}]
    return answer


def _block(line: TextLine) -> dict[str, Any]:
    words = _words(line)
    parts = [
        {
            "bounding_box": _poly(box),
            "confidence": line.confidence,
            "symbols": _symbols(word, _LINE_BREAK if number == len(words) else _SPACE),
        }
        for number, (word, box) in enumerate(words, 1)
    ]
    paragraph = {"bounding_box": _poly(line.box), "confidence": line.confidence, "words": parts}
    return {"bounding_box": _poly(line.box), "paragraphs": [paragraph], "block_type": 1}


def _symbols(word: str, gap: int) -> list[dict[str, Any]]:
    symbols: list[dict[str, Any]] = [{"text": letter} for letter in word]
    symbols[-1]["property"] = {"detected_break": {"type_": gap}}
    return symbols


def _words(line: TextLine) -> list[tuple[str, BoundingBox]]:
    """Cut a line into words, each with its share of the width."""
    words = line.text.split()
    letter = line.box.width / max(1, len(line.text))
    starts = [sum(len(word) + 1 for word in words[:number]) for number in range(len(words) + 1)]
    places = [
        (round(line.box.x + start * letter), round((end - start - 1) * letter)) for start, end in pairwise(starts)
    ]
    return [
        (word, BoundingBox(left, line.box.y, width, line.box.height))
        for word, (left, width) in zip(words, places, strict=True)
    ]


def _poly(box: BoundingBox) -> dict[str, Any]:
    right, bottom = box.x + box.width, box.y + box.height
    corners = ((box.x, box.y), (right, box.y), (right, bottom), (box.x, bottom))
    return {"vertices": [{"x": x, "y": y} for x, y in corners]}
