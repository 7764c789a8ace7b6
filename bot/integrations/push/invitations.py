"""Links from the chat to the page for browser notifications: signed, for one conversation, for a day."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from bot.infra.signed_tokens import SignedTokens, TokenWrong
from bot.settings import Settings

LINK_SECONDS = 24 * 3600
_SECRET = "recado:push:secret"  # noqa: S105 - the name of the key that holds it


@dataclass(frozen=True, slots=True)
class Invitation:
    """Makes links for people; `public_url` is the address at which they reach us."""

    tokens: InvitationLinks
    public_url: str

    async def link(self, conversation: str) -> str:
        """The address of this person's page."""
        return f"{self.public_url}/push/{await self.tokens.token(conversation)}"


class InvitationLinks:
    """Tokens of these links. A token lets its holder subscribe a browser for the conversation's person."""

    def __init__(self, redis: Redis) -> None:
        self._tokens = SignedTokens(redis, _SECRET)

    async def token(self, conversation: str) -> str:
        return await self._tokens.sign(conversation, seconds=LINK_SECONDS)

    async def conversation(self, token: object) -> str | None:
        """The conversation of a token; None for a foreign or expired one."""
        try:
            (conversation,) = await self._tokens.read(token)
        except TokenWrong:
            return None
        return conversation


def invitation_of(redis: Redis, settings: Settings) -> Invitation | None:
    """None without VAPID keys or without PUBLIC_URL."""
    address = settings.service.public_url
    return Invitation(InvitationLinks(redis), address) if settings.push.configured and address else None
