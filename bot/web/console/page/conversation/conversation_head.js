// The head of a conversation: who it is, who has it, the window, and what can be done.

import { assign, close, giveBack, label, mayClose, mayGiveBack, mayTake, take } from "./actions.js";
import { Avatar } from "../frame/avatar.js";
import { phoneOf, titleOf } from "../side/contact_names.js";
import { isMine } from "../inbox/conversations.js";
import { html } from "../frame/html.js";
import { Icon, IconButton } from "../frame/icon.js";
import { t } from "../frame/language.js";
import { lists, operatorName } from "../data/lists.js";
import { go } from "../frame/route.js";
import { sideOpen, toggleSide } from "../side/side.js";
import { WindowClock } from "./window_clock.js";

export function ConversationHead({ one }) {
  const name = titleOf(one.contact);
  const phone = phoneOf(one.contact);
  return html`<header class="conversation-head">
    <${IconButton} icon="back" label=${t("back_to_inbox")} class="plain back" onClick=${() => go("inbox")} />
    <${Avatar} name=${name} />
    <div class="head-name">
      <h2 dir="auto">${name}</h2>
      <p><${Holder} one=${one} /><${WindowClock} one=${one} words />${phone && phone !== name && html`<span class="head-phone">${phone}</span>`}</p>
    </div>
    <div class="head-actions">
      <${MainAction} one=${one} />
      ${lists.value.operators.length > 0 && html`<${IconButton} class="plain spare" icon="people" label=${t("assign")} keys="a" onClick=${() => assign(one.id)} />`}
      <${IconButton} class="plain spare" icon="label" label=${t("labels")} keys="l" onClick=${() => label(one.id)} />
      ${mayClose(one) && html`<${IconButton} icon="check" label=${t("close")} keys="e" onClick=${() => close(one.id)} />`}
      <${IconButton} icon="panel" label=${t("side_panel")} keys="i" aria-pressed=${sideOpen.value} onClick=${toggleSide} />
    </div>
  </header>`;
}

function MainAction({ one }) {
  if (isMine(one)) return html`<button type="button" class="small" aria-keyshortcuts="g" title=${`${t("give_back")} (g)`} onClick=${() => giveBack(one.id)}><${Icon} name="bot" /><span>${t("give_back_short")}</span></button>`;
  return html`${mayGiveBack(one) && html`<${IconButton} icon="bot" label=${t("give_back")} keys="g" onClick=${() => giveBack(one.id)} />`}
    ${mayTake(one) && html`<button type="button" class="small" aria-keyshortcuts="t" title="t" onClick=${() => take(one.id)}><${Icon} name="take" /><span>${t("take")}</span></button>`}`;
}

function Holder({ one }) {
  if (one.state === "waiting") return html`<span class="state hot"><${Icon} name="bell" />${t("state_waiting")}</span>`;
  if (one.state === "bot") return html`<span class="state"><${Icon} name="bot" />${t("holder_bot")}</span>`;
  if (one.state === "closed") return html`<span class="state"><${Icon} name="check" />${t("state_closed")}</span>`;
  if (isMine(one)) return html`<span class="state mine"><${Icon} name="person" />${t("holder_me")}</span>`;
  return html`<span class="state"><${Icon} name="person" />${one.assigned_to ? t("holder", { name: operatorName(one.assigned_to) }) : t("state_unassigned")}</span>`;
}
