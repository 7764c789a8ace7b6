// What a view reads from the server, with its loading and its refusal.

import { Refused } from "./api.js";
import { html, useEffect, useState } from "../frame/html.js";
import { t } from "../frame/language.js";

/** `{data, problem, again}` of an asynchronous reading that begins anew when `keys` change. */
export function useFetched(read, keys) {
  const [state, put] = useState({});
  const [count, again] = useState(0);
  useEffect(() => {
    let gone = false;
    put((before) => ({ ...before, loading: true }));
    read()
      .then((data) => !gone && put({ data }))
      .catch((error) => {
        if (!(error instanceof Refused)) throw error;
        if (!gone) put({ problem: error });
      });
    return () => (gone = true);
  }, [...keys, count]);
  return { ...state, again: () => again((number) => number + 1) };
}

/** The page of a view with its title; the refusal or the loading instead of its body. */
export const Page = ({ title, tools, state, children }) => html`<div class="page">
  <header class="page-head"><h1 id="page-title">${title}</h1><div class="page-tools">${tools}</div></header>
  ${state?.problem && html`<p class="problem" role="alert">${state.problem.words} <button type="button" class="link" onClick=${state.again}>${t("try_again")}</button></p>`}
  ${state?.loading && !state.data && html`<p class="muted" role="status">${t("loading")}</p>`}
  ${children}
</div>`;
