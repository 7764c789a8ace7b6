// The templates that Meta approved, with a form for their parameters and a preview of the message.

import { SheetHead, showDialog } from "../frame/dialog.js";
import { html, useEffect, useState } from "../frame/html.js";
import { IconButton } from "../frame/icon.js";
import { t, word } from "../frame/language.js";
import { lists, readTemplates } from "../data/lists.js";
import { send } from "./outgoing.js";

const HOLE = /\{\{\s*([\w.]+)\s*\}\}/g;

/** Choose a template, fill it in and send it. */
export async function openTemplates(one) {
  readTemplates();
  const content = await showDialog(TemplateSheet, { one });
  if (content) send(one.id, content);
}

function TemplateSheet({ one, close }) {
  const [chosen, choose] = useState(undefined);
  if (chosen) return html`<${TemplateForm} template=${chosen} one=${one} close=${close} back=${() => choose(undefined)} />`;
  return html`<${SheetHead} title=${t("choose_template")} close=${close} /><${TemplateList} choose=${choose} />`;
}

function TemplateList({ choose }) {
  const [words, type] = useState("");
  const all = lists.value.templates;
  if (!all) return html`<p role="status" class="muted">${t("loading")}</p>`;
  const shown = all.filter(({ name, body }) => `${name} ${body}`.toLocaleLowerCase().includes(words.toLocaleLowerCase()));
  return html`
    ${all.length > 5 && html`<input type="search" class="wide-input" aria-label=${t("search_template")} placeholder=${t("search_template")} value=${words} onInput=${({ target }) => type(target.value)} autofocus />`}
    ${shown.map(
      (one) => html`<button key=${`${one.name}/${one.language}`} type="button" class="row template-row" disabled=${one.sendable === false} onClick=${() => choose(one)}>
        <span><b>${one.name.replaceAll("_", " ")}</b><span class="muted">${one.language} · ${word("category", (one.category ?? "").toLowerCase())}</span><span class="template-words" dir="auto">${one.body}</span>${one.sendable === false && html`<span class="problem">${one.why_not}</span>`}</span>
      </button>`,
    )}
    ${shown.length === 0 && html`<p class="muted">${t(all.length ? "nothing_found" : "no_templates")}</p>`}`;
}

function TemplateForm({ template, one, close, back }) {
  const [values, put] = useState(() => Object.fromEntries(template.parameters.map((name) => [name, guess(name, one)])));
  useEffect(() => document.querySelector(".sheet form input, .sheet form button")?.focus(), []);
  const preview = previewOf(template, values);
  const submit = (event) => {
    event.preventDefault();
    const parameters = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim()]));
    close({ template: template.name, language: template.language, parameters, preview });
  };
  return html`<header class="sheet-head"><${IconButton} icon="back" label=${t("other_template")} onClick=${back} /><h2 id="sheet-title">${template.name.replaceAll("_", " ")}</h2><${IconButton} icon="close" label=${t("close_sheet")} onClick=${() => close()} /></header>
    <form onSubmit=${submit}>
      ${template.parameters.map((name) => html`<label key=${name}>${parameterName(name)}<input required maxlength="1024" value=${values[name]} onInput=${({ target }) => put({ ...values, [name]: target.value })} autocomplete="off" /></label>`)}
      <div class="template-preview" aria-live="polite"><p class="muted">${t("preview")}</p><div class="bubble ours operator"><p class="words" dir="auto">${preview}</p></div></div>
      <button class="wide-button">${t("send_template")}</button>
    </form>`;
}

/** The message as it arrives; a header with numbers has its one value under `header`. */
function previewOf({ header, body, footer }, values) {
  const put = (words, own) => words.replace(HOLE, (whole, name) => own[name] || `{${name}}`);
  return [header && put(header, { ...values, 1: values.header ?? values[1] }), put(body, values), footer].filter(Boolean).join("\n\n");
}

function parameterName(name) {
  if (name === "header") return t("parameter_header");
  const [, button] = /^button_(\d+)$/.exec(name) ?? [];
  if (button) return t("parameter_button", { number: Number(button) + 1 });
  return /^\d+$/.test(name) ? t("parameter", { number: name }) : name.replaceAll("_", " ");
}

/** A parameter that asks for a name probably means the contact's. */
const guess = (name, one) => (/^(nombre|name|customer_name|cliente|first_name)$/i.test(name) ? (one.contact.name?.split(" ")[0] ?? "") : "");
