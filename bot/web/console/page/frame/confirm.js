// A question with a button that does it.

import { SheetHead } from "./dialog.js";
import { html } from "./html.js";

export const Confirm = ({ title, words, yes, danger, close }) => html`<${SheetHead} title=${title} close=${close} />
  <p>${words}</p>
  <p class="sheet-actions"><button type="button" class=${danger ? "wide-button danger" : "wide-button"} autofocus onClick=${() => close(true)}>${yes}</button></p>`;
