// The panel of turns, newest first; a turn that changes is redrawn in place.

import { byId, el } from "./dom.js";
import { has, locale, number, t, time } from "./language.js";

const word = (key) => (has(key) ? t(key) : String(key));
const ms = (value) => (value >= 1000 ? `${number(value / 1000, 2)} s` : `${number(value, value < 10 ? 1 : 0)} ms`);

const money = (usd) => {
  const value = Number(usd);
  return Number.isFinite(value) ? value.toLocaleString(locale(), { style: "currency", currency: "USD", maximumSignificantDigits: 3 }) : "";
};

export class Turns {
  constructor() {
    this.turns = new Map();
    this.list = byId("turns");
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
    this.total();
  }

  total() {
    byId("no-turns").hidden = this.turns.size > 0;
    const cost = [...this.turns.values()].reduce((sum, { turn }) => sum + Number(turn.cost_usd ?? 0), 0);
    byId("turn-total").textContent = this.turns.size ? t("total", { count: this.turns.size, cost: money(cost) }) : "";
  }

  draw(turn, node) {
    const state = turn.state === "thinking" ? "thinking" : (turn.outcome ?? "closed");
    const spent = (turn.stations ?? []).reduce((sum, { ms: took }) => sum + took, 0);
    const said = (turn.perceived ?? []).map(({ text }) => headline(text)).join(" · ") || turn.turn;
    const figures = [time(new Date(turn.started_at)), spent ? ms(spent) : "", turn.cost_usd ? money(turn.cost_usd) : ""].filter(Boolean);
    node.replaceChildren(
      el(
        "summary",
        { onclick: () => (node.dataset.kept = "yes") },
        el("span", { class: `chip ${state}` }, has(`outcome_${state}`) ? t(`outcome_${state}`) : state),
        el("span", { class: "said", dir: "auto" }, said),
        el("span", { class: "figures" }, figures.join(" · ")),
      ),
      ...[bar(turn.stations ?? []), perceived(turn), requests(turn), tools(turn), reply(turn), failure(turn)].filter(Boolean),
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

function perceived({ perceived: items = [] }) {
  if (!items.length) return undefined;
  return part(
    t("understood"),
    ...items.map(({ kind, text, by, ms: took, error }) =>
      el(
        "div",
        { class: "item" },
        el("div", { class: "item-head" }, el("span", { class: "tag" }, has(`kind_${kind}`) ? t(`kind_${kind}`) : kind), figures(by === "local" ? t("local") : by, took !== null && took !== undefined && ms(took))),
        text && el("p", { class: "seen", dir: "auto" }, text),
        problemText(error),
      ),
    ),
  );
}

function requests({ requests: items = [], prompt }) {
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
        el("div", { class: "item-head" }, el("code", {}, one.asked), el("span", { class: `tag ${one.outcome === "ok" ? "good" : "bad"}` }, one.outcome)),
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
        el("div", { class: "item-head" }, el("code", {}, one.name), el("span", { class: `tag ${one.outcome === "ok" ? "good" : "bad"}` }, one.outcome), figures(one.ms !== undefined && ms(one.ms))),
        Object.keys(one.arguments ?? {}).length > 0 && el("dl", {}, el("dt", {}, t("arguments")), el("dd", {}, el("pre", {}, readable(one.arguments)))),
        one.result && el("dl", {}, el("dt", {}, t("result")), el("dd", {}, el("pre", {}, readable(one.result)))),
      ),
    ),
  );
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
  return texts.length ? part(t("reply_part"), ...texts.map((text) => el("p", { class: "seen", dir: "auto" }, text))) : undefined;
}

function failure({ error }) {
  return error ? part(t("error"), problemText(String(error))) : undefined;
}
