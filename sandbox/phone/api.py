"""HTTP API of the sandbox's page: the phone on one side, the turns of the company's bot on the other."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.web.console import pages
from sandbox.background import BackgroundTasks
from sandbox.broadcast import Broadcast, Event
from sandbox.meta.chat_store import event_key
from sandbox.meta.errors import GraphRefusal
from sandbox.meta.simulator import MetaSimulator, Person
from sandbox.phone.actions import NewPerson, Presence, SendMessage, SendSample
from sandbox.phone.fault_switches import FaultSwitch, set_fault
from sandbox.phone.origin_guard import add_headers, file_response, guard
from sandbox.phone.rare_messages import RareMessage
from sandbox.phone.rare_messages import send as send_rarity
from sandbox.phone.request_body import read_json, validated
from sandbox.phone.uploads import Upload, classify, read_upload

_HERE = Path(__file__).parent
_PAGE, _SAMPLES = _HERE / "page", _HERE.parent / "samples"
# The phone formats texts by the console's own module, so that both show a message alike.
_CONVERSATION_PAGE, _SHARED_MODULE = pages.FOLDER / "conversation", "whatsapp_text.js"
_ALBUM = ("label_detergent_q50.jpg", "label_tv_photo.jpg", "ean13-1_1.jpg")
_HEARTBEAT_SECONDS = 15
_MOST_TURNS = 100
_ECHO, _STANDBY = "ignored: echo, remembered", "ignored: standby, remembered"

PEOPLE = (
    Person(phone="5215512345678", bsuid="MX.8801234567890123", name="Ana Morales"),
    Person(phone="5215587654321", bsuid="MX.8809876543210987", name="Leo Fuentes"),
    Person(phone=None, bsuid="US.13491208655302741918", name="Sam Walker", username="sam.w"),
)
STAFF = (PEOPLE[1].bsuid,)


def create_phone_app(
    meta: MetaSimulator,
    turns: Callable[[], AsyncIterator[Event]],
    facts: dict[str, Any],
    *more: Callable[[], AsyncIterator[Event]],
) -> web.Application:
    """The page and its API, to be mounted with `add_subapp("/sandbox/", …)`; shutdown ends its streams.

    `turns` gives `turn`, `handoff` and `prompts` events from now on. The page shows `facts` unchanged: `services` maps
    a service's name to `real` or `imitation`, `staff` lists the BSUIDs of staff, `reach` is UrlRewriter.paths. Events
    of `more` are passed on to the page.
    """
    phone = PhonePage(meta, (turns, *more), facts)
    app = web.Application(middlewares=[guard])
    app.add_routes(phone.routes())
    app.on_response_prepare.append(add_headers)
    app.on_startup.append(phone.start)
    app.on_shutdown.append(phone.end_streams)
    app.on_cleanup.append(phone.stop)
    return app


@dataclass
class PhonePage:
    """Handlers of the page; Meta's simulator keeps the chats, and turns are kept here for a reload."""

    meta: MetaSimulator
    sources: tuple[Callable[[], AsyncIterator[Event]], ...]
    facts: dict[str, Any]
    _broadcast: Broadcast = field(default_factory=Broadcast, init=False)
    _tasks: BackgroundTasks = field(default_factory=BackgroundTasks, init=False)
    _turns: dict[str, Event] = field(default_factory=dict, init=False)
    _asked: dict[str, Event] = field(default_factory=dict, init=False)
    _noted: deque[Event] = field(default_factory=lambda: deque(maxlen=_MOST_TURNS), init=False)
    _handoffs: dict[str, Event] = field(default_factory=dict, init=False)
    _prompts: Event | None = field(default=None, init=False)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("", self._to_page),
            web.get("/", self._index),
            web.get("/static/{name}", self._static),
            web.get("/state", self._state),
            web.get("/events", self._events),
            web.get("/media/{id}", self._media),
            web.get("/samples", self._list_samples),
            web.get("/samples/{file}", self._sample),
            web.post("/messages", self._send_message),
            web.post("/rarities", self._send_rare_message),
            web.post("/trouble", self._set_fault),
            web.post("/people", self._new_person),
            web.post("/presence", self._presence),
        ]

    async def start(self, _app: web.Application) -> None:
        for person in () if self.meta.chats.people else PEOPLE:
            self.meta.chats.of(person)
        for event in self.meta.store.events() if self.meta.store else ():
            self._keep(event)
        self._tasks.start(self._forward_events(self.meta.listen()))
        for source in self.sources:
            self._tasks.start(self._forward_events(source()))
        self._tasks.start(self._send_heartbeats())

    async def end_streams(self, _app: web.Application) -> None:
        self._broadcast.close()

    async def stop(self, _app: web.Application) -> None:
        await self._tasks.stop()

    async def _forward_events(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            for each in (event, paused) if (paused := self._paused_by(event)) else (event,):
                self._keep(each)
                self._store(each)
                self._broadcast.send(each)

    def _store(self, event: Event) -> None:
        """Store an event of the bot for the next run."""
        if self.meta.store and (key := event_key(event)):
            self.meta.store.put_event(*key, event)

    def _keep(self, event: Event) -> None:
        """Keep an event of the bot for pages that load later."""
        match event["type"]:
            case "turn" | "asked":
                kept = self._turns if event["type"] == "turn" else self._asked
                kept[event["turn"]] = event
                while len(kept) > _MOST_TURNS:
                    del kept[next(iter(kept))]
            case "noted":
                self._noted.append(event)
            case "handoff":
                self._handoffs[event["conversation"]] = event
            case "prompts":
                self._prompts = event

    def _paused_by(self, event: Event) -> Event | None:
        """The handoff that an event of another kind is, because the bot is quiet then."""
        if event["type"] in {"handover", "turn"} or _is_all(event, _STANDBY):
            return self._thread_moved(event)
        return self._answered_by_app(event)

    def _thread_moved(self, event: Event) -> Event | None:
        """The handoff of a thread that another app has at Meta, or its end."""
        conversation = event.get("conversation")
        owner = "other" if _is_all(event, _STANDBY) else "us" if event["type"] == "turn" else event.get("owner")
        before = self._handoffs.get(conversation or "", {})
        if conversation is None or owner is None or (owner == "us" and before.get("thread") is None):
            return None
        told = {"type": "handoff", "conversation": conversation, "on": owner != "us", "thread": owner}
        return told | {"reason": event.get("summary") or event.get("reason") or "" if owner != "us" else ""}

    def _answered_by_app(self, event: Event) -> Event | None:
        """The pause after a colleague's message from the app."""
        if not _is_all(event, _ECHO):
            return None
        before = self._handoffs.get(event["conversation"], {})
        if before.get("on") and "until" not in before:
            # A person was called already, which no pause ends.
            return None
        pause = timedelta(minutes=self.facts.get("echo_pause_minutes", 60))
        until = (datetime.fromisoformat(event["at"]) + pause).isoformat()
        told = {"type": "handoff", "conversation": event["conversation"], "on": True, "reason": "echo"}
        return told | {"until": until}

    async def _send_heartbeats(self) -> None:
        """Send heartbeats, so that closed streams are noticed and proxies keep open ones."""
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            self._broadcast.send({"type": "heartbeat"})

    async def _to_page(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPPermanentRedirect(f"{request.path}/")

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def _static(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        folder = _CONVERSATION_PAGE if name == _SHARED_MODULE else _PAGE
        return web.FileResponse(_file_in(folder, name), headers={"Cache-Control": "no-cache"})

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        people = self.meta.chats.people
        return web.json_response({
            "people": [self._person_json(person) for person in people],
            "history": {person.bsuid: self.meta.history(person) for person in people},
            "turns": list(self._turns.values()),
            "asked": list(self._asked.values()),
            "noted": list(self._noted),
            "handoffs": list(self._handoffs.values()),
            "prompts": self._prompts,
            "armed": self.meta.faults.armed(),
            "facts": self.facts,
        })  # fmt: skip

    def _person_json(self, person: Person) -> dict[str, Any]:
        return asdict(person) | {"staff": person.bsuid in self.facts.get("staff", STAFF)}

    async def _events(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        events = self._broadcast.listen()
        await response.prepare(request)
        # A closed page is no error, because nobody is left to tell.
        with suppress(ConnectionResetError):
            await response.write(b"retry: 1000\n\n")
            async with aclosing(events):
                async for event in events:
                    await response.write(_sse_frame(event))
        return response

    async def _media(self, request: web.Request) -> web.StreamResponse:
        try:
            file = self.meta.media.get(request.match_info["id"])
        except GraphRefusal as error:
            raise web.HTTPNotFound from error
        return file_response(file.data, file.mime)

    async def _list_samples(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(_samples())

    async def _sample(self, request: web.Request) -> web.StreamResponse:
        path = _file_in(_SAMPLES, request.match_info["file"])
        upload = classify(path.read_bytes(), "", path.name, {})
        return file_response(upload.data, upload.mime)

    async def _send_message(self, request: web.Request) -> web.StreamResponse:
        if request.content_type == "multipart/form-data":
            return await self._send_file(await read_upload(request))
        body = await read_json(request)
        if "sample" in body:
            choice = validated(SendSample, body)
            return await self._send_file(_sample_upload(choice))
        action = validated(SendMessage, body)
        message = action.message.model_dump(exclude_none=True)
        quotes = action.message.type in {"text", "interactive", "button", "location", "contacts"}
        context = action.context if quotes else None
        wamid = await self.meta.writes(self._person(action.person), message, context=context)
        return web.json_response({"wamid": wamid})

    async def _send_file(self, upload: Upload) -> web.StreamResponse:
        fields = upload.fields
        wamid = await self.meta.sends_media(
            self._person(fields.get("person", "")),
            upload.kind,
            upload.data,
            upload.mime,
            fields.get("caption") or None,
            upload.filename,
            voice=fields.get("voice") == "true",
            context=fields.get("context") or None,
        )
        return web.json_response({"wamid": wamid})

    async def _send_rare_message(self, request: web.Request) -> web.StreamResponse:
        rare = validated(RareMessage, await read_json(request))
        person = self._person(rare.person)
        album = [(_SAMPLES / name).read_bytes() for name in _ALBUM]
        new = await send_rarity(self.meta, person, rare, album)
        if new != person:
            self._broadcast.send({"type": "moved", "was": person.bsuid, "person": self._person_json(new)})
        return web.json_response({})

    async def _set_fault(self, request: web.Request) -> web.StreamResponse:
        await set_fault(self.meta, validated(FaultSwitch, {"fault": await read_json(request)}))
        return web.json_response({"armed": self.meta.faults.armed()})

    async def _new_person(self, request: web.Request) -> web.StreamResponse:
        name = validated(NewPerson, await read_json(request)).name
        digits = f"{secrets.randbelow(10**8):08d}"
        person = Person(phone=f"52155{digits}", bsuid=f"MX.{secrets.randbelow(10**16):016d}", name=name)
        self.meta.chats.of(person)
        self._broadcast.send({"type": "person", "person": self._person_json(person)})
        return web.json_response(self._person_json(person))

    async def _presence(self, request: web.Request) -> web.StreamResponse:
        presence = validated(Presence, await read_json(request))
        await self.meta.opens(self._person(presence.person), is_open=presence.open)
        return web.json_response({})

    def _person(self, bsuid: str) -> Person:
        person = self.meta.chats.find(bsuid=bsuid)
        if person is None:
            raise web.HTTPBadRequest(text="nobody has this id")
        return person


def _sse_frame(event: Event) -> bytes:
    """An event of the stream, as one line, because JSON holds no line breaks."""
    if event["type"] == "heartbeat":
        return b"event: heartbeat\ndata:\n\n"
    return f"data: {json.dumps(event)}\n\n".encode()


def _is_all(event: Event, state: str) -> bool:
    """Whether the event tells of messages that all ended in this state."""
    return event["type"] == "noted" and all(message["state"] == state for message in event["messages"])


def _file_in(folder: Path, name: str) -> Path:
    """The folder's file of that name; 404 for any other name."""
    found = [path for path in folder.iterdir() if path.name == name and path.is_file()]
    if not found:
        raise web.HTTPNotFound
    return found[0]


def _samples() -> list[dict[str, Any]]:
    listing = _SAMPLES / "samples.json"
    samples: list[dict[str, Any]] = json.loads(listing.read_text("utf-8")) if listing.exists() else []
    return samples


def _sample_upload(choice: SendSample) -> Upload:
    listed = next((sample for sample in _samples() if sample["file"] == choice.sample), None)
    if listed is None:
        raise web.HTTPNotFound
    path = _file_in(_SAMPLES, choice.sample)
    voice = listed["kind"] == "voice"
    declared = "audio/ogg; codecs=opus" if path.suffix == ".ogg" else ""
    fields = {"person": choice.person, "voice": str(voice).lower(), "as": str(listed["kind"])}
    return classify(path.read_bytes(), declared, path.name, fields)
