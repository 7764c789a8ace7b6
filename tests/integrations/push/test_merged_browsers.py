"""Merged conversations keep the browsers of both."""

from redis.asyncio import Redis

from bot.conversations import identity, identity_resolution
from bot.conversations.lease import ConversationLeases, Lease
from bot.conversations.memory import Memory
from bot.integrations.push.invitations import InvitationLinks
from bot.integrations.push.subscriptions import PushSubscription, PushSubscriptions
from bot.settings import Settings
from bot.turns.merge import ConversationMerger
from sandbox.simulators.web_push import PushServiceSimulator


async def test_the_browsers_of_a_conversation_that_joins_come_along(redis: Redis) -> None:
    service, kept = PushServiceSimulator(), PushSubscriptions(redis)
    service.url = "https://push.example.com"
    names = [
        await identity_resolution.conversation_for(redis, "5215512345678", None),
        await identity_resolution.conversation_for(redis, None, "MX.8801234567890123"),
    ]
    browsers = [PushSubscription.model_validate(service.subscribe()) for _ in names]
    for name, browser in zip(names, browsers, strict=True):
        await kept.add(name, browser)
    token = await InvitationLinks(redis).token(names[1])
    home = await identity_resolution.conversation_for(redis, "5215512345678", "MX.8801234567890123")
    (younger,) = set(names) - {home}
    leases = ConversationLeases(redis, lease_seconds=6)
    lease = Lease(home, "token")
    assert await leases.acquire(lease)
    await ConversationMerger(redis, leases, Memory(redis, Settings().memory)).absorb(lease, younger)
    assert {browser.name for browser in await kept.of(home)} == {browser.name for browser in browsers}
    assert await kept.of(younger) == []
    # An earlier link still leads to the same person.
    assert await identity.current_name(redis, str(await InvitationLinks(redis).conversation(token))) == home
