"""From the chat to a bucket and back; a failing bucket costs a customer nothing but the file."""

from collections.abc import Callable

import pytest

from bot.storage.factory import storage_of
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from tests.outgoing import conversation_of
from tests.storage.conftest import S3
from tests.world import Start

Media = Callable[[str], bytes]


def variables(s3: S3, bucket: str) -> dict[str, str]:
    return {
        "MINIO_ENDPOINT": s3.endpoint,
        "MINIO_BUCKET": bucket,
        "MINIO_ACCESS_KEY": s3.key_id,
        "MINIO_SECRET_KEY": s3.secret,
    }


async def test_a_document_that_somebody_sent_lies_in_the_bucket_and_comes_back_from_it(
    start: Start, ana: Person, media: Media, s3: S3, bucket_name: str
) -> None:
    world = await start(**variables(s3, bucket_name))
    sent = media("documents/price_list.pdf")
    world.models.will(says("Recibida"))
    await world.meta.sends_media(ana, "document", sent, "application/pdf", None, "Lista.pdf")
    await world.meta.replies(ana)
    (file,) = await storage_of(world.settings.storage).files(f"media/{await conversation_of(world, ana)}")
    assert (s3.root / bucket_name / file.key).read_bytes() == sent
    world.meta.accepted.clear()
    world.models.will(calls(("send_file", {"file": "Lista.pdf"})), says("Aquí está"))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "mándame mi lista"}})
    replies = await world.meta.replies(ana, 2)
    (document,) = [reply.request["document"] for reply in replies if reply.request["type"] == "document"]
    assert world.meta.media.get(document["id"]).data == sent


@pytest.mark.parametrize(
    "trouble",
    [{"MINIO_ENDPOINT": "http://127.0.0.1:9"}, {"MINIO_BUCKET": "nowhere"}, {"MINIO_SECRET_KEY": "hunter2"}],
    ids=["refused", "no bucket", "wrong secret"],
)
async def test_a_bucket_in_trouble_costs_nobody_an_answer(
    start: Start, ana: Person, media: Media, s3: S3, bucket_name: str, trouble: dict[str, str]
) -> None:
    world = await start(**(variables(s3, bucket_name) | trouble))
    world.models.will(says("Ya la oí"))
    await world.meta.sends_media(ana, "audio", media("voice/es_hola.ogg"), "audio/ogg")
    (reply,) = await world.meta.replies(ana)
    assert reply.text == "Ya la oí"
