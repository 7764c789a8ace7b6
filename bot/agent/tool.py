"""Definition of a tool: typed arguments, a docstring for the model, a context with identity, clock and services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.exceptions import RedisError

from bot.ai.chat import ToolOffer
from bot.catalogue.finder import ProductFinder
from bot.conversations.contacts import Contact
from bot.conversations.handoff import HandOff
from bot.delivery.notifications import Notifications
from bot.infra.validation import problems
from bot.integrations.email.queue import EmailQueue
from bot.integrations.email.verification import Verification
from bot.integrations.push.invitations import Invitation
from bot.integrations.stripe.billing import Billing
from bot.knowledge.knowledge import Knowledge
from bot.knowledge.source import KnowledgeSource
from bot.messages.language import Language
from bot.messages.outbound import Part
from bot.products.capture import CardEdits
from bot.products.catalogue import Catalogue
from bot.prompting.business_profile import Business
from bot.storage.files import Files
from pipelines.image import PhotoText


class ToolError(Exception):
    """The tool can't fulfil the call; the model reads the message, and may try otherwise or report it."""


class RedisUnavailable(RedisError):
    """Redis failed during a tool's work: the turn is retried, and the model isn't told."""


class Arguments(BaseModel):
    """Arguments of a tool. Unknown names are refused, so that the model learns the right ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NoArguments(Arguments):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServices:
    """Services that tools call, made once a process. An integration that isn't configured is None."""

    handoff: HandOff
    notifications: Notifications
    files: Files | None = None
    email: EmailQueue | None = None
    push: Invitation | None = None
    billing: Billing | None = None
    verification: Verification | None = None
    products: Catalogue | None = None
    knowledge: Knowledge | None = None
    product_finder: ProductFinder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Input of a tool beside the model's arguments. The contact comes from the signed webhook, never from the model.

    `effect` is the idempotency key of the call's effect. A part that a tool appends to `parts` becomes a message of
    the turn's reply; `offered` are the parts of the turn's earlier calls. `product_card` is the card that a member of
    staff has open, `photos` are what was read in the photos of this turn. `business` belongs to the release with which
    the turn began, `language` is that of the answer.
    """

    services: ToolServices
    business: Business
    conversation: str
    contact: Contact
    language: Language
    now: datetime
    effect: str = ""
    parts: list[Part] = field(default_factory=list)
    offered: tuple[Part, ...] = ()
    product_card: CardEdits | None = None
    knowledge: str | None = None
    sources: list[KnowledgeSource] = field(default_factory=list)
    photos: tuple[PhotoText, ...] = ()


A = TypeVar("A", bound=Arguments)
Work = Callable[[A, ToolContext], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    name: str
    description: str
    arguments: type[A]
    work: Work[A]
    acts: bool = False
    # Made once, because making a schema takes longer than the rest of a turn.
    offer: ToolOffer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        schema = self.arguments.model_json_schema()
        schema.pop("title", None)
        object.__setattr__(self, "offer", ToolOffer(self.name, self.description, schema))

    def checked(self, arguments: dict[str, Any]) -> A:
        """The model's arguments as typed ones; raises ToolError."""
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise ToolError(f"wrong arguments: {problems(error, whole='arguments')}") from error

    async def call(self, arguments: dict[str, Any], context: ToolContext) -> str:
        """Check the model's arguments and do the work. Raises ToolError for wrong arguments, and RedisUnavailable."""
        checked = self.checked(arguments)
        try:
            return await self.work(checked, context)
        except RedisError as error:
            raise RedisUnavailable(type(error).__name__) from error


def tool(arguments: type[A], *, acts: bool = False) -> Callable[[Work[A]], Tool[A]]:
    """Make a function a tool. The model reads its name and docstring.

    `acts`: a repeated call would repeat an effect.
    """

    def wrap(work: Work[A]) -> Tool[A]:
        description = " ".join((work.__doc__ or "").split())
        return Tool(work.__name__, description, arguments, work, acts)

    return wrap
