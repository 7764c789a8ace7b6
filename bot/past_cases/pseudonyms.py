"""Pseudonyms in place of one person's name, in all spellings of the name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

_STAND_INS = (("Alex", "Rivera"), ("Noa", "Campos"), ("Sam", "Valdés"), ("Ariel", "Montes"), ("Cruz", "Lara"))
_WORD = re.compile(r"[^\W\d_]{2,}")
_SMALL = tuple(re.findall(r"\w+", "de del la las los el y e da van von the of mi tu su al en con por para san santa"))
_JOINING = ("de", "del", "la", "las", "los", "da", "van", "von")
_INTRODUCED = re.compile(
    r"(?i:\b(?:soy|me llamo|mi nombre es|habla|my name is|i am|i['’]m|this is))\s+"
    r"((?:[A-ZÁÉÍÓÚÑÜ][^\W\d_]+(?:[ '’-](?:(?:de|del|la|los)\s)*(?=[A-ZÁÉÍÓÚÑÜ]))?){1,5})"
)
_NO_NAMES = frozenset({"cliente", "client", "customer", "proveedor", "usuario", "estudiante"})
_SHORT = 2
# A person has few names; a text that is all names would make every search through it slow.
_MOST_WORDS = 100


class Pseudonyms:
    """Names of one person. The first word is the given name; all others count as family names."""

    def __init__(self, people: Iterable[str]) -> None:
        self._given: dict[str, str] = {}
        self._families: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for name in people:
            self._add(name)

    def learn(self, words: str) -> None:
        for found in _INTRODUCED.finditer(unicodedata.normalize("NFC", words)):
            if _folded(found[1].split()[0]) not in _NO_NAMES:
                self._add(found[1])

    def replace_names(self, words: str) -> str:
        if self._pattern is None and (known := {*self._given, *self._families}):
            self._pattern = _pattern_of(known)
        if self._pattern is None:
            return words
        words = unicodedata.normalize("NFC", words)
        pieces, at = [], 0
        for found in self._pattern.finditer(_folded(words)):
            pieces += [words[at : found.start()], self._stand_in(found[0], words[found.start() : found.end()])]
            at = found.end()
        return "".join([*pieces, words[at:]])

    def _add(self, name: str) -> None:
        parts = [word for word in _WORD.findall(unicodedata.normalize("NFC", name)) if _folded(word) not in _SMALL]
        for number, part in enumerate(parts):
            if len(self._given) + len(self._families) >= _MOST_WORDS:
                return
            if _folded(part) not in self._given and _folded(part) not in self._families:
                (self._families if number else self._given)[_folded(part)] = part
                # Made anew when it is needed, because a long text may tell many names.
                self._pattern = None

    def _stand_in(self, folded: str, written: str) -> str:
        spelled = self._given.get(folded) or self._families.get(folded) or ""
        if len(written) <= _SHORT and written != spelled:
            return written  # because small words are written like short names, the spelling decides
        given, family = self._pseudonym()
        if folded in self._given:
            return given
        return family if folded in self._families else f"{given} {family}"

    def _pseudonym(self) -> tuple[str, str]:
        """A pseudonym that shares no word with the real name."""
        ours = {*self._given, *self._families}
        return next((pair for pair in _STAND_INS if not ours.intersection(map(_folded, pair))), ("Persona", "Ejemplo"))


def _pattern_of(known: Collection[str]) -> re.Pattern[str]:
    """Any of these words, or several in a row."""
    any_word = "|".join(map(_bounded, sorted(known, key=len, reverse=True)))
    between = rf"[\W_]{{1,3}}(?:(?:{'|'.join(_JOINING)})[\W_]{{1,3}}){{0,3}}"
    return re.compile(rf"(?:{any_word})(?:{between}(?:{any_word}))*")


def _bounded(word: str) -> str:
    # Because scripts without blanks between words have no bounds, only ASCII words are bounded.
    return rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])" if word.isascii() else re.escape(word)


def _folded(words: str) -> str:
    """Fold capitals and accents sign by sign, so that positions stay the same."""
    return "".join((unicodedata.normalize("NFKD", sign)[0].casefold() or sign)[0] for sign in words)
