"""Web pages that a text names: which of them somebody vouched for, and what is said instead of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

# An address of a page as people write it, with or without its scheme; not the domain of an e-mail address.
_PAGE = re.compile(r"(?<![@\w.-])(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:/[^\s<>()\[\]\"'*]*)?", re.IGNORECASE)
# Endings of more than two letters that scams and shops like, for names that stand without a scheme and a path.
_ENDINGS = (
    "com|net|org|info|biz|pro|app|dev|link|xyz|shop|store|site|online|top|lat|click|live|club|vip|cloud|tech|fun|icu|win|bet"
    "|page|help|support|cash|money|today|world|life|blog|news|digital|company|email|space|website|buzz|cam|rest|monster"
)
# What WhatsApp makes a link of. Of words that touch by a dot ("hola.Gracias", "9.30") those that look like a name.
_LINK = re.compile(
    r"(?<![\w.-])(?:https?://[^\s<>()\[\]\"'*]+"
    r"|(?<!@)(?:www\.[^\s<>()\[\]\"'*]+"
    r"|(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?/[^\s<>()\[\]\"'*]*"
    rf"|(?:[\w-]+\.)*[\w-]*[^\W\d_][\w-]*\.(?:{_ENDINGS})(?![\w@-]|\.\w)"
    # Two letters are a country's, in small letters: a sentence that follows without a space begins with a large one.
    r"|(?:[\w-]+\.)*[\w-]*[^\W\d_][\w-]+\.(?-i:[a-z]{2})(?![\w@-]|\.\w)))",
    re.IGNORECASE,
)
_AFTER = ".,;:!?_~`"


def gives(text: str, url: str) -> bool:
    """Whether a text names this page, or one above it; also below its host, such as www."""
    return any(_below(url, page) for page in _named(text))


def without_strange(text: str, known: str, instead: str) -> str:
    """A text without the links that `known` does not give, nor a page below them or above: `instead` is in their place.

    A model repeats what a photo, a forwarded text or a transcript says; a stranger's page is nothing that it may name.
    """
    named = list(_named(known))

    def checked(found: re.Match[str]) -> str:
        link = found[0].rstrip(_AFTER)
        url = link if "://" in link else f"https://{link}"
        vouched = any(_below(url, page) or _below(_absolute(page), link) for page in named)
        return found[0] if vouched else instead + found[0][len(link) :]

    return _LINK.sub(checked, text)


def _named(text: str) -> Iterator[str]:
    return (page[0].rstrip(_AFTER) for page in _PAGE.finditer(text))


def _absolute(page: str) -> str:
    return page if "://" in page else f"https://{page}"


def _below(url: str, page: str) -> bool:
    try:
        asked, given = urlsplit(url), urlsplit(page if "://" in page else f"//{page}")
        ports = asked.port, given.port
    except ValueError:
        return False
    host, known = asked.hostname or "", given.hostname or ""
    path = given.path.rstrip("/")
    return (
        asked.username is None
        and (given.scheme in ("", asked.scheme) or asked.scheme == "https")
        and ports[0] == ports[1]
        and (host == known or host.endswith(f".{known}"))
        and (asked.path == path or asked.path.startswith(f"{path}/"))
    )
