// Reports: how many conversations, who resolved them, how fast, and what they cost.

import { get } from "../data/api.js";
import { Chart } from "./chart.js";
import { Page, useFetched } from "../data/fetched.js";
import { html, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { dollars, milliseconds, number, percent, t, word } from "../frame/language.js";
import { reasonOf } from "../side/reasons.js";
import { csv, download, reportOf } from "./report_data.js";

const RANGES = [7, 30, 90];
const dayOf = (at) => new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 10);

export function Reports() {
  const [days, choose] = useState(30);
  const to = dayOf(new Date());
  const from = dayOf(new Date(Date.now() - (days - 1) * 86400000));
  const state = useFetched(() => get("/reports", { from, to }), [days]);
  const report = state.data && reportOf(state.data);
  const tools = html`
    <div class="segments" role="group" aria-label=${t("range")}>${RANGES.map((count) => html`<button key=${count} type="button" aria-pressed=${count === days} onClick=${() => choose(count)}>${t("last_days", { count })}</button>`)}</div>
    ${report && html`<button type="button" class="small plain-small" onClick=${() => download(csv(report), `recado-${from}-${to}.csv`)}><${Icon} name="down" />CSV</button>`}`;
  return html`<${Page} title=${t("view_reports")} tools=${tools} state=${state}>
    ${report && html`<${Numbers} totals=${report.totals} />
      ${report.days.length > 0 && html`<div class="charts">
        <${Chart} title=${t("report_conversations")} days=${report.days} series=${[{ name: t("report_all"), key: "conversations", colour: "accent" }, { name: t("report_resolved"), key: "resolved_by_assistant", colour: "read" }, { name: t("report_handed_over"), key: "handed_over", colour: "warm" }]} show=${number} counts />
        <${Chart} title=${t("report_cost")} days=${report.days} series=${[{ name: t("report_cost"), key: "cost_usd", colour: "accent" }]} show=${dollars} />
        <${Chart} title=${t("report_first_answer")} days=${report.days} series=${[{ name: t("report_first_answer"), key: "first_answer_ms", colour: "read" }]} show=${milliseconds} />
      </div>`}
      <div class="charts"><${Shares} title=${t("report_reasons")} items=${report.reasons} show=${number} /><${Shares} title=${t("report_costs")} items=${report.costs} show=${dollars} /></div>`}
  <//>`;
}

const shownAs = { conversations: number, resolved_share: percent, handed_over: number, first_answer_ms: milliseconds, first_person_answer_ms: milliseconds, cost_usd: dollars, cost_per_resolved_usd: dollars, csat: percent, rated_good: number, rated_fair: number, rated_bad: number, thumbs_up: number, thumbs_down: number };

const Numbers = ({ totals }) => html`<dl class="big-numbers">${Object.keys(shownAs)
  .filter((key) => totals[key] !== undefined && totals[key] !== null)
  .map((key) => html`<div key=${key}><dt>${t(`total_${key}`)}</dt><dd>${shownAs[key](totals[key])}</dd></div>`)}</dl>`;

function Shares({ title, items, show }) {
  if (!items.length) return null;
  const most = Math.max(...items.map(({ value }) => value)) || 1;
  return html`<section class="card"><h2>${title}</h2><ul class="shares">${items.map(
    ({ name, value }) => html`<li key=${name}><span>${reasonOf(word("share", name))}</span><b>${show(value)}</b><meter min="0" max=${most} value=${value} aria-label=${word("share", name)}></meter></li>`,
  )}</ul></section>`;
}

