"""Login with an account of the company (OpenID Connect: code flow with PKCE, state and nonce).

`begin` gives the browser the provider's address and a signed cookie with the login's secrets. `finish` takes the
provider's answer once, and only with that cookie.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import importlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import structlog
from redis.asyncio import Redis

from bot.infra.signed_tokens import SignedTokens, TokenWrong
from bot.people.provider import CodeRefused, IdentityProvider, ProviderAway, ProviderTokens, PublishedFacts
from bot.settings import OidcSettings

if TYPE_CHECKING:
    from bot.people import oidc_protocol

SECONDS = 10 * 60
_SECRET = "recado:secret:oidc"  # noqa: S105 - the name of a key
_MOST_AT_ONCE = 8
_log = structlog.get_logger()


class LoginUnfinished(Exception):
    """The answer belongs to no login of this browser, was used, or proves nothing."""


class EmailUnverified(Exception):
    """The provider names no address, or doesn't vouch for it."""

    def __init__(self, email: str) -> None:
        super().__init__("the provider does not vouch for the address")
        self.email = email


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """`url` is the provider's page, `cookie` the proof that this browser began."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """Parameters with which the provider sent the browser back; it may leave the issuer out."""

    state: str
    code: str
    issuer: str | None = None


class CompanyLogin:
    def __init__(
        self, redis: Redis, http: aiohttp.ClientSession, settings: OidcSettings, public_url: str | None
    ) -> None:
        self._redis = redis
        self._settings = settings
        self._redirect_uri = redirect_uri(public_url)
        self._tokens = SignedTokens(redis, _SECRET)
        self._provider = IdentityProvider(http, settings)
        self._room = asyncio.Semaphore(_MOST_AT_ONCE)

    async def begin(self) -> BegunLogin:
        """Begin a login. Raises ProviderAway."""
        protocol, published = await _protocol(), await self._provider.published()
        own = protocol.LoginSecrets(*(secrets.token_urlsafe(32) for _ in range(3)))
        cookie = await self._tokens.sign(own.state, own.nonce, own.verifier, seconds=SECONDS)
        return BegunLogin(protocol.authorization_url(published, self._client(protocol), own), cookie)

    async def finish(self, cookie: str, answer: ProviderAnswer) -> str:
        """The address of the person who logged in. Raises LoginUnfinished, EmailUnverified, ProviderAway."""
        protocol = await _protocol()
        own = await self._own(protocol, cookie, answer.state)
        if self._room.locked():
            raise ProviderAway("too many logins wait for it")
        async with self._room:
            published = await self._provider.published()
            if answer.issuer is not None and answer.issuer != published.issuer:
                raise LoginUnfinished("issuer of the answer")
            request = protocol.token_request(published, self._client(protocol), answer.code, own.verifier)
            try:
                tokens = await self._provider.redeem(*request)
            except CodeRefused as error:
                raise LoginUnfinished("code") from error
            claims = await self._claims(protocol, published, tokens, own.nonce)
            if "email" not in claims and published.userinfo_endpoint and tokens.access_token:
                told = await self._provider.user_info(published.userinfo_endpoint, tokens.access_token)
                if told.get("sub") != claims["sub"]:
                    raise LoginUnfinished("sub")
                claims = claims | told | {"iss": claims["iss"]}
        email, verified = protocol.email_of(claims)
        if not verified:
            raise EmailUnverified(email)
        return str(email)

    async def _own(self, protocol: Any, cookie: str, state: str) -> oidc_protocol.LoginSecrets:
        """The secrets of the login that this browser began, once."""
        try:
            own: oidc_protocol.LoginSecrets = protocol.LoginSecrets(*await self._tokens.read(cookie))
        except (TokenWrong, TypeError, ValueError) as error:
            raise LoginUnfinished("cookie") from error
        if not hmac.compare_digest(own.state.encode(), state.encode("utf-8", "surrogateescape")):
            raise LoginUnfinished("state")
        used = hashlib.sha256(own.state.encode()).hexdigest()[:32]
        if not await self._redis.set(f"recado:oidc:used:{used}", "1", nx=True, ex=SECONDS):
            raise LoginUnfinished("used")
        return own

    async def _claims(
        self, protocol: Any, published: PublishedFacts, tokens: ProviderTokens, nonce: str
    ) -> dict[str, Any]:
        """The claims of the ID token; if its key is unknown, the provider's keys are read again once."""
        expected = protocol.ExpectedClaims(published.issuer, self._settings.client_id, nonce, tokens.access_token)
        keys = await self._provider.keys()
        try:
            try:
                found: dict[str, Any] = protocol.claims_of(tokens.id_token, keys, expected)
            except protocol.KeyUnknown:
                found = protocol.claims_of(tokens.id_token, await self._provider.newer_keys(keys), expected)
        except protocol.IdTokenWrong as error:
            raise LoginUnfinished(f"ID token: {error}") from error
        return found

    def _client(self, protocol: Any) -> oidc_protocol.Client:
        secret = self._settings.client_secret
        client: oidc_protocol.Client = protocol.Client(
            self._settings.client_id, secret.get_secret_value() if secret else "", self._redirect_uri
        )
        return client


def redirect_uri(public_url: str | None) -> str:
    """The address to register with the provider."""
    return f"{public_url}/console/oidc/callback"


async def _protocol() -> Any:
    """The module that stands on authlib, imported in a thread, because webhooks can't wait for it."""
    try:
        return await asyncio.to_thread(importlib.import_module, "bot.people.oidc_protocol")
    except ModuleNotFoundError as error:
        raise ProviderAway(f"{error.name} is not installed; pip install recado[oidc]") from error
