// The panel of turns, newest first; a turn that changes is redrawn in place.

import { byId, el, icon } from "./dom.js";
import { has, locale, number, price, t, time } from "./language.js";
import { replyText } from "./reply_text.js";

const word = (key) => (has(key) ? t(key) : String(key));
const ms = (value) => (value >= 1000 ? `${number(value / 1000, 2)} s` : `${number(value, value < 10 ? 1 : 0)} ms`);

const money = (usd) => {
  const value = Number(usd);
  return Number.isFinite(value) ? value.toLocaleString(locale(), { style: "currency", currency: "USD", maximumSignificantDigits: 3 }) : "";
};

export class Turns {
  /** `people` tells whose a turn is, `session.showMessage(wamid)` shows a message; `services` are set later. */
  constructor(people, session) {
    Object.assign(this, { people, session, turns: new Map(), asked: new Map(), noted: new Map(), services: {} });
    this.list = byId("turns");
  }

  /** The turn of a message or of a reply, by its wamid or by the turn's own id. */
  of(id) {
    if (this.turns.has(id)) return id;
    return [...this.turns].find(([, { turn }]) => turn.messages?.includes(id))?.[0];
  }

  /** Open a turn and scroll to it. */
  find(id) {
    const { node } = this.turns.get(id) ?? {};
    if (!node) return;
    node.open = true;
    node.dataset.kept = "yes";
    node.scrollIntoView({ block: "start" });
    node.querySelector("summary").focus({ preventScroll: true });
    node.classList.add("found");
    setTimeout(() => node.classList.remove("found"), 1500);
  }

  /** The messages that a turn sent to models. */
  putAsked(event) {
    this.asked.set(event.turn, event.requests);
    const known = this.turns.get(event.turn);
    if (known) this.draw(known.turn, known.node);
  }

  /** Messages that got no answer: each is a line between the turns. */
  putNoted(event) {
    const id = `${event.turn}/${event.messages.map(({ message }) => message).join()}`;
    if (this.noted.has(id)) return;
    const node = el("div", { class: "noted" });
    this.noted.set(id, { event, node });
    this.list.prepend(node);
    this.drawNoted(event, node);
    this.total();
  }

  drawNoted(event, node) {
    const owner = this.people.turn(event);
    node.hidden = !this.people.shows(owner);
    node.replaceChildren(
      ...event.messages.map(({ message, kind, state }) =>
        el(
          "div",
          { class: "noted-line" },
          el("span", { class: "chip" }, has(`kind_${kind}`) ? t(`kind_${kind}`) : kind),
          el("span", { class: "said" }, [!this.people.only && this.people.name(owner), noted(state)].filter(Boolean).join(": ")),
          this.jump(message),
          el("span", { class: "figures" }, time(new Date(event.at))),
        ),
      ),
    );
  }

  /** A button that shows a message in the chat. */
  jump(wamid) {
    const known = this.people.owners.has(wamid);
    return known && el("button", { type: "button", class: "plain jump", "aria-label": t("see_message"), title: t("see_message"), onclick: () => this.session.showMessage(wamid) }, icon("reply"));
  }

  imitates(...names) {
    return names.some((name) => this.services[name] === "imitation");
  }

  /** Draw a turn, or draw it again. */
  put(turn) {
    const known = this.turns.get(turn.turn);
    const node = known?.node ?? el("details", { class: "turn" });
    this.turns.set(turn.turn, { turn, node });
    if (!known) {
      for (const { node: older } of this.turns.values()) if (older !== node && !older.dataset.kept) older.open = false;
      node.open = true;
      this.list.prepend(node);
    }
    this.draw(turn, node);
    this.total();
  }

  redraw() {
    for (const { turn, node } of this.turns.values()) this.draw(turn, node);
    for (const { event, node } of this.noted.values()) this.drawNoted(event, node);
    this.total();
  }

  total() {
    const shown = [...this.turns.values()].filter(({ node }) => !node.hidden);
    const lines = [...this.noted.values()].filter(({ node }) => !node.hidden);
    byId("no-turns").hidden = shown.length + lines.length > 0;
    const cost = shown.reduce((sum, { turn }) => sum + Number(turn.cost_usd ?? 0), 0);
    const words = t("total", { count: shown.length, cost: money(cost) });
    byId("turn-total").textContent = shown.length ? (this.imitates("OpenRouter") ? `${words} ${t("not_charged")}` : words) : "";
  }

  draw(turn, node) {
    const state = turn.state === "thinking" ? "thinking" : (turn.outcome ?? "closed");
    const spent = (turn.stations ?? []).reduce((sum, { ms: took }) => sum + took, 0);
    const said = (turn.perceived ?? []).map(({ kind, text }) => (kind === "sticker" ? t("kind_sticker") : headline(text))).join(" · ") || turn.turn;
    const owner = this.people.turn(turn);
    node.hidden = !this.people.shows(owner);
    const cost = Number(turn.cost_usd) ? `${this.imitates("OpenRouter") ? "≈ " : ""}${money(turn.cost_usd)}` : "";
    const figures = [time(new Date(turn.started_at)), spent ? ms(spent) : "", cost].filter(Boolean);
    const name = this.people.only ? undefined : this.people.name(owner);
    node.replaceChildren(
      el(
        "summary",
        { onclick: () => (node.dataset.kept = "yes") },
        el("span", { class: `chip ${state}` }, has(`outcome_${state}`) ? t(`outcome_${state}`) : state),
        el("span", { class: "said", dir: "auto" }, name && el("b", {}, `${name}: `), said),
        el("span", { class: "figures" }, figures.join(" · ")),
      ),
      ...[
        why(turn),
        bar(turn.stations ?? []),
        perceived(turn, this),
        taps(turn, this),
        requests(turn, this),
        sent(this.asked.get(turn.turn)),
        tools(turn),
        reply(turn),
        failure(turn),
      ].filter(Boolean),
    );
  }
}

/** The message's text without the tags that tell the model its source. */
const headline = (text) => (text ?? "").replace(/<\/?\w{1,30}>/g, " ").trim();

function part(title, ...nodes) {
  return el("section", { class: "part" }, el("h3", {}, title), ...nodes);
}

function bar(stations) {
  const total = stations.reduce((sum, station) => sum + station.ms, 0);
  if (!total) return undefined;
  const pieces = stations.map(({ station, ms: took }) => {
    const piece = el("span", { class: `piece station-${station}` });
    piece.style.flexGrow = String(Math.max(took / total, 0.004));
    return piece;
  });
  const legend = stations.map(({ station, ms: took }) =>
    el("li", {}, el("i", { class: `station-${station}`, "aria-hidden": "true" }), `${word(station)} `, el("b", {}, ms(took))),
  );
  return part(t("stations"), el("div", { class: "bar", "aria-hidden": "true" }, pieces), el("ul", { class: "legend" }, legend));
}

const figures = (...values) => el("span", { class: "figures" }, values.filter(Boolean).join(" · "));
const problemText = (words) => words && el("p", { class: "problem" }, words);

/** The end of a message that got no answer. */
const noted = (state) => (has(`noted_${state}`) ? t(`noted_${state}`) : t("noted_other"));

/** The reason why a turn was refused or failed. */
function why({ outcome, why: words }) {
  if (!words && outcome !== "handed_off") return undefined;
  const key = outcome === "handed_off" ? "handed_off" : words;
  return part(t("why"), el("p", { class: "seen" }, has(`end_${key}`) ? t(`end_${key}`) : words.startsWith("gave up") ? t("end_gave_up") : t(`end_${outcome}`)));
}

/** Taps on cards: the action, its amount, and the key under which it is done once. */
function taps({ taps: items = [] }, turns) {
  if (!items.length) return undefined;
  const line = (term, words) => words && el("dl", {}, el("dt", {}, term), el("dd", {}, words));
  return part(
    t("taps"),
    ...items.map(({ message, verb, kind, action, key, settled }) => {
      const what = action.kind ?? kind;
      const change = [action.old, action.new].filter(Boolean);
      return el(
        "div",
        { class: "item" },
        el("div", { class: "item-head" }, el("span", { class: verb === "do" && settled ? "tag good" : "tag" }, t(kind ? `tap_${verb}` : "tap_expired")), what && el("strong", {}, has(`tap_kind_${what}`) ? t(`tap_kind_${what}`) : what), turns.jump(message)),
        line(t("tap_change"), change.length > 0 && [...new Set(change)].join(" → ")),
        line(t("tap_amount"), action.currency && price(action.amount ?? 0, action.currency)),
        line(t("tap_key"), el("code", {}, key)),
        Object.keys(action).length > 0 && el("details", { class: "folded" }, el("summary", {}, t("arguments")), el("pre", { tabindex: 0 }, readable(action))),
      );
    }),
  );
}

/** The messages as they were sent to models. */
function sent(items = []) {
  if (!items.length) return undefined;
  const text = (content) => (Array.isArray(content) ? content.map((one) => one.text ?? t("sent_image")).join("\n") : (content ?? ""));
  const lines = ({ role, content, tool_calls: calls }) =>
    el("div", { class: "sent-line" }, el("span", { class: "tag" }, has(`role_${role}`) ? t(`role_${role}`) : role), el("pre", { tabindex: 0, dir: "auto" }, [text(content), calls && readable(calls)].filter(Boolean).join("\n")));
  const one = ({ asked, messages }, at) => el("details", { class: "folded" }, el("summary", {}, t("sent_request", { number: at + 1, model: asked, count: messages.length })), ...messages.map(lines));
  return part(t("sent_part"), ...items.map(one));
}

const imitated = (on) => on && el("span", { class: "tag warm" }, t("imitated_tag"));

const WHOLE = /^<(\w{1,30})>([^]*)<\/\1>$/;
const FACT = /<(\w{1,30})>([^<]*)<\/\1>/g;
const plain = (value) => value.replace(/&(lt|gt|amp);/g, (_, sign) => ({ lt: "<", gt: ">", amp: "&" })[sign]);

/** A message as it was understood: words, or named facts where Recado tells the model what they are. */
function seen(text) {
  const facts = [...(WHOLE.exec(text)?.[2] ?? "").matchAll(FACT)];
  if (!facts.length) return el("p", { class: "seen", dir: "auto" }, text);
  const rows = facts.map(([, name, value]) => [el("dt", {}, has(`seen_${name}`) ? t(`seen_${name}`) : name), el("dd", { dir: "auto" }, plain(value))]);
  return el("dl", { class: "seen" }, rows);
}

function perceived({ perceived: items = [] }, turns) {
  if (!items.length) return undefined;
  return part(
    t("understood"),
    ...items.map(({ message, kind, text, by, ms: took, error }) =>
      el(
        "div",
        { class: "item" },
        el("div", { class: "item-head" }, el("span", { class: "tag" }, has(`kind_${kind}`) ? t(`kind_${kind}`) : kind), imitated(by && by !== "local" && turns.imitates(...(["voice", "video"].includes(kind) ? ["Whisper"] : ["Vision"]))), turns.jump(message), figures(by === "local" ? t("local") : by, took !== null && took !== undefined && ms(took))),
        text && kind !== "sticker" && seen(text),
        problemText(error && (has(`trouble_${error}`) ? t(`trouble_${error}`) : error)),
      ),
    ),
  );
}

function requests({ requests: items = [], prompt }, turns) {
  if (!items.length && !prompt) return undefined;
  const from = prompt && el("p", { class: "muted" }, `${t("prompt")}: `, el("code", {}, `${prompt.name}@${prompt.version}`));
  return part(
    t("requests"),
    from,
    ...items.map((one) => {
      const tokens = one.prompt_tokens ?? one.completion_tokens ? t("tokens", { in: one.prompt_tokens ?? 0, out: one.completion_tokens ?? 0 }) : "";
      return el(
        "div",
        { class: "item" },
        el("div", { class: "item-head" }, el("code", {}, one.asked), el("span", { class: `tag ${one.outcome === "ok" ? "good" : "bad"}` }, has(`model_${one.outcome}`) ? t(`model_${one.outcome}`) : one.outcome), imitated(turns.imitates("OpenRouter"))),
        one.served && one.served !== one.asked && el("p", { class: "muted" }, t("served", { model: one.served })),
        figures(tokens, one.cost_usd && money(one.cost_usd), one.ms !== undefined && one.ms !== null && ms(one.ms)),
      );
    }),
  );
}

function tools({ tools: items = [] }) {
  if (!items.length) return undefined;
  return part(
    t("tools"),
    ...items.map((one) =>
      el(
        "div",
        { class: "item" },
        el("div", { class: "item-head" }, has(`tool_name_${one.name}`) && el("strong", {}, t(`tool_name_${one.name}`)), el("code", {}, one.name), el("span", { class: `tag ${one.outcome === "ok" ? "good" : "bad"}` }, has(`tool_${one.outcome}`) ? t(`tool_${one.outcome}`) : one.outcome), figures(one.ms !== undefined && ms(one.ms))),
        Object.keys(one.arguments ?? {}).length > 0 && el("dl", {}, el("dt", {}, t("arguments")), el("dd", {}, el("pre", {}, readable(one.arguments)))),
        ...(one.sources ?? []).map(passage),
        one.result && el("details", { class: "folded" }, el("summary", {}, t("result_raw")), el("pre", { tabindex: 0 }, readable(one.result))),
      ),
    ),
  );
}

/** A passage of a document, with its place and how sure the search was. */
function passage({ source, place, text, score }) {
  const where = place.replace(/\bpage (\d+)/, (_, page) => t("on_page", { page }));
  return el("div", { class: "source" }, el("p", { class: "item-head" }, el("b", {}, source), figures(where, t("score", { score: number(score, 2) }))), el("p", { class: "seen", dir: "auto" }, text));
}

/** JSON on several lines; other text unchanged. */
function readable(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    const parsed = JSON.parse(value);
    return typeof parsed === "object" ? JSON.stringify(parsed, null, 2) : value;
  } catch {
    return value;
  }
}

function reply({ reply: parts }) {
  const texts = (parts ?? []).filter(Boolean);
  return texts.length ? part(t("reply_part"), ...texts.map((text) => el("p", { class: "seen", dir: "auto" }, replyText(text)))) : undefined;
}

function failure({ error }) {
  return error ? part(t("error"), el("details", { class: "folded" }, el("summary", {}, t("error_detail")), el("pre", { tabindex: 0 }, String(error)))) : undefined;
}
