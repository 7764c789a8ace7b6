"""Words of products and of questions in the form in which they are compared: without accents, endings and fillers."""

from __future__ import annotations

import re

from bot.messages.folding import folded
from pipelines.product.size_parsing import sizes

# A question has few words; more are a pasted text.
MOST_WORDS = 12
_LONGEST_TEXT = 400
_WORD = re.compile(r"[a-z]+|\d+(?:[.,]\d+)?")
_FILLERS = frozenset(
    word
    for line in (
        "a al algun alguna algo busco buscaba con cual cuales cuanto cuanta cuesta cuestan costo dame de del el en es",
        "ese esa este esta esto estos hay la las le lo los manejan me mi no o otro para por precio precios quiero que",
        "quisiera se si sin su sus tendran tendra tiene tienen tienes un una unas unos vale valen venden y ya",
        "an and any are cost costs do does for get got have how i in is it looking much need of price prices sell some",
        "the this that to want what with you your",
    )
    for word in line.split()
)
_SHORTEST, _LONG = 4, 6
# cafecito, galletita
_SMALL = re.compile(r"(?:(?<=[aeiou])[cs]|(?<=[^aeiou]))it(?:a|o)$")
# Spellings that sound the same in Spanish, in the order of replacement.
_SOUNDS = (
    ("ch", "x"), ("ph", "f"), ("qu", "k"), ("ce", "se"), ("ci", "si"), ("ge", "je"), ("gi", "ji"), ("gue", "ue"),
    ("gui", "gi"), ("ll", "y"), ("hu", "w"), ("gu", "w"), ("h", ""), ("v", "b"), ("w", "u"), ("z", "s"), ("c", "k"),
    ("q", "k"),
)  # fmt: skip


def words_of(text: str) -> list[str]:
    """Words without fillers, by their stems, in order; decimals with a point."""
    found = [word.replace(",", ".") for word in _WORD.findall(folded(text[:_LONGEST_TEXT]))]
    return [stem_of(word) for word in found if word not in _FILLERS]


def stem_of(word: str) -> str:
    """The word without plural, gender and diminutive; Snowball's Spanish makes "tela" and "tele" one word.

    Words of up to four letters stay as they are, but for their plural: they have nothing to lose.
    """
    if word.endswith("ces") and len(word) > _SHORTEST:
        word = f"{word[:-3]}z"
    elif word.endswith("es") and len(word) > _SHORTEST and word[-3] in "lnrdjz":
        word = word[:-2]
    elif word.endswith("s") and len(word) > _SHORTEST:
        word = word[:-1]
    if len(word) > _LONG:
        word = _SMALL.sub("", word)
    if len(word) > _SHORTEST and word[-1] in "ao":
        return word[:-1]
    return word[:-1] if len(word) > _SHORTEST + 1 and word[-1] == "e" else word


def size_words(text: str) -> list[str]:
    """Contents as comparable words: 1.5 L and 1500 ml are the same one."""
    if not any(sign.isdigit() for sign in text):
        return []
    totals = (size.total for size in sizes(text[:_LONGEST_TEXT]))
    return [f"={amount.normalize():f}{base}" for amount, base in totals]


def sound_of(word: str) -> str:
    """Spelling by which words that sound alike are the same: javon, jabon."""
    for written, sounded in _SOUNDS:
        word = word.replace(written, sounded)
    return re.sub(r"(.)\1+", r"\1", word)


def distance(word: str, other: str, most: int) -> int:
    """Number of letters to add, drop, change or swap with a neighbour (Damerau, restricted); `most` + 1 if more."""
    if abs(len(word) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(word, 1):
        now = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and word[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, last = last, now
    return last[-1]
