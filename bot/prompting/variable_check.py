"""Check of variables: unknown, missing and unused values, and languages without a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from bot.prompting import business_profile
from bot.prompting.compiler import CompiledPart
from bot.prompting.diagnostics import MOST_DIAGNOSTICS, Diagnostic, column_of, similar, suggestion
from bot.prompting.files import PromptFile, PromptPart
from bot.prompting.prompts import Prompt
from bot.prompting.template_ast import VariableUse
from bot.prompting.variables import LANGUAGES, SAMPLES, fields_of, known_to

# File, part, and the value that the part uses.
_FileUse = tuple[str, PromptPart, VariableUse]


def variable_diagnostics(
    prompts: Mapping[str, Prompt], trees: Mapping[str, list[CompiledPart]]
) -> Iterator[Diagnostic]:
    included = {include.name for found in trees.values() for tree in found for include in tree.requirements.includes}
    seen: dict[str, frozenset[_FileUse]] = {}
    for name, prompt in prompts.items():
        if prompt.file.is_partial and name in included and name != business_profile.FILE:
            continue
        yield from islice(_variables_of(name, prompts, trees, seen), MOST_DIAGNOSTICS)


def _variables_of(
    name: str,
    prompts: Mapping[str, Prompt],
    trees: Mapping[str, list[CompiledPart]],
    seen: dict[str, frozenset[_FileUse]],
) -> Iterator[Diagnostic]:
    prompt = prompts[name]
    given = set(known_to(name))
    known = given | {input_.name for input_ in prompt.front_matter.inputs}
    used = set()
    for file, part, use in sorted(_uses(name, prompts, trees, seen), key=_place_of):
        used.add(use.name)
        yield from _unknown(prompts[file].file, part.line + use.line - 1, use, name, known)
    for number, input_ in enumerate(prompt.front_matter.inputs):
        place = prompt.file.place(
            "inputs", number if isinstance(prompt.file.front_matter["inputs"], list) else input_.name
        )
        if input_.name not in given and input_.default is None:
            message, fix = f"nobody gives {input_.name!r}", f"give it a default, or use {', '.join(sorted(given))}"
            yield Diagnostic(name, *place, "missing-variable", message, fix, input_.name)
        elif input_.name not in used:
            fix = "use it, or delete it here"
            yield Diagnostic(name, *place, "unused-variable", f"{input_.name!r} isn't used", fix, input_.name)
    yield from _missing_languages(prompt, trees[name])


def _place_of(file_use: _FileUse) -> tuple[str, int, str, str]:
    name, part, use = file_use
    return name, part.line + use.line, use.name, use.field or ""


def _uses(
    name: str,
    prompts: Mapping[str, Prompt],
    trees: Mapping[str, list[CompiledPart]],
    known: dict[str, frozenset[_FileUse]],
) -> frozenset[_FileUse]:
    """Values that a file and its includes use, but for names of surrounding loops.

    Because double includes make 2, 4, 8 … paths, each file is read once and then `known`.
    """
    pending = [name]
    while pending:
        current = pending[-1]
        inner = {
            include.name
            for tree in trees.get(current, ())
            for include in tree.requirements.includes
            if include.name in prompts
        }
        if later := [include for include in inner if include not in known]:
            pending += later
            continue
        known[current] = frozenset(_uses_in(pending.pop(), trees, known))
    return known[name]


def _uses_in(
    name: str, trees: Mapping[str, list[CompiledPart]], known: Mapping[str, frozenset[_FileUse]]
) -> Iterator[_FileUse]:
    for tree in trees.get(name, ()):
        yield from ((name, tree.part, use) for use in tree.requirements.uses)
        for include in tree.requirements.includes:
            yield from (inner for inner in known.get(include.name, ()) if inner[2].name not in include.bound)


def _unknown(file: PromptFile, line: int, use: VariableUse, by: str, known: set[str]) -> Iterator[Diagnostic]:
    """Diagnostic of a use in `file`, which the prompt `by` is, or includes."""
    name = use.name
    column = column_of(file.line(line), name)
    if name not in known:
        where = f" to {by}, which includes this" if by != file.name else ""
        fix = suggestion(name, known) or f"known are {', '.join(sorted(known))}"
        message, meant = f"unknown value {name!r}{where}", similar(name, known)
        yield Diagnostic(file.name, line, column, "unknown-variable", message, fix, name, meant)
    elif use.field is not None and name in SAMPLES[0] and use.field not in fields_of(name):
        fields = fields_of(name)
        fix = f"it has {', '.join(fields)}" if fields else f"it is a text: write {{{{ {name} }}}}"
        yield Diagnostic(
            file.name, line, column, "unknown-variable", f"{name!r} has no {use.field!r}", fix, f"{name}.{use.field}"
        )


def _missing_languages(prompt: Prompt, trees: list[CompiledPart]) -> Iterator[Diagnostic]:
    """Diagnostics of customers' languages for which the prompt has no text."""
    written = prompt.front_matter.metadata.languages
    file = prompt.file
    missing = [language for language in LANGUAGES if language not in written] if written else []
    if missing:
        message, fix = f"is written for {', '.join(written)}, not for {', '.join(missing)}", "add them, and their words"
        yield Diagnostic(
            file.name, *file.place("metadata", "languages"), "language-missing", message, fix, ", ".join(missing)
        )
    for part, choice in ((tree.part, choice) for tree in trees for choice in tree.requirements.choices):
        line = part.line + choice.line - 1
        column = column_of(file.line(line), "language")
        never = [language for language in choice.languages if language not in LANGUAGES]
        uncovered = [language for language in LANGUAGES if language not in choice.languages]
        if never:
            message, fix = f"the language is never {never[0]!r}", f"it is one of {', '.join(LANGUAGES)}"
            yield Diagnostic(file.name, line, column, "language-missing", message, fix, str(never[0]))
        elif uncovered and not choice.complete:
            message, fix = f"says nothing for {', '.join(uncovered)}", "add {% else %}, or {% elif language == … %}"
            yield Diagnostic(file.name, line, column, "language-missing", message, fix, ", ".join(uncovered))
