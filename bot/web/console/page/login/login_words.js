// Texts of the two pages before the login, which load nothing else.

const WORDS = {
  es: {
    log_in_to: "Entra a Recado", email: "Correo", password: "Contraseña", log_in: "Entrar", or: "o", log_in_with: "Entrar con {name}", logging_in: "Entrando…", company_refused: "No se inició sesión con {name}.", login_hint: "¿Sin cuenta o sin contraseña? Pide un enlace a quien administra la consola.",
    set_password: "Elige tu contraseña", new_password: "Contraseña nueva", password_again: "Otra vez, para estar seguros", password_rule: "Al menos 10 signos. Una frase larga es mejor que signos raros.", save_password: "Guardar la contraseña",
    password_set: "Listo: tu contraseña quedó guardada.", differ: "Las dos contraseñas no son iguales.", no_token: "A este enlace le falta una parte; ábrelo entero, como te llegó.", offline: "No hay conexión con el servidor; inténtalo de nuevo.", failed: "El servidor no pudo hacerlo ({status}).",
  },
  en: {
    log_in_to: "Log in to Recado", email: "E-mail", password: "Password", log_in: "Log in", or: "or", log_in_with: "Log in with {name}", logging_in: "Logging in…", company_refused: "No login with {name}.", login_hint: "No account or password? Ask the console's administrator for a link.",
    set_password: "Choose your password", new_password: "New password", password_again: "Again, to be sure", password_rule: "At least 10 signs. A long phrase is better than odd signs.", save_password: "Save the password",
    password_set: "Done: your password is saved.", differ: "The two passwords differ.", no_token: "A part of this link is missing; open it whole, as it came.", offline: "No connection to the server; try again.", failed: "The server could not do it ({status}).",
  },
};

const stored = localStorage.getItem("language");
let language = stored in WORDS ? stored : navigator.language.startsWith("es") ? "es" : "en";
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "system";

export const t = (key, values = {}) => (WORDS[language][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

export function translate() {
  document.documentElement.lang = language;
  document.title = `${t(document.getElementById("done") ? "set_password" : "log_in")} · Recado`;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
}

for (const button of document.querySelectorAll("[data-language]"))
  button.addEventListener("click", () => {
    language = button.dataset.language;
    localStorage.setItem("language", language);
    translate();
    dispatchEvent(new Event("languagechosen"));
  });

/** Post to the API; gives the words of the refusal, or else hands the answer to `use`. */
export async function submit(route, body, use = () => {}) {
  const headers = { "Content-Type": "application/json", "X-Requested-With": "recado", "Accept-Language": language };
  const response = await fetch(`/console/api/${route}`, { method: "POST", credentials: "same-origin", headers, body: JSON.stringify(body) }).catch(() => undefined);
  if (!response) return t("offline");
  const data = await response.json().catch(() => ({}));
  if (response.ok) return use(data);
  return data.error?.message || t("failed", { status: response.status });
}

export function tell(words) {
  const problem = document.getElementById("problem");
  problem.hidden = !words;
  problem.textContent = words ?? "";
}

translate();
