// What has to be in order for people to trust the assistant: health, messages that failed, what waits, budget, opt-outs.

import { get, post } from "../data/api.js";
import { Budget } from "./budget.js";
import { Confirm } from "../frame/confirm.js";
import { phoneOf, titleOf } from "../side/contact_names.js";
import { showDialog } from "../frame/dialog.js";
import { Page, useFetched } from "../data/fetched.js";
import { html } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { counted, has, language, moment, money, t, word } from "../frame/language.js";
import { OptOuts } from "./opt_outs.js";
import { ProductCards } from "./product_cards.js";
import { href } from "../frame/route.js";
import { may } from "../data/session.js";
import { attempt, toast } from "../frame/toasts.js";

export function Trust() {
  const health = useFetched(() => get("/health"), [language.value]);
  return html`<${Page} title=${t("view_trust")} state=${health} tools=${html`<button type="button" class="small plain-small" onClick=${health.again}><${Icon} name="retry" />${t("check_again")}</button>`}>
    ${health.data && html`<${Health} data=${health.data} />`}
    ${may("handle_dead_letters") && html`<${DeadLetters} />`}
    <${Confirmations} />
    <${ProductCards} />
    ${may("read_reports") && html`<${Budget} /><${OptOuts} />`}
  <//>`;
}

const GOOD = ["ok", "good", "up"];

function Health({ data }) {
  const items = data.integrations ?? data.health ?? [];
  return html`<section class="card" aria-labelledby="health-title"><h2 id="health-title">${t("health")}</h2>
    <ul class="health">${items.map(({ name, state, words, message, fix }) => {
      const kind = GOOD.includes(state) ? "good" : ["off", "unset", "unknown"].includes(state) ? "off" : ["warn", "warning", "degraded"].includes(state) ? "warm" : "bad";
      return html`<li key=${name}><span class=${`dot ${kind}`} aria-hidden="true"></span><span><b>${has(`service_${name}`) ? t(`service_${name}`) : name}</b> <span class=${`health-${kind}`}>${has(`health_${state}`) ? t(`health_${state}`) : state}</span>${(words || message || fix) && html`<small>${[words ?? message, fix].filter(Boolean).join(" · ")}</small>`}</span></li>`;
    })}</ul></section>`;
}

function DeadLetters() {
  const state = useFetched(() => get("/dead-letters"), []);
  const letters = state.data?.dead_letters ?? [];
  const act = async (letter, what) => {
    if (what === "drop" && !(await showDialog(Confirm, { title: t("drop_question"), words: t("drop_hint"), yes: t("drop"), danger: true }))) return;
    if (await attempt(() => post(`/dead-letters/${encodeURIComponent(letter.id)}/${what}`))) toast(t(`${what}_done`));
    state.again();
  };
  return html`<section class="card" aria-labelledby="dead-title"><h2 id="dead-title">${t("dead_letters")}</h2>
    <p class="muted">${t("dead_letters_hint")}</p>
    ${state.problem && html`<p class="problem">${state.problem.words}</p>`}
    ${state.data && !letters.length && html`<p class="all-well"><${Icon} name="check" />${t("no_dead_letters")}</p>`}
    <ul class="letters">${letters.map(
      (letter) => html`<li key=${letter.id}>
        <p class="item-head"><a href=${href("c", letter.conversation)}>${titleOf(letter.contact) || phoneOf(letter.contact)}</a><time class="figures">${moment(letter.at)}</time></p>
        <p class="seen" dir="auto">${(letter.messages ?? []).map((one) => one.text ?? one.body ?? word("kind", one.kind)).join(" · ")}</p>
        <p class="problem">${has(`dead_${letter.code}`) ? t(`dead_${letter.code}`) : letter.reason}${has(`dead_${letter.code}`) && html` <small class="muted" lang="en">${letter.reason}</small>`}</p>
        ${letter.acted?.length > 0 && html`<p class="warm">${t("acted", { tools: letter.acted.map((name) => word("tool", name)).join(", ") })}</p>`}
        <p class="failure-actions">
          ${!letter.acted?.length && html`<button type="button" class="small" onClick=${() => act(letter, "retry")}><${Icon} name="retry" />${t("retry")}</button>`}
          <button type="button" class="small plain-small" onClick=${() => act(letter, "drop")}><${Icon} name="bin" />${t("drop")}</button>
        </p>
      </li>`,
    )}</ul></section>`;
}

function Confirmations() {
  const state = useFetched(() => get("/confirmations"), []);
  const items = state.data?.confirmations ?? [];
  if (!state.data) return null;
  return html`<section class="card" aria-labelledby="confirmations-title"><h2 id="confirmations-title">${t("confirmations")}</h2>
    <p class="muted">${items.length ? counted("confirmations_wait", items.length) : t("no_confirmations")}</p>
    <ul class="letters">${items.map(
      (one, at) => html`<li key=${at}><p class="item-head"><a href=${href("c", one.conversation)}>${titleOf(one.contact)}</a><b>${word("action", one.action ?? one.kind)}</b>${one.currency && html`<span class="amount">${money(one.amount ?? 0, one.currency)}</span>`}<time class="figures">${moment(one.asked_at ?? one.at)}</time></p></li>`,
    )}</ul></section>`;
}
