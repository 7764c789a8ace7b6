// Up to three buttons below an answer: their titles are a draft, as the words are.

import { draft, keepDraft } from "./drafts.js";
import { html, useState } from "../frame/html.js";
import { IconButton } from "../frame/icon.js";
import { t } from "../frame/language.js";

const MOST = 3;
// WhatsApp's limit of a title.
const LONGEST = 20;
const NONE = Array(MOST).fill("");

function kept(conversation) {
  try {
    const found = JSON.parse(draft(conversation, "buttons") || "null");
    return Array.isArray(found) ? NONE.map((_, at) => String(found[at] ?? "")) : undefined;
  } catch {
    return undefined;
  }
}

export const keepTitles = (conversation, titles) => keepDraft(conversation, "buttons", titles ? JSON.stringify(titles) : "");

/** `{titles, shown, write(titles), toggle(), again()}`: those that are filled in, and the fields where they are shown. */
export function useTitles(conversation) {
  const [fields, put] = useState(kept(conversation));
  const write = (titles) => {
    put(titles);
    keepTitles(conversation, titles);
  };
  const titles = [...new Set((fields ?? []).map((one) => one.trim()).filter(Boolean))];
  return { titles, fields, write, toggle: () => write(fields ? undefined : NONE), again: () => put(kept(conversation)) };
}

export function ButtonTitles({ of: { fields, write } }) {
  if (!fields) return null;
  return html`<div class="button-titles" role="group" aria-label=${t("buttons")}>
    ${fields.map((title, at) => html`<input key=${at} value=${title} maxlength=${LONGEST} autocomplete="off" aria-label=${t("button_title", { number: at + 1 })} placeholder=${t("button_title", { number: at + 1 })} onInput=${({ target }) => write(fields.with(at, target.value))} />`)}
    <${IconButton} icon="close" label=${t("no_buttons")} onClick=${() => write(undefined)} />
  </div>`;
}
