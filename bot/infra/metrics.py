"""The metrics, and the sum of all processes' counts as one page for Prometheus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from functools import cache

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.infra.redis import answer

_KEY = "recado:metrics"
_FLUSH_SECONDS = 1.0
_log = structlog.get_logger()

REGISTRY = CollectorRegistry()

MESSAGES_RECEIVED = Counter("recado_messages_received", "Messages that arrived, each once", ["type"], registry=REGISTRY)
MESSAGES_ENDED = Counter("recado_messages_ended", "Messages by what became of them", ["state"], registry=REGISTRY)
TURNS = Counter("recado_turns", "Turns by their outcome", ["outcome"], registry=REGISTRY)
TURN_SECONDS = Histogram(
    "recado_turn_seconds",
    "From a turn's first message to its reply at Meta",
    buckets=(0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120),
    registry=REGISTRY,
)
LLM_REQUESTS = Counter("recado_llm_requests", "Requests to models", ["model", "outcome"], registry=REGISTRY)
LLM_TOKENS = Counter("recado_llm_tokens", "Tokens of models", ["model", "kind"], registry=REGISTRY)
COST = Counter(
    "recado_cost_usd",
    "What models, transcription, vision and Meta's messages cost, in USD",
    ["kind"],
    registry=REGISTRY,
)
BUDGET_SPENT = Counter("recado_budget_spent", "What a day's budget refused", ["whose"], registry=REGISTRY)
FILES_NOT_KEPT = Counter(
    "recado_files_not_kept", "Files of people who had no space left, by which limit", ["limit"], registry=REGISTRY
)
REPLIES = Counter("recado_replies", "Messages to people by what became of them", ["outcome"], registry=REGISTRY)
WEBHOOK_REJECTED = Counter("recado_webhook_rejected", "Webhook calls refused", ["reason"], registry=REGISTRY)
HTTP_REFUSED = Counter("recado_http_refused", "What the web server refused or closed", ["reason"], registry=REGISTRY)
WEBHOOK_UNKNOWN = Counter("recado_webhook_unknown", "Parts of webhooks accepted unread", ["field"], registry=REGISTRY)
ALERTS = Counter("recado_alerts", "What operators should look at", ["kind"], registry=REGISTRY)
PRICING = Counter("recado_pricing", "Our messages by how Meta charges them", ["category", "type"], registry=REGISTRY)
WEBHOOK_FIELDS = Counter(
    "recado_webhook_fields", "Notifications other than messages, minded", ["field"], registry=REGISTRY
)
USER_ACTIONS = Counter(
    "recado_user_actions",
    "Taps on links of our marketing messages, and pages seen by them",
    ["action"],
    registry=REGISTRY,
)
MAILS = Counter(
    "recado_mails", "E-mails by provider and what it did with them", ["provider", "outcome"], registry=REGISTRY
)
DELIVERED = Counter("recado_event_deliveries", "Events brought to subscribers", ["outcome"], registry=REGISTRY)
PUSHES = Counter("recado_pushes", "Notifications to browsers", ["outcome"], registry=REGISTRY)
LOOP_BLOCKED = Counter("recado_loop_blocked", "Times that one callback held the event loop", registry=REGISTRY)
LOOP_BLOCKED_SECONDS = Counter("recado_loop_blocked_seconds", "How long callbacks held the loop", registry=REGISTRY)
HISTORY_ENTRIES = Counter(
    "recado_history_entries", "Entries of the history by what became of them", ["outcome"], registry=REGISTRY
)
STATUSES = Counter("recado_statuses", "Statuses of our messages", ["status"], registry=REGISTRY)


class MetricsShipper:
    """Adds this process's counts to the sums in Redis every second, so that `serve` shows the workers' too."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Ship the counts since the last time; while Redis is away, they wait for the next time."""
        grown = {field: value - _shipped.get(field, 0) for field, value in _samples()}
        grown = {field: growth for field, growth in grown.items() if growth}
        if not grown:
            return
        # Before the wait, so that the server and a worker in one process don't ship the same growth twice.
        _add(grown, 1)
        pipeline = self._redis.pipeline(transaction=True)
        for field, growth in grown.items():
            pipeline.hincrbyfloat(_KEY, field, growth)
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            _add(grown, -1)
            _log.warning("metrics_not_shipped", error=type(error).__name__)

    async def page(self, gauges: Sequence[Metric]) -> bytes:
        """The Prometheus text of all processes' counts and these gauges; of this process alone without Redis."""
        await self.flush()
        totals = dict(_samples())
        try:
            kept = await answer(self._redis.hgetall(_KEY))
        except (RedisError, OSError) as error:
            _log.warning("metrics_of_this_process_alone", error=type(error).__name__)
        else:
            # Our own names stay, in their order: a histogram needs its empty buckets too, from small to large.
            totals = dict.fromkeys(totals, 0.0) | {field: float(value) for field, value in kept.items()}
        registry = CollectorRegistry()
        registry.register(_Totals(totals, gauges))
        return generate_latest(registry)


# The part of this process's registry that is in Redis already.
_shipped: dict[str, float] = {}


def _add(growth: dict[str, float], sign: int) -> None:
    for field, value in growth.items():
        _shipped[field] = _shipped.get(field, 0) + sign * value


def _samples() -> Iterator[tuple[str, float]]:
    for family in REGISTRY.collect():
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                yield _field(sample.name, tuple(sample.labels.items())), sample.value


@cache
def _field(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    """The field in Redis; kept, as prometheus_client keeps every set of labels."""
    return json.dumps([name, dict(labels)], sort_keys=True)


class _Totals(Collector):
    def __init__(self, totals: dict[str, float], gauges: Sequence[Metric]) -> None:
        self._totals = totals
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        families = {
            family.name: Metric(family.name, family.documentation, family.type) for family in REGISTRY.collect()
        }
        for field, value in self._totals.items():
            name, labels = json.loads(field)
            family = next((families[stem] for stem in _stems(name) if stem in families), None)
            # Because another version of Recado may count something else, unknown counts in Redis are skipped.
            if family is not None:
                family.add_sample(name, labels, value)
        yield from families.values()
        yield from self._gauges


def _stems(name: str) -> Iterator[str]:
    for ending in ("_total", "_bucket", "_sum", "_count"):
        if name.endswith(ending):
            yield name.removesuffix(ending)
    yield name
