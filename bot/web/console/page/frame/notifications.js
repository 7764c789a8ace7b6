// Alarms: a sound, a notification of the desktop, and the number of unread messages in the title.

import { conversation, counts, unreadTotal } from "../inbox/conversations.js";
import { effect, signal } from "./html.js";
import { t } from "./language.js";
import { operatorName } from "../data/lists.js";
import { onEvent } from "../data/live.js";
import { go, openId } from "./route.js";
import { titleOf } from "../side/contact_names.js";
import { me } from "../data/session.js";
import { toast } from "./toasts.js";

export const sound = signal(localStorage.getItem("sound") !== "off");
export const notifications = signal("Notification" in globalThis ? Notification.permission : "unavailable");
// Conversations whose waiting was announced already.
const announced = new Set();

export function chooseSound(on) {
  localStorage.setItem("sound", on ? "on" : "off");
  sound.value = on;
  if (on) ring();
}

export async function allowNotifications() {
  notifications.value = await Notification.requestPermission();
}

export function startNotifications() {
  effect(() => {
    const count = Math.max(unreadTotal.value, counts.value.waiting ?? 0);
    document.title = count ? `(${count}) Recado` : "Recado";
  });
  onEvent((event) => setTimeout(() => consider(event), 900));
}

/** Announce somebody who waits for a person, and words in a conversation of mine that is not before my eyes. */
function consider(event) {
  if (event.type === "note" && event.mentions?.includes(me.value.email) && event.author !== me.value.email) return mention(event);
  for (const id of event.conversations ?? [event.conversation]) considerOne(id);
  return undefined;
}

function mention({ conversation: id, author }) {
  const words = t("mentioned", { who: operatorName(author), name: titleOf(conversation(id)?.contact) });
  toast(words);
  announce({ id }, words);
}

function considerOne(id) {
  const one = conversation(id);
  if (!one) return;
  if (one.state !== "waiting") announced.delete(id);
  if (one.state === "waiting" && !announced.has(id)) {
    announced.add(id);
    announce(one, t("notify_waiting", { name: titleOf(one.contact) }));
  } else if (one.assigned_to === me.value.email && one.unread && !(openId.value === id && document.hasFocus())) {
    const at = one.last_message?.at;
    if (announced.has(at)) return;
    announced.add(at);
    announce(one, titleOf(one.contact));
  }
}

function announce(one, title) {
  if (sound.value) ring();
  if (notifications.value !== "granted" || document.hasFocus()) return;
  const note = new Notification(title, { body: one.last_message?.text ?? "", tag: one.id, icon: "/console/static/icon-192.png" });
  note.addEventListener("click", () => {
    window.focus();
    go("c", one.id);
    note.close();
  });
}

let audio;

/** Two soft tones, made here, so that no file has to be loaded. */
function ring() {
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume().catch(() => {});
  [660, 880].forEach((frequency, index) => {
    const start = audio.currentTime + index * 0.14;
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.32);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.35);
  });
}
