// Why the assistant answered so: its turn from the message to the answer.

import { get, Refused } from "../data/api.js";
import { showCase } from "./case_sheet.js";
import { html, useEffect, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { dollars, has, milliseconds, moment, number, percent, t, word } from "../frame/language.js";
import { may } from "../data/session.js";
import { showReplay } from "./replay_sheet.js";
import { showMessage } from "../conversation/thread.js";
import { TurnMessages, readable } from "./turn_messages.js";
import { turnOf } from "../data/wire.js";

export function Why({ id, conversation }) {
  const [state, put] = useState({});
  useEffect(() => {
    let gone = false;
    get(`/turns/${encodeURIComponent(id)}`, { conversation })
      .then((raw) => !gone && put({ turn: turnOf(raw) }))
      .catch((error) => {
        if (!(error instanceof Refused)) throw error;
        if (!gone) put({ problem: error });
      });
    return () => (gone = true);
  }, [id]);
  const { turn, problem } = state;
  if (problem) return html`<p class="muted">${problem.status === 404 ? t("turn_gone") : problem.words}</p>`;
  if (!turn) return html`<p class="muted" role="status">${t("loading")}</p>`;
  return html`<div class="why"><${Summary} turn=${turn} /><${Stations} stations=${turn.stations ?? []} /><${Perceived} items=${turn.perceived ?? []} />
    <${Sources} items=${turn.sources} tools=${turn.tools ?? []} /><${Requests} turn=${turn} /><${Tools} items=${turn.tools ?? []} /><${Taps} items=${turn.taps ?? []} />
    <${TurnMessages} asked=${turn.asked} /><${Reply} texts=${turn.reply ?? []} /><${Failed} error=${turn.error} />
    <${Actions} id=${id} conversation=${conversation} turn=${turn} /></div>`;
}

function Actions({ id, conversation, turn }) {
  const replays = may("replay_turns") && turn.asked.some(({ rendering }) => rendering);
  const cases = may("make_cases") && turn.reply?.length > 0;
  if (!replays && !cases) return null;
  return html`<p class="why-actions">
    ${replays && html`<button type="button" class="small plain-small" onClick=${() => showReplay(id, conversation, turn.release)}><${Icon} name="retry" />${t("replay")}</button>`}
    ${cases && html`<button type="button" class="small plain-small" onClick=${() => showCase(id, conversation)}><${Icon} name="down" />${t("make_case")}</button>`}
  </p>`;
}

const Part = ({ title, children }) => html`<section class="panel-part"><h3>${title}</h3>${children}</section>`;
const figures = (...values) => html`<span class="figures">${values.filter(Boolean).join(" · ")}</span>`;
const Tag = ({ good, words }) => html`<span class=${`tag ${good ? "good" : "bad"}`}>${words}</span>`;

/** The reason why a turn gave no answer of the model. */
function endOf({ outcome, why }) {
  if (!why && outcome !== "handed_off") return "";
  const key = `end_${outcome === "handed_off" ? "handed_off" : why.startsWith("gave up") ? "gave_up" : why.replace(/[^a-z]+/g, "_")}`;
  return has(key) ? t(key) : why;
}

function Summary({ turn }) {
  const spent = (turn.stations ?? []).reduce((sum, { ms }) => sum + ms, 0);
  const tokens = (turn.requests ?? []).reduce((sum, one) => sum + (one.prompt_tokens ?? 0) + (one.completion_tokens ?? 0), 0);
  const state = turn.outcome ?? "closed";
  return html`<div class="why-summary"><h2 class="unseen">${t("why")}</h2><p><span class=${`chip ${state}`}>${word("outcome", state)}</span> <time>${moment(turn.at)}</time></p>
    <dl class="numbers">
      <div><dt>${t("cost")}</dt><dd>${dollars(turn.cost_usd ?? 0)}</dd></div>
      <div><dt>${t("time_taken")}</dt><dd>${milliseconds(spent)}</dd></div>
      <div><dt>${t("tokens")}</dt><dd>${number(tokens)}</dd></div>
    </dl>
    ${endOf(turn) && html`<p class="muted">${endOf(turn)}</p>`}
    <p class="muted">${t("prompt_release")} <code>${turn.release ?? turn.prompt?.version ?? "–"}</code>${turn.prompt ? html` · <code>${turn.prompt.name}@${turn.prompt.version}</code>` : ""}</p></div>`;
}

function Stations({ stations }) {
  const total = stations.reduce((sum, { ms }) => sum + ms, 0);
  if (!total) return null;
  return html`<${Part} title=${t("stations")}>
    <div class="bar" aria-hidden="true">${stations.map(({ station, ms }) => html`<span key=${station} class=${`station-${station}`} style=${{ flexGrow: Math.max(ms / total, 0.004) }}></span>`)}</div>
    <ul class="legend">${stations.map(({ station, ms }) => html`<li key=${station}><i class=${`station-${station}`} aria-hidden="true"></i>${word("station", station)} <b>${milliseconds(ms)}</b></li>`)}</ul>
  <//>`;
}

function Perceived({ items }) {
  if (!items.length) return null;
  return html`<${Part} title=${t("perceived")}>${items.map(
    ({ message, kind, text, by, ms, error }, at) => html`<div key=${at} class="item">
      <p class="item-head"><span class="tag">${word("kind", kind)}</span><button type="button" class="link" onClick=${() => showMessage(message)}>${t("see_message")}</button>${figures(by === "local" ? t("local") : by, ms && milliseconds(ms))}</p>
      ${text && html`<p class="seen" dir="auto">${text}</p>`}${error && html`<p class="problem">${word("trouble", error)}</p>`}
    </div>`,
  )}<//>`;
}

const place = (words) => words?.replace(/\b(page|rows?|line) (\d[\d-]*)/g, (_, unit, at) => t(`on_${unit}`, { at }));

function Sources({ items, tools }) {
  const asked = tools.filter(({ name }) => name === "search_knowledge");
  if (!items.length && !asked.length) return null;
  return html`<${Part} title=${t("sources")}>
    ${items.length === 0 && html`<p class="muted">${t("no_passage")}</p>`}
    ${items.map(
      ({ source, location, text, score }, at) => html`<div key=${at} class="item source"><p class="item-head"><${Icon} name="file" /><b>${source}</b>${figures(place(location))}${score !== undefined && html`<span class="tag">${t("score", { score: percent(score) })}</span>`}</p>${text && html`<p class="seen" dir="auto">${text}</p>`}</div>`,
    )}<//>`;
}

function Requests({ turn: { requests = [] } }) {
  if (!requests.length) return null;
  return html`<${Part} title=${t("models")}>${requests.map(
    (one, at) => html`<div key=${at} class="item">
      <p class="item-head"><code>${one.asked}</code><${Tag} good=${one.outcome === "ok"} words=${word("model", one.outcome)} /></p>
      ${one.served && one.served !== one.asked && html`<p class="muted">${t("served_by")} <code>${one.served}</code></p>`}
      ${figures(t("tokens_of", { in: number(one.prompt_tokens ?? 0), out: number(one.completion_tokens ?? 0) }), dollars(one.cost_usd ?? 0), milliseconds(one.ms ?? 0))}
    </div>`,
  )}<//>`;
}

function Tools({ items }) {
  if (!items.length) return null;
  return html`<${Part} title=${t("tools")}>${items.map(
    (one, at) => html`<div key=${at} class="item">
      <p class="item-head"><b>${word("tool", one.name)}</b><${Tag} good=${one.outcome === "ok"} words=${word("tool_outcome", one.outcome)} />${figures(milliseconds(one.ms ?? 0))}</p>
      ${Object.keys(one.arguments ?? {}).length > 0 && html`<p class="muted">${t("arguments")}</p><pre tabindex="0">${readable(one.arguments)}</pre>`}
      ${one.result && html`<details class="folded"><summary>${t("read_by_model")}</summary><pre tabindex="0">${readable(one.result)}</pre></details>`}
    </div>`,
  )}<//>`;
}

const Taps = ({ items }) => (items.length ? html`<${Part} title=${t("taps")}>${items.map((one, at) => html`<pre key=${at} tabindex="0">${readable(one)}</pre>`)}<//>` : null);
const Reply = ({ texts }) => (texts.some(Boolean) ? html`<${Part} title=${t("reply")}>${texts.filter(Boolean).map((text, at) => html`<p key=${at} class="seen" dir="auto">${text}</p>`)}<//>` : null);
const Failed = ({ error }) => (error ? html`<${Part} title=${t("error")}><pre tabindex="0">${String(error)}</pre><//>` : null);
