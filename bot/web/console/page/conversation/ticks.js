// What became of a message that we sent, and where it failed, the cause and the remedy.

import { html } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { has, t } from "../frame/language.js";

const ICONS = { pending: "clock", queued: "clock", accepted: "clock", sent: "check", delivered: "checks", read: "checks", played: "checks", failed: "alert" };

export function Ticks({ status = "pending" }) {
  const known = status in ICONS ? status : "pending";
  return html`<span class=${`ticks ${known}`} role="img" aria-label=${t(`status_${known}`)} title=${t(`status_${known}`)}><${Icon} name=${ICONS[known]} /></span>`;
}

/** The cause in our words where we have some, else in Meta's. */
export function Failure({ error }) {
  const { code, reason, message } = error ?? {};
  const cause = has(`meta_${code}`) ? t(`meta_${code}`) : has(`unsent_${reason}`) ? t(`unsent_${reason}`) : (message ?? t("meta_unknown"));
  const remedy = has(`remedy_${code}`) ? t(`remedy_${code}`) : code && !has(`meta_${code}`) ? t("remedy_look_up") : "";
  return html`<div class="failure">
    <p><strong>${t("not_arrived")}</strong> ${cause}${code ? html` <span class="muted">(${code})</span>` : ""}</p>
    ${remedy && html`<p>${remedy}</p>`}
  </div>`;
}
