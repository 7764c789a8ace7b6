// Export and erasure of all that is kept of a contact.

import { post, Refused, request } from "../data/api.js";
import { titleOf } from "./contact_names.js";
import { closeDialog, SheetHead, showDialog } from "../frame/dialog.js";
import { html, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { t } from "../frame/language.js";
import { reload } from "../inbox/conversations.js";
import { go } from "../frame/route.js";
import { may } from "../data/session.js";
import { toast } from "../frame/toasts.js";

const route = (one, what) => `/conversations/${encodeURIComponent(one.id)}/${what}`;

export const ContactDuties = ({ one }) => html`<section class="panel-part"><h3>${t("duties")}</h3>
  ${may("export_contact") && html`<button type="button" class="row" onClick=${() => exportContact(one)}><${Icon} name="out" /><span>${t("export_contact")}</span></button>`}
  ${may("erase_contact") && html`<button type="button" class="row danger" onClick=${() => showDialog(EraseSheet, { one })}><${Icon} name="bin" /><span>${t("erase_contact")}</span></button>`}
</section>`;

async function exportContact(one) {
  try {
    const data = await request("GET", route(one, "export"));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
    link.download = `recado-${one.id}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.words, { bad: true });
  }
}

function EraseSheet({ one }) {
  const [problem, tell] = useState("");
  const name = titleOf(one.contact);
  const submit = async (event) => {
    event.preventDefault();
    try {
      await post(route(one, "erase"));
      closeDialog();
      toast(t("erased", { name }));
      go("inbox");
      reload();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(error.words);
    }
  };
  return html`<${SheetHead} title=${t("erase_contact")} close=${closeDialog} />
    <form onSubmit=${submit}>
      <p>${t("erase_question", { name })}</p>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <label class="switch"><input type="checkbox" required /><span>${t("erase_sure")}</span></label>
      <button class="wide-button danger">${t("erase_contact")}</button>
    </form>`;
}
