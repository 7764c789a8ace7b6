"""The company's identity provider, over HTTP: what it publishes about itself, its keys, its answer to a code.

Each answer is limited in time and size, no redirect is followed, and all addresses have TLS or are of this machine.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.settings import OidcSettings
from bot.settings.reading import SecureUrl

_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)
_MOST_BYTES = 256 * 1024
_LONGEST = 16 * 1024
# The provider's configuration and keys are read again after an hour; while they can't be read, after a few seconds.
_PUBLISHED_SECONDS = 3600.0
_AGAIN_SECONDS = 3.0
_OK, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500


class ProviderAway(Exception):
    """The provider can't be used now; the text is for the log and tells the fix, without the provider's own words."""


class CodeRefused(Exception):
    """The provider refuses the code: it was used, has expired, or is made up."""


class PublishedFacts(BaseModel):
    """The provider's configuration, as its discovery document tells it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    issuer: str
    authorization_endpoint: SecureUrl
    token_endpoint: SecureUrl
    jwks_uri: SecureUrl
    userinfo_endpoint: SecureUrl | None = None
    # The standard's own default.
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class ProviderTokens(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id_token: str = Field(max_length=_LONGEST)
    access_token: str = Field("", max_length=_LONGEST)


class IdentityProvider:
    def __init__(self, http: aiohttp.ClientSession, settings: OidcSettings) -> None:
        self._http = http
        self._issuer = (settings.issuer or "").rstrip("/")
        self._reading = asyncio.Lock()
        self._published: PublishedFacts | None = None
        self._keys: dict[str, Any] | None = None
        self._read_again_at = 0.0
        self._failure: ProviderAway | None = None

    async def published(self) -> PublishedFacts:
        """The provider's configuration. Raises ProviderAway."""
        return (await self._current())[0]

    async def keys(self) -> dict[str, Any]:
        """The key set that signs its tokens. Raises ProviderAway."""
        return (await self._current())[1]

    async def newer_keys(self, known: dict[str, Any]) -> dict[str, Any]:
        """The key set, read again unless another login has just done so. Raises ProviderAway."""
        async with self._reading:
            if self._published is None:
                return known
            if self._keys is known:
                self._keys = await self._read(self._published.jwks_uri, "its keys")
            return self._keys or known

    async def redeem(self, url: str, headers: dict[str, str], body: str) -> ProviderTokens:
        """The tokens for a code. Raises CodeRefused, ProviderAway."""
        status, answer = await self._ask("POST", url, headers, body.encode())
        if _CLIENT_ERROR <= status < _SERVER_ERROR:
            code = answer.get("error")
            if code in ("invalid_grant", "access_denied"):
                raise CodeRefused
            shown = code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else "no reason"
            raise ProviderAway(f"it refuses Recado ({shown}); see OIDC_CLIENT_ID, OIDC_CLIENT_SECRET and PUBLIC_URL")
        if status != _OK:
            raise ProviderAway(f"it answers HTTP {status} to a code")
        try:
            return ProviderTokens.model_validate(answer)
        except ValidationError as error:
            raise ProviderAway("its answer to a code has no ID token") from error

    async def user_info(self, url: str, access_token: str) -> dict[str, Any]:
        """The person's facts, for providers whose ID tokens name no address. Raises ProviderAway."""
        return await self._read(url, "its facts of the person", {"Authorization": f"Bearer {access_token}"})

    async def _current(self) -> tuple[PublishedFacts, dict[str, Any]]:
        async with self._reading:
            if time.monotonic() >= self._read_again_at:
                try:
                    published = await self._read_published()
                    self._published, self._keys = published, await self._read(published.jwks_uri, "its keys")
                    self._failure, self._read_again_at = None, time.monotonic() + _PUBLISHED_SECONDS
                except ProviderAway as error:
                    self._failure, self._read_again_at = error, time.monotonic() + _AGAIN_SECONDS
            if self._failure or self._published is None or self._keys is None:
                raise ProviderAway(str(self._failure or "it was never read"))
            return self._published, self._keys

    async def _read_published(self) -> PublishedFacts:
        answer = await self._read(f"{self._issuer}/.well-known/openid-configuration", "its configuration")
        try:
            found = PublishedFacts.model_validate(answer)
        except ValidationError as error:
            field = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
            raise ProviderAway(f"its configuration has a missing or wrong {field[:60]}") from error
        if found.issuer.rstrip("/") != self._issuer:
            raise ProviderAway("its configuration names another issuer; copy OIDC_ISSUER from there")
        return found

    async def _read(self, url: str, what: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        status, answer = await self._ask("GET", url, headers or {})
        if status != _OK:
            raise ProviderAway(f"HTTP {status} instead of {what}; see OIDC_ISSUER")
        return answer

    async def _ask(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, dict[str, Any]]:
        sent = headers | {"Accept": "application/json", "Accept-Encoding": "identity"}
        received = bytearray()
        try:
            async with self._http.request(
                method, url, headers=sent, data=body, allow_redirects=False, timeout=_TIMEOUT
            ) as response:
                async for piece in response.content.iter_any():
                    received += piece
                    if len(received) > _MOST_BYTES:
                        raise ProviderAway("its answer is too large")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise ProviderAway(f"no answer ({type(error).__name__}); see OIDC_ISSUER") from error
        return response.status, _object(bytes(received))


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; anything else counts as an empty one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
