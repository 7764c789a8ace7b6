"""Any signed body gets 200 or 400, and a good message beside rubbish is stored."""

import gzip
import io
import json
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversations import ledger
from bot.infra.redis import answer
from bot.messages.inbound import Inbound
from bot.web.whatsapp_events import FIELDS
from bot.whatsapp.signature import signature_of
from sandbox.meta.simulator import Person
from sandbox.meta.webhooks import envelope, message_value
from sandbox.simulators.openrouter import says
from tests.rows import each
from tests.world import SECRET, Start, World

BOUNDED = settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    database=None,
    # The server and Redis stay the same over all examples: that is how it is in life.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["wamid.X", "5215512345678", "MX.1", "", "\ud83d", "1764000000", "9" * 400, "text", "image"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "from", "from_user_id", "type", "timestamp", "text", "body", "context", "errors"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
KINDS = [
    "text", "audio", "image", "video", "document", "sticker", "location", "contacts", "interactive", "button", "order",
    "reaction", "edit", "revoke", "system", "unsupported", "unknown", "request_welcome", "poll",
]  # fmt: skip
numbers = count()


@pytest.fixture
async def server(start: Start) -> World:
    """Recado without a worker: what is kept waits where it can be seen."""
    return await start(workers=0)


async def post(world: World, body: bytes, **headers: str) -> int:
    signed = {"X-Hub-Signature-256": signature_of(body, SECRET), "Content-Type": "application/json"} | headers
    async with world.http.post(f"{world.url}/webhooks/whatsapp", data=io.BytesIO(body), headers=signed) as response:
        return response.status


def good(world: World, person: Person) -> tuple[str, dict[str, Any]]:
    """A message as Meta would tell it, and its id."""
    wamid = f"wamid.good{next(numbers)}"
    message = {"id": wamid, "timestamp": "1764000000", "type": "text", "text": {"body": "hola"}}
    return wamid, message_value(world.meta.business, person, message)


async def kept(world: World, person: Person, wamid: str) -> bool:
    conversation = await world.redis.get(f"recado:identity:{person.bsuid}")
    return await ledger.knows(world.redis, conversation, wamid)


@BOUNDED
@given(body=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
async def test_any_bytes_are_an_answerable_body(server: World, body: bytes) -> None:
    assert await post(server, body) in (200, 400)


@BOUNDED
@given(data=st.data())
async def test_a_body_broken_anywhere_is_an_answerable_body(server: World, ana: Person, data: st.DataObject) -> None:
    _, value = good(server, ana)
    value["messages"][0]["id"] = "wamid.the same in every example"
    body = bytearray(json.dumps(envelope(server.meta.business, [value])).encode())
    start = data.draw(st.integers(0, len(body)))
    body[start : data.draw(st.integers(start, len(body)))] = data.draw(st.binary(max_size=6))
    assert await post(server, bytes(body)) in (200, 400)


@BOUNDED
@given(messages=st.lists(JSON, max_size=3), around=st.fixed_dictionaries({"contacts": JSON, "statuses": JSON}))
async def test_a_good_message_is_kept_between_any_others(
    server: World, ana: Person, messages: list[Any], around: dict[str, Any]
) -> None:
    wamid, value = good(server, ana)
    value |= around | {"messages": [*messages, *value["messages"], *messages]}
    assert await post(server, json.dumps(envelope(server.meta.business, [value])).encode()) == 200
    assert await kept(server, ana, wamid)


@BOUNDED
@given(entry=JSON, change=JSON, value=JSON)
async def test_a_good_notification_is_kept_between_any_others(
    server: World, ana: Person, entry: Any, change: Any, value: Any
) -> None:
    wamid, right = good(server, ana)
    whole = envelope(server.meta.business, [right])
    whole["entry"] = [entry, {"changes": [change, {"field": "messages", "value": value}]}, *whole["entry"], entry]
    assert await post(server, json.dumps(whole).encode()) == 200
    assert await kept(server, ana, wamid)


@BOUNDED
@given(kind=st.sampled_from(KINDS), inside=JSON, around=JSON)
async def test_any_insides_of_any_type_are_kept(
    server: World, ana: Person, kind: str, inside: Any, around: Any
) -> None:
    wamid, value = good(server, ana)
    value["messages"][0] |= {"type": kind, kind: inside, "context": around, "errors": around, "group_id": around}
    body = json.dumps(envelope(server.meta.business, [value])).encode()
    assert await post(server, body) == 200
    assert await kept(server, ana, wamid)
    # The stored messages can be read again by a turn.
    conversation = await server.redis.get(f"recado:identity:{ana.bsuid}")
    for raw in await answer(server.redis.lrange(f"recado:{{{conversation}}}:waiting", -1, -1)):
        assert Inbound.model_validate_json(raw).bsuid == ana.bsuid


@BOUNDED
@given(status=JSON, callback=JSON)
async def test_any_status_is_taken(server: World, status: Any, callback: Any) -> None:
    told = {"id": "wamid.1", "status": "failed", "biz_opaque_callback_data": callback, "errors": [status, {"code": 1}]}
    value = {"statuses": [status, told, told | {"status": status, "id": callback}]}
    assert await post(server, json.dumps(envelope(server.meta.business, [value])).encode()) == 200


@BOUNDED
@given(
    field=st.sampled_from(sorted({*FIELDS, "messages", "smb_message_echoes", "standby"})), value=JSON, data=st.data()
)
async def test_any_insides_of_any_field_are_taken(server: World, field: str, value: Any, data: st.DataObject) -> None:
    names = [
        "user_preferences", "user_id_update", "user_id", "sender", "control_passed", "alert_info", "errors",
        "control_taken", "conversation_context", "calls", "user_actions", "status", "username", "phone_number",
        "violation_info", "restriction_info", "message_echoes", "standby", "messages", "wa_id", "event",
    ]  # fmt: skip
    told = data.draw(st.dictionaries(st.sampled_from(names), JSON | st.lists(JSON, max_size=3), max_size=6))
    changes = [{"field": field, "value": changed} for changed in (value, told)]
    body = {"object": "whatsapp_business_account", "entry": [{"id": value, "time": value, "changes": changes}]}
    assert await post(server, json.dumps(body).encode()) == 200


async def test_a_good_message_beside_rubbish_is_answered(world: World, ana: Person) -> None:
    world.models.will(says("Hola, Ana"))
    _, value = good(world, ana)
    value["messages"] = [None, {"type": "text"}, 7, *value["messages"], []]
    assert await post(world, json.dumps(envelope(world.meta.business, [{}, value, None])).encode()) == 200  # type: ignore[list-item]
    # The imitation knows nothing of the posted message, and takes no answer before Ana has written.
    await world.meta.writes(ana, {"type": "text", "text": {"body": "otra vez"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Hola, Ana"
    assert world.models.requests[0]["messages"][-1]["content"] == "hola\notra vez"


@each(
    ("body", "headers", "status"),
    [
        (b"{}", {"X-Hub-Signature-256": ""}, 401),
        (b"{}", {"X-Hub-Signature-256": "sha256=" + "0" * 64}, 401),
        (b"{}", {"X-Hub-Signature-256": signature_of(b"{} ", SECRET)}, 401),
        (b"{}", {"X-Hub-Signature-256": signature_of(b"{}", "another secret")}, 401),
        (b"{}", {"X-Hub-Signature-256": signature_of(b"{}", SECRET).upper()}, 401),
        (b"{}", {"X-Hub-Signature-256": "sha256=\udcff\udcfe"}, 401),
        (b"", {}, 400),
        (b"hola", {}, 400),
        (b"{}", {}, 200),
        (b"{}", {"Content-Type": "text/plain; charset=klingon"}, 200),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
        (gzip.compress(bytes(8 * 1024 * 1024)), {"Content-Encoding": "gzip"}, 415),
        (b" " * (4 * 1024 * 1024 + 1), {}, 413),
        (b"{}" + b" " * (3 * 1024 * 1024), {}, 200),
    ],
    ids=[
        "no signature", "made up", "of other bytes", "by another", "in capitals", "binary", "empty", "text", "JSON",
        "odd type", "no gzip", "a bomb", "too large", "3 MB",
    ],
)  # fmt: skip
async def test_what_the_door_says(server: World, body: bytes, headers: dict[str, str], status: int) -> None:
    assert await post(server, body, **headers) == status
    assert await server.redis.keys("recado:*waiting") == []


@each(
    ("query", "status", "text"),
    [
        ("hub.mode=subscribe&hub.challenge=1158&hub.verify_token=verify", 200, "1158"),
        ("hub.mode=subscribe&hub.challenge=1158&hub.verify_token=wrong", 403, None),
        ("hub.mode=subscribe&hub.challenge=1158&hub.verify_token=", 403, None),
        ("hub.mode=subscribe&hub.challenge=1158&hub.verify_token=%FF%00", 403, None),
        ("hub.mode=unsubscribe&hub.challenge=1158&hub.verify_token=verify", 403, None),
        ("hub.challenge=1158&hub.verify_token=verify", 403, None),
        ("hub.mode=subscribe&hub.verify_token=verify", 403, None),
        (f"hub.mode=subscribe&hub.challenge={'1' * 300}&hub.verify_token=verify", 403, None),
        ("", 403, None),
    ],
)
async def test_the_challenge_is_for_who_knows_the_token(
    server: World, query: str, status: int, text: str | None
) -> None:
    async with server.http.get(f"{server.url}/webhooks/whatsapp?{query}") as response:
        assert response.status == status
        if text is not None:
            assert (response.content_type, await response.text()) == ("text/plain", text)
