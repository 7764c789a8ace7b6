"""What Whisper makes up is left out, and what people say is kept."""

import json
from pathlib import Path

import pytest

from pipelines.heard import Heard, Segment, sense_of

LABELS = json.loads((Path(__file__).parents[2] / "fixtures" / "media" / "labels.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
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
    ],
)
def test_what_whisper_makes_up_over_silence_is_left_out(text: str) -> None:
    assert sense_of(Heard(text)) == ""


@pytest.mark.parametrize(
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
    ],
)
def test_what_people_say_is_kept(text: str) -> None:
    segment = Segment(text, no_speech=0.3, logprob=-0.6, compression=1.2)
    assert sense_of(Heard(text)) == text
    assert sense_of(Heard(text, segments=(segment,))) == text


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
    assert sense_of(Heard(speech.text + segment.text, segments=(speech, segment))) == "Mándeme la factura."


def test_short_true_speech_that_whisper_doubts_a_little_is_kept() -> None:
    assert sense_of(Heard("Sí.", segments=(Segment("Sí.", no_speech=0.7, logprob=-0.5),))) == "Sí."
