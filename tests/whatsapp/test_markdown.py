"""A model's Markdown as WhatsApp draws it; addresses, names, code and plain text as they are."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.whatsapp.markdown import LONGEST, whatsapp
from tests.rows import each


@each(
    ("markdown", "drawn"),
    [
        ("**negritas** y más", "*negritas* y más"),
        ("__negritas__", "*negritas*"),
        ("***las dos***", "*_las dos_*"),
        ("_cursivas_ y *negritas*", "_cursivas_ y *negritas*"),
        ("~~antes~~ ahora", "~antes~ ahora"),
        ("dos **en** una **línea**", "dos *en* una *línea*"),
        ("2 ** 3 y 5 * 4 * 3", "2 ** 3 y 5 * 4 * 3"),
        ("nombre_de__archivo__x.pdf", "nombre_de__archivo__x.pdf"),
        ("# Horarios", "*Horarios*"),
        ("### **Horarios** ###", "*Horarios*"),
        ("#hashtag", "#hashtag"),
        ("* uno\n* dos", "- uno\n- dos"),
        ("+ uno\n  + uno y medio", "- uno\n  - uno y medio"),
        ("- uno\n1. dos", "- uno\n1. dos"),
        ("> cita", "> cita"),
        ("[la tienda](https://x.mx/a)", "la tienda: https://x.mx/a"),
        ("[https://x.mx](https://x.mx)", "https://x.mx"),
        ('[x](https://x.mx "título")', "x: https://x.mx"),
        ("[Oso](https://es.wikipedia.org/wiki/Oso_(animal))", "Oso: https://es.wikipedia.org/wiki/Oso_(animal)"),
        ("![foto](https://x.mx/a.jpg)", "foto: https://x.mx/a.jpg"),
        ("![](https://x.mx/a.jpg)", "https://x.mx/a.jpg"),
        ("[sin enlace] (y esto)", "[sin enlace] (y esto)"),
        ("uno\n\n---\n\ndos", "uno\n\ndos"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("a\r\nb", "a\nb"),
        ("  hola  ", "hola"),
        ("| Plan | Precio |\n|---|---:|\n| Básico | $349 |", "Plan | Precio\nBásico | $349"),
        ("`**código**`", "`**código**`"),
        ("```\n# no es título\n**ni negritas**\n```", "```\n# no es título\n**ni negritas**\n```"),
        ("```\nsin **cerrar**", "```\nsin **cerrar**"),
        ("precio: $1,899.00 (IVA incl.) 100%", "precio: $1,899.00 (IVA incl.) 100%"),
        ("", ""),
        ("\n \n", ""),
        # Nothing changes in an address, an e-mail address, code or a name.
        ("https://recado.example/__v2__/catalogo.pdf", "https://recado.example/__v2__/catalogo.pdf"),
        ("recado.example/__v2__/a**b**", "recado.example/__v2__/a*b*"),
        ("https://x.mx/~~a~~/?q=**b**", "https://x.mx/~a~/?q=*b*"),
        ("https://x.mx/?a=1&copy;b&lt;c", "https://x.mx/?a=1&copy;b&lt;c"),
        ("www.x.mx/__a__ y (https://x.mx/a_(b_)_c)", "www.x.mx/__a__ y (https://x.mx/a_(b_)_c)"),
        ("Ve **https://x.mx/a_b_** ya", "Ve https://x.mx/a_b_ ya"),
        ("<https://x.mx/a_b> y `<https://x.mx>`", "https://x.mx/a_b y `<https://x.mx>`"),
        ("hola_ventas_@recado.example, __a__@x.mx", "hola_ventas_@recado.example, __a__@x.mx"),
        (
            "__init__.py, `__x__`, obj.__dict__ y src/__tests__/a.js",
            "__init__.py, `__x__`, obj.__dict__ y src/__tests__/a.js",
        ),
        ("Falta __init__ en el módulo", "Falta __init__ en el módulo"),
        ("snake_case_name, *args y **kwargs, *.py y *.md", "snake_case_name, *args y **kwargs, *.py y *.md"),
        ("C:\\_datos\\*.txt y \\\\servidor\\x", "C:\\_datos\\*.txt y \\\\servidor\\x"),
        ("``a`b`` y ` a `", "``a`b`` y ` a `"),
        ("2*3*4 = 24, 2**3**2, 5 > 3, <3", "2*3*4 = 24, 2**3**2, 5 > 3, <3"),
        ("+ IVA", "- IVA"),
        ("$100\n+ IVA\n+ envío", "$100\n+ IVA\n+ envío"),
        (">5 kg: gratis\n1.5 kg: $20", ">5 kg: gratis\n1.5 kg: $20"),
        ("Total:\n   $100\n      $20", "Total:\n   $100\n      $20"),
        ("👍 $199 #1 @ana 100% «sí» ¡ya! 1-2 3/4", "👍 $199 #1 @ana 100% «sí» ¡ya! 1-2 3/4"),
        # Escapes are undone, but in code.
        ("hola\\_ventas@recado.example", "hola_ventas@recado.example"),
        ("\\$199, 1\\. uno, \\*no\\*, `\\_`", "$199, 1. uno, *no*, `\\_`"),
        ("https://x.mx/a\\_b", "https://x.mx/a_b"),
        ("AT&amp;T &lt;3&nbsp;x `&amp;`", "AT&T <3\xa0x `&amp;`"),
        # Marks within marks, over lines, at the edge of words.
        ("El *total con **IVA** incluido* es", "El _total con *IVA* incluido_ es"),
        ("**a *b* c** y _a **b** c_", "*a _b_ c* y _a *b* c_"),
        ("**a __b__ c** y ~~**a**~~", "*a b c* y ~*a*~"),
        ("*negrita* _cursiva_ ~tachado~ ```mono```", "*negrita* _cursiva_ ~tachado~ ```mono```"),
        ("**uno\ndos**", "*uno*\n*dos*"),
        ("re**inicia** y **$100**MXN", "reinicia y $100MXN"),
        ("**Horario:**lunes", "*Horario:* lunes"),
        ("**sin cerrar y ~~así", "**sin cerrar y ~~así"),
        # Blocks.
        ("## Plan **Pro** y `x`", "*Plan Pro y `x`*"),
        ("# [la tienda](https://x.mx)", "la tienda: https://x.mx"),
        ("Uno\n---\ndos", "Uno\ndos"),
        ("1. **Uno**\n   * a\n   * b\n10. dos", "1. *Uno*\n   - a\n   - b\n10. dos"),
        ("* uno\n\n  más\n* dos\nsigue", "- uno\n\n  más\n- dos\nsigue"),
        ("- [ ] falta\n- [x] hecho\n1) a", "- [ ] falta\n- [x] hecho\n1) a"),
        ("> **a**\n> b\n> - c", "> *a*\n> b\n> - c"),
        ("-", "-"),
        ("```python\nx = __a__\n\n\n\ny\n```\n**z**", "```\nx = __a__\n\n\n\ny\n```\n*z*"),
        ("~~~\n**x**\n~~~", "```\n**x**\n```"),
        ("- a\n  ```js\n  **x**\n  ```", "- a\n  ```\n  **x**\n  ```"),
        ("a  \nb\\\nc", "a\nb\nc"),
        ("a | b\n--- | ---\n**1** | 2\\|3", "a | b\n*1* | 2|3"),
        ("| sin | tabla |", "| sin | tabla |"),
        # Links, images, HTML.
        ("[https://banco.mx](https://evil.mx)", "https://banco.mx: https://evil.mx"),
        ("[x.mx](https://x.mx/)", "https://x.mx/"),
        ("[Llama](tel:+525512345678), [a@x.mx](mailto:a@x.mx)", "Llama: +525512345678, a@x.mx"),
        ("[**Ver** más](https://x.mx/a_b_c)", "*Ver* más: https://x.mx/a_b_c"),
        ("[aquí](#abc) [x][1]\n\n[1]: https://x.mx", "aquí [x][1]\n\n[1]: https://x.mx"),
        ("a<br>b <b>c</b> <i>d</i> <s>e</s> <nombre> <!-- f -->", "a\nb *c* _d_ ~e~ <nombre>"),
        ('<a href="https://x.mx/?a=1&amp;b=2">aquí</a>', "https://x.mx/?a=1&b=2 aquí"),
    ],
)
def test_markdown_becomes_what_whatsapp_draws(markdown: str, drawn: str) -> None:
    assert whatsapp(markdown) == drawn


@pytest.mark.parametrize("markdown", ["**negritas**\n- uno\n* dos", "# Título\n\n[x](https://x.mx)", "~~a~~ `b`"])
def test_what_is_drawn_already_stays_as_it_is(markdown: str) -> None:
    assert whatsapp(whatsapp(markdown)) == whatsapp(markdown)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab1 .\n*_~`-#|[]()é"), max_size=60))
def test_no_letter_is_lost_by_drawing(text: str) -> None:
    assert re.sub(r"[^a-zé1]", "", whatsapp(text)) == re.sub(r"[^a-zé1]", "", text)


PLAIN = "ab1 .,;:!?¿¡$%()/'\"=@\náé😀"


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.text(st.sampled_from(PLAIN), max_size=80))
def test_a_text_without_any_markdown_comes_out_unchanged(text: str) -> None:
    # But for what nobody sees: spaces at the end of a line, more than one empty line.
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    assert whatsapp(text) == re.sub(r"\n{3,}", "\n\n", lines).strip()


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.sampled_from(["https://recado.example/", "www.x.mx/", "tienda.mx/"]),
    st.text(st.sampled_from("ab1_-~./&="), max_size=20),
    st.sampled_from(
        ["{}", "Ve a {} hoy", "**{}**", "({})", "[x]({})", "_{}_ y **b**", "- {}\n- b", "| {} | b |\n|---|---|"]
    ),
)
def test_no_address_changes_in_any_surroundings(start: str, rest: str, around: str) -> None:
    address = f"{start}{rest}x"
    assert address in whatsapp(around.format(address))


PIECES = (
    "[a](", "*", "_", "`", "[", "<", "> ", "![", "a**", "**a", "*a ", "[a]", "](", "\\", "&a;", "- ", "  - a\n",
    "* a\n  ", "|-|-\n", "a|b\n-|-\n", "~~a", "<a href=", "<!--", "```\n", "# ", "\n>", "*a_", "**a*b", "``a", "[[]]",
    "[a](<", "+ a\n", "> - a\n", "https://a/(", "a.", "a@", "a__", "__a", "C:\\", "**a:**b", "<br>", "a\n",
)  # fmt: skip


@each("piece", PIECES)
def test_no_answer_takes_longer_than_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        started = time.thread_time()
        whatsapp(text)
        return time.thread_time() - started

    # A quadratic scan takes 64 times as long each time; a busy machine makes a single look wrong.
    assert any(seconds(LONGEST // 2) < 24 * max(seconds(LONGEST // 16), 0.001) for _ in range(8))


def test_a_text_that_is_longer_than_any_answer_leaves_as_it_is_written() -> None:
    text = "**a** " * LONGEST
    assert whatsapp(text) == text.strip()
