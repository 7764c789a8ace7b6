"""Check of includes: missing partials and circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.prompting.compiler import CompiledPart
from bot.prompting.diagnostics import MOST_DIAGNOSTICS, Diagnostic, column_of, similar, suggestion
from bot.prompting.prompts import Prompt


def include_diagnostics(prompts: Mapping[str, Prompt], trees: Mapping[str, list[CompiledPart]]) -> Iterator[Diagnostic]:
    in_circles = circular(trees)
    for name, prompt in prompts.items():
        looked: set[str] = set()
        for part, include in ((tree.part, include) for tree in trees[name] for include in tree.requirements.includes):
            if include.name in looked or len(looked) > MOST_DIAGNOSTICS:
                continue
            looked.add(include.name)
            line = part.line + include.line - 1
            place = (name, line, column_of(prompt.file.line(line), include.name))
            if include.name not in prompts or not prompts[include.name].file.is_partial:
                partials = [name for name in prompts if name.startswith("_")]
                fix = suggestion(include.name, partials) or "write the name of a _file.md"
                message, meant = (
                    f"includes {include.name!r}, which is no partial of the folder",
                    similar(include.name, partials),
                )
                yield Diagnostic(*place, "unknown-include", message, fix, include.name, meant)
            elif {include.name, name} <= in_circles and (path := _include_path(include.name, name, trees)) is not None:
                circle = " → ".join((name, *path))
                fix = "take one of these includes out"
                yield Diagnostic(*place, "circular-include", f"includes itself: {circle}", fix, circle)


def circular(trees: Mapping[str, list[CompiledPart]]) -> set[str]:
    """Files left over after files without includes, and includes of those files, were removed repeatedly."""
    left = {
        name: {include.name for tree in found for include in tree.requirements.includes} & trees.keys()
        for name, found in trees.items()
    }
    by: dict[str, set[str]] = {name: set() for name in trees}
    for name, inner in left.items():
        for included in inner:
            by[included].add(name)
    done = [name for name, inner in left.items() if not inner]
    for name in done:
        for outer in by[name]:
            left[outer].discard(name)
            if not left[outer]:
                done.append(outer)
    return left.keys() - set(done)


def _include_path(start: str, end: str, trees: Mapping[str, list[CompiledPart]]) -> tuple[str, ...] | None:
    """Shortest path of includes between two files, with both ends; None if there is none."""
    before: dict[str, str | None] = {start: None}
    pending = [start]
    for name in pending:
        if name == end:
            path: list[str] = []
            step: str | None = name
            while step is not None:
                path.insert(0, step)
                step = before[step]
            return tuple(path)
        for included in (include.name for tree in trees.get(name, ()) for include in tree.requirements.includes):
            if included not in before:
                before[included] = name
                pending.append(included)
    return None
