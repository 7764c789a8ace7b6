"""Calls by people: this business takes none, so that each ends unanswered, or in a voicemail."""

import base64
import secrets

from sandbox.meta.media import media_content
from sandbox.meta.parties import Person
from sandbox.meta.simulator import MetaSimulator
from sandbox.meta.webhooks import Value, empty_value, unix_seconds


async def miss_call(meta: MetaSimulator, person: Person) -> str:
    """The person calls and nobody answers; returns the call's id. A call opens the window."""
    call_id, at = _new_call_id(), meta.clock()
    meta.chats.called(person, at)
    caller = ({"from": person.phone} if person.phone else {}) | {"from_user_id": person.bsuid}
    call: Value = caller | {"id": call_id, "to": meta.display_phone_number, "direction": "USER_INITIATED"}
    session = {"sdp_type": "offer", "sdp": "v=0\r\n"}
    for event in ({"event": "connect", "session": session}, {"event": "terminate", "status": "FAILED"}):
        told = call | event | {"timestamp": unix_seconds(at)}
        value = empty_value(meta.business) | {"contacts": [person.as_contact()], "calls": [told]}
        await meta.deliver(value, field_name="calls")
    return call_id


async def leave_voicemail(meta: MetaSimulator, person: Person, data: bytes, mime: str = "audio/ogg") -> str:
    """The person speaks after a call that nobody took; returns the message's id."""
    kept = meta.media.receive(data, mime, _new_call_id())
    content = media_content(kept, "audio", meta.media.url(kept.id), None, None)
    return await meta.writes(person, {"type": "audio", "audio": content})


def _new_call_id() -> str:
    return "wacid.HBg" + base64.b64encode(secrets.token_bytes(24)).decode()
