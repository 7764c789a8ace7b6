// Short notices at the edge of the page; a failure stays until it is closed.

import { Refused } from "../data/api.js";
import { html, signal } from "./html.js";
import { IconButton } from "./icon.js";
import { t } from "./language.js";

const SHOWN_MS = 4500;
const toasts = signal([]);
let count = 0;

export function toast(words, { bad = false } = {}) {
  const id = (count += 1);
  toasts.value = [...toasts.value.slice(-3), { id, words, bad }];
  if (!bad) setTimeout(() => close(id), SHOWN_MS);
}

const close = (id) => (toasts.value = toasts.value.filter((one) => one.id !== id));

/** Run an action of the person; a refusal is told, and the result is undefined then. */
export async function attempt(action) {
  try {
    return (await action()) ?? true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.words, { bad: true });
    return undefined;
  }
}

export const Toasts = () =>
  html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      ({ id, words, bad }) =>
        html`<div key=${id} class=${bad ? "toast bad" : "toast"}><span>${words}</span><${IconButton} icon="close" label=${t("close_notice")} onClick=${() => close(id)} /></div>`,
    )}
  </div>`;
