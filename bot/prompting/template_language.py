"""Language of prompt bodies: a safe subset of Jinja2 with values, conditions, loops, includes and filters.

Everything else is refused before compilation: calls, attributes of Python objects, definitions, and arithmetic that
could grow a text. Because steps are counted, each loop ends. Because the size of each value is measured before a filter
works on it, no single step is long. The same template with the same values takes the same steps, so a check that
passed stays valid.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from jinja2 import BaseLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.visitor import NodeTransformer

# Limits of one rendering: steps (rounds of loops, filters), and characters of the result and of each filtered value.
MOST_STEPS = 20_000
LONGEST_TEXT = 200_000
# Nodes of one template: a page of text has dozens; a template that compiles for seconds has tens of thousands.
MOST_NODES = 5_000
# Because huge numbers only take time, whole numbers are limited.
_LARGEST_NUMBER = 10**15
_MOST_DECIMALS = 15
_LONGEST_NUMBER = 40
# Because templates are checked with values of this size, longer values are cut.
LONGEST_VALUE = 20_000
# Second limit behind the steps; a usual prompt takes far less than a millisecond.
_SECONDS = 2.0

_STATEMENTS = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Include)
_EXPRESSIONS = (
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
    nodes.Add, nodes.Sub, nodes.Neg, nodes.Concat, nodes.Keyword,
)  # fmt: skip
ALLOWED = (*_STATEMENTS, *_EXPRESSIONS)
_LOOP = frozenset(("index", "index0", "revindex", "revindex0", "first", "last", "length"))
_FILTERS = ("capitalize", "count", "d", "default", "first", "int", "join", "last", "length", "list", "lower",
            "replace", "reverse", "round", "sort", "string", "title", "trim", "truncate", "unique", "upper",
            "wordcount")  # fmt: skip
_TESTS = ("defined", "undefined", "none", "string", "number", "mapping", "sequence", "true", "false", "in",
          "eq", "==", "equalto", "ne", "!=", "lt", "<", "lessthan", "le", "<=", "gt", ">", "greaterthan", "ge", ">=",
          "even", "odd")  # fmt: skip


class NotAllowed(TemplateSyntaxError):
    """A template uses syntax outside the language."""


class UnknownFilter(TemplateSyntaxError):
    """The template names an unknown filter or test."""


class PromptTooLarge(SecurityError):
    """A prompt would take too many steps or grow too long."""


@dataclass(slots=True)
class _Run:
    steps: int = 0
    size: int = 0
    until: float = field(default_factory=lambda: time.monotonic() + _SECONDS)

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise PromptTooLarge(f"takes more than {MOST_STEPS} steps")
        if time.monotonic() > self.until:
            raise PromptTooLarge(f"takes longer than {_SECONDS:.0f} seconds")

    def grow(self, text: str) -> None:
        self.size += len(text)
        if self.size > LONGEST_TEXT:
            raise PromptTooLarge(f"grows longer than {LONGEST_TEXT} characters")


_RUN: ContextVar[_Run] = ContextVar("prompt_run")


def measure(value: Any) -> int:
    """Count characters and entries of a value; raises PromptTooLarge beyond LONGEST_TEXT.

    Because a list may hold another a thousand times, its memory says nothing about its length.
    """
    weight, pending = 0, [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            weight += len(item)
        elif isinstance(item, Mapping):
            weight += len(item)
            pending += [*item.keys(), *item.values()] if weight <= LONGEST_TEXT else []
        elif isinstance(item, (list, tuple)):
            weight += len(item)
            pending += item if weight <= LONGEST_TEXT else ()
        elif isinstance(item, int) and not -_LARGEST_NUMBER <= item <= _LARGEST_NUMBER:
            raise PromptTooLarge("makes a number of more than 15 digits")
        if weight > LONGEST_TEXT:
            raise PromptTooLarge(f"makes something longer than {LONGEST_TEXT} characters")
    return weight


def _measured_filter(work: Callable[..., Any]) -> Callable[..., Any]:
    def filter_(value: Any, *arguments: Any, **options: Any) -> Any:
        _RUN.get().step()
        measure((value, arguments, options))
        result = work(value, *arguments, **options)
        result = list(result) if isinstance(result, Iterator) else result
        measure(result)
        return result

    return filter_


def _replace(value: Any, old: str, new: str) -> str:
    text, old, new = str(value), str(old), str(new)
    if len(text) + text.count(old) * max(len(new) - len(old), 0) > LONGEST_TEXT:
        raise PromptTooLarge(f"replace would grow longer than {LONGEST_TEXT} characters")
    return text.replace(old, new)


def _join(value: Any, between: str = "") -> str:
    pieces, between = [str(piece) for piece in value], str(between)
    if sum(map(len, pieces)) + len(between) * len(pieces) > LONGEST_TEXT:
        raise PromptTooLarge(f"join would grow longer than {LONGEST_TEXT} characters")
    return between.join(pieces)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Jinja's filter, limited to decimals that a number can have."""
    if not isinstance(precision, int) or not -_MOST_DECIMALS <= precision <= _MOST_DECIMALS:
        raise PromptTooLarge(f"round takes {-_MOST_DECIMALS} to {_MOST_DECIMALS} decimals")
    return FILTERS["round"](value, precision, method)


def _int(value: Any, default: int = 0, base: int = 10) -> Any:
    return default if isinstance(value, str) and len(value) > _LONGEST_NUMBER else FILTERS["int"](value, default, base)


def _concatenate(pieces: list[Any]) -> str:
    """Join the operands of ~, after `measure` has checked them."""
    return "".join(map(str, pieces))


def _default(value: Any, instead: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002 - Jinja's own way
    return instead if isinstance(value, Undefined) or (boolean and not value) else value


def _length(value: Any) -> int:
    return len(value)


def _first(value: Any) -> Any:
    return next(iter(value), "")


def _last(value: Any) -> Any:
    return next(reversed(list(value)), "")


def _truncate(value: Any, length: int = 255) -> str:
    text = str(value)
    return text if len(text) <= length else f"{text[: max(length - 1, 0)]}…"


_OWN_FILTERS: dict[str, Callable[..., Any]] = {
    "replace": _replace, "join": _join, "default": _default, "d": _default, "length": _length, "count": _length,
    "first": _first, "last": _last, "reverse": lambda value: value[::-1], "list": list, "string": str,
    "lower": lambda value: str(value).lower(), "upper": lambda value: str(value).upper(),
    "trim": lambda value: str(value).strip(), "title": lambda value: str(value).title(),
    "capitalize": lambda value: str(value).capitalize(), "wordcount": lambda value: len(str(value).split()),
    "sort": sorted, "unique": lambda value: list(dict.fromkeys(value)), "truncate": _truncate,
    "round": _round, "int": _int,
}  # fmt: skip
# Operators as filters, so that they are counted and measured too; no template can name them.
_OPERATORS: dict[str, Callable[..., Any]] = {"~": _concatenate, "[]": lambda value: value}


class _MeasuredLiterals(NodeTransformer):
    """Replace concatenations and literal lists by filters, so that their size is measured."""

    def visit_Concat(self, node: nodes.Concat, *args: Any, **options: Any) -> nodes.Node:  # noqa: N802 - Jinja's names
        self.generic_visit(node, *args, **options)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "~", node.lineno)

    def visit_List(self, node: nodes.List, *args: Any, **options: Any) -> nodes.Node:  # noqa: N802 - as above
        self.generic_visit(node, *args, **options)
        return _filter(node, "[]", node.lineno)

    def visit_Dict(self, node: nodes.Dict, *args: Any, **options: Any) -> nodes.Node:  # noqa: N802 - as above
        self.generic_visit(node, *args, **options)
        return _filter(node, "[]", node.lineno)

    def visit_Tuple(self, node: nodes.Tuple, *args: Any, **options: Any) -> nodes.Node:  # noqa: N802 - as above
        self.generic_visit(node, *args, **options)
        # Because the targets of a loop are a tuple too, those stay.
        return node if node.ctx == "store" else _filter(node, "[]", node.lineno)


def _filter(node: nodes.Expr, name: str, line: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=line)


_DESCRIPTIONS: dict[type[nodes.Node], str] = {
    nodes.Call: "calling something, such as name(…) or name.split()",
    nodes.Assign: "{% set %}", nodes.AssignBlock: "{% set %}", nodes.Macro: "{% macro %}",
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}", nodes.Import: "{% import %}", nodes.FromImport: "{% from %}",
    nodes.Extends: "{% extends %}", nodes.Block: "{% block %}", nodes.With: "{% with %}", nodes.Slice: "a slice [a:b]",
    nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%", nodes.Pow: "**",
}  # fmt: skip


class _CompiledTemplates(BaseLoader):
    """Loader of compiled templates; because there are no others, nothing is read from disk."""

    def __init__(self) -> None:
        self.templates: dict[str, Template] = {}

    def load(self, environment: Any, name: str, globals: Any = None) -> Template:  # noqa: A002, ARG002 - Jinja's names
        if name not in self.templates:
            raise TemplateNotFound(name)
        return self.templates[name]


class TemplateLanguage(ImmutableSandboxedEnvironment):
    """Sandbox in which a dot reads fields of mappings and of `loop`, and nothing of other objects."""

    def __init__(self) -> None:
        self._compiled_templates = _CompiledTemplates()
        super().__init__(
            loader=self._compiled_templates,
            undefined=StrictUndefined,
            # Because a prompt isn't HTML, nothing is escaped; texts of people are fenced where they are received.
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            # Because the optimizer would run expressions at compile time, it is off.
            optimized=False,
            cache_size=0,
        )
        self.globals.clear()
        self.intercepted_binops = frozenset("+-")
        self.finalize = _measured
        own = {name: _OWN_FILTERS.get(name, FILTERS[name]) for name in _FILTERS}
        self.filters = {name: _measured_filter(work) for name, work in (own | _OPERATORS).items()}
        self.tests = {name: TESTS[name] for name in _TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, LoopContext):
            return getattr(obj, argument) if argument in _LOOP else self.undefined(obj=obj, name=argument)
        if isinstance(obj, Mapping) or (isinstance(obj, (list, tuple, str)) and isinstance(argument, int)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _RUN.get().step()
        measure((left, right))
        return super().call_binop(context, operator, left, right)

    def read(self, source: str) -> nodes.Template:
        """Parse a template; raises TemplateSyntaxError, or NotAllowed for syntax outside the language."""
        tree = self.parse(source)
        for count, node in enumerate(_descendants(tree)):
            if count > MOST_NODES:
                raise NotAllowed(f"more than {MOST_NODES} pieces in one template", node.lineno)
            refused = None if isinstance(node, ALLOWED) else _DESCRIPTIONS.get(type(node), type(node).__name__.lower())
            if isinstance(node, nodes.For) and (node.recursive or node.test is not None):
                refused = "a loop with `if` or `recursive`"
            if isinstance(node, nodes.Include) and not (
                isinstance(node.template, nodes.Const) and isinstance(node.template.value, str)
            ):
                refused = "an include without the name of a file in quotes"
            if isinstance(node, nodes.Const) and isinstance(node.value, int) and abs(node.value) > _LARGEST_NUMBER:
                refused = "a number of more than 15 digits"
            if refused:
                raise NotAllowed(refused, node.lineno)
            if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
                raise UnknownFilter(f"{node.name!r} is no filter; there are {', '.join(_FILTERS)}", node.lineno)
            if isinstance(node, nodes.Test) and node.name not in self.tests:
                raise UnknownFilter(f"{node.name!r} is no test; there are {', '.join(_TESTS)}", node.lineno)
            if isinstance(node, nodes.For):
                node.body.insert(0, _step_marker(node.lineno))
        tree.body.insert(0, _step_marker(1))
        return tree

    def add(self, name: str, tree: nodes.Template) -> None:
        """Compile a template; others may include it by name."""
        code = self.compile(_MeasuredLiterals().visit(tree), name, name)
        self._compiled_templates.templates[name] = Template.from_code(self, code, {})

    def line_of(self, name: str, compiled: int) -> int:
        """Line of a template for a line of its compiled code."""
        return self._compiled_templates.templates[name].get_corresponding_lineno(compiled)

    def run(self, name: str, values: Mapping[str, Any]) -> str:
        """Render a template. Raises PromptTooLarge, and any exception of an expression."""
        template = self._compiled_templates.templates[name]
        run = _Run()
        before = _RUN.set(run)
        pieces: list[str] = []
        rendering = template.root_render_func(template.new_context(dict(values)))
        try:
            for piece in rendering:
                try:
                    run.grow(piece)
                    run.step()
                except PromptTooLarge as error:
                    # Because the traceback has to hold the template's line, the error is thrown into the template.
                    cast("Generator[str]", rendering).throw(error)
                pieces.append(piece)
        finally:
            _RUN.reset(before)
        return "".join(pieces)


def _step_marker(line: int) -> nodes.Output:
    """Empty output that begins each round and each template, so that `run` counts a step."""
    return nodes.Output([nodes.TemplateData("", lineno=line)], lineno=line)


def _measured(value: Any) -> Any:
    """Measure a value before it becomes text."""
    measure(value)
    return value


def _descendants(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in list(node.iter_child_nodes()):
        yield child
        yield from _descendants(child)
