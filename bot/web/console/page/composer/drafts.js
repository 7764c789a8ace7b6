// What somebody began to write stays with its conversation, also over a reload.

const key = (conversation, mode) => `draft:${mode}:${conversation}`;

export const draft = (conversation, mode) => localStorage.getItem(key(conversation, mode)) ?? "";

export function keepDraft(conversation, mode, text) {
  if (text) localStorage.setItem(key(conversation, mode), text);
  else localStorage.removeItem(key(conversation, mode));
}

export const hasDraft = (conversation) => Boolean(draft(conversation, "reply") || draft(conversation, "note"));
