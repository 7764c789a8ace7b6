// Messages on their way to the server: each keeps its words and its key until the server has it.

import { post, Refused, upload } from "../data/api.js";
import { refresh } from "../inbox/conversations.js";
import { signal } from "../frame/html.js";
import { receive, refreshThread, thread } from "../conversation/thread.js";
import { messageOf, noteOf } from "../data/wire.js";

const STORED = "outgoing";
// Attempts for failures that pass by themselves; after them the person decides.
const WAITS_MS = [700, 2500, 6000];

/** `{key, conversation, kind, text?, template?, file?, at, state: "sending"|"failed", share?, problem?}` each. */
export const outgoing = signal(stored());
const uploads = new Map();

function stored() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return kept.map((one) => ({ ...one, state: "failed", problem: one.state === "failed" && one.problem ? one.problem : { code: "interrupted" } }));
  } catch {
    return [];
  }
}

function set(items) {
  outgoing.value = items;
  // A file can't be kept over a reload; the page warns before it is left.
  localStorage.setItem(STORED, JSON.stringify(items.filter(({ file }) => !file)));
}

const change = (key, part) => set(outgoing.value.map((one) => (one.key === key ? { ...one, ...part } : one)));
const drop = (key) => set(outgoing.value.filter((one) => one.key !== key));

/** Send `{text, reply_to?, buttons?}`, `{template, language, parameters}`, `{note}` or `{file, caption}`; the words are safe from here on. */
export function send(conversation, content) {
  const since = thread.value.messages.at(-1)?.at ?? "";
  const one = { key: crypto.randomUUID(), conversation, since, at: new Date().toISOString(), ...content, state: "sending", tries: 0 };
  set([...outgoing.value, one]);
  return deliver(one.key);
}

/** Try again under the same key, so that a message which did arrive is not sent twice. */
export function retry(key) {
  change(key, { state: "sending", tries: 0, problem: undefined });
  return deliver(key);
}

/** Give up a message; gives its text back. */
export function discard(key) {
  const one = outgoing.value.find((item) => item.key === key);
  uploads.get(key)?.abort();
  drop(key);
  return one?.text ?? one?.note ?? one?.caption ?? "";
}

/** Those of a conversation that its thread does not show yet: an event may come before the answer to the request. */
export function waitingIn(conversation, messages) {
  const shown = (one) => one.state !== "failed" && messages.some(({ direction, text, at }) => direction !== "in" && at > one.since && text === (one.text ?? one.note ?? one.caption));
  return outgoing.value.filter((one) => one.conversation === conversation && !shown(one));
}

async function deliver(key) {
  const one = outgoing.value.find((item) => item.key === key);
  try {
    const answer = await call(one);
    drop(key);
    for (const message of answer?.messages ?? [answer?.message ?? answer]) receive(one.conversation, one.note === undefined ? messageOf(message) : noteOf(message));
    refreshThread(one.conversation);
    refresh(one.conversation);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "cancelled") return;
    failed(one, error);
  } finally {
    uploads.delete(key);
  }
}

function failed(one, error) {
  const wait = WAITS_MS[one.tries];
  if (error.passing && wait && !one.file && navigator.onLine) {
    change(one.key, { tries: one.tries + 1 });
    setTimeout(() => outgoing.value.some(({ key }) => key === one.key) && deliver(one.key), wait);
    return;
  }
  change(one.key, { state: "failed", problem: { status: error.status, code: error.code, message: error.message } });
  if (error.status === 409) refresh(one.conversation);
}

function call(one) {
  const route = `/conversations/${encodeURIComponent(one.conversation)}`;
  const key = { "Idempotency-Key": one.key };
  if (one.note !== undefined) return post(`${route}/notes`, { text: one.note }, key);
  if (one.template) return post(`${route}/messages`, { template: one.template, language: one.language, parameters: one.parameters }, key);
  if (!one.file) return post(`${route}/messages`, { text: one.text, ...(one.reply_to && { reply_to: one.reply_to }), ...(one.buttons && { buttons: one.buttons }) }, key);
  const form = new FormData();
  if (one.caption) form.append("caption", one.caption);
  form.append("file", one.file, one.file.name);
  const ending = new AbortController();
  uploads.set(one.key, ending);
  return upload(`${route}/messages`, form, key, (share) => change(one.key, { share }), ending.signal);
}

/** Deliver what an earlier page left behind; the key makes sure that nothing is sent twice. */
export function resumeOutgoing() {
  for (const { key, state, problem } of outgoing.value) if (state === "failed" && (problem?.code === "interrupted" || problem?.status === 401)) retry(key);
}

// What waited for a connection goes on when there is one.
addEventListener("online", () => {
  for (const { key, state, problem } of outgoing.value) if (state === "failed" && problem?.status === 0) retry(key);
});

addEventListener("beforeunload", (event) => {
  if (outgoing.value.some(({ file }) => file)) event.preventDefault();
});
