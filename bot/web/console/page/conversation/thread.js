// The messages of the open conversation: the newest page first, older ones as the person scrolls up.

import { get, Refused } from "../data/api.js";
import { batch, signal } from "../frame/html.js";
import { handoverOf, messageOf, noteOf } from "../data/wire.js";

const PAGE = 50;
const EMPTY = { id: "", messages: [], before: undefined, loading: false, problem: undefined };

export const thread = signal(EMPTY);
/** What the assistant is doing in a conversation, by its id: the last event of its turn. */
export const working = signal(new Map());
/** The message to show and mark once, by its id. */
export const found = signal("");

const route = (id) => `/conversations/${encodeURIComponent(id)}/messages`;
const open = (id) => thread.value.id === id;
const change = (part) => (thread.value = { ...thread.value, ...part });

export async function openThread(id) {
  thread.value = { ...EMPTY, id, loading: true };
  await load(id, {}, (page) => ({ messages: sorted(page.messages), before: page.before }));
}

export async function loadOlder() {
  const { id, before, loading } = thread.value;
  if (!before || loading) return;
  change({ loading: true });
  await load(id, { before }, (page) => ({ messages: merged(page.messages), before: page.before }));
}

/** Read the newest page again: what changed is replaced, what is new is added. */
export async function refreshThread(id) {
  if (!open(id)) return;
  await load(id, {}, (page) => {
    const overlap = page.messages.some((one) => thread.value.messages.some((other) => other.id === one.id));
    // After a long absence the page may not reach what is shown; then the thread begins anew.
    if (!overlap && thread.value.messages.length) return { messages: sorted(page.messages), before: page.before };
    return { messages: merged(page.messages), before: thread.value.messages.length ? thread.value.before : page.before };
  });
}

async function load(id, parameters, change_of) {
  try {
    const page = lines(await get(route(id), { limit: PAGE, ...parameters }));
    if (open(id)) change({ ...change_of(page), problem: undefined });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (open(id)) change({ problem: error });
  } finally {
    if (open(id)) change({ loading: false });
  }
}

/** Take in a message that the server answered with. */
export function receive(id, message) {
  if (open(id) && message?.id && message.at) change({ messages: merged([message]) });
}

/** A page with its notes and handovers among the messages. */
function lines(page) {
  const messages = page.messages.map(messageOf);
  const before = page.before ?? page.next;
  // Notes and handovers come whole with each page; those before its first message belong to an older one.
  const since = before ? (messages[0]?.at ?? "") : "";
  const others = [...(page.notes ?? []).map(noteOf), ...(page.handovers ?? []).filter(({ action }) => action !== "seen").map(handoverOf)];
  const all = [...messages, ...others.filter(({ at }) => at >= since)];
  return { messages: all.filter(({ kind, deleted_at: deleted }) => kind || deleted), before };
}

function merged(fresh) {
  const all = new Map(thread.value.messages.map((one) => [one.id, one]));
  // What did not change stays the same object, so that its bubble is not drawn again.
  for (const one of fresh) if (JSON.stringify(all.get(one.id)) !== JSON.stringify(one)) all.set(one.id, one);
  return sorted([...all.values()]);
}

const sorted = (messages) => messages.toSorted((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));

export function noteTurn(event) {
  const map = new Map(working.value);
  if (event.state === "thinking") map.set(event.conversation, event);
  else map.delete(event.conversation);
  working.value = map;
}

/** Show a message of the open conversation. */
export function showMessage(id) {
  batch(() => {
    found.value = "";
    found.value = id;
  });
}
