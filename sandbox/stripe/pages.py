"""Stripe's hosted pages for the sandbox, in Spanish: pay, portal, invoice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web

from bot.integrations.stripe.formatting import money
from sandbox.stripe.account import Account, Json
from sandbox.stripe.checkout import Checkout
from sandbox.stripe.errors import StripeRefusal
from sandbox.stripe.lines import amount_of
from sandbox.stripe.pdf import page_of_text
from sandbox.stripe.plans import period_of
from sandbox.stripe.portal import Portal, UnknownCard

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1a1f36}"
    "button,a.button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#0a5c36;color:#fff;"
    "cursor:pointer;text-decoration:none}td{padding:.2rem .8rem .2rem 0}.note{color:#596171;font-size:.9rem}"
    ".bad{color:#a41c1c}"
)
_CARDS = {
    "pm_card_visa": "Visa ···· 4242",
    "pm_card_mastercard": "Mastercard ···· 4444",
    "pm_card_chargeDeclined": "Visa ···· 0002 (rechazada)",
    "pm_card_chargeCustomerFail": "Visa ···· 0341 (el banco la rechaza al cobrar)",
}
_STATES = {"draft": "borrador", "open": "por pagar", "paid": "pagada", "void": "anulada", "uncollectible": "incobrable"}


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
                return _page("No se puede abrir", "<p>Este enlace no existe o ya no vale.</p>", status=error.status)

        return page

    async def _return_page(self, _: web.Request) -> web.Response:
        """The pages' return address for a shop that has no page of its own."""
        return _page("Listo", "<p>Puedes cerrar esta pestaña y volver al chat.</p>")

    # ---- Checkout

    async def _pay(self, request: web.Request) -> web.Response:
        return self._pay_page(self._account.get("checkout.session", request.match_info["session"]))

    async def _complete_payment(self, request: web.Request) -> web.Response:
        session = self._account.get("checkout.session", request.match_info["session"])
        form = await request.post()
        card = str(form.get("card") or "pm_card_visa")
        try:
            self._checkout.complete(session["id"], card, str(form.get("email") or ""), str(form.get("name") or ""))
        except StripeRefusal as error:
            return self._pay_page(session, error)
        target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return web.Response(status=303, headers={"Location": target})

    def _pay_page(self, session: Json, problem: StripeRefusal | None = None) -> web.Response:
        if session["status"] != "open":
            told = {"complete": "Este pago ya está hecho.", "expired": "Este enlace ha caducado. Pide otro en el chat."}
            return _page("Pago", f"<p>{told[session['status']]}</p>", status=200 if problem is None else 410)
        rows = "".join(
            f"<tr><td>{line['quantity']} × {escape(line['description'])}</td><td>{_line_money(line)}</td></tr>"
            for line in self._account.line_items[session["id"]]
        )
        ask = "" if session["customer"] or session["customer_email"] else _EMAIL
        cards = "".join(f'<option value="{value}">{name}</option>' for value, name in _CARDS.items())
        bad = f'<p class="bad" role="alert">{_error_page(problem)}</p>' if problem else ""
        back = session["cancel_url"]
        leave = f'<p><a href="{escape(back)}">Dejarlo</a></p>' if back else ""
        return _page(
            "Suscribirse",
            f"<table>{rows}</table><p>Hoy: <strong>{_money(session['amount_total'], session['currency'])}</strong></p>"
            f'{bad}<form method="post">{ask}<p><label>Tarjeta <select name="card">{cards}</select></label></p>'
            f"<button>Suscribirse</button></form>{leave}",
            status=200 if problem is None else problem.status,
        )

    # ---- portal

    async def _portal_page(self, request: web.Request) -> web.Response:
        session = self._account.get("billing_portal.session", request.match_info["session"])
        return self._portal_of(session)

    def _portal_of(self, session: Json, problem: str = "", status: int = 200) -> web.Response:
        parts = "".join(self._portal_entry(each) for each in self._portal.subscriptions(session))
        back = session["return_url"]
        leave = f'<p><a class="button" href="{escape(back)}">Volver</a></p>' if back else ""
        parts = parts or "<p>No tienes suscripciones activas.</p>"
        return _page("Tu suscripción", parts + self._card_form(session, problem) + leave, status=status)

    def _card_form(self, session: Json, problem: str) -> str:
        card = self._portal.card(session)
        now = f"{card['brand'].title()} ···· {card['last4']}" if card else "Ninguna"
        bad = f'<p class="bad" role="alert">{escape(problem)}</p>' if problem else ""
        return f"<h2>Tu tarjeta</h2><p>{escape(now)}</p>{bad}{_CARD_FORM}"

    async def _change_subscription(self, request: web.Request) -> web.Response:
        session = self._account.get("billing_portal.session", request.match_info["session"])
        form = await request.post()
        if form.get("do") == "card":
            try:
                self._portal.change_card(session, str(form.get("number")))
            except UnknownCard:
                problem = "Ese número no es de una tarjeta de prueba. Usa 4242 4242 4242 4242."
                return self._portal_of(session, problem, status=400)
            except StripeRefusal as error:
                return self._portal_of(session, _error_page(error), status=error.status)
            return web.Response(status=303, headers={"Location": str(request.rel_url)})
        self._portal.set_ending(session, str(form.get("subscription")), ends=form.get("do") == "cancel")
        return web.Response(status=303, headers={"Location": str(request.rel_url)})

    def _portal_entry(self, subscription: Json) -> str:
        items = subscription["items"]["data"]
        name = " + ".join(self._account.get("product", item["price"]["product"])["name"] for item in items)
        ends = subscription["cancel_at_period_end"] or subscription["cancel_at"] is not None
        day = _day(subscription["cancel_at"] or period_of(subscription)[1])
        amount = sum(amount_of(item, self._account.usage.get(item["id"], 0)) for item in items)
        told = f"Termina el {day}." if ends else f"Se renueva el {day}."
        do, label = ("resume", "Conservarla") if ends else ("cancel", "Cancelar al final del periodo")
        return (
            f"<h2>{escape(name)}</h2><p>{_money(amount, subscription['currency'])}. {told}</p>"
            f'<form method="post"><input type="hidden" name="subscription" value="{subscription["id"]}">'
            f'<button name="do" value="{do}">{label}</button></form>'
        )

    # ---- invoices

    async def _invoice(self, request: web.Request) -> web.Response:
        invoice = self._account.get("invoice", f"in_{request.match_info['token']}")
        rows = "".join(
            f"<tr><td>{escape(line['description'])}</td><td>{_line_money(line)}</td></tr>"
            for line in invoice["lines"]["data"]
        )
        return _page(
            f"Factura {escape(invoice['number'] or '')}",
            f"<p>{_day(invoice['created'])}, {_STATES[invoice['status']]}</p><table>{rows}</table>"
            f"<p>Total: <strong>{_money(invoice['amount_due'], invoice['currency'])}</strong></p>"
            f'<p><a class="button" href="{escape(invoice["invoice_pdf"] or "")}">Descargar PDF</a></p>',
        )

    async def _pdf(self, request: web.Request) -> web.Response:
        invoice = self._account.get("invoice", f"in_{request.match_info['token']}")
        body = page_of_text(
            [
                f"Factura {invoice['number']}",
                f"Fecha: {_day(invoice['created'])}",
                f"Cliente: {invoice['customer_name'] or invoice['customer_email'] or invoice['customer']}",
                "",
                *(f"{line['description']}: {_line_money(line)}" for line in invoice["lines"]["data"]),
                "",
                f"Total: {_money(invoice['amount_due'], invoice['currency'])}",
                f"Estado: {_STATES[invoice['status']]}",
            ]
        )
        name = f"Invoice-{invoice['number']}.pdf"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=body, content_type="application/pdf", headers=headers)


_CARD_FORM = (
    '<form method="post"><p><label>Número <input name="number" inputmode="numeric" autocomplete="cc-number" required '
    'pattern="[0-9 ]{13,23}" placeholder="4242 4242 4242 4242"></label></p>'
    '<p><label>Vence <input name="expiry" inputmode="numeric" autocomplete="cc-exp" required size="7" '
    'placeholder="MM/AA" pattern="(0[1-9]|1[0-2]) ?/ ?[0-9]{2}"></label> '
    '<label>CVC <input name="cvc" inputmode="numeric" autocomplete="cc-csc" required size="4" pattern="[0-9]{3,4}">'
    '</label></p><button name="do" value="card">Cambiar la tarjeta</button>'
    '<p class="note">4000 0000 0000 0002 la rechaza el banco; 4000 0000 0000 0341 falla al cobrar.</p></form>'
)
_EMAIL = '<p><label>Correo <input name="email" type="email" required></label></p>'


def _page(title: str, body: str, status: int = 200) -> web.Response:
    text = (
        f'<!doctype html><html lang="es"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>{body}"
        '<p class="note">Imitación de Stripe: aquí no se cobra nada.</p></html>'
    )
    return web.Response(text=text, content_type="text/html", status=status)


def _error_page(problem: StripeRefusal) -> str:
    declined = "Tu tarjeta fue rechazada. Prueba con otra." if problem.kind == "card_error" else None
    return escape(declined or str(problem))


def _money(amount: int, currency: str) -> str:
    return money(amount, currency)


def _line_money(line: dict[str, Any]) -> str:
    return _money(line["amount"] if "amount" in line else line["amount_total"], line["currency"])


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d/%m/%Y}"
