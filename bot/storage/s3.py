"""Files in a bucket: Amazon S3, Cloudflare R2 and MinIO, which speak one protocol."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.settings.reading import origin
from bot.storage.storage import NotStored, StorageFailed, Stored, checked_key, disposition, safe_mime, within_limit

if TYPE_CHECKING:
    from obstore.store import S3Store

_HTTP = re.compile(r"status code: (\d{3}[A-Za-z ]*)")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_NO_BUCKET = "NoSuchBucket"


@dataclass(frozen=True, slots=True)
class BucketLocation:
    """Address and key of a bucket. `region` is `auto` at R2."""

    bucket: str
    endpoint: str = field(repr=False)
    region: str
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class S3Timeouts:
    """Seconds to connect, for one try, and for all tries of one call; a 5xx or a lost connection is retried."""

    connect: float = 3
    answer: float = 15
    in_all: float = 20
    retries: int = 2


class S3Storage:
    """A Storage in an existing bucket. The client is made at its first use."""

    def __init__(self, place: BucketLocation, timeouts: S3Timeouts | None = None) -> None:
        self._place = place
        self._timeouts = timeouts or S3Timeouts()
        self._made: S3Store | None = None

    async def put(self, key: str, data: bytes, mime: str, filename: str | None = None) -> None:
        attributes = {"Content-Type": safe_mime(mime), "Content-Disposition": disposition(filename)}
        async with self._asking(key) as store:
            await store.put_async(checked_key(key), within_limit(data), attributes=attributes)

    async def get(self, key: str) -> bytes:
        async with self._asking(key) as store:
            found = await store.get_async(checked_key(key))
            return bytes(await found.bytes_async())

    async def mime(self, key: str) -> str:
        async with self._asking(key) as store:
            found = await store.get_async(checked_key(key), options={"head": True})
            return safe_mime(str(found.attributes.get("Content-Type", "")))

    async def files(self, prefix: str) -> list[Stored]:
        async with self._asking(prefix) as store:
            found = [
                Stored(listed["path"], listed["size"])
                async for batch in store.list(checked_key(prefix))
                for listed in batch
            ]
            # The listing holds the files below the prefix, without the file of this very name.
            with suppress(FileNotFoundError):
                found.append(Stored(prefix, (await store.head_async(prefix))["size"]))
        return sorted(found, key=lambda file: file.key)

    async def delete(self, prefix: str) -> None:
        async with self._asking(prefix) as store:
            async for batch in store.list(checked_key(prefix)):
                await store.delete_async([listed["path"] for listed in batch])
            await store.delete_async(prefix)

    async def link(self, key: str, seconds: float) -> str | None:
        import obstore  # noqa: PLC0415 - loaded with the client

        async with self._asking(key) as store:
            return await obstore.sign_async(store, "GET", checked_key(key), timedelta(seconds=seconds))

    @asynccontextmanager
    async def _asking(self, key: str) -> AsyncIterator[S3Store]:
        """The client, with its errors as those of Storage. Theirs carry a page of debug output, which is cut off."""
        if self._made is None:
            self._made = await asyncio.to_thread(self._make)
        from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415 - loaded with the client

        try:
            yield self._made
        except (FileNotFoundError, NotFoundError) as error:
            if _NO_BUCKET not in str(error) and await self._exists():
                raise NotStored(key) from None
            raise StorageFailed(f"there is no bucket {self._place.bucket!r}: make it, or correct its name") from None
        except BaseError as error:
            raise StorageFailed(self._why(str(error))) from None

    async def _exists(self) -> bool:
        """Whether the bucket is there: a HEAD that finds nothing doesn't tell the bucket from the file."""
        assert self._made is not None  # noqa: S101 - only asked after a call
        try:
            async for _ in self._made.list("x"):
                break
        except Exception as error:  # noqa: BLE001 - whatever it is, the question was another
            return _NO_BUCKET not in str(error)
        return True

    def _why(self, error: str) -> str:
        code = _CODE.search(error)
        if code and code[1] == _NO_BUCKET:
            return f"there is no bucket {self._place.bucket!r}: make it, or correct its name"
        status = _HTTP.search(error)
        if status is None:
            return f"no answer from {origin(self._place.endpoint)}"
        named = f" ({code[1]})" if code else ""
        return f"{origin(self._place.endpoint)} answers {status[1].strip()}{named}"

    def _make(self) -> S3Store:
        from obstore.store import S3Store  # noqa: PLC0415 - a company with a disk loads none of it

        place, timeouts = self._place, self._timeouts
        # A function gives the key: otherwise AWS_SESSION_TOKEN and the like, of another account, would be used too.
        keys: Any = {"access_key_id": place.key_id, "secret_access_key": place.secret, "expires_at": None}
        return S3Store(
            place.bucket,
            # The option `endpoint` would lose against a variable AWS_ENDPOINT_URL_S3.
            aws_endpoint_url_s3=place.endpoint,
            region=place.region,
            virtual_hosted_style_request=False,
            credential_provider=lambda: keys,
            client_options={
                "allow_http": place.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=timeouts.connect),
                "timeout": timedelta(seconds=timeouts.answer),
            },
            retry_config={
                "max_retries": timeouts.retries,
                "retry_timeout": timedelta(seconds=timeouts.in_all),
                "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=1), "base": 2},
            },
        )
