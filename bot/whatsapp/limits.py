"""Limits of Meta's messages, kept before the call: a message that breaks one is said in another readable way."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from bot.messages.outbound import (
    AskLocation,
    Attachment,
    Buttons,
    Choice,
    LinkButton,
    Menu,
    Part,
    Picture,
    Say,
)
from bot.whatsapp.formatting import fits, shortened, split

_CAPTION = 1024
_SHORT_BODY = 1024
_MENU_BODY = 4096
_FOOTER = 60
MOST_BUTTONS = 3
BUTTON_TITLE = 20
_BUTTON_ID = 256
_ROWS = 10
_ROW_TITLE = 24
_ROW_DESCRIPTION = 72
_ROW_ID = 200
_URL = 2000
_OPENER = "☰"


def fit(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Rewrite parts within Meta's limits; no words are lost, ids stay, empty parts are dropped."""
    return tuple(fitting for part in parts for fitting in _fit(part))


def _fit(part: Part) -> list[Part]:  # noqa: PLR0911 - one line a kind
    match part:
        case Say():
            # The common case: another Say would be the same one, validated again.
            return [part] if split(part.body) == [part.body] else _says(part.body, part.quote)
        case Picture() | Attachment():
            return _captioned(part)
        case AskLocation():
            return _asking(part)
        case LinkButton():
            return _link(part)
        case Buttons():
            return _buttons(part)
        case Menu():
            return _menu(part)
        case _:
            return [part]


def _says(body: str, quote: str | None = None) -> list[Part]:
    return [Say(body=text, quote=None if index else quote) for index, text in enumerate(split(body))]


def _captioned(part: Picture | Attachment) -> list[Part]:
    pieces = split(part.caption or "", _CAPTION)
    shown = part.model_copy(update={"caption": pieces[0] if pieces else None})
    return [shown, *_says("\n".join(pieces[1:]))]


def _asking(part: AskLocation) -> list[Part]:
    before, body = _last(part.body, _SHORT_BODY)
    return [*before, part.model_copy(update={"body": body})] if body else []


def _link(part: LinkButton) -> list[Part]:
    label = shortened(part.label, BUTTON_TITLE)
    address = urlsplit(part.url)
    if not label or address.scheme not in ("http", "https") or not address.netloc or not fits(part.url, _URL):
        return _says("\n".join(words for words in (part.body, part.label, part.url) if words.strip()))
    full = [] if fits(part.label.strip(), BUTTON_TITLE) else [part.label.strip()]
    # Because Meta requires a body, the label stands in for an empty one.
    before, body = _last("\n\n".join([part.body.strip(), *full]) or part.label, _SHORT_BODY)
    return [*before, LinkButton(body=body or label, label=label, url=part.url)]


def _buttons(part: Buttons) -> list[Part]:
    choices = distinct(part.choices)
    if len(choices) > MOST_BUTTONS:
        menu = Menu(body=part.body, opener=_OPENER, choices=choices, footer=part.footer)
        return _menu(menu)
    if not choices or not part.body.strip() or any(not fits(choice.id, _BUTTON_ID) for choice in choices):
        return _numbered(part.body, choices, part.footer)
    # Because a button holds a short title only, longer titles and descriptions go above the buttons.
    if any(choice.description or not fits(choice.title, BUTTON_TITLE) for choice in choices):
        above = [_line(choice) for choice in choices]
    else:
        above = []
    body, footer = _footed("\n\n".join([part.body.strip(), *(["\n".join(above)] if above else [])]), part.footer)
    before, last = _last(body, _SHORT_BODY)
    shown = tuple(choice.model_copy(update={"description": None}) for choice in _titled(choices, BUTTON_TITLE))
    return [*before, Buttons(body=last, choices=shown, footer=footer)]


def _menu(part: Menu) -> list[Part]:
    choices = distinct(part.choices)
    many = not 0 < len(choices) <= _ROWS
    if many or not part.body.strip() or any(not fits(choice.id, _ROW_ID) for choice in choices):
        return _numbered(part.body, choices, part.footer)
    rows = [_row(choice) for choice in choices]
    full = [_line(choice) for choice, row in zip(choices, rows, strict=True) if row.description is not None]
    whole = all(fits(row.description or "", _ROW_DESCRIPTION) for row in rows)
    body, footer = _footed("\n\n".join([part.body.strip(), *([] if whole else ["\n".join(full)])]), part.footer)
    before, last = _last(body, _MENU_BODY)
    opener = shortened(part.opener, BUTTON_TITLE) or _OPENER
    titles = _titled(tuple(rows), _ROW_TITLE)
    shown = tuple(
        row.model_copy(update={"description": shortened(row.description or "", _ROW_DESCRIPTION) or None})
        for row in titles
    )
    return [*before, Menu(body=last, opener=opener, choices=shown, footer=footer)]


def _row(choice: Choice) -> Choice:
    """Put the full title into the description, if the title will be cut."""
    words = [choice.title] if not fits(choice.title, _ROW_TITLE) else []
    words += [choice.description] if choice.description else []
    return choice.model_copy(update={"description": ": ".join(words) or None})


def distinct(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Choices with titles on one line, without empty ones and duplicates; a repeated id is changed."""
    kept: dict[str, Choice] = {}
    for choice in choices:
        title = " ".join(choice.title.split())
        description = " ".join((choice.description or "").split()) or None
        if not title or any(title == other.title and choice.id == other.id for other in kept.values()):
            continue
        name = choice.id.strip() or title
        while name in kept:
            name += "'"
        kept[name] = Choice(id=name, title=title, description=description)
    return tuple(kept.values())


def _titled(choices: tuple[Choice, ...], limit: int) -> tuple[Choice, ...]:
    """Titles within the limit and all different, because Meta refuses two equal ones."""
    taken: set[str] = set()
    titled = []
    for choice in choices:
        title, number = shortened(choice.title, limit), 1
        while title in taken:
            number += 1
            title = f"{shortened(choice.title, limit - len(f' ({number})'))} ({number})"
        taken.add(title)
        titled.append(choice.model_copy(update={"title": title}))
    return tuple(titled)


def _numbered(body: str, choices: tuple[Choice, ...], footer: str | None) -> list[Part]:
    lines = "\n".join(f"{number}. {_line(choice)}" for number, choice in enumerate(choices, 1))
    return _says("\n\n".join(words.strip() for words in (body, lines, footer or "") if words.strip()))


def _line(choice: Choice) -> str:
    return f"*{choice.title}*: {choice.description}" if choice.description else f"*{choice.title}*"


def _footed(body: str, footer: str | None) -> tuple[str, str | None]:
    """Move a footer that is too long to the end of the body."""
    words = " ".join((footer or "").split())
    return (body, words or None) if fits(words, _FOOTER) else (f"{body}\n\n{words}", None)


def _last(body: str, limit: int) -> tuple[list[Part], str]:
    """Split a body into texts to send before, and an end that fits the lower limit."""
    pieces = split(body, limit)
    if len(pieces) <= 1:
        return [], pieces[0] if pieces else ""
    return _says(body.strip()[: -len(pieces[-1])]), pieces[-1]
