// The command palette: every action and view by its name, and conversations by who is in them.

import { assign, close, giveBack, label, mayClose, mayGiveBack, mayTake, take } from "../conversation/actions.js";
import { get, Refused } from "../data/api.js";
import { beginReply, switchMode } from "../composer/composer.js";
import { phoneOf, titleOf } from "../side/contact_names.js";
import { chooseTab, conversation, TABS } from "../inbox/conversations.js";
import { Modal, showDialog } from "./dialog.js";
import { views } from "./frame.js";
import { HelpSheet } from "./help.js";
import { html, signal, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./language.js";
import { go, openId } from "./route.js";
import { SettingsSheet } from "./settings_sheet.js";

const SEARCH_AFTER_MS = 180;
const open = signal(false);
let back;

export function openPalette() {
  back = document.activeElement;
  open.value = true;
}

function shut() {
  open.value = false;
  if (back?.isConnected) back.focus();
}

export const Palette = () => (open.value ? html`<${Box} />` : null);

function commands() {
  const one = conversation(openId.value);
  const here = one
    ? [
        mayTake(one) && { name: t("take"), icon: "take", keys: "t", act: () => take(one.id) },
        { name: t("mode_reply"), icon: "reply", keys: "r", act: () => beginReply(one.id) },
        { name: t("mode_note"), icon: "note", keys: "n", act: () => switchMode("note") },
        mayGiveBack(one) && { name: t("give_back"), icon: "bot", keys: "g", act: () => giveBack(one.id) },
        mayClose(one) && { name: t("close"), icon: "check", keys: "e", act: () => close(one.id) },
        { name: t("assign"), icon: "people", keys: "a", act: () => assign(one.id) },
        { name: t("labels"), icon: "label", keys: "l", act: () => label(one.id) },
      ]
    : [];
  const tabs = TABS.map((name, at) => ({ name: `${t("view_inbox")}: ${t(`tab_${name}`)}`, icon: "inbox", keys: String(at + 1), act: () => (go("inbox"), chooseTab(name)) }));
  const places = views().map((name) => ({ name: t(`view_${name}`), icon: name, act: () => go(name) }));
  const rest = [
    { name: t("settings"), icon: "sun", act: () => showDialog(SettingsSheet) },
    { name: t("help"), icon: "keyboard", keys: "?", act: () => showDialog(HelpSheet) },
  ];
  return [...here, ...tabs, ...places.slice(1), ...rest].filter(Boolean);
}

const plain = (text) => text.toLocaleLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

function useContacts(words) {
  const [found, put] = useState([]);
  useEffect(() => {
    if (words.trim().length < 2) return put([]);
    const ending = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const page = await get("/conversations", { q: words.trim(), limit: 6 }, { signal: ending.signal });
        put(page.conversations);
      } catch (error) {
        // The commands are of use without the search.
        if (!(error instanceof Refused) && error.name !== "AbortError") throw error;
      }
    }, SEARCH_AFTER_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [words]);
  return found.map((one) => ({ name: titleOf(one.contact), detail: [phoneOf(one.contact), one.last_message?.text].filter(Boolean).join(" · "), icon: "person", act: () => go("c", one.id) }));
}

function Box() {
  const [words, type] = useState("");
  const [at, move] = useState(0);
  const list = useRef();
  const items = [...commands().filter(({ name }) => plain(name).includes(plain(words.trim()))), ...useContacts(words)];
  const active = Math.max(0, Math.min(at, items.length - 1));
  useEffect(() => list.current?.children[active]?.scrollIntoView({ block: "nearest" }), [active]);
  const run = (item) => {
    shut();
    item?.act();
  };
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) move((active + step + items.length) % items.length);
    else if (event.key === "Enter") run(items[active]);
    else return;
    event.preventDefault();
  };
  return html`<${Modal} onCancel=${shut} class="palette" label=${t("palette")}>
    <div class="palette-box"><${Icon} name="search" /><input role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant=${`command-${active}`} aria-label=${t("palette")} placeholder=${t("palette_hint")} value=${words} onInput=${({ target }) => (type(target.value), move(0))} onKeyDown=${keys} autofocus autocomplete="off" /></div>
    <ul id="palette-list" role="listbox" aria-label=${t("palette")} ref=${list} tabindex="0">
      ${items.map(
        (item, index) => html`<li key=${`${item.icon}/${item.name}/${item.detail ?? ""}`} id=${`command-${index}`} role="option" aria-selected=${index === active} onClick=${() => run(item)} onMouseMove=${() => index !== active && move(index)}>
          <${Icon} name=${item.icon} /><span>${item.name}${item.detail && html`<small>${item.detail}</small>`}</span>${item.keys && html`<kbd>${item.keys}</kbd>`}
        </li>`,
      )}
    </ul>
    ${items.length === 0 && html`<p class="muted palette-none">${t("nothing_found")}</p>`}
  <//>`;
}
