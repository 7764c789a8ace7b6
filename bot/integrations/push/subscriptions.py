"""The browsers of a person that get notifications, stored with the conversation."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from redis.asyncio import Redis

from bot.conversations import identity
from bot.conversations.tombstones import erased
from bot.infra.guarded_http import is_private
from bot.infra.redis import answer, key
from bot.infra.validation import problems
from bot.integrations.push.vapid import decoded, on_curve

# A phone, a computer and a tablet, each with several browsers; the oldest makes room.
MOST = 10
_CHANGES_AN_HOUR = 30
_HOUR = 3600
_POINT, _AUTH = 65, 16

# KEYS 1 subscriptions, 2 erased. ARGV 1 name, 2 subscription, 3 limit. The form `time JSON` sorts by time.
_KEEP = f"""
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], {identity.KEEP_SECONDS})
local all = redis.call('HGETALL', KEYS[1])
local extra = #all / 2 - tonumber(ARGV[3])
while extra > 0 do
  local oldest
  for index = 1, #all, 2 do
    if redis.call('HEXISTS', KEYS[1], all[index]) == 1 and (not oldest or all[index + 1] < all[oldest + 1]) then
      oldest = index
    end
  end
  redis.call('HDEL', KEYS[1], all[oldest])
  extra = extra - 1
end
return 1
"""
# KEYS 1 counter, 2 erased. Nothing is counted for an erased person.
_COUNT = f"""
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], {_HOUR}, 'NX')
return count
"""


class NotASubscription(Exception):
    """The browser's data can't be stored; the message tells the page's author why."""


def _bytes(length: int) -> AfterValidator:
    def check(text: str) -> str:
        raw = decoded(text)
        if len(raw) != length or (length == _POINT and not on_curve(raw)):
            raise ValueError(f"is not the base64url of {length} bytes of this kind")
        return text.rstrip("=")

    return AfterValidator(check)


class PushKeys(BaseModel):
    """RFC 8291: the browser's P-256 point and its secret, base64url."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    p256dh: Annotated[str, Field(max_length=100, pattern=r"^[\w-]+=*$"), _bytes(_POINT)]
    auth: Annotated[str, Field(max_length=40, pattern=r"^[\w-]+=*$"), _bytes(_AUTH)]


class PushSubscription(BaseModel):
    """A browser's PushSubscription (W3C Push API), from its `toJSON`; other fields aren't stored."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    endpoint: Annotated[str, Field(max_length=1000, pattern=r"^https?://[!-~]+$")]
    keys: PushKeys

    @property
    def name(self) -> str:
        return hashlib.sha256(self.endpoint.encode()).hexdigest()[:24]

    @property
    def origin(self) -> str:
        """The claim `aud` (RFC 8292): scheme, host, and a port that isn't the scheme's own."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


async def parse_subscription(data: object, *, allow_private: bool) -> PushSubscription:
    """Check a browser's data; raises NotASubscription."""
    try:
        checked = PushSubscription.model_validate(data)
        parts = urlsplit(checked.endpoint)
        # Reading an invalid port raises. Push services have names, never IPv6 addresses.
        if not parts.hostname or parts.username is not None or parts.port == 0 or "[" in parts.netloc:
            raise NotASubscription("endpoint: expected the address of a push service")
    except ValidationError as error:
        raise NotASubscription(problems(error, whole="subscription")) from error
    except ValueError as error:
        raise NotASubscription("endpoint: expected the address of a push service") from error
    if not allow_private and (parts.scheme != "https" or await is_private(checked.endpoint)):
        raise NotASubscription("endpoint: expected https and a public address; PUSH_ALLOW_PRIVATE allows others")
    return checked


class PushSubscriptions:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, conversation: str) -> list[PushSubscription]:
        """The oldest first."""
        fields: dict[str, str] = await answer(self._redis.hgetall(browsers_key(conversation)))
        return [PushSubscription.model_validate_json(field.partition(" ")[2]) for field in sorted(fields.values())]

    async def add(self, conversation: str, subscription: PushSubscription) -> bool:
        """Store a browser, the same one once, with its newest keys. False when its person was erased."""
        text = f"{datetime.now(UTC).isoformat()} {subscription.model_dump_json()}"
        keys = (browsers_key(conversation), erased(conversation))
        return bool(await answer(self._redis.eval(_KEEP, len(keys), *keys, subscription.name, text, str(MOST))))

    async def remove(self, conversation: str, subscription: PushSubscription) -> bool:
        """False when it wasn't there."""
        return bool(await answer(self._redis.hdel(browsers_key(conversation), subscription.name)))

    async def count_change(self, conversation: str) -> bool:
        """False when there were too many changes within an hour."""
        keys = (key(conversation, "push", "changes"), erased(conversation))
        return int(await answer(self._redis.eval(_COUNT, len(keys), *keys))) <= _CHANGES_AN_HOUR


async def stored(redis: Redis, conversation: str) -> dict[str, str]:
    """A person's browsers in their stored form."""
    fields: dict[str, str] = await answer(redis.hgetall(browsers_key(conversation)))
    return fields


def adopt(pipeline: Any, conversation: str, fields: dict[str, str]) -> None:
    """Take over the browsers of a conversation that is merged."""
    if fields:
        pipeline.hset(browsers_key(conversation), mapping=fields)
        renew(pipeline, conversation)


def renew(pipeline: Any, conversation: str) -> None:
    """Keep a person's browsers as long as the person, counted from now."""
    pipeline.expire(browsers_key(conversation), identity.KEEP_SECONDS)


def browsers_key(conversation: str) -> str:
    return key(conversation, "push")
