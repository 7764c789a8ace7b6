"""`recado doctor`: each integration absent, in order or wrong, with the fix, and no secret."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from redis.asyncio import Redis

from bot.cli.doctor import CheckResult, examine, report
from bot.integrations.push.vapid import new_pair
from bot.settings import Settings
from bot.web.server import listening
from sandbox.simulators.event_subscriber import new_secret
from tests.processes import recado
from tests.world import Start, World

INTEGRATIONS = [
    "Redis",
    "Database",
    "WhatsApp",
    "Webhook",
    "Sending",
    "OpenRouter",
    "Whisper",
    "Vision",
    "Stripe",
    "Storage",
    "Prompts",
    "Documents",
    "Audio",
    "Subscribers",
    "Web Push",
    "Console",
    "OpenID",
    "Metrics",
    "E-mail",
]


async def finding(integration: str) -> CheckResult:
    (found,) = [finding for finding in await examine(Settings()) if finding.integration == integration]
    return found


@pytest.fixture
async def html() -> AsyncIterator[str]:
    """A server that answers every request with a page, as a wrong address often does."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", page)
    async with listening(app, "127.0.0.1", 0, finish=0.1) as url:
        yield url


async def test_the_table_of_roles_and_tools_is_printed() -> None:
    text = await recado("doctor", "--tools")
    assert text.code == 0
    assert [
        line.split()[:3] for line in text.out.splitlines() if line.startswith(("business_hours", "send_template"))
    ] == [
        ["business_hours", "✓", "✓"],
        ["send_template", "–", "✓"],
    ]
    rows = json.loads((await recado("doctor", "--tools", "--format", "json")).out)
    assert {row["tool"]: (row["customer"], row["staff"], row["operator"]) for row in rows}["send_template"] == (
        False,
        True,
        False,
    )


async def test_a_service_that_is_whole_is_found_in_order(start: Start) -> None:
    await start(workers=0)
    findings = await examine(Settings())
    assert [finding.integration for finding in findings] == INTEGRATIONS
    assert {finding.integration: finding.state for finding in findings if finding.state != "ok"} == dict.fromkeys(
        ("Vision", "Stripe", "Documents", "E-mail", "Subscribers", "Web Push", "OpenID", "Metrics"), "absent"
    )


async def test_what_is_not_configured_is_absent_and_says_what_to_set(
    redis: Redis, redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_address)
    absent = {finding.integration: finding.words for finding in await examine(Settings()) if finding.state == "absent"}
    assert set(absent) == {
        "WhatsApp",
        "Webhook",
        "Sending",
        "OpenRouter",
        "Whisper",
        "Vision",
        "Stripe",
        "E-mail",
        "Subscribers",
        "Web Push",
        "Console",
        "OpenID",
        "Metrics",
        "Documents",
    }
    for variable, integration in {
        "WHATSAPP_ACCESS_TOKEN": "WhatsApp",
        "WHATSAPP_APP_SECRET": "Webhook",
        "OPENROUTER_API_KEY": "OpenRouter",
        "OPENAI_API_KEY": "Whisper",
        "GOOGLE_APPLICATION_CREDENTIALS": "Vision",
        "WEBHOOK_SUBSCRIBERS": "Subscribers",
        "recado keys vapid": "Web Push",
        "STRIPE_SECRET_KEY": "Stripe",
        "CONSOLE_TOKEN": "Console",
        "METRICS_TOKEN": "Metrics",
        "KNOWLEDGE_DIR": "Documents",
        "SENDGRID_API_KEY": "E-mail",
    }.items():
        assert variable in absent[integration]


@pytest.mark.parametrize(
    ("variable", "value", "integration", "fix"),
    [
        ("REDIS_URL", "redis://127.0.0.1:9/0", "Redis", "REDIS_URL"),
        ("DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:9/recado", "Database", "DATABASE_URL"),
        ("WHATSAPP_ACCESS_TOKEN", "hunter2", "WhatsApp", "make a token"),
        ("WHATSAPP_PHONE_NUMBER_ID", "999", "WhatsApp", "see the number's id"),
        ("WHATSAPP_API_BASE_URL", "http://127.0.0.1:9", "WhatsApp", "WHATSAPP_API_BASE_URL"),
        ("WHATSAPP_WEBHOOK_VERIFY_TOKEN", "", "Webhook", "WHATSAPP_WEBHOOK_VERIFY_TOKEN"),
        ("OPENROUTER_API_KEY", "hunter2", "OpenRouter", "OPENROUTER_API_KEY"),
        ("LLM_BASE_URL", "http://127.0.0.1:9/api/v1", "OpenRouter", "LLM_BASE_URL"),
        ("OPENAI_API_KEY", "hunter2", "Whisper", "OPENAI_API_KEY"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1", "Whisper", "OPENAI_BASE_URL"),
        ("GOOGLE_VISION_ENDPOINT", "http://127.0.0.1:9", "Vision", "GOOGLE_VISION_ENDPOINT"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "nowhere.json", "Vision", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("STORAGE_DIR", "/dev/null/files", "Storage", "STORAGE_DIR"),
        ("STORAGE_PROVIDER", "r2", "Storage", "R2_BUCKET"),
        ("PROMPTS_DIR", "nowhere", "Prompts", "PROMPTS_DIR"),
        ("WEBHOOK_SUBSCRIBERS", "https://127.0.0.1:9/hunter2", "Subscribers", "set WEBHOOK_SECRET"),
        ("VAPID_PUBLIC_KEY", "B" * 87, "Web Push", "VAPID_PRIVATE_KEY are not set"),
    ],
)
async def test_what_does_not_work_is_wrong_and_says_what_to_see_to(
    start: Start, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, integration: str, fix: str
) -> None:
    await start(workers=0)
    monkeypatch.setenv(variable, value)
    found = await finding(integration)
    assert found.state == "wrong"
    assert fix in found.words
    assert "hunter2" not in found.words
    assert "\n" not in found.words


@pytest.mark.parametrize(
    ("variable", "integration"),
    [("WHATSAPP_API_BASE_URL", "WhatsApp"), ("LLM_BASE_URL", "OpenRouter"), ("OPENAI_BASE_URL", "Whisper")],
)
async def test_a_page_at_the_address_is_no_service(
    start: Start, html: str, monkeypatch: pytest.MonkeyPatch, variable: str, integration: str
) -> None:
    await start(workers=0)
    monkeypatch.setenv(variable, html)
    assert (await finding(integration)).state == "wrong"


async def test_a_vision_that_listens_is_found(start: Start, html: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await start(workers=0)
    monkeypatch.setenv("GOOGLE_VISION_ENDPOINT", html)
    assert (await finding("Vision")).state == "ok"


async def test_a_stripe_that_takes_the_key_and_tells_us_is_in_order(shop: World) -> None:
    found = await finding("Stripe")
    assert (found.state, "test mode" in found.words) == ("ok", True)


@pytest.mark.parametrize(
    ("variable", "value", "fix"),
    [
        ("STRIPE_SECRET_KEY", "sk_test_hunter2", "see STRIPE_SECRET_KEY"),
        ("STRIPE_SECRET_KEY", "pk_test_hunter2", "see STRIPE_SECRET_KEY"),
        ("STRIPE_API_BASE", "http://127.0.0.1:9", "STRIPE_API_BASE"),
        ("STRIPE_WEBHOOK_SECRET", "", "set STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_SECRET_KEY", "", "set STRIPE_SECRET_KEY"),
    ],
)
async def test_a_stripe_that_does_not_work_says_what_to_see_to(
    shop: World, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, fix: str
) -> None:
    monkeypatch.setenv(variable, value)
    found = await finding("Stripe")
    assert found.state == "wrong"
    assert fix in found.words
    assert "hunter2" not in found.words


async def test_a_redis_that_forgets_under_pressure_is_wrong(start: Start) -> None:
    world = await start(workers=0)
    await world.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = await finding("Redis")
    finally:
        await world.redis.config_set("maxmemory-policy", "noeviction")
    assert found.state == "wrong"
    assert "noeviction" in found.words


async def test_a_redis_that_lets_nobody_see_its_configuration_is_in_order(
    start: Start, redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await start(workers=0)
    await world.redis.acl_setuser(
        "tenant",
        enabled=True,
        passwords=["+hunter2"],
        keys=["*"],
        channels=["*"],
        categories=["+@all"],
        commands=["-config"],
    )
    monkeypatch.setenv("REDIS_URL", redis_address.replace("redis://", "redis://tenant:hunter2@"))
    try:
        assert (await finding("Redis")).state == "ok"
    finally:
        await world.redis.acl_deluser("tenant")


async def test_a_mistake_in_a_prompt_is_told_with_file_and_line(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await start(workers=0)
    folder = tmp_path / "prompts"
    shutil.copytree(os.environ["PROMPTS_DIR"], folder)
    (folder / "assistant.md").write_text("Uno\n{{ nobody }}\n")
    monkeypatch.setenv("PROMPTS_DIR", str(folder))
    found = await finding("Prompts")
    assert found.state == "wrong"
    assert "assistant.md:2" in found.words


async def test_the_command_prints_a_line_each_and_ends_with_0_when_nothing_is_wrong(start: Start) -> None:
    await start(workers=0)
    ended = await recado("doctor")
    assert (ended.code, ended.err) == (0, "")
    assert [line[2:].split("  ")[0] for line in ended.out.splitlines()] == INTEGRATIONS
    assert {line[0] for line in ended.out.splitlines()} == {"✓", "–"}


async def test_the_command_ends_with_1_when_something_is_wrong_and_speaks_json(start: Start) -> None:
    await start(workers=0)
    ended = await recado("doctor", "--format", "json", OPENROUTER_API_KEY="hunter2")
    assert ended.code == 1
    found = {entry["integration"]: entry for entry in json.loads(ended.out)}
    assert list(found) == INTEGRATIONS
    assert set(found["OpenRouter"]) == {"integration", "state", "words"}
    assert found["OpenRouter"]["state"] == "wrong"
    assert "hunter2" not in ended.out + ended.err


async def test_a_wrong_variable_is_told_by_the_command() -> None:
    ended = await recado("doctor", REDIS_PORT="hunter2")
    assert ended.code == 2
    assert ended.err.startswith("REDIS_PORT: ")


@pytest.mark.parametrize(
    ("url", "private", "found"),
    [
        (
            "http://127.0.0.1:9/hunter2",
            "false",
            "127.0.0.1: the address is private; allow it with WEBHOOK_ALLOW_PRIVATE",
        ),
        ("http://127.0.0.1:9/hunter2", "true", "127.0.0.1: no connection (ClientConnectorError)"),
        ("{html}/hunter2", "true", "1 can be reached, events are signed"),
    ],
)
async def test_subscribers_are_reached_or_it_is_said_why_not(
    url: str, private: str, found: str, html: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SUBSCRIBERS", url.format(html=html))
    monkeypatch.setenv("WEBHOOK_SECRET", new_secret())
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", private)
    told = await finding("Subscribers")
    assert told.words.startswith(found)
    assert told.wrong == ("reached" not in found)
    assert "hunter2" not in told.words


@pytest.mark.parametrize(
    ("variables", "state", "words"),
    [
        ({}, "ok", "until PUBLIC_URL is set"),
        ({"PUBLIC_URL": "https://recado.example.com"}, "ok", "invited to https://recado.example.com"),
        ({"PUBLIC_URL": "http://recado.example.com"}, "wrong", "only at https addresses"),
        ({"VAPID_SUBJECT": ""}, "wrong", "VAPID_SUBJECT=mailto:"),
        ({"VAPID_PRIVATE_KEY": new_pair()[1]}, "wrong", "not of one pair"),
    ],
)
async def test_vapid_keys_are_of_one_pair_and_lead_somewhere(
    variables: dict[str, str], state: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, private = new_pair()
    keys = {"VAPID_PUBLIC_KEY": public, "VAPID_PRIVATE_KEY": private, "VAPID_SUBJECT": "mailto:erp@example.com"}
    for name, value in (keys | variables).items():
        monkeypatch.setenv(name, value)
    found = await finding("Web Push")
    assert (found.state, words in found.words) == (state, True)
    assert private not in found.words


@pytest.mark.parametrize("password", ["Zq7vX9kWj2pT", "Zq7%23vX9k%2FWj2pT", "Zq7)vX9k'Wj2pT"])
async def test_no_line_holds_a_password_of_an_address(
    start: Start, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    await start(workers=0)
    environment = {
        "REDIS_URL": f"redis://erp:{password}@127.0.0.1:9/0",
        "WEBHOOK_SUBSCRIBERS": f"http://erp:{password}@127.0.0.1:9/hook?key={password}",
        "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WEBHOOK_ALLOW_PRIVATE": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    told = report(await examine(Settings()), "text")
    assert told.count("✗") == 2
    for piece in (password[start : start + 4] for start in range(len(password) - 3)):
        assert piece not in told


@pytest.mark.parametrize(
    ("variable", "value", "integration"),
    [
        ("WEBHOOK_SUBSCRIBERS", "https://operator:hunter2@127.0.0.1:9/", "Subscribers"),
        ("GOOGLE_VISION_ENDPOINT", "http://operator:hunter2@127.0.0.1:9", "Vision"),
    ],
)
async def test_a_password_in_an_address_is_a_finding_and_is_not_shown(
    start: Start, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, integration: str
) -> None:
    await start(workers=0)
    environment = {variable: value, "WEBHOOK_SECRET": new_secret(), "WEBHOOK_ALLOW_PRIVATE": "true"}
    for name, given in environment.items():
        monkeypatch.setenv(name, given)
    ended = await recado("doctor", "--format", "json")
    assert (ended.code, ended.err) == (1, "")
    assert "hunter2" not in ended.out
    assert [entry["integration"] for entry in json.loads(ended.out) if entry["state"] == "wrong"] == [integration]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LLM_BASE_URL", "https://operator:hunter2@127.0.0.1:9/api/v1"),
        ("LLM_BASE_URL", "https://hunter2@127.0.0.1:9/api/v1"),
        ("OPENAI_BASE_URL", "https://operator:hunter2@127.0.0.1:9/v1"),
        ("WHATSAPP_API_BASE_URL", "https://operator:hunter2@127.0.0.1:9"),
        ("STRIPE_API_BASE", "https://operator:hunter2@127.0.0.1:9"),
        ("SENDGRID_BASE_URL", "https://operator:hunter2@127.0.0.1:9"),
        ("AWS_ENDPOINT_URL_SES", "https://operator:hunter2@127.0.0.1:9"),
        ("AWS_ENDPOINT_URL_S3", "https://operator:hunter2@127.0.0.1:9"),
    ],
)
async def test_a_password_in_the_address_of_a_vendor_is_a_wrong_setting_and_is_not_shown(
    variable: str, value: str
) -> None:
    ended = await recado("doctor", **{variable: value})
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"{variable}: holds a user name or a password")
    assert "hunter2" not in ended.err


@pytest.mark.parametrize(
    ("variable", "value"),
    [("REDIS_PORT", "x"), ("LLM_BASE_URL", "nowhere"), ("LOG_LEVEL", "loud"), ("PUBLIC_URL", "ftp://erp.example")],
)
async def test_wrong_settings_are_wrong_use(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    ended = await recado("doctor", **{variable: value})
    assert (ended.code, ended.out) == (2, "")
    assert variable in ended.err
