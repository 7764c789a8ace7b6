// The day's budget: spent and allowed, by kind, and the contacts that cost most.

import { get } from "../data/api.js";
import { phoneOf, titleOf } from "../side/contact_names.js";
import { useFetched } from "../data/fetched.js";
import { html } from "../frame/html.js";
import { dollars, t, word } from "../frame/language.js";
import { href } from "../frame/route.js";

export function Budget() {
  const state = useFetched(() => get("/budget"), []);
  const { data } = state;
  if (!data) return state.problem ? html`<section class="card"><h2>${t("budget")}</h2><p class="problem">${state.problem.words}</p></section>` : null;
  return html`<section class="card" aria-labelledby="budget-title"><h2 id="budget-title">${t("budget")}</h2>
    <p class="muted">${t(`budget_${data.when_spent}`)}</p>
    <ul class="shares">
      <${Spent} name=${t("budget_total")} usd=${data.spent_usd} limit=${data.limit_usd} />
      ${data.kinds.map(({ name, usd }) => html`<li key=${name}><span class="muted">${word("budget_kind", name)}</span><span>${dollars(usd)}</span></li>`)}
    </ul>
    ${data.contacts.length > 0 && html`<h3 class="muted">${t("budget_contacts", { limit: dollars(data.contact_limit_usd) })}</h3>
      <ul class="shares">${data.contacts.map((one) => html`<${Spent} key=${one.conversation} name=${html`<a href=${href("c", one.conversation)}>${titleOf(one.contact) || phoneOf(one.contact)}</a>`} label=${titleOf(one.contact)} usd=${one.spent_usd} limit=${data.contact_limit_usd} />`)}</ul>`}
  </section>`;
}

const Spent = ({ name, label = name, usd, limit }) =>
  html`<li><span>${name}</span><b class=${usd >= limit ? "health-bad" : usd >= limit * 0.8 ? "health-warm" : ""}>${t("budget_of", { spent: dollars(usd), limit: dollars(limit) })}</b><meter min="0" max=${limit} value=${usd} aria-label=${label}></meter></li>`;
