// The keys of the page. A single letter works wherever nothing is being written.

import { assign, close, giveBack, label, mayClose, mayGiveBack, mayTake, take } from "../conversation/actions.js";
import { beginReply, switchMode } from "../composer/composer.js";
import { beside, chooseTab, conversation, TABS } from "../inbox/conversations.js";
import { showDialog } from "./dialog.js";
import { HelpSheet } from "./help.js";
import { openPalette } from "./palette.js";
import { go, openId, view } from "./route.js";
import { focusedRow, rowToFocus } from "../inbox/row_focus.js";
import { enterOrShutSide } from "../side/side.js";

export const KEYS = [
  { keys: ["j"], name: "next" },
  { keys: ["k"], name: "previous" },
  { keys: ["1", "…", "5"], name: "tab" },
  { keys: ["/"], name: "search" },
  { keys: ["t"], name: "take" },
  { keys: ["r"], name: "reply" },
  { keys: ["n"], name: "note" },
  { keys: ["g"], name: "give_back" },
  { keys: ["e"], name: "close" },
  { keys: ["a"], name: "assign" },
  { keys: ["l"], name: "labels" },
  { keys: ["i"], name: "side" },
  { keys: ["Esc"], name: "escape" },
  { keys: ["Ctrl", "K"], name: "palette" },
  { keys: ["?"], name: "help" },
];

const withOpen = (able, action) => () => {
  const one = conversation(openId.value);
  if (one && able(one)) action(one.id);
};
const always = () => true;

const ACTIONS = {
  j: () => walk(1),
  k: () => walk(-1),
  "/": () => toInbox(() => document.getElementById("search")?.focus()),
  "?": () => showDialog(HelpSheet),
  r: withOpen(always, beginReply),
  n: withOpen(always, () => switchMode("note")),
  t: withOpen(mayTake, take),
  g: withOpen(mayGiveBack, giveBack),
  e: withOpen(mayClose, close),
  a: withOpen(always, assign),
  l: withOpen(always, label),
  i: withOpen(always, enterOrShutSide),
  Escape: () => openId.value && go("inbox"),
};

const typing = (target) => target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

export function startShortcuts() {
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const action = /^[1-5]$/.test(event.key) ? () => toInbox(() => chooseTab(TABS[event.key - 1])) : ACTIONS[event.key];
    if (!action || (event.repeat && !"jk".includes(event.key))) return;
    event.preventDefault();
    action();
  });
}

function toInbox(then) {
  if (view.value !== "inbox") go("inbox");
  setTimeout(then);
}

/** Open the next conversation, counted from the row that has the focus, and let the focus go with it. */
function walk(step) {
  const id = beside(focusedRow() ?? openId.value, step);
  if (!id) return;
  rowToFocus.value = id;
  if (id !== openId.value) go("c", id, { replace: Boolean(openId.value) });
}
