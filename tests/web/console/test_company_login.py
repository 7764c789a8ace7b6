"""Logins of the console with the company's accounts, at a real OpenID Connect provider, and attackers of both sides."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp
import pytest

from bot.cli.doctor.people import company_login
from bot.people.audit import AuditFilter, AuditLog
from tests.company_provider import CompanyProvider, company_provider
from tests.console import Answer, Browser, operators_of
from tests.rows import each
from tests.world import Start, World

# One provider serves all.
pytestmark = pytest.mark.xdist_group("company")
_DESK = "https://desk.example.com"
_EVA = {"email": "eva@example.com", "email_verified": True}


@dataclass
class Company:
    """Recado, the company's provider, and a browser that goes from one to the other."""

    world: World
    provider: CompanyProvider
    cookies: dict[str, str] = field(default_factory=dict)

    async def log_in_as(self, claims: dict[str, Any], *, in_id_token: bool = True, **forgery: Any) -> Answer:
        await self.provider.ask("person", claims=claims, inIdToken=in_id_token, forgery=forgery or None)
        return await self.finish(await self.visit_provider(await self.begin()))

    async def begin(self) -> str:
        """The provider's address; the cookie of the login stays in the browser."""
        begun = await self.ask("oidc", {})
        assert begun.status == 200, begun.body
        self.cookies["recado_oidc"] = _cookie(begun, "recado_oidc")
        return str(begun.body["url"])

    async def visit_provider(self, url: str) -> dict[str, str]:
        """The parameters with which the provider sends the browser back, after its own pages."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as visitor:
            while not url.startswith(f"{_DESK}/console/oidc/callback?"):
                async with visitor.get(url, allow_redirects=False) as page:
                    assert page.status in (302, 303), await page.text()
                    url = urljoin(str(page.url), page.headers["Location"])
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    async def finish(self, returned: dict[str, str]) -> Answer:
        return await self.ask("oidc/session", returned)

    async def ask(self, path: str, body: Any, *, method: str = "POST", **headers: str) -> Answer:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Accept-Language": "en"}
        return await Browser(self.world).ask(method, path, json=body, headers=sent | {"Origin": _DESK} | headers)

    async def audited(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        operators = await operators_of(self.world)
        entries = await AuditLog(operators._database).entries(AuditFilter())
        await operators._database.close()
        return [(entry.who, entry.action, entry.object, dict(entry.details)) for entry in entries]


@pytest.fixture(scope="module")
def provider() -> Iterator[CompanyProvider]:
    with company_provider(f"{_DESK}/console/oidc/callback") as found:
        yield found


@pytest.fixture
async def company(start: Start, provider: CompanyProvider) -> Company:
    found = await provider.ask("start")
    world = await start(
        workers=0,
        PUBLIC_URL=_DESK,
        OIDC_ISSUER=found["issuer"],
        OIDC_CLIENT_ID=found["client_id"],
        OIDC_CLIENT_SECRET=found["client_secret"],
        OIDC_NAME="Cuentas",
    )
    operators = await operators_of(world)
    await operators.add("Eva", "Eva@example.com", "supervisor")
    await operators._database.close()
    return Company(world, provider)


def _cookie(answer: Answer, name: str) -> str:
    found = next(cookie for cookie in answer.headers.getall("Set-Cookie") if cookie.startswith(f"{name}="))
    return str(found.partition("=")[2].partition(";")[0])


@pytest.mark.parametrize(
    "in_id_token", [True, False], ids=["in the ID token, secret in the body", "at userinfo, secret in the header"]
)
async def test_an_operator_logs_in_with_the_companys_account(company: Company, *, in_id_token: bool) -> None:
    answer = await company.log_in_as(_EVA, in_id_token=in_id_token)
    assert (answer.status, answer.body["email"], answer.body["role"]) == (200, "Eva@example.com", "supervisor")
    flags = answer.headers.getall("Set-Cookie")[0]
    assert re.search(r"recado_session=.+HttpOnly.+Path=/console; SameSite=Strict; Secure", flags), flags
    me = await Browser(company.world, cookie=_cookie(answer, "recado_session")).get("session")
    assert (me.status, me.body["name"]) == (200, "Eva")
    assert await company.audited() == [("Eva@example.com", "login", "Eva@example.com", {"by": "OpenID Connect"})]


async def test_nobody_becomes_an_operator_by_an_account(company: Company) -> None:
    for claims, code, why in (
        ({"email": "otro@example.com", "email_verified": True}, "company_login_unknown", "no_operator"),
        ({"email": "eva@example.com", "email_verified": False}, "company_login_unverified", "unverified"),
        ({"email": "eva@example.com"}, "company_login_unverified", "unverified"),
        ({"email": "eva@example.com", "xms_edov": True}, "company_login_unverified", "unverified"),
        # A sign that becomes the operator's when both are compared without capitals.
        ({"email": "ℯva@example.com", "email_verified": True},
         "company_login_unknown", "no_operator"),
    ):  # fmt: skip
        answer = await company.log_in_as(claims)
        assert (answer.status, answer.code) == (403, code), claims
        assert "Set-Cookie" not in answer.headers
        assert (await company.audited())[0] == ("OpenID Connect", "login_refused", claims["email"], {"why": why})


async def test_a_disabled_operator_stays_out(company: Company) -> None:
    operators = await operators_of(company.world)
    await operators.disable("eva@example.com")
    await operators._database.close()
    assert (await company.log_in_as(_EVA)).code == "company_login_unknown"


async def test_an_answer_is_good_once_and_in_its_own_browser(company: Company) -> None:
    await company.provider.ask("person", claims=_EVA, inIdToken=True)
    returned = await company.visit_provider(await company.begin())
    wrong_state = await company.finish(returned | {"state": "x" * 43})
    assert (wrong_state.status, wrong_state.code) == (401, "company_login_unfinished")
    assert (await company.finish(returned | {"iss": "https://evil.example"})).status == 401

    returned = await company.visit_provider(await company.begin())
    both = await asyncio.gather(*(company.finish(returned) for _ in range(2)))
    assert sorted(answer.status for answer in both) == [200, 401]

    # A code of another login, with this login's own state: the provider knows by PKCE whose it is.
    stolen = await company.visit_provider(await company.begin())
    await company.begin()
    state = parse_qs(urlsplit(await company.begin()).query)["state"][0]
    assert (await company.finish(stolen | {"state": state})).code == "company_login_unfinished"

    company.cookies["recado_oidc"] = "planted.signature"
    assert (await company.finish(stolen)).code == "company_login_unfinished"
    del company.cookies["recado_oidc"]
    assert (await company.finish(stolen)).code == "company_login_unfinished"


@each(
    "forgery",
    [
        {"set": {"nonce": "of another login"}},
        {"drop": ["nonce"]},
        {"set": {"aud": "another-app"}},
        {"set": {"aud": ["recado", "another-app"]}},
        {"set": {"aud": ["recado"], "azp": "another-app"}},
        {"set": {"iss": "https://evil.example"}},
        {"set": {"exp": 1_700_000_000}},
        {"drop": ["exp"]},
        {"set": {"at_hash": "of-another-token"}},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "stranger"},
    ],
    ids=str,
)
async def test_a_forged_id_token_logs_nobody_in(company: Company, forgery: dict[str, Any]) -> None:
    assert (await company.log_in_as(_EVA, set={})).status == 200
    answer = await company.log_in_as(_EVA, **forgery)
    assert (answer.status, answer.code) == (401, "company_login_unfinished")
    assert "Set-Cookie" not in answer.headers


async def test_the_facts_of_another_person_log_nobody_in(company: Company) -> None:
    assert (await company.log_in_as(_EVA, in_id_token=False, sub="another")).code == "company_login_unfinished"


async def test_a_provider_may_change_its_keys(company: Company) -> None:
    assert (await company.log_in_as(_EVA)).status == 200
    await company.provider.ask("rotate")
    assert (await company.log_in_as(_EVA)).status == 200


async def test_a_provider_that_is_away_is_told_so(company: Company) -> None:
    await company.provider.ask("person", claims=_EVA, inIdToken=True)
    returned = await company.visit_provider(await company.begin())
    async with aiohttp.ClientSession() as http:
        found = await company_login(company.world.settings, http)
        assert (found.state, f"{_DESK}/console/oidc/callback" in found.words) == ("ok", True), found.words
        await company.provider.ask("stop")
        assert (await company_login(company.world.settings, http)).state == "wrong"
    answer = await company.finish(returned)
    assert (answer.status, answer.code) == (503, "company_login_away")


async def test_wrong_answers_are_limited_by_address(company: Company) -> None:
    body = {"state": "s", "code": "c"}
    tries = await asyncio.gather(*(company.finish(body) for _ in range(35)))
    assert [answer.status for answer in tries].count(401) == 30
    limited = next(answer for answer in tries if answer.status == 429)
    assert (limited.code, int(limited.headers["Retry-After"]) > 0) == ("too_many_tries", True)


async def test_another_sites_page_begins_no_login(company: Company) -> None:
    for path in ("oidc", "oidc/session"):
        refused = await company.ask(path, {}, Origin="https://evil.example")
        assert (refused.status, refused.code) == (403, "cross_site")
    elsewhere = await company.ask("oidc", {}, Origin=company.world.url)
    assert (elsewhere.status, elsewhere.code) == (409, "company_login_elsewhere")
    assert "https://desk.example.com/console/" in elsewhere.body["error"]["message"]


async def test_the_login_page_offers_it_where_it_is_configured(company: Company, start: Start) -> None:
    assert (await company.ask("oidc", None, method="GET")).body == {"name": "Cuentas"}
    async with company.world.http.get(f"{company.world.url}/console/oidc/callback?code=x&state=y") as page:
        assert (page.status, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    plain = Browser(await start(workers=0, OIDC_ISSUER="", OIDC_CLIENT_ID="", OIDC_CLIENT_SECRET=""))
    assert (await plain.get("oidc")).body == {"name": None}
    assert (await plain.post("oidc")).code == "company_login_off"
    assert (await plain.post("oidc/session", {"state": "s", "code": "c"})).status == 404
