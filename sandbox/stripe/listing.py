"""Lists, search and `expand` for objects of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sandbox.stripe.account import Account, Json, copied
from sandbox.stripe.errors import StripeRefusal, no_such
from sandbox.stripe.forms import Created, Page

_DEEPEST = 4
_CLAUSE = re.compile(
    r"""\s*(-?)([a-z_]+)(?:\[(["'])(.+?)\3\])?\s*([:~])\s*(["'])((?:\\.|(?!\6)[^\\])*)\6\s*""", re.DOTALL
)
_JOINT = re.compile(r"(AND|OR)\b", re.IGNORECASE)
_EXPANDABLE = {
    "customer",
    "data",
    "default_payment_method",
    "default_price",
    "invoice",
    "invoice_settings",
    "items",
    "latest_invoice",
    "line_items",
    "lines",
    "parent",
    "payment",
    "payment_intent",
    "payment_method",
    "payments",
    "price",
    "price_details",
    "pricing",
    "product",
    "subscription",
    "subscription_details",
    "subscriptions",
}
_SEARCHED = {"email", "name", "phone", "metadata"}
_SHORTEST = 3


def page_of(things: Iterable[Json], page: Page, url: str) -> Json:
    """A page of the list, newest first."""
    found = [thing for thing in things if page.created is None or _created_within(thing["created"], page.created)][::-1]
    if page.starting_after:
        found = found[_start_index(found, page.starting_after, "starting_after") + 1 :]
    if page.ending_before:
        found = found[: _start_index(found, page.ending_before, "ending_before")]
        return listed(found[-page.limit :], url, more=len(found) > page.limit)
    return listed(found[: page.limit], url, more=len(found) > page.limit)


def listed(things: list[Json], url: str, *, more: bool = False) -> Json:
    return {"object": "list", "data": things, "has_more": more, "url": url}


def _created_within(created: int, wanted: Created) -> bool:
    return (
        (wanted.gt is None or created > wanted.gt)
        and (wanted.gte is None or created >= wanted.gte)
        and (wanted.lt is None or created < wanted.lt)
        and (wanted.lte is None or created <= wanted.lte)
    )


def _start_index(found: list[Json], wanted: str, param: str) -> int:
    for place, thing in enumerate(found):
        if thing["id"] == wanted:
            return place
    raise no_such(found[0]["object"] if found else "object", wanted, param, status=400)


def matches(thing: Json, query: str) -> bool:
    """A part of Stripe's search language: `:`, `~`, `-`, AND, OR (https://docs.stripe.com/search)."""
    verdicts: list[bool] = []
    joints: set[str] = set()
    rest = query
    while True:
        clause = _CLAUSE.match(rest)
        if clause is None:
            raise StripeRefusal(f"We were unable to parse your search query: {query}", param="query")
        verdicts.append(_matches_clause(thing, clause))
        rest = rest[clause.end() :]
        joint = _JOINT.match(rest)
        if joint is None:
            break
        joints.add(joint[1].upper())
        rest = rest[joint.end() :]
    if rest or len(joints) > 1:
        raise StripeRefusal("We were unable to parse your search query: one of AND, OR", param="query")
    return any(verdicts) if joints == {"OR"} else all(verdicts)


def _matches_clause(thing: Json, clause: re.Match[str]) -> bool:
    negated, name, _, key, sign, _, wanted = clause.groups()
    if name not in _SEARCHED or (name == "metadata") != (key is not None):
        raise StripeRefusal(f"Field `{name}` is an unsupported search field for resource `customers`.", param="query")
    value = thing[name].get(key) if key else thing[name]
    wanted = re.sub(r"\\(.)", r"\1", wanted).casefold()
    if sign == "~" and len(wanted) < _SHORTEST:
        raise StripeRefusal("Substring search needs at least 3 characters", param="query")
    text = (value or "").casefold()
    # Stripe finds names by their words, other fields by their whole value.
    found = wanted in text if sign == "~" or name == "name" else value is not None and wanted == text
    return found != bool(negated)


def check_expand(paths: list[str]) -> None:
    """Refuse paths that can't be expanded anywhere, before any work is done."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise StripeRefusal(f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}")
        if not _EXPANDABLE.issuperset(steps):
            raise _not_expandable(path)


class Expander:
    """Replaces ids by objects, for the paths of a request's `expand`."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def expanded(self, answer: Json, paths: list[str]) -> Json:
        """A copy of the answer; raises StripeRefusal for a path that isn't in it."""
        shown: Json = copied(answer)
        for path in paths:
            self._expand([shown], path.split("."), path)
        return shown

    def _expand(self, things: list[Json], steps: list[str], path: str) -> None:
        step, *rest = steps
        reached: list[Json] = []
        for thing in things:
            value = self._value(thing, step, path)
            reached += value if isinstance(value, list) else [value] if isinstance(value, dict) else []
        if rest:
            self._expand(reached, rest, path)

    def _value(self, thing: Json, step: str, path: str) -> Any:
        if step not in thing:
            thing[step] = self._included(thing, step, path)
        elif isinstance(thing[step], str):
            found = self._account.any(thing[step])
            if found is None:
                raise _not_expandable(path)
            thing[step] = copied(found)
        elif isinstance(thing[step], list):
            thing[step] = [copied(self._account.any(each)) if isinstance(each, str) else each for each in thing[step]]
        return thing[step]

    def _included(self, thing: Json, step: str, path: str) -> Json:
        """Objects that Stripe shows only when expanded."""
        match thing.get("object"), step:
            case "customer", "subscriptions":
                found = self._account.all("subscription", customer=thing["id"])
                live = [each for each in found if each["status"] != "canceled"]
                return listed(copied(live), f"/v1/customers/{thing['id']}/subscriptions")
            case "invoice", "payments":
                found = self._account.all("invoice_payment", invoice=thing["id"])
                return listed(copied(list(found)), "/v1/invoice_payments")
            case "checkout.session", "line_items":
                kept = self._account.line_items[thing["id"]]
                return listed(copied(kept), f"/v1/checkout/sessions/{thing['id']}/line_items")
        raise _not_expandable(path)


def _not_expandable(path: str) -> StripeRefusal:
    return StripeRefusal(
        f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead.",
    )
