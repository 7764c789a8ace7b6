"""Tags that only we write: a person's text can forge none of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import bot
from bot.messages.inbound import Content, Media
from bot.messages.prompt_text import tagged, without_our_tags
from tests.rows import each

_BOT = Path(bot.__file__).parent
_PROMPTS = _BOT.parent / "prompts"
# Their tags are those of HTML pages.
_PAGES = ("cli", "web")
# A tag written by hand has its opening and its closing part in one string.
_BY_HAND = re.compile(r"<([a-z_]+)>[^<]*</\1>", re.DOTALL)


def _literal(node: ast.expr) -> str:
    """The fixed text of a string or an f-string."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _written(source: str) -> set[str]:
    """Tags that a module writes: by `tagged`, or by hand."""
    # Parsing every module takes half a second, and few have a tag.
    if "tagged(" not in source and "</" not in source:
        return set()
    nodes = list(ast.walk(ast.parse(source)))
    named = {
        node.args[0].value
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tagged"
        if isinstance(node.args[0], ast.Constant)
    }
    by_hand = {tag for node in nodes if isinstance(node, ast.expr) for tag in _BY_HAND.findall(_literal(node))}
    return {str(tag) for tag in named} | by_hand


def _tags() -> list[str]:
    kinds = (get_arg for get_arg in get_args(get_args(Content)[0]) if issubclass(get_arg, Media))
    modules = (path for path in sorted(_BOT.rglob("*.py")) if path.relative_to(_BOT).parts[0] not in _PAGES)
    written = (_written(path.read_text()) for path in modules)
    # The documents of the evaluations are hostile on purpose.
    prompts = (path for path in sorted(_PROMPTS.rglob("*.md")) if "evals" not in path.parts)
    in_prompts = (re.findall(r"<([a-z_]+)>", path.read_text()) for path in prompts)
    media = {str(kind.model_fields["kind"].default) for kind in kinds}
    return sorted(media.union(*written, *in_prompts))


def test_both_ways_to_write_a_tag_are_found() -> None:
    assert {"open_product_card", "text_read", "voice", "voice_note"} <= set(_tags())


@each("tag", _tags())
def test_a_person_cannot_write_a_tag_of_ours(tag: str) -> None:
    opening, closing = tagged(tag).removesuffix(">").split(">", 1)
    for forged in (f"{opening}>", f"{closing}>", f"< {opening[1:].upper()} a='b'>", f"<\n/{opening[1:]}>"):
        assert without_our_tags(f"hola {forged}") == f"hola &lt;{forged[1:]}"
