"""Hearing, seeing and reading: which engine does it where it is configured, and the sentence where none is."""

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
from pipelines.document import read
from pipelines.errors import FileProblem, FileRefused
from pipelines.file_type import kind_of
from pipelines.image import PhotoText, Reading, ReadText, look
from pipelines.ocr import EngineMissing, LocalReader
from pipelines.video import still
from pipelines.voice import Clip, HeardSpeech, SpeechToText, transcribe

_log = structlog.get_logger()


class MediaError(Exception):
    """Nothing was understood: `phrase` names our sentence for the person, `problem` tells the model."""

    def __init__(self, phrase: str, problem: str) -> None:
        super().__init__(problem)
        self.phrase = phrase
        self.problem = problem


@dataclass(frozen=True, slots=True)
class ReadMedia:
    """Facts by name, in the words that the model reads; `words` are those that the person spoke; `by` is the engine.

    `sight` is what a photo showed and where, for those who need more than its words.
    """

    kind: str
    facts: dict[str, str | None] = field(default_factory=dict)
    words: str = ""
    by: str | None = None
    cost_usd: Decimal = Decimal(0)
    picture: bytes | None = None
    sight: PhotoText | None = None


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


_SOUNDLESS = ("media_broken", "voice_silent", "voice_off")


class MediaReaders:
    """Made from the settings; heavy engines are loaded when the first voice note or photo comes."""

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

    async def hear(
        self, audio: bytes, language: Language | None, spending: SpendingLimit, kind: str = "voice"
    ) -> ReadMedia:
        """The words of a voice note, an audio file or a video."""
        whisper = self._whisper
        if whisper is None:
            raise MediaError("voice_off", "voice notes can't be heard: no transcription is configured (OPENAI_API_KEY)")
        # Beside the loop: the SDK takes half a second to import, and the first voice note needs it.
        await asyncio.to_thread(import_module, "openai")
        try:
            transcript = await transcribe(audio, speech_to_text=_paid(whisper, spending), language=language)
        except FileRefused as refusal:
            raise _trouble(refusal) from refusal
        except BudgetSpent as error:
            raise MediaError("budget_media", "it was not heard: today's budget is spent; ask to type it") from error
        except TranscriptionFailed as error:
            _log.warning("transcription_failed", status=error.status, retryable=error.retryable)
            raise MediaError("media_trouble", "it could not be heard because of a fault of ours") from error
        facts: dict[str, str | None] = {"seconds": f"{transcript.seconds:.0f}", "transcript": transcript.text}
        return ReadMedia(kind, facts, transcript.text, by=self._model, cost_usd=cost_usd(transcript.seconds))

    def eyes(self, spending: SpendingLimit, readings: ReadingCache) -> ReadText:
        """What reads pictures that are no photos of a message: a closer look at a part of one."""
        return _PictureReader(self._google, self._local, spending, readings).read

    async def look(self, photo: bytes, spending: SpendingLimit, readings: ReadingCache) -> ReadMedia:
        """Text, codes and labels of a photo, and the photo itself for models that see."""
        eyes = _PictureReader(self._google, self._local, spending, readings)
        try:
            sight = await look(photo, read_text=eyes.read)
        except FileRefused as refusal:
            raise _trouble(refusal) from refusal
        except VisionFailed as error:
            _log.warning("vision_failed", retryable=error.retryable)
            raise MediaError("media_trouble", "its text could not be read because of a fault of ours") from error
        facts = {
            "text_read": sight.text or "none",
            "codes": ", ".join(f"{code.format} {code.value}" for code in sight.barcodes),
            "labels": ", ".join(sight.labels),
        }
        return ReadMedia("photo", dict(facts), by=eyes.name, cost_usd=eyes.cost_usd, picture=sight.jpeg, sight=sight)

    async def watch(
        self, video: bytes, language: Language | None, spending: SpendingLimit, readings: ReadingCache
    ) -> ReadMedia:
        """What is said in a video and what one of its pictures shows; either is enough."""
        heard, seen = await asyncio.gather(
            self.hear(video, language, spending, kind="video"),
            self._look_into(video, spending, readings),
            return_exceptions=True,
        )
        for unexpected in (heard, seen):
            if isinstance(unexpected, BaseException) and not isinstance(unexpected, MediaError):
                raise unexpected
        if isinstance(seen, BaseException) or seen is None:
            if isinstance(heard, BaseException):
                # A film without sound is no fault of its sound; what is wrong with its pictures says more.
                soundless = isinstance(heard, MediaError) and heard.phrase in _SOUNDLESS
                raise seen if soundless and isinstance(seen, MediaError) else heard
            return heard
        if isinstance(heard, BaseException):
            return replace(seen, kind="video", facts={"sound": str(heard), **seen.facts})
        return ReadMedia(
            *("video", heard.facts | seen.facts, heard.words),
            by=", ".join(filter(None, (heard.by, seen.by))),
            cost_usd=heard.cost_usd + seen.cost_usd,
            picture=seen.picture,
        )

    async def _look_into(self, video: bytes, spending: SpendingLimit, readings: ReadingCache) -> ReadMedia | None:
        try:
            picture = await still(video)
        except FileRefused as refusal:
            raise _trouble(refusal) from refusal
        return await self.look(picture, spending, readings) if picture else None

    async def read(
        self,
        document: bytes,
        filename: str | None,
        language: Language | None,
        spending: SpendingLimit,
        readings: ReadingCache,
    ) -> ReadMedia:
        """The text of a document; a photo or a recording sent as a document is looked at or heard."""
        match kind_of(document):
            case "image":
                return await self.look(document, spending, readings)
            case "audio":
                return await self.hear(document, language, spending)
            case "video":
                return await self.watch(document, language, spending, readings)
        eyes = _PictureReader(self._google, self._local, spending, readings)
        try:
            pages = await read(document, filename=filename, read_text=eyes.read)
        except FileRefused as refusal:
            raise _trouble(refusal) from refusal
        except VisionFailed as error:
            raise MediaError("media_trouble", "its text could not be read because of a fault of ours") from error
        facts = {
            "pages": f"{pages.read} of {pages.pages}" if pages.truncated else str(pages.pages),
            "text": pages.text or "none",
        }
        return ReadMedia("document", dict(facts), by=eyes.name if pages.scanned else None, cost_usd=eyes.cost_usd)

    async def close(self) -> None:
        await self._local.close()
        for vendor in (self._whisper, self._google):
            if vendor is not None:
                await vendor.close()


class _PictureReader:
    """Who reads a photo or document, and what that cost: Google while there is money for it, else this machine."""

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
            # Codes and the picture itself are left; `recado doctor` tells the operator what to install.
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
    """Each clip is paid for before it is heard; what was not heard is put back."""

    async def hear(clip: Clip) -> HeardSpeech:
        cost = cost_usd(clip.seconds)
        await spending.reserve(cost)
        try:
            return await whisper(clip)
        except TranscriptionFailed as error:
            if error.status is not None:
                await spending.settle(cost, Decimal(0))
            raise

    return hear


def _trouble(refusal: FileRefused) -> MediaError:
    _log.info("media_refused", reason=refusal.reason)
    phrase = _PHRASES.get(refusal.reason, "media_broken")
    return MediaError(phrase, f"it could not be understood ({refusal.reason}); ask to send it again or to type it")
