"""An answer names only pages that the operators, the tools or earlier answers named."""

from __future__ import annotations

import time

from bot.messages.links import without_unverified
from tests.rows import each

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
    # A file's name in a sentence is no page, though the ending is a country's or a registry's.
    "Instala Node.js y abre respaldo.gz",
    "Usa ASP.NET 8, VB.NET o asp.net",
    "Abre README.md, app.py, respaldo.zip, FOTOS.ZIP, clip.mov e install.sh; index.html, a.tar.gz, video.mp4",
    "Falla en main.py:12, en v1.2.zip y en copia.final.zip",
    # Abbreviations, numbers, sentences without a space between them.
    "S.A.de C.V., E.U.A., e.g. esto, i.e. lo otro, Sr./Sra., a.m./p.m., km/h, y/o",
    "Son 10.am, 5.kg, 3.5.mx, 1.000.000, 10.5/20, 192.168.0.1, 10.0.0.0/8 y v1.2.3.4",
    "Abrimos mañana.De nada. CERRAMOS HOY.NO FALTES. Hola.Soy Ana. Gracias.Total: $5. Listo.Gracias",
    "Espera...¿sí? https:// y www. y http: y //",
    # An e-mail address is none, nor is an address that leads nowhere.
    "Escribe a juan.perez@evil.mx, ANA@EVIL.COM o a_b@sub.evil.com.",
    "servidor.local/x, mi.casita/x",
    "En HTTPS://RECADO.EXAMPLE/Precios, ｗww.recado.example y tienda．mx/ofertas/x",
    "sub.recado.example, https://recado.example/a(b)c",
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
    # Bare names with a path, a port, a question; countries, registries, letters of other scripts.
    ("Ve a evil.com/pay, bit.ly/x?y=1, evil.mx y evil.com:8080.", "Ve a [?], [?], [?] y [?]."),
    ("evil.com?x=1#y evil.com/ t.me/x x.com 8888.top", "[?] [?] [?] [?] [?]"),
    ("evil.loan, evil.men; evil.click! bbva.com.mx", "[?], [?]; [?]! [?]"),
    ("evil.py/pago evil.zip/pago evil.md?x=1 asp.net/x", "[?] [?] [?] [?]"),
    ("Abre bbva.com.zip", "Abre [?]"),
    ("Evil.Mx EVIL.MX Evil.Com", "[?] [?] [?]"),
    ("xn--80ak6aa92e.com пример.рф evil.xn--p1ai niño.mx", "[?] [?] [?] [?]"),
    # Letters that look alike, that are wide, that nobody sees.
    ("еvil.com evil．com evil。com/x ｅｖｉｌ.ｃｏｍ 𝐞𝐯𝐢𝐥.com", "[?] [?] [?] [?] [?]"),
    ("ev\u200bil.com evil\u2060.\u00adcom evil\ufe0f.com e\u0301vil.com", "[?] [?] [?] [?]"),
    ("https：//evil.com https:／／evil.com/x", "[?] [?]"),
    # As people write them who don't want to be found.
    ("hxxp://evil.com/x hxxps[:]//evil[.]com evil(.)mx/a", "[?] hxxps[:]//[?] [?]"),
    ("ftp://evil.com http:\\\\evil.com https:/evil.com //evil.com/x", "[?] [?] https:/[?] //[?]"),
    # Addresses in figures.
    ("http://203.0.113.5/x 203.0.113.5/pay 203.0.113.5:8080", "[?] [?] [?]"),
    ("https://[2001:db8::1]/x http://3232235777 https://evil", "[?] [?] [?]"),
    # Marks, brackets, quotes and words that touch.
    ("*evil*.com y ~evil~.mx/x", "*[?] y ~[?]"),
    ("*evil.com* _evil.com_ ~evil.com~ (evil.com) «evil.com»", "*[?]* _[?]_ ~[?]~ ([?]) «[?]»"),
    ("evil.com,otro.mx Espera...evil.com Espera…evil.com…", "[?],[?] Espera...[?] Espera…[?]…"),
    ("evil.com.Gracias evil.com-ya evil.com_promo -evil.com", "[?].Gracias [?]-ya [?]_promo [?]"),
    # A known page does not verify a page that only looks like it.
    ("tienda.mx/ofertas2 tienda.mx.evil.com http://pay.stripe.example/c/cs_1/x", "[?] [?] [?]"),
    ("https://tienda.mx:8443/ofertas https://x@tienda.mx/ofertas", "[?] [?]"),
]
PIECES = (
    "a",
    "_",
    "a.",
    "a_",
    "-",
    "@",
    "a@",
    ".",
    "https://",
    "1.1.",
    "[.]",
    "a[.]",
    "evil.com ",
    "é",
    "\u200b",
    "a/",
    "evil.mx/",
)


@each("text", SAME)
def test_what_is_vouched_for_or_is_no_page_stays(text: str) -> None:
    assert without_unverified(text, KNOWN, "[?]") == text


@each(("text", "left"), STRANGE)
def test_a_page_that_nobody_named_is_not_named(text: str, left: str) -> None:
    assert without_unverified(text, KNOWN, "[?]") == left


@each("piece", PIECES)
def test_no_text_is_looked_through_longer_than_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        started = time.thread_time()
        without_unverified(text, KNOWN, "")
        without_unverified("evil.com", text, "")
        return time.thread_time() - started

    # A quadratic scan takes 64 times as long each time; a busy machine makes a single look wrong.
    assert any(seconds(64_000) < 24 * max(seconds(8_000), 0.002) for _ in range(8))
