"""Buckets on a real S3 server that checks signatures: links, and every failure of a bucket."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.settings import Settings, SettingsWrong
from bot.storage.factory import storage_of
from bot.storage.local import LocalStorage
from bot.storage.s3 import BucketLocation, S3Storage
from bot.storage.storage import NotStored, Storage, StorageFailed
from bot.web.server import listening
from tests.storage.conftest import BRIEF, S3
from tests.waiting import PATIENCE

KEY = "media/c_1/2026-11-24/9001"


class Failing:
    """A server that only fails: it counts requests, and answers with a status, late or never."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 503
        self.wait = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(self.wait)
        return web.Response(status=self.status, text="<Error><Code>SlowDown</Code></Error>")


@pytest.fixture
async def failing() -> AsyncIterator[tuple[Failing, Storage]]:
    server = Failing()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.answer)
    async with listening(app, "127.0.0.1", 0, finish=0.05) as url:
        yield server, S3Storage(BucketLocation("files", url, "us-east-1", "id", "hunter2"), BRIEF)


async def fetched(url: str) -> tuple[int, bytes, str, str]:
    async with aiohttp.ClientSession() as http, http.get(URL(url, encoded=True)) as response:
        headers = response.headers
        return response.status, await response.read(), headers["Content-Type"], headers.get("Content-Disposition", "")


async def test_a_link_opens_without_a_key_and_saves_the_file_under_its_name(bucket: S3Storage) -> None:
    await bucket.put(KEY, b"%PDF-", "application/pdf", "Factura 7.pdf")
    url = await bucket.link(KEY, 60)
    assert url is not None
    assert await fetched(url) == (200, b"%PDF-", "application/pdf", "attachment; filename*=UTF-8''Factura%207.pdf")


async def test_a_link_that_was_changed_or_is_over_opens_nothing(bucket: S3Storage) -> None:
    await bucket.put(KEY, b"mine", "text/plain")
    await bucket.put("media/c_2/2026-11-24/1", b"another's", "text/plain")
    url = await bucket.link(KEY, 1)
    assert url is not None
    others = url.replace("media/c_1/2026-11-24/9001", "media/c_2/2026-11-24/1")
    longer = url.replace("X-Amz-Expires=1", "X-Amz-Expires=9")
    signature = url[:-1] + ("0" if url[-1] != "0" else "1")
    for changed in (others, longer, signature, url.partition("?")[0]):
        status, body, *_ = await fetched(changed)
        assert status in (400, 403)
        assert b"another's" not in body
        assert b"mine" not in body
    async with asyncio.timeout(PATIENCE):
        while (await fetched(url))[0] == 200:
            await asyncio.sleep(0.1)


async def test_a_wrong_secret_is_told(s3: S3, bucket_name: str) -> None:
    storage = S3Storage(s3.place(bucket_name, secret="hunter2"), BRIEF)
    for failed in (storage.put(KEY, b"x", "text/plain"), storage.get(KEY), storage.files("media"), storage.delete(KEY)):
        with pytest.raises(StorageFailed, match=r"403 Forbidden \(SignatureDoesNotMatch\)") as raised:
            await failed
        assert "hunter2" not in str(raised.value)
        assert len(str(raised.value)) < 200


async def test_a_missing_bucket_is_not_a_missing_file(s3: S3) -> None:
    storage = S3Storage(s3.place("nowhere"), BRIEF)
    calls = (storage.put(KEY, b"x", "text/plain"), storage.get(KEY), storage.mime(KEY), storage.files("media"))
    for failed in (*calls, storage.delete("media")):
        with pytest.raises(StorageFailed, match="there is no bucket 'nowhere'"):
            await failed


async def test_a_file_that_is_gone_is_not_stored(bucket: S3Storage) -> None:
    await bucket.put(KEY, b"x", "text/plain")
    await bucket.delete(KEY)
    with pytest.raises(NotStored):
        await bucket.get(KEY)


async def test_nobody_there_is_told_within_moments() -> None:
    storage = S3Storage(BucketLocation("files", "http://127.0.0.1:9", "us-east-1", "id", "hunter2"), BRIEF)
    with pytest.raises(StorageFailed, match=r"no answer from http://127\.0\.0\.1:9"):
        await storage.get(KEY)


async def test_a_server_in_trouble_is_asked_again_and_then_told(failing: tuple[Failing, Storage]) -> None:
    server, storage = failing
    with pytest.raises(StorageFailed, match=r"503 Service Unavailable \(SlowDown\)"):
        await storage.put(KEY, b"x", "text/plain")
    assert server.asked == 2


async def test_a_refusal_is_not_tried_again(failing: tuple[Failing, Storage]) -> None:
    server, storage = failing
    server.status = 403
    with pytest.raises(StorageFailed, match="403"):
        await storage.put(KEY, b"x", "text/plain")
    assert server.asked == 1


async def test_a_slow_server_is_not_waited_for(failing: tuple[Failing, Storage]) -> None:
    server, storage = failing
    server.wait = 600
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StorageFailed, match="no answer"):
            await storage.get(KEY)


async def test_a_call_that_is_given_up_leaves_the_storage_usable(failing: tuple[Failing, Storage]) -> None:
    server, storage = failing
    server.wait = 5
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await storage.get(KEY)
    server.wait, server.status = 0, 403
    with pytest.raises(StorageFailed, match="403"):
        await storage.get(KEY)


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_S3_BUCKET": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL_S3": ""},
        {"R2_BUCKET": "", "R2_ACCESS_KEY_ID": "", "R2_SECRET_ACCESS_KEY": "", "R2_ENDPOINT": ""},
        {"MINIO_BUCKET": "", "MINIO_ACCESS_KEY": "", "MINIO_SECRET_KEY": "", "MINIO_ENDPOINT": ""},
    ],
    ids=["s3", "r2", "minio"],
)
async def test_the_settings_choose_the_bucket(
    variables: dict[str, str], s3: S3, bucket_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(variables, (bucket_name, s3.key_id, s3.secret, s3.endpoint), strict=True):
        monkeypatch.setenv(name, value)
    # Variables of another account and service are no business of this bucket.
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-another-account")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    await storage_of(Settings().storage).put(KEY, b"x", "text/plain")
    assert (s3.root / bucket_name / KEY).read_bytes() == b"x"


def test_amazons_keys_alone_mean_the_bucket_that_the_erp_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s" * 40)
    settings = Settings().storage
    assert (settings.chosen, settings.aws_s3_bucket) == ("s3", "erp-core-files")
    assert isinstance(storage_of(settings), S3Storage)


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIA1"}, ["AWS_SECRET_ACCESS_KEY"]),
        ({"R2_ACCESS_KEY_ID": "id", "R2_SECRET_ACCESS_KEY": "secret"}, ["R2_BUCKET", "R2_ENDPOINT"]),
        ({"MINIO_ACCESS_KEY": "id", "MINIO_SECRET_KEY": "secret"}, ["MINIO_BUCKET"]),
    ],
    ids=["s3", "r2", "minio"],
)
def test_whose_keys_are_set_is_meant_and_files_never_stay_on_this_machine_unasked(
    keys: dict[str, str], missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsWrong) as raised:
        storage_of(Settings().storage)
    assert [line.partition(":")[0] for line in raised.value.lines] == missing


def test_a_bucket_that_is_half_configured_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_PROVIDER", "r2")
    monkeypatch.setenv("R2_BUCKET", "files")
    with pytest.raises(SettingsWrong) as raised:
        storage_of(Settings().storage)
    lines = str(raised.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"]
    assert raised.value.said("es")[0].startswith("R2_ENDPOINT: falta para el almacén r2; se espera https://")


def test_without_a_bucket_files_stay_on_this_machine() -> None:
    assert isinstance(storage_of(Settings().storage), LocalStorage)
