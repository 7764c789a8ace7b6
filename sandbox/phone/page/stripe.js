// The simulated Stripe: a clock to advance, payments to complete, and each customer's subscriptions and invoices.

import { el, icon, outLink, post, reachable } from "./dom.js";
import { emptyNotice, realServiceNotice } from "./side_lists.js";
import { reason } from "./reasons.js";
import { rawEvent } from "./wire.js";
import { has, moment, number, price, shortDay, t } from "./language.js";

const PASSES = [1, 7, 32];
const DAY = 86400;
const GOOD = ["active", "trialing", "paid"];
const BAD = ["past_due", "unpaid", "uncollectible", "incomplete"];

const at = (seconds) => new Date(seconds * 1000);
const word = (status) => (has(`status_${status}`) ? t(`status_${status}`) : status);
const state = (status) => el("span", { class: `tag ${GOOD.includes(status) ? "good" : BAD.includes(status) ? "bad" : ""}`.trim() }, word(status));

export class StripeView {
  constructor(view, context, ask) {
    Object.assign(this, { view, context, ask });
    this.data = undefined;
    this.shut = new Set();
  }

  /** Ids of Stripe's events, which count as new entries. */
  ids() {
    return this.data?.events.map(({ id }) => id) ?? [];
  }

  count() {
    return this.ids().length;
  }

  put(data) {
    this.data = data;
    this.redraw();
  }

  isReal() {
    this.view.replaceChildren(realServiceNotice("stripe"));
  }

  redraw() {
    if (!this.data) return;
    const focused = document.activeElement?.dataset?.key;
    const opened = new Set([...this.view.querySelectorAll("details[open]")].map(({ dataset }) => dataset.key));
    const scrolled = this.view.scrollTop;
    const { customers, checkouts } = this.data;
    const mine = (customer) => customer.whatsapp_id && [this.context.session.person?.phone, this.context.session.person?.bsuid].includes(customer.whatsapp_id);
    const ordered = [...customers.filter(mine), ...customers.filter((one) => !mine(one))];
    this.view.replaceChildren(
      this.clock(),
      ...(checkouts.length ? [el("h3", { class: "view-title" }, t("checkouts")), ...checkouts.map((one) => this.checkout(one))] : []),
      el("h3", { class: "view-title" }, t("customers")),
      ...ordered.map((one) => this.customer(one, mine(one))),
      this.events(),
    );
    for (const details of this.view.querySelectorAll("details")) details.open ||= opened.has(details.dataset.key);
    this.view.scrollTop = scrolled;
    if (focused) this.view.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Send an action to the simulator, and show its new state. */
  async change(path, body) {
    const told = (error) => (error.status === 402 ? t("card_was_declined") : reason(error));
    await this.context.attempt(async () => this.put(await post(`stripe/${path}`, body)), told);
    this.redraw();
  }

  button(key, words, kind, does) {
    return el("button", { type: "button", class: kind, "data-key": key, onclick: does }, words);
  }

  clock() {
    const { now, ahead } = this.data;
    const days = Math.round(ahead / DAY);
    return el(
      "div",
      { class: "stripe-clock" },
      icon("clock", "large"),
      el("div", { class: "entry-words" }, el("small", {}, t("stripe_clock")), el("strong", {}, `${shortDay(at(now))}, ${at(now).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}`), days > 0 && el("span", { class: "tag warm" }, t("ahead", { count: number(days) }))),
      el(
        "div",
        { class: "passes", role: "group", "aria-label": t("let_pass"), "aria-describedby": "pass-why" },
        el("span", { "aria-hidden": "true" }, t("let_pass")),
        PASSES.map((days_) => this.button(`pass_${days_}`, t(`pass_${days_}`), "choice", () => this.change("advance", { days: days_ }))),
      ),
      el("small", { id: "pass-why" }, t("pass_why")),
    );
  }

  checkout({ id, what, amount, currency, expires_at: until, page }) {
    const facts = [t("today_due", { amount: price(amount, currency) }), t("until", { when: moment(at(until)) })];
    return el(
      "article",
      { class: "stripe-card due" },
      el("div", { class: "stripe-head" }, el("strong", {}, what), el("small", {}, facts.join(" · "))),
      el(
        "div",
        { class: "stripe-taps" },
        this.button(`pay_${id}`, t("pay"), "small", () => this.change("pay", { session: id })),
        this.button(`decline_${id}`, t("pay_declined"), "choice", () => this.change("pay", { session: id, card: "pm_card_chargeDeclined" })),
        reachable(page) && outLink(page, {}, t("open_page")),
      ),
    );
  }

  customer(customer, mine) {
    const { id, name, email, whatsapp_id: whatsapp, card, subscriptions, invoices } = customer;
    return el(
      "article",
      { class: "stripe-card" },
      el(
        "div",
        { class: "stripe-head" },
        el("strong", {}, name || email || id),
        mine && el("span", { class: "tag warm" }, t("this_person")),
        el("small", {}, [email, whatsapp ?? t("not_linked")].filter(Boolean).join(" · ")),
      ),
      subscriptions.length ? subscriptions.map((one) => this.subscription(one)) : el("p", { class: "muted" }, t("no_subscription")),
      this.card(customer.id, card),
      invoices.length > 0 && this.folded(`invoices_${id}`, t("invoices", { count: invoices.length }), el("ul", { class: "stripe-list" }, invoices.map(invoice)), mine),
    );
  }

  subscription({ plan, amount, currency, interval, status, period_end: end, ends }) {
    const day = { when: shortDay(at(end)) };
    const over = ["canceled", "incomplete_expired"].includes(status);
    const next = over ? "" : t(ends ? "ends_on" : status === "trialing" ? "trial_until" : "next_charge", day);
    return el(
      "div",
      { class: over ? "stripe-plan over" : "stripe-plan" },
      el("div", { class: "stripe-head" }, el("strong", {}, plan), state(status)),
      el("span", {}, t(`per_${interval}`, { amount: price(amount, currency) })),
      next && el("span", { class: "muted" }, next),
    );
  }

  card(customer, card) {
    if (!card) return el("p", { class: "muted" }, t("no_card"));
    const change = ({ target }) => this.change("bank", { customer, declines: target.checked });
    return el(
      "label",
      { class: card.declines ? "switch on" : "switch" },
      el("span", { class: "switch-words" }, el("strong", {}, t("card_declines")), el("small", {}, `${card.brand[0].toUpperCase()}${card.brand.slice(1)} ···· ${card.last4}`)),
      el("input", { type: "checkbox", role: "switch", checked: card.declines, "data-key": `bank_${customer}`, onchange: change }),
    );
  }

  folded(key, title, inside, open = false) {
    const details = el("details", { class: "folded", "data-key": key, open: open && !this.shut.has(key) }, el("summary", {}, title), inside);
    details.addEventListener("toggle", () => (details.open ? this.shut.delete(key) : this.shut.add(key)));
    return details;
  }

  events() {
    const { events } = this.data;
    if (!events.length) return emptyNotice(this.context, "events");
    const row = ({ id, type, created, taken }) =>
      el("li", {}, el("button", { type: "button", class: "code-link", "data-key": `event_${id}`, onclick: () => rawEvent(id, type, this.context) }, type), el("span", { class: taken ? "tag good" : "tag" }, t(taken ? "delivered_event" : "waiting_event")), el("time", { class: "figures" }, moment(at(created))));
    return this.folded("stripe_events", t("stripe_events", { count: events.length }), el("ul", { class: "stripe-list" }, events.map(row)));
  }
}

function invoice({ number: name, created, amount, currency, status, page, pdf }) {
  return el(
    "li",
    {},
    el("code", {}, name ?? "—"),
    el("span", { class: "figures" }, shortDay(at(created))),
    el("span", { class: "figures" }, price(amount, currency)),
    el(
      "span",
      { class: "stripe-end" },
      state(status),
      reachable(page) && outLink(page, { "aria-label": `${t("page")}: ${name}` }, t("page")),
      reachable(pdf) && outLink(pdf, { "aria-label": `PDF: ${name}` }, "PDF"),
    ),
  );
}
