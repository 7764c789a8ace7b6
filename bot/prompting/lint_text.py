"""Checks of a prompt's text: secrets, formatting that WhatsApp doesn't show, unknown names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from bot.prompting.diagnostics import Diagnostic
from bot.prompting.files import PromptFile

_SECRETS = {
    "a key of Stripe": r"\b[sr]k_(?:live|test)_\w{8,}",
    "a signing secret": r"\bwhsec_[\w+/=]{8,}",
    "a token of Meta": r"\bEAA[A-Za-z0-9]{16,}",
    "a key of OpenRouter or OpenAI": r"\bsk-[\w-]{16,}",
    "a key of SendGrid": r"\bSG\.[\w-]{8,}\.[\w-]{8,}",
    "a key of Amazon": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a key of Google": r"\bAIza[\w-]{30,}",
    "a token of GitHub or Slack": r"\b(?:gh[pousr]_\w{20,}|xox[abps]-[\w-]{10,})",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a password in an address": r"\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]+:[^\s/@]+@",
}
SECRET = re.compile("|".join(f"(?P<s{number}>{pattern})" for number, pattern in enumerate(_SECRETS.values())))
_SECRET_NAMES = tuple(_SECRETS)

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+\S", re.MULTILINE)
_MARKS = (
    (re.compile(r"\*\*(?=\S)(?:(?!\*\*)[^\n])+(?<=\S)\*\*"), "**bold**", "write *bold* with one star on each side"),
    (re.compile(r"!?\[[^\[\]\n]++\]\([^\[)\s]++\)"), "a [link](…)", "write the address itself"),
    (re.compile(r"^[ \t]*\|.+\|[ \t]*$", re.MULTILINE), "a table", "write a list, one line an entry"),
)
_NAME = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")
_LONGEST_QUOTE = 40
_MORE = "WhatsApp doesn't draw it and the model may imitate it"


def secrets(file: PromptFile) -> Iterator[Diagnostic]:
    for found in SECRET.finditer(file.source):
        kind = _SECRET_NAMES[int((found.lastgroup or "s0")[1:])]
        fix = "take it out, and change it where it came from: who reads prompts or answers could use it"
        yield Diagnostic(file.name, *_place(file.source, 1, found.start()), "secret-in-text", f"holds {kind}", fix)


def foreign_formatting(file: PromptFile) -> Iterator[Diagnostic]:
    """Find foreign formatting. Because models imitate examples and facts, only instructions may have headings."""
    if file.is_partial:
        yield from _formatting_in(file, file.body, file.body_line, headings=True)
    else:
        for part in file.parts:
            yield from _formatting_in(file, part.source, part.line, headings=part.role == "assistant")


def _formatting_in(file: PromptFile, text: str, line: int, *, headings: bool) -> Iterator[Diagnostic]:
    # Because a prompt quotes wrong formatting as code, and WhatsApp leaves code alone, code is skipped.
    text = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
    for pattern, what, fix in (
        *_MARKS,
        *([(_HEADING, "a # heading", "write *the title* on a line")] if headings else ()),
    ):
        for found in pattern.finditer(text):
            start = found.start() + len(found[0]) - len(found[0].lstrip())
            message, about = f"{what}: {_MORE}", found[0].strip()[:_LONGEST_QUOTE]
            yield Diagnostic(file.name, *_place(text, line, start), "whatsapp-format", message, fix, about)


def unknown_names(file: PromptFile, known: Collection[str]) -> Iterator[Diagnostic]:
    """Find names in backticks that look like a tool's and are none, because the model would call them."""
    for found in _NAME.finditer(file.body):
        if found[1] not in known:
            place = _place(file.body, file.body_line, found.start(1))
            message = f"`{found[1]}` is no tool, template or value"
            yield Diagnostic(
                file.name, *place, "unknown-name", message, "see `recado doctor --tools` for the tools' names", found[1]
            )


def _place(text: str, line: int, at: int) -> tuple[int, int]:
    return line + text.count("\n", 0, at), at - text.rfind("\n", 0, at)
