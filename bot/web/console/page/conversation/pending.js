// A message that the server does not have yet: on its way, or failed with its words kept.

import { keepTitles } from "../composer/button_titles.js";
import { keepDraft } from "../composer/drafts.js";
import { html, names } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { bytes, clock, has, percent, t } from "../frame/language.js";
import { discard, retry } from "../composer/outgoing.js";
import { draftChanged } from "../composer/composer.js";
import { focusWriting } from "../composer/writing_focus.js";

export function Pending({ item }) {
  const failed = item.state === "failed";
  const text = item.text ?? item.note ?? item.caption ?? item.preview ?? "";
  return html`<article class=${names(item.note === undefined ? "bubble ours operator" : "note-card", "pending", { failed })} aria-busy=${!failed}>
    ${item.file && html`<p class="attachment"><${Icon} name="file" /><span><b>${item.file.name}</b><small>${bytes(item.file.size)}</small></span></p>`}
    ${text && html`<p class="words" dir="auto">${text}</p>`}
    ${item.buttons && html`<ul class="buttons" aria-label=${t("buttons")}>${item.buttons.map((one) => html`<li key=${one}>${one}</li>`)}</ul>`}
    ${item.file && !failed && html`<progress max="1" value=${item.share ?? 0} aria-label=${t("uploading", { share: percent(item.share ?? 0) })}></progress>`}
    <footer>
      ${item.file && !failed && html`<button type="button" class="why-link" onClick=${() => discard(item.key)}>${t("cancel")}</button>`}
      <time datetime=${item.at}>${clock(item.at)}</time>
      ${!failed && html`<span class="ticks" role="img" aria-label=${t("sending")} title=${t("sending")}><${Icon} name="clock" /></span>`}
    </footer>
    ${failed && html`<div class="failure" role="alert">
      <p><strong>${t("not_sent")}</strong> ${cause(item.problem)}</p>
      <p class="failure-actions">
        <button type="button" class="small" onClick=${() => retry(item.key)}><${Icon} name="retry" />${t("try_again")}</button>
        ${text && item.text !== undefined && html`<button type="button" class="small plain-small" onClick=${() => editAgain(item)}><${Icon} name="edit" />${t("edit_again")}</button>`}
        <button type="button" class="small plain-small" onClick=${() => discard(item.key)}><${Icon} name="bin" />${t("discard")}</button>
      </p>
    </div>`}
  </article>`;
}

function cause({ status, code, message } = {}) {
  if (status === 0) return t("refused_offline");
  if (has(`refused_${code}`)) return t(`refused_${code}`);
  return message || t("refused_other", { status: status ?? "?" });
}

function editAgain(item) {
  keepDraft(item.conversation, "reply", discard(item.key));
  if (item.buttons) keepTitles(item.conversation, item.buttons);
  draftChanged(item.conversation);
  focusWriting();
}
