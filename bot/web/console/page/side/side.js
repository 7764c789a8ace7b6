// The panel beside a conversation: who the contact is, and why the assistant answered as it did.

import { ContactPanel } from "./contact_panel.js";
import { conversation } from "../inbox/conversations.js";
import { batch, html, signal } from "../frame/html.js";
import { IconButton } from "../frame/icon.js";
import { t } from "../frame/language.js";
import { Why } from "./why.js";

const kept = localStorage.getItem("side");
export const sideOpen = signal(kept ? kept === "open" && innerWidth > 1100 : innerWidth > 1280);
const part = signal("contact");
const turn = signal("");
let back;

/** Open the panel, or shut it. */
export function toggleSide() {
  if (sideOpen.value) shut();
  else enter();
  localStorage.setItem("side", sideOpen.value ? "open" : "shut");
}

/** Go into the panel; from within it, shut it and go back. */
export function enterOrShutSide() {
  if (document.activeElement?.closest?.(".side")) toggleSide();
  else enter();
}

function enter() {
  back = document.activeElement;
  sideOpen.value = true;
  focusTab();
}

/** Show why the assistant gave an answer. */
export function showTurn(id) {
  back = document.activeElement;
  batch(() => {
    turn.value = id;
    part.value = "why";
    sideOpen.value = true;
  });
  focusTab();
}

/** The chosen tab gets the focus, once it is drawn. */
const focusTab = () => setTimeout(() => document.querySelector(".side [aria-selected=true]")?.focus(), 30);

function shut() {
  sideOpen.value = false;
  if (back?.isConnected) back.focus();
}

export function Side({ id }) {
  const one = conversation(id);
  if (!one) return null;
  const parts = ["contact", ...(turn.value ? ["why"] : [])];
  const shown = parts.includes(part.value) ? part.value : "contact";
  const walk = (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    part.value = parts[(parts.indexOf(shown) + 1) % parts.length];
    document.getElementById(`side-${part.value}`)?.focus();
  };
  return html`<aside class="side" aria-label=${t("side_panel")} onKeyDown=${(event) => event.key === "Escape" && (event.stopPropagation(), shut())}>
    <header class="side-head">
      <div class="tabs" role="tablist" aria-label=${t("side_panel")} onKeyDown=${walk}>
        ${parts.map((name) => html`<button key=${name} id=${`side-${name}`} type="button" role="tab" aria-selected=${shown === name} aria-controls="side-part" tabindex=${shown === name ? 0 : -1} onClick=${() => (part.value = name)}>${t(`side_${name}`)}</button>`)}
      </div>
      <${IconButton} icon="close" label=${t("close_panel")} onClick=${shut} />
    </header>
    <div id="side-part" class="side-part" role="tabpanel" aria-labelledby=${`side-${shown}`} tabindex="0">
      ${shown === "contact" ? html`<${ContactPanel} key=${id} one=${one} />` : html`<${Why} key=${turn.value} id=${turn.value} conversation=${id} />`}
    </div>
  </aside>`;
}
