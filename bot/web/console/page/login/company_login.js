// The login with an account of the company: the way to its provider, and back to this page.

import { submit, t, tell } from "./login_words.js";

const button = document.getElementById("company");
const doing = document.getElementById("doing");
const PLACE = "after_login";
let name = "";

const label = () => (button.textContent = t("log_in_with", { name }));

/** Show the button where the company has such a login. */
export async function offerCompany() {
  const response = await fetch("/console/api/oidc", { credentials: "same-origin" }).catch(() => undefined);
  name = response?.ok ? (await response.json()).name : "";
  if (!name) return;
  label();
  addEventListener("languagechosen", label);
  for (const id of ["or", "company"]) document.getElementById(id).hidden = false;
}

button.addEventListener("click", async () => {
  button.disabled = true;
  tell();
  // Where somebody was in the console is found again after the provider's pages.
  sessionStorage.setItem(PLACE, location.hash);
  tell(await submit("oidc", {}, ({ url }) => location.assign(url)));
  button.disabled = false;
});

/** Finish a login where the provider has sent the browser back; its answer leaves the address first. */
export async function finishReturn(offered) {
  if (location.pathname !== "/console/oidc/callback") return;
  const answer = new URLSearchParams(location.search);
  const place = sessionStorage.getItem(PLACE) ?? "";
  history.replaceState(null, "", `/console/login${place}`);
  const sent = { state: answer.get("state") ?? "", code: answer.get("code") ?? "" };
  if (answer.has("iss")) sent.iss = answer.get("iss");
  // The provider's own words may be anybody's.
  if (!sent.code || !sent.state) {
    await offered;
    return tell(t("company_refused", { name: name || "OpenID Connect" }));
  }
  doing.textContent = t("logging_in");
  doing.hidden = false;
  const problem = await submit("oidc/session", sent, () => location.replace(`/console/${place}`));
  doing.hidden = Boolean(problem);
  return tell(problem);
}
