// A message as a bubble: what was said, what was sent with it, and what became of it.

import { WhatsAppText } from "./formatting.js";
import { html, names } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { clock, fullTime, t, word } from "../frame/language.js";
import { operatorName } from "../data/lists.js";
import { Media } from "./media.js";
import { quote } from "../composer/quoting.js";
import { Failure, Ticks } from "./ticks.js";
import { showMessage } from "./thread.js";
import { showTurn } from "../side/side.js";

const GROUP_MS = 5 * 60 * 1000;

export function Bubble({ message, previous, name, conversation }) {
  const { direction, author = {}, at } = message;
  const ours = direction === "out";
  const grouped = previous && previous.direction === direction && sameAuthor(previous.author, author) && new Date(at) - new Date(previous.at) < GROUP_MS;
  const failed = message.status === "failed";
  return html`<article class=${names("bubble", ours ? "ours" : "theirs", author.kind, { grouped, failed, gone: message.deleted_at })} data-message=${message.id} tabindex="-1" aria-label=${heard(message, name)}>
    ${!grouped && ours && html`<p class="who">${author.kind === "operator" ? html`<${Icon} name="person" />${operatorNameOf(author)}` : html`<${Icon} name="bot" />${t(author.kind === "app" ? "author_app" : "author_bot")}`}</p>`}
    ${message.quote && html`<${Quote} quote=${message.quote} name=${name} />`}
    ${message.deleted_at ? html`<${Deleted} message=${message} />` : html`<${Content} message=${message} />`}
    <footer>
      ${message.edited_at && html`<span title=${fullTime(message.edited_at)}>${t("edited")}</span>`}
      ${ours && message.turn && html`<button type="button" class="why-link" onClick=${() => showTurn(message.turn)}>${t("why")}</button>`}
      ${conversation && !message.deleted_at && html`<button type="button" class="quote-link" aria-label=${t("quote_this")} title=${t("quote_this")} onClick=${() => quote(conversation, { id: message.id, text: message.text || message.transcript, kind: message.kind })}><${Icon} name="reply" /></button>`}
      <time datetime=${at} title=${fullTime(at)}>${clock(at)}</time>
      ${ours && html`<${Ticks} status=${message.status} />`}
    </footer>
    ${message.reactions?.length > 0 && html`<p class="reactions">${message.reactions.map((one) => html`<span title=${t(one.from === "contact" ? "reaction_theirs" : "reaction_ours")}>${one.emoji}</span>`)}</p>`}
    ${failed && html`<${Failure} error=${message.error} />`}
  </article>`;
}

const operatorNameOf = ({ name, email }) => name ?? (email ? operatorName(email) : t("author_app"));
const sameAuthor = (one = {}, other = {}) => one.kind === other.kind && one.email === other.email;

/** The message's beginning for those who hear the page. */
function heard({ direction, author = {}, kind, text }, name) {
  const who = direction === "in" ? (name ?? t("customer")) : author.kind === "operator" ? operatorNameOf(author) : t("author_bot");
  return `${who}: ${(text || word("kind", kind)).slice(0, 120)}`;
}

function Content({ message }) {
  return html`
    ${message.kind === "rating" && html`<p class="muted">${t("kind_rating")}</p>`}
    <${Media} message=${message} />
    ${message.text && html`<div class="words" dir="auto"><${WhatsAppText} text=${message.text} /></div>`}
    ${message.buttons?.length > 0 && html`<ul class="buttons" aria-label=${t("buttons")}>${message.buttons.map((one) => html`<li key=${one}>${one}</li>`)}</ul>`}
    ${!message.text && !message.media && !message.location && !message.transcript && html`<p class="muted">${word("kind", message.kind)}</p>`}
  `;
}

function Deleted({ message }) {
  return html`<p class="gone-words"><${Icon} name="bin" />${t("deleted")}</p>`;
}

function Quote({ quote, name }) {
  const who = quote.direction === "out" ? t("ours") : (name ?? t("customer"));
  return html`<button type="button" class="quote" onClick=${() => showMessage(quote.id)}><strong>${who}</strong><span dir="auto">${quote.text || word("kind", quote.kind ?? "message")}</span></button>`;
}
