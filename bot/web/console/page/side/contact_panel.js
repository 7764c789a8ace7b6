// Everything about the contact that helps to answer: names, role, plan, orders, consent, labels, notes.

import { assign, label } from "../conversation/actions.js";
import { get, Refused } from "../data/api.js";
import { Avatar } from "../frame/avatar.js";
import { phoneOf, titleOf } from "./contact_names.js";
import { OutLink } from "../conversation/formatting.js";
import { html, useEffect, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { fullTime, has, moment, t, word } from "../frame/language.js";
import { operatorName } from "../data/lists.js";
import { may } from "../data/session.js";
import { ContactDuties } from "./contact_duties.js";

// Facts of the server that have a name here; they come in this order.
const FACTS = ["language", "role", "plan", "email", "opted_out", "consent", "ad", "first_seen_at", "created_at", "closed_at"];

export function ContactPanel({ one }) {
  const [more, put] = useState({});
  useEffect(() => {
    let gone = false;
    get(`/conversations/${encodeURIComponent(one.id)}/contact`)
      .then((found) => !gone && put(found.contact ?? found))
      .catch((error) => {
        // A server without this route knows what the list knows.
        if (!(error instanceof Refused)) throw error;
      });
    return () => (gone = true);
  }, [one.id, one.last_message?.at]);
  const facts = { ...one, ...one.contact, ...more };
  const name = titleOf(one.contact);
  return html`
    <div class="contact-card"><${Avatar} name=${name} /><h2 dir="auto">${name}</h2></div>
    <dl class="facts">
      <${Fact} name=${t("phone")} value=${phoneOf(one.contact)} />
      <${Fact} name=${t("bsuid")} value=${one.contact.bsuid} code />
      ${FACTS.map((key) => html`<${Fact} key=${key} name=${t(`fact_${key}`)} value=${shown(key, facts[key])} />`)}
      <div><dt>${t("fact_assigned_to")}</dt><dd>${one.assigned_to ? operatorName(one.assigned_to) : t("no_one")} <button type="button" class="link" onClick=${() => assign(one.id)}>${t("assign")}</button></dd></div>
    </dl>
    <section class="panel-part"><h3>${t("labels")}</h3>
      <p class="labels">${one.labels.map((text) => html`<span key=${text} class="label">${text}</span>`)}<button type="button" class="link" onClick=${() => label(one.id)}>${t(one.labels.length ? "change" : "add_label")}</button></p>
    </section>
    ${more.orders?.length > 0 && html`<${Rows} title=${t("orders")} rows=${more.orders} />`}
    ${more.files?.length > 0 && html`<section class="panel-part"><h3>${t("files")}</h3>${more.files.map((file) => html`<p key=${file.url}><${OutLink} class="attachment" href=${file.url}><${Icon} name="file" /><span><b>${file.name ?? word("kind", file.kind)}</b><small>${moment(file.at)}</small></span><//></p>`)}</section>`}
    ${more.turns?.length > 0 && html`<${Rows} title=${t("last_turns")} rows=${more.turns} />`}
    ${(may("export_contact") || may("erase_contact")) && html`<${ContactDuties} one=${one} />`}
  `;
}

const Fact = ({ name, value, code }) => (value ? html`<div><dt>${name}</dt><dd dir="auto">${code ? html`<code>${value}</code>` : value}</dd></div>` : null);

function shown(key, value) {
  if (value === undefined || value === null || value === "") return "";
  if (key.endsWith("_at")) return fullTime(value);
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (key === "language") return new Intl.DisplayNames(document.documentElement.lang, { type: "language" }).of(value);
  if (key === "plan") return [value.name, word("subscription", value.status)].filter(Boolean).join(" · ");
  if (typeof value === "object") return Object.values(value).filter((one) => typeof one !== "object").join(" · ");
  return has(`${key}_${value}`) ? word(key, value) : String(value);
}

const Rows = ({ title, rows }) => html`<section class="panel-part"><h3>${title}</h3><ul class="plain-list">${rows.map((row, at) => html`<li key=${at}>${typeof row === "object" ? Object.values(row).join(" · ") : row}</li>`)}</ul></section>`;
