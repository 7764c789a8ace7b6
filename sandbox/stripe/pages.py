"""Stripe's hosted pages for the sandbox, in Spanish and English: pay, portal, invoice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web

from bot.integrations.stripe.formatting import money
from bot.messages.language import language_from
from sandbox.stripe.account import Account, Json
from sandbox.stripe.checkout import Checkout
from sandbox.stripe.errors import StripeRefusal
from sandbox.stripe.lines import amount_of
from sandbox.stripe.page_words import WORDS, Words
from sandbox.stripe.pdf import page_of_text
from sandbox.stripe.plans import period_of
from sandbox.stripe.portal import Portal, UnknownCard

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1a1f36}"
    "button,a.button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#0a5c36;color:#fff;"
    "cursor:pointer;text-decoration:none}td{padding:.2rem .8rem .2rem 0}.note{color:#596171;font-size:.9rem}"
    ".bad{color:#a41c1c}"
)
_LONGEST_LANGUAGE = 35


class HostedPages:
    def __init__(self, account: Account, checkout: Checkout, portal: Portal, catch_up: Callable[[], None]) -> None:
        self._account = account
        self._checkout = checkout
        self._portal = portal
        self._catch_up = catch_up

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/c/pay/{session}", self._with_error_page(self._pay)),
            web.post("/c/pay/{session}", self._with_error_page(self._complete_payment)),
            web.get("/p/session/{session}", self._with_error_page(self._portal_page)),
            web.post("/p/session/{session}", self._with_error_page(self._change_subscription)),
            web.get("/back", self._return_page),
            web.get("/i/{token}", self._with_error_page(self._invoice)),
            web.get("/i/{token}/pdf", self._with_error_page(self._pdf)),
        ]

    def _with_error_page(
        self, show: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def page(request: web.Request) -> web.Response:
            self._catch_up()
            try:
                return await show(request)
            except StripeRefusal as error:
                say = _browser_words(request)
                return _page(say, say["no_page"], f"<p>{say['no_link']}</p>", status=error.status)

        return page

    async def _return_page(self, request: web.Request) -> web.Response:
        """The pages' return address for a shop that has no page of its own."""
        say = _browser_words(request)
        return _page(say, say["done"], f"<p>{say['close_tab']}</p>")

    # ---- Checkout

    async def _pay(self, request: web.Request) -> web.Response:
        session = self._account.get("checkout.session", request.match_info["session"])
        return self._pay_page(session, _words_of(session["locale"], request))

    async def _complete_payment(self, request: web.Request) -> web.Response:
        session = self._account.get("checkout.session", request.match_info["session"])
        form = await request.post()
        card = str(form.get("card") or "pm_card_visa")
        try:
            self._checkout.complete(session["id"], card, str(form.get("email") or ""), str(form.get("name") or ""))
        except StripeRefusal as error:
            return self._pay_page(session, _words_of(session["locale"], request), error)
        target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return web.Response(status=303, headers={"Location": target})

    def _pay_page(self, session: Json, say: Words, problem: StripeRefusal | None = None) -> web.Response:
        if session["status"] != "open":
            told = say[f"session_{session['status']}"]
            return _page(say, say["payment"], f"<p>{told}</p>", status=200 if problem is None else 410)
        rows = "".join(
            f"<tr><td>{line['quantity']} × {escape(line['description'])}</td><td>{_line_money(line)}</td></tr>"
            for line in self._account.line_items[session["id"]]
        )
        ask = "" if session["customer"] or session["customer_email"] else _email_field(say)
        cards = "".join(f'<option value="{value}">{name}{say[note]}</option>' for value, name, note in _CARDS)
        bad = f'<p class="bad" role="alert">{_told(problem, say)}</p>' if problem else ""
        back = session["cancel_url"]
        leave = f'<p><a href="{escape(back)}">{say["leave"]}</a></p>' if back else ""
        today, days = _money(session["amount_total"], session["currency"]), self._checkout.trial_days(session)
        free = f"<p>{say['free'].format(days=days)}</p>" if days else ""
        return _page(
            say,
            say["subscribe"],
            f"<table>{rows}</table><p>{say['today']}: <strong>{today}</strong></p>{free}"
            f'{bad}<form method="post">{ask}<p><label>{say["card"]} <select name="card">{cards}</select></label></p>'
            f"<button>{say['subscribe']}</button></form>{leave}",
            status=200 if problem is None else problem.status,
        )

    # ---- portal

    async def _portal_page(self, request: web.Request) -> web.Response:
        session = self._account.get("billing_portal.session", request.match_info["session"])
        return self._portal_of(session, _words_of(session["locale"], request))

    def _portal_of(self, session: Json, say: Words, problem: str = "", status: int = 200) -> web.Response:
        parts = "".join(self._portal_entry(each, say) for each in self._portal.subscriptions(session))
        back = session["return_url"]
        leave = f'<p><a class="button" href="{escape(back)}">{say["back"]}</a></p>' if back else ""
        parts = parts or f"<p>{say['nothing']}</p>"
        return _page(say, say["portal"], parts + self._card_form(session, say, problem) + leave, status=status)

    def _card_form(self, session: Json, say: Words, problem: str) -> str:
        card = self._portal.card(session)
        now = f"{card['brand'].title()} ···· {card['last4']}" if card else say["no_card"]
        bad = f'<p class="bad" role="alert">{problem}</p>' if problem else ""
        return f"<h2>{say['your_card']}</h2><p>{escape(now)}</p>{bad}{_CARD_FORM.format_map(say)}"

    async def _change_subscription(self, request: web.Request) -> web.Response:
        session = self._account.get("billing_portal.session", request.match_info["session"])
        form, say = await request.post(), _words_of(session["locale"], request)
        if form.get("do") == "card":
            try:
                self._portal.change_card(session, str(form.get("number")))
            except UnknownCard:
                return self._portal_of(session, say, say["unknown_card"], status=400)
            except StripeRefusal as error:
                return self._portal_of(session, say, _told(error, say), status=error.status)
            return web.Response(status=303, headers={"Location": str(request.rel_url)})
        self._portal.set_ending(session, str(form.get("subscription")), ends=form.get("do") == "cancel")
        return web.Response(status=303, headers={"Location": str(request.rel_url)})

    def _portal_entry(self, subscription: Json, say: Words) -> str:
        items = subscription["items"]["data"]
        name = " + ".join(self._account.get("product", item["price"]["product"])["name"] for item in items)
        ends = subscription["cancel_at_period_end"] or subscription["cancel_at"] is not None
        day = _day(subscription["cancel_at"] or period_of(subscription)[1], say)
        amount = sum(amount_of(item, self._account.usage.get(item["id"], 0)) for item in items)
        told = say["ends" if ends else "renews"].format(day=day)
        do = "resume" if ends else "cancel"
        return (
            f"<h2>{escape(name)}</h2><p>{_money(amount, subscription['currency'])}. {told}</p>"
            f'<form method="post"><input type="hidden" name="subscription" value="{subscription["id"]}">'
            f'<button name="do" value="{do}">{say[do]}</button></form>'
        )

    # ---- invoices

    async def _invoice(self, request: web.Request) -> web.Response:
        invoice = self._account.get("invoice", f"in_{request.match_info['token']}")
        say = self._customer_words(invoice, request)
        rows = "".join(
            f"<tr><td>{escape(line['description'])}</td><td>{_line_money(line)}</td></tr>"
            for line in invoice["lines"]["data"]
        )
        return _page(
            say,
            f"{say['invoice']} {escape(invoice['number'] or '')}",
            f"<p>{_day(invoice['created'], say)}, {say[invoice['status']]}</p><table>{rows}</table>"
            f"<p>Total: <strong>{_money(invoice['amount_due'], invoice['currency'])}</strong></p>"
            f'<p><a class="button" href="{escape(invoice["invoice_pdf"] or "")}">{say["download"]}</a></p>',
        )

    def _customer_words(self, invoice: Json, request: web.Request) -> Words:
        """Words in the customer's language, else in the browser's."""
        customer = self._account.find("customer", invoice["customer"])
        preferred = (customer or {}).get("preferred_locales") or [None]
        return _words_of(preferred[0], request)

    async def _pdf(self, request: web.Request) -> web.Response:
        invoice = self._account.get("invoice", f"in_{request.match_info['token']}")
        say = self._customer_words(invoice, request)
        body = page_of_text(
            [
                f"{say['invoice']} {invoice['number']}",
                f"{say['date']}: {_day(invoice['created'], say)}",
                f"{say['customer']}: {invoice['customer_name'] or invoice['customer_email'] or invoice['customer']}",
                "",
                *(f"{line['description']}: {_line_money(line)}" for line in invoice["lines"]["data"]),
                "",
                f"Total: {_money(invoice['amount_due'], invoice['currency'])}",
                f"{say['state']}: {say[invoice['status']]}",
            ]
        )
        name = f"Invoice-{invoice['number']}.pdf"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=body, content_type="application/pdf", headers=headers)


_CARDS = (
    ("pm_card_visa", "Visa ···· 4242", "fine"),
    ("pm_card_mastercard", "Mastercard ···· 4444", "fine"),
    ("pm_card_chargeDeclined", "Visa ···· 0002", "declined"),
    ("pm_card_chargeCustomerFail", "Visa ···· 0341", "fails"),
)
_CARD_FORM = (
    '<form method="post"><p><label>{number} <input name="number" inputmode="numeric" autocomplete="cc-number" required '
    'pattern="[0-9 ]{{13,23}}" placeholder="4242 4242 4242 4242"></label></p>'
    '<p><label>{expires} <input name="expiry" inputmode="numeric" autocomplete="cc-exp" required size="7" '
    'placeholder="{month_year}" pattern="(0[1-9]|1[0-2]) ?/ ?[0-9]{{2}}"></label> '
    '<label>CVC <input name="cvc" inputmode="numeric" autocomplete="cc-csc" required size="4" pattern="[0-9]{{3,4}}">'
    '</label></p><button name="do" value="card">{change_card}</button><p class="note">{test_cards}</p></form>'
)


def _email_field(say: Words) -> str:
    return f'<p><label>{say["email"]} <input name="email" type="email" required></label></p>'


def _words_of(locale: str | None, request: web.Request) -> Words:
    """Words of a session's locale; `auto` and none stand for the browser's language, as at Stripe."""
    chosen = language_from(locale, None)
    return WORDS[chosen] if chosen else _browser_words(request)


def _browser_words(request: web.Request) -> Words:
    return WORDS[language_from(request.headers.get("Accept-Language", "")[:_LONGEST_LANGUAGE], "es")]


def _page(say: Words, title: str, body: str, status: int = 200) -> web.Response:
    text = (
        f'<!doctype html><html lang="{say["lang"]}"><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>{body}'
        f'<p class="note">{say["imitation"]}</p></html>'
    )
    return web.Response(text=text, content_type="text/html", status=status)


def _told(problem: StripeRefusal, say: Words) -> str:
    return say["card_refused"] if problem.kind == "card_error" else escape(str(problem))


def _money(amount: int, currency: str) -> str:
    return money(amount, currency)


def _line_money(line: dict[str, Any]) -> str:
    return _money(line["amount"] if "amount" in line else line["amount_total"], line["currency"])


def _day(moment: int, say: Words) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(say["day"])
