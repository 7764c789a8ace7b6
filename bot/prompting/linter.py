"""Check of prompts, for commands, library and console: diagnostics, and the release if there is no error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from bot.ai.chat import tokens
from bot.prompting import business_profile, front_matter, knowledge_lock, lint_text
from bot.prompting.compiler import CompiledPart, compile_prompt
from bot.prompting.diagnostics import MOST_DIAGNOSTICS, Diagnostic, PromptsWrong, similar, suggestion
from bot.prompting.files import PromptFile, has_role_line, parse, read_folder
from bot.prompting.include_check import circular, include_diagnostics
from bot.prompting.prompts import Prompt, Prompts, defaults_of
from bot.prompting.template_language import TemplateLanguage
from bot.prompting.variable_check import variable_diagnostics
from bot.prompting.variables import REQUIRED, SAMPLES, known_to

_TOKENS = 8000
# Enough for the folder, its release, a candidate, and releases of turns under way.
_KEPT = 8
_MODEL = re.compile(r"^~?[\w.-]+/[\w.:@-]+$")


@dataclass(frozen=True, slots=True)
class PromptVocabulary:
    """Names that prompts may use: tools, WhatsApp templates, models with a known price. None: not checked."""

    tools: frozenset[str] | None = None
    templates: frozenset[str] | None = None
    models: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """`prompts` is None if there is an error."""

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


def check_folder(folder: Path, vocabulary: PromptVocabulary, knowledge: str | None = None) -> CheckedFolder:
    """Read and check a folder. Because editors open files by path, diagnostics name the folder too.

    `knowledge` is the lock of the documents that the release shall name.
    """
    texts, unread = read_folder(folder)
    checked = check(texts | ({knowledge_lock.FILE: knowledge} if knowledge else {}), vocabulary, unread)
    diagnostics = (
        replace(diagnostic, file=str(folder if diagnostic.file == "." else folder / diagnostic.file))
        for diagnostic in checked.diagnostics
    )
    return replace(checked, diagnostics=tuple(diagnostics))


def check(
    texts: Mapping[str, str], vocabulary: PromptVocabulary, unread: Iterable[Diagnostic] = (), *, released: bool = False
) -> CheckedFolder:
    """Check files; without an error among the diagnostics, the prompts are ready for rendering.

    `released` files passed the check before, maybe of an earlier version, and have to stay in use.
    """
    return _check(tuple(sorted(texts.items())), vocabulary, tuple(unread), released=released)


@lru_cache(_KEPT)
def _check(
    named: tuple[tuple[str, str], ...],
    vocabulary: PromptVocabulary,
    unread: tuple[Diagnostic, ...],
    *,
    released: bool,
) -> CheckedFolder:
    """Cached, because the same files are checked for each library, and compiling them takes most of a start."""
    texts = dict(named)
    language = TemplateLanguage()
    found = list(unread)
    prompts: dict[str, Prompt] = {}
    trees: dict[str, list[CompiledPart]] = {}
    parsed = [parse(name, text) for name, text in named if name != knowledge_lock.FILE]
    files = {file.name: file for file, _ in parsed}
    for file, wrong in parsed:
        typed, mistaken = front_matter.read(file)
        found += [*wrong, *mistaken, *lint_text.secrets(file), *lint_text.foreign_formatting(file)]
        prompt, unset = _prompt_with_defaults(file, typed, files)
        trees[file.name], broken = compile_prompt(prompt, language, released=released)
        found += [*unset, *broken, *_vocabulary_diagnostics(prompt, vocabulary), *_text_diagnostics(file)]
        prompts[file.name] = prompt
    found += [] if unread else _missing_files(prompts)
    if business_profile.FILE in files and not any(
        diagnostic.file == business_profile.FILE and diagnostic.is_error for diagnostic in found
    ):
        found += business_profile.profile_diagnostics(files[business_profile.FILE])
    found += islice(include_diagnostics(prompts, trees), MOST_DIAGNOSTICS)
    # Asked of the files, because a circle need not be among the diagnostics, whose number is limited.
    if not circular(trees):
        found += variable_diagnostics(prompts, trees)
    ready, unrendered = (
        _render(texts, prompts, trees, language) if not any(diagnostic.is_error for diagnostic in found) else (None, [])
    )
    return CheckedFolder(ready, tuple(sorted({*found, *unrendered})), texts)


def _prompt_with_defaults(
    file: PromptFile, typed: front_matter.FrontMatter, files: Mapping[str, PromptFile]
) -> tuple[Prompt, list[Diagnostic]]:
    try:
        return Prompt(file, typed, defaults_of(typed, files)), []
    except KeyError as error:
        place = file.place("inputs")
        message, fix = f"a default reads {error.args[0]!r}, which isn't in the folder", "name one of its files"
        return Prompt(file, typed, {}), [
            Diagnostic(file.name, *place, "unknown-include", message, fix, str(error.args[0]))
        ]


def _missing_files(prompts: Mapping[str, Prompt]) -> list[Diagnostic]:
    fix = "the service needs it; see the prompts that come with Recado"
    return [
        Diagnostic(".", 1, 1, "missing-file", f"{name} is missing", fix, name)
        for name in REQUIRED
        if name not in prompts
    ]


def _text_diagnostics(file: PromptFile) -> Iterator[Diagnostic]:
    if file.source and not file.body.strip() and file.name != business_profile.FILE:
        yield Diagnostic(file.name, file.body_line, 1, "empty-prompt", "has no text", "write it, or delete the file")
    if file.is_partial and has_role_line(file.body):
        number = next(number for number, line in enumerate(file.source.split("\n"), 1) if has_role_line(line))
        message, fix = "a partial has no parts: this line is text", "put the part where the file is included"
        yield Diagnostic(file.name, number, 1, "part-in-partial", message, fix)
    if not file.source.strip():
        yield Diagnostic(file.name, 1, 1, "empty-prompt", "is empty", "write it, or delete the file")


def _vocabulary_diagnostics(prompt: Prompt, vocabulary: PromptVocabulary) -> Iterator[Diagnostic]:
    file, typed = prompt.file, prompt.front_matter
    for number, model in enumerate(typed.model.ids):
        steps = ("model", "fallbacks", number - 1) if number or not typed.model.id else ("model", "id")
        if not _MODEL.match(model):
            fix = "write vendor/name, such as openai/gpt-4o-mini"
            yield Diagnostic(file.name, *file.place(*steps), "model-syntax", f"{model!r} is no model's id", fix, model)
        elif vocabulary.models is not None and model not in vocabulary.models:
            fix = "see OpenRouter's list of models; budgets count it as the dearest that is known"
            yield Diagnostic(
                file.name, *file.place(*steps), "unknown-model", f"the price of {model!r} isn't known", fix, model
            )
    tools, templates = vocabulary.tools, vocabulary.templates
    for number, name in enumerate(typed.tools or ()):
        if tools is not None and name not in tools:
            fix = suggestion(name, tools) or f"there are {', '.join(sorted(tools))}"
            message, place = f"{name!r} is no tool", file.place("tools", number)
            yield Diagnostic(file.name, *place, "unknown-tool", message, fix, name, similar(name, tools))
    for number, name in enumerate(typed.metadata.templates):
        if templates is not None and name not in templates:
            fix = suggestion(name, templates) or f"there are {', '.join(sorted(templates))}; see TEMPLATES_DIR"
            place = file.place("metadata", "templates", number)
            message, meant = f"{name!r} is no template", similar(name, templates)
            yield Diagnostic(file.name, *place, "unknown-template", message, fix, name, meant)
    if tools is not None:
        inputs = (input_.name for input_ in typed.inputs)
        yield from lint_text.unknown_names(file, {*tools, *(templates or ()), *SAMPLES[0], *inputs})


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
    included = {include.name for found in trees.values() for tree in found for include in tree.requirements.includes}
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
                found += _budget_diagnostics(prompt, tokens(rendered.text))
    return (None if any(diagnostic.is_error for diagnostic in found) else ready), found


def _budget_diagnostics(prompt: Prompt, count: int) -> Iterator[Diagnostic]:
    own = prompt.front_matter.metadata.max_tokens
    if count > (own or _TOKENS):
        place = prompt.file.place("metadata", "max_tokens") if own else (1, 1)
        fix = "shorten it, or raise metadata.max_tokens: every answer pays for it"
        message = f"takes about {count} tokens, {own or _TOKENS} allowed"
        yield Diagnostic(prompt.file.name, *place, "token-budget", message, fix, f"{count} > {own or _TOKENS} tokens")
