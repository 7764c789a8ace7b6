// Tells the customer's phone that somebody types an answer; nothing depends on it.

import { post } from "../data/api.js";

// WhatsApp shows the dots for 25 seconds.
const EVERY_MS = 20000;
const told = new Map();

export function tellTyping(conversation) {
  if (Date.now() - (told.get(conversation) ?? 0) < EVERY_MS) return;
  told.set(conversation, Date.now());
  post(`/conversations/${encodeURIComponent(conversation)}/typing`).catch(() => told.delete(conversation));
}
