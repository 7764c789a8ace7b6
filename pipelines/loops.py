"""Finds loops of a speech-to-text model: repeated words, also with other punctuation, and counting."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_WORD = re.compile(r"\w+")
# Nobody speaks more words within twenty minutes.
_MOST_WORDS = 20_000
_LONGEST_PERIOD = 40
# So often a person repeats a word, two words, three words, or a sentence of more.
_TIMES = {1: 10, 2: 6, 3: 5}
_TIMES_A_SENTENCE, _TIMES_WHERE_DOUBTED = 4, 3
# Dictated numbers may have many zeros, and lists such as mesa 1, mesa 2 are long; nobody counts further than this.
_TIMES_A_NUMBER, _TIMES_COUNTED, _LONGEST_COUNT = 16, 12, 20
# jajaja and nooo are shorter.
_LONGEST_CRY = 30
_SPANISH = """cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis
    diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis
    veintisiete veintiocho veintinueve treinta"""
_ENGLISH = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty"""
_TENS = "cuarenta cincuenta sesenta setenta ochenta noventa"
_NUMBERS = {word: value for words in (_SPANISH, _ENGLISH) for value, word in enumerate(words.split())}
_NUMBERS |= {word: 10 * tens for tens, word in enumerate(_TENS.split(), 4)}


class _Word(NamedTuple):
    """`folded` is compared, `kind` is the same with # for a number, `number` is its value if it is one."""

    start: int
    end: int
    folded: str
    kind: str
    number: int | None


def without_loops(text: str, *, doubted: bool = False) -> str:
    """Remove loops and keep the words around them; `doubted` if the model itself reports a loop."""
    words = [_word(found) for found in _WORD.finditer(text)]
    if len(words) > _MOST_WORDS:
        text, words = text[: words[_MOST_WORDS].start], words[:_MOST_WORDS]
    looped = bytearray(len(words))
    for start, end in _loops(words, doubted=doubted):
        looped[start:end] = b"\1" * (end - start)
    if not any(looped):
        return text.strip()
    pieces, place = [], 0
    for start, end in _runs(looped):
        pieces.append(text[place : words[start].start].rstrip(" \t\n¡¿«“\"'(-"))
        place = words[end - 1].end
    pieces.append(text[place:])
    first, *others = pieces
    return " ".join(filter(None, (first.strip(), *(re.sub(r"^[^\w¡¿]+", "", piece).strip() for piece in others))))


def _word(found: re.Match[str]) -> _Word:
    folded = found[0].casefold()
    digits = folded.isdecimal() and len(folded) <= 9  # noqa: PLR2004 -- no number that is counted is longer
    number = int(folded) if digits else _NUMBERS.get(folded)
    kind = "#" if number is not None else re.sub(r"\d+", "#", folded)
    return _Word(found.start(), found.end(), folded, kind, number)


def _loops(words: Sequence[_Word], *, doubted: bool) -> Iterator[tuple[int, int]]:
    """Yield loops as the index of the first word and the one behind the last."""
    folded, kinds = [word.folded for word in words], [word.kind for word in words]
    for period in range(1, min(_LONGEST_PERIOD, len(words) // 2) + 1):
        enough = _TIMES_WHERE_DOUBTED if doubted else _TIMES.get(period, _TIMES_A_SENTENCE)
        for start, end in _repeated(folded, period, enough):
            alone = period == 1 and words[start].number is not None
            if not alone or doubted or end - start >= _TIMES_A_NUMBER:
                yield start, end
        for start, end in _repeated(kinds, period, _TIMES_WHERE_DOUBTED if doubted else _TIMES_COUNTED):
            # Because numbers alone are a phone or an account, they are no loop.
            if {*kinds[start : start + period]} != {"#"}:
                yield start, end
    yield from _counts(words)
    yield from ((place, place + 1) for place, word in enumerate(folded) if _is_cry(word))


def _repeated(words: Sequence[str], period: int, times: int) -> Iterator[tuple[int, int]]:
    start = 0
    for place in range(period, len(words) + 1):
        if place == len(words) or words[place] != words[place - period]:
            if place - start >= period * times:
                yield start, place
            start = place - period + 1


def _counts(words: Sequence[_Word]) -> Iterator[tuple[int, int]]:
    """Yield numbers that go up or down by one."""
    for step in (1, -1):
        start = 0
        for place in range(1, len(words) + 1):
            before = words[place - 1].number
            if place == len(words) or before is None or words[place].number != before + step:
                if place - start >= _LONGEST_COUNT:
                    yield start, place
                start = place


def _is_cry(word: str) -> bool:
    """Whether a long word repeats a few letters: aaaa, jajaja."""
    return (
        len(word) >= _LONGEST_CRY and any(word[size:] == word[:-size] for size in range(1, 7)) and not word.isdecimal()
    )


def _runs(marks: bytearray) -> Iterator[tuple[int, int]]:
    return (found.span() for found in re.finditer(rb"\x01+", marks))
