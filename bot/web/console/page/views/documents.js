// The company's documents: what customers get, what waits for a release, what the last check found, and suggestions.

import { get } from "../data/api.js";
import { Page } from "../data/fetched.js";
import { html, useEffect, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { has, language, moment, number, t, word } from "../frame/language.js";
import { SuggestedAnswers } from "./suggested_answers.js";
import { attempt } from "../frame/toasts.js";

export function Documents() {
  const [state, put] = useState(undefined);
  const read = async (after) => {
    const page = await attempt(() => get("/documents", { after }));
    if (page) put((before) => ({ ...page, documents: [...(after ? before.documents : []), ...page.documents] }));
  };
  useEffect(() => {
    read();
  }, []);
  const synced = state?.synced_at && html`<span class="muted">${t("documents_synced", { time: moment(state.synced_at) })}</span>`;
  return html`<${Page} title=${t("view_documents")} tools=${synced} state=${state ? undefined : { loading: true }}>
    <${SuggestedAnswers} />
    ${state && html`<${Problems} items=${state.problems} /><${List} documents=${state.documents} />`}
    ${state?.next && html`<p class="log-older"><button type="button" class="small plain-small" onClick=${() => read(state.next)}>${t("more_documents")}</button></p>`}
  <//>`;
}

function Problems({ items }) {
  if (!items.length) return null;
  return html`<section class="card" aria-labelledby="problems-title"><h2 id="problems-title">${t("document_problems")}</h2>
    <p class="muted">${t("document_problems_hint")}</p>
    <ul class="letters">${items.map(
      ({ file, said, error }, at) => html`<li key=${at}><p class="item-head"><${Icon} name="alert" /><b>${file}</b>${said[language.value].place && html`<span class="figures">${said[language.value].place}</span>`}<span class=${error ? "tag bad" : "tag"}>${t(error ? "left_out" : "used_in_part")}</span></p><p>${said[language.value].problem}</p></li>`,
    )}</ul></section>`;
}

const today = () => new Date().toLocaleDateString("sv-SE");

function List({ documents }) {
  return html`<section class="card" aria-labelledby="documents-title"><h2 id="documents-title">${t("documents_released")}</h2>
    <p class="muted">${t("documents_hint")} <code>recado knowledge sync</code> · <code>recado prompts release</code></p>
    ${documents.length === 0 && html`<p class="muted">${t("no_documents")}</p>`}
    ${documents.length > 0 && html`<div class="table-frame documents-frame" tabindex="0" role="region" aria-label=${t("documents_list")}><table class="table stacks">
      <thead><tr>${["name", "language", "audience", "passages", "until", "state"].map((name) => html`<th key=${name} scope="col">${t(`document_${name}`)}</th>`)}</tr></thead>
      <tbody>${documents.map(
        (one) => html`<tr key=${one.name}>
          <td data-column=${t("document_name")}><b>${one.name === "accepted answers" ? t("accepted_answers") : one.name}</b>${one.title && one.title !== one.name && one.name !== "accepted answers" && html`<small class="muted">${one.title}</small>`}</td>
          <td data-column=${t("document_language")}>${one.language ? word("spoken", one.language) : "–"}</td>
          <td data-column=${t("document_audience")}>${word("audience", one.audience)}</td>
          <td data-column=${t("document_passages")} class="figures">${number(one.passages)}</td>
          <td data-column=${t("document_until")}><${Until} from=${one.valid_from} until=${one.valid_until} /></td>
          <td data-column=${t("document_state")}><span class=${`tag ${one.state === "released" ? "good" : ""}`}>${has(`document_is_${one.state}`) ? t(`document_is_${one.state}`) : one.state}</span></td>
        </tr>`,
      )}</tbody></table></div>`}
  </section>`;
}

function Until({ from, until }) {
  if (until && until < today()) return html`<span class="warm">${t("valid_no_more", { day: until })}</span>`;
  if (from && from > today()) return html`<span class="warm">${t("valid_not_yet", { day: from })}</span>`;
  return until ?? "–";
}
