// The login page.

import { submit, tell } from "./login_words.js";

const form = document.getElementById("form");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  tell();
  const problem = await submit("session", { email: form.email.value, password: form.password.value });
  if (!problem) return location.replace(`/console/${location.hash}`);
  button.disabled = false;
  tell(problem);
  form.password.select();
  return undefined;
});
