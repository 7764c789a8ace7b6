// The page that sets a password by a link; the token leaves the address as soon as it is read.

import { submit, t, tell } from "./login_words.js";

const form = document.getElementById("form");
const token = new URLSearchParams(location.search).get("token") ?? "";
history.replaceState(null, "", location.pathname);
if (!token) tell(t("no_token"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.password.value !== form.again.value) return tell(t("differ"));
  const problem = await submit("password", { token, password: form.password.value });
  tell(problem);
  if (problem) return undefined;
  form.hidden = true;
  document.getElementById("done").hidden = false;
  document.querySelector("#done a").focus();
  return undefined;
});
