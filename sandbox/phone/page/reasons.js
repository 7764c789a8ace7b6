// Reasons of failures in the page's language: of the server, of Meta, and of hand-overs.

import { current, has, t } from "./language.js";

/** The reason of a failed request. */
export function reason({ status, message, limit = 100 }) {
  if (has(`why_${message}`)) return t(`why_${message}`);
  return has(`why_${status}`) ? t(`why_${status}`, { limit }) : t("why_other", { status });
}

/** An error of Meta: its code, and words for it where there are any, else Meta's own title. */
export const metaError = ({ code, title = "" }) => [code, has(`meta_${code}`) ? t(`meta_${code}`) : title].filter(Boolean).join(" · ");

/** The reason of a handoff event. */
export const handoffReason = ({ words, reason = "" } = {}) => words?.[current()] ?? reason;
