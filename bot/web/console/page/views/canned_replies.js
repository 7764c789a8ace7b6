// The canned replies: read by everybody, changed by those whose role allows it.

import { get, post, put, remove } from "../data/api.js";
import { Confirm } from "../frame/confirm.js";
import { SheetHead, showDialog } from "../frame/dialog.js";
import { useFetched } from "../data/fetched.js";
import { html, useState } from "../frame/html.js";
import { Icon, IconButton } from "../frame/icon.js";
import { t } from "../frame/language.js";
import { readLists, replyOf } from "../data/lists.js";
import { may } from "../data/session.js";
import { attempt } from "../frame/toasts.js";

export function CannedReplies() {
  const state = useFetched(() => get("/canned-replies"), []);
  if (!state.data) return null;
  const able = may("edit_canned_replies");
  const replies = (state.data.replies ?? state.data.canned_replies ?? []).map(replyOf);
  const again = () => {
    state.again();
    readLists();
  };
  const edit = async (reply) => (await showDialog(ReplySheet, { reply })) && again();
  const drop = async (reply) => {
    if (!(await showDialog(Confirm, { title: t("delete_reply"), words: `/${reply.name}: ${reply.text}`, yes: t("delete"), danger: true }))) return;
    if (await attempt(() => remove(`/canned-replies/${encodeURIComponent(reply.id)}`))) again();
  };
  return html`<section class="card" aria-labelledby="replies-title"><h2 id="replies-title">${t("canned")}</h2>
    <p class="muted">${t("canned_hint")} <code>${"{{contact.first_name}}"}</code> <code>${"{{operator.name}}"}</code></p>
    ${able && html`<p class="card-action"><button type="button" class="small" onClick=${() => edit({ name: "", text: "" })}>${t("add_reply")}</button></p>`}
    <ul class="letters">${replies.map(
      (reply) => html`<li key=${reply.id ?? reply.name} class="reply-row"><span><code>/${reply.name}</code><span class="seen" dir="auto">${reply.text}</span></span>
        ${able && html`<span><${IconButton} icon="edit" label=${t("edit_reply", { name: reply.name })} onClick=${() => edit(reply)} /><${IconButton} icon="bin" label=${t("delete_reply_of", { name: reply.name })} onClick=${() => drop(reply)} /></span>`}</li>`,
    )}</ul>
    ${replies.length === 0 && html`<p class="muted">${t("no_replies")}</p>`}
  </section>`;
}

function ReplySheet({ reply, close }) {
  const [problem, tell] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const body = { shortcut: form.get("shortcut").trim(), text: form.get("text").trim() };
    try {
      await (reply.id ? put(`/canned-replies/${encodeURIComponent(reply.id)}`, body) : post("/canned-replies", body));
      close(true);
    } catch (error) {
      tell(error.words ?? String(error));
    }
  };
  return html`<${SheetHead} title=${t(reply.id ? "edit_one_reply" : "add_reply")} close=${close} />
    <form onSubmit=${submit}>
      <label>${t("shortcut")}<input name="shortcut" required maxlength="40" pattern="[\\p{L}\\p{N}_\\-]+" title=${t("shortcut_rule")} value=${reply.name} autofocus autocomplete="off" /></label>
      <label>${t("reply_text")}<textarea name="text" rows="6" required maxlength="4096">${reply.text}</textarea></label>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <button class="wide-button"><${Icon} name="check" /> ${t("save")}</button>
    </form>`;
}
