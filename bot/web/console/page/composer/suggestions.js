// The list over the box: canned replies after `/`, colleagues after `@` in a note.

import { filled } from "./canned.js";
import { html, useState } from "../frame/html.js";
import { t } from "../frame/language.js";
import { lists } from "../data/lists.js";

const MOST = 8;
// The word that is being written: `/` begins the text, `@` any word.
const REPLY = /^\/([^\s/]*)$/u;
const MENTION = /(?:^|\s)@([^\s@]*)$/u;

const like = (text, words) => text.toLocaleLowerCase().normalize("NFD").replace(/\p{M}/gu, "").includes(words.toLocaleLowerCase().normalize("NFD").replace(/\p{M}/gu, ""));

function matches(text, kind, one) {
  const [, reply] = (kind === "reply" && REPLY.exec(text)) || [];
  if (reply !== undefined)
    return lists.value.replies
      .filter(({ name, text: words }) => like(name, reply) || like(words, reply))
      .slice(0, MOST)
      .map(({ name, text: words }) => ({ key: name, title: `/${name}`, detail: filled(words, one), becomes: filled(words, one) }));
  const [whole, mention] = (kind === "note" && MENTION.exec(text)) || [];
  if (whole !== undefined)
    return lists.value.operators
      .filter(({ name, email, disabled }) => !disabled && (like(name, mention) || like(email, mention)))
      .slice(0, MOST)
      .map(({ name, email }) => ({ key: email, title: name, detail: email, becomes: `${text.slice(0, text.length - mention.length)}${email} ` }));
  return [];
}

/** The suggestions for a text, and the keys that walk through them. */
export function useSuggestions({ box, text, write, kind, one }) {
  const [at, move] = useState(0);
  const [dismissed, dismiss] = useState("");
  const items = dismissed === text ? [] : matches(text, kind, one);
  const active = Math.min(at, items.length - 1);
  const choose = (item) => {
    write(item.becomes);
    move(0);
    box.current.focus();
  };
  const onKeyDown = (event) => {
    if (!items.length) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) move((active + step + items.length) % items.length);
    else if (event.key === "Enter" || event.key === "Tab") choose(items[active]);
    else if (event.key === "Escape") dismiss(text);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const begin = (mark) => {
    if (!text) write(mark);
    box.current.focus();
  };
  const open = items.length > 0;
  const attributes = { "aria-autocomplete": "list", "aria-controls": open ? "suggestions" : undefined, "aria-activedescendant": open ? `suggestion-${active}` : undefined };
  return { items, active, choose, onKeyDown, begin, attributes };
}

export function Suggestions({ of: { items, active, choose } }) {
  if (!items.length) return null;
  return html`<ul id="suggestions" class="suggestions" role="listbox" aria-label=${t("suggestions")}>
    ${items.map(
      (item, at) => html`<li key=${item.key} id=${`suggestion-${at}`} role="option" aria-selected=${at === active} onMouseDown=${(event) => event.preventDefault()} onClick=${() => choose(item)}>
        <strong>${item.title}</strong><span>${item.detail}</span>
      </li>`,
    )}
  </ul>`;
}
