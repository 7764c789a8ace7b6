"""Web pages that a text names, and the replacement of those that nobody verified."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from ipaddress import IPv4Address
from typing import NamedTuple
from urllib.parse import urlsplit

# An address ends at blanks, brackets, quotes and the marks of WhatsApp's formatting.
_INSIDE = r"[^\s<>()\[\]{}\"'“”‘’«»*|`]*"
# A full stop, also one that is written so that no machine takes it for one.
_DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\})"
_FOUND = re.compile(
    # Any scheme; `hxxp` too, which people put right by hand.
    rf"(?<![a-z0-9+-])[a-z][a-z0-9+-]{{1,15}}:[/\\]{{2}}(?:\[[0-9a-f:.]{{2,45}}\])?{_INSIDE}"
    # A host of two labels and more, from the beginning of a word; not what follows an @ or stands before one.
    rf"|(?<![\w@-])(?<!\w\.)_*+(?P<host>[\w-]++(?:{_DOT}[\w-]++)+)(?!{_DOT}[\w-]|@)(?P<rest>(?::\d{{1,5}}(?!\d))?(?:[/?#]{_INSIDE})?)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[\w-]+")
_AFTER = ".,;:!?_~-…"
# WhatsApp's marks, which nobody sees in `*evil*.com`; and letters, besides those that Unicode calls formats and marks.
_DRAWN = "*~`"
_UNSEEN = frozenset(f"{_DRAWN}\u115f\u1160\u3164\uffa0\u2800")
_USUAL = {"。": ".", "｡": ".", "∕": "/", "⁄": "/"}
_TWO = 2
# RFC 1035; no longer name leads anywhere.
_LONGEST_HOST = 253

# Top-level domains that are far more often endings of files: `app.py`, `README.md`, `respaldo.zip`.
_FILES = frozenset({"py", "md", "zip", "mov", "sh", "rs", "ps", "dot"})
_COMMON = ("com", "net", "org", "gob", "edu")
# Products with the name of a page.
_PRODUCTS = frozenset({"asp.net", "vb.net", "ado.net", "ml.net"})
# Endings that are words: in large letters they are a sentence without a space before it ("mañana.De nada").
_WORDS = frozenset({
    "al", "am", "as", "at", "be", "by", "da", "de", "do", "es", "fe", "in", "is", "it", "la", "me", "my", "no", "pm",
    "se", "si", "so", "sr", "st", "su", "to", "us", "va", "ve", "soy", "uno", "total", "gratis", "casa", "red", "call",
    "here", "how", "now", "one", "open", "read", "you", "free",
})  # fmt: skip


class _Page(NamedTuple):
    scheme: str
    host: str
    port: int | None
    path: str
    user: bool


class _Link(NamedTuple):
    """An address where a text has it, and what it means once its letters are the usual ones."""

    start: int
    end: int
    page: _Page | None


def gives(text: str, url: str) -> bool:
    """True if a text names this page, or one above it; also below its host, such as www."""
    page = _page(url)
    return page is not None and _VerifiedPages(text).vouches(page)


def without_unverified(text: str, known: str, instead: str) -> str:
    """Replace links by `instead`, unless `known` names the page, or one above or below it.

    A model repeats what a photo, a forwarded text or a transcript says; a stranger's page is nothing that it may name.
    """
    links = list(_links(text, lenient=False))
    if not links:
        return text
    vouched = _VerifiedPages(known)
    pieces, position = [], 0
    for link in links:
        if link.page is None or not (vouched.vouches(link.page) or vouched.leads_below(link.page)):
            pieces += [text[position : link.start], instead]
            position = link.end
    return "".join((*pieces, text[position:]))


class _VerifiedPages:
    """Pages of a text in an index by host, so that many links are looked up in linear time."""

    def __init__(self, text: str) -> None:
        self._at: dict[str, set[_Page]] = defaultdict(set)
        self._below: dict[str, set[_Page]] = defaultdict(set)
        for page in {link.page for link in _links(text, lenient=True) if link.page}:
            self._at[page.host].add(page)
            for host in _hosts_above(page.host):
                self._below[host].add(page)

    def vouches(self, page: _Page) -> bool:
        """True if the page is one of these, or below one."""
        return any(_under(page, given) for host in _hosts_above(page.host) for given in self._at.get(host, ()))

    def leads_below(self, page: _Page) -> bool:
        """True if one of these is below the page."""
        return not page.user and any(_under(given, page) for given in self._below.get(page.host, ()))


def _hosts_above(host: str) -> Iterator[str]:
    """The host, and those that it belongs to."""
    labels = host.split(".")
    return (".".join(labels[first:]) for first in range(min(len(labels), 10)))


def _under(page: _Page, given: _Page) -> bool:
    return (
        not page.user
        and (given.scheme in ("", page.scheme) or page.scheme in ("", "https"))
        and page.port == given.port
        and (page.path == given.path or page.path.startswith(f"{given.path}/"))
    )


def _page(address: str) -> _Page | None:
    """An address in its parts; None if it is broken."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return _Page(parts.scheme, parts.hostname or "", parts.port, parts.path.rstrip("/"), parts.username is not None)
    except ValueError:
        return None


def _links(text: str, *, lenient: bool) -> Iterator[_Link]:
    """The addresses in a text; `lenient` takes any ending for a real one, as operators know what they write."""
    flat, places = _flattened(text)
    for found in _FOUND.finditer(flat):
        start, end, address = _with_scheme(found) if found["host"] is None else _bare(found, lenient=lenient)
        if address:
            yield _Link(places[start], places[end - 1] + 1, _page(address))


def _with_scheme(found: re.Match[str]) -> tuple[int, int, str]:
    address = found[0].rstrip(_AFTER)
    alone = address.rstrip("/\\").endswith(":")
    return found.start(), found.start() + len(address), "" if alone else address


def _bare(found: re.Match[str], *, lenient: bool) -> tuple[int, int, str]:
    """A host without a scheme, if it is a page."""
    start, rest = found.start("host"), found["rest"].rstrip(_AFTER)
    if len(found["host"]) > _LONGEST_HOST:
        return start, start, ""
    host, length = _host(found["host"], whole=lenient or bool(rest))
    return start, start + length + len(rest), host + rest if lenient or _leads(host, rest) else ""


def _host(raw: str, *, whole: bool) -> tuple[str, int]:
    """A host with usual full stops, and its length in the text; a word that touches its end is left out."""
    labels = list(_LABEL.finditer(raw))
    names, end = [label[0] for label in labels], labels[-1].end()
    if not whole and len(names) > _TWO and names[-1].istitle() and names[-1].lower() not in _endings():
        names, end = names[:-1], labels[-2].end()
    last = names[-1]
    if last.lower() not in _endings() and not whole:
        names[-1] = re.split("[-_]", last, maxsplit=1)[0]
    return ".".join(names), end - len(last) + len(names[-1])


def _flattened(text: str) -> tuple[str, Sequence[int]]:
    """A text in usual letters, without those that nobody sees; and where each of its letters stands in the text."""
    if text.isascii() and not any(mark in text for mark in _DRAWN):
        return text, range(len(text))
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        plain = letter if letter.isascii() and letter not in _DRAWN else _plain(letter)
        letters.append(plain)
        places += [place] * len(plain)
    return "".join(letters), places


@lru_cache(4096)
def _plain(letter: str) -> str:
    if letter in _UNSEEN or unicodedata.category(letter) in ("Cf", "Mn", "Me"):
        return ""
    plain = _USUAL.get(letter) or unicodedata.normalize("NFKC", letter)
    # A sign that normalises to several letters, such as an ellipsis, stays as it is.
    return plain if len(plain) == 1 else letter


def _leads(host: str, rest: str) -> bool:
    """True if a host without a scheme is a page, and no file, abbreviation, number or sentence without a space."""
    labels = host.lower().split(".")
    if len(labels) < _TWO:
        return False
    name, ending = labels[-2:]
    if labels[0] == "www":
        return True
    if _is_address(host):
        return rest.startswith(":") or (rest.startswith("/") and not rest[1:].isdigit())
    if ending not in _endings():
        return False
    return rest.startswith(("/", "?", "#")) or not _is_word(labels, name, ending, as_written=host)


def _is_word(labels: list[str], name: str, ending: str, *, as_written: str) -> bool:
    """True if a name that ends like a page, and has no path, means something else."""
    if ending in _FILES:
        # `bank.com.zip` is no file's name.
        return not any(label in _COMMON or (len(label) == _TWO and label in _endings()) for label in labels[1:-1])
    if as_written.lower() in _PRODUCTS or (ending in _WORDS and not as_written.endswith(ending)):
        return True
    digits_only = not any(letter.isalpha() for letter in name)
    return (digits_only or len(name) < _TWO) if len(ending) == _TWO else (digits_only and len(name) < _TWO)


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


@cache
def _endings() -> frozenset[str]:
    """Top-level domains of the Public Suffix List, in their ASCII form too."""
    rules = files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    lines = (line.strip() for line in rules.partition("===BEGIN PRIVATE DOMAINS===")[0].splitlines())
    endings = {line.rpartition(".")[2].lower() for line in lines if line and not line.startswith("//")}
    return frozenset(
        endings | {f"xn--{ending.encode('punycode').decode()}" for ending in endings if not ending.isascii()}
    )
