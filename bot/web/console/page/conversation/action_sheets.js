// The questions before an action: the note of a give-back, the colleague of an assignment, the labels.

import { changeLabels } from "./actions.js";
import { Avatar } from "../frame/avatar.js";
import { conversation } from "../inbox/conversations.js";
import { SheetHead } from "../frame/dialog.js";
import { html, useState } from "../frame/html.js";
import { IconButton } from "../frame/icon.js";
import { t, word } from "../frame/language.js";
import { addLabel, lists } from "../data/lists.js";
import { me } from "../data/session.js";

export function GiveBackSheet({ close }) {
  const submit = (event) => {
    event.preventDefault();
    close(new FormData(event.target).get("note").trim());
  };
  const keys = (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form.requestSubmit();
  return html`<${SheetHead} title=${t("give_back")} close=${close} />
    <form onSubmit=${submit}>
      <label>${t("give_back_note")}<textarea name="note" rows="4" maxlength="2000" autofocus onKeyDown=${keys}></textarea></label>
      <p class="muted">${t("give_back_hint")}</p>
      <button class="wide-button">${t("give_back")}</button>
    </form>`;
}

export function AssignSheet({ one, close }) {
  const able = lists.value.operators.filter(({ disabled }) => !disabled);
  const people = [...able.filter(({ email }) => email === me.value.email), ...able.filter(({ email }) => email !== me.value.email)];
  return html`<${SheetHead} title=${t("assign")} close=${close} />
    ${people.map(
      (person) => html`<button key=${person.email} type="button" class="row" aria-pressed=${one.assigned_to === person.email} onClick=${() => close(person.email)}>
        <${Avatar} name=${person.name} small /><span>${person.name}${person.email === me.value.email ? ` (${t("you")})` : ""}<small>${[word("role", person.role), person.online ? t("online_now") : ""].filter(Boolean).join(" · ")}</small></span>
      </button>`,
    )}`;
}

export function LabelsSheet({ id, close }) {
  const [words, type] = useState("");
  const chosen = conversation(id)?.labels ?? [];
  const all = [...new Set([...lists.value.labels, ...chosen])];
  const add = (event) => {
    event.preventDefault();
    const name = words.trim();
    if (!name) return;
    addLabel(name);
    changeLabels(id, { add: [name] });
    type("");
  };
  return html`<${SheetHead} title=${t("labels")} close=${close} />
    <form class="inline-form" onSubmit=${add}>
      <input aria-label=${t("new_label")} placeholder=${t("new_label")} value=${words} maxlength="40" onInput=${({ target }) => type(target.value)} autofocus />
      <${IconButton} icon="check" label=${t("add_label")} onClick=${add} />
    </form>
    ${all.map((name) => {
      const on = chosen.includes(name);
      return html`<label key=${name} class="switch"><input type="checkbox" checked=${on} onChange=${() => changeLabels(id, on ? { remove: [name] } : { add: [name] })} /><span>${name}</span></label>`;
    })}
    ${all.length === 0 && html`<p class="muted">${t("no_labels")}</p>`}`;
}
