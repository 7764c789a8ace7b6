"""Meta's Cloud API on this machine: one WhatsApp Business number, and the people who write to it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import aiohttp
from aiohttp import web

from sandbox.background import BackgroundTasks
from sandbox.broadcast import Event
from sandbox.kept_records import KeptRecords
from sandbox.meta.acceptance import AcceptedMessage, MessageChecks, new_wamid
from sandbox.meta.chat_store import ChatStore
from sandbox.meta.chats import Chats
from sandbox.meta.delivery import NotificationDelivery
from sandbox.meta.errors import GraphRefusal
from sandbox.meta.faults import Call, MetaFault, MetaFaults
from sandbox.meta.graph_api import GraphApi
from sandbox.meta.media import MediaStore, media_content, now
from sandbox.meta.parties import Business, Person, SentMessage
from sandbox.meta.rate_limits import MessageRateLimits
from sandbox.meta.routing import ThreadRouting, handover_value, standby_value
from sandbox.meta.statuses import StatusReporter
from sandbox.meta.templates import Templates, default_templates
from sandbox.meta.validation import Message, ReadMark
from sandbox.meta.webhooks import NotificationSender, Value, message_value, unix_seconds
from sandbox.meta.wire_log import WireLog

MediaKind = Literal["image", "audio", "video", "document", "sticker"]
_Found = TypeVar("_Found")
_OK = 200
# A busy machine may need this long for a turn.
_WITHIN_SECONDS = 90.0
__all__ = ["MetaSimulator", "Person", "SentMessage"]


@dataclass
class MetaSimulator:
    """Meta's side over real HTTP; `start` gives the base URL for our client.

    `status_pauses` are the seconds before `sent`, `delivered` and `read`; `retry_pauses` the seconds between tries of
    a webhook. The clock decides about windows, media addresses and rate limits. `calls` counts refused calls too.
    """

    _: KW_ONLY
    webhook_url: str
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    verify_token: str = field(repr=False)
    phone_number_id: str = "106540352242922"
    waba_id: str = "102290129340398"
    display_phone_number: str = "525500001111"
    status_pauses: Sequence[float] = (0.15, 0.4, 1.2)
    retry_pauses: Sequence[float] = (0.5, 2, 8, 30, 60)
    pair_burst: int = 45
    throughput: int = 80
    clock: Callable[[], datetime] = now
    store: ChatStore | None = field(default=None, repr=False)
    templates: Templates = field(default_factory=lambda: Templates(default_templates()))
    wire: WireLog = field(init=False, repr=False)
    accepted: list[SentMessage] = field(default_factory=list, init=False)
    read_marks: list[str] = field(default_factory=list, init=False)
    typing: list[str] = field(default_factory=list, init=False)
    calls: Counter[Call] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        self.business = Business(self.phone_number_id, self.waba_id, self.display_phone_number)
        self.wire = WireLog(KeptRecords("exchange", self.store))
        self.chats = Chats(self.clock, self.store)
        self.routing = ThreadRouting(self.chats, self.clock)
        self.media = MediaStore(self.clock, self.store)
        self.faults = MetaFaults(lambda: self.chats.broadcast.send({"type": "trouble", "armed": self.faults.armed()}))
        self.delivery = NotificationDelivery(
            business=self.business, chats=self.chats, faults=self.faults, clock=self.clock
        )
        self._tasks = BackgroundTasks()
        self._runner: web.AppRunner | None = None
        self._status_reporter = StatusReporter(
            self.business, self.chats, self.faults, self.clock, self.deliver, self.status_pauses
        )

    # ---- lifetime

    def app(self) -> web.Application:
        rate_limits = MessageRateLimits(self.clock, self.pair_burst, self.throughput)
        return GraphApi(
            token=self.access_token,
            checks=MessageChecks(
                self.business, self.chats, self.media, self.templates, rate_limits, self.faults, self.routing
            ),
            accept=self._accept,
            read=self._read,
            review=lambda template: self._tasks.start(self._status_reporter.review(template)),
            subscribe=self._subscribe,
            calls=self.calls,
            wire=self.wire,
        ).app()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve, and return the base URL (without a version)."""
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.media.base_url = f"http://{host}:{self._runner.addresses[0][1]}"
        self.delivery.open(
            NotificationSender(
                url=self.webhook_url,
                app_secret=self.app_secret,
                session=aiohttp.ClientSession(),
                tasks=self._tasks,
                pauses=self.retry_pauses,
                wire=self.wire,
            )
        )
        return self.media.base_url

    async def stop(self) -> None:
        """End every stream, delivery and connection; raises the errors of background tasks."""
        self.chats.broadcast.close()
        if self._runner is not None:
            await self._runner.cleanup()
        try:
            await self._tasks.stop()
        finally:
            await self._sender.session.close()

    async def idle(self) -> None:
        """Return when all statuses are reported and all webhooks taken or given up."""
        await self._tasks.idle()

    # ---- the people

    async def writes(
        self,
        person: Person,
        message: dict[str, Any],
        *,
        at: datetime | None = None,
        context: str | dict[str, Any] | None = None,
    ) -> str:
        """The person sends a message (`type` and its content); returns its wamid after the first delivery attempt.

        `context` is the wamid of the quoted message, or the whole object (forwarded, …).
        """
        wamid, at = new_wamid(), at or self.clock() - self._delay_of_next_message()
        quote = {"context": self._quote(context)} if context is not None else {}
        whole = quote | {"id": wamid, "timestamp": unix_seconds(at)} | message
        receiver = self.routing.receiver(person)
        self.chats.received(person, whole, at)
        shown = self.faults.as_visible(person)
        if receiver == "us":
            await self.deliver(message_value(self.business, shown, whole))
        else:
            await self.deliver(standby_value(self.business, shown, whole), field_name="standby")
        return wamid

    async def sends_media(  # noqa: PLR0913, PLR0917 - a file has this many properties in WhatsApp
        self,
        person: Person,
        kind: MediaKind,
        data: bytes,
        mime: str,
        caption: str | None = None,
        filename: str | None = None,
        *,
        voice: bool = True,
        context: str | None = None,
    ) -> str:
        """The person sends a file; `voice` distinguishes a recorded note from an audio file."""
        kept = self.media.receive(data, mime)
        content = media_content(kept, kind, self.media.url(kept.id), caption, filename)
        content |= {"voice": voice} if kind == "audio" else {}
        return await self.writes(person, {"type": kind, kind: content}, context=context)

    async def opens(self, person: Person, *, is_open: bool = True) -> None:
        """The person opens the chat, which marks delivered messages as read, or closes it."""
        self.chats.of(person).open = is_open
        for sent in self.accepted if is_open else ():
            if sent.person and sent.person.bsuid == person.bsuid and self.chats.status_of(sent.wamid) == "delivered":
                await self._status_reporter.report(sent, person, "read")

    async def passes_control(self, person: Person, **control: Any) -> None:
        """Another app passes the thread to this one; `control` are further facts, such as a summary."""
        self.routing.give(person, "us")
        value = handover_value(self.business, person, "control_passed", self.clock(), **control)
        await self.deliver(value, field_name="messaging_handovers")

    async def takes_control(self, person: Person, **control: Any) -> None:
        """Another app takes the thread from this one."""
        self.routing.give(person, "other")
        value = handover_value(self.business, person, "control_taken", self.clock(), **control)
        await self.deliver(value, field_name="messaging_handovers")

    async def verify(self) -> bool:
        """Ask the webhook for its challenge, as Meta does when the address is saved."""
        challenge = "1158201444"
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.verify_token}
        async with self._sender.session.get(self.webhook_url, params=query) as response:
            return response.status == _OK and await response.text() == challenge

    # ---- webhooks

    async def deliver(self, *values: Value, field_name: str = "messages") -> bool:
        """Post these values in one notification; returns whether it was taken immediately."""
        return await self.delivery.deliver(values, field_name)

    @property
    def duplicate(self) -> bool:
        """Whether every notification is delivered twice."""
        return self.delivery.duplicate

    @duplicate.setter
    def duplicate(self, on: bool) -> None:
        self.delivery.duplicate = on

    def batch(self) -> AbstractAsyncContextManager[None]:
        """Collect the notifications of this context and send them at its end as one."""
        return self.delivery.batch()

    @property
    def undelivered(self) -> list[bytes]:
        """Notifications that were not taken in any try."""
        return self._sender.undelivered

    # ---- planned faults

    def will_refuse(
        self, code: int, http_status: int | None = None, times: int = 1, to: str | None = None, call: Call = "messages"
    ) -> None:
        """Refuse the next calls with this code (HTTP status: Meta's own for the code unless given)."""
        self.faults.plan(MetaFault("refuse", times, call, to, code, http_status))

    def will_fail(self, code: int, times: int = 1, to: str | None = None) -> None:
        """Accept the next messages, and report later in a `failed` status that they did not arrive."""
        self.faults.plan(MetaFault("fail", times, "messages", to, code))

    def will_drop(self, times: int = 1, call: Call = "messages") -> None:
        """Perform the next calls, but lose the answer; a download loses its second half."""
        self.faults.plan(MetaFault("drop", times, call))

    def will_delay(self, seconds: float, times: int = 1, call: Call = "messages") -> None:
        """Perform the next calls, and answer only after this many seconds."""
        self.faults.plan(MetaFault("delay", times, call, seconds=seconds))

    def will_html_502(self, times: int = 1) -> None:
        """Answer the next messages with a gateway's HTML page; the messages are not accepted."""
        self.faults.plan(MetaFault("html", times))

    # ---- observation

    def listen(self) -> AsyncGenerator[Event]:
        """Events from now on: messages, statuses, typing, read marks; see `chats` for their shape."""
        return self.chats.broadcast.listen()

    def history(self, person: Person) -> list[Event]:
        """The person's messages in order, each with its latest status."""
        return list(self.chats.of(person).events)

    def sent_to(self, person: Person) -> list[SentMessage]:
        return [sent for sent in self.accepted if sent.person == person]

    async def replies(self, person: Person, count: int = 1, *, within: float = _WITHIN_SECONDS) -> list[SentMessage]:
        """The messages to the person as soon as there are `count`; TimeoutError when they don't arrive in time."""
        enough = await self.wait_for(lambda: len(self.sent_to(person)) >= count and self.sent_to(person), within=within)
        return enough or []

    async def wait_for(self, condition: Callable[[], _Found], *, within: float = _WITHIN_SECONDS) -> _Found:
        """The first true result of the condition, evaluated after every event; TimeoutError when none comes in time."""
        async with asyncio.timeout(within), aclosing(self.listen()) as events:
            while not (result := condition()):
                await anext(events)
        return result

    # ---- callbacks of the Graph API

    @property
    def _sender(self) -> NotificationSender:
        return self.delivery.sender

    def _accept(self, message: Message, accepted: AcceptedMessage, wamid: str, request: dict[str, Any]) -> None:
        """Record a message; its statuses follow in the background."""
        person = accepted.person
        sent = SentMessage(wamid, person, request, self.clock(), accepted.category)
        self.accepted.append(sent)
        if person is None:
            self.chats.broadcast.send({"type": "lost", "wamid": wamid})
            return
        shown = {"type": sent.type, sent.type: request.get(sent.type)}
        shown |= {"context": {"id": message.context.message_id}} if message.context else {}
        shown |= _origin(request.get("biz_opaque_callback_data"))
        shown |= {"words": accepted.text, "drawn": accepted.parts} if accepted.parts is not None else {}
        self.chats.typing(person, on=False)
        self.chats.sent(person, wamid, shown, sent.at)
        fault = self.faults.take("fail", "messages", person)
        failure = GraphRefusal(fault.code, "planned fault") if fault else accepted.failure
        self._tasks.start(self._status_reporter.report_progress(sent, person, failure))

    def _read(self, mark: ReadMark) -> None:
        self.read_marks.append(mark.message_id)
        self.chats.read_up_to(mark.message_id)
        if mark.typing_indicator is not None:
            self.typing.append(mark.message_id)
            self.chats.typing(self.chats.owner(mark.message_id), on=True)

    def _subscribe(self, wanted: bool | None) -> bool:  # noqa: FBT001 - three states in one argument
        """Switch all webhooks on or off (None: leave unchanged), and return the setting."""
        self.delivery.subscribed = self.delivery.subscribed if wanted is None else wanted
        return self.delivery.subscribed

    def _delay_of_next_message(self) -> timedelta:
        late = self.faults.take("late")
        return timedelta(seconds=late.seconds) if late else timedelta()

    def _quote(self, context: str | dict[str, Any]) -> dict[str, Any]:
        if isinstance(context, dict):
            return context
        from_us = self.chats.knows(context, None, "out")
        return {"from": self.display_phone_number, "id": context} if from_us else {"id": context}


def _origin(callback: Any) -> dict[str, str]:
    """The conversation and the turn of a message, which Recado gives Meta as callback data."""
    conversation, _, rest = callback.partition(".") if isinstance(callback, str) else ("", "", "")
    return {"conversation": conversation, "turn": rest.partition(".")[0]} if conversation.startswith("c_") else {}
