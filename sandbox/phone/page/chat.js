// The chat of the person who is chosen: bubbles, ticks, quotes, reactions, typing.

import { content, summary } from "./content.js";
import { byId, el, icon, placeMenu, post, walkable } from "./dom.js";
import { day, t, time } from "./language.js";
import { messageLabels } from "./message_labels.js";
import { metaError } from "./reasons.js";

const EMOJIS = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const STARTERS = ["starter_hello", "starter_hours", "starter_document", "starter_product", "starter_plan", "starter_invoice", "starter_change", "starter_new", "starter_notify", "starter_person"];
const TYPING_SECONDS = 25;
const REPLY_MS = 3000;
const LONG_PRESS_MS = 450;
const RANK = { sent: 1, delivered: 2, read: 3, played: 4, failed: 5 };

export class Chat {
  /** `session` performs what leaves the chat: tap, list, place, contact, quote, edit. */
  constructor(session) {
    this.session = session;
    this.log = byId("log");
    this.messages = new Map();
    this.person = undefined;
    this.log.addEventListener("keydown", (press) => this.walk(press));
    new ResizeObserver(() => this.stayBelow()).observe(this.log);
    this.log.addEventListener("scroll", () => (this.below = this.distance() < 120));
    this.dots = el("div", { class: "bubble theirs dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  }

  /** Redraw the whole chat of a person. */
  show(person, events) {
    this.person = person;
    this.messages = new Map();
    this.log.setAttribute("aria-busy", "true");
    this.log.replaceChildren();
    this.lastDay = undefined;
    this.setTyping(false);
    for (const event of events) this.add(event);
    if (!events.length) this.log.append(this.starters());
    this.log.setAttribute("aria-busy", "false");
    this.below = true;
    this.stayBelow();
  }

  add(event) {
    if (event.type === "mishap") return this.note(t(`mishap_${event.kind}`, { error: metaError(event) }), "note bad");
    if (this.messages.has(event.wamid)) return;
    const { message } = event;
    const whole = { ...event, at: new Date(event.at), reactions: {} };
    this.messages.set(event.wamid, whole);
    if (event.direction === "out") this.setTyping(false);
    if (message.type === "system") this.note(systemNote(message.system.body));
    else if (message.type === "request_welcome") this.note(t("drawn_welcome"));
    else if (message.type === "reaction") this.react(whole);
    else if (message.type === "revoke") this.change(message.revoke.original_message_id, { deleted: true });
    else if (message.type === "edit") this.change(message.edit.original_message_id, { edited: message.edit.message.text });
    else this.append(whole);
  }

  /** Add a line between the bubbles; a repeated line only raises its count. */
  note(words, kind = "note") {
    const last = this.log.lastElementChild === this.dots ? this.dots.previousElementSibling : this.log.lastElementChild;
    if (last?.dataset.words === words) {
      last.dataset.times = Number(last.dataset.times) + 1;
      last.textContent = `${words} (×${last.dataset.times})`;
      return;
    }
    const note = el("p", { class: kind, "data-words": words, "data-times": 1 }, words);
    this.keepBelow(() => this.log.append(note, ...(this.dots.isConnected ? [this.dots] : [])));
  }

  append(whole) {
    const date = day(whole.at);
    if (date !== this.lastDay) this.log.append(el("div", { class: "day" }, date));
    this.lastDay = date;
    this.log.querySelector(".starters")?.remove();
    whole.node = el("article", { class: `bubble ${whole.direction === "in" ? "mine" : "theirs"}`, tabindex: -1 });
    this.draw(whole);
    this.keepBelow(() => this.log.append(whole.node, ...(this.dots.isConnected ? [this.dots] : [])), whole.direction === "in");
  }

  /** Arrow keys move between messages, Enter opens the menu of the focused message. */
  walk(press) {
    const bubbles = [...this.log.querySelectorAll("article")];
    const at = bubbles.indexOf(document.activeElement);
    if (at === -1 && document.activeElement !== this.log) return;
    const next = { ArrowUp: at === -1 ? bubbles.length - 1 : at - 1, ArrowDown: at + 1 }[press.key];
    if (press.key === "Enter" && at !== -1) bubbles[at].querySelector(".more")?.click();
    else if (bubbles[next] && (at !== -1 || press.key === "ArrowUp")) bubbles[next].focus();
    else return;
    press.preventDefault();
  }

  /** Suggested first messages. */
  starters() {
    const say = (key) => el("button", { type: "button", class: "starter", onclick: () => this.session.send({ type: "text", text: { body: t(key) } }) }, t(key));
    return el("div", { class: "starters" }, el("p", { class: "muted" }, t("starters")), STARTERS.map(say));
  }

  distance() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight;
  }

  stayBelow() {
    if (this.below) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Change the log and stay at its end, unless the reader has scrolled up. */
  keepBelow(change, always = false) {
    this.below = always || this.distance() < 120;
    change();
    this.stayBelow();
    for (const image of this.log.lastElementChild?.querySelectorAll("img.photo, video") ?? []) {
      for (const ready of ["load", "loadedmetadata"]) image.addEventListener(ready, () => this.stayBelow(), { once: true });
    }
  }

  draw(whole) {
    const { message, node } = whole;
    const shown = whole.edited ? { type: "text", text: whole.edited } : message;
    const parts = whole.deleted ? [el("p", { class: "muted gone" }, t("deleted"))] : content(shown, this.acts(whole));
    const foot = el("footer", {}, whole.edited && !whole.deleted && `${t("edited")} · `, el("time", { datetime: whole.at.toISOString() }, time(whole.at)));
    foot.append(...(whole.direction === "in" ? [this.ticks(whole)] : []));
    node.classList.toggle("bare", message.type === "sticker" && !whole.deleted);
    node.classList.toggle("wide", ["image", "video", "location"].includes(message.type) || Boolean(message.interactive?.action));
    node.replaceChildren(...[...messageLabels(message), this.quoted(message), ...parts, this.failure(whole), foot, this.badge(whole), !whole.deleted && this.actions(whole)].filter(Boolean));
    const speaker = whole.direction === "in" ? t("you") : "Recado";
    node.setAttribute("aria-label", `${speaker}: ${whole.deleted ? t("deleted") : summary(shown)}`);
  }

  acts(whole) {
    const { session } = this;
    const quote = whole.wamid;
    return {
      button: (reply) => session.send({ type: "button", button: reply }, quote),
      tap: (reply) => session.send({ type: "interactive", interactive: reply }, quote),
      list: (body) => session.chooseRow(body, quote),
      place: () => session.choosePlace(quote),
      contact: () => session.shareContact(quote),
    };
  }

  quoted(message) {
    const original = this.messages.get(message.context?.id);
    if (!original) return undefined;
    const who = original.direction === "in" ? t("you") : "Recado";
    return el(
      "button",
      { type: "button", class: "quote", onclick: () => this.goTo(original) },
      el("strong", {}, who),
      el("span", {}, original.deleted ? t("deleted") : summary(original.message)),
    );
  }

  /** Scroll to a message, or to the message that a reaction or an edit is about. */
  find(wamid) {
    const found = this.messages.get(wamid);
    const { reaction, edit, revoke } = found?.message ?? {};
    const target = reaction?.message_id ?? edit?.original_message_id ?? revoke?.original_message_id;
    if (found) this.goTo(target ? (this.messages.get(target) ?? found) : found);
  }

  goTo(original) {
    if (!original.node) return;
    original.node.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    original.node.focus({ preventScroll: true });
    original.node.classList.add("found");
    setTimeout(() => original.node.classList.remove("found"), 1500);
  }

  ticks({ status, errors }) {
    const state = status ?? "sent";
    const sign = { sent: "check", delivered: "checks", read: "checks", played: "checks", failed: "alert" }[state];
    const words = state === "failed" ? `${t("failed")}: ${metaError(errors?.[0] ?? {})}` : t(state);
    return el("span", { class: `ticks ${state}`, role: "img", "aria-label": words, title: words }, icon(sign));
  }

  failure({ direction, status, errors }) {
    if (direction !== "out" || status !== "failed") return undefined;
    return el("p", { class: "failure" }, icon("alert"), `${t("failed")}: ${metaError(errors?.[0] ?? {})}`);
  }

  badge({ reactions, direction }) {
    const emojis = [...new Set(Object.values(reactions).filter(Boolean))];
    return emojis.length ? el("span", { class: `reactions ${direction}` }, emojis.join("")) : undefined;
  }

  react({ direction, message: { reaction } }) {
    const target = this.messages.get(reaction.message_id);
    if (!target?.node) return;
    target.reactions[direction] = reaction.emoji;
    this.draw(target);
  }

  change(wamid, news) {
    const target = this.messages.get(wamid);
    if (!target?.node) return;
    Object.assign(target, news);
    this.draw(target);
  }

  status({ wamid, status, errors }) {
    const target = this.messages.get(wamid);
    if (!target || (RANK[status] ?? 0) <= (RANK[target.status] ?? 0)) return;
    Object.assign(target, { status, errors });
    if (target.node && (target.direction === "in" || status === "failed")) this.keepBelow(() => this.draw(target));
  }

  /** The business has read this message and all before it. */
  read({ wamid }) {
    for (const whole of this.messages.values()) {
      if (whole.direction === "in") this.status({ wamid: whole.wamid, status: "read" });
      if (whole.wamid === wamid) return;
    }
  }

  setTyping(on) {
    clearTimeout(this.typingEnds);
    byId("presence").textContent = t(on ? "typing" : "online");
    if (!on) return this.dots.remove();
    this.keepBelow(() => this.log.append(this.dots));
    this.typingEnds = setTimeout(() => this.setTyping(false), TYPING_SECONDS * 1000);
  }

  /** Without a reply nothing comes any more; a reply comes in a moment, or has failed. */
  turnClosed(replied) {
    if (!this.dots.isConnected) return;
    clearTimeout(this.typingEnds);
    this.typingEnds = setTimeout(() => this.setTyping(false), replied ? REPLY_MS : 0);
  }

  actions(whole) {
    const button = el("button", { type: "button", class: "more", tabindex: -1, "aria-label": `${t("actions")}: ${summary(whole.message)}`, "aria-haspopup": "menu" }, icon("more"));
    const open = () => this.menu(whole, button);
    button.addEventListener("click", open);
    let pressed;
    whole.node.ontouchstart = () => (pressed = setTimeout(open, LONG_PRESS_MS));
    whole.node.ontouchend = whole.node.ontouchmove = () => clearTimeout(pressed);
    return button;
  }

  menu(whole, anchor) {
    document.querySelector(".message-menu")?.remove();
    const menu = el("div", { class: "menu message-menu", popover: "auto", role: "menu" });
    // Replying and editing move the cursor into the box; other choices return it to the message.
    let moved = false;
    const item = (words, does, extra = "", moves = false) =>
      el("button", { type: "button", role: "menuitem", class: extra, onclick: () => ((moved = moves), menu.hidePopover(), does()) }, words);
    const { wamid, message, direction, reactions } = whole;
    const react = (emoji) => this.session.send({ type: "reaction", reaction: { message_id: wamid, emoji: reactions.in === emoji ? "" : emoji } });
    const emojis = EMOJIS.map((emoji) => {
      const button = item(emoji, () => react(emoji), reactions.in === emoji ? "emoji chosen" : "emoji");
      button.setAttribute("aria-label", reactions.in === emoji ? t("unreact") : t("react", { emoji }));
      return button;
    });
    menu.append(el("div", { class: "emojis" }, emojis), item(t("reply"), () => this.session.quote(whole, summary(message)), "", true));
    menu.append(item(t("copy"), () => navigator.clipboard?.writeText(summary(message))));
    if (direction === "in" && message.type === "text") menu.append(item(t("edit"), () => this.session.edit(whole), "", true));
    if (this.session.turnOf(whole)) menu.append(item(t("see_turn"), () => this.session.showTurn(whole), "", true));
    menu.append(item(t("see_raw"), () => this.session.showRaw(whole), "", true));
    if (direction === "in") menu.append(item(t("delete"), () => this.session.send({ type: "revoke", revoke: { original_message_id: wamid } })));
    walkable(menu);
    menu.addEventListener("toggle", ({ newState }) => newState === "closed" && (menu.remove(), moved || whole.node.focus({ preventScroll: true })));
    document.body.append(menu);
    menu.showPopover();
    placeMenu(menu, anchor);
    menu.querySelector("button").focus();
  }
}

/** Send a person's message; the answer arrives over the event stream. */
export const send = (person, message, context) => post("messages", { person, message, ...(context ? { context } : {}) });

/** Meta says in English that somebody has another number. */
function systemNote(body) {
  const [, name, old, now] = /^User (.+) changed from (\S+) to (\S+)$/.exec(body) ?? [];
  return now ? t("number_changed", { name, old, now }) : body;
}
