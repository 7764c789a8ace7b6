// The people of the console, and the canned replies that they share.

import { Avatar } from "../frame/avatar.js";
import { CannedReplies } from "./canned_replies.js";
import { Page } from "../data/fetched.js";
import { html } from "../frame/html.js";
import { moment, t, word } from "../frame/language.js";
import { lists } from "../data/lists.js";

export function People() {
  return html`<${Page} title=${t("view_people")}>
    <section class="card" aria-labelledby="operators-title"><h2 id="operators-title">${t("operators")}</h2>
      <ul class="people">${lists.value.operators.map(
        (one) => html`<li key=${one.email} class=${one.disabled ? "off" : ""}><${Avatar} name=${one.name} /><span><b>${one.name}</b><small>${one.email}</small></span><span class="tag">${word("role", one.role)}</span>
          <small class="people-state">${one.disabled ? t("disabled") : one.online ? html`<span class="dot good" aria-hidden="true"></span>${t("online_now")}` : one.last_seen_at ? t("seen_at", { time: moment(one.last_seen_at) }) : ""}</small></li>`,
      )}</ul>
      <p class="muted">${t("operators_hint")} <code>recado operators add</code></p>
    </section>
    <${CannedReplies} />
  <//>`;
}
