"""Compilation of a file's templates, with errors in an operator's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from jinja2 import TemplateSyntaxError, nodes

from bot.prompting.diagnostics import Diagnostic, column_of
from bot.prompting.files import PromptFile, PromptPart
from bot.prompting.prompts import Prompt
from bot.prompting.template_ast import TemplateRequirements, constants, requirements_of
from bot.prompting.template_language import NotAllowed, TemplateLanguage, UnknownFilter


class CompiledPart(NamedTuple):
    """Part of a file, and the values and includes that the part needs."""

    part: PromptPart
    requirements: TemplateRequirements


def compile_prompt(
    prompt: Prompt, language: TemplateLanguage, *, released: bool = False
) -> tuple[list[CompiledPart], list[Diagnostic]]:
    """Compile the parts of a file; gives them with the diagnostics. `released` files may lose text, as before."""
    trees: list[CompiledPart] = []
    found: list[Diagnostic] = []
    for unit, part in prompt.units:
        try:
            tree = language.read(part.source)
            requirements = requirements_of(tree)
            found += [] if released else _lost_text(prompt.file, part, tree, language)
            # Because compiling finds errors too, it happens here, once.
            language.add(unit, tree)
        except TemplateSyntaxError as error:
            found.append(_syntax_diagnostic(prompt.file, part, error, language))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            message = f"is too deeply nested ({type(error).__name__})"
            found.append(Diagnostic(prompt.file.name, part.line, 1, "template-syntax", message, "write it more simply"))
        else:
            trees.append(CompiledPart(part, requirements))
    return trees, found


def _lost_text(
    file: PromptFile, part: PromptPart, tree: nodes.Template, language: TemplateLanguage
) -> Iterator[Diagnostic]:
    """Diagnostics of text that is a template's syntax by accident: braces or comments that rendering would drop."""
    for at in sorted({*constants(tree)}):
        line = part.line + at - 1
        shown = [(found.start() + 1, found[0]) for found in _CONSTANT.finditer(file.line(line))]
        for column, words in shown or [(_tag_column(file, line), "what stands between {{ and }}")]:
            message = f"{words} would lose its braces: it asks for no value"
            yield Diagnostic(file.name, line, column, "template-syntax", message, _RAW, words)
    for at, kind, value in language.lex(part.source):
        if kind == "comment" and value.strip() and not value[0].isspace():
            line = part.line + at - 1
            column = column_of(file.line(line), f"{{#{value[:1]}", "{#")
            yield Diagnostic(file.name, line, column, "template-syntax", "{#… would vanish as a comment", _RAW_COMMENT)


# Braces whose content begins with anything but a name.
_CONSTANT = re.compile(r"\{\{[-+]?\s*(?:[^\sA-Za-z_}][^}]{0,40}|(?:true|false|none)\s*)\}\}", re.IGNORECASE)
_RAW = "write a value's name, or put {% raw %} before and {% endraw %} after it to keep it as written"
_RAW_COMMENT = "put {% raw %} before and {% endraw %} after it, or a space behind {# where it is a comment"


def _syntax_diagnostic(
    file: PromptFile, part: PromptPart, error: TemplateSyntaxError, language: TemplateLanguage
) -> Diagnostic:
    line, message = part.line + error.lineno - 1, error.message or "can't be understood"
    if isinstance(error, NotAllowed):
        fix = "prompts know {{ value }}, {% if %}, {% for %}, {% include %} and filters"
        return Diagnostic(
            file.name, line, _tag_column(file, line), "not-allowed", f"{message} isn't part of prompts", fix
        )
    if isinstance(error, UnknownFilter):
        name = message.split("'")[1]
        return Diagnostic(file.name, line, column_of(file.line(line), name), "unknown-filter", message, about=name)
    if len(file.parts) > 1 and not file.is_partial and _can_parse(file.body, language):
        start = next((following.line - 1 for following in file.parts if following.line > part.line), line)
        fix = "end the block before the part begins, and open it again in it"
        return Diagnostic(file.name, start, 1, "part-in-block", "a part can't begin inside a block", fix)
    if "comment" in message:
        return Diagnostic(
            file.name, line, column_of(file.line(line), "{#"), "unclosed-block", "{# isn't closed", _RAW_COMMENT
        )
    opened = _open_block(part.source, language)
    if opened is not None and "end" in message:
        at, tag = opened
        line, what = part.line + at - 1, f"{{% {tag} %}}" if tag else "{{"
        fix = f"write {{% end{tag} %}} after it" if tag else "write }} after it"
        column = column_of(file.line(line), *([f"{{% {tag}", f"{{%- {tag}"] if tag else ["{{", "{%", "{#"]))
        return Diagnostic(file.name, line, column, "unclosed-block", f"{what} isn't closed", fix, what)
    return Diagnostic(file.name, line, _tag_column(file, line), "template-syntax", message)


def _tag_column(file: PromptFile, line: int) -> int:
    return column_of(file.line(line), "{{", "{%", "{#")


def _can_parse(source: str, language: TemplateLanguage) -> bool:
    try:
        language.read(source)
    except (TemplateSyntaxError, ValueError, RecursionError):
        return False
    return True


def _open_block(source: str, language: TemplateLanguage) -> tuple[int, str] | None:
    """Innermost block that is never closed: its line in the source, and its name ("" for a value)."""
    stack: list[tuple[int, str]] = []
    waiting = False
    try:
        for line, kind, value in language.lex(source):
            if kind in ("variable_begin", "comment_begin"):
                stack.append((line, ""))
            elif kind in ("variable_end", "comment_end") and stack:
                stack.pop()
            elif waiting and kind == "name":
                if value.startswith("end") and stack:
                    stack.pop()
                elif value in ("if", "for"):
                    stack.append((line, value))
            waiting = kind == "block_begin" or (waiting and kind == "whitespace")
    except TemplateSyntaxError:
        pass
    return stack[-1] if stack else None
