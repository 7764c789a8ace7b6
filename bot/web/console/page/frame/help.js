// The list of keys.

import { SheetHead } from "./dialog.js";
import { html } from "./html.js";
import { t } from "./language.js";
import { KEYS } from "./shortcuts.js";

export const HelpSheet = ({ close }) => html`
  <${SheetHead} title=${t("help")} close=${close} />
  <dl class="keys">
    ${KEYS.map(({ keys, name }) => html`<div key=${name}><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${t(`key_${name}`)}</dd></div>`)}
  </dl>
`;
