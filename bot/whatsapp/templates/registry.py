"""The templates as Meta has them, kept in Redis, and the one place that decides whether one may leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.infra.redis import answer, shielded
from bot.messages.language import Language
from bot.messages.outbound import Template
from bot.whatsapp.client import Graph
from bot.whatsapp.errors import GraphError, MetaUnavailable
from bot.whatsapp.templates.parameters import ParametersWrong, Synced, components, synced_from, words
from bot.whatsapp.templates.rules import Definition

_log = structlog.get_logger()
# The braces keep all of them in one slot of a Redis Cluster.
_NAMES = "recado:{templates}"
_LOOKED = "recado:{templates}:looked"
# Before a template is refused, Meta is asked again what became of it; but not more often than this.
_LOOK_AGAIN_SECONDS = 60
# Longer than Meta takes, and short beside the time of a tool: so long a process that died asking holds others up.
_ASKING_SECONDS = 3
# Errors by which Meta says that the template differs from our list (docs/whatsapp.md, Errors).
_CHANGED = frozenset({132000, 132001, 132012, 132015, 132016, 132018})


class TemplateNotSendable(Exception):
    """This template can't leave now; the message says why, `said` in both languages."""

    def __init__(self, *, en: str, es: str) -> None:
        super().__init__(en)
        self.said: dict[Language, str] = {"en": en, "es": es}


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template in one language; `accepted` is the category that the company counts on and pays for."""

    synced: Synced
    accepted: str

    @property
    def why_not(self) -> str | None:
        """Why it may not leave; None when it may."""
        return None if self.refusal is None else self.refusal.said["en"]

    @property
    def refusal(self) -> TemplateNotSendable | None:
        synced, accept = self.synced, "`recado templates sync --accept`"
        name = f"{synced.name} ({synced.language})"
        if synced.status != "APPROVED":
            reason = f": {synced.rejected_reason}" if synced.rejected_reason else ""
            return TemplateNotSendable(
                en=f"{name} is {synced.status}{reason}; only APPROVED templates leave",
                es=f"{name} está en {synced.status}{reason}; sólo salen las APPROVED",
            )
        if synced.category != self.accepted:
            return TemplateNotSendable(
                en=f"Meta made {name} {synced.category}, it was {self.accepted}; write it anew, or accept it with "
                f"{accept}",
                es=f"Meta cambió {name} a {synced.category}, era {self.accepted}; escríbela de nuevo, o acéptala con "
                f"{accept}",
            )
        return None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template ready to leave: `payload` is the part of the message that is the template's, `words` what it says."""

    payload: dict[str, Any]
    words: str
    category: str


class Templates:
    """State by name in Redis: a hash with a field for each language, and fields for what webhooks told since."""

    def __init__(
        self, redis: Redis, graph: Graph, definitions: Iterable[Definition] = (), *, default_language: str
    ) -> None:
        self._redis = redis
        self._graph = graph
        self._default = default_language
        self._definitions = {(definition.name, definition.language): definition for definition in definitions}
        self._order = {definition.name: definition.variables for definition in self._definitions.values()}

    async def render_template(self, part: Template, contact_language: str | None) -> dict[str, Any]:
        """`{"type": "template", "template": …}` for a message; raises TemplateNotSendable, GraphError, Unavailable."""
        return (await self.prepare(part, contact_language)).payload

    async def prepare(self, part: Template, contact_language: str | None) -> Prepared:
        """As `render_template`, with the words and the category. Asks Meta anew before it refuses."""
        raw = await self._raw(part.name)
        if _outdated(raw):
            await self._look_again()
            raw = await self._raw(part.name)
        try:
            return self._chosen(_all_of(raw), part, contact_language)
        except TemplateNotSendable:
            await self._look_again()
        return self._chosen(await self.named(part.name), part, contact_language)

    async def send(
        self, part: Template, contact_language: str | None, post: Callable[[Prepared], Awaitable[str]]
    ) -> str:
        """Post a template; when Meta says that it is not as we think, learn what it is and try once more."""
        try:
            return await post(await self.prepare(part, contact_language))
        except GraphError as error:
            if error.code not in _CHANGED or not self._graph.account:
                raise
            _log.warning("template_changed", template=part.name, code=error.code)
        await self.sync()
        return await post(await self.prepare(part, contact_language))

    async def sync(self, *, accept: bool = False) -> list[StoredTemplate]:
        """Take over Meta's whole list; `accept` agrees to the categories as they are now."""
        listed = [template for template in map(synced_from, await self._graph.templates()) if template]
        before = {(kept.synced.name, kept.synced.language): kept.accepted for kept in await self.all()}
        kept = [
            StoredTemplate(template, template.category if accept else self._accepted(template, before))
            for template in listed
        ]
        gone = set(await answer(self._redis.smembers(_NAMES))) | {template.name for template in listed}
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.delete(_NAMES, *map(_key, gone))
        for stored in kept:
            pipeline.sadd(_NAMES, stored.synced.name)
            pipeline.hset(_key(stored.synced.name), stored.synced.language, stored.synced.model_dump_json())
            pipeline.hset(_key(stored.synced.name), f"{stored.synced.language}:accepted", stored.accepted)
        await pipeline.execute()
        return sorted(kept, key=lambda stored: (stored.synced.name, stored.synced.language))

    async def all(self) -> list[StoredTemplate]:
        """Stored templates by name and language."""
        names = sorted(await answer(self._redis.smembers(_NAMES)))
        return [kept for name in names for kept in await self.named(name)]

    async def known(self) -> list[StoredTemplate]:
        """Stored templates; where none is stored yet, Meta's. Raises GraphError, MetaUnavailable."""
        found = await self.all()
        if not found:
            await self._look_again()
            found = await self.all()
        return found

    async def named(self, name: str) -> list[StoredTemplate]:
        """A template in its languages; empty if unknown."""
        return _all_of(await self._raw(name))

    async def _raw(self, name: str) -> dict[str, str]:
        raw: dict[str, str] = await answer(self._redis.hgetall(_key(name)))
        return raw

    async def note(self, name: str, language: str, **changes: str) -> None:
        """Keep what a webhook told of a template: its status, quality or category, or that it is `outdated`."""
        pipeline = self._redis.pipeline(transaction=True)
        for field, value in changes.items():
            pipeline.hset(_key(name), f"{language}:{field}", value)
        pipeline.sadd(_NAMES, name)
        # Before a refusal by an old list, we ask Meta for a new one.
        pipeline.delete(_LOOKED)
        await pipeline.execute()

    async def _look_again(self) -> None:
        """Sync, unless somebody just did; whoever comes while another asks Meta, waits for what they learn."""
        if not self._graph.account:
            _log.warning("templates_not_synced", fix="set WHATSAPP_WABA_ID, so that Recado can ask for its templates")
            return
        while not await self._redis.set(_LOOKED, "asking", nx=True, ex=_ASKING_SECONDS):
            if await self._redis.get(_LOOKED) == "done":
                return
            # Another process is at it; should it have died, whoever waits asks in its place.
            await asyncio.sleep(0.05)
        try:
            await self.sync()
        except (GraphError, MetaUnavailable, asyncio.CancelledError):
            # Nobody waits for what nobody learns: a tool's time may be up while Meta is silent.
            await shielded(answer(self._redis.delete(_LOOKED)))
            raise
        await self._redis.set(_LOOKED, "done", xx=True, ex=_LOOK_AGAIN_SECONDS)

    def _accepted(self, synced: Synced, before: dict[tuple[str, str], str]) -> str:
        wanted = self._definitions.get((synced.name, synced.language))
        return before.get((synced.name, synced.language)) or (wanted.category if wanted else synced.category)

    def _chosen(self, known: list[StoredTemplate], part: Template, contact_language: str | None) -> Prepared:
        if not known:
            raise TemplateNotSendable(
                en=f"there is no template {part.name!r} at Meta; see `recado templates list`",
                es=f"Meta no tiene la plantilla {part.name!r}; mira `recado templates list`",
            )
        wanted = (part.language or contact_language or self._default).replace("-", "_")
        ranked = sorted(known, key=lambda kept: _distance(kept.synced.language, wanted, self._default))
        if part.language is not None:
            # A language that the caller names is kept; only for the person's own language may another one stand in.
            ranked = [kept for kept in ranked if _are_sisters(kept.synced.language, wanted)]
        if not ranked:
            there = ", ".join(kept.synced.language for kept in known)
            raise TemplateNotSendable(
                en=f"{part.name} is not at Meta in {wanted}, but in {there}; see `recado templates list`",
                es=f"Meta no tiene {part.name} en {wanted}, sino en {there}; mira `recado templates list`",
            )
        sendable = next((kept.synced for kept in ranked if kept.refusal is None), None)
        if sendable is None:
            raise ranked[0].refusal or TemplateNotSendable(en=part.name, es=part.name)
        parameters = self._by_number(sendable, part.parameters)
        try:
            filled = components(sendable, parameters)
        except ParametersWrong as error:
            raise TemplateNotSendable(
                en=f"the parameters of {part.name} don't fit: {error}",
                es=f"los parámetros de {part.name} no coinciden: {error.spanish}",
            ) from error
        template: dict[str, Any] = {"name": sendable.name, "language": {"code": sendable.language}}
        template |= {"components": filled} if filled else {}
        payload = {"type": "template", "template": template}
        return Prepared(payload, words(sendable, parameters), sendable.category)

    def _by_number(self, synced: Synced, parameters: dict[str, str]) -> dict[str, str]:
        """An approved template may count its variables where callers name them: our file knows their order."""
        order = self._order.get(synced.name, ())
        if synced.named or set(parameters) != set(order):
            return parameters
        return {str(number): parameters[name] for number, name in enumerate(order, start=1)}


def _all_of(raw: dict[str, str]) -> list[StoredTemplate]:
    return [_merged(language, raw) for language in sorted(raw) if ":" not in language]


def _outdated(raw: dict[str, str]) -> bool:
    """True if a webhook told of an edit, or of a language that we don't have."""
    return any(field.endswith(":outdated") or field.partition(":")[0] not in raw for field in raw)


def _merged(language: str, raw: dict[str, str]) -> StoredTemplate:
    synced = Synced.model_validate_json(raw[language])
    changes = {field: raw.get(f"{language}:{field}") for field in ("status", "category", "quality", "rejected_reason")}
    synced = synced.model_copy(update={field: value for field, value in changes.items() if value is not None})
    return StoredTemplate(synced, raw.get(f"{language}:accepted", synced.category))


def _distance(language: str, wanted: str, default: str) -> tuple[int, str]:
    """Distance of a language from the wanted one: the same, a variant of it, the company's own, any."""
    same = (language == wanted, _are_sisters(language, wanted), language == default, _are_sisters(language, default))
    return (same.index(True) if True in same else len(same)), language


def _are_sisters(category: str, other: str) -> bool:
    """True if two codes are of one language: es_MX, es and es_AR."""
    return category.partition("_")[0] == other.partition("_")[0]


def _key(name: str) -> str:
    return f"recado:{{templates}}:{name}"
