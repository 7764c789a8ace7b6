"""The whole way: a person writes, Recado answers, seen from Meta's side."""

from bot.sandbox.meta import Person
from bot.sandbox.openrouter import says

from conftest import World


async def test_a_text_is_answered(world: World, ana: Person) -> None:
    world.models.will(says("¡Hola, Ana! Abrimos a las **9**."))
    await world.meta.writes(ana, {"type": "text", "text": {"body": "Hola, ¿a qué hora abren?"}})
    (reply,) = await world.meta.replies(ana)
    assert reply.request["text"]["body"] == "¡Hola, Ana! Abrimos a las *9*."
    assert world.models.requests[0]["messages"][-1] == {"role": "user", "content": "Hola, ¿a qué hora abren?"}
