"""Reads voice notes, photos, videos and documents with the engines that are configured."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import import_module

import structlog

from bot.ai.chat import BudgetSpent, SpendingLimit
from bot.ai.vision import COST_USD_PER_PHOTO, Vision, VisionFailed
from bot.ai.whisper import TranscriptionFailed, Whisper, cost_usd
from bot.media.cache import ReadingCache
from bot.messages.language import Language
from bot.settings import VisionSettings, WhisperSettings
from pipelines.document import read_document
from pipelines.errors import FileProblem, FileRefused
from pipelines.file_type import kind_of
from pipelines.image import PhotoText, Reading, ReadText, read_photo
from pipelines.ocr import EngineMissing, LocalReader
from pipelines.video import still
from pipelines.voice import Clip, RawTranscript, SpeechToText, transcribe

_log = structlog.get_logger()


class MediaError(Exception):
    """A file that could not be read: `phrase` names our sentence for the person, `problem` is for the model."""

    def __init__(self, phrase: str, problem: str) -> None:
        super().__init__(problem)
        self.phrase = phrase
        self.problem = problem


@dataclass(frozen=True, slots=True)
class ReadMedia:
    """Facts of a file by name, as the model reads them; `words` are the person's spoken ones, `by` names the engine.

    `photo_text` has the lines and codes of a photo with their places, for a product card.
    """

    kind: str
    facts: dict[str, str | None] = field(default_factory=dict)
    words: str = ""
    by: str | None = None
    cost_usd: Decimal = Decimal(0)
    picture: bytes | None = None
    photo_text: PhotoText | None = None


_PHRASES = {
    FileProblem.SILENT: "voice_silent",
    FileProblem.UNINTELLIGIBLE: "voice_unintelligible",
    FileProblem.TOO_LONG: "voice_long",
    FileProblem.TOO_LARGE: "media_large",
    FileProblem.BOMB: "media_large",
    FileProblem.ENCRYPTED: "media_locked",
    FileProblem.UNREADABLE_FORMAT: "media_format",
    FileProblem.TOO_SLOW: "media_trouble",
}
# Phrases of a video whose sound is missing or can't be read.
_SOUNDLESS = ("media_broken", "voice_silent", "voice_off")


class MediaReaders:
    """Engines by the settings; the heavy ones are loaded when the first voice note or photo comes."""

    def __init__(self, whisper: WhisperSettings, vision: VisionSettings) -> None:
        self._whisper: Whisper | None = None
        if whisper.api_key:
            self._whisper = Whisper(
                api_key=whisper.api_key.get_secret_value(), base_url=whisper.base_url, model=whisper.model
            )
        self._model = whisper.model
        self._google: Vision | None = None
        if vision.configured:
            credentials = vision.application_credentials
            self._google = Vision(
                endpoint=vision.vision_endpoint,
                credentials_file=str(credentials) if credentials else None,
                project_id=vision.vision_project_id,
            )
        self._local = LocalReader()

    async def read_audio(
        self, audio: bytes, language: Language | None, spending: SpendingLimit, kind: str = "voice"
    ) -> ReadMedia:
        """Transcribe a voice note, an audio file or a video."""
        whisper = self._whisper
        if whisper is None:
            raise MediaError("voice_off", "voice notes can't be heard: no transcription is configured (OPENAI_API_KEY)")
        # Because the SDK takes half a second to import, the first voice note imports it in a thread.
        await asyncio.to_thread(import_module, "openai")
        try:
            transcript = await transcribe(audio, speech_to_text=_paid(whisper, spending), language=language)
        except FileRefused as refusal:
            raise _media_error(refusal) from refusal
        except BudgetSpent as error:
            raise MediaError("budget_media", "it was not heard: today's budget is spent; ask to type it") from error
        except TranscriptionFailed as error:
            _log.warning("transcription_failed", status=error.status, retryable=error.retryable)
            raise MediaError("media_trouble", "it could not be heard because of a fault of ours") from error
        facts: dict[str, str | None] = {"seconds": f"{transcript.seconds:.0f}", "transcript": transcript.text}
        return ReadMedia(kind, facts, transcript.text, by=self._model, cost_usd=cost_usd(transcript.seconds))

    def text_reader(self, spending: SpendingLimit, readings: ReadingCache) -> ReadText:
        """Reader of pictures that are no message of their own, such as a cut of a photo."""
        return _TextReader(self._google, self._local, spending, readings).read

    async def read_photo(self, photo: bytes, spending: SpendingLimit, readings: ReadingCache) -> ReadMedia:
        """Read the text, codes and labels of a photo, and keep the photo itself for models that see."""
        text_reader = _TextReader(self._google, self._local, spending, readings)
        try:
            photo_text = await read_photo(photo, read_text=text_reader.read)
        except FileRefused as refusal:
            raise _media_error(refusal) from refusal
        except VisionFailed as error:
            _log.warning("vision_failed", why=str(error), retryable=error.retryable)
            raise MediaError("media_trouble", "its text could not be read because of a fault of ours") from error
        facts = {
            "text_read": photo_text.text or "none",
            "codes": ", ".join(f"{code.format} {code.value}" for code in photo_text.barcodes),
            "labels": ", ".join(photo_text.labels),
        }
        return ReadMedia(
            "photo",
            dict(facts),
            by=text_reader.name,
            cost_usd=text_reader.cost_usd,
            picture=photo_text.jpeg,
            photo_text=photo_text,
        )

    async def read_video(
        self, video: bytes, language: Language | None, spending: SpendingLimit, readings: ReadingCache
    ) -> ReadMedia:
        """Read the speech of a video and one of its pictures; either is enough."""
        spoken, frame = await asyncio.gather(
            self.read_audio(video, language, spending, kind="video"),
            self._read_frame(video, spending, readings),
            return_exceptions=True,
        )
        for unexpected in (spoken, frame):
            if isinstance(unexpected, BaseException) and not isinstance(unexpected, MediaError):
                raise unexpected
        if isinstance(frame, BaseException) or frame is None:
            if isinstance(spoken, BaseException):
                # Because a video may have no sound, the error of its picture says more.
                soundless = isinstance(spoken, MediaError) and spoken.phrase in _SOUNDLESS
                raise frame if soundless and isinstance(frame, MediaError) else spoken
            return spoken
        if isinstance(spoken, BaseException):
            return replace(frame, kind="video", facts={"sound": str(spoken), **frame.facts})
        return ReadMedia(
            *("video", spoken.facts | frame.facts, spoken.words),
            by=", ".join(filter(None, (spoken.by, frame.by))),
            cost_usd=spoken.cost_usd + frame.cost_usd,
            picture=frame.picture,
        )

    async def _read_frame(self, video: bytes, spending: SpendingLimit, readings: ReadingCache) -> ReadMedia | None:
        try:
            picture = await still(video)
        except FileRefused as refusal:
            raise _media_error(refusal) from refusal
        return await self.read_photo(picture, spending, readings) if picture else None

    async def read_document(
        self,
        document: bytes,
        filename: str | None,
        language: Language | None,
        spending: SpendingLimit,
        readings: ReadingCache,
    ) -> ReadMedia:
        """Read a document; a photo or a recording sent as a document is read as what it is."""
        match kind_of(document):
            case "image":
                return await self.read_photo(document, spending, readings)
            case "audio":
                return await self.read_audio(document, language, spending)
            case "video":
                return await self.read_video(document, language, spending, readings)
        text_reader = _TextReader(self._google, self._local, spending, readings)
        try:
            pages = await read_document(document, filename=filename, read_text=text_reader.read)
        except FileRefused as refusal:
            raise _media_error(refusal) from refusal
        except VisionFailed as error:
            _log.warning("vision_failed", why=str(error), retryable=error.retryable)
            raise MediaError("media_trouble", "its text could not be read because of a fault of ours") from error
        facts = {
            "pages": f"{pages.read} of {pages.pages}" if pages.truncated else str(pages.pages),
            "text": pages.text or "none",
        }
        return ReadMedia(
            "document", dict(facts), by=text_reader.name if pages.scanned else None, cost_usd=text_reader.cost_usd
        )

    async def close(self) -> None:
        await self._local.close()
        for vendor in (self._whisper, self._google):
            if vendor is not None:
                await vendor.close()


class _TextReader:
    """Reads text by Google within the spending limit, else by this machine, and adds up the cost."""

    def __init__(
        self, google: Vision | None, local: LocalReader, spending: SpendingLimit, readings: ReadingCache
    ) -> None:
        self._google = google
        self._local = local
        self._spending = spending
        self._readings = readings
        self.cost_usd = Decimal(0)

    @property
    def name(self) -> str:
        return "google-vision" if self._google is not None else "local"

    async def read(self, jpeg: bytes) -> Reading:
        known = await self._readings.of(jpeg)
        return known or await self._read(jpeg)

    async def _read(self, jpeg: bytes) -> Reading:
        google = self._google
        try:
            if google is not None:
                await self._spending.reserve(COST_USD_PER_PHOTO)
        except BudgetSpent:
            google = self._google = None
        if google is not None:
            reading = await self._by_google(google, jpeg)
            await self._readings.keep(jpeg, reading)
            return reading
        try:
            reading = await self._local.read(jpeg)
        except EngineMissing:
            # Without an engine, codes and the picture remain; `recado doctor` tells the operator what to install.
            _log.warning("no_eyes", fix="set GOOGLE_APPLICATION_CREDENTIALS, or install the extra recado[ocr]")
            return Reading(text="", lines=(), labels=())
        await self._readings.keep(jpeg, reading)
        return reading

    async def _by_google(self, google: Vision, jpeg: bytes) -> Reading:
        await asyncio.to_thread(import_module, "google.cloud.vision_v1")
        try:
            reading = await google(jpeg)
        except VisionFailed:
            await self._spending.settle(COST_USD_PER_PHOTO, Decimal(0))
            raise
        self.cost_usd += COST_USD_PER_PHOTO
        return reading


def _paid(whisper: Whisper, spending: SpendingLimit) -> SpeechToText:
    """Reserve the cost of each clip before it is transcribed, and give it back when the vendor refuses."""

    async def transcribed(clip: Clip) -> RawTranscript:
        cost = cost_usd(clip.seconds)
        await spending.reserve(cost)
        try:
            return await whisper(clip)
        except TranscriptionFailed as error:
            if error.status is not None:
                await spending.settle(cost, Decimal(0))
            raise

    return transcribed


def _media_error(refusal: FileRefused) -> MediaError:
    _log.info("media_refused", reason=refusal.reason, why=str(refusal))
    phrase = _PHRASES.get(refusal.reason, "media_broken")
    return MediaError(phrase, f"it could not be understood ({refusal.reason}); ask to send it again or to type it")
