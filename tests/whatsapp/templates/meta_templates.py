"""Templates at Meta, as tests change them."""

from bot.messages.outbound import Template
from sandbox.meta.templates import Template as AtMeta
from tests.world import World

VALUES = {"name": "Ana", "order": "A-17", "total": "120.00 MXN"}


ORDER = Template(name="order_confirmation", parameters=VALUES)


def at_meta(world: World, name: str, language: str) -> AtMeta:
    (found,) = [template for template in world.meta.templates.find(name=name) if template.language == language]
    return found
