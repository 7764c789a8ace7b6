// The person's own choices: language, theme, sound, notifications; and the way out.

import { SheetHead } from "./dialog.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { chooseLanguage, language, t, word } from "./language.js";
import { allowNotifications, chooseSound, notifications, sound } from "./notifications.js";
import { PhoneAlerts } from "./phone_alerts.js";
import { logOut, me } from "../data/session.js";
import { chooseTheme, theme, THEMES } from "./theme.js";
import { WaitingMail } from "./waiting_mail.js";

const Choice = ({ name, legend, value, options, choose }) => html`<fieldset class="choice">
  <legend>${legend}</legend>
  ${options.map(([key, words]) => html`<label key=${key}><input type="radio" name=${name} checked=${key === value} onChange=${() => choose(key)} /><span>${words}</span></label>`)}
</fieldset>`;

export const SettingsSheet = ({ close }) => html`
  <${SheetHead} title=${me.value.name} close=${close} />
  <p class="muted">${[me.value.email, word("role", me.value.role)].filter(Boolean).join(" · ")}</p>
  <${Choice} name="language" legend=${t("language")} value=${language.value} choose=${chooseLanguage} options=${[["es", "Español"], ["en", "English"]]} />
  <${Choice} name="theme" legend=${t("theme")} value=${theme.value} choose=${chooseTheme} options=${THEMES.map((name) => [name, t(`theme_${name}`)])} />
  <label class="switch"><input type="checkbox" checked=${sound.value} onChange=${({ target }) => chooseSound(target.checked)} /><span>${t("sound")}</span></label>
  ${notifications.value === "default" && html`<button type="button" class="row" onClick=${allowNotifications}><${Icon} name="bell" /><span>${t("allow_notifications")}</span></button>`}
  ${notifications.value === "denied" && html`<p class="muted">${t("notifications_denied")}</p>`}
  ${notifications.value === "granted" && html`<p class="muted">${t("notifications_on")}</p>`}
  <${PhoneAlerts} />
  <${WaitingMail} />
  <button type="button" class="row" onClick=${logOut}><${Icon} name="exit" /><span>${t("log_out")}</span></button>
`;
