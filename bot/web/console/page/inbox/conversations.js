// The conversations of the inbox: a tab at a time, page after page, kept current by live events.

import { get, Refused } from "../data/api.js";
import { batch, computed, signal } from "../frame/html.js";
import { me } from "../data/session.js";
import { conversationOf } from "../data/wire.js";

export const TABS = ["waiting", "mine", "unassigned", "bot", "closed"];
const PAGE = 100;

const keptTab = localStorage.getItem("tab");
export const tab = signal(TABS.includes(keptTab) ? keptTab : "waiting");
export const query = signal("");
export const label = signal("");
export const rows = signal([]);
export const loading = signal(false);
export const problem = signal(undefined);
/** How many conversations wait in each tab, where the server says so. */
export const counts = signal({});
/** Conversations by id, also those that the tab does not show. */
export const known = signal(new Map());

let next;
let asked = 0;

export const conversation = (id) => known.value.get(id);
export const unreadTotal = computed(() => [...known.value.values()].reduce((sum, one) => sum + (isMine(one) || one.state === "waiting" ? one.unread : 0), 0));
export const isMine = (one) => one.state !== "closed" && Boolean(me.value) && one.assigned_to === me.value.email;

/** Load the first page of the tab; the rows shown stay until it is there. */
export async function reload() {
  const mine = (asked += 1);
  loading.value = true;
  try {
    const page = await fetchPage();
    if (mine !== asked) return;
    next = page.next;
    batch(() => {
      put(page.conversations);
      rows.value = page.conversations.map(({ id }) => id);
      problem.value = undefined;
      if (page.counts) counts.value = page.counts;
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (mine === asked) problem.value = error;
  } finally {
    if (mine === asked) loading.value = false;
  }
}

/** Load the page below, if there is one. */
export async function loadMore() {
  if (!next || loading.value) return;
  const mine = asked;
  loading.value = true;
  try {
    const page = await fetchPage(next);
    if (mine !== asked) return;
    next = page.next;
    batch(() => {
      put(page.conversations);
      const shown = new Set(rows.value);
      rows.value = [...rows.value, ...page.conversations.map(({ id }) => id).filter((id) => !shown.has(id))];
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    problem.value = error;
  } finally {
    if (mine === asked) loading.value = false;
  }
}

/** Read the first page again and put its rows in their places; gives their ids. */
export async function refreshTop() {
  const mine = asked;
  const page = await fetchPage().catch(() => undefined);
  if (!page || mine !== asked) return [];
  batch(() => {
    if (page.counts) counts.value = page.counts;
    for (const one of page.conversations) place(one);
  });
  return page.conversations.map(({ id }) => id);
}

/** Read how many conversations each tab has to look at; a failure is told by the list itself. */
export async function recount() {
  const page = await get("/conversations", { state: "waiting", limit: 1 }).catch(() => undefined);
  if (page?.counts) counts.value = page.counts;
}

export const hasMore = () => Boolean(next);

async function fetchPage(cursor) {
  const page = await get("/conversations", { state: query.value ? undefined : tab.value, q: query.value, label: label.value, cursor, limit: PAGE });
  return { ...page, conversations: page.conversations.map(conversationOf) };
}

function put(found) {
  const map = new Map(known.value);
  for (const one of found) map.set(one.id, { ...map.get(one.id), ...one });
  known.value = map;
}

/** Show a tab. */
export function chooseTab(name) {
  localStorage.setItem("tab", name);
  batch(() => {
    tab.value = name;
    query.value = "";
    rows.value = [];
  });
  return reload();
}

export function search(words) {
  query.value = words.trim();
  return reload();
}

export function filterByLabel(name) {
  label.value = name;
  return reload();
}

/** Read a conversation anew and put it at its place in the tab. */
export async function refresh(id) {
  try {
    place(await get(`/conversations/${encodeURIComponent(id)}`));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 404) rows.value = rows.value.filter((one) => one !== id);
    return error;
  }
  return undefined;
}

/** Take in a conversation as the server now has it. */
export function place(one) {
  const found = conversationOf(one);
  batch(() => {
    put([found]);
    const rest = rows.value.filter((id) => id !== found.id);
    if (query.value) return;
    if (!belongs(found)) {
      if (rest.length !== rows.value.length) rows.value = rest;
      return;
    }
    const at = rest.findIndex((id) => before(found, known.value.get(id)));
    // Below the last loaded row, its page brings it.
    if (at === -1 && next) rows.value = rest;
    else rows.value = rest.toSpliced(at === -1 ? rest.length : at, 0, found.id);
  });
}

function belongs(one) {
  if (label.value && !(one.labels ?? []).includes(label.value)) return false;
  if (tab.value === "mine") return isMine(one);
  if (tab.value === "unassigned") return ["waiting", "person"].includes(one.state) && !one.assigned_to;
  return one.state === tab.value;
}

/** Those who wait longest come first; everywhere else the newest words do. */
function before(one, other) {
  if (tab.value === "waiting" && one.waiting_since !== other.waiting_since) return (one.waiting_since ?? "") < (other.waiting_since ?? "");
  return lastAt(one) > lastAt(other);
}

const lastAt = (one) => one.last_message?.at ?? "";

/** The id beside another in the tab: `step` 1 is the next, -1 the one before. */
export function beside(id, step) {
  const at = rows.value.indexOf(id);
  if (at === -1) return rows.value[step > 0 ? 0 : rows.value.length - 1];
  return rows.value[Math.max(0, Math.min(rows.value.length - 1, at + step))];
}
