"""Client of Meta's Graph API: send, mark as read, fetch media."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.settings import WhatsAppSettings
from bot.whatsapp.errors import ACCOUNT_LOCKED, CURSOR_EXPIRED, GraphError, MetaUnavailable, Remedy, error_from
from bot.whatsapp.lenient_json import items, mapping, text
from bot.whatsapp.rendering import address
from pipelines.byte_budget import ByteReservation

_CALL = aiohttp.ClientTimeout(total=20, sock_connect=5)
_DOWNLOAD_SECONDS = 60
_REDIRECTS = 3
_MEDIA_HOSTS = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")
_NOT_FOUND = 404
# Of a hundred templates each: an account may have 6,000.
_MOST_PAGES = 100
_TEMPLATE_FIELDS = "id,name,language,status,category,components,quality_score,rejected_reason,parameter_format"

ThreadAction = Literal["take", "pass", "release"]


class MediaGone(Exception):
    """Meta has no such file, or no more."""


class FileTooLarge(Exception):
    """The file has more bytes than the caller takes."""


class MediaRefused(Exception):
    """The file's link leads to a host that is not Meta's, and is not followed."""


@dataclass(frozen=True, slots=True)
class File:
    """Bytes as Meta keeps them; in received files `mime` is the sender's claim."""

    data: bytes
    mime: str
    name: str = "file"


class Graph:
    """Meta's Graph API for one phone number. Nothing is retried here: the outbox and perception decide."""

    def __init__(self, http: aiohttp.ClientSession, settings: WhatsAppSettings) -> None:
        self._http = http
        self._base = URL(settings.api_base_url) / settings.api_version
        self._token = settings.access_token.get_secret_value() if settings.access_token else ""
        self.number = settings.phone_number_id or ""
        self.account = settings.waba_id

    async def send(self, message: dict[str, Any], number: str = "") -> str:
        """Hand a message over and get its wamid: accepted by Meta, not yet delivered."""
        answer = await self._call("POST", f"{number or self.number}/messages", json=message)
        messages = items(answer.get("messages"))
        wamid = text(mapping(messages[0]).get("id")) if messages else None
        if wamid is None:
            raise MetaUnavailable("Meta's answer holds no message id", in_doubt=True)
        return wamid

    async def mark_read(self, mark: dict[str, Any], number: str = "") -> None:
        await self._call("POST", f"{number or self.number}/messages", json=mark)

    async def thread_control(self, action: ThreadAction, phone: str | None, bsuid: str | None) -> None:
        """Move a thread between apps. Its owner may pass or release it, and the escalation partner may take it."""
        # Meta prefers the BSUID, and takes exactly one of both.
        person = {"recipient": bsuid} if bsuid else address(phone, None)
        body = {"messaging_product": "whatsapp", "action": action, **person}
        await self._call("POST", f"{self.number}/thread_control", json=body)

    async def number_state(self) -> dict[str, Any]:
        """Meta's fields of our number; raises GraphError if the token may not ask."""
        return await self._call("GET", self.number, params={"fields": "display_phone_number,verified_name"})

    async def throughput_level(self) -> str | None:
        """Meta's level for the messages a second of our number, such as STANDARD or HIGH; None if it isn't told."""
        answer = await self._call("GET", self.number, params={"fields": "throughput"})
        return text(mapping(answer.get("throughput")).get("level"))

    async def check_can_send(self) -> None:
        """Raise what keeps this number from sending: GraphError as Meta answers, or for a health that is BLOCKED."""
        answer = await self._call("GET", self.number, params={"fields": "health_status"})
        health = mapping(answer.get("health_status"))
        if health.get("can_send_message") == "BLOCKED":
            entities = [mapping(entity) for entity in items(health.get("entities"))]
            errors = [mapping(error) for entity in entities for error in items(entity.get("errors"))]
            details = text(errors[0].get("error_description")) if errors else None
            raise GraphError(ACCOUNT_LOCKED, details or "Meta has blocked this number", Remedy.FIX_SETTINGS)

    async def subscribed(self, account: str) -> bool:
        """True if an app gets the webhooks of this account; without one no message ever arrives."""
        return bool(items((await self._call("GET", f"{account}/subscribed_apps")).get("data")))

    async def upload(self, file: File, number: str = "") -> str:
        """Hand a file over and get its media id, which works for 30 days; `file.mime` has to be the true one."""
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": file.mime})
        form.add_field("file", file.data, filename=file.name, content_type=file.mime)
        answer = await self._call("POST", f"{number or self.number}/media", data=form)
        media_id = text(answer.get("id"))
        if media_id is None:
            raise MetaUnavailable("Meta's answer holds no media id", in_doubt=False)
        return media_id

    async def templates(self) -> list[dict[str, Any]]:
        """Message templates of the account, page by page; an expired cursor starts the list anew, once."""
        try:
            return await self._templates()
        except GraphError as error:
            if error.code != CURSOR_EXPIRED:
                raise
        return await self._templates()

    async def _templates(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = {"fields": _TEMPLATE_FIELDS, "limit": "100"}
        for _ in range(_MOST_PAGES):
            page = await self._call("GET", f"{self.account}/message_templates", params=query)
            found.extend(mapping(item) for item in items(page.get("data")))
            paging = mapping(page.get("paging"))
            after = text(mapping(paging.get("cursors")).get("after"))
            if not paging.get("next") or after is None or after == query.get("after"):
                break
            query["after"] = after
        return found

    async def create_template(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for a review; Meta answers `{id, status, category}`, and may have changed the category."""
        return await self._call("POST", f"{self.account}/message_templates", json=body)

    async def edit_template(self, template_id: str, components: list[dict[str, Any]]) -> None:
        """Change what it says, which sends it into review again."""
        await self._call("POST", quote(template_id, safe=""), json={"components": components})

    async def fetch(
        self, media_id: str, *, limit: int, reservation: ByteReservation | None = None, sha256: str | None = None
    ) -> File:
        """The file's bytes, at most `limit` of them; its address is resolved anew once when it has run out.

        `reservation` holds their memory before they are asked for, or before they are read where Meta named no size.

        So it is where the bytes differ from their digest; then they are taken: a wrong digest proves no wrong file.
        Raises FileTooLarge, MediaGone, MediaRefused, and what every call can: GraphError, Unavailable.
        """
        for last in (False, True):
            found = await self._resolve(media_id)
            try:
                await _reserve(reservation, found.get("file_size"), limit)
                data = await self._download(text(found.get("url")) or "", limit, reservation)
            except MediaGone:
                if last:
                    raise
                continue
            # Beside the loop: a large file takes a tenth of a second.
            if last or await asyncio.to_thread(_matches, data, sha256):
                return File(data, text(found.get("mime_type")) or "")
        raise MediaGone("no file")  # pragma: no cover - the loop returns or raises

    async def _resolve(self, media_id: str) -> dict[str, Any]:
        try:
            return await self._call("GET", quote(media_id, safe=""), params={"phone_number_id": self.number})
        except GraphError as error:
            if error.remedy is Remedy.GIVE_UP:
                raise MediaGone("Meta doesn't know this media id") from error
            raise

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        url = self._base.joinpath(path, encoded=True)
        try:
            async with self._http.request(
                method, url, headers=self._bearer(), timeout=_CALL, allow_redirects=False, **request
            ) as response:
                body = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise MetaUnavailable("no connection to Meta", in_doubt=False) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise MetaUnavailable("no answer from Meta", in_doubt=True) from error
        if not response.ok or response.status >= 300:  # noqa: PLR2004 - Meta redirects no call
            raise error_from(response.status, body)
        try:
            return mapping(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise MetaUnavailable("Meta's answer is not JSON", in_doubt=True) from error

    async def _download(self, link: str, limit: int, reservation: ByteReservation | None) -> bytes:
        try:
            url = URL(link, encoded=True)
            async with asyncio.timeout(_DOWNLOAD_SECONDS):
                for _ in range(_REDIRECTS):
                    async with self._http.get(url, headers=self._bearer_for(url), allow_redirects=False) as response:
                        if response.status in (301, 302, 303, 307, 308):
                            url = url.join(URL(response.headers.get("Location", ""), encoded=True))
                            continue
                        return await _read(response, limit, reservation)
        except ValueError as error:
            raise MediaRefused("the link of this file is no address") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise MetaUnavailable("a download from Meta broke off", in_doubt=False) from error
        raise MediaRefused("too many redirects")

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _bearer_for(self, url: URL) -> dict[str, str]:
        """The token goes to Meta's hosts over TLS and to the configured host; a link elsewhere is not followed.

        Without TLS it goes nowhere, unless the configured address itself has none (a proxy on the same machine).
        """
        host = (url.host or "").lower().rstrip(".")
        metas = any(host == name or host.endswith(f".{name}") for name in _MEDIA_HOSTS)
        ours = host == (self._base.host or "").lower().rstrip(".")
        if (url.scheme == "https" and (metas or ours)) or (ours and url.scheme == self._base.scheme == "http"):
            return self._bearer()
        raise MediaRefused("the link of this file doesn't lead to Meta")


async def _reserve(reservation: ByteReservation | None, size: Any, limit: int) -> None:
    """Have memory for a file of this size, as Meta or a header names it; None or a strange one is the limit."""
    written = str(size)[:18] if isinstance(size, int | str) else ""
    expected = int(written) if written.isascii() and written.isdecimal() else limit
    if expected > limit:
        raise FileTooLarge(f"{expected} bytes; {limit} are taken")
    if reservation is not None:
        await reservation.grow(expected)


async def _read(response: aiohttp.ClientResponse, limit: int, reservation: ByteReservation | None) -> bytes:
    if response.status == _NOT_FOUND:
        raise MediaGone("the link of this file has run out")
    if not response.ok:
        raise MetaUnavailable(f"HTTP {response.status} for a download", in_doubt=False)
    # A body that is unpacked here has more bytes than its header says.
    packed = "Content-Encoding" in response.headers
    await _reserve(reservation, None if packed else response.content_length, limit)
    data = io.BytesIO()
    async for chunk in response.content.iter_chunked(65536):
        if data.tell() + len(chunk) > limit:
            raise FileTooLarge(f"larger than {limit} bytes")
        data.write(chunk)
    return data.getvalue()


def _matches(data: bytes, sha256: str | None) -> bool:
    """Webhooks give the digest in base64, the media call in hexadecimal: decoded, both are 32 bytes."""
    if not sha256:
        return True
    digest = hashlib.sha256(data)
    try:
        return digest.hexdigest() == sha256.lower() or digest.digest() == base64.b64decode(sha256, validate=True)
    except binascii.Error:
        return True
