"""The Graph API over HTTP: routes, tokens and envelopes; other modules check the messages."""

import asyncio
import hmac
import json
import re
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.meta.acceptance import AcceptedMessage, MessageChecks, answer, new_wamid
from sandbox.meta.errors import GraphRefusal, unknown_number, unknown_object
from sandbox.meta.faults import Call
from sandbox.meta.media import MediaFile
from sandbox.meta.parties import Person
from sandbox.meta.templates import Template
from sandbox.meta.validation import Message, ReadMark, parse_request
from sandbox.meta.wire_log import WireLog

_VERSION = r"/{version:v\d+\.\d+}"
# The largest document is 100 MB, and a multipart body adds its headers.
LARGEST_REQUEST = 101 * 1024 * 1024
_BY_DEFAULT = "verified_name,code_verification_status,display_phone_number,quality_rating"
_READ_BLOCK = 65536


@dataclass(kw_only=True)
class GraphApi:
    """The routes of one number and its account."""

    token: str = field(repr=False)
    checks: MessageChecks
    accept: Callable[[Message, AcceptedMessage, str, dict[str, Any]], None]
    read: Callable[[ReadMark], None]
    review: Callable[[Template], None]
    subscribe: Callable[[bool | None], bool]
    calls: Counter[Call]
    wire: WireLog = field(repr=False)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[self._guard])
        # Meta promises ids to be strings, so that clients percent-encode those with other characters than digits.
        number, object_id = _VERSION + r"/{number:\d+}", _VERSION + r"/{id:[^/]+}"
        app.add_routes([
            web.post(f"{number}/messages", self._messages),
            web.post(f"{number}/media", self._upload),
            web.post(f"{number}/thread_control", self._thread_control),
            web.get(f"{number}/subscribed_apps", self._subscribed_apps),
            web.post(f"{number}/subscribed_apps", self._subscribed_apps),
            web.delete(f"{number}/subscribed_apps", self._subscribed_apps),
            web.get(f"{number}/message_templates", self._list_templates),
            web.post(f"{number}/message_templates", self._create_template),
            web.delete(f"{number}/message_templates", self._delete_template),
            web.get(object_id, self._show),
            web.post(object_id, self._edit_template),
            web.delete(object_id, self._delete_media),
            web.get("/whatsapp_business/attachments/", self._download),
        ])  # fmt: skip
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = await self._answer(request, handler)
        await self._log(request, response)
        return response

    async def _log(self, request: web.Request, response: web.StreamResponse) -> None:
        """Keep the exchange; the bytes of files are left out."""
        body = await request.read() if request.content_type == "application/json" else b""
        answered = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
        gone = request.transport is None or request.transport.is_closing()
        self.wire.called(f"{request.method} {request.path_qs}", body, 0 if gone else response.status, answered)

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            self._check_token(request)
            return await handler(request)
        except GraphRefusal as refused:
            if request.path.endswith("/messages"):
                self.checks.chats.report_failed_call(
                    await self._recipient_of(request), "refuse", refused.code, refused.title
                )
            return refused.response()
        except web.HTTPNotFound:
            return GraphRefusal(100, f"Unknown path components: {request.path}", status=404).response()

    def _check_token(self, request: web.Request) -> None:
        if fault := self.checks.faults.take("refuse", "all"):
            raise GraphRefusal(fault.code, "planned fault", status=fault.status)
        _, _, token = request.headers.get("Authorization", "").partition("Bearer ")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise GraphRefusal(190, "Invalid OAuth access token - Cannot parse access token")

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        self._number(request)
        body = await _json(request)
        message = parse_request(body)
        if isinstance(message, ReadMark):
            return await self._mark_read(request, message)
        self.calls["messages"] += 1
        accepted = self.checks.check(message)
        self._check_planned_fault("messages", accepted.person)
        if self.checks.faults.take("html", "messages", accepted.person):
            self.checks.chats.report_failed_call(accepted.person, "html")
            return _bad_gateway()
        wamid = new_wamid()
        self.accept(message, accepted, wamid, body)
        await self._delay("messages", accepted.person)
        if self.checks.faults.take("drop", "messages", accepted.person):
            self.checks.chats.report_failed_call(accepted.person, "drop")
            _hang_up(request)
        return web.json_response(answer(message, accepted.person, wamid))

    async def _mark_read(self, request: web.Request, mark: ReadMark) -> web.StreamResponse:
        if not self.checks.chats.knows(mark.message_id, None, "in"):
            raise GraphRefusal(131009, f"{mark.message_id} is no message that this number received")
        person = self.checks.chats.owner(mark.message_id)
        self._check_planned_fault("read", person)
        self.read(mark)
        if self.checks.faults.take("drop", "read", person):
            _hang_up(request)
        return web.json_response({"success": True})

    async def _thread_control(self, request: web.Request) -> web.StreamResponse:
        self._number(request)
        self._check_planned_fault("messages")
        self.checks.routing.control(await _json(request))
        return web.json_response({"messaging_product": "whatsapp", "request_id": secrets.token_hex(8)})

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        self._number(request)
        self._check_planned_fault("media")
        if request.content_type != "multipart/form-data":
            raise GraphRefusal(100, "The body must be multipart/form-data")
        form = await request.post()
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            raise GraphRefusal(131008, "messaging_product and file are required")
        mime = str(form.get("type") or file.content_type)
        return web.json_response({"id": self.checks.media.upload(file.file.read(), mime).id})

    async def _show(self, request: web.Request) -> web.StreamResponse:
        """Answer a GET of any id: the number, the account, a template, or else a file."""
        object_id = request.match_info["id"]
        business = self.checks.business
        if object_id == business.phone_number_id:
            return _selected_fields(request, self._number_state(), _BY_DEFAULT)
        if object_id == business.waba_id:
            return _selected_fields(request, self._account_state(), "name,timezone_id")
        known = [template for template in self.checks.templates.find() if template.id == object_id]
        if known:
            return web.json_response(known[0].as_json(_requested_fields(request, "")))
        self.calls["media"] += 1
        self._check_planned_fault("media")
        if request.query.get("phone_number_id", business.phone_number_id) != business.phone_number_id:
            raise unknown_object(object_id)
        return web.json_response(self._resolved(self.checks.media.get(object_id)))

    def _resolved(self, file: MediaFile) -> dict[str, Any]:
        return {
            "messaging_product": "whatsapp",
            "id": file.id,
            "url": self.checks.media.url(file.id),
            "mime_type": file.mime,
            "sha256": file.sha256.hex(),
            "file_size": len(file.data),
        }

    async def _delete_media(self, request: web.Request) -> web.StreamResponse:
        self.checks.media.delete(request.match_info["id"])
        return web.json_response({"success": True})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self.calls["download"] += 1
        self._check_planned_fault("media")
        self._check_planned_fault("download")
        await self._delay("download")
        query = request.query
        file = self.checks.media.by_url(query.get("mid", ""), query.get("ext", ""), query.get("hash", ""))
        if file is None:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"Content-Type": file.mime, "Content-Length": str(len(file.data))})
        await response.prepare(request)
        if self.checks.faults.take("drop", "download"):
            await response.write(file.data[: len(file.data) // 2])
            _hang_up(request)
            return response
        for start in range(0, len(file.data), _READ_BLOCK):
            await response.write(file.data[start : start + _READ_BLOCK])
        return response

    async def _subscribed_apps(self, request: web.Request) -> web.StreamResponse:
        self._account(request)
        if request.method == "GET":
            apps = [{"whatsapp_business_api_data": {"id": "1", "name": "Recado"}}] if self.subscribe(None) else []
            return web.json_response({"data": apps})
        self.subscribe(request.method == "POST")
        return web.json_response({"success": True})

    async def _list_templates(self, request: web.Request) -> web.StreamResponse:
        self._account(request)
        await self._delay("templates")
        query = request.query
        found = self.checks.templates.find(name=query.get("name"), status=query.get("status"))
        start, limit = _cursor_position(query.get("after", "0")), _cursor_position(query.get("limit", "25"))
        page = [template.as_json(_requested_fields(request, "")) for template in found[start : start + limit]]
        cursors = {"before": str(start), "after": str(start + limit)}
        more = {"next": str(request.url.update_query(after=cursors["after"]))} if start + limit < len(found) else {}
        counts = {"total_count": len(found), "message_template_count": len(self.checks.templates.find())}
        counts |= {"message_template_limit": 250, "are_translations_complete": True}
        wanted = query.get("summary", "").split(",")
        summary = {"summary": {name: count for name, count in counts.items() if name in wanted}} if any(wanted) else {}
        return web.json_response({"data": page, "paging": {"cursors": cursors} | more} | summary)

    async def _create_template(self, request: web.Request) -> web.StreamResponse:
        self._account(request)
        template = self.checks.templates.create(await _json(request))
        self.review(template)
        return web.json_response({"id": template.id, "status": "PENDING", "category": template.category})

    async def _edit_template(self, request: web.Request) -> web.StreamResponse:
        self.review(self.checks.templates.edit(request.match_info["id"], await _json(request)))
        return web.json_response({"success": True})

    async def _delete_template(self, request: web.Request) -> web.StreamResponse:
        self._account(request)
        self.checks.templates.delete(request.query.get("name", ""), request.query.get("hsm_id"))
        return web.json_response({"success": True})

    def _check_planned_fault(self, call: Call, person: Person | None = None) -> None:
        """Raise a planned refusal before anything has happened."""
        if fault := self.checks.faults.take("refuse", call, person):
            raise GraphRefusal(fault.code, "planned fault", status=fault.status)

    async def _delay(self, call: Call, person: Person | None = None) -> None:
        if delay := self.checks.faults.take("delay", call, person):
            await asyncio.sleep(delay.seconds)

    async def _recipient_of(self, request: web.Request) -> Person | None:
        """The recipient of a refused call, as far as its body tells."""
        try:
            body = json.loads(await request.read())
        except ValueError:
            return None
        if not isinstance(body, dict):
            return None
        phone = re.sub(r"\D", "", str(body.get("to") or ""))
        return self.checks.chats.find(phone=phone, bsuid=str(body.get("recipient") or ""))

    def _number(self, request: web.Request) -> None:
        if request.match_info["number"] != self.checks.business.phone_number_id:
            raise unknown_number(request.match_info["number"])

    def _account(self, request: web.Request) -> None:
        if request.match_info["number"] != self.checks.business.waba_id:
            raise unknown_number(request.match_info["number"])

    def _number_state(self) -> dict[str, Any]:
        business = self.checks.business
        return {
            "id": business.phone_number_id,
            "display_phone_number": f"+{business.display_phone_number}",
            "verified_name": business.name,
            "name_status": "APPROVED",
            "code_verification_status": "VERIFIED",
            "quality_rating": "GREEN",
            "status": "CONNECTED",
            "throughput": {"level": self.checks.rate_limits.level},
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
            "webhook_configuration": {},
            "health_status": _healthy("PHONE_NUMBER", business.phone_number_id),
        }

    def _account_state(self) -> dict[str, Any]:
        account = self.checks.business.waba_id
        health = _healthy("WABA", account)
        return {"id": account, "name": self.checks.business.name, "timezone_id": "1", "health_status": health}


def _healthy(kind: str, entity_id: str) -> dict[str, Any]:
    available = {"can_send_message": "AVAILABLE"}
    return available | {"entities": [{"entity_type": kind, "id": entity_id} | available]}


def _requested_fields(request: web.Request, by_default: str) -> list[str]:
    return [name for name in request.query.get("fields", by_default).split(",") if name]


def _selected_fields(request: web.Request, state: dict[str, Any], by_default: str) -> web.Response:
    wanted = _requested_fields(request, by_default)
    for name in wanted:
        if name not in state:
            raise GraphRefusal(100, f"Tried accessing nonexisting field ({name})")
    return web.json_response({name: state[name] for name in [*wanted, "id"]})


def _cursor_position(text: str) -> int:
    if not text.isdecimal():
        raise GraphRefusal(131059, f"{text!r} is no cursor")
    return int(text)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise GraphRefusal(100, "The request body is not JSON") from error


def _bad_gateway() -> web.Response:
    page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
    return web.Response(status=502, text=page, content_type="text/html")


def _hang_up(request: web.Request) -> None:
    """Close the connection, so that the answer never arrives."""
    if request.transport is not None:
        request.transport.abort()
