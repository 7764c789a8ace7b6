// The login over the page where a session ended, so that nothing typed below is lost.

import { get, sessionEnded } from "../data/api.js";
import { Modal } from "../frame/dialog.js";
import { html, useEffect, useState } from "../frame/html.js";
import { t } from "../frame/language.js";
import { readAll } from "../data/live.js";
import { resumeOutgoing } from "../composer/outgoing.js";
import { logIn, me, whoAmI } from "../data/session.js";

export function LoginAgain() {
  if (!sessionEnded.value) return null;
  return html`<${Form} />`;
}

function Form() {
  const [problem, tell] = useState("");
  const [email, type] = useState(me.value?.email ?? "");
  const [company, setCompany] = useState("");
  useEffect(() => {
    get("/oidc").then(({ name }) => setCompany(name ?? ""), () => {});
    // Whoever has logged in in another tab comes back to this one.
    const look = () => whoAmI().then(goOn, () => {});
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    try {
      await logIn(email, new FormData(event.target).get("password"));
      goOn();
    } catch (error) {
      tell(error.words ?? String(error));
    }
  };
  return html`<${Modal} onCancel=${() => {}}>
    <form class="login-again" onSubmit=${submit}>
      <h2 id="sheet-title">${t("session_ended")}</h2>
      <p>${t("session_ended_hint")}</p>
      <label>${t("email")}<input name="email" type="email" autocomplete="username" required value=${email} onInput=${(event) => type(event.target.value)} /></label>
      <label>${t("password")}<input name="password" type="password" autocomplete="current-password" required autofocus /></label>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <button class="wide-button">${t("log_in")}</button>
      ${company && html`<p><a class="link" href="/console/login" target="_blank" rel="noopener">${t("log_in_with_company", { name: company })}</a></p>`}
    </form>
  <//>`;
}

function goOn() {
  readAll();
  resumeOutgoing();
}
