// How a contact is called where there is a name, a number, or only Meta's id.

import { t } from "../frame/language.js";

export const titleOf = (contact = {}) => contact.name || phoneOf(contact) || (contact.bsuid ? t("no_phone") : t("nobody"));

/** The number as it is dialled, with a thin space between groups. */
export function phoneOf({ phone } = {}) {
  const digits = (phone ?? "").replace(/\D/g, "");
  if (!digits) return "";
  return `+${digits.slice(0, -10)} ${digits.slice(-10, -7)} ${digits.slice(-7, -4)} ${digits.slice(-4)}`.replace(/\s+/g, " ").replace("+ ", "+");
}
