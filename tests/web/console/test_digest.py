"""E-mail to operators while nobody has the console open: one for all who wait, and no word of them."""

from __future__ import annotations

import aiohttp

from bot.database.opening import open_current
from bot.people.operators import Operators
from bot.people.passwords import Passwords
from sandbox.meta.simulator import Person
from sandbox.simulators.openrouter import calls, says
from sandbox.simulators.smtp import ReceivedEmail, SmtpSimulator
from tests.console import Browser, add_operator
from tests.outgoing import conversation_of, text
from tests.processes import eventually
from tests.world import Start, World

_SENDER = "desk@empresa.example"
# Workers look as often as somebody may wait.
_OFTEN = {"CONSOLE_PICKUP_MINUTES": "0.01", "CONSOLE_DIGEST_MINUTES": "0.005", "PUBLIC_URL": "https://desk.example"}


async def _asks_for_a_person(world: World, person: Person) -> None:
    """Ask, and wait until workers have looked at it: the customer is told that nobody has come yet."""
    world.models.will(calls(("talk_to_a_person", {"reason": "Devolución"})), says("Te escribe alguien."))
    await world.meta.writes(person, text("quiero hablar con una persona por mi factura secreta"))
    await world.meta.replies(person, 2)


async def _page_of(browser: Browser) -> aiohttp.ClientResponse:
    """The live events that an open page follows."""
    headers = {"Cookie": f"recado_session={browser.cookie}"}
    return await browser.world.http.get(f"{browser.world.url}/console/api/events", headers=headers)


async def test_nobody_is_at_the_console_and_one_mail_tells_of_all_who_wait(
    start: Start, ana: Person, leo: Person
) -> None:
    async with SmtpSimulator().running() as postbox:
        smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(postbox.port), "SMTP_TLS": "none"}
        world = await start(workers=2, history=True, **smtp, SMTP_FROM_EMAIL=_SENDER, **_OFTEN)
        eva, bob, sol = [await add_operator(world, name) for name in ("Eva", "Bob", "Sol")]
        assert (await eva.get("digest")).body["wanted"] is False
        for browser in (eva, sol):
            wish = await browser.ask("PUT", "digest", json={"wanted": True}, headers={"Accept-Language": "en"})
            assert wish.status == 204
        assert (await eva.get("digest")).body["wanted"] is True
        database = await open_current(world.settings.database.url.get_secret_value())
        await Operators(database, Passwords()).disable("sol@example.com")
        await database.close()

        page = await _page_of(bob)
        await eventually(lambda: _online(eva, "bob@example.com"))
        await _asks_for_a_person(world, ana)
        assert not postbox.mails
        page.close()
        # As after the seconds in which a page is loaded again.
        await world.redis.delete("recado:operators:present")
        [mail] = await eventually(lambda: _mails(postbox, 1))
        assert (mail.to, mail.subject) == (["eva@example.com"], "Somebody waits for a person")
        link = f"https://desk.example/console/?c={await conversation_of(world, ana)}"
        assert f"- A. …78, for 1 minute: {link}" in mail.text
        for body in (mail.text, mail.html):
            assert "Ana" not in body
            assert "secreta" not in body
            assert str(ana.phone)[:-2] not in body

        # A second one soon after waits for its time, and then both are in one mail.
        await _asks_for_a_person(world, leo)
        assert len(postbox.mails) == 1
        await world.redis.delete("recado:digest:sent")
        _, mail = await eventually(lambda: _mails(postbox, 2))
        assert mail.subject == "2 people wait for somebody of the team"
        # Nobody new waits, so that no further mail follows.
        await world.redis.delete("recado:digest:sent")
        assert (await eva.ask("PUT", "digest", json={"wanted": "perhaps"})).status == 422
        await world.meta.writes(leo, text("¿hay alguien?"))
        assert len(postbox.mails) == 2


async def _mails(postbox: SmtpSimulator, count: int) -> list[ReceivedEmail]:
    return list(postbox.mails) if len(postbox.mails) >= count else []


async def _online(browser: Browser, email: str) -> bool:
    found = (await browser.get("operators")).body["operators"]
    return any(operator["email"] == email and operator["online"] for operator in found)


async def test_without_a_provider_of_mail_nobody_can_want_it(start: Start) -> None:
    world = await start(workers=0)
    eva = await add_operator(world, "Eva")
    assert (await eva.get("digest")).body["wanted"] is None
    assert (await eva.ask("PUT", "digest", json={"wanted": True})).code == "not_found"
