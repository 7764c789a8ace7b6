// The inbox: the list, the open conversation, and the panel beside it.

import { Conversation } from "../conversation/conversation.js";
import { html, names } from "../frame/html.js";
import { InboxList } from "./inbox_list.js";
import { t } from "../frame/language.js";
import { openId } from "../frame/route.js";
import { Side, sideOpen } from "../side/side.js";

export function Inbox() {
  const open = Boolean(openId.value);
  return html`<div class=${names("inbox", { "has-open": open, "has-side": open && sideOpen.value })}>
    <h1 class="unseen">${t("view_inbox")}</h1>
    <${InboxList} />
    ${open ? html`<${Conversation} key=${openId.value} id=${openId.value} />` : html`<${NothingOpen} />`}
    ${open && sideOpen.value && html`<${Side} id=${openId.value} />`}
  </div>`;
}

const NothingOpen = () => html`<section class="nothing-open" aria-label=${t("conversation")}>
  <img src="/console/static/icon.svg" alt="" width="72" height="72" />
  <p>${t("nothing_open")}</p>
  <p class="muted"><kbd>j</kbd> <kbd>k</kbd> ${t("nothing_open_keys")} <kbd>?</kbd> ${t("nothing_open_help")}</p>
</section>`;
