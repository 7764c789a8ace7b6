"""Voice notes of every container are decoded, checked before anything is paid, and cut where they are too long."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import audio as pipelines_audio
from pipelines import ffmpeg, file_type, voice
from pipelines.errors import FileProblem, FileRefused
from pipelines.voice import Clip, RawTranscript, transcribe
from tests.sounds import mp3

Media = Callable[[str], bytes]


class Ear:
    """Gives each clip the same text, and keeps the clips."""

    def __init__(self, *texts: str, language: str | None = None) -> None:
        self.clips: list[Clip] = []
        self._texts = texts
        self._language = language

    async def __call__(self, clip: Clip) -> RawTranscript:
        self.clips.append(clip)
        return RawTranscript(self._texts[(len(self.clips) - 1) % len(self._texts)], self._language)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("es_subscription.ogg", 4.5),
        ("es_subscription.amr", 4.5),
        ("es_subscription.aac", 4.6),
        ("es_subscription.m4a", 4.5),
        ("es_subscription.mp3", 4.5),
        ("es_subscription.wav", 4.5),
        ("es_subscription.mp4", 4.5),
        ("es_subscription.webm", 4.5),
        ("bad_line.awb", 2.0),
        ("es_hola.ogg", 0.65),
        ("es_ticket_quiet.ogg", 5.9),
        ("es_long.ogg", 35.1),
        ("truncated.ogg", 17.0),
    ],
)
async def test_a_note_of_any_container_is_transcribed_as_mp3(media: Media, name: str, seconds: float) -> None:
    ear = Ear("Hola")
    transcript = await transcribe(media(f"voice/{name}"), speech_to_text=ear, language="es")
    assert (transcript.text, transcript.language, transcript.parts) == ("Hola", "es", 1)
    assert transcript.seconds == pytest.approx(seconds, abs=0.1)
    (clip,) = ear.clips
    assert (clip.filename, clip.mime, clip.language) == ("voice.mp3", "audio/mpeg", "es")
    assert file_type.signature_of(clip.audio) == ("audio", "mp3")
    assert len(await ffmpeg.decode(clip.audio, "mp3", rate=8000, seconds=99)) / 16000 == pytest.approx(seconds, abs=0.2)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("voice/silence.ogg", FileProblem.SILENT),
        ("voice/pocket.ogg", FileProblem.SILENT),
        ("voice/headers_only.ogg", FileProblem.DAMAGED),
        ("voice/no_sound.mp4", FileProblem.NOT_AUDIO),
        ("voice/five_hours.flac", FileProblem.TOO_LONG),
        ("photos/label_tv_photo.jpg", FileProblem.NOT_AUDIO),
        ("documents/price_list.pdf", FileProblem.NOT_AUDIO),
        ("documents/note.txt", FileProblem.NOT_AUDIO),
        ("documents/noise.bin", FileProblem.NOT_AUDIO),
    ],
)
async def test_what_holds_no_speech_is_refused_before_it_costs(media: Media, name: str, reason: FileProblem) -> None:
    ear = Ear("¡Gracias por ver el vídeo!")
    with pytest.raises(FileRefused) as refused:
        await transcribe(media(name), speech_to_text=ear)
    assert refused.value.reason is reason
    assert ear.clips == []


async def test_no_bytes_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch, media: Media) -> None:
    monkeypatch.setattr(voice, "LARGEST_BYTES", 1000)
    for audio, reason in ((b"", FileProblem.EMPTY), (media("voice/es_ticket.ogg"), FileProblem.TOO_LARGE)):
        with pytest.raises(FileRefused) as refused:
            await transcribe(audio, speech_to_text=Ear("Hola"))
        assert refused.value.reason is reason


async def test_words_made_up_over_noise_are_unintelligible(media: Media) -> None:
    with pytest.raises(FileRefused) as refused:
        await transcribe(media("voice/noise.ogg"), speech_to_text=Ear("Subtítulos por la comunidad de Amara.org"))
    assert refused.value.reason is FileProblem.UNINTELLIGIBLE


async def test_a_long_note_is_cut_at_pauses_and_joined_in_order(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "PART_SECONDS", 10)
    late = asyncio.Event()
    clips: list[Clip] = []

    async def hear(clip: Clip) -> RawTranscript:
        clips.append(clip)
        number = len(clips)
        if number == 1:
            await late.wait()  # the first part is transcribed last
        elif number == 3:
            late.set()
        return RawTranscript(f"parte {number}", "es")

    transcript = await transcribe(media("voice/es_long.ogg"), speech_to_text=hear)
    assert transcript.parts == len(clips)
    assert transcript.text == " ".join(f"parte {number}" for number in range(1, len(clips) + 1))
    assert transcript.language == "es"
    assert all(5 <= clip.seconds <= 10 for clip in clips[:-1])
    assert sum(clip.seconds for clip in clips) == pytest.approx(transcript.seconds, abs=0.2)
    for clip in clips[:-1]:
        end = pipelines_audio._levels(await ffmpeg.decode(clip.audio, "mp3", rate=pipelines_audio.RATE, seconds=99))
        assert min(end[-4:]) < -35, "a word was cut"


async def test_parts_without_a_sound_are_not_paid_for(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "PART_SECONDS", 4)
    speech = await ffmpeg.decode(media("voice/es_ticket.ogg"), "ogg", rate=pipelines_audio.RATE, seconds=99)
    ear = Ear("Mi internet", "no funciona")
    transcript = await transcribe(mp3(bytes(10 * pipelines_audio.RATE * 2) + speech), speech_to_text=ear)
    assert transcript.seconds == pytest.approx(15.9, abs=0.2)
    assert sum(clip.seconds for clip in ear.clips) < 10


async def test_an_error_of_the_ear_passes_as_it_is(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    class OutOfOrder(Exception):
        pass

    async def hear(_clip: Clip) -> RawTranscript:
        raise OutOfOrder

    monkeypatch.setattr(voice, "PART_SECONDS", 10)
    with pytest.raises(OutOfOrder):
        await transcribe(media("voice/es_long.ogg"), speech_to_text=hear)


async def test_a_decoder_that_hangs_is_killed(media: Media, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hung = tmp_path / "ffmpeg"
    hung.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    hung.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "program", lambda: str(hung))
    monkeypatch.setattr(ffmpeg, "SECONDS_TO_DECODE", 0.3)
    with pytest.raises(FileRefused) as refused:
        await transcribe(media("voice/es_ticket.ogg"), speech_to_text=Ear("Hola"))
    assert refused.value.reason is FileProblem.TOO_SLOW
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_playlist_in_disguise_opens_no_other_file(media: Media, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ogg"
    secret.write_bytes(media("voice/es_ticket.ogg"))
    for disguise in (b"OggS", b"#!AMR\n", b"\x1aE\xdf\xa3"):
        playlist = disguise + f"\n#EXTM3U\n#EXTINF:9,\nfile://{secret}\n".encode()
        with pytest.raises(FileRefused):
            await transcribe(playlist, speech_to_text=Ear("Hola"))
