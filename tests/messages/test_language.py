"""The language of a text, by a few words and marks, and the language that a tag names."""

from typing import get_args

from bot.messages.language import Language, language_from, language_of
from tests.rows import each


@each(
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


@each(
    ("tag", "language"),
    [
        ("es", "es"),
        ("en", "en"),
        ("ES", "es"),
        ("es_MX", "es"),
        ("en-GB", "en"),
        ("es-419", "es"),
        ("pt_BR", None),
        # Estonian as ISO 639-2 writes it.
        ("est", None),
        ("", None),
        (None, None),
    ],
)
def test_a_tag_names_one_of_our_languages_or_the_default(tag: str | None, language: Language | None) -> None:
    assert language_from(tag, None) == language
    for default in get_args(Language):
        assert language_from(tag, default) == (language or default)
