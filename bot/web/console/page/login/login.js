// The login page: by password, or by an account of the company.

import { finishReturn, offerCompany } from "./company_login.js";
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

await finishReturn(offerCompany());
