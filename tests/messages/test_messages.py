"""Our own words: what is kept can be read again, and an error about it gives nobody away."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bot.agent.loop import ModelStep, ToolResult
from bot.conversations.memory import HistoryEntry
from bot.messages.inbound import Inbound, Photo
from bot.messages.outbound import Reply, Say
from bot.messages.record import Record
from tests.rows import each

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_what_is_kept_is_read_again_as_it_was() -> None:
    photo = Photo(media_id="9", mime="image/jpeg", caption="¿Cuánto? 😀")
    message = Inbound(id="wamid.1", bsuid="MX.1", sent_at=NOW, received_at=NOW, content=photo)
    assert Inbound.model_validate_json(message.model_dump_json(exclude_none=True)) == message


@each("kind", [Inbound, Reply, Say, HistoryEntry, ModelStep, ToolResult, Photo])
def test_an_error_about_a_record_does_not_tell_what_it_holds(kind: type[Record]) -> None:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate_json('{"secreto": "azul", "id": {"a": "azul"}, "text": ["azul"], "phone": 5215512345678}')
    assert "azul" not in f"{caught.value!r}"
    assert "5215512345678" not in f"{caught.value!r}"
