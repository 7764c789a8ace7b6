// Lines between the bubbles: private notes, and what happened to the conversation.

import { linked } from "./formatting.js";
import { html } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { clock, fullTime, has, t, word } from "../frame/language.js";
import { lists, operatorName } from "../data/lists.js";
import { reasonOf } from "../side/reasons.js";
import { me } from "../data/session.js";

export const NoteCard = ({ message }) => html`<article class="note-card" data-message=${message.id} tabindex="-1" aria-label=${`${t("note")}: ${message.text.slice(0, 120)}`}>
  <p class="who"><${Icon} name="note" />${t("note_by", { name: message.author?.name ?? operatorName(message.author?.email) })}</p>
  <p class="words" dir="auto">${withMentions(message.text)}</p>
  <footer><time datetime=${message.at} title=${fullTime(message.at)}>${clock(message.at)}</time></footer>
</article>`;

/** The text with the colleagues that it names marked. */
function withMentions(text) {
  return text.split(/(@[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/).flatMap((part, at) => {
    const person = at % 2 ? lists.value.operators.find(({ email }) => email === part.slice(1)) : undefined;
    if (person) return html`<mark class=${person.email === me.value.email ? "mention me" : "mention"}>@${person.name}</mark>`;
    return linked(part);
  });
}

export function EventLine({ message }) {
  const name = message.author?.name ?? operatorName(message.author?.email);
  const who = message.author?.kind === "operator" ? name : t("author_bot");
  const words = has(`happened_${message.kind}`) ? t(`happened_${message.kind}`, { who, to: operatorName(message.to) }) : `${who}: ${word("what", message.kind)}`;
  return html`<p class="happened" data-message=${message.id} tabindex="-1"><span>${words}${message.text ? html`: <q dir="auto">${reasonOf(message.text)}</q>` : ""} <time datetime=${message.at} title=${fullTime(message.at)}>${clock(message.at)}</time></span></p>`;
}
