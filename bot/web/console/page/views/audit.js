// The audit log: who did what, to which object, when, and from where.

import { get } from "../data/api.js";
import { Page } from "../data/fetched.js";
import { html, useEffect, useState } from "../frame/html.js";
import { fullTime, moment, t, word } from "../frame/language.js";
import { lists, operatorName } from "../data/lists.js";
import { href } from "../frame/route.js";
import { attempt } from "../frame/toasts.js";

const entryOf = (raw) => ({ ...raw, what: raw.action ?? raw.what, about: raw.object ?? raw.conversation ?? "", from: raw.address ?? raw.from });

export function Audit() {
  const [who, choose] = useState("");
  const [rows, put] = useState(undefined);
  const [next, follow] = useState(undefined);
  const read = async (cursor) => {
    const page = await attempt(() => get("/audit", { who, before: cursor }));
    if (!page) return;
    const fresh = (page.entries ?? page.audit ?? []).map(entryOf);
    put((before) => (cursor ? [...(before ?? []), ...fresh] : fresh));
    follow(page.next);
  };
  useEffect(() => {
    read();
  }, [who]);
  const people = html`<select aria-label=${t("audit_who")} value=${who} onChange=${({ target }) => choose(target.value)}><option value="">${t("everybody")}</option>${lists.value.operators.map((one) => html`<option key=${one.email} value=${one.email}>${one.name}</option>`)}</select>`;
  return html`<${Page} title=${t("view_audit")} tools=${people} state=${rows ? undefined : { loading: true }}>
    ${rows && html`<div class="table-frame" tabindex="0" role="region" aria-labelledby="page-title"><table class="table stacks">
      <thead><tr>${["when", "who", "what", "about", "from"].map((name) => html`<th key=${name} scope="col">${t(`audit_${name}`)}</th>`)}</tr></thead>
      <tbody>${rows.map(
        (one) => html`<tr key=${one.id}>
          <td data-column=${t("audit_when")}><time datetime=${one.at} title=${fullTime(one.at)}>${moment(one.at)}</time></td>
          <td data-column=${t("audit_who")}>${operatorName(one.who)}</td>
          <td data-column=${t("audit_what")}>${word("audited", one.what)}${Object.keys(one.details ?? {}).length > 0 && html`<small>${Object.entries(one.details).map(([name, value]) => `${name}: ${value}`).join(" · ")}</small>`}</td>
          <td data-column=${t("audit_about")}><${About} about=${one.about} /></td>
          <td data-column=${t("audit_from")}><code>${one.from}</code></td>
        </tr>`,
      )}</tbody></table></div>`}
    ${rows?.length === 0 && html`<p class="muted">${t("nothing_found")}</p>`}
    ${next && html`<p class="log-older"><button type="button" class="small plain-small" onClick=${() => read(next)}>${t("older_entries")}</button></p>`}
  <//>`;
}

function About({ about }) {
  const id = about.replace(/^conversation:/, "");
  if (about.includes("@")) return operatorName(about);
  return /^[\w-]{12,64}$/.test(id) ? html`<a href=${href("c", id)}><code>${id.slice(0, 10)}…</code></a>` : about;
}
