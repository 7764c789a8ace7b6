"""Reads of what a provider of logins publishes about itself: within limits, and only where it is safe to follow."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.people.oidc_protocol import email_of
from bot.people.provider import IdentityProvider, ProviderAway
from bot.settings import OidcSettings
from bot.web.server import listening
from tests.rows import each

_MICROSOFT = "https://login.microsoftonline.com/0a1b/v2.0"


def document(url: str, **changed: Any) -> dict[str, Any]:
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    return {"issuer": url} | {name: f"{url}/{name}" for name in names} | changed


async def published(changed: dict[str, Any] | bytes | int) -> str:
    """Read the document of a provider that publishes this; gives its issuer."""

    async def configuration(request: web.Request) -> web.Response:
        if isinstance(changed, int):
            return web.Response(status=changed, headers={"Location": "/elsewhere"})
        return web.Response(
            body=changed if isinstance(changed, bytes) else json.dumps(document(str(request.url.origin())) | changed)
        )

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"keys": []})

    async def elsewhere(request: web.Request) -> web.Response:
        return web.json_response(document(str(request.url.origin())))

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", configuration)
    app.router.add_get("/jwks_uri", keys)
    app.router.add_get("/elsewhere", elsewhere)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url, aiohttp.ClientSession() as http:
        settings = OidcSettings(issuer=url, client_id="recado", client_secret=SecretStr("s"))
        return (await IdentityProvider(http, settings).published()).issuer.replace(url, "")


async def test_a_plain_configuration_is_read() -> None:
    assert await published({"scopes_supported": ["openid"], "userinfo_endpoint": "https://id.example.com/me"}) == ""


@each(
    ("changed", "words"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"token_endpoint": "http://id.example.com/token"}, "token_endpoint"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"authorization_endpoint": None}, "authorization_endpoint"),
        ({"token_endpoint": "https://user:hunter2@id.example.com/"}, "token_endpoint"),
        ({"more": "x" * 300_000}, "too large"),
        (b"<html>", "issuer"),
        (b"[" * 200_000, "issuer"),
        (302, "HTTP 302"),
        (500, "HTTP 500"),
    ],
    ids=str,
)
async def test_a_configuration_that_leads_astray_is_refused(changed: dict[str, Any] | bytes | int, words: str) -> None:
    with pytest.raises(ProviderAway) as refused:
        await published(changed)
    assert words in str(refused.value)
    assert "hunter2" not in str(refused.value)


@each(
    ("claims", "expected"),
    [
        ({"email": "a@example.com", "email_verified": True}, ("a@example.com", True)),
        ({"email": "a@example.com", "email_verified": "true"}, ("a@example.com", True)),
        ({"email": "a@example.com", "email_verified": "false"}, ("a@example.com", False)),
        ({"email": "a@example.com", "email_verified": None}, ("a@example.com", False)),
        ({"email": "a@example.com", "email_verified": ["true"]}, ("a@example.com", False)),
        ({"email": "a@example.com"}, ("a@example.com", False)),
        ({"email": "a@example.com", "xms_edov": "1", "iss": _MICROSOFT}, ("a@example.com", True)),
        ({"email": "a@example.com", "xms_edov": False, "iss": _MICROSOFT}, ("a@example.com", False)),
        (
            {"email": "a@example.com", "email_verified": False, "xms_edov": True, "iss": _MICROSOFT},
            ("a@example.com", False),
        ),
        ({"email": "a@example.com", "xms_edov": True, "iss": "https://evil.example"}, ("a@example.com", False)),
        ({"email": ["a@example.com"], "email_verified": True}, ("", False)),
        ({"email": "a" * 400, "email_verified": True}, ("", False)),
        ({"email": "a@example.com\n", "email_verified": True}, ("", False)),
        ({"email_verified": True}, ("", False)),
    ],
    ids=str,
)
def test_an_address_counts_where_the_provider_vouches_for_it(
    claims: dict[str, Any], expected: tuple[str, bool]
) -> None:
    assert email_of(claims) == expected
