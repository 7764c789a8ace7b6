"""The door to Meta: where the token may go, what a file may weigh, and how every trouble is named."""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web

from bot.whatsapp import client
from bot.whatsapp.client import File, FileTooLarge, Graph, MediaGone, MediaRefused
from bot.whatsapp.errors import MetaUnavailable
from pipelines.byte_budget import ByteBudget, ByteReservation
from tests.whatsapp.graph_servers import LIMIT, PHOTO, TOKEN, Shelf, cut_short, dripping, settings

Answer = Callable[[web.Request], web.StreamResponse]


def moved(to: str, status: int = 302) -> web.Response:
    return web.Response(status=status, headers={"Location": to})


async def test_a_file_is_resolved_and_fetched(graph: Graph, shelf: Shelf) -> None:
    assert await graph.fetch("9", limit=LIMIT) == File(PHOTO, "image/jpeg")
    assert shelf.seen == [("graph.internal/file", f"Bearer {TOKEN}")]


@pytest.mark.parametrize("url", ["https://lookaside.fbsbx.com/file", "https://scontent.facebook.com/file?a=%2F&b=1"])
async def test_metas_hosts_get_the_token_over_tls(graph: Graph, shelf: Shelf, url: str) -> None:
    shelf.url = url
    assert (await graph.fetch("9", limit=LIMIT)).data == PHOTO
    assert [token for _, token in shelf.seen] == [f"Bearer {TOKEN}"]


ASTRAY = [
    "https://evil.example/file",
    "https://fbsbx.com.evil.example/file",
    "https://lookaside.fbsbx.com@evil.example/file",
    "https://evilfbsbx.com/file",
    "http://lookaside.fbsbx.com/file",
    "http://127.0.0.1:6379/",
    "http://169.254.169.254/latest/meta-data",
    "ftp://graph.internal/file",
    "file:///etc/passwd",
    "//evil.example/file",
    "/file",
    "",
    "none",
    "http://[",
    "http://graph.internal:port/file",
    "https://evil.example\\@lookaside.fbsbx.com/",
]


@pytest.mark.parametrize("url", ASTRAY)
async def test_a_link_that_leads_elsewhere_is_not_followed(graph: Graph, shelf: Shelf, url: str) -> None:
    shelf.url = url
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)
    assert shelf.seen == []


@pytest.mark.parametrize("url", [None, 7, {"a": 1}, ["https://lookaside.fbsbx.com/"]])
async def test_a_link_that_is_none_is_not_followed(graph: Graph, shelf: Shelf, url: Any) -> None:
    shelf.url = url
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)


@pytest.mark.parametrize("url", [url for url in ASTRAY if ":" in url])
async def test_a_redirection_that_leads_elsewhere_is_not_followed(graph: Graph, shelf: Shelf, url: str) -> None:
    shelf.answers["/file"] = moved(url)
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)
    assert [host for host, _ in shelf.seen] == ["graph.internal/file"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_among_metas_hosts_is_followed(graph: Graph, shelf: Shelf, status: int) -> None:
    shelf.url = "https://lookaside.fbsbx.com/file"
    shelf.answers["/file"] = moved("https://cdn.fbsbx.com/there", status)
    shelf.answers["/there"] = moved("here", status)
    assert (await graph.fetch("9", limit=LIMIT)).data == PHOTO
    assert [host for host, _ in shelf.seen] == ["lookaside.fbsbx.com/file", "cdn.fbsbx.com/there", "cdn.fbsbx.com/here"]


@pytest.mark.parametrize("url", ["http://graph.facebook.com/file", "http://GRAPH.facebook.com./file"])
async def test_the_configured_host_gets_no_token_in_clear_when_its_own_address_is_secure(
    graph: Graph, shelf: Shelf, url: str
) -> None:
    secure = Graph(graph._http, settings("https://graph.facebook.com"))
    shelf.url = url
    with pytest.raises(MediaRefused):
        await secure.fetch("9", limit=LIMIT)
    shelf.url, shelf.answers["/file"] = "https://graph.facebook.com/file", moved(url)
    with pytest.raises(MediaRefused):
        await secure.fetch("9", limit=LIMIT)
    assert shelf.seen == [("graph.facebook.com/file", f"Bearer {TOKEN}")]


async def test_redirections_without_end_are_left(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = [moved("/file") for _ in range(20)]
    with pytest.raises(MediaRefused):
        await graph.fetch("9", limit=LIMIT)
    assert len(shelf.seen) <= 5


async def test_a_call_of_the_api_is_never_redirected(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/v26.0/1060/messages"] = moved("https://evil.example/", 307)
    with pytest.raises(MetaUnavailable):
        await graph.send({"type": "text"})
    assert [host for host, _ in shelf.seen] == ["graph.internal/v26.0/1060/messages"]


async def _without_length(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(40):
        await response.write(bytes(LIMIT // 10))
    return response


async def _packed(request: web.Request) -> web.StreamResponse:
    response = web.Response(body=bytes(LIMIT + 1))
    response.enable_compression(web.ContentCoding.gzip)
    return response


@pytest.mark.parametrize("answer", [bytes(LIMIT + 1), _without_length, _packed], ids=["told", "not told", "packed"])
async def test_a_file_over_the_limit_is_left(graph: Graph, shelf: Shelf, answer: Any) -> None:
    shelf.answers["/file"] = answer
    with pytest.raises(FileTooLarge):
        await graph.fetch("9", limit=LIMIT)


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(bytes(LIMIT))
    return response


async def test_a_body_without_end_is_left_at_the_limit(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = _endless
    with pytest.raises(FileTooLarge):
        await graph.fetch("9", limit=LIMIT)


@pytest.mark.parametrize("size", [LIMIT + 1, str(LIMIT + 1), 10**40, "9" * 5000])
async def test_a_file_that_is_said_to_be_over_the_limit_is_not_asked_for(graph: Graph, shelf: Shelf, size: Any) -> None:
    shelf.answers["resolve"] = {"file_size": size}
    with pytest.raises(FileTooLarge):
        await graph.fetch("9", limit=LIMIT)
    assert shelf.seen == []


@pytest.mark.parametrize("size", [None, 1, "7", -5, 2.5, "many", "²", [], True])
async def test_whatever_size_is_told_the_bytes_of_a_file_are_in_memory_that_it_holds(
    graph: Graph, shelf: Shelf, size: Any
) -> None:
    shelf.answers |= {"resolve": {"file_size": size}, "/file": bytes(LIMIT - 1)}
    async with ByteReservation(ByteBudget(10 * LIMIT)) as reservation:
        file = await graph.fetch("9", limit=LIMIT, reservation=reservation)
        assert len(file.data) <= reservation.size <= LIMIT


async def test_a_file_for_which_there_is_no_room_is_not_asked_for_until_there_is(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["resolve"] = {"file_size": len(PHOTO)}
    budget = ByteBudget(LIMIT)
    async with ByteReservation(budget) as others, ByteReservation(budget) as reservation:
        await others.grow(LIMIT)
        fetching = asyncio.ensure_future(graph.fetch("9", limit=LIMIT, reservation=reservation))
        while not budget._waiting:
            await asyncio.sleep(0)
        assert shelf.seen == []
        others.release()
        assert (await fetching).data == PHOTO


async def test_a_file_of_exactly_the_limit_is_taken(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = bytes(LIMIT)
    assert len((await graph.fetch("9", limit=LIMIT)).data) == LIMIT


@pytest.mark.parametrize(
    "digest",
    [
        None,
        "",
        hashlib.sha256(PHOTO).hexdigest(),
        hashlib.sha256(PHOTO).hexdigest().upper(),
        base64.b64encode(hashlib.sha256(PHOTO).digest()).decode(),
        "not a digest",
    ],
    ids=["none", "empty", "hexadecimal", "capitals", "base64", "odd"],
)
async def test_a_digest_that_fits_or_says_nothing_costs_no_second_fetch(
    graph: Graph, shelf: Shelf, digest: str | None
) -> None:
    assert (await graph.fetch("9", limit=LIMIT, sha256=digest)).data == PHOTO
    assert len(shelf.seen) == 1


async def test_a_file_that_differs_from_its_digest_is_fetched_once_more(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = [b"half a photo", PHOTO]
    digest = hashlib.sha256(PHOTO).hexdigest()
    assert (await graph.fetch("9", limit=LIMIT, sha256=digest)).data == PHOTO
    shelf.answers["/file"] = [b"half a photo", b"half a photo"]
    assert (await graph.fetch("9", limit=LIMIT, sha256=digest)).data == b"half a photo"


async def test_a_link_that_has_run_out_is_asked_for_anew_once(graph: Graph, shelf: Shelf) -> None:
    shelf.answers["/file"] = [web.Response(status=404), PHOTO]
    assert (await graph.fetch("9", limit=LIMIT)).data == PHOTO
    assert shelf.resolved == 2
    shelf.answers["/file"] = [web.Response(status=404) for _ in range(9)]
    with pytest.raises(MediaGone):
        await graph.fetch("9", limit=LIMIT)
    assert shelf.resolved == 4


@pytest.mark.parametrize(
    "answer",
    [web.Response(status=500), web.Response(status=502, text="<html>"), web.Response(status=403), cut_short, dripping],
    ids=["500", "html 502", "403", "cut", "dripping"],
)
async def test_a_download_that_breaks_off_is_named(
    graph: Graph, shelf: Shelf, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_DOWNLOAD_SECONDS", 0.4)
    shelf.answers["/file"] = answer
    with pytest.raises(MetaUnavailable) as caught:
        await graph.fetch("9", limit=LIMIT)
    assert not caught.value.in_doubt
