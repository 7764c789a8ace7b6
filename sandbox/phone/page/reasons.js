// Reasons of failures in the page's language: of the server, of Meta, and of the code that calls a person.

import { has, t } from "./language.js";

/** The reason of a failed request. */
export function reason({ status, message, limit = 100 }) {
  if (has(`why_${message}`)) return t(`why_${message}`);
  return has(`why_${status}`) ? t(`why_${status}`, { limit }) : t("why_other", { status });
}

/** An error of Meta: its code, and words for it where there are any, else Meta's own title. */
export const metaError = ({ code, title = "" }) => [code, has(`meta_${code}`) ? t(`meta_${code}`) : title].filter(Boolean).join(" · ");

// Reasons of handoffs that code gives in English; others are words of the model.
const HANDOFFS = {
  several: "several Stripe customers have this contact",
  budget: "the day's budget is spent",
  proved: "A contact proved an e-mail address",
  withheld: "this contact's number is in STAFF_CONTACTS",
};

/** The reason of a handoff. */
export function handoffReason(words) {
  const late = /^a message came (\d+) hours late$/.exec(words);
  if (late) return t("reason_late", { hours: late[1] });
  const [known] = Object.entries(HANDOFFS).find(([, start]) => words.startsWith(start)) ?? [];
  return known ? t(`reason_${known}`) : words;
}
