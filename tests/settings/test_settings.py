"""Variables: what is taken, what is refused in one line each, and that no secret is ever shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import SECTIONS, Complaint, Settings, SettingsWrong, variables
from bot.settings.expected_in_spanish import EXPECTED
from bot.settings.reading import found_variables
from bot.settings.reading import read as read_section
from tests.rows import each

Read = Callable[..., Settings]
Refused = Callable[..., list[str]]
META = {"WHATSAPP_ACCESS_TOKEN": "EAAG-token", "WHATSAPP_PHONE_NUMBER_ID": "106540352242922"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    def read(**environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return read


@pytest.fixture
def refused(read: Read) -> Refused:
    def refused(**environment: str) -> list[str]:
        with pytest.raises(SettingsWrong) as caught:
            read(**environment)
        return caught.value.lines

    return refused


def test_nothing_need_be_set_to_read_the_settings(read: Read) -> None:
    settings = read()
    assert settings.whatsapp.api_base_url == "https://graph.facebook.com"
    assert settings.whatsapp.api_version == "v26.0"
    assert (settings.llm.model_default, settings.llm.model_fallback) == (
        "anthropic/claude-3-haiku",
        "openai/gpt-3.5-turbo",
    )
    assert (settings.llm.max_tokens, settings.llm.temperature, settings.llm.timeout_seconds) == (1000, 0.7, 30)
    assert (settings.turn.quiet_seconds, settings.turn.deadline_seconds) == (0.8, 60)
    assert (settings.memory.messages, settings.memory.tokens, settings.memory.ttl_days) == (40, 6000, 90)
    assert (settings.service.default_language, settings.service.timezone) == ("es", "America/Mexico_City")
    assert settings.service.shutdown_grace_seconds == 25
    assert (settings.log.level, settings.log.format) == ("info", "json")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("WHATSAPP_PHONE_NUMBER_ID", "+52 55", "digits only"),
        ("WHATSAPP_API_VERSION", "26", "such as v26.0"),
        ("WHATSAPP_API_BASE_URL", "graph.facebook.com", "the Graph API's address"),
        ("WHATSAPP_API_BASE_URL", "https://", "the Graph API's address"),
        ("LLM_BASE_URL", "http://[", "OpenRouter's address"),
        ("LLM_BASE_URL", "https://openrouter ai/api", "OpenRouter's address"),
        ("OPENAI_BASE_URL", "https://localhost:port/v1", "a server of the transcription API"),
        ("REDIS_PORT", "70000", "from 1 to 65535"),
        ("REDIS_TLS", "maybe", "true or false"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("OIDC_ISSUER", "http://accounts.example.com", "https://"),
        ("OIDC_ISSUER", "https://me:hunter2@accounts.example.com", "password"),
        ("REDIS_URL", "redis://localhost:port/0", "redis://"),
        ("LLM_MAX_TOKENS", "many", "tokens of one answer"),
        ("LLM_TEMPERATURE", "3", "from 0 to 2"),
        ("LLM_TIMEOUT_SECONDS", "0", "seconds of one attempt"),
        ("TURN_DEADLINE_SECONDS", "inf", "seconds from the first message"),
        ("TURN_DEADLINE_SECONDS", "nan", "seconds from the first message"),
        ("TURN_QUIET_SECONDS", "-1", "seconds of silence"),
        ("MEMORY_MESSAGES", "1", "messages that a conversation keeps"),
        ("GOOGLE_VISION_ENDPOINT", "https://vision.googleapis.com", "host:port"),
        ("DEFAULT_LANGUAGE", "fr", "es or en"),
        ("TIMEZONE", "Mars/Base", "an IANA name"),
        ("TIMEZONE", "../../etc/passwd", "an IANA name"),
        ("SHOP_CURRENCY", "$", "such as MXN"),
        ("SHOP_CURRENCY", "MXM", "ISO 4217"),
        ("LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("LOG_FORMAT", "xml", "json or console"),
    ],
)
def test_a_wrong_value_is_told_in_one_line_with_what_is_expected(
    refused: Refused, variable: str, value: str, expected: str
) -> None:
    (line,) = refused(**{variable: value})
    assert line.startswith(f"{variable}: ")
    assert expected in line
    assert "\n" not in line


def test_every_wrong_variable_has_its_line(refused: Refused) -> None:
    lines = refused(REDIS_PORT="x", TIMEZONE="Mars/Base", LOG_LEVEL="loud", LLM_TEMPERATURE="hot")
    variables = sorted(line.partition(":")[0] for line in lines)
    assert variables == ["LLM_TEMPERATURE", "LOG_LEVEL", "REDIS_PORT", "TIMEZONE"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REDIS_URL", "http://user:hunter2@redis"),
        ("LLM_BASE_URL", "user:hunter2@host"),
        ("WHATSAPP_PHONE_NUMBER_ID", "EAAGm0PX4ZCpsBAhunter2xxxxxxxxxxxxxxxxxxx"),
        ("REDIS_PORT", "sk-or-v1-hunter20000000000000000000000"),
    ],
    ids=["password in an address", "in another address", "token in the wrong variable", "key in the wrong variable"],
)
def test_a_secret_is_not_shown_where_it_stands_wrong(refused: Refused, variable: str, value: str) -> None:
    (line,) = refused(**{variable: value})
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REDIS_URL", "redis://default:S3cr#t@redis.example:6379/0"),
        ("REDIS_URL", "redis://default:1234#t@redis.example:6379/0"),
        ("REDIS_URL", "redis://default:12/4@redis.example:6379/0"),
        ("REDIS_URL", "rediss://default:12?4@redis.example:6379/0"),
        ("REDIS_URL", "redis://:S3cr]t[@redis.example"),
        ("WEBHOOK_SUBSCRIBERS", "https://erp.example/a,https://erp:S3cr#t@erp.example/hook"),
        ("WEBHOOK_SUBSCRIBERS", "https://erp:S3cr/t@erp.example/hook"),
        ("STRIPE_API_BASE", "https://user:S3cr?t@stripe.example"),
        ("STRIPE_API_BASE", "https://user:S3cr#t@stripe.example"),
        ("LLM_BASE_URL", "https://user:1234#t@models.example/v1"),
        ("MINIO_ENDPOINT", "http://user:S3cr\u2100t@minio:9000"),
    ],
)
def test_an_address_whose_password_cuts_it_short_is_told_with_the_way_to_write_it(
    refused: Refused, variable: str, value: str
) -> None:
    (line,) = refused(**{variable: value})
    assert line.startswith(
        f"{variable}: is not an address; in a user name or a password, write # as %23, / as %2F, ? as"
    )
    assert not pieces_of(value.rpartition("@")[0].rpartition(":")[2]) & pieces_of(line)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REDIS_URL", "redis://default:S3cr%23t@redis.example:6379/0"),
        ("REDIS_URL", "rediss://:p%2Fw%3F@redis.example/0?ssl_ca_certs=/etc/ca.pem"),
        ("REDIS_URL", "unix:///run/redis.sock?db=0&password=a@b"),
        ("WEBHOOK_SUBSCRIBERS", "https://erp:p%40ss@erp.example/hook?to=ana@erp.example"),
        ("WEBHOOK_SUBSCRIBERS", "https://erp.example:8443/@team/hook"),
        ("STRIPE_RETURN_URL", "https://wa.me/525500001111"),
        ("MINIO_ENDPOINT", "http://[::1]:9000"),
    ],
)
def test_an_address_that_is_one_is_taken(read: Read, variable: str, value: str) -> None:
    read(**{variable: value})


@pytest.mark.parametrize(
    "variable",
    ["STRIPE_API_BASE", "LLM_BASE_URL", "WHATSAPP_API_BASE_URL", "MINIO_ENDPOINT", "PUBLIC_URL", "SENDGRID_BASE_URL"],
)
@pytest.mark.parametrize("user", ["erp:Zq7vX9kW", "Zq7vX9kW", "erp:Zq7vX%23kW", ":Zq7vX9kW"])
def test_a_password_where_a_key_is_sent_along_is_refused(refused: Refused, variable: str, user: str) -> None:
    (line,) = refused(**{variable: f"https://{user}@host.example/v1"})
    assert line.startswith(f"{variable}: holds a user name or a password, which has no place in it; expected ")


def pieces_of(text: str) -> set[str]:
    return {text[start : start + 4] for start in range(len(text) - 3)}


SECRET = "Zq7!vX9kWj2pTf5y"
SHAPES = [
    "{}",
    "https://u:{}@host:x",
    "https://{}#t@host",
    "http://[{}",
    "redis://u:{}#t@host/0",
    "redis://u:1/{}@host",
    "{}/minute",
    "mailto:<{}@host>",
    "{}@{}",
    "1{}",
    "a,{},b",
    "whsec_{}",
    '{{"a": "{}"}}',
]


@each("shape", SHAPES)
def test_no_line_holds_a_piece_of_a_value_whatever_the_variable(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    value = shape.replace("{}", SECRET)
    wrong: list[Complaint] = []
    for section in SECTIONS:
        for name in variables(section):
            with monkeypatch.context() as only:
                only.setenv(name, value)
                read_section(section, found_variables(wrong), wrong)
    lines = [error.said(language) for error in wrong for language in ("es", "en")]
    assert len(lines) > 60
    assert not [line for line in lines if pieces_of(SECRET) & pieces_of(line)]


@pytest.mark.parametrize(
    "subject",
    [
        "mailto:admin@localhost",
        "mailto:admin@servidor",
        "mailto:admin@erp.local",
        "mailto:<admin@empresa.mx>",
        "mailto: admin@empresa.mx",
        "mailto:admin@empresa.mx ventas",
        "mailto:admin@10.0.0.1",
        "mailto:admin",
        "mailto:@empresa.mx",
        "admin@empresa.mx",
        "http://empresa.mx",
        "https://localhost:8080",
        "tel:+525512345678",
    ],
)
def test_a_sender_of_notifications_that_apple_refuses_is_refused_at_the_start(refused: Refused, subject: str) -> None:
    (line,) = refused(VAPID_SUBJECT=subject)
    assert line.startswith("VAPID_SUBJECT: ")
    assert "Apple refuses it" in line


@pytest.mark.parametrize(
    "subject",
    ["mailto:sistemas@empresa.mx", "mailto:a.b+c@mail.example.com", "https://empresa.mx/contacto", "https://x.mx"],
)
def test_a_sender_of_notifications_that_can_be_reached_is_taken(read: Read, subject: str) -> None:
    assert read(VAPID_SUBJECT=subject).push.subject == subject


def test_secrets_do_not_show_when_settings_are_printed(read: Read) -> None:
    secrets = {
        "WHATSAPP_ACCESS_TOKEN": "hunter2-a",
        "WHATSAPP_APP_SECRET": "hunter2-b,hunter2-c",
        "WHATSAPP_WEBHOOK_VERIFY_TOKEN": "hunter2-d",
        "REDIS_URL": "redis://:hunter2-e@localhost",
        "REDIS_PASSWORD": "hunter2-f",
        "OPENROUTER_API_KEY": "hunter2-g",
        "OPENAI_API_KEY": "hunter2-h",
        "CONSOLE_TOKEN": "hunter2-i",
    }
    settings = read(**secrets)
    assert "hunter2" not in "".join(f"{section!r}{section}" for section in vars(settings).values())


@pytest.mark.parametrize(
    ("given", "secrets"),
    [
        ("one", ["one"]),
        ("one,two", ["one", "two"]),
        (" one , two ,", ["one", "two"]),
        ("", []),
        ("   ", []),
        (" , ,, ", []),
    ],
)
def test_app_secrets_are_several_with_commas_and_blanks_are_none(read: Read, given: str, secrets: list[str]) -> None:
    found = read(WHATSAPP_APP_SECRET=given).whatsapp.app_secret
    assert [secret.get_secret_value() for secret in found] == secrets


def test_a_blank_variable_is_not_set(read: Read) -> None:
    settings = read(WHATSAPP_ACCESS_TOKEN="  ", OPENROUTER_API_KEY="\n", LLM_MODEL_DEFAULT=" ", REDIS_PORT="")
    assert settings.whatsapp.access_token is None
    assert settings.llm.api_key is None
    assert settings.llm.model_default == "anthropic/claude-3-haiku"
    assert settings.redis.port == 6379


def test_blanks_around_a_value_are_not_part_of_it(read: Read) -> None:
    settings = read(WHATSAPP_ACCESS_TOKEN="EAAG-token\n", WHATSAPP_PHONE_NUMBER_ID=" 1065 ", TIMEZONE="UTC ")
    assert settings.whatsapp.access_token is not None
    assert settings.whatsapp.access_token.get_secret_value() == "EAAG-token"
    assert settings.whatsapp.phone_number_id == "1065"
    assert settings.service.timezone == "UTC"


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_levels_and_formats_are_read_in_any_case(read: Read, case: Callable[[str], str]) -> None:
    settings = read(LOG_LEVEL=case("warning"), LOG_FORMAT=case("console"))
    assert (settings.log.level, settings.log.format) == ("warning", "console")


def test_an_address_loses_its_last_slash(read: Read) -> None:
    assert read(LLM_BASE_URL="https://openrouter.ai/api/v1/").llm.base_url == "https://openrouter.ai/api/v1"


def test_models_are_asked_in_their_order_and_each_once(read: Read) -> None:
    settings = read(LLM_MODEL_DEFAULT="a/1", LLM_MODEL_FALLBACK="b/2", LLM_MODELS_FALLBACK="c/3, a/1,,d/4")
    assert settings.llm.models == ("a/1", "b/2", "c/3", "d/4")


def test_a_dot_env_file_is_read_and_the_environment_is_above_it(read: Read, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TIMEZONE=Europe/Madrid\nDEFAULT_LANGUAGE=en\nSOMEBODY_ELSES=1\n")
    settings = read(DEFAULT_LANGUAGE="es")
    assert (settings.service.timezone, settings.service.default_language) == ("Europe/Madrid", "es")


def test_a_dot_env_file_that_is_not_utf8_is_told(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("PROMPTS_DIR=diseño".encode("latin-1"))
    (line,) = refused()
    assert line.startswith(".env: ")
    assert "UTF-8" in line


def test_no_two_sections_read_one_variable() -> None:
    names = [name for section in SECTIONS for name in variables(section)]
    assert len(names) == len(set(names))


def test_every_variable_says_what_is_expected() -> None:
    for section in SECTIONS:
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"


def test_every_variable_says_what_is_expected_in_spanish_too() -> None:
    assert EXPECTED.keys() == {name for section in SECTIONS for name in variables(section)}


@each(
    ("variable", "value", "line"),
    [
        ("REDIS_PORT", "x", "REDIS_PORT: no es un número entero; se espera un puerto de 1 a 65535"),
        ("REDIS_PORT", "0", "REDIS_PORT: debe ser 1 o más; se espera un puerto de 1 a 65535"),
        ("REDIS_PORT", "70000", "REDIS_PORT: debe ser 65535 o menos; se espera un puerto de 1 a 65535"),
        ("REDIS_TLS", "maybe", "REDIS_TLS: no es true ni false; se espera true o false"),
        ("TIMEZONE", "Mars/Base", "TIMEZONE: no es una zona horaria de IANA; se espera un nombre de IANA como America"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: no es ninguna de sus opciones; se espera debug, info, warning o error"),
        ("LLM_TEMPERATURE", "hot", "LLM_TEMPERATURE: no es un número; se espera un número de 0 a 2"),
        ("TURN_DEADLINE_SECONDS", "inf", "TURN_DEADLINE_SECONDS: no es un número finito; se espera los segundos"),
        ("WHATSAPP_PHONE_NUMBER_ID", "+52", "WHATSAPP_PHONE_NUMBER_ID: no tiene la forma debida; se espera el id"),
        ("OIDC_NAME", "x" * 41, "OIDC_NAME: pasa de 40 letras y signos; se espera el nombre del proveedor"),
        ("LLM_BASE_URL", "ftp://a", "LLM_BASE_URL: no empieza con https://, http://; se espera la dirección"),
        ("PUBLIC_URL", "https://u:p@a.mx", "PUBLIC_URL: lleva un usuario o una contraseña, que ahí no van; se espera"),
        ("WHATSAPP_PRICES", "no.csv", "WHATSAPP_PRICES: no se puede leer: No such file or directory; se espera un CSV"),
    ],
)
def test_a_wrong_value_is_told_in_spanish_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str
) -> None:
    with monkeypatch.context() as only:
        only.setenv(variable, value)
        with pytest.raises(SettingsWrong) as caught:
            Settings()
    (told,) = caught.value.said("es")
    assert told.startswith(line), told


@pytest.mark.parametrize(
    ("given", "needs", "missing"),
    [
        ({}, {}, ["WHATSAPP_ACCESS_TOKEN", "WHATSAPP_PHONE_NUMBER_ID"]),
        (META, {}, []),
        (META, {"server": True}, ["WHATSAPP_APP_SECRET"]),
        (META | {"WHATSAPP_APP_SECRET": " , "}, {"server": True}, ["WHATSAPP_APP_SECRET"]),
        (META | {"WHATSAPP_APP_SECRET": "s"}, {"server": True}, []),
        (
            META | {"WHATSAPP_APP_SECRET": "s", "OIDC_ISSUER": "https://accounts.example.com"},
            {"server": True},
            ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "PUBLIC_URL"],
        ),
        (META, {"turns": True}, ["OPENROUTER_API_KEY"]),
        (META | {"OPENROUTER_API_KEY": "k"}, {"turns": True}, []),
        ({}, {"server": True, "turns": True}, [*META, "WHATSAPP_APP_SECRET", "OPENROUTER_API_KEY"]),
    ],
)
def test_a_process_that_could_not_do_its_work_does_not_start(
    read: Read, given: dict[str, str], needs: dict[str, bool], missing: list[str]
) -> None:
    settings = read(**given)
    if not missing:
        settings.require(**needs)
        return
    with pytest.raises(SettingsWrong) as caught:
        settings.require(**needs)
    assert [line.partition(":")[0] for line in caught.value.lines] == missing
