"""The five e-mails in two languages, with all values and with only the necessary ones."""

import itertools
import re
from decimal import Decimal
from traceback import format_exception
from typing import Any

import pytest

from bot.infra.queues import JobRejected
from bot.integrations.email.jobs import mail_job
from bot.integrations.email.provider import address, display_name
from bot.integrations.email.rendering import EmailRenderer, RenderedEmail, duration, money
from bot.integrations.email.templates import TEMPLATES, Template
from bot.messages.language import Language
from tests.rows import each

URL = "https://recado.example/ver?a=1&b=2"
FULL: dict[Template, dict[str, Any]] = {
    "welcome": {"name": "Ana", "url": URL},
    "verify_email": {"name": "Ana", "code": "482915"},
    "password_reset": {"name": "Ana", "url": URL, "minutes": 60},
    "invoice_paid": {
        "name": "Ana", "number": "FAC-17", "amount": "1899.5", "currency": "mxn", "date": "2026-11-24", "url": URL,
    },
    "invoice": {
        "name": "Ana", "number": "FAC-17", "amount": "1899.5", "currency": "mxn", "date": "2026-11-24", "url": URL,
    },
    "trial_ending": {"name": "Ana", "date": "2026-12-01T09:00:00-06:00", "url": URL},
    "people_waiting": {"people": [{"who": "A. M. …78", "minutes": 25, "url": URL}], "count": 3, "url": URL},
}  # fmt: skip
BARE: dict[Template, dict[str, Any]] = {
    "welcome": {"name": "Ana"},
    "verify_email": {"code": "482915"},
    "password_reset": {"url": URL, "minutes": 45},
    "invoice_paid": {"number": 17, "amount": 1899.5, "currency": "USD", "date": "2026-11-24"},
    "invoice": {"number": 17, "amount": 1899.5, "currency": "USD", "date": "2026-11-24"},
    "trial_ending": {"date": "2026-12-01"},
    "people_waiting": {"people": [{"minutes": 60}], "count": 1},
}
SAID: dict[tuple[Template, Language], tuple[str, ...]] = {
    ("welcome", "es"): ("Te damos la bienvenida", "Recado Demo"),
    ("welcome", "en"): ("Welcome", "Recado Demo"),
    ("verify_email", "es"): ("482915", "tu código"),
    ("verify_email", "en"): ("482915", "your code"),
    ("password_reset", "es"): ("contraseña", URL),
    ("password_reset", "en"): ("password", URL),
    ("invoice_paid", "es"): ("17", "$1,899.50", "24 de noviembre de 2026"),
    ("invoice_paid", "en"): ("17", "$1,899.50", "November 24, 2026"),
    ("invoice", "es"): ("Tu factura", "17", "$1,899.50", "24 de noviembre de 2026"),
    ("invoice", "en"): ("Your invoice", "17", "$1,899.50", "November 24, 2026"),
    ("trial_ending", "es"): ("1 de diciembre de 2026",),
    ("trial_ending", "en"): ("December 1, 2026",),
    ("people_waiting", "es"): ("desde hace",),
    ("people_waiting", "en"): ("for ",),
}
LANGUAGES: tuple[Language, ...] = ("es", "en")


def written(
    template: Template, data: dict[str, Any], language: Language, business: str = "Recado Demo"
) -> RenderedEmail:
    _, content = mail_job({"to": "ana@cliente.example", "template": template, "data": data})
    return EmailRenderer().render(template, content, language, business)


@each("business", ["Recado Demo", ""])
@each("table", [FULL, BARE], ids=["full", "bare"])
@each(("template", "language"), list(itertools.product(TEMPLATES, LANGUAGES)))
def test_an_email_says_what_it_is_for(
    template: Template, language: Language, table: dict[Template, dict[str, Any]], business: str
) -> None:
    rendered = written(template, table[template], language, business)
    assert 5 < len(rendered.subject) < 80
    assert "\n" not in rendered.subject
    for said in SAID[template, language]:
        if said != "Recado Demo" or business:
            assert said.lower() in f"{rendered.subject}\n{rendered.text}".lower()
            assert said.replace("&", "&amp;").lower() in rendered.html.lower()
    for body in (rendered.text, rendered.html):
        assert "None" not in body
        assert not re.search(r"\{\{|\{%|  ,| :", re.sub(r"<style>.*?</style>", "", body, flags=re.DOTALL))
    assert not re.search(r"\n\n\n", rendered.text)
    assert f'lang="{language}"' in rendered.html
    assert "src=" not in rendered.html
    links = {URL.replace("&", "&amp;")} if "url" in table[template] else set()
    assert set(re.findall(r'href="([^"]*)"', rendered.html)) == links


def test_a_name_is_text_and_never_markup_nor_an_advertisement() -> None:
    assert "&lt;b&gt;" not in written("welcome", {"name": "Ana & Co"}, "es").html
    assert "Ana &amp; Co" in written("welcome", {"name": "Ana & Co"}, "es").html
    assert "Hola, Ana & Co:" in written("welcome", {"name": "Ana & Co"}, "es").text
    assert "Hola, {{ 7*7 }}:" in written("welcome", {"name": "{{ 7*7 }}"}, "es").text
    for advert in ("<b>Ana</b>", "gana en premio.example", "https://x", "a@b"):
        rendered = written("verify_email", {"name": advert, "code": "482915"}, "es")
        assert rendered.text.startswith("Hola:"), advert


@each(
    ("amount", "currency", "said"),
    [
        ("1899", "MXN", "$1,899.00 MXN"),
        ("0.5", "USD", "$0.50 USD"),
        ("1234567.891", "EUR", "1,234,567.89 EUR"),
        ("1500", "CLP", "1,500 CLP"),
    ],
)
def test_money_is_written_as_people_read_it(amount: str, currency: str, said: str) -> None:
    assert money(Decimal(amount), currency) == said


@each(
    ("minutes", "language", "said"),
    [
        (1, "es", "1 minuto"),
        (45, "en", "45 minutes"),
        (60, "es", "1 hora"),
        (1440, "en", "1 day"),
        (2880, "es", "2 días"),
    ],
)
def test_a_span_is_written_in_its_largest_unit(minutes: int, language: Language, said: str) -> None:
    assert duration(minutes, language) == said


GOOD = {"to": "ana@cliente.example", "template": "welcome", "data": {"name": "Ana"}}


@each(
    ("job", "told"),
    [
        (None, "data: Input should be a valid dictionary"),
        ({}, "to: Field required; template: Field required; data: Field required"),
        (GOOD | {"to": "ana"}, "to: is not an e-mail address"),
        (GOOD | {"to": ["ana@cliente.example"]}, "to: Input should be a valid string"),
        (GOOD | {"to": "ana@cliente.example\r\nBcc: x@y.example"}, "to: is not an e-mail address"),
        (GOOD | {"template": "birthday"}, "template: Input should be 'welcome'"),
        (GOOD | {"language": "klingon"}, "language: String should match"),
        (GOOD | {"data": []}, "data: Input should be a valid dictionary"),
        (GOOD | {"data": {}}, "data.name: Field required"),
        (GOOD | {"data": {"name": "x" * 101}}, "data.name: String should have at most 100"),
        (GOOD | {"data": {"name": "Ana", "age": 7}}, "data.age: Extra inputs are not permitted"),
        (GOOD | {"data": {"name": "Ana", "secret words of ana": 7}}, "a field: Extra inputs are not permitted"),
        (GOOD | {"data": {"name": "Ana", "url": "javascript:alert(1)"}}, "data.url"),
        (GOOD | {"data": {"name": "Ana", "url": f"https://x.example/{'x' * 2100}"}}, "data.url"),
        (GOOD | {"data": {"name": "Ana", "url": "https://ana:hunter2@x.example/"}}, "data.url"),
        (GOOD | {"template": "verify_email", "data": {"code": "<1>"}}, "data.code: String should match"),
        (GOOD | {"template": "password_reset", "data": {"url": URL, "minutes": 0}}, "data.minutes"),
        (GOOD | {"template": "trial_ending", "data": {"date": "mañana"}}, "data.date: expected a date such as"),
        (GOOD | {"template": "trial_ending", "data": {"date": 1795500000}}, "data.date: expected a date such as"),
        (GOOD | {"template": "invoice_paid", "data": BARE["invoice_paid"] | {"amount": "NaN"}}, "data.amount"),
        (GOOD | {"template": "invoice_paid", "data": BARE["invoice_paid"] | {"amount": -1}}, "data.amount"),
        (GOOD | {"template": "invoice_paid", "data": BARE["invoice_paid"] | {"currency": "peso"}}, "data.currency"),
        (GOOD | {"template": "invoice_paid", "data": BARE["invoice_paid"] | {"number": "1\nBcc: x"}}, "data.number"),
        (GOOD | {"attachments": [{"file": "a", "filename": "../a", "mime": "a/b"}]}, "attachments.0.filename"),
        (GOOD | {"attachments": [{"file": "a", "filename": "a", "mime": "a/b\r\nX: y"}]}, "attachments.0.mime"),
    ],
)
def test_wrong_data_is_told_by_field_and_without_its_values(job: Any, told: str) -> None:
    with pytest.raises(JobRejected) as raised:
        mail_job(job)
    assert told in str(raised.value)
    for value in ("hunter2", "javascript", "secret words", "cliente", "mañana", "birthday"):
        assert value not in "".join(format_exception(raised.value))


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (" Ana@Cliente.EXAMPLE ", "Ana@cliente.example"),
        ("ana.m+x@piñata.example", "ana.m+x@xn--piata-pta.example"),
    ],
)
def test_an_address_is_taken_as_carriers_take_it(given: str, taken: str) -> None:
    assert address(given) == taken


@each(
    "given",
    ["", "@", "ana", "ana@", "@x.example", "ana@localhost", "a b@x.example", "ana@x..example", ".ana@x.example",
     "ñandú@x.example", "ana@-x.example", "ana@x.example,leo@x.example", "Ana <ana@x.example>", f"{'a' * 65}@x.example",
     f"ana@{'a' * 64}.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        address(given)


def test_a_sender_s_name_is_one_short_line() -> None:
    assert display_name("Café\r\nBcc: x\x00 y\u202e") == "Café Bcc: x y"
    assert len(display_name("x" * 500)) == 60
