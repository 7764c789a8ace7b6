"""Contact of each conversation: name, language, role, consent, and whether a colleague has taken over."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from redis.asyncio import Redis

from bot.conversations import assignment, identity, identity_resolution, opt_outs, thread_owner
from bot.conversations.identity import contact_key, identities
from bot.conversations.phone_owners import phone_owners
from bot.history import stream
from bot.history.entries import HandOver
from bot.infra.queries import Query, ask, mapping
from bot.infra.redis import answer, key
from bot.messages.inbound import Inbound
from bot.whatsapp.phone_numbers import address_of, canonical, canonical_variant, exact_variants, variants

Role = Literal["staff", "customer"]
# Meta's 131026 may be temporary, so a single one proves nothing (docs/whatsapp.md, Errors).
_UNREACHABLE_AFTER = 3
# Messages after an ad are free for so long (docs/whatsapp.md, Sending); the 24-hour window holds all the same.
_FREE_ENTRY = timedelta(hours=72)
_REPORT_AGAIN_SECONDS = 24 * 3600

# Stores a choice only if it is newer than the stored one, because webhooks come late and in any order.
_CHOOSE = f"""
if tonumber(redis.call('HGET', KEYS[1], 'marketing_at') or '0') >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'marketing_opt_out', ARGV[1], 'marketing_at', ARGV[2])
redis.call('EXPIRE', KEYS[1], {identity.KEEP_SECONDS})
if ARGV[1] == '1' then redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3]) else redis.call('ZREM', KEYS[2], ARGV[3]) end
return 1
"""

# Stores facts of a message about its sender. A phone that was released since the message came is skipped, because its
# new owner would get messages meant for the sender. Of a newcomer, the objection to marketing is restored that an
# erased contact left. KEYS 1 contact, 2 identities, 3 list of objections, then those to look for. ARGV 1 phone or
# nothing, 2 conversation, 3 time (Unix seconds), then fields and values.
_SAW = """
if #KEYS > 3 and redis.call('EXISTS', unpack(KEYS, 4)) > 0 then
  redis.call('HSETNX', KEYS[1], 'marketing_opt_out', '1')
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
end
if ARGV[1] ~= '' and (redis.call('EXISTS', KEYS[2]) == 0 or redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1) then
  redis.call('HSET', KEYS[1], 'phone', ARGV[1])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
"""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as far as known.

    `handed_off` means that a colleague or another app answers and the bot doesn't. `role` is decided from the identity
    that the signed webhook gave, by STAFF_CONTACTS. `earlier` are conversations that have become a part of this
    one. `unreachable`: Meta could not deliver several times. `window_refused_at`: the last message before Meta
    called the 24 hours over. `email` is an address that this person has proven to be their own. `phone_contested`:
    the phone was another person's before, so that it gives a right to nothing; `withheld` says that it is in
    STAFF_CONTACTS all the same.
    """

    phone: str | None = None
    bsuid: str | None = None
    name: str | None = None
    language: str | None = None
    handed_off: bool = False
    role: Role = "customer"
    last_inbound_at: datetime | None = None
    free_entry_until: datetime | None = None
    marketing_opt_out: bool = False
    unreachable: bool = False
    window_refused_at: datetime | None = None
    calls_allowed: bool = False
    ad: str | None = None
    ctwa_clid: str | None = None
    earlier: tuple[str, ...] = ()
    email: str | None = None
    phone_contested: bool = False
    withheld: bool = False

    @property
    def own_phone(self) -> str | None:
        """The phone, where it may say who this person is at a company's other systems."""
        return None if self.phone_contested else self.phone


class Contacts:
    """`staff` are phones and BSUIDs, as in STAFF_CONTACTS."""

    def __init__(self, redis: Redis, staff: Iterable[str] = ()) -> None:
        self._redis = redis
        addresses = (address_of(identity) for identity in staff)
        self._staff = frozenset(canonical(known) for pair in addresses for known in pair if known)

    async def get(self, conversation: str) -> Contact:
        return await ask(self._redis, self.query(conversation))

    def query(self, conversation: str) -> Query[Contact]:
        commands = (("HGETALL", contact_key(conversation)), *paused(conversation).commands)
        return Query(commands, lambda found: self._read(mapping(found[0]), paused=_is_paused(found[1:])))

    async def update_from(
        self, conversation: str, messages: list[Inbound], language: str | None, before: Contact
    ) -> Contact:
        """Store the sender's facts from the newest message; missing facts stay as they were."""
        newest = max(messages, key=lambda message: message.sent_at)
        last = max(newest.sent_at, before.last_inbound_at or newest.sent_at)
        facts = {
            "bsuid": newest.bsuid,
            "name": newest.name,
            "language": language,
            "last_inbound_at": str(last.timestamp()),
            "undeliverable": "0",
            **_ad(messages),
        }
        keys = [contact_key(conversation), identities(conversation), opt_outs.LISTED]
        if before.last_inbound_at is None:
            keys += await self._objections(newest.phone, newest.bsuid)
        fields = [part for field, value in facts.items() if value for part in (field, value)]
        owners, pipeline = await phone_owners(self._redis), self._redis.pipeline(transaction=False)
        pipeline.eval(_SAW, len(keys), *keys, newest.phone or "", conversation, str(time.time()), *fields)
        pipeline.hgetall(contact_key(conversation))
        for command in paused(conversation).commands:
            pipeline.execute_command(*command)
        identity.renew(pipeline, conversation, (newest.phone, newest.bsuid))
        if newest.phone:
            owners.renew(pipeline, newest.phone)
        _, raw, *found = await pipeline.execute()
        return self._read(raw, paused=_is_paused(found))

    async def exists(self, conversation: str) -> bool:
        return bool(await self._redis.exists(contact_key(conversation), identities(conversation)))

    async def has_address(self, conversation: str) -> bool:
        """Whether the contact's record has a phone or a BSUID; a newcomer's first turn writes it."""
        return any(await answer(self._redis.hmget(contact_key(conversation), ["phone", "bsuid"])))

    async def introduce(self, conversation: str, first: Inbound) -> None:
        """Store the sender of a message that no turn has read yet; what is known already stays."""
        ours = await identity.identities_of(self._redis, conversation)
        facts = {
            "phone": first.phone if first.phone in ours else None,
            "bsuid": first.bsuid,
            "name": first.name,
            "last_inbound_at": str(first.sent_at.timestamp()),
        }
        pipeline = self._redis.pipeline(transaction=True)
        for field, value in facts.items():
            if value:
                pipeline.hsetnx(contact_key(conversation), field, value)
        identity.renew(pipeline, conversation, (first.phone, first.bsuid))
        await pipeline.execute()
        await self._restore_objection(conversation, first.phone, first.bsuid)

    async def set_handed_off(
        self, conversation: str, *, handed_off: bool, noted: HandOver | None = None, has_ended: bool = False
    ) -> None:
        """Let a colleague take the conversation, or give it back, which also ends a pause; the history gets `noted`.

        `has_ended`: its assignment was ended before. Another operator may have taken it since, and keeps it.
        """
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(contact_key(conversation), "quiet", "1" if handed_off else "0")
        pipeline.expire(contact_key(conversation), identity.KEEP_SECONDS)
        assignment.put_asked(pipeline, conversation, asked=handed_off)
        if not (handed_off or has_ended):
            assignment.put_end(pipeline, conversation)
        if noted is not None:
            stream.append(pipeline, noted)
        await pipeline.execute()
        if not handed_off:
            await self._redis.delete(assignment.colleague_key(conversation))

    async def note(self, action: HandOver) -> None:
        """Let the history have an action that changes nothing here."""
        pipeline = self._redis.pipeline(transaction=True)
        stream.append(pipeline, action)
        await pipeline.execute()

    async def set_email(self, conversation: str, email: str) -> None:
        """Store an address that this person has proven to be their own."""
        await self._write(conversation, email=email)

    async def paused(self, conversation: str) -> bool:
        """Whether a colleague has just written from the business's app, an operator has the conversation, or another
        app owns the thread.
        """
        return await ask(self._redis, paused(conversation))

    async def withheld_reported(self, conversation: str) -> bool:
        """Whether an operator was told today that this person's number gives them no role."""
        return bool(await self._redis.exists(_withheld(conversation)))

    async def mark_withheld_reported(self, conversation: str) -> None:
        await self._redis.set(_withheld(conversation), "1", ex=_REPORT_AGAIN_SECONDS)

    async def choose_marketing(self, conversation: str, *, wanted: bool, at: datetime) -> bool:
        """Store whether a person wants marketing; False when a later choice is known."""
        name, choice = contact_key(conversation), "0" if wanted else "1"
        arguments = choice, str(at.timestamp()), conversation
        new = bool(await answer(self._redis.eval(_CHOOSE, 2, name, opt_outs.LISTED, *arguments)))
        if new:
            # At once, because a contact who never writes again leaves one day, and the objection must not.
            names = await identity.identities_of(self._redis, conversation)
            await opt_outs.store(self._redis, map(canonical_variant, names), opted_out=not wanted)
        return new

    async def find_or_create(self, *, phone: str | None, bsuid: str | None) -> str:
        """Find or make the conversation with a person whom we write to first."""
        return await self._reach(phone, bsuid, variants(phone) if phone else ())

    async def find_or_create_exactly(self, *, phone: str | None, bsuid: str | None) -> str:
        """Find or make the conversation, by no spelling of the phone that may be another line: for news of payments."""
        return await self._reach(phone, bsuid, exact_variants(phone) if phone else ())

    async def _reach(self, phone: str | None, bsuid: str | None, spellings: Iterable[str]) -> str:
        found = None
        for spelling in () if bsuid else spellings:
            found = found or await identity.find(self._redis, spelling, None)
        found = found or await identity_resolution.conversation_for(self._redis, phone, bsuid)
        field, value = ("bsuid", bsuid) if bsuid else ("phone", phone)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hsetnx(contact_key(found), field, value or "")
        identity.renew(pipeline, found, (phone, bsuid))
        new, *_ = await pipeline.execute()
        if new:
            await self._restore_objection(found, phone, bsuid)
        return found

    async def _write(self, conversation: str, **facts: str) -> None:
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(contact_key(conversation), mapping=facts)
        pipeline.expire(contact_key(conversation), identity.KEEP_SECONDS)
        await pipeline.execute()

    async def _restore_objection(self, conversation: str, *known: str | None) -> None:
        """Restore the objection to marketing of a person whose contact was erased."""
        names = await self._objections(*known)
        if names and await self._redis.exists(*names):
            # The next write to the contact gives the record its expiry.
            await answer(self._redis.hsetnx(contact_key(conversation), "marketing_opt_out", "1"))
            await answer(self._redis.zadd(opt_outs.LISTED, {conversation: time.time()}))

    async def _objections(self, *known: str | None) -> list[str]:
        return await opt_outs.names_of(self._redis, (canonical_variant(name) for name in known if name))

    async def window_refused(self, conversation: str, asked_at: datetime) -> None:
        """Record that Meta called the 24 hours over: only a message later than the last one opens them.

        Meta's times have whole seconds, so that messages are compared with messages and not with our clock.
        """
        last: str | None = await answer(self._redis.hget(contact_key(conversation), "last_inbound_at"))
        if last and float(last) <= asked_at.timestamp():
            await self._write(conversation, window_refused_at=last)

    async def thread_lost(self, conversation: str, asked_at: datetime) -> bool:
        """Record that Meta refused our words because another app owns the thread; False if it is ours since."""
        return await thread_owner.change(self._redis, conversation, thread_owner.OTHER, "", asked_at)

    async def undeliverable(self, conversation: str) -> None:
        """Count a failed delivery; after several the person is unreachable, until they write."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hincrby(contact_key(conversation), "undeliverable", 1)
        pipeline.expire(contact_key(conversation), identity.KEEP_SECONDS)
        await pipeline.execute()

    def _read(self, raw: dict[str, str], *, paused: bool) -> Contact:
        phone, bsuid, contested = raw.get("phone"), raw.get("bsuid"), raw.get("phone_contested") == "1"
        listed = {name for name in (phone, bsuid) if name and canonical(name) in self._staff}
        known = listed - ({phone} if contested else set())
        return Contact(
            phone=phone,
            bsuid=bsuid,
            name=raw.get("name"),
            language=raw.get("language"),
            handed_off=raw.get("quiet") == "1" or paused,
            role="staff" if known else "customer",
            last_inbound_at=_time(raw.get("last_inbound_at")),
            free_entry_until=_time(raw.get("free_entry_until")),
            marketing_opt_out=raw.get("marketing_opt_out") == "1",
            unreachable=int(raw.get("undeliverable", "0")) >= _UNREACHABLE_AFTER,
            window_refused_at=_time(raw.get("window_refused_at")),
            calls_allowed=raw.get("calls_allowed") == "1",
            ad=raw.get("ad"),
            ctwa_clid=raw.get("ctwa_clid"),
            earlier=tuple(filter(None, raw.get("earlier", "").split(","))),
            email=raw.get("email"),
            phone_contested=contested,
            withheld=bool(listed) and not known,
        )


def paused(conversation: str) -> Query[bool]:
    """Query for `Contacts.paused`."""
    commands = (
        ("EXISTS", assignment.colleague_key(conversation)),
        thread_owner.command(conversation),
        assignment.command(conversation),
    )
    return Query(commands, _is_paused)


def _is_paused(found: Sequence[Any]) -> bool:
    """Whether a colleague, an operator or another app answers; by the first three answers, those of `paused`."""
    return bool(found[0]) or thread_owner.is_elsewhere(found[1]) or bool(found[2])


def pause(pipeline: Any, conversation: str, until: datetime) -> None:
    """Keep the bot quiet until then. A late message neither shortens a pause nor starts one that is over."""
    milliseconds = int(until.timestamp() * 1000)
    if milliseconds > time.time() * 1000:
        pipeline.set(assignment.colleague_key(conversation), "1", nx=True, pxat=milliseconds)
        pipeline.pexpireat(assignment.colleague_key(conversation), milliseconds, gt=True)
        # A colleague is there, in another way than by the console.
        assignment.put_asked(pipeline, conversation, asked=False)


def allow_calls(pipeline: Any, conversation: str, *, allowed: bool) -> None:
    pipeline.hset(contact_key(conversation), "calls_allowed", "1" if allowed else "0")
    pipeline.expire(contact_key(conversation), identity.KEEP_SECONDS)


async def record_of(redis: Redis, conversation: str) -> dict[str, str]:
    """The stored record of a contact."""
    raw: dict[str, str] = await answer(redis.hgetall(contact_key(conversation)))
    return raw


async def store_objection(redis: Redis, conversation: str, names: Iterable[str]) -> bool:
    """Let the choice about marketing outlive the contact, under all identities; True for an objection."""
    record = await record_of(redis, conversation)
    opted_out = record.get("marketing_opt_out") == "1"
    if opted_out or "marketing_at" in record:
        await opt_outs.store(redis, map(canonical_variant, names), opted_out=opted_out)
    return opted_out


def adopt(pipeline: Any, conversation: str, mine: dict[str, str], theirs: dict[str, str], earlier: str) -> None:
    """Merge the record of a conversation that joins: the later fact of each kind holds."""
    merged = theirs | mine
    for field in ("last_inbound_at", "free_entry_until"):
        times = [float(contact[field]) for contact in (mine, theirs) if field in contact]
        merged |= {field: str(max(times))} if times else {}
    if float(theirs.get("marketing_at", 0)) > float(mine.get("marketing_at", 0)):
        merged |= {field: theirs[field] for field in ("marketing_opt_out", "marketing_at")}
    if merged.get("marketing_opt_out") == "1":
        pipeline.zadd(opt_outs.LISTED, {conversation: float(merged.get("marketing_at", 0))})
    merged["quiet"] = "1" if "1" in (mine.get("quiet"), theirs.get("quiet")) else "0"
    names = [*mine.get("earlier", "").split(","), *theirs.get("earlier", "").split(","), earlier]
    merged["earlier"] = ",".join(dict.fromkeys(filter(None, names)))
    # `identity.unite` has decided whether the phone is contested.
    for field in ("phone_contested", "phone_since"):
        merged.pop(field, None)
    pipeline.hset(contact_key(conversation), mapping=merged)
    pipeline.expire(contact_key(conversation), identity.KEEP_SECONDS)


def _ad(messages: list[Inbound]) -> dict[str, str | None]:
    """Fields of the ad that a person came from, and the time until which replies are free."""
    came = next((message for message in reversed(messages) if message.referral), None)
    if came is None or came.referral is None:
        return {}
    until = (came.sent_at + _FREE_ENTRY).timestamp()
    source = came.referral.url or came.referral.source
    return {"ad": source, "ctwa_clid": came.referral.ctwa_clid, "free_entry_until": str(until)}


def _time(seconds: str | None) -> datetime | None:
    return datetime.fromtimestamp(float(seconds), UTC) if seconds else None


def _withheld(conversation: str) -> str:
    return key(conversation, "withheld")


def keys(conversation: str) -> tuple[str, ...]:
    """Keys to delete once the conversation has joined another."""
    return contact_key(conversation), assignment.colleague_key(conversation), thread_owner.thread_key(conversation)
