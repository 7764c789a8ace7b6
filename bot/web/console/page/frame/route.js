// The place in the page, as its address says it: `#/inbox/waiting`, `#/c/ID`, `#/reports`.

import { computed, signal } from "./html.js";

const VIEWS = ["inbox", "c", "reports", "trust", "documents", "audit", "people"];

function read() {
  const [, view = "inbox", id = ""] = location.hash.split("/");
  return VIEWS.includes(view) ? { view, id: decodeURIComponent(id) } : { view: "inbox", id: "" };
}

const place = signal(read());
addEventListener("hashchange", () => (place.value = read()));

/** The view; a conversation belongs to the inbox. */
export const view = computed(() => (place.value.view === "c" ? "inbox" : place.value.view));
export const openId = computed(() => (place.value.view === "c" ? place.value.id : ""));

export const href = (name, id) => `#/${name}${id ? `/${encodeURIComponent(id)}` : ""}`;

/** Go to a place; `replace` leaves no step behind for the button “back”. */
export function go(name, id, { replace = false } = {}) {
  const target = href(name, id);
  if (target === location.hash) return;
  if (replace) {
    history.replaceState(null, "", target);
    place.value = read();
  } else location.hash = target;
}
