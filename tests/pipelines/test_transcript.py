"""Invented words of Whisper are removed, and those of people are kept."""

import json
import sys

import pytest

from pipelines.transcript import RawTranscript, Segment, spoken_text
from tests.paths import ROOT
from tests.rows import each

LABELS = json.loads((ROOT / "fixtures" / "media" / "labels.json").read_text(encoding="utf-8"))


@each(
    "text",
    [
        "Subtítulos realizados por la comunidad de Amara.org",
        "Subtítulos por la comunidad de Amara.org",
        "¡Gracias por ver el vídeo!",
        "Gracias por ver este video. ¡Hasta la próxima!",
        "Thanks for watching!",
        "Thank you for watching. Please subscribe.",
        "¡Suscríbete al canal!",
        "Legendas pela comunidade Amara.org",
        "Sous-titres réalisés par la communauté d'Amara.org",
        "",
        "...",
        "♪♪",
        "cuánto cuesta, " * 40,
        "¡Muy bien! " * 8,
        "¡Muy bien! Muy bien. ¿Muy bien? MUY BIEN, muy bien… " * 3,
        "".join(f"Capítulo {number}. " for number in range(1, 30)),
        "Uno, dos, tres. " * 12,
        ", ".join(map(str, range(1, 60))),
        ", ".join(map(str, range(60, 1, -1))),
        "la " * 30,
        "La-la-" * 30,
        "a" * 200,
        "ja" * 100,
        "Y " * 500,
        "Gracias por llamar a la tienda, en un momento lo atienden. " * 5,
    ],
)
def test_what_whisper_makes_up_over_silence_is_left_out(text: str) -> None:
    assert spoken_text(RawTranscript(text)) == ""


@each(
    "text",
    [
        *(voice["text"] for voice in LABELS["voice"]),
        "Sí.",
        "No, no, no, no.",
        "Hola",
        "Gracias.",
        "50",
        "¿Tiene subtítulos en español la televisión?",
        "Gracias por ver el video que les mandé, me sigue fallando la lavadora.",
        "Quiero suscribirme al plan familiar.",
        "Uno, uno, dos, tres, tres, cuatro, cinco, cinco, seis, siete, ocho, ocho.",
        "Sí, sí, sí.",
        "¿Me escuchan? ¿Me escuchan? ¿Me escuchan? ¿Me escuchan?",
        "Muy bien, muy bien, muy bien.",
        "Mi teléfono es 55 55 00 00 12 34.",
        "La cuenta es 0 0 0 0 0 0 1 2 3 4 5 6 7 8 9 0 1 2.",
        "Uno, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez.",
        "Quiero mesa 1, mesa 2, mesa 3, mesa 4 y mesa 5.",
        "¡Noooooooo! Jajajajajajaja.",
        "Dos cajas de leche, tres cajas de huevo, dos cajas de pan, tres cajas de café.",
    ],
)
def test_what_people_say_is_kept(text: str) -> None:
    segment = Segment(text, no_speech=0.3, logprob=-0.6, compression=1.2)
    assert spoken_text(RawTranscript(text)) == text
    assert spoken_text(RawTranscript(text, segments=(segment,))) == text


@pytest.mark.parametrize(
    "segment",
    [
        Segment("Buenas noches", no_speech=0.8, logprob=-1.3),
        Segment("Gracias.", no_speech=0.9, logprob=-0.2),
        Segment("la la la", compression=3.1),
    ],
)
def test_a_segment_that_says_of_itself_that_it_is_nonsense_is_left_out(segment: Segment) -> None:
    speech = Segment(" Mándeme la factura.", no_speech=0.01, logprob=-0.2, compression=1.1)
    assert spoken_text(RawTranscript(speech.text + segment.text, segments=(speech, segment))) == "Mándeme la factura."


def test_short_true_speech_that_whisper_doubts_a_little_is_kept() -> None:
    assert spoken_text(RawTranscript("Sí.", segments=(Segment("Sí.", no_speech=0.7, logprob=-0.5),))) == "Sí."


@each(
    ("text", "said"),
    [
        ("Quiero cambiar mi plan a Pro. " + "¡Muy bien! " * 30, "Quiero cambiar mi plan a Pro."),
        ("Necesito la factura A-2041, ¿" + "no, " * 80, "Necesito la factura A-2041,"),
        ("Buenas tardes. " + "la " * 40 + "¿Tienen café?", "Buenas tardes. ¿Tienen café?"),
        ("Mándeme el recibo. " + "".join(f"Parte {n}. " for n in range(40)), "Mándeme el recibo."),
        ("Son dos: " + ", ".join(map(str, range(1, 80))), "Son dos:"),
        ("Hola, " + "a" * 300 + " ¿están?", "Hola, ¿están?"),
        ("palabra " * 3 + "fin. " + "Gracias a todos. " * 12, "palabra palabra palabra fin."),
    ],
)
def test_words_before_and_after_a_loop_are_kept(text: str, said: str) -> None:
    assert spoken_text(RawTranscript(text)) == said
    doubted = Segment(text, no_speech=0.1, logprob=-0.3, compression=3.4)
    assert spoken_text(RawTranscript(text, segments=(doubted,))) == said


def test_a_loop_over_many_segments_goes() -> None:
    real = Segment(" Mándeme la factura.", no_speech=0.01, logprob=-0.2, compression=1.1)
    loop = Segment(" ¡Muy bien!", no_speech=0.1, logprob=-0.3, compression=1.0)
    raw = RawTranscript(real.text + loop.text * 8, segments=(real, *[loop] * 8))
    assert spoken_text(raw) == "Mándeme la factura."


def test_no_text_takes_long_to_be_filtered() -> None:
    """Count steps, not seconds: twice the text is twice the work."""

    def work(words: int) -> int:
        steps = 0

        def count(_frame: object, event: str, _argument: object) -> object:
            nonlocal steps
            steps += event == "line"
            return count

        text = "uno dos " * (words // 2)
        sys.settrace(count)  # type: ignore[arg-type]
        try:
            spoken_text(RawTranscript(text))
        finally:
            sys.settrace(None)
        return steps

    assert work(800) < 2.5 * work(400)
