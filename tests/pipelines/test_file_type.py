"""Types of files are detected by their bytes alone."""

import ast
import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.file_type import kind_of, signature_of
from tests.paths import ROOT
from tests.rows import each

Media = Callable[[str], bytes]
BEGINNINGS = json.loads((ROOT / "fixtures" / "files" / "beginnings.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "kind", "form"),
    [
        ("voice/es_subscription.ogg", "audio", "ogg"),
        ("voice/es_subscription.amr", "audio", "amr"),
        ("voice/bad_line.awb", "audio", "amr"),
        ("voice/es_subscription.aac", "audio", "aac"),
        ("voice/es_subscription.mp3", "audio", "mp3"),
        ("voice/es_subscription.m4a", "audio", "m4a"),
        ("voice/es_subscription.wav", "audio", "wav"),
        ("voice/five_hours.flac", "audio", "flac"),
        ("voice/es_subscription.mp4", "video", "mp4"),
        ("voice/es_subscription.webm", "video", "webm"),
        ("photos/label_tv_photo.jpg", "image", "jpeg"),
        ("photos/transparent.png", "image", "png"),
        ("photos/words.gif", "image", "gif"),
        ("photos/qrcode.webp", "image", "webp"),
        ("photos/iphone.heic", "image", "heic"),
        ("photos/not_a_photo.jpg", "text", "text"),
        ("documents/price_list.pdf", "pdf", "pdf"),
        ("documents/prices_windows.csv", "text", "text"),
        ("documents/prices_utf16.csv", "text", "text"),
        ("documents/report.docx", "office", "zip"),
    ],
)
def test_a_file_is_known_by_its_bytes(media: Media, name: str, kind: str, form: str) -> None:
    assert signature_of(media(name)) == (kind, form)


@each("row", BEGINNINGS, ids=lambda row: row["about"])
def test_a_beginning_is_told_by_more_than_its_first_letters(row: dict[str, Any]) -> None:
    content = ast.literal_eval(f"b'{row['bytes']}'") + bytes(row.get("pad", 0))
    found = signature_of(content)
    assert (f"{found.kind} {found.format}" if found else None) == row["is"]


@each("content", [b"", b"   \n", b"\x00\x01\x02", b"RIFF\0\0\0\0AVI ", bytes(64)])
def test_bytes_that_tell_nothing_are_of_no_kind(content: bytes) -> None:
    assert kind_of(content) is None


def test_aac_behind_an_id3_tag_is_not_taken_for_mp3(media: Media) -> None:
    tag = b"ID3\x04\0\0" + bytes((0, 0, 1, 0)) + bytes(128)
    assert signature_of(tag + media("voice/es_subscription.aac")) == ("audio", "aac")


def test_mp3_without_a_tag_is_mp3(media: Media) -> None:
    tagged = media("voice/es_subscription.mp3")
    assert signature_of(tagged[tagged.index(b"\xff\xf3") :]) == ("audio", "mp3")


def test_a_pdf_may_begin_after_a_stray_line(media: Media) -> None:
    assert kind_of(b"\r\n-- fax --\r\n" + media("documents/price_list.pdf")) == "pdf"
