"""The simulated account in a file, so that plans and invoices outlive a restart of the sandbox."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import structlog

from sandbox.stripe.account import Json
from sandbox.stripe.forms_billing import SubscriptionData
from sandbox.stripe.lines import InvoiceLine
from sandbox.stripe.simulator import StripeSimulator

_log = structlog.get_logger()
_PAUSE_SECONDS = 0.2
_MOST_EVENTS = 300
_MOST_ADDRESSES = 20


class StripeState:
    """The state in the file at `path`; `watch` saves it shortly after each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._addresses: list[str] = []
        self._waiting: asyncio.TimerHandle | None = None

    def restore(self, stripe: StripeSimulator) -> list[str] | None:
        """Restore what an earlier run saved; gives the addresses that its pages had, or None if nothing is saved."""
        try:
            text = self._path.read_text("utf-8")
            addresses: list[str] = json.loads(text)["addresses"]
            for address in addresses:
                text = text.replace(f"{address}/", f"{stripe.account.base_url}/")
            _put(stripe, json.loads(text))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("stripe_state_unreadable", file=str(self._path), why=type(error).__name__)
            return None
        self._addresses = addresses[-_MOST_ADDRESSES:]
        return addresses

    def save(self, stripe: StripeSimulator) -> None:
        addresses = [*self._addresses, stripe.account.base_url]
        text = json.dumps(_state(stripe) | {"addresses": list(dict.fromkeys(addresses))})
        # A reader sees the old state or the new one, never a half.
        beside = self._path.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(self._path)

    def watch(self, stripe: StripeSimulator) -> None:
        """Save after a change; several changes in a short time are saved once."""
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._save_now, stripe)

    def close(self, stripe: StripeSimulator) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self.save(stripe)

    def _save_now(self, stripe: StripeSimulator) -> None:
        self._waiting = None
        self.save(stripe)


def _state(stripe: StripeSimulator) -> dict[str, Any]:
    plans = stripe.checkout.plans
    return stripe.account.state(_MOST_EVENTS) | {
        "declines": stripe.customers.declines,
        "plans": {name: plan.model_dump(exclude_none=True) for name, plan in plans.items()},
        "pending": {name: [asdict(line) for line in lines] for name, lines in stripe.invoices.unbilled.items()},
        "warned": [list(warned) for warned in islice(stripe.cycle.warned, 1000)],
    }


def _put(stripe: StripeSimulator, state: Json) -> None:
    plans = {name: SubscriptionData.model_validate(plan) for name, plan in state["plans"].items()}
    pending = {name: [InvoiceLine(**line) for line in lines] for name, lines in state["pending"].items()}
    warned = {(str(name), int(end)) for name, end in state["warned"]}
    stripe.account.restore(state)
    stripe.customers.declines.update(state["declines"])
    for customer in stripe.account.all("customer"):
        stripe.customers.index(customer)
    stripe.checkout.plans.update(plans)
    stripe.invoices.unbilled.update(pending)
    stripe.cycle.warned.update(warned)
