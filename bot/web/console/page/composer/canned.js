// Canned replies: their variables are filled in before somebody sends them.

import { titleOf } from "../side/contact_names.js";
import { t } from "../frame/language.js";
import { me } from "../data/session.js";

const firstName = (name) => (name ?? "").split(" ")[0];

/** The values of a conversation, by their names in a canned reply. */
const values = (one) => ({
  "contact.name": one.contact.name ?? "",
  "contact.first_name": firstName(one.contact.name),
  "contact.phone": one.contact.phone ?? "",
  contact: titleOf(one.contact),
  "operator.name": me.value.name,
  "operator.first_name": firstName(me.value.name),
});

/** The text with its variables; one that nobody knows stays in brackets, so that it is seen. */
export function filled(text, one) {
  const known = values(one);
  return text.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (whole, name) => known[name] || `[${t("variable")}: ${name}]`);
}
