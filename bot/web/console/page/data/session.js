// The person who is logged in, and what their role may do.

import { get, post, remove, sessionEnded } from "./api.js";
import { computed, signal } from "../frame/html.js";

export const me = signal(undefined);
const rights = computed(() => new Set(me.value?.may ?? []));

/** Whether the person's role allows an action, by the server's own name for it. */
export const may = (action) => rights.value.has(action);

export async function whoAmI() {
  me.value = await get("/session");
  sessionEnded.value = false;
}

export async function logIn(email, password) {
  await post("/session", { email, password });
  await whoAmI();
}

export async function logOut() {
  await remove("/session").catch(() => {});
  location.assign("/console/login");
}
