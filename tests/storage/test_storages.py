"""A table for all storages: files come back, are listed, and are erased."""

import pytest

from bot.storage.storage import LARGEST_BYTES, NotStored, Storage, Stored, TooLarge, WrongKey, disposition, safe_mime
from tests.rows import each

KEY = "media/c_1/2026-11-24/9001"


async def test_a_file_comes_back_with_its_bytes_and_its_type(storage: Storage) -> None:
    data = bytes(range(256)) * 100
    await storage.put(KEY, data, "image/jpeg", "Foto de Ñandú.jpg")
    assert await storage.get(KEY) == data
    assert await storage.mime(KEY) == "image/jpeg"


async def test_a_large_file_comes_back_whole(storage: Storage) -> None:
    data = bytes(range(256)) * 50_000
    await storage.put(KEY, data, "application/pdf")
    assert await storage.get(KEY) == data


async def test_an_empty_file_is_a_file(storage: Storage) -> None:
    await storage.put(KEY, b"", "text/plain")
    assert await storage.get(KEY) == b""
    assert await storage.files(KEY) == [Stored(KEY, 0)]


async def test_the_same_key_again_takes_its_place(storage: Storage) -> None:
    await storage.put(KEY, b"first", "text/plain")
    await storage.put(KEY, b"second", "application/pdf")
    assert (await storage.get(KEY), await storage.mime(KEY)) == (b"second", "application/pdf")


@pytest.mark.parametrize("key", [KEY, "media", "media/c_1", "other"])
async def test_what_was_never_kept_is_not_stored(storage: Storage, key: str) -> None:
    await storage.put("media/c_1/2026-11-24/9002", b"x", "text/plain")
    with pytest.raises(NotStored):
        await storage.get(key)
    with pytest.raises(NotStored):
        await storage.mime(key)


async def test_what_is_below_a_prefix_is_listed_and_no_neighbour(storage: Storage) -> None:
    for key in ("media/c_1/b/2", "media/c_1/a/1", "media/c_12/a/3"):
        await storage.put(key, b"four", "text/plain")
    assert await storage.files("media/c_1") == [Stored("media/c_1/a/1", 4), Stored("media/c_1/b/2", 4)]
    assert await storage.files("media/c_1/a/1") == [Stored("media/c_1/a/1", 4)]
    assert await storage.files("media/c_2") == []


async def test_a_prefix_erases_what_is_below_it_and_no_neighbour(storage: Storage) -> None:
    for key in ("media/c_1/a/1", "media/c_1/b/2", "media/c_12/a/3"):
        await storage.put(key, b"x", "text/plain")
    await storage.delete("media/c_1")
    for key in ("media/c_1/a/1", "media/c_1/b/2"):
        with pytest.raises(NotStored):
            await storage.get(key)
    assert await storage.get("media/c_12/a/3") == b"x"


async def test_one_file_is_erased_by_its_key_and_erasing_twice_is_erasing_once(storage: Storage) -> None:
    await storage.put(KEY, b"x", "text/plain")
    await storage.delete(KEY)
    await storage.delete(KEY)
    with pytest.raises(NotStored):
        await storage.mime(KEY)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".types/a", "a\0b", "a/ñ"])
async def test_a_key_that_leads_elsewhere_is_refused(storage: Storage, key: str) -> None:
    with pytest.raises(WrongKey):
        await storage.put(key, b"x", "text/plain")
    with pytest.raises(WrongKey):
        await storage.get(key)
    with pytest.raises(WrongKey):
        await storage.files(key)
    with pytest.raises(WrongKey):
        await storage.delete(key)


async def test_a_file_that_nobody_could_be_sent_is_not_taken(storage: Storage) -> None:
    with pytest.raises(TooLarge):
        await storage.put(KEY, bytes(LARGEST_BYTES + 1), "text/plain")
    assert await storage.files(KEY) == []


async def test_what_a_browser_would_run_is_kept_as_plain_bytes(storage: Storage) -> None:
    await storage.put(KEY, b"<script>alert(1)</script>", "text/html; charset=utf-8")
    assert await storage.mime(KEY) == "application/octet-stream"


@each(
    ("claim", "kept"),
    [
        ("image/jpeg", "image/jpeg"),
        ("Audio/OGG; codecs=opus", "audio/ogg"),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("pdf", "application/octet-stream"),
        ("text/plain\r\nSet-Cookie: a=b", "application/octet-stream"),
    ],
)
def test_a_content_type_is_a_claim(claim: str, kept: str) -> None:
    assert safe_mime(claim) == kept


@each(
    ("name", "header"),
    [
        (None, "attachment"),
        ("a.pdf", "attachment; filename*=UTF-8''a.pdf"),
        ('Ñandú "x".pdf', "attachment; filename*=UTF-8''%C3%91and%C3%BA%20%22x%22.pdf"),
        ("a\r\nSet-Cookie: b", "attachment; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b"),
    ],
)
def test_a_name_does_not_break_out_of_its_header(name: str | None, header: str) -> None:
    assert disposition(name) == header
