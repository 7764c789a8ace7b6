// Lists that many parts of the page need: colleagues, labels, canned replies, templates.

import { get, Refused } from "./api.js";
import { signal } from "../frame/html.js";

export const lists = signal({ operators: [], labels: [], replies: [], templates: undefined });

export const replyOf = (raw) => ({ id: raw.id, name: raw.shortcut ?? raw.name, text: raw.text });

const put = (part) => (lists.value = { ...lists.value, ...part });

/** Read the lists; one that the server does not have stays empty, and its control is not shown. */
export async function readLists() {
  const [operators, labels, replies] = await Promise.all([read("/operators"), read("/labels"), read("/canned-replies")]);
  put({ operators: operators?.operators ?? [], labels: (labels?.labels ?? []).map((one) => one.name ?? one), replies: (replies?.replies ?? replies?.canned_replies ?? []).map(replyOf) });
}

export async function readTemplates() {
  put({ templates: (await read("/templates"))?.templates ?? [] });
}

async function read(route) {
  try {
    return await get(route);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

export const operatorName = (email) => lists.value.operators.find((one) => one.email === email)?.name ?? email ?? "";

export function addLabel(name) {
  if (!lists.value.labels.includes(name)) put({ labels: [...lists.value.labels, name].sort((one, other) => one.localeCompare(other)) });
}
