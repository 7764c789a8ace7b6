// People who want no marketing, with a search.

import { get } from "../data/api.js";
import { phoneOf, titleOf } from "../side/contact_names.js";
import { useFetched } from "../data/fetched.js";
import { html, useState } from "../frame/html.js";
import { counted, moment, t } from "../frame/language.js";
import { href } from "../frame/route.js";

export function OptOuts() {
  const [words, search] = useState("");
  const state = useFetched(() => get("/opt-outs", { q: words.trim() }), [words.trim()]);
  const { opt_outs: found = [], count = 0 } = state.data ?? {};
  return html`<section class="card" aria-labelledby="opt-outs-title"><h2 id="opt-outs-title">${t("opt_outs")}</h2>
    <p class="muted">${state.data && !count ? t("no_opt_outs") : counted("opt_outs_are", count)}</p>
    ${state.problem && html`<p class="problem">${state.problem.words}</p>`}
    ${(count > 0 || words) && html`<p><input type="search" maxlength="200" placeholder=${t("opt_outs_search")} aria-label=${t("opt_outs_search")} value=${words} onInput=${({ target }) => search(target.value)} /></p>`}
    ${state.data && words && !found.length && html`<p class="muted" role="status">${t("nothing_found")}</p>`}
    <ul class="letters">${found.map((one) => html`<li key=${one.conversation}><p class="item-head"><a href=${href("c", one.conversation)}>${titleOf(one.contact) || phoneOf(one.contact)}</a><span class="figures">${phoneOf(one.contact)}</span>${one.at && html`<time class="figures">${moment(one.at)}</time>`}</p></li>`)}</ul>
  </section>`;
}
