// The frame of the page: the bar with the views, the view itself, and what lies over it.

import { Audit } from "../views/audit.js";
import { Dialog, showDialog } from "./dialog.js";
import { Documents } from "../views/documents.js";
import { HelpSheet } from "./help.js";
import { html } from "./html.js";
import { Icon, IconButton } from "./icon.js";
import { Inbox } from "../inbox/inbox.js";
import { counts } from "../inbox/conversations.js";
import { t } from "./language.js";
import { LoginAgain } from "../login/login_again.js";
import { online } from "../data/live.js";
import { Palette, openPalette } from "./palette.js";
import { People } from "../views/people.js";
import { Reports } from "../views/reports.js";
import { href, view } from "./route.js";
import { may, me } from "../data/session.js";
import { SettingsSheet } from "./settings_sheet.js";
import { Toasts } from "./toasts.js";
import { Trust } from "../views/trust.js";
import { Avatar } from "./avatar.js";

const VIEWS = { inbox: Inbox, reports: Reports, trust: Trust, documents: Documents, audit: Audit, people: People };

const VIEW_RIGHTS = [["inbox", "read"], ["reports", "read_reports"], ["trust", "handle_dead_letters"], ["documents", "review_documents"], ["audit", "read_audit"], ["people", "read"]];

/** The views that the person's role may see. */
export const views = () => VIEW_RIGHTS.filter(([, right]) => may(right)).map(([name]) => name);

export function Frame() {
  const Shown = views().includes(view.value) ? VIEWS[view.value] : Inbox;
  return html`
    <a class="skip" href="#content" onClick=${skip}>${t("skip")}</a>
    <${Rail} />
    <main id="content" class=${`view view-${view.value}`} tabindex="-1">
      ${!online.value && html`<p class="offline" role="alert">${t("offline")}</p>`}
      <${Shown} />
    </main>
    <${Palette} />
    <${Dialog} />
    <${LoginAgain} />
    <${Toasts} />
  `;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

function Rail() {
  return html`<nav class="rail" aria-label=${t("views")}>
    <img class="mark" src="/console/static/icon.svg" alt="Recado" width="34" height="34" />
    ${views().map((name) => html`<${ViewLink} key=${name} name=${name} />`)}
    <span class="rail-space"></span>
    <${IconButton} icon="search" label=${t("palette")} keys="Control+K" onClick=${openPalette} />
    <${IconButton} icon="keyboard" label=${t("help")} keys="?" onClick=${() => showDialog(HelpSheet)} />
    <button type="button" class="plain me" aria-label=${t("settings_of", { name: me.value.name })} title=${me.value.name} onClick=${() => showDialog(SettingsSheet)}>
      <${Avatar} name=${me.value.name} small />
    </button>
  </nav>`;
}

function ViewLink({ name }) {
  const here = view.value === name;
  const waiting = name === "inbox" ? counts.value.waiting : 0;
  return html`<a class="rail-link" href=${href(name)} aria-current=${here ? "page" : undefined} title=${t(`view_${name}`)}>
    <${Icon} name=${name} /><span class="rail-words">${t(`rail_${name}`)}</span>
    ${waiting > 0 && html`<span class="badge" aria-label=${t("waiting_count", { count: waiting })}>${waiting > 99 ? "99+" : waiting}</span>`}
  </a>`;
}
