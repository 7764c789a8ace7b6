"""Typed front matter of a prompt: the fields of Prompty 2 (microsoft/prompty) that Recado uses.

`parameters`, `type` and `maxOutputTokens` are Prompty's alternative spellings.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.infra.plain_yaml import is_nothing, typed
from bot.prompting.diagnostics import Diagnostic
from bot.prompting.files import PromptFile

Kind = Literal["string", "integer", "float", "number", "boolean", "array", "object", "list", "any"]
# Fields of Prompty that Recado accepts and doesn't use.
_UNUSED_FIELDS = ("displayName", "outputs", "outputSchema", "template", "version", "authors", "tags", "sample")
_DEFAULTS: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "float": (int, float), "number": (int, float),
    "boolean": bool, "array": list, "list": list, "object": dict,
}  # fmt: skip


class _FrontMatterModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True)


# Because YAML is read as text, only fields of numbers are converted.
_Number = BeforeValidator(typed)


class Options(_FrontMatterModel):
    temperature: Annotated[float | None, _Number] = Field(None, ge=0, le=2)
    max_tokens: Annotated[int | None, _Number] = Field(
        None, ge=1, validation_alias=AliasChoices("max_tokens", "maxOutputTokens")
    )


class Model(_FrontMatterModel):
    """Models to ask before those of the settings, in this order, and their options."""

    id: str | None = None
    fallbacks: tuple[str, ...] = ()
    options: Options = Field(Options(), validation_alias=AliasChoices("options", "parameters"))

    @property
    def ids(self) -> tuple[str, ...]:
        return (*([self.id] if self.id else []), *self.fallbacks)


class Input(_FrontMatterModel):
    """Variable of the body. `strict`: because a person wrote the value, it is inserted as one line without markup."""

    name: str
    kind: Kind = Field("string", validation_alias=AliasChoices("kind", "type"))
    description: str = ""
    default: Any = None
    strict: bool = False


class Metadata(_FrontMatterModel):
    """`max_tokens` limits the prompt itself; `languages` are the ones that it covers."""

    languages: tuple[str, ...] = ()
    max_tokens: Annotated[int | None, _Number] = Field(None, ge=1)
    templates: tuple[str, ...] = ()
    owner: str = ""
    evals: str = ""


def _normalised_model(value: Any) -> Any:
    if is_nothing(value):
        return {}
    return {"id": value} if isinstance(value, str) else value


def _normalised_inputs(value: Any) -> Any:
    """Inputs as a list; Prompty also allows a mapping from each name to a default or a description."""
    if is_nothing(value):
        return ()
    if not isinstance(value, dict):
        return [_typed_default(item) for item in value] if isinstance(value, list) else value
    return [
        _typed_default(
            {"name": name, **default}
            if isinstance(default, dict)
            else {"name": name, "default": default, "kind": "any"}
        )
        for name, default in value.items()
    ]


def _typed_default(item: Any) -> Any:
    """Convert the default of an input that isn't text."""
    if not isinstance(item, dict) or item.get("kind", item.get("type", "string")) == "string":
        return item
    return {**item, "default": typed(item["default"])} if "default" in item else item


def _normalised_names(value: Any) -> Any:
    """Names of a list that holds names, or mappings with a name."""
    if is_nothing(value):
        return None
    if not isinstance(value, list):
        return value
    return [item["name"] if isinstance(item, dict) and "name" in item else item for item in value]


class FrontMatter(_FrontMatterModel):
    name: str = ""
    description: str = ""
    model: Annotated[Model, BeforeValidator(_normalised_model)] = Model()
    inputs: Annotated[tuple[Input, ...], BeforeValidator(_normalised_inputs)] = ()
    tools: Annotated[tuple[str, ...] | None, BeforeValidator(_normalised_names)] = None
    metadata: Annotated[Metadata, BeforeValidator(lambda value: {} if is_nothing(value) else value)] = Metadata()


_KNOWN = (*FrontMatter.model_fields, *_UNUSED_FIELDS)


def read(file: PromptFile) -> tuple[FrontMatter, list[Diagnostic]]:
    """Typed front matter and its diagnostics; a wrong one gives an empty front matter."""
    if file.is_partial:
        return FrontMatter(), []
    found = list(_unknown_fields(file))
    try:
        front = FrontMatter.model_validate(dict(file.front_matter))
    except ValidationError as error:
        return FrontMatter(), [
            *found,
            *(_field_diagnostic(file, problem) for problem in error.errors(include_url=False)),
        ]
    return front, [*found, *_bad_inputs(file, front)]


def _unknown_fields(file: PromptFile) -> Iterator[Diagnostic]:
    for name in file.front_matter:
        if name not in _KNOWN and (near := get_close_matches(str(name), _KNOWN, 1)):
            yield Diagnostic(
                file.name,
                *file.place(str(name)),
                "unknown-field",
                f"{name!r} is no field",
                f"did you mean {near[0]!r}?",
                str(name),
                near[0],
            )


def _field_diagnostic(file: PromptFile, problem: Any) -> Diagnostic:
    steps = tuple(step for step in problem["loc"] if isinstance(step, (str, int)))
    place = file.place(*_written_steps(file, steps))
    where = ".".join(map(str, steps))
    words = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    expected = _EXPECTED.get(str(steps[0]), "")
    return Diagnostic(file.name, *place, "bad-field", f"{where}: {words}", expected, where)


_EXPECTED = {
    "model": "expected {id: vendor/name, fallbacks: [vendor/name], options: {temperature: 0.2, max_tokens: 400}}",
    "inputs": 'expected a list of {name: customer_name, kind: string, default: "", strict: true}',
    "tools": "expected a list of names such as [business_hours, talk_to_a_person]",
    "metadata": "expected {languages: [es, en], max_tokens: 2000, templates: [payment_reminder]}",
}  # fmt: skip


def _written_steps(file: PromptFile, steps: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Steps as the file writes them, because an input of a mapping is found by name, not by number."""
    if steps[:1] == ("inputs",) and len(steps) > 1 and isinstance(inputs := file.front_matter.get("inputs"), dict):
        return ("inputs", str(list(inputs)[int(steps[1])]), *steps[2:])
    return steps


def _bad_inputs(file: PromptFile, front: FrontMatter) -> Iterator[Diagnostic]:
    names = [input_.name for input_ in front.inputs]
    for number, input_ in enumerate(front.inputs):
        place = file.place(*_written_steps(file, ("inputs", number)))
        if not input_.name.isidentifier() or input_.name == "loop":
            fix = "use letters, digits and _, such as customer_name"
            yield Diagnostic(file.name, *place, "bad-field", f"inputs: {input_.name!r} is not a name", fix, input_.name)
        elif names.index(input_.name) != number:
            message, fix = f"inputs: {input_.name!r} is there twice", "delete one of them"
            yield Diagnostic(file.name, *place, "bad-field", message, fix, input_.name)
        elif input_.default is not None and not isinstance(input_.default, _DEFAULTS.get(input_.kind, object)):
            fix = f"expected a default of kind {input_.kind}"
            yield Diagnostic(
                file.name, *place, "bad-field", f"inputs: the default of {input_.name!r} is none", fix, input_.name
            )
