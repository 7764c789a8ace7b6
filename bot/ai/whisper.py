"""Whisper at OpenAI, or any server that speaks its transcription API: a clip in, its text out."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from bot.ai.connection import http_client
from pipelines.voice import Clip, RawTranscript, Segment

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_USD_A_MINUTE = Decimal("0.006")
_TRIES = 3
_LONGEST_WAIT = 10.0
_backoff = wait_random_exponential(multiplier=0.5, max=8)
# `verbose_json` names languages in English; those of the company's customers are worth knowing.
_LANGUAGES = {
    "arabic": "ar",
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}


class TranscriptionFailed(Exception):
    """No text came back; `retryable` says whether asking later may help, `status` is None when no answer came."""

    def __init__(self, detail: str, *, retryable: bool, status: int | None = None, wait: float | None = None) -> None:
        super().__init__(detail)
        self.retryable = retryable
        self.status = status
        self.wait = wait


class _Segment(BaseModel):
    text: str
    no_speech_prob: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None


class _Answer(BaseModel):
    """Both shapes, `json` and `verbose_json`: other servers leave out all but the text."""

    text: str
    language: str | None = None
    segments: list[_Segment] | None = Field(default=None)


def cost_usd(seconds: float) -> Decimal:
    """Return what a transcription costs: 0.006 USD a minute (https://openai.com/api/pricing)."""
    return _USD_A_MINUTE * Decimal(str(seconds)) / 60


class Whisper:
    """A `SpeechToText` for `pipelines.voice`; `seconds` bounds one try, and there are at most three."""

    def __init__(self, *, api_key: str, base_url: str, model: str, seconds: float = 60) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._model = model
        self._seconds = seconds
        self._client: AsyncOpenAI | None = None

    async def __call__(self, clip: Clip) -> RawTranscript:
        """Hear one clip. Raises TranscriptionFailed."""
        tries = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=_wait,
            retry=retry_if_exception(_may_help),
            reraise=True,
        )
        return _heard(await tries(self._ask, clip))

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.close()
            self._client = None

    async def _ask(self, clip: Clip) -> _Answer:
        import openai  # noqa: PLC0415 -- takes a second to import, and `serve` never needs it

        try:
            async with asyncio.timeout(self._seconds):
                body = await self._post(clip)
        except openai.APIStatusError as error:
            retryable = error.status_code == 429 or error.status_code >= 500  # noqa: PLR2004 -- HTTP
            wait = _retry_after(error.response.headers.get("retry-after"))
            raise TranscriptionFailed("refused", retryable=retryable, status=error.status_code, wait=wait) from error
        except (openai.APIConnectionError, TimeoutError) as error:
            raise TranscriptionFailed("no answer", retryable=True) from error
        try:
            return _Answer.model_validate_json(body)
        except ValidationError as error:
            raise TranscriptionFailed("an answer without a text", retryable=True, status=200) from error

    async def _post(self, clip: Clip) -> bytes:
        # The raw body, because the SDK returns HTML as text and raises its own error for broken JSON.
        answer = await self._connected().audio.transcriptions.with_raw_response.create(
            file=(clip.filename, clip.audio, clip.mime),
            model=self._model,
            # Newer models know `json` alone.
            response_format="verbose_json" if self._model == "whisper-1" else "json",
            extra_body={"language": clip.language} if clip.language else None,
        )
        return answer.content

    def _connected(self) -> "AsyncOpenAI":
        from openai import AsyncOpenAI  # noqa: PLC0415 -- as above

        if self._client is None:
            self._client = AsyncOpenAI(
                api_key=self._api_key,
                base_url=self._base_url,
                max_retries=0,
                timeout=self._seconds,
                http_client=http_client(),
            )
        return self._client


def _heard(answer: _Answer) -> RawTranscript:
    spoken = (answer.language or "").lower()
    return RawTranscript(
        text=answer.text,
        language=_LANGUAGES.get(spoken) or (spoken if len(spoken) == 2 else None),  # noqa: PLR2004 -- ISO 639-1
        segments=tuple(
            Segment(segment.text, segment.no_speech_prob, segment.avg_logprob, segment.compression_ratio)
            for segment in answer.segments or ()
        ),
    )


def _retry_after(header: str | None) -> float | None:
    """Read the seconds; the form with a date isn't sent by this API."""
    return float(header) if header and header.replace(".", "", 1).isdecimal() else None


def _may_help(error: BaseException) -> bool:
    """True if another try may help; not if the wait exceeds a turn's patience, because the person waits."""
    return isinstance(error, TranscriptionFailed) and error.retryable and (error.wait or 0) <= _LONGEST_WAIT


def _wait(state: RetryCallState) -> float:
    error: Any = state.outcome.exception() if state.outcome else None
    asked: float | None = getattr(error, "wait", None)
    return asked if asked is not None else _backoff(state)
