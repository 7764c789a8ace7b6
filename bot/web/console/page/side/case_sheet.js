// A test case of an answer: its YAML to read, to copy and to download.

import { post } from "../data/api.js";
import { SheetHead, showDialog } from "../frame/dialog.js";
import { html, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { counted, t } from "../frame/language.js";
import { download } from "../views/report_data.js";
import { attempt, toast } from "../frame/toasts.js";

const COUNTS = [1, 3, 5];

const made = (id, conversation, turns) => attempt(() => post(`/turns/${encodeURIComponent(id)}/case`, { conversation, turns }));

export async function showCase(id, conversation) {
  const first = await made(id, conversation, COUNTS[0]);
  if (first) await showDialog(CaseSheet, { id, conversation, first });
}

function CaseSheet({ id, conversation, first, close }) {
  const [{ count, name, yaml }, put] = useState({ count: COUNTS[0], ...first });
  const choose = async (turns) => {
    const found = await made(id, conversation, turns);
    if (found) put({ count: turns, ...found });
  };
  const copy = async () => {
    await navigator.clipboard.writeText(yaml);
    toast(t("copied"));
  };
  return html`<${SheetHead} title=${t("make_case")} close=${close} />
    <p class="muted">${t("case_hint")}</p>
    <div class="segments" role="group" aria-label=${t("case_turns")}>${COUNTS.map((one) => html`<button key=${one} type="button" aria-pressed=${one === count} onClick=${() => choose(one)}>${counted("case_turns", one)}</button>`)}</div>
    <pre class="case-text" tabindex="0" aria-label=${name}>${yaml}</pre>
    <p class="sheet-actions">
      ${navigator.clipboard && html`<button type="button" class="small" onClick=${copy}>${t("copy")}</button>`}
      <button type="button" class="small" onClick=${() => download(yaml, `${name}.yaml`, "application/yaml")}><${Icon} name="down" />${t("download")}</button>
    </p>`;
}
