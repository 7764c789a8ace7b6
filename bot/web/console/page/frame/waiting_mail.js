// A mail to the person while nobody has the console open and somebody waits.

import { get, put } from "../data/api.js";
import { html, signal, useEffect } from "./html.js";
import { number, t } from "./language.js";
import { attempt } from "./toasts.js";

/** What the server knows: `wanted` is null where it sends no mail, or the caller has no address. */
const known = signal({});

async function choose(wanted) {
  if (await attempt(() => put("/digest", { wanted }))) known.value = { ...known.value, wanted };
}

export function WaitingMail() {
  useEffect(() => {
    get("/digest").then((found) => (known.value = found), () => undefined);
  }, []);
  const { wanted, minutes } = known.value;
  if (typeof wanted !== "boolean") return null;
  return html`<label class="switch"><input type="checkbox" checked=${wanted} onChange=${({ target }) => choose(target.checked)} /><span>${t("waiting_mail", { minutes: number(minutes, 1) })}</span></label>`;
}
