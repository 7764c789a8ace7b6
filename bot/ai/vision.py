"""Google Cloud Vision over gRPC: a photo in, its text, lines and labels out."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from pipelines.bounding_box import BoundingBox
from pipelines.image import Reading, TextLine

_FEATURES = ("TEXT_DETECTION", "DOCUMENT_TEXT_DETECTION", "LABEL_DETECTION")
COST_USD_PER_PHOTO = Decimal("0.0015") * len(_FEATURES)
"""Every feature asked of a photo is a unit: https://cloud.google.com/vision/pricing"""

# Google answers within two seconds; a server of the company's own may need more, and the turn's deadline bounds both.
_SECONDS = 40.0
_SECONDS_A_TRY = 20.0
# google.rpc.Code: what may pass by itself.
_PASSING = {4: "DEADLINE_EXCEEDED", 8: "RESOURCE_EXHAUSTED", 14: "UNAVAILABLE"}
_BREAKS = {1: " ", 2: " ", 3: "\n", 4: "-\n", 5: "\n"}  # TextAnnotation.DetectedBreak.BreakType
_ENDS_OF_LINE = "\n"


class VisionFailed(Exception):
    """The photo wasn't read; `retryable` says whether asking later may help."""

    def __init__(self, detail: str, *, retryable: bool) -> None:
        super().__init__(detail)
        self.retryable = retryable


class Vision:
    """A `ReadText` for `pipelines.image` and `pipelines.document`.

    An endpoint `http://host:port` is spoken to in plain text and without credentials. `credentials_file` is the key
    of a service account; without it Google's own search for credentials applies. The project is billed for quota.
    """

    def __init__(self, *, endpoint: str, credentials_file: str | None, project_id: str | None) -> None:
        self._endpoint = endpoint
        self._credentials_file = credentials_file
        self._project_id = project_id
        self._client: Any = None

    async def __call__(self, jpeg: bytes) -> Reading:
        """Read one photo, tried again for at most 40 s. Raises VisionFailed."""
        from google.api_core import exceptions  # noqa: PLC0415 -- takes a second to import, `serve` never needs it
        from google.api_core.retry import AsyncRetry, if_exception_type  # noqa: PLC0415 -- as above
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 -- as above

        passing = (exceptions.ServiceUnavailable, exceptions.DeadlineExceeded, exceptions.ResourceExhausted)
        # The timeout of a call bounds one try; only the retry's own bounds them all, and its default is ten minutes.
        retry = AsyncRetry(if_exception_type(*passing), initial=0.3, maximum=3.0, timeout=_SECONDS)
        request = {"image": {"content": jpeg}, "features": [{"type_": feature} for feature in _FEATURES]}
        try:
            answer = await self._connected().batch_annotate_images(
                requests=[request], retry=retry, timeout=_SECONDS_A_TRY
            )
        except (*passing, exceptions.RetryError) as error:
            raise VisionFailed("no answer in time", retryable=True) from error
        except (exceptions.GoogleAPICallError, GoogleAuthError, OSError) as error:
            raise VisionFailed(f"refused: {type(error).__name__}", retryable=False) from error
        return _reading(answer.responses)

    async def close(self) -> None:
        """Close the channel."""
        if self._client:
            await self._client.transport.close()
            self._client = None

    def _connected(self) -> Any:
        from google.cloud.vision_v1 import ImageAnnotatorAsyncClient  # noqa: PLC0415 -- as above

        if self._client is None:
            plain = urlsplit(self._endpoint)
            if plain.scheme == "http":
                self._client = ImageAnnotatorAsyncClient(transport=_plaintext(plain.netloc))
            else:
                self._client = ImageAnnotatorAsyncClient(
                    credentials=self._credentials(), client_options=self._options()
                )
        return self._client

    def _options(self) -> Any:
        from google.api_core.client_options import ClientOptions  # noqa: PLC0415 -- as above

        return ClientOptions(api_endpoint=self._endpoint.removeprefix("https://"), quota_project_id=self._project_id)

    def _credentials(self) -> Any:
        from google.oauth2.service_account import Credentials  # noqa: PLC0415 -- as above

        if self._credentials_file is None:
            return None
        return Credentials.from_service_account_file(self._credentials_file)  # type: ignore[no-untyped-call]


def _plaintext(address: str) -> Any:
    from google.cloud.vision_v1.services.image_annotator.transports import (  # noqa: PLC0415 -- as above
        ImageAnnotatorGrpcAsyncIOTransport,
    )
    from grpc import aio  # noqa: PLC0415 -- as above

    return ImageAnnotatorGrpcAsyncIOTransport(channel=aio.insecure_channel(address))


def _reading(responses: Any) -> Reading:
    if len(responses) != 1:
        raise VisionFailed(f"{len(responses)} answers for one photo", retryable=True)
    # A photo that can't be read comes back inside a success.
    answer = responses[0]
    if answer.error.code:
        code = answer.error.code
        raise VisionFailed(f"refused: code {code}", retryable=code in _PASSING)
    text = answer.full_text_annotation
    lines = [line for page in text.pages for block in page.blocks for part in block.paragraphs for line in _lines(part)]
    labels = tuple(label.description for label in answer.label_annotations)
    return Reading(text.text.strip(), tuple(lines), labels)


def _lines(paragraph: Any) -> list[TextLine]:
    """Put a paragraph's words back into lines: Google marks behind a symbol what kind of gap follows."""
    lines, words, written = [], [], ""
    for word in paragraph.words:
        words.append(word)
        gap = ""
        for symbol in word.symbols:
            gap = _BREAKS.get(symbol.property.detected_break.type_, "")
            written += symbol.text + gap
        if gap.endswith(_ENDS_OF_LINE):
            lines.append(_line(written, words))
            words, written = [], ""
    return [*lines, _line(written, words)] if words else lines


def _line(written: str, words: list[Any]) -> TextLine:
    corners = [(corner.x, corner.y) for word in words for corner in word.bounding_box.vertices]
    confidence = sum(word.confidence for word in words) / len(words)
    return TextLine(written.strip(), confidence, BoundingBox.around(corners))
