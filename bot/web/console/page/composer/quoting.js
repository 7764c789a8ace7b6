// The message that an answer quotes, for each conversation, until the answer is sent.

import { html, signal } from "../frame/html.js";
import { IconButton } from "../frame/icon.js";
import { t, word } from "../frame/language.js";
import { focusWriting } from "./writing_focus.js";

const quoted = signal(new Map());

export const quoteOf = (conversation) => quoted.value.get(conversation);

export function quote(conversation, message) {
  const map = new Map(quoted.value);
  if (message) map.set(conversation, message);
  else map.delete(conversation);
  quoted.value = map;
  focusWriting();
}

/** The quoted message over the box, with a button to leave it out. */
export function Quoting({ conversation }) {
  const message = quoteOf(conversation);
  if (!message) return null;
  return html`<div class="quoting"><span dir="auto"><strong>${t("quoting")}</strong> ${message.text || word("kind", message.kind)}</span><${IconButton} icon="close" label=${t("no_quote")} onClick=${() => quote(conversation)} /></div>`;
}
