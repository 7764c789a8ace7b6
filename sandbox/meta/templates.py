"""Message templates at Meta: creation, review, and checks of a message's values against its template."""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from sandbox.meta.errors import GraphRefusal, unknown_object
from sandbox.meta.validation import Component, TemplateUse

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FORBIDDEN_IN_TEXT = re.compile(r"[\n\t\r]| {5,}")
_LONGEST_BODY, _LONGEST_HEADER = 1024, 60
_UNJUDGED = {"score": "UNKNOWN", "date": 1_764_000_000}
_NOT_SENDING = {"PAUSED": 132015, "DISABLED": 132016}


class NewTemplate(BaseModel, frozen=True):
    """The body of a request that creates a template."""

    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$")
    language: str = Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")
    category: str = Field(pattern=r"^(UTILITY|MARKETING|AUTHENTICATION)$")
    parameter_format: str = Field(default="POSITIONAL", pattern=r"^(?i:named|positional)$")
    components: list[dict[str, Any]] = Field(min_length=1)


@dataclass(slots=True)
class Template:
    """A template in one language; `components` are Meta's JSON, `bid_spec` is its maximum price."""

    name: str
    language: str
    category: str
    components: list[dict[str, Any]]
    parameter_format: str = "NAMED"
    status: str = "APPROVED"
    id: str = field(default_factory=lambda: str(secrets.randbelow(9 * 10**14) + 10**14))
    bid_spec: dict[str, Any] | None = None

    def text_of(self, component: str) -> str:
        return next((str(part.get("text", "")) for part in self.components if part.get("type") == component), "")

    def variables(self, component: str) -> list[str]:
        """Names (or numbers) of the variables in the header or the body, in order, without repetition."""
        return list(dict.fromkeys(_VARIABLE.findall(self.text_of(component))))

    def as_json(self, fields: Iterable[str] = ()) -> dict[str, Any]:
        """The template as the Graph API shows it; `fields` restricts it to these and the id."""
        everything = {name: getattr(self, name) for name in self.__slots__} | {"quality_score": _UNJUDGED}
        if self.bid_spec is None:
            del everything["bid_spec"]
        wanted = set(fields) | {"id"}
        return {key: value for key, value in everything.items() if not fields or key in wanted}


def _seed(name: str, language: str, body: str) -> Template:
    examples = [{"param_name": variable, "example": "A-17"} for variable in _VARIABLE.findall(body)]
    return Template(
        name, language, "UTILITY", [{"type": "BODY", "text": body, "example": {"body_text_named_params": examples}}]
    )


def default_templates() -> list[Template]:
    """Three approved templates of the sandbox's company, in Spanish and English."""
    return [
        _seed("order_confirmation", "es", "Hola {{name}}, confirmamos tu pedido {{order}} por {{total}}. ¡Gracias!"),
        _seed("order_confirmation", "en", "Hi {{name}}, your order {{order}} for {{total}} is confirmed. Thank you!"),
        _seed(
            "payment_reminder", "es", "Hola {{name}}, tu pago de {{amount}} vence el {{date}}. Escríbenos con dudas."
        ),
        _seed(
            "payment_reminder", "en", "Hi {{name}}, your payment of {{amount}} is due on {{date}}. Any doubt, ask us."
        ),
        _seed(
            "shipping_update", "es", "Hola {{name}}, tu pedido {{order}} cambió a: {{status}}. Te avisaremos de más."
        ),
        _seed(
            "shipping_update", "en", "Hi {{name}}, your order {{order}} is now: {{status}}. We will keep you posted."
        ),
    ]


class Templates:
    """The templates of one account."""

    def __init__(self, known: Sequence[Template]) -> None:
        self._by_id = {template.id: template for template in known}

    def find(self, *, name: str | None = None, status: str | None = None) -> list[Template]:
        return [
            template
            for template in self._by_id.values()
            if name in (None, template.name) and status in (None, template.status)
        ]

    def get(self, template_id: str) -> Template:
        if template_id not in self._by_id:
            raise unknown_object(template_id)
        return self._by_id[template_id]

    def add(self, template: Template) -> None:
        """Add a template that Meta has reviewed already."""
        self._by_id[template.id] = template

    def create(self, body: Any) -> Template:
        """Create a template that waits for its review; raises GraphRefusal if Meta refuses it immediately."""
        try:
            new = NewTemplate.model_validate(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise GraphRefusal(100, f"Param {first['loc']}: {first['msg']}") from error
        if any(template.language == new.language for template in self.find(name=new.name)):
            raise GraphRefusal(100, "There is already content in this language for this template", subcode=2388024)
        template = Template(
            new.name, new.language, new.category, new.components, new.parameter_format.upper(), "PENDING"
        )
        _check_body(template)
        self.add(template)
        return template

    def edit(self, template_id: str, body: Any) -> Template:
        """Replace the components of a reviewed template, which goes back into review."""
        template = self.get(template_id)
        if template.status not in {"APPROVED", "REJECTED", "PAUSED"} or not isinstance(body, dict):
            raise GraphRefusal(100, "Only a reviewed template can be edited")
        changed = Template(template.name, template.language, template.category, body.get("components", []))
        _check_body(changed)
        template.components, template.status = changed.components, "PENDING"
        return template

    def delete(self, name: str, template_id: str | None = None) -> None:
        """Delete all languages of the name, or only the template with the id."""
        doomed = [template.id for template in self.find(name=name) if template_id in (None, template.id)]
        if not doomed:
            raise unknown_object(name)
        for found in doomed:
            del self._by_id[found]

    def check(self, use: TemplateUse) -> Template:
        """The template that the message uses; raises GraphRefusal for values that Meta wouldn't send."""
        found = [t for t in self.find(name=use.name) if t.language == use.language.code]
        template = found[0] if found else None
        if template is not None and template.status in _NOT_SENDING:
            raise GraphRefusal(_NOT_SENDING[template.status], use.name)
        if template is None or template.status != "APPROVED":
            raise GraphRefusal(132001, f"template name ({use.name}) does not exist in {use.language.code}")
        for component in ("HEADER", "BODY"):
            _check_values(template, component, _parameters(use, component))
        return template


def rendered_text(template: Template, use: TemplateUse) -> str:
    """The text that the person reads."""
    parts = [_filled(template, name, _parameters(use, name)) for name in ("HEADER", "BODY", "FOOTER")]
    return "\n\n".join(part for part in parts if part)


def rendered_parts(template: Template, use: TemplateUse) -> dict[str, Any]:
    """The parts that the person sees: header (text or file), body, footer, buttons with their payloads."""
    parts = {name.lower(): _filled(template, name, _parameters(use, name)) for name in ("HEADER", "BODY", "FOOTER")}
    files = [given for given in _parameters(use, "HEADER") if given.get("type") in {"image", "video", "document"}]
    defined: list[dict[str, Any]] = next(
        (part.get("buttons", []) for part in template.components if part.get("type") == "BUTTONS"), []
    )
    values = {str(part.index): part.parameters for part in use.components if part.type == "button"}
    buttons = [_button(button, values.get(str(place), ())) for place, button in enumerate(defined)]
    return parts | {"file": files[0] if files else None, "buttons": buttons}


def _button(button: dict[str, Any], values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    value = values[0] if values else {}
    words = str(button.get("text", ""))
    shown = {"type": str(button.get("type", "")), "text": words}
    if shown["type"] == "URL":
        return shown | {"url": _VARIABLE.sub(str(value.get("text", "")), str(button.get("url", "")))}
    return shown | {"payload": str(value.get("payload") or words)}


def _check_body(template: Template) -> None:
    text = template.text_of("BODY").strip()
    if not text or len(text) > _LONGEST_BODY:
        raise GraphRefusal(100, f"The BODY needs 1 to {_LONGEST_BODY} characters of text", subcode=2388047)
    if _VARIABLE.match(text) or re.search(r"\{\{\s*\w+\s*\}\}\W?$", text):
        raise GraphRefusal(100, "Variables can't be at the start or end of the template", subcode=2388299)


def _parameters(use: TemplateUse, component: str) -> Sequence[dict[str, Any]]:
    given: list[Component] = [part for part in use.components if part.type == component.lower()]
    return given[0].parameters if given else ()


def _check_values(template: Template, component: str, parameters: Sequence[dict[str, Any]]) -> None:
    expected = template.variables(component)
    texts = [parameter for parameter in parameters if parameter.get("type") == "text"]
    if len(texts) != len(expected):
        raise GraphRefusal(132000, f"{component}: number of parameters is {len(texts)}, expected {len(expected)}")
    if template.parameter_format == "NAMED":
        names = [parameter.get("parameter_name") for parameter in texts]
        if sorted(map(str, names)) != sorted(expected):
            raise GraphRefusal(132000, f"{component}: expected parameter_name {', '.join(expected)}")
    for parameter in texts:
        value = parameter.get("text")
        if not isinstance(value, str) or not value.strip() or _FORBIDDEN_IN_TEXT.search(value):
            raise GraphRefusal(132018, "Param text may not be empty nor have new-line/tab characters or over 4 spaces")
    longest = _LONGEST_HEADER if component == "HEADER" else _LONGEST_BODY
    if len(_filled(template, component, parameters)) > longest:
        raise GraphRefusal(132005, f"{component} has more than {longest} characters")


def _filled(template: Template, component: str, parameters: Sequence[dict[str, Any]]) -> str:
    values = {
        str(parameter.get("parameter_name") or position): str(parameter.get("text", ""))
        for position, parameter in enumerate(parameters, start=1)
    }
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), template.text_of(component))
