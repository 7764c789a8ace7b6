"""Messages of a turn: as few as can hold the text and the offers, without a repeated sentence."""

from __future__ import annotations

from bot.messages.outbound import AskLocation, Buttons, Choice, Part, Say, StoredFile, VoiceNote
from bot.messages.prompt_text import part_text
from bot.turns.reply import composed
from tests.rows import each

ASK = Buttons(body="¿Qué plan te interesa?", choices=(Choice(id="1", title="Básico"), Choice(id="2", title="Negocio")))
RECORDING = VoiceNote(file=StoredFile(key="hours.ogg", mime="audio/ogg"))


def bodies(parts: tuple[Part, ...]) -> list[str]:
    return [part.body if isinstance(part, Say | Buttons | AskLocation) else part.kind for part in parts]


@each(
    ("text", "offered", "said"),
    [
        ("Hola", (), ["Hola"]),
        ("👍", (), ["👍"]),
        ("", (), []),
        ("*Hola*", (), ["*Hola*"]),
        ("-", (ASK,), ["¿Qué plan te interesa?"]),
        ("", (ASK,), ["¿Qué plan te interesa?"]),
        ("¿Qué plan te interesa?", (ASK,), ["¿Qué plan te interesa?"]),
        ("¿que plan te interesa", (ASK,), ["¿que plan te interesa\n\n¿Qué plan te interesa?"]),
        ("¿Qué plan te interesa? Básico o Negocio.", (ASK,), ["Básico o Negocio.\n\n¿Qué plan te interesa?"]),
        ("Tenemos dos planes.", (ASK,), ["Tenemos dos planes.\n\n¿Qué plan te interesa?"]),
        ("Tenemos dos planes. ¿Qué plan te interesa?", (ASK,), ["Tenemos dos planes.\n\n¿Qué plan te interesa?"]),
        ("a" * 1020, (ASK,), ["a" * 1020, "¿Qué plan te interesa?"]),
        ("Aquí estamos.", (RECORDING,), ["Aquí estamos.", "voice_note"]),
        ("Claro.", (ASK, RECORDING), ["Claro.\n\n¿Qué plan te interesa?", "voice_note"]),
        ("- Básico: 10\n- Negocio: 20", (ASK,), ["- Básico: 10\n- Negocio: 20\n\n¿Qué plan te interesa?"]),
    ],
)
def test_text_and_offers_make_a_reply(text: str, offered: tuple[Part, ...], said: list[str]) -> None:
    assert bodies(composed(text, offered)) == said


def test_an_offer_is_remembered_with_its_choices() -> None:
    assert part_text(ASK) == "¿Qué plan te interesa?\n(to tap: Básico | Negocio)"
