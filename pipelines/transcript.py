"""Output of a speech-to-text model, and the part of it that a person may really have said."""

import re
import zlib
from dataclasses import dataclass
from itertools import accumulate

from pipelines.loops import without_loops
from pipelines.truncation import LONGEST_TEXT, truncated

# Whisper's own limits for a segment that is no speech, or a loop:
# https://github.com/openai/whisper/blob/main/whisper/transcribe.py
_NO_SPEECH = 0.6
_LOGPROB = -1.0
_COMPRESSION = 2.4
# Shorter texts compress too little to judge; a loop shows in the first lines.
_LOOP_FROM, _LOOP_TO = 120, 600

# Subtitles of films in its training data, which Whisper writes for silence.
_CREDITS = re.compile(
    r"(subtítulos|subtitulado|subtitles|legendas|sous-titres)( \w+)? (por|by|par|pela)\b.*"
    r"|(muchas )?gracias por ver( el| este| nuestro)? (vídeo|video)s?(\W+(hasta|nos vemos|y |no olvides|suscríbete).*)?"
    r"|(thank you|thanks)( so much| very much)? for watching(\W+(see you|bye|please|and |don't).*)?"
    r"|(no olvides suscribirte|suscríbete)( (a mi|al|a nuestro) canal)?(\W+(y|dale|activa)\b.*)?"
    r"|(please )?(like and subscribe|subscribe to (my|the|our) channel)(\W+and .*)?"
    r"|obrigad[oa] por assistir.*|merci d'avoir regardé.*"
    r"|.*\bamara\.org\b.*"
)
# Words of people that Whisper also writes for noise: kept unless it reports that nobody spoke.
_FILLERS = {"gracias", "muchas gracias", "thank you", "thanks", "you", "bye", "adiós", "okay"}


@dataclass(frozen=True, slots=True)
class Segment:
    """About a sentence, with its probability of no speech, mean log probability of tokens, and gzip ratio."""

    text: str
    no_speech: float | None = None
    logprob: float | None = None
    compression: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", truncated(self.text))


@dataclass(frozen=True, slots=True)
class RawTranscript:
    """Unfiltered text, its language (ISO 639-1) and its segments, as far as the model gives them."""

    text: str
    language: str | None = None
    segments: tuple[Segment, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", truncated(self.text))
        ends = accumulate(len(segment.text) for segment in self.segments)
        within = tuple(spoken for spoken, end in zip(self.segments, ends, strict=True) if end <= LONGEST_TEXT)
        object.__setattr__(self, "segments", within)


def spoken_text(raw: RawTranscript) -> str:
    """Return the text without invented words; "" if nothing is left."""
    segments = raw.segments or (Segment(raw.text),)
    believed = [_believed(segment) for segment in segments]
    if all(words == segment.text for words, segment in zip(believed, segments, strict=True)):
        return _without_loops(raw.text)
    return _without_loops(" ".join(words.strip() for words in believed if words.strip()))


def _believed(segment: Segment) -> str:
    """Words of a segment that a person probably said."""
    words = re.sub(r"^[\W_]+|[\W_]+$", "", segment.text.casefold())
    no_speech = segment.no_speech is not None and segment.no_speech > _NO_SPEECH
    unsure = segment.logprob is not None and segment.logprob < _LOGPROB
    if not words or _CREDITS.fullmatch(words) or (no_speech and (unsure or words in _FILLERS)):
        return ""
    if (segment.compression or 0) <= _COMPRESSION:
        return segment.text
    # Because the model itself reports a loop, fewer repetitions count.
    whole = segment.text.strip()
    kept = without_loops(whole)
    kept = without_loops(whole, doubted=True) if kept == whole else kept
    return "" if kept == whole else kept


def _without_loops(text: str) -> str:
    """Remove exact loops, and inexact ones that compress as no speech does."""
    kept = without_loops(text)
    if not _is_loop(kept):
        return kept
    kept = without_loops(kept, doubted=True)
    return "" if _is_loop(kept) else kept


def _is_loop(words: str) -> bool:
    start = words[:_LOOP_TO].encode()
    return len(start) >= _LOOP_FROM and len(start) / len(zlib.compress(start)) > _COMPRESSION
