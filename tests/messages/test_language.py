"""Which language somebody writes, by a few words and marks."""

import pytest

from bot.messages.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hola", "es"),
        ("buenas tardes", "es"),
        ("¿A qué hora abren mañana?", "es"),
        ("cuanto cuesta el plan basico", "es"),
        ("mañana", "es"),
        ("GRACIAS POR TODO", "es"),
        ("Hola, necesito help con my factura por favor", "es"),
        ("Hi", "en"),
        ("What time do you open tomorrow?", "en"),
        ("please send me the invoice", "en"),
        ("I'm Ana and I need help", "en"),
        ("THANK YOU", "en"),
        ("", None),
        ("👍", None),
        ("12345", None),
        ("ok", None),
        ("https://x.example/abc", None),
        ("Ana", None),
        ("me", None),
    ],
)
def test_the_language_of_a_text(text: str, language: str | None) -> None:
    assert language_of(text) == language
