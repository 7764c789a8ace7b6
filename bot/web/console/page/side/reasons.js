// Reasons that the server's code gives in English, in the page's language; others are words of a model or a person.

import { t } from "../frame/language.js";

const KNOWN = [
  [/^a message came (\d+) hours late/, "reason_late"],
  [/^several Stripe customers have this contact/, "reason_several"],
  [/^the day's budget is spent/, "reason_budget"],
  [/^A contact proved an e-mail address, but the address has several/, "reason_proved_several"],
  [/^A contact proved an e-mail address, but the Stripe customer belongs/, "reason_proved_other"],
  [/^this contact's number is in STAFF_CONTACTS/, "reason_withheld"],
];

export function reasonOf(words = "") {
  const [pattern, key] = KNOWN.find(([known]) => known.test(words)) ?? [];
  return key ? t(key, { hours: pattern.exec(words)[1] }) : words;
}
