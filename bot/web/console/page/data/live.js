// The stream of events that keeps the page current; after a gap it reads everything again.

import { sessionEnded } from "./api.js";
import { counts, recount, refresh, refreshTop, reload, rows } from "../inbox/conversations.js";
import { effect, signal } from "../frame/html.js";
import { openId } from "../frame/route.js";
import { whoAmI } from "./session.js";
import { noteTurn, refreshThread, working } from "../conversation/thread.js";

const ADDRESS = "/console/api/events";
const LONGEST_WAIT = 15000;
// Events of one moment are answered by one reading.
const GATHER_MS = 60;
const PAUSE_MS = 500;
const FEW = 10;

export const online = signal(true);
const listeners = new Set();

/** Call with each event; gives a function that ends it. */
export function onEvent(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let stream;
let wait = 500;
let timer;
let lost = false;
// The last event that came; a stream goes on after it.
let last = "";
let changed = new Set();

export function connect() {
  clearTimeout(timer);
  stream?.close();
  stream = new EventSource(last ? `${ADDRESS}?after=${encodeURIComponent(last)}` : ADDRESS);
  stream.addEventListener("open", opened);
  stream.addEventListener("error", broke);
  stream.addEventListener("message", ({ data, lastEventId }) => {
    last = lastEventId || last;
    receive(JSON.parse(data));
  });
  stream.addEventListener("reset", ({ lastEventId }) => {
    last = lastEventId;
    readAll();
  });
}

function opened() {
  wait = 500;
  online.value = true;
  // Without an event yet there is no place to go on from, so that there may be a gap.
  if (lost && !last) readAll();
  lost = false;
}

/** The browser itself reopens a stream that broke, with `Last-Event-ID`; one that was refused is ours to reopen. */
async function broke() {
  online.value = false;
  if (stream.readyState !== EventSource.CLOSED) return;
  lost = true;
  await whoAmI().catch(({ status }) => {
    if (status === 401) sessionEnded.value = true;
  });
  clearTimeout(timer);
  if (!sessionEnded.value) timer = setTimeout(connect, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT);
}

addEventListener("offline", () => (online.value = false));
addEventListener("online", () => {
  lost = true;
  connect();
});

// After a new login the stream opens again.
let ended = false;
effect(() => {
  if (ended && !sessionEnded.value) {
    lost = true;
    connect();
  }
  ended = sessionEnded.value;
});

export function readAll() {
  working.value = new Map();
  reload();
  if (openId.peek()) {
    refresh(openId.peek());
    refreshThread(openId.peek());
  }
}

function receive(event) {
  if (event.type === "turn") noteTurn(event);
  if (event.counts) counts.value = event.counts;
  for (const listener of listeners) listener(event);
  const ids = event.conversations ?? (event.conversation && event.state !== "thinking" ? [event.conversation] : []);
  for (const id of ids) changed.add(id);
  if (changed.size) schedule();
}

let reading;
let readAt = 0;

/** Read what changed in a moment; under a flood not more often than twice a second. */
function schedule() {
  reading ??= setTimeout(readChanged, Math.max(GATHER_MS, readAt + PAUSE_MS - Date.now()));
}

async function readChanged() {
  const ids = changed;
  changed = new Set();
  try {
    await readThese(ids);
  } finally {
    readAt = Date.now();
    reading = undefined;
  }
  if (changed.size) schedule();
}

async function readThese(ids) {
  const open = ids.has(openId.peek()) ? refreshThread(openId.peek()) : undefined;
  // Of many, the top of the list is read once; the rows below it that are shown change too.
  const top = ids.size > FEW ? await refreshTop() : [];
  const left = [...ids].filter((id) => ids.size <= FEW || id === openId.peek() || (!top.includes(id) && rows.peek().includes(id)));
  await Promise.all([open, ...left.slice(0, FEW).map(refresh), ids.size > FEW ? undefined : recount()]);
}
