"""Check of prompts, for commands, library and console: diagnostics, and the release if there is no error."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from bot.ai.chat import tokens
from bot.prompting import business_profile, front_matter, lint_text
from bot.prompting.compiler import CompiledPart, compiled
from bot.prompting.diagnostics import Diagnostic, PromptsWrong, column_of
from bot.prompting.files import PromptFile, PromptPart, has_role_line, parse, read_folder
from bot.prompting.prompts import Prompt, Prompts, defaults_of
from bot.prompting.template_ast import VariableUse
from bot.prompting.template_language import TemplateLanguage
from bot.prompting.variables import LANGUAGES, REQUIRED, SAMPLES, fields_of, known_to

_TOKENS = 8000
# Because each diagnostic costs a search for its place and for similar names, one file gets no more of them.
_MOST_DIAGNOSTICS = 100
_MODEL = re.compile(r"^~?[\w.-]+/[\w.:@-]+$")

# File, part, and the value that the part uses.
_Asked = tuple[str, PromptPart, VariableUse]


@dataclass(frozen=True, slots=True)
class PromptVocabulary:
    """Names that prompts may use: tools, WhatsApp templates, models with a known price. None: not checked."""

    tools: Collection[str] | None = None
    templates: Collection[str] | None = None
    models: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """`prompts` is None where there is an error."""

    prompts: Prompts | None
    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.is_error)

    def release(self) -> Prompts:
        """Prompts without errors; raises PromptsWrong with the errors."""
        if self.prompts is None:
            raise PromptsWrong(self.diagnostics)
        return self.prompts


def check_folder(folder: Path, vocabulary: PromptVocabulary) -> CheckedFolder:
    """Read and check a folder. Because editors open files by path, diagnostics name the folder too."""
    texts, unread = read_folder(folder)
    checked = check(texts, vocabulary, unread)
    diagnostics = (
        replace(one, file=str(folder if one.file == "." else folder / one.file)) for one in checked.diagnostics
    )
    return replace(checked, diagnostics=tuple(diagnostics))


def check(
    texts: Mapping[str, str], vocabulary: PromptVocabulary, unread: Iterable[Diagnostic] = (), *, released: bool = False
) -> CheckedFolder:
    """Check files; without an error among the diagnostics, the prompts are ready for rendering.

    `released` files passed the check before, maybe of an earlier version, and have to stay in use.
    """
    language = TemplateLanguage()
    unread = list(unread)
    found = list(unread)
    prompts: dict[str, Prompt] = {}
    trees: dict[str, list[CompiledPart]] = {}
    parsed = [parse(name, text) for name, text in sorted(texts.items())]
    files = {file.name: file for file, _ in parsed}
    for file, wrong in parsed:
        typed, mistaken = front_matter.read(file)
        found += [*wrong, *mistaken, *lint_text.secrets(file), *lint_text.marks(file)]
        prompt, unset = _prompt(file, typed, files)
        trees[file.name], broken = compiled(prompt, language, released=released)
        found += [*unset, *broken, *_vocabulary(prompt, vocabulary), *_partial(file)]
        prompts[file.name] = prompt
    found += [] if unread else _missing(prompts)
    if business_profile.FILE in files and not any(one.file == business_profile.FILE and one.is_error for one in found):
        found += business_profile.mistakes(files[business_profile.FILE])
    found += islice(_includes(prompts, trees), _MOST_DIAGNOSTICS)
    if not any(one.code == "circular-include" for one in found):
        found += _variables(prompts, trees)
    ready, unrendered = (
        _render(texts, prompts, trees, language) if not any(one.is_error for one in found) else (None, [])
    )
    return CheckedFolder(ready, tuple(sorted({*found, *unrendered})), texts)


def _prompt(
    file: PromptFile, typed: front_matter.FrontMatter, files: Mapping[str, PromptFile]
) -> tuple[Prompt, list[Diagnostic]]:
    try:
        return Prompt(file, typed, defaults_of(typed, files)), []
    except KeyError as error:
        place = file.place("inputs")
        message, fix = f"a default reads {error.args[0]!r}, which isn't in the folder", "name one of its files"
        return Prompt(file, typed, {}), [Diagnostic(file.name, *place, "unknown-include", message, fix)]


def _missing(prompts: Mapping[str, Prompt]) -> list[Diagnostic]:
    fix = "the service needs it; see the prompts that come with Recado"
    return [
        Diagnostic(".", 1, 1, "missing-file", f"{name} is missing", fix) for name in REQUIRED if name not in prompts
    ]


def _partial(file: PromptFile) -> Iterator[Diagnostic]:
    if file.source and not file.body.strip() and file.name != business_profile.FILE:
        yield Diagnostic(file.name, file.body_line, 1, "empty-prompt", "has no text", "write it, or delete the file")
    if file.is_partial and has_role_line(file.body):
        number = next(number for number, line in enumerate(file.source.split("\n"), 1) if has_role_line(line))
        message, fix = "a partial has no parts: this line is text", "put the part where the file is included"
        yield Diagnostic(file.name, number, 1, "part-in-partial", message, fix)
    if not file.source.strip():
        yield Diagnostic(file.name, 1, 1, "empty-prompt", "is empty", "write it, or delete the file")


# ---- values and includes


def _includes(prompts: Mapping[str, Prompt], trees: Mapping[str, list[CompiledPart]]) -> Iterator[Diagnostic]:
    circular = _circular(trees)
    for name, prompt in prompts.items():
        looked: set[str] = set()
        for part, one in ((tree.part, one) for tree in trees[name] for one in tree.asked.includes):
            if one.name in looked or len(looked) > _MOST_DIAGNOSTICS:
                continue
            looked.add(one.name)
            line = part.line + one.line - 1
            place = (name, line, column_of(prompt.file.line(line), one.name))
            if one.name not in prompts or not prompts[one.name].file.is_partial:
                fix = (
                    _suggestion(one.name, [name for name in prompts if name.startswith("_")])
                    or "write the name of a _file.md"
                )
                yield Diagnostic(
                    *place, "unknown-include", f"includes {one.name!r}, which is no partial of the folder", fix
                )
            elif {one.name, name} <= circular and (way := _include_path(one.name, name, trees)) is not None:
                circle = " → ".join((name, *way))
                fix = "take one of these includes out"
                yield Diagnostic(*place, "circular-include", f"includes itself: {circle}", fix)


def _circular(trees: Mapping[str, list[CompiledPart]]) -> set[str]:
    """Files left over after files without includes, and includes of those files, were removed repeatedly."""
    left = {
        name: {one.name for tree in found for one in tree.asked.includes} & trees.keys()
        for name, found in trees.items()
    }
    by: dict[str, set[str]] = {name: set() for name in trees}
    for name, inner in left.items():
        for one in inner:
            by[one].add(name)
    done = [name for name, inner in left.items() if not inner]
    for name in done:
        for outer in by[name]:
            left[outer].discard(name)
            if not left[outer]:
                done.append(outer)
    return left.keys() - set(done)


def _include_path(start: str, end: str, trees: Mapping[str, list[CompiledPart]]) -> tuple[str, ...] | None:
    """Shortest path of includes between two files, with both ends; None where there is none."""
    before: dict[str, str | None] = {start: None}
    pending = [start]
    for name in pending:
        if name == end:
            way: list[str] = []
            step: str | None = name
            while step is not None:
                way.insert(0, step)
                step = before[step]
            return tuple(way)
        for one in (one.name for tree in trees.get(name, ()) for one in tree.asked.includes):
            if one not in before:
                before[one] = name
                pending.append(one)
    return None


def _variables(prompts: Mapping[str, Prompt], trees: Mapping[str, list[CompiledPart]]) -> Iterator[Diagnostic]:
    included = {one.name for found in trees.values() for tree in found for one in tree.asked.includes}
    seen: dict[str, frozenset[_Asked]] = {}
    for name, prompt in prompts.items():
        if prompt.file.is_partial and name in included and name != business_profile.FILE:
            continue
        yield from islice(_variables_of(name, prompts, trees, seen), _MOST_DIAGNOSTICS)


def _variables_of(
    name: str,
    prompts: Mapping[str, Prompt],
    trees: Mapping[str, list[CompiledPart]],
    seen: dict[str, frozenset[_Asked]],
) -> Iterator[Diagnostic]:
    prompt = prompts[name]
    given = set(known_to(name))
    known = given | {one.name for one in prompt.front_matter.inputs}
    used = set()
    for file, part, use in sorted(_uses(name, prompts, trees, seen), key=_place_of):
        used.add(use.name)
        yield from _unknown(prompts[file].file, part.line + use.line - 1, use.name, use.field, name, known)
    for number, one in enumerate(prompt.front_matter.inputs):
        place = prompt.file.place(
            "inputs", number if isinstance(prompt.file.front_matter["inputs"], list) else one.name
        )
        if one.name not in given and one.default is None:
            message, fix = f"nobody gives {one.name!r}", f"give it a default, or use {', '.join(sorted(given))}"
            yield Diagnostic(name, *place, "missing-variable", message, fix)
        elif one.name not in used:
            yield Diagnostic(name, *place, "unused-variable", f"{one.name!r} isn't used", "use it, or delete it here")
    yield from _missing_languages(prompt, trees[name])


def _place_of(asked: _Asked) -> tuple[str, int, str, str]:
    name, part, use = asked
    return name, part.line + use.line, use.name, use.field or ""


def _uses(
    name: str,
    prompts: Mapping[str, Prompt],
    trees: Mapping[str, list[CompiledPart]],
    known: dict[str, frozenset[_Asked]],
) -> frozenset[_Asked]:
    """Values that a file and its includes use, but for names of surrounding loops.

    Because files that include each other twice make 2, 4, 8 … paths, each file is read once and then `known`.
    """
    pending = [name]
    while pending:
        one = pending[-1]
        inner = {
            include.name for tree in trees.get(one, ()) for include in tree.asked.includes if include.name in prompts
        }
        if later := [include for include in inner if include not in known]:
            pending += later
            continue
        known[one] = frozenset(_asked_by(pending.pop(), trees, known))
    return known[name]


def _asked_by(
    name: str, trees: Mapping[str, list[CompiledPart]], known: Mapping[str, frozenset[_Asked]]
) -> Iterator[_Asked]:
    for tree in trees.get(name, ()):
        yield from ((name, tree.part, use) for use in tree.asked.uses)
        for one in tree.asked.includes:
            yield from (asked for asked in known.get(one.name, ()) if asked[2].name not in one.bound)


def _unknown(  # noqa: PLR0913, PLR0917 - what is known of one use
    file: PromptFile, line: int, name: str, part: str | None, by: str, known: set[str]
) -> Iterator[Diagnostic]:
    column = column_of(file.line(line), name)
    if name not in known:
        where = f" to {by}, which includes this" if by != file.name else ""
        fix = _suggestion(name, known) or f"known are {', '.join(sorted(known))}"
        yield Diagnostic(file.name, line, column, "unknown-variable", f"unknown value {name!r}{where}", fix)
    elif part is not None and name in SAMPLES[0] and part not in fields_of(name):
        fields = fields_of(name)
        fix = f"it has {', '.join(fields)}" if fields else f"it is a text: write {{{{ {name} }}}}"
        yield Diagnostic(file.name, line, column, "unknown-variable", f"{name!r} has no {part!r}", fix)


def _missing_languages(prompt: Prompt, trees: list[CompiledPart]) -> Iterator[Diagnostic]:
    """Diagnostics of customers' languages for which the prompt has no text."""
    written = prompt.front_matter.metadata.languages
    file = prompt.file
    missing = [one for one in LANGUAGES if one not in written] if written else []
    if missing:
        message, fix = f"is written for {', '.join(written)}, not for {', '.join(missing)}", "add them, and their words"
        yield Diagnostic(file.name, *file.place("metadata", "languages"), "language-missing", message, fix)
    for part, choice in ((tree.part, choice) for tree in trees for choice in tree.asked.choices):
        line = part.line + choice.line - 1
        column = column_of(file.line(line), "language")
        never = [one for one in choice.languages if one not in LANGUAGES]
        untold = [one for one in LANGUAGES if one not in choice.languages]
        if never:
            message, fix = f"the language is never {never[0]!r}", f"it is one of {', '.join(LANGUAGES)}"
            yield Diagnostic(file.name, line, column, "language-missing", message, fix)
        elif untold and not choice.complete:
            message, fix = f"says nothing for {', '.join(untold)}", "add {% else %}, or {% elif language == … %}"
            yield Diagnostic(file.name, line, column, "language-missing", message, fix)


def _vocabulary(prompt: Prompt, vocabulary: PromptVocabulary) -> Iterator[Diagnostic]:
    file, typed = prompt.file, prompt.front_matter
    for number, model in enumerate(typed.model.ids):
        steps = ("model", "fallbacks", number - 1) if number or not typed.model.id else ("model", "id")
        if not _MODEL.match(model):
            fix = "write vendor/name, such as openai/gpt-4o-mini"
            yield Diagnostic(file.name, *file.place(*steps), "model-syntax", f"{model!r} is no model's id", fix)
        elif vocabulary.models is not None and model not in vocabulary.models:
            fix = "see OpenRouter's list of models; budgets count it as the dearest that is known"
            yield Diagnostic(
                file.name, *file.place(*steps), "unknown-model", f"the price of {model!r} isn't known", fix
            )
    tools, templates = vocabulary.tools, vocabulary.templates
    for number, name in enumerate(typed.tools or ()):
        if tools is not None and name not in tools:
            fix = _suggestion(name, tools) or f"there are {', '.join(sorted(tools))}"
            yield Diagnostic(file.name, *file.place("tools", number), "unknown-tool", f"{name!r} is no tool", fix)
    for number, name in enumerate(typed.metadata.templates):
        if templates is not None and name not in templates:
            fix = _suggestion(name, templates) or f"there are {', '.join(sorted(templates))}; see TEMPLATES_DIR"
            place = file.place("metadata", "templates", number)
            yield Diagnostic(file.name, *place, "unknown-template", f"{name!r} is no template", fix)
    if tools is not None:
        inputs = (one.name for one in typed.inputs)
        yield from lint_text.names(file, {*tools, *(templates or ()), *SAMPLES[0], *inputs})


def _suggestion(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known), 1)
    return f"did you mean {found[0]!r}?" if found else ""


# ---- rendering


def _render(
    texts: Mapping[str, str],
    prompts: Mapping[str, Prompt],
    trees: Mapping[str, list[CompiledPart]],
    language: TemplateLanguage,
) -> tuple[Prompts | None, list[Diagnostic]]:
    """Render each prompt with each sample, so that errors by a value show before a release."""
    try:
        ready = Prompts(texts, prompts, language)
    except PromptsWrong as error:
        return None, error.diagnostics
    included = {one.name for found in trees.values() for tree in found for one in tree.asked.includes}
    found: list[Diagnostic] = []
    for name, prompt in prompts.items():
        if prompt.file.is_partial and name in included:
            continue
        for sample in SAMPLES:
            try:
                rendered = ready.render(prompt.file.stem, {value: sample[value] for value in known_to(name)})
            except PromptsWrong as error:
                found += error.diagnostics
                break
            if sample is SAMPLES[0]:
                found += _budget(prompt, tokens(rendered.text))
    return (None if any(one.is_error for one in found) else ready), found


def _budget(prompt: Prompt, count: int) -> Iterator[Diagnostic]:
    own = prompt.front_matter.metadata.max_tokens
    if count > (own or _TOKENS):
        place = prompt.file.place("metadata", "max_tokens") if own else (1, 1)
        fix = "shorten it, or raise metadata.max_tokens: every answer pays for it"
        message = f"takes about {count} tokens, {own or _TOKENS} allowed"
        yield Diagnostic(prompt.file.name, *place, "token-budget", message, fix)
