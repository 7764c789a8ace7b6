"""Check of the company's own login (OpenID Connect)."""

from __future__ import annotations

from importlib.util import find_spec

import aiohttp

from bot.cli.doctor.check import CheckResult
from bot.cli.doctor.words import quoted, said
from bot.people.company_login import redirect_uri
from bot.people.provider import IdentityProvider, ProviderAway
from bot.settings import Settings

_NAME = "OpenID"


async def company_login(settings: Settings, http: aiohttp.ClientSession) -> CheckResult:
    oidc, public_url = settings.oidc, settings.service.public_url
    needed = {
        "OIDC_ISSUER": oidc.issuer,
        "OIDC_CLIENT_ID": oidc.client_id,
        "OIDC_CLIENT_SECRET": oidc.client_secret,
    }
    if not any(needed.values()):
        return CheckResult(_NAME, "absent", said("passwords alone"))
    missing = [name for name, value in (needed | {"PUBLIC_URL": public_url}).items() if not value]
    if missing:
        return CheckResult(_NAME, "wrong", said("needs too", missing=", ".join(missing)))
    if find_spec("authlib") is None:
        return CheckResult(_NAME, "wrong", said("needs authlib"))
    try:
        published = await IdentityProvider(http, oidc).published()
    except ProviderAway as error:
        return CheckResult(_NAME, "wrong", said("provider away", issuer=oidc.issuer, error=quoted(str(error))))
    facts = {"label": oidc.label, "issuer": published.issuer, "uri": redirect_uri(public_url)}
    return CheckResult(_NAME, "ok", said("provider answers", **facts))
