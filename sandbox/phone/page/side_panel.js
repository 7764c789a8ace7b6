// The tabs beside the chat: turns, e-mails, push notifications, files, Stripe, events; tabs with new entries light up.

import { byId, el, icon } from "./dom.js";
import { Events, Files, Mails, Products, Pushes } from "./side_lists.js";
import { Wire } from "./wire.js";
import { t } from "./language.js";
import { reason } from "./reasons.js";
import { StripeView } from "./stripe.js";

const NAMES = ["turns", "mails", "pushes", "files", "catalogue", "stripe", "events", "wire"];
// These tabs can show the chosen person alone.
const BY_PERSON = ["turns", "files", "events", "wire"];
const SERVICES = { mails: "E-mail", stripe: "Stripe", events: "Subscribers" };
const PATHS = { events: "events-out" };
const PAUSE_MS = 120;

export class SidePanel {
  /** `session` has the chosen person, `said()` gives their messages, `toChat()` shows the chat, `people` whose a row is. */
  constructor({ session, said, toChat, people, turns }) {
    this.turns = turns;
    this.session = session;
    const context = { session, said, toChat, people, attempt: (work, told) => this.attempt(work, told) };
    const ask = (kind) => () => this.fetch(kind);
    this.kinds = {
      mails: new Mails(byId("view-mails"), context),
      pushes: new Pushes(byId("view-pushes"), context, ask("pushes")),
      files: new Files(byId("view-files"), context),
      catalogue: new Products(byId("view-catalogue"), context),
      stripe: new StripeView(byId("view-stripe"), context, ask("stripe")),
      events: new Events(byId("view-events"), context),
      wire: new Wire(byId("view-wire"), context),
    };
    this.open = "turns";
    this.known = {};
    this.fresh = {};
    this.waiting = {};
    this.real = {};
    this.tabs = Object.fromEntries(NAMES.map((name) => [name, this.tab(name)]));
    byId("tabs").append(...Object.values(this.tabs));
    byId("tabs").addEventListener("keydown", (press) => this.walk(press));
    byId("only").addEventListener("change", ({ target }) => {
      people.only = target.checked;
      this.redraw(true);
      this.turns.redraw();
    });
    matchMedia("(max-width: 899px)").addEventListener("change", () => this.seen());
    this.label();
  }

  tab(name) {
    const attributes = { type: "button", role: "tab", id: `tab-${name}`, class: "tab", "aria-controls": `view-${name}` };
    return el("button", { ...attributes, onclick: () => this.show(name) }, icon(name), el("span", { class: "tab-name" }), " ", el("span", { class: "count", "aria-hidden": "true" }));
  }

  show(name, focus = false) {
    this.open = name;
    this.problem();
    for (const each of NAMES) byId(`view-${each}`).hidden = each !== name;
    if (focus) this.tabs[name].focus();
    this.tabs[name].scrollIntoView({ block: "nearest", inline: "nearest" });
    this.seen();
  }

  /** Run `work`; a failure is shown under the tabs, in the words of `told(error)`. */
  async attempt(work, told = reason) {
    this.problem();
    await work().catch((error) => this.problem(told(error)));
  }

  problem(words = "") {
    byId("side-panel-problem").textContent = words;
    byId("side-panel-problem").hidden = !words;
  }

  walk(press) {
    const at = NAMES.indexOf(this.open);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[press.key];
    if (to === undefined) return;
    press.preventDefault();
    this.show(NAMES.at(to % NAMES.length), true);
  }

  /** Load all tabs; entries that exist now don't count as new. */
  async load(services) {
    this.real = Object.fromEntries(Object.entries(SERVICES).map(([kind, name]) => [kind, services[name] === "real"]));
    await Promise.all(Object.keys(this.kinds).map((kind) => this.fetch(kind)));
  }

  /** Fetch a list that has changed; several changes in a short time cause one request. */
  refresh(kind) {
    if (!this.kinds[kind] || this.waiting[kind]) return;
    this.waiting[kind] = setTimeout(() => {
      this.waiting[kind] = undefined;
      this.fetch(kind);
    }, PAUSE_MS);
  }

  /** Refresh the files, because turns store and create files. */
  turnChanged({ state, taps = [] }) {
    if (state === "closed") this.refresh("files");
    if (taps.some(({ kind }) => kind === "product")) this.refresh("catalogue");
  }

  /** Redraw the push tab, because a new message may hold an invitation link. */
  chatChanged() {
    this.kinds.pushes.redraw();
  }

  async fetch(kind) {
    const view = this.kinds[kind];
    if (this.real[kind]) return view.isReal();
    // Without a connection the list stays as it is; it is loaded again with the next one.
    const response = await fetch(PATHS[kind] ?? kind).catch(() => undefined);
    if (!response?.ok) return;
    view.put(await response.json());
    const ids = view.ids();
    const known = this.known[kind];
    const news = known ? ids.filter((id) => !known.has(id)).length : 0;
    this.known[kind] = new Set(ids);
    this.fresh[kind] = (this.fresh[kind] ?? 0) + news;
    if (news && !this.looksAt(kind)) byId("news").textContent = t("news_in", { name: t(`tab_${kind}`) });
    this.seen();
  }

  looksAt(kind) {
    const shown = byId("workspace").classList.contains("panel-open") || innerWidth >= 900;
    return shown && this.open === kind;
  }

  seen() {
    if (this.looksAt(this.open)) this.fresh[this.open] = 0;
    this.label();
  }

  redraw(inOtherWords = false) {
    for (const view of Object.values(this.kinds)) view.redraw(inOtherWords);
    this.label();
  }

  label() {
    for (const name of NAMES) {
      const tab = this.tabs[name];
      const [count, fresh] = [this.kinds[name]?.count() ?? 0, this.fresh[name] ?? 0];
      tab.setAttribute("aria-selected", String(name === this.open));
      tab.tabIndex = name === this.open ? 0 : -1;
      tab.classList.toggle("fresh", fresh > 0);
      tab.querySelector(".tab-name").textContent = t(`tab_${name}`);
      tab.querySelector(".count").textContent = fresh || count || "";
      tab.setAttribute("aria-label", fresh ? t("tab_fresh", { name: t(`tab_${name}`), count, fresh }) : count ? t("tab_named", { name: t(`tab_${name}`), count }) : t(`tab_${name}`));
    }
    byId("only-name").textContent = t("only_person", { name: this.session.person?.name ?? "" });
    byId("only").closest("label").hidden = !BY_PERSON.includes(this.open);
    byId("show-turns").classList.toggle("fresh", Object.values(this.fresh).some(Boolean));
  }
}
