// A row of the list: who, the last words, how long they wait, what is unread, and the window.

import { Avatar } from "../frame/avatar.js";
import { phoneOf, titleOf } from "../side/contact_names.js";
import { isMine, query, tab } from "./conversations.js";
import { hasDraft } from "../composer/drafts.js";
import { html, names } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { brief, duration, fullTime, t, word } from "../frame/language.js";
import { operatorName } from "../data/lists.js";
import { secondsSince } from "../data/now.js";
import { href, openId } from "../frame/route.js";
import { working } from "../conversation/thread.js";
import { WindowClock } from "../conversation/window_clock.js";

export function InboxRow({ one, top, place, total }) {
  if (!one) return null;
  const open = openId.value === one.id;
  const { at } = one.last_message ?? {};
  return html`<li class="row-place" style=${{ transform: `translateY(${top}px)` }} aria-posinset=${place} aria-setsize=${total}>
    <a class=${names("conversation-row", { open, unread: one.unread > 0 })} href=${href("c", one.id)} aria-current=${open ? "true" : undefined} data-id=${one.id}>
      <${Avatar} name=${titleOf(one.contact)} />
      <span class="row-name"><strong>${titleOf(one.contact)}</strong>${one.state === "waiting" && one.waiting_since ? html`<${Waiting} since=${one.waiting_since} />` : html`<time datetime=${at} title=${at && fullTime(at)}>${brief(at)}</time>`}</span>
      <span class="row-words"><${Last} one=${one} />${one.unread > 0 && html`<span class="badge" aria-label=${t("unread_count", { count: one.unread })}>${one.unread > 99 ? "99+" : one.unread}</span>`}</span>
      <span class="row-state">${told(one) ? html`<${State} one=${one} />` : !one.labels?.length && html`<span class="row-phone">${phoneOf(one.contact)}</span>`}${(one.labels ?? []).slice(0, 2).map((name) => html`<span key=${name} class="label">${name}</span>`)}<span class="row-space"></span><${WindowClock} one=${one} /></span>
    </a>
  </li>`;
}

/** Whether the row has to say its state: in most tabs all rows have the same. */
const told = (one) => query.value || tab.value === "unassigned" || (tab.value === "mine" && one.state === "waiting");

const Waiting = ({ since }) => {
  const seconds = secondsSince(since);
  return html`<span class=${names("waits", { long: seconds > 600 })} title=${t("waits_since", { time: fullTime(since) })}><${Icon} name="clock" />${duration(seconds)}</span>`;
};

/** Words without WhatsApp's marks, which a line of a list does not draw. */
const plain = (text) => (text ?? "").replace(/[*_~`]+/g, "").trim();

function Last({ one }) {
  if (working.value.has(one.id)) return html`<span class="last now">${t("bot_writes")}</span>`;
  if (openId.value !== one.id && hasDraft(one.id)) return html`<span class="last"><em>${t("draft")}</em></span>`;
  const last = one.last_message ?? {};
  const ours = last.direction === "out";
  return html`<span class="last" dir="auto">${ours && html`<span class="ours">${t("ours")} </span>`}${plain(last.text) || (last.kind ? word("kind", last.kind) : "")}</span>`;
}

function State({ one }) {
  if (one.state === "waiting") return html`<span class="state hot"><${Icon} name="bell" />${t("state_waiting")}</span>`;
  if (one.state === "closed") return html`<span class="state"><${Icon} name="check" />${t("state_closed")}</span>`;
  if (one.state === "bot") return html`<span class="state"><${Icon} name="bot" />${t("state_bot")}</span>`;
  if (isMine(one)) return html`<span class="state mine"><${Icon} name="person" />${t("state_mine")}</span>`;
  return html`<span class="state"><${Icon} name="person" />${one.assigned_to ? operatorName(one.assigned_to) : t("state_unassigned")}</span>`;
}
