"""Which pages an answer may name: those that the operators, the tools or earlier answers named, and none besides."""

from __future__ import annotations

import pytest

from bot.pages import without_strange

KNOWN = "- Página: https://recado.example, tienda.mx/ofertas y https://pay.stripe.example/c/cs_1#fid"
SAME = [
    "Entra a https://recado.example/precios?x=1.",
    "Está en www.recado.example, o en recado.example/ayuda",
    "Mira tienda.mx/ofertas/hoy y *tienda.mx*",
    "Paga aquí: https://pay.stripe.example/c/cs_1#fid",
    "Escribe a hola@correo.com, S.A. de C.V., a las 9.30 y 1.499,00.",
    "Listo.Gracias por esperar, etc.",
    "Son 3.es decir tres; a las 9.30 a.m. o p.m., S.A.P.I. de C.V., etc.Si quieres, seguimos",
    "Archivo factura.pdf y lista.xlsx",
]
STRANGE = [
    ("Gana en https://evil.example/premio.", "Gana en [?]."),
    ("https://recado.example@evil.example/ y https://recado.example.evil.com", "[?] y [?]"),
    ("Visita *evil.com* o evil.com/x, o bit.ly/abc", "Visita *[?]* o [?], o [?]"),
    ("www.evil.example!", "[?]!"),
    ("Paga en pagos-seguros.lat, evil.co, t3st.ru o EVIL.TOP", "Paga en [?], [?], [?] o [?]"),
    ("HTTPS://EVIL.EXAMPLE", "[?]"),
    ("https://tienda.mx/ofertas2", "[?]"),
    ("https://recado.example:8443/x", "[?]"),
    ("https://evil.example:99999/", "[?]"),
]


@pytest.mark.parametrize("text", SAME)
def test_what_is_vouched_for_or_is_no_page_stays(text: str) -> None:
    assert without_strange(text, KNOWN, "[?]") == text


@pytest.mark.parametrize(("text", "left"), STRANGE)
def test_a_page_that_nobody_named_is_not_named(text: str, left: str) -> None:
    assert without_strange(text, KNOWN, "[?]") == left
