"""Meta's rules for new templates: what is refused before it is asked for, and how the rest is asked for."""

from typing import Any

from bot.whatsapp.templates.rules import Button, Definition, Wording, create_body, problems
from sandbox.meta.templates import Templates
from tests.rows import each

GOOD: dict[str, Any] = {
    "header": "Pedido {{order}}",
    "body": "Hola {{name}}, tu pedido {{order}} ya salió de nuestra tienda.",
    "footer": "Responde si tienes dudas",
    "buttons": [{"type": "quick_reply", "text": "Gracias"}],
    "examples": {"name": "Ana", "order": "A-17"},
}
URL = {"type": "url", "text": "Ver", "url": "https://shop.example/o/{{1}}", "example": "https://shop.example/o/A-17"}
REPLY = {"type": "quick_reply", "text": "Sí"}
CALL = {"type": "phone_number", "text": "Llamar", "phone_number": "+525500000000"}
CODE = {"type": "copy_code", "example": "AHORRA10"}


def definition(name: str = "order_ready", language: str = "es_MX", **changes: Any) -> Definition:
    return Definition(name, language, "UTILITY", Wording.model_validate(GOOD | changes))


def buttons(*given: dict[str, str]) -> dict[str, Any]:
    return {"buttons": list(given)}


def numbered(kind: dict[str, str], count: int) -> list[dict[str, str]]:
    return [kind | {"text": f"{kind['text']} {number}"} for number in range(count)]


@each(
    "changes",
    [{}, buttons(URL, CALL, REPLY, CODE), buttons(*numbered(REPLY, 10)), {"header": "", "footer": "", "buttons": []}],
    ids=["all parts", "every button", "ten replies", "a body alone"],
)
def test_a_definition_within_the_rules_has_no_problem_and_meta_takes_it(changes: dict[str, Any]) -> None:
    good = definition(**changes)
    assert list(problems(good)) == []
    assert Templates([]).create(create_body(good)).status == "PENDING"


@each(
    ("changes", "place", "complaint"),
    [
        ({"name": "Order-Ready"}, ("name",), "small letters"),
        ({"language": "spanish"}, (), "no language of WhatsApp"),
        ({"header": "x" * 61}, ("header",), "at most 60"),
        ({"header": "Tu {{order}} de {{name}}"}, ("header",), "one variable only"),
        ({"header": "*Pedido* {{order}}"}, ("header",), "no formatting"),
        ({"footer": "Para {{name}} nada más"}, ("footer",), "no variable"),
        ({"footer": "x" * 61}, ("footer",), "at most 60"),
        ({"body": "Hola {{name}}, {{order}} " + "x" * 1024}, ("body",), "at most 1024"),
        ({"body": "{{name}}, tu pedido {{order}} ya salió de la tienda."}, ("body",), "begin or end"),
        ({"body": "Hola {{name}}, ya salió de la tienda tu pedido {{order}}."}, ("body",), "begin or end"),
        ({"body": "Hola {{name}} {{order}}, ya salió todo de la tienda."}, ("body",), "side by side"),
        ({"body": "Hola {{name}}, {{order}} salió"}, ("body",), "too many"),
        ({"body": "Hola {{name}}, tu pedido {{order} ya salió de la tienda."}, ("body",), "braces"),
        ({"body": "Hola {{Name}}, tu pedido {{order}} ya salió de la tienda."}, ("body",), "small letters"),
        ({"body": "Hola {{1}}, tu pedido {{order}} ya salió de la tienda."}, ("body",), "a letter first"),
        ({"footer": "Igual.", "body": "Igual.", "header": "", "examples": {}}, ("footer",), "same as the body"),
        ({"examples": {"name": "Ana"}}, ("examples",), "no example for {{order}}"),
        ({"examples": {"name": "Ana", "order": "1", "x": "y"}}, ("examples", "x"), "not there"),
        ({"examples": {"name": " ", "order": "1"}}, ("examples", "name"), "empty"),
        (buttons(*numbered(REPLY, 11)), ("buttons",), "at most 10"),
        (buttons(*numbered(URL, 3)), ("buttons",), "of type url"),
        (buttons(*numbered(CALL, 2)), ("buttons",), "of type phone_number"),
        (buttons(CODE, CODE), ("buttons",), "of type copy_code"),
        (buttons(REPLY, CALL, REPLY | {"text": "No"}), ("buttons",), "stand together"),
        (buttons(REPLY, REPLY), ("buttons", 0, "text"), "another button"),
        (buttons(REPLY | {"text": "x" * 26}), ("buttons", 0, "text"), "1 to 25"),
        (buttons(REPLY | {"text": ""}), ("buttons", 0, "text"), "1 to 25"),
        (buttons(CALL | {"phone_number": "55 1234"}), ("buttons", 0, "phone_number"), "+ and digits"),
        (buttons(URL | {"url": "shop.example"}), ("buttons", 0, "url"), "web address"),
        (buttons(URL | {"url": "https://shop.example/{{1}}/x"}), ("buttons", 0, "url"), "web address"),
        (buttons(URL | {"url": "https://wa.me/525500000000"}), ("buttons", 0, "url"), "wa.me"),
        (buttons(URL | {"example": "A-17"}), ("buttons", 0, "example"), "whole address"),
        (buttons(CODE | {"example": "x" * 16}), ("buttons", 0, "example"), "1 to 15"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(changes: dict[str, Any], place: tuple[Any, ...], complaint: str) -> None:
    found = [problem for problem in problems(definition(**changes)) if complaint in problem.words]
    assert [problem.place for problem in found][:1] == [place]


def test_a_review_is_asked_for_with_named_examples_as_meta_reads_them() -> None:
    body = create_body(definition(**buttons(REPLY, URL, CALL, CODE)))
    header, text, footer, row = body.pop("components")
    assert body == {
        "name": "order_ready", "language": "es_MX", "category": "UTILITY", "parameter_format": "NAMED",
    }  # fmt: skip
    assert header == {
        "type": "HEADER", "format": "TEXT", "text": "Pedido {{order}}",
        "example": {"header_text_named_params": [{"param_name": "order", "example": "A-17"}]},
    }  # fmt: skip
    assert text["example"] == {
        "body_text_named_params": [{"param_name": "name", "example": "Ana"}, {"param_name": "order", "example": "A-17"}]
    }
    assert footer == {"type": "FOOTER", "text": "Responde si tienes dudas"}
    assert row["buttons"] == [
        {"type": "QUICK_REPLY", "text": "Sí"},
        {"type": "URL", "text": "Ver", "url": URL["url"], "example": [URL["example"]]},
        {"type": "PHONE_NUMBER", "text": "Llamar", "phone_number": "+525500000000"},
        {"type": "COPY_CODE", "example": "AHORRA10"},
    ]


def test_a_text_without_variables_needs_no_examples() -> None:
    (body,) = create_body(Definition("x", "es", "UTILITY", Wording(body="Estamos de vuelta.")))["components"]
    assert body == {"type": "BODY", "text": "Estamos de vuelta."}
    assert Button.model_validate(REPLY).example == ""
