// Requests to the server, and what its refusals say.

import { signal } from "../frame/html.js";
import { has, language, t } from "../frame/language.js";

const ROOT = "/console/api";
// Set where the server no longer knows the session; the page then asks to log in and keeps all that was typed.
export const sessionEnded = signal(false);

/** A refused request; `status` is 0 where no answer came, `code` is the server's. */
export class Refused extends Error {
  constructor(status, code, message, field) {
    super(message);
    Object.assign(this, { status, code, field });
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** A sentence for the person. */
  get words() {
    if (this.status === 0) return t("refused_offline");
    if (has(`refused_${this.code}`)) return t(`refused_${this.code}`);
    return this.message || t("refused_other", { status: this.status });
  }
}

const headers = (more) => ({ "X-Requested-With": "recado", "Accept-Language": language.value, ...more });

export function path(route, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(given).toString();
  return `${ROOT}${route}${query ? `?${query}` : ""}`;
}

export async function request(method, route, { body, more, signal: ended } = {}) {
  const json = body !== undefined && !(body instanceof FormData);
  const options = { method, credentials: "same-origin", signal: ended, headers: headers(json ? { "Content-Type": "application/json", ...more } : more) };
  if (body !== undefined) options.body = json ? JSON.stringify(body) : body;
  const response = await fetch(route.startsWith("/console/") ? route : ROOT + route, options).catch((error) => {
    throw error.name === "AbortError" ? error : new Refused(0, "offline", "");
  });
  return answer(response.status, await response.text(), route);
}

export const get = (route, parameters, options) => request("GET", path(route, parameters), options);
export const post = (route, body = {}, more = {}) => request("POST", route, { body, more });
export const remove = (route, body) => request("DELETE", route, { body });
export const put = (route, body) => request("PUT", route, { body });

/** Post a form; `told(share)` hears how much is uploaded, and aborting `ended` ends the upload. */
export function upload(route, form, more, told, ended) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.upload.addEventListener("progress", ({ loaded, total }) => told(total ? loaded / total : 0));
    call.addEventListener("load", () => {
      try {
        resolve(answer(call.status, call.responseText, route));
      } catch (error) {
        reject(error);
      }
    });
    call.addEventListener("error", () => reject(new Refused(0, "offline", "")));
    call.addEventListener("abort", () => reject(new Refused(0, "cancelled", "")));
    ended?.addEventListener("abort", () => call.abort());
    call.open("POST", ROOT + route);
    for (const [name, value] of Object.entries(headers(more))) call.setRequestHeader(name, value);
    call.send(form);
  });
}

function answer(status, text, route) {
  const data = parsed(text);
  if (status >= 200 && status < 300) return data ?? {};
  const { code = "", message = "", field } = data?.error ?? {};
  if (status === 401 && !route.endsWith("/session")) sessionEnded.value = true;
  throw new Refused(status, code, message, field);
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
