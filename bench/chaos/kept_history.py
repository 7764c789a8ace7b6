"""The history beside what happened: each message that was written or sent is in the database, and once."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from bench.chaos.company import TOKEN, Company
from bench.chaos.crowd import Crowd
from bot.database.opening import open_current
from bot.history import tables


async def judge_history(company: Company, crowd: Crowd) -> tuple[list[str], list[str]]:
    """Messages that the history lacks, and those that it has twice: numbers of the crowd's, wamids of ours."""
    messages, deliveries = tables.MESSAGES, tables.DELIVERIES
    database = await open_current(company.environment["DATABASE_URL"])
    try:
        async with database.reading() as connection:
            said = select(messages.c.body).where(messages.c.author == "customer")
            told = select(deliveries.c.wamid).join(
                messages,
                (messages.c.conversation == deliveries.c.conversation) & (messages.c.name == deliveries.c.name),
            )
            bodies = (await connection.execute(said)).scalars().all()
            wamids = Counter((await connection.execute(told.where(messages.c.kind.is_not(None)))).scalars())
    finally:
        await database.close()
    numbers = Counter(token for body in bodies for token in TOKEN.findall(body or ""))
    written = [token for bursts in crowd.sent.values() for burst in bursts for token in burst]
    sent = [message.wamid for message in company.meta.accepted if message.type in ("text", "template")]
    lost = [token for token in written if not numbers[token]] + [wamid for wamid in sent if not wamids[wamid]]
    twice = [token for token in written if numbers[token] > 1] + [wamid for wamid in sent if wamids[wamid] > 1]
    return lost, twice
