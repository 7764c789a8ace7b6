"""Analysis of a template's syntax tree: used values, includes, and branches by language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jinja2 import nodes

_BRACES = re.compile(r"[{}]|%|#")
_NOTHING_BOUND: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class VariableUse:
    """Use of a value, such as `customer_name`, or of a field, such as `business.name`."""

    name: str
    line: int
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Included:
    """Include; `bound` holds names of surrounding loops, which the included file may use too."""

    name: str
    line: int
    bound: frozenset[str]


@dataclass(frozen=True, slots=True)
class LanguageBranch:
    """`if` over the language: its languages, and whether there is an `else`."""

    languages: tuple[str, ...]
    complete: bool
    line: int


@dataclass(frozen=True, slots=True)
class TemplateRequirements:
    uses: tuple[VariableUse, ...]
    includes: tuple[Included, ...]
    choices: tuple[LanguageBranch, ...]


def requirements_of(tree: nodes.Template) -> TemplateRequirements:
    found = list(_walk(tree, _NOTHING_BOUND))
    return TemplateRequirements(
        tuple(requirement for requirement in found if isinstance(requirement, VariableUse)),
        tuple(requirement for requirement in found if isinstance(requirement, Included)),
        tuple(requirement for requirement in found if isinstance(requirement, LanguageBranch)),
    )


def constants(tree: nodes.Template) -> Iterator[int]:
    """Lines with braces around a constant, such as {{1}} or {{ "x" }}, because rendering would drop the braces.

    Constants that hold braces are no mistake, because Jinja writes braces so: {{ "{{" }}.
    """
    for output in tree.find_all(nodes.Output):
        for shown in output.nodes:
            braces = isinstance(shown, nodes.Const) and isinstance(shown.value, str) and _BRACES.search(shown.value)
            if not (isinstance(shown, (nodes.TemplateData, nodes.Name)) or braces or shown.find(nodes.Name)):
                yield shown.lineno


def _walk(node: nodes.Node, bound: frozenset[str]) -> Iterator[VariableUse | Included | LanguageBranch]:
    match node:
        case nodes.Name(name=whole):
            yield from _use(whole, None, node, bound)
        case (
            nodes.Getattr(node=nodes.Name(name=whole), attr=str(field))
            | nodes.Getitem(node=nodes.Name(name=whole), arg=nodes.Const(value=str(field)))
        ):
            yield from _use(whole, field, node, bound)
        case nodes.Include(template=nodes.Const(value=str(name))):
            yield Included(name, node.lineno, bound)
        case nodes.For():
            targets = (node.target, *node.target.find_all(nodes.Name))
            inside = bound | {target.name for target in targets if isinstance(target, nodes.Name)} | {"loop"}
            yield from _walk_all((node.iter, *node.else_), bound)
            yield from _walk_all(node.body, inside)
        case nodes.If():
            yield from _branch(node)
            branches = [child for branch in (node, *node.elif_) for child in (branch.test, *branch.body)]
            yield from _walk_all((*branches, *node.else_), bound)
        case _:
            yield from _walk_all(node.iter_child_nodes(), bound)


def _walk_all(
    several: Iterable[nodes.Node], bound: frozenset[str]
) -> Iterator[VariableUse | Included | LanguageBranch]:
    for node in several:
        yield from _walk(node, bound)


def _use(name: str, field: str | None, node: nodes.Node, bound: frozenset[str]) -> Iterator[VariableUse]:
    if name not in bound:
        yield VariableUse(name, node.lineno, field)


def _branch(node: nodes.If) -> Iterator[LanguageBranch]:
    """Branch of an `if` whose conditions all compare the language."""
    languages = [_language(test) for test in (node.test, *(branch.test for branch in node.elif_))]
    if all(languages):
        yield LanguageBranch(tuple(language for language in languages if language), bool(node.else_), node.lineno)


def _language(test: nodes.Node) -> str | None:
    match test:
        case nodes.Compare(
            expr=nodes.Name(name="language"), ops=[nodes.Operand(op="eq", expr=nodes.Const(value=str(language)))]
        ):
            return language
    return None
