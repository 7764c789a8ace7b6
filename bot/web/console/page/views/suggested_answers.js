// Questions that the documents left open, with a draft of the answer: a person edits and accepts it, or rejects it.

import { get, post } from "../data/api.js";
import { Confirm } from "../frame/confirm.js";
import { SheetHead, showDialog } from "../frame/dialog.js";
import { useFetched } from "../data/fetched.js";
import { html, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { counted, moment, t, word } from "../frame/language.js";
import { operatorName } from "../data/lists.js";
import { href } from "../frame/route.js";
import { attempt, toast } from "../frame/toasts.js";

export function SuggestedAnswers() {
  const state = useFetched(() => get("/suggestions"), []);
  const found = state.data?.suggestions ?? [];
  const accepted = state.data?.accepted ?? [];
  const decide = async (id, what) => {
    if (await attempt(() => post(`/suggestions/${encodeURIComponent(id)}/${what}`))) toast(t("suggestion_rejected"));
    state.again();
  };
  const edit = async (one) => {
    if (!(await showDialog(AnswerSheet, { one }))) return;
    toast(t("suggestion_accepted"));
    state.again();
  };
  const withdraw = async (one) => {
    const sure = await showDialog(Confirm, { title: t("withdraw_question"), words: one.question, yes: t("withdraw"), danger: true });
    if (sure) await decide(one.id, "reject");
  };
  return html`<section class="card" aria-labelledby="suggested-title"><h2 id="suggested-title">${t("suggested_answers")}</h2>
      <p class="muted">${t("suggested_hint")}</p>
      ${state.loading && !state.data && html`<p class="muted" role="status">${t("suggested_loading")}</p>`}
      ${state.problem && html`<p class="problem" role="alert">${state.problem.words} <button type="button" class="link" onClick=${state.again}>${t("try_again")}</button></p>`}
      ${state.data && !found.length && html`<p class="all-well"><${Icon} name="check" />${t("no_suggestions")}</p>`}
      <ul class="letters suggested">${found.map((one) => html`<${Suggested} key=${one.id} one=${one} edit=${edit} reject=${() => decide(one.id, "reject")} />`)}</ul>
    </section>
    ${accepted.length > 0 && html`<section class="card" aria-labelledby="accepted-title"><h2 id="accepted-title">${t("accepted_answers")}</h2>
      <p class="muted">${t("accepted_hint")}</p>
      <ul class="letters">${accepted.map(
        (one) => html`<li key=${one.id}><p class="item-head"><b dir="auto">${one.question}</b><span class="tag">${t(one.released ? "answer_released" : "answer_waits")}</span><span class="figures">${operatorName(one.by)} · ${moment(one.at)}</span></p><p class="seen" dir="auto">${one.answer}</p>
          <p class="muted">${t("answer_case", { name: one.case })}</p>
          <p class="failure-actions"><button type="button" class="small plain-small" aria-label=${t("edit_of", { question: one.question })} onClick=${() => edit(one)}><${Icon} name="edit" />${t("change")}</button>
          <button type="button" class="small plain-small" aria-label=${t("withdraw_of", { question: one.question })} onClick=${() => withdraw(one)}><${Icon} name="bin" />${t("withdraw")}</button></p></li>`,
      )}</ul></section>`}`;
}

function Suggested({ one, edit, reject }) {
  return html`<li>
    <p class="item-head"><b dir="auto">${one.question}</b><span class="tag">${counted("times_asked", one.times)}</span>${Object.keys(one.origins).map((origin) => html`<span key=${origin} class="tag">${word("origin", origin.replace(/[ -]/g, "_"))}</span>`)}</p>
    ${one.answer ? html`<p class="muted">${t("draft_of_colleague")}</p><p class="seen" dir="auto">${one.answer}</p>` : html`<p class="muted">${t("no_draft_answer")}</p>`}
    <details><summary>${t("how_asked")}</summary><ul class="asked-list">${one.asked.map(
      (asked, at) => html`<li key=${at}><span dir="auto">${asked.question}</span> <a href=${href("c", asked.conversation)}>${t("see_conversation")}</a> <time class="muted" datetime=${asked.at}>${moment(asked.at)}</time></li>`,
    )}</ul></details>
    <p class="failure-actions">
      <button type="button" class="small" aria-label=${t("accept_of", { question: one.question })} onClick=${() => edit(one)}><${Icon} name="edit" />${t("edit_and_accept")}</button>
      <button type="button" class="small plain-small" aria-label=${t("reject_of", { question: one.question })} onClick=${reject}><${Icon} name="bin" />${t("reject")}</button>
    </p>
  </li>`;
}

function AnswerSheet({ one, close }) {
  const [problem, tell] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    try {
      await post(`/suggestions/${encodeURIComponent(one.id)}/accept`, { question: form.get("question").trim(), answer: form.get("answer").trim() });
      close(true);
    } catch (error) {
      tell(error.words ?? String(error));
    }
  };
  return html`<${SheetHead} title=${t("edit_and_accept")} close=${close} />
    <form onSubmit=${submit}>
      <label>${t("the_question")}<textarea name="question" rows="2" required maxlength="500">${one.question}</textarea></label>
      <label>${t("the_answer")}<textarea name="answer" rows="6" required maxlength="2000" autofocus>${one.answer}</textarea></label>
      <p class="muted">${t("accept_hint")}</p>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <button class="wide-button"><${Icon} name="check" /> ${t("accept")}</button>
    </form>`;
}
