// Notifications on this phone, also while the page is closed.

import { get, post } from "../data/api.js";
import { html, signal, useEffect } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./language.js";
import { notifications } from "./notifications.js";
import { attempt, toast } from "./toasts.js";

const able = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
const SCOPE = "/console/";
/** `unknown`, `off`, `on`, or `missing` where the server or the browser has none. */
const state = signal("unknown");
let key;

const bytes = (base64url) => Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));

async function look() {
  const found = able && (await get("/push").catch(() => undefined));
  key = found?.public_key;
  if (!key) {
    state.value = "missing";
    return;
  }
  const worker = await navigator.serviceWorker.getRegistration(SCOPE);
  state.value = Notification.permission === "granted" && (await worker?.pushManager.getSubscription()) ? "on" : "off";
}

async function subscribe() {
  notifications.value = await Notification.requestPermission();
  if (notifications.value !== "granted") return;
  await navigator.serviceWorker.register("/console/worker.js", { scope: SCOPE });
  const { pushManager } = await navigator.serviceWorker.ready;
  // One for an older key gets nothing any more.
  await (await pushManager.getSubscription())?.unsubscribe();
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  if (await attempt(() => post("/push/subscribe", { subscription: made.toJSON() }))) state.value = "on";
}

async function unsubscribe() {
  const worker = await navigator.serviceWorker.getRegistration(SCOPE);
  const made = await worker?.pushManager.getSubscription();
  if (made) {
    await attempt(() => post("/push/forget", { subscription: made.toJSON() }));
    await made.unsubscribe();
  }
  state.value = "off";
}

const guarded = (work) => () => work().catch(() => toast(t("phone_alerts_failed"), { bad: true }));

export function PhoneAlerts() {
  useEffect(() => {
    look();
  }, []);
  if (["unknown", "missing"].includes(state.value)) return null;
  const on = state.value === "on";
  return html`<button type="button" class="row" aria-pressed=${on} onClick=${guarded(on ? unsubscribe : subscribe)}><${Icon} name="bell" /><span>${t(on ? "phone_alerts_on" : "phone_alerts_off")}</span></button>`;
}
