"""The link that leads a person from the chat to the page: signed, for one conversation, for a day."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from bot.infra.signed_tokens import SignedTokens, TokenWrong
from bot.settings import Settings

LINK_SECONDS = 24 * 3600
_SECRET = "recado:push:secret"  # noqa: S105 - the name of the key that holds it


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the assistant needs to invite somebody: the address at which people reach us."""

    tokens: InvitationLinks
    public_url: str

    async def link(self, conversation: str) -> str:
        """The address of this person's page."""
        return f"{self.public_url}/push/{await self.tokens.token(conversation)}"


class InvitationLinks:
    """Tokens of links: each lets its holder subscribe a browser for one conversation's person."""

    def __init__(self, redis: Redis) -> None:
        self._tokens = SignedTokens(redis, _SECRET)

    async def token(self, conversation: str) -> str:
        return await self._tokens.sign(conversation, seconds=LINK_SECONDS)

    async def conversation(self, token: object) -> str | None:
        """The conversation that a token is for; None for one that isn't ours or has expired."""
        try:
            (conversation,) = await self._tokens.read(token)
        except TokenWrong:
            return None
        return conversation


def invitation_of(redis: Redis, settings: Settings) -> Invitation | None:
    """How people are invited; None where they can't be: without VAPID keys, or an address to lead them to."""
    address = settings.service.public_url
    return Invitation(InvitationLinks(redis), address) if settings.push.configured and address else None
