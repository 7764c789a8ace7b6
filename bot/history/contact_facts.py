"""Facts about the people of a batch's conversations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.history import tables
from bot.history.statements import upsert
from bot.messages.folding import folded
from bot.messages.inbound import Inbound
from bot.messages.outbound import Reply

_FACTS = ("name", "phone", "bsuid", "language", "ad")
_LONGEST = {"phone": 32, "bsuid": 160, "language": 8}


class ContactFacts:
    """Facts that are read once, changed in memory, and written if they have changed."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._known: dict[str, dict[str, Any]] = {}
        self._changed: set[str] = set()

    async def load(self, names: set[str]) -> None:
        table = tables.CONTACTS
        rows = await self._connection.execute(select(table).where(table.c.conversation.in_(names)))
        self._known |= {row["conversation"]: dict(row) for row in rows.mappings()}

    def learn(self, conversation: str, message: Inbound) -> None:
        """Learn the sender's facts from a message; missing ones stay as they were."""
        ad = (message.referral.url or message.referral.source) if message.referral else None
        self._note(conversation, name=message.name, phone=message.phone, bsuid=message.bsuid, ad=ad)

    def learn_address(self, conversation: str, reply: Reply) -> None:
        """Learn phone and BSUID from the address of a reply, if they are not known yet."""
        known = self._known.get(conversation, {})
        missing = {"phone": reply.phone, "bsuid": reply.bsuid}
        self._note(conversation, **{name: value for name, value in missing.items() if not known.get(name)})

    def learn_language(self, conversation: str, language: str | None) -> None:
        self._note(conversation, language=language)

    def _note(self, conversation: str, **facts: str | None) -> None:
        known = self._known.setdefault(conversation, {"conversation": conversation} | dict.fromkeys(_FACTS))
        news = {name: value[: _LONGEST.get(name, 500)] for name, value in facts.items() if value}
        if any(known[name] != value for name, value in news.items()) or "folded" not in known:
            known.update(news)
            known["folded"] = folded(" ".join(known[name] or "" for name in ("name", "phone", "bsuid")))
            self._changed.add(conversation)

    async def join(self, home: str, source: str) -> None:
        """Merge two contacts: `home` gets the facts that only `source` had."""
        await self.load({name for name in (home, source) if name not in self._known})
        theirs = self._known.pop(source, None) or {}
        self._changed.discard(source)
        mine = self._known.get(home, {})
        self._note(home, **{name: theirs.get(name) for name in _FACTS if not mine.get(name)})
        await self._connection.execute(delete(tables.CONTACTS).where(tables.CONTACTS.c.conversation == source))

    async def write(self) -> None:
        rows = [self._known[name] for name in sorted(self._changed)]
        await upsert(self._connection, tables.CONTACTS, rows, key=("conversation",), replace=(*_FACTS, "folded"))
        self._changed.clear()
