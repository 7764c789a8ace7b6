// What a person can do with a conversation: take, give back, close, assign, label.

import { post, Refused } from "../data/api.js";
import { conversation, isMine, place, refresh } from "../inbox/conversations.js";
import { Confirm } from "../frame/confirm.js";
import { showDialog } from "../frame/dialog.js";
import { AssignSheet, GiveBackSheet, LabelsSheet } from "./action_sheets.js";
import { t } from "../frame/language.js";
import { refreshThread } from "./thread.js";
import { may } from "../data/session.js";
import { attempt, toast } from "../frame/toasts.js";
import { focusWriting } from "../composer/writing_focus.js";

const [NEW_TRIES, NEW_WAIT_MS] = [6, 500];
const route = (id, what) => `/conversations/${encodeURIComponent(id)}/${what}`;

async function act(id, what, body) {
  const answer = await attempt(() => post(route(id, what), body));
  if (answer?.id === id) place(answer);
  await refresh(id);
  refreshThread(id);
  return answer;
}

/** A conversation of a moment ago may be in the list before it can be taken. */
async function patiently(call) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404 || tries === NEW_TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, NEW_WAIT_MS));
  }
}

export async function take(id) {
  // A live event may bring the box before the answer does.
  focusWriting();
  try {
    place(await patiently(() => post(route(id, "take"))));
    focusWriting();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code !== "taken" || !may("act_for_others")) toast(error.words, { bad: true });
    else if (await showDialog(Confirm, { title: t("take_over"), words: error.words, yes: t("take_over_yes") })) {
      if (await act(id, "take", { force: true })) focusWriting();
    }
  }
  refresh(id);
  refreshThread(id);
}

export async function giveBack(id) {
  const note = await showDialog(GiveBackSheet);
  if (note === undefined) return;
  if (await act(id, "give-back", note ? { note } : {})) toast(t("given_back"));
}

export async function close(id) {
  if (await act(id, "close")) toast(t("closed_toast"));
}

export async function assign(id) {
  const email = await showDialog(AssignSheet, { one: conversation(id) });
  if (email) await act(id, "assign", { email });
}

export const label = (id) => showDialog(LabelsSheet, { id });

export const changeLabels = (id, change) => act(id, "labels", { add: [], remove: [], ...change });

/** Say that the messages were seen; nothing depends on it. */
export async function markRead(id) {
  try {
    await post(route(id, "read"));
    const one = conversation(id);
    if (one) place({ ...one, unread: 0 });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

export const mayTake = (one) => !isMine(one);
export const mayGiveBack = (one) => one.state === "waiting" || one.state === "person";
export const mayClose = (one) => one.state !== "closed";
