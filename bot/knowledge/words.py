"""Words of texts and questions in the forms in which they are compared: folded, stemmed, by sound, as concepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from bot.messages.folding import folded

_WORD = re.compile(r"[a-z0-9]+(?:[.,][0-9]+)*")
_PIECE = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_LONGEST_WORD = 40
_SHORT_STEM = 4
_BROKEN_VOWEL = re.compile(r"(?<=[b-df-hj-np-rtv-z])(ue|ie)(?=[b-df-hj-np-tv-z]{1,3}$)")
_GREETING = re.compile(
    r"\b(?:buen(?:os|as|a)?\s+(?:dias?|tardes?|noches?)|buenas|hola+|oigan?|oye|disculpen?|una? (?:pregunta|duda)"
    r"|por ?fa(?:vor|vorcito)?|porfis?|gracias|saludos|que tal|good (?:morning|afternoon|evening)|hello|hi|hey|please"
    r"|thanks?(?: you)?)\b"
)
# Spellings of one sound in Mexican Spanish, each with its sound, applied in this order. \1 stands for ch in between.
_SOUNDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^x", "s"),
        (r"qu(?=[ei])", "k"),
        (r"c(?=[ei])", "s"),
        (r"ch", "\1"),
        (r"sh", "\1"),
        (r"gu(?=[ei])", "g"),
        (r"g(?=[ei])", "j"),
        (r"h", ""),
        ("\1", "ch"),
        (r"ll", "y"),
        (r"v", "b"),
        (r"z", "s"),
        (r"c|q", "k"),
        (r"w", "u"),
        (r"n(?=[bp])", "m"),
        (r"x", "ks"),
        (r"([a-z])\1+", r"\1"),
    )
)


def words_of(text: str) -> list[str]:
    """The words and numbers of a text, folded."""
    return [word[:_LONGEST_WORD] for word in _WORD.findall(folded(text))]


def question_words(question: str) -> list[str]:
    """Words of a question without stop words and greetings; abbreviations of chats are written out."""
    text = _GREETING.sub(" ", folded(question))
    written = [full for word in _WORD.findall(text) for full in _written_out(word[:_LONGEST_WORD])]
    return [word for word in written if word not in _stop_words()]


def spoken(question: str) -> str:
    """A question for the embedding model: abbreviations are written out, and accents stay."""
    text = unicodedata.normalize("NFC", question)
    kept = [
        " ".join(_written_out(folded(piece))) if folded(piece) in _abbreviations() else piece for piece in text.split()
    ]
    return " ".join(kept)


def gist(question: str) -> str:
    """Words of a question without stop words, as they are written, for the embedding model."""
    pieces = _PIECE.findall(unicodedata.normalize("NFC", question))
    written = (full for piece in pieces for full in _abbreviations().get(folded(piece), (piece,)))
    return " ".join(word for word in written if folded(word) not in _stop_words())


def telling(words: Iterable[str]) -> list[str]:
    """Words without stop words, which every text has."""
    return [word for word in words if word not in _stop_words()]


def stems(words: Sequence[str], language: str) -> list[str]:
    """Stems by Snowball (https://snowballstem.org); numbers stay as they are.

    Because Snowball needs the accents that customers leave out, a Spanish stem also loses its last vowel. A stressed
    `ue` or `ie` is written as in the infinitive, so that both `devolví` and `devuelven` give `devolv`.
    """
    found = list(_stemmer(language).stemWords(list(words)))
    return found if language == "en" else [_infinitive(stem) for stem in found]


def _infinitive(stem: str) -> str:
    if len(stem) <= _SHORT_STEM:
        return stem
    stem = stem.rstrip("aeio") if len(stem.rstrip("aeio")) > _SHORT_STEM - 1 else stem
    return _BROKEN_VOWEL.sub(lambda found: "o" if found[1] == "ue" else "e", stem)


def concepts_of(word: str) -> frozenset[str]:
    """Concepts of a word, which are the groups of synonyms that hold it, by its stem or else by its sound.

    A concept's name is `=` and its line in synonyms.txt, so no stem equals it.
    """
    by_stem, by_sound = _concepts()
    found = by_stem.get(stems([word], "es")[0]) or by_stem.get(stems([word], "en")[0])
    return found or by_sound.get(sound_of(word), frozenset())


def translations_of(word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Spanish words for an English one, and English words for a Spanish one."""
    to_spanish, to_english = _translations()
    return to_spanish.get(word, ()), to_english.get(stems([word], "es")[0], ())


def is_light(word: str) -> bool:
    """Whether a word says little about the subject of a question, such as `hablar` and `get`."""
    return word[0].isdigit() or word in _light_stems() or stems([word], "es")[0] in _light_stems()


@lru_cache(50_000)
def sound_of(word: str) -> str:
    """A word as it sounds in Mexican Spanish, because people write b for v, s for z, and leave out the h."""
    if word[0].isdigit():
        return word
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word or "h"


def grams(sound: str) -> set[str]:
    """Trigrams of a word, with `^` at its beginning and `$` at its end."""
    padded = f"^{sound}$"
    return {padded[at : at + 3] for at in range(len(padded) - 2)} or {padded}


def _written_out(word: str) -> tuple[str, ...]:
    return _abbreviations().get(word, (word,))


@cache
def _stemmer(language: str) -> Any:
    from Stemmer import Stemmer  # noqa: PLC0415 - for those who search alone

    return Stemmer("english" if language == "en" else "spanish", maxCacheSize=20_000)


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(word for line in _lines("stop_words.txt") for word in line.split())


@cache
def _abbreviations() -> dict[str, tuple[str, ...]]:
    pairs = (line.partition("=") for line in _lines("abbreviations.txt"))
    return {short.strip(): tuple(full.split()) for short, _, full in pairs}


@cache
def _light_stems() -> frozenset[str]:
    words = [word for line in _lines("light_words.txt") for word in line.split()]
    return frozenset((*words, *stems(words, "es")))


@cache
def _translations() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Spanish words by English word, and English words by Spanish stem."""
    to_spanish: dict[str, tuple[str, ...]] = {}
    to_english: dict[str, tuple[str, ...]] = {}
    for line in _lines("english.txt"):
        english, spanish = (tuple(side.split()) for side in line.split("=", 1))
        to_spanish |= {word: (*to_spanish.get(word, ()), *spanish) for word in english}
        to_english |= {stem: (*to_english.get(stem, ()), *english) for stem in stems(spanish, "es")}
    return to_spanish, to_english


@cache
def _concepts() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Concepts by stem and by sound."""
    by_stem: dict[str, frozenset[str]] = {}
    by_sound: dict[str, frozenset[str]] = {}
    for number, line in enumerate(_lines("synonyms.txt")):
        name = frozenset({f"={number}"})
        for word in words_of(line):
            for stem in {*stems([word], "es"), *stems([word], "en")}:
                by_stem[stem] = by_stem.get(stem, frozenset()) | name
            by_sound[sound_of(word)] = by_sound.get(sound_of(word), frozenset()) | name
    return by_stem, by_sound


def _lines(name: str) -> Iterator[str]:
    text = files("bot.knowledge").joinpath(name).read_text("utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))
