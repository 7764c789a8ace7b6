"""The link that leads a person from the chat to the page: signed, for one conversation, for a day."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.integrations.push.vapid import encoded
from bot.settings import Settings

LINK_SECONDS = 24 * 3600
_SECRET = "recado:push:secret"  # noqa: S105 - the name of the key that holds it
_TOKEN = re.compile(r"(c_[0-9a-f]{20})\.(\d{1,12})\.([\w-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the assistant needs to invite somebody: the address at which people reach us."""

    links: InvitationLinks
    public_url: str

    async def link(self, conversation: str) -> str:
        """The address of this person's page."""
        return f"{self.public_url}/push/{await self.links.token(conversation)}"


class InvitationLinks:
    """Link tokens, signed with a secret that the first process to need one makes and keeps in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._kept: bytes | None = None

    async def token(self, conversation: str) -> str:
        """A token with which its holder may subscribe a browser for this conversation's person."""
        until = str(int(time.time()) + LINK_SECONDS)
        return f"{conversation}.{until}.{self._signature(await self._secret(), conversation, until)}"

    async def conversation(self, token: object) -> str | None:
        """Whose token it is; None for one that isn't ours or is over."""
        parts = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        if parts is None:
            return None
        conversation, until, signature = parts.groups()
        right = self._signature(await self._secret(), conversation, until)
        return conversation if hmac.compare_digest(signature, right) and int(until) > time.time() else None

    def _signature(self, secret: bytes, conversation: str, until: str) -> str:
        return encoded(hmac.digest(secret, f"push\n{conversation}\n{until}".encode(), hashlib.sha256))

    async def _secret(self) -> bytes:
        if self._kept is None:
            await self._redis.set(_SECRET, secrets.token_hex(32), nx=True)
            self._kept = str(await self._redis.get(_SECRET)).encode()
        return self._kept


def invitation_of(redis: Redis, settings: Settings) -> Invitation | None:
    """How people are invited; None where they can't be: without VAPID keys, or an address to lead them to."""
    address = settings.service.public_url
    return Invitation(InvitationLinks(redis), address) if settings.push.configured and address else None
