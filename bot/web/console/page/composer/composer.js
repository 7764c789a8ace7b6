// The box to write in: an answer to the contact, or a private note to colleagues.

import { take } from "../conversation/actions.js";
import { ButtonTitles, useTitles } from "./button_titles.js";
import { conversation, isMine } from "../inbox/conversations.js";
import { draft, keepDraft } from "./drafts.js";
import { Attach, chooseFiles } from "./files.js";
import { html, names, signal, useEffect, useLayoutEffect, useRef, useState } from "../frame/html.js";
import { Icon, IconButton } from "../frame/icon.js";
import { counted, number, t } from "../frame/language.js";
import { lists, operatorName } from "../data/lists.js";
import { send } from "./outgoing.js";
import { quote, quoteOf, Quoting } from "./quoting.js";
import { Suggestions, useSuggestions } from "./suggestions.js";
import { openTemplates } from "./template_picker.js";
import { VoiceRecorder } from "./voice_recorder.js";
import { tellTyping } from "./typing.js";
import { windowLeft } from "../conversation/window_clock.js";
import { focusWriting, takeFocus } from "./writing_focus.js";

// WhatsApp's limit of a text; a longer one leaves as several messages.
const TEXT_LIMIT = 4096;
export const mode = signal("reply");
const changed = signal({ conversation: "", count: 0 });

/** Show a draft that another part of the page changed. */
export const draftChanged = (id) => (changed.value = { conversation: id, count: changed.value.count + 1 });

export function Composer({ one }) {
  const locked = windowLeft(one) <= 0;
  const mine = isMine(one);
  const writing = mode.value === "note" || (mine && !locked);
  return html`<div class=${names("composer", { note: mode.value === "note" })} onDragOver=${(event) => mine && event.preventDefault()} onDrop=${(event) => dropped(event, one, mine && !locked)}>
    <div class="modes" role="group" aria-label=${t("writing_mode")}>
      ${["reply", "note"].map((name) => html`<button key=${name} type="button" aria-pressed=${mode.value === name} onClick=${() => switchMode(name)} title=${name === "reply" ? "r" : "n"}>${t(`mode_${name}`)}</button>`)}
    </div>
    ${writing ? html`<${Box} key=${mode.value} one=${one} mode=${mode.value} />` : mine ? html`<${Shut} one=${one} />` : html`<${NotMine} one=${one} />`}
  </div>`;
}

export function switchMode(name) {
  mode.value = name;
  focusWriting();
}

function NotMine({ one }) {
  const key = { waiting: "lock_waiting", bot: "lock_bot", closed: "lock_closed" }[one.state] ?? (one.assigned_to ? "lock_other" : "lock_unassigned");
  return html`<div class="lock"><p>${t(key, { name: operatorName(one.assigned_to) })}</p><button type="button" class="small" onClick=${() => take(one.id)}><${Icon} name="take" />${t("take")}</button></div>`;
}

function Shut({ one }) {
  const kept = draft(one.id, "reply");
  return html`<div class="lock shut"><p><${Icon} name="lock" /> ${t("lock_window")}${kept && html` <span class="muted">${t("draft_kept")}</span>`}</p><button type="button" class="small" id="open-templates" onClick=${() => openTemplates(one)}><${Icon} name="template" />${t("choose_template")}</button></div>`;
}

function dropped(event, one, able) {
  event.preventDefault();
  if (able) chooseFiles(one.id, [...event.dataTransfer.files]);
}

/** The words to send; a slash alone only asks for the canned replies. */
const sendable = (text) => (text.trim() === "/" ? "" : text.trim());

function Box({ one, mode: kind }) {
  const [text, type] = useState(draft(one.id, kind));
  const box = useRef();
  const below = useTitles(one.id);
  const write = (words) => {
    type(words);
    keepDraft(one.id, kind, words);
    if (kind === "reply" && sendable(words)) tellTyping(one.id);
  };
  useLayoutEffect(() => takeFocus(box.current), []);
  useEffect(() => {
    if (changed.value.conversation !== one.id) return;
    type(draft(one.id, kind));
    below.again();
  }, [changed.value.count]);
  useLayoutEffect(() => {
    box.current.style.height = "auto";
    box.current.style.height = `${Math.min(box.current.scrollHeight + 2, innerHeight * 0.4)}px`;
  }, [text]);
  const suggestions = useSuggestions({ box, text, write, kind, one });
  const submit = () => {
    const words = sendable(text);
    if (!words) return;
    write("");
    const cited = kind === "reply" ? quoteOf(one.id) : undefined;
    const buttons = kind === "reply" && !cited && below.titles.length ? below.titles : undefined;
    send(one.id, kind === "note" ? { note: words } : { text: words, ...(cited && { reply_to: cited.id }), ...(buttons && { buttons }) });
    if (cited) quote(one.id);
    if (buttons) below.write(undefined);
    box.current.focus();
  };
  const keys = (event) => {
    if (suggestions.onKeyDown(event) || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      submit();
    }
    if (event.key === "Escape") {
      event.stopPropagation();
      document.querySelector(".log")?.focus();
    }
  };
  const pasted = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || kind === "note") return;
    event.preventDefault();
    chooseFiles(one.id, files);
  };
  const parts = Math.ceil([...text].length / TEXT_LIMIT);
  return html`<div class="writing">
    <${Suggestions} of=${suggestions} />
    ${kind === "reply" && html`<${Quoting} conversation=${one.id} />`}
    <textarea id="words" ref=${box} rows="1" value=${text} placeholder=${t(kind === "reply" && !lists.value.replies.length ? "placeholder_plain" : `placeholder_${kind}`)} aria-label=${t(`mode_${kind}`)} onInput=${({ target }) => write(target.value)} onKeyDown=${keys} onPaste=${pasted} ...${suggestions.attributes}></textarea>
    ${kind === "reply" && !quoteOf(one.id) && html`<${ButtonTitles} of=${below} />`}
    <div class="tools">
      ${kind === "reply" && html`
        <${Attach} conversation=${one.id} />
        <${VoiceRecorder} conversation=${one.id} />
        ${lists.value.replies.length > 0 && html`<${IconButton} icon="slash" label=${t("canned")} keys="/" onClick=${() => suggestions.begin("/")} />`}
        ${!quoteOf(one.id) && html`<${IconButton} icon="buttons" label=${t("add_buttons")} aria-expanded=${Boolean(below.fields)} onClick=${below.toggle} />`}
        <${IconButton} icon="template" label=${t("choose_template")} onClick=${() => openTemplates(one)} />`}
      <span class="hint" aria-live="polite">${parts > 1 && kind === "reply" ? counted("parts", parts, { letters: number([...text].length) }) : ""}</span>
      <button type="button" class="round" id="send" aria-label=${t(kind === "note" ? "save_note" : "send")} title="Enter" disabled=${!sendable(text)} onClick=${submit}><${Icon} name=${kind === "note" ? "note" : "send"} /></button>
    </div>
  </div>`;
}

/** Write an answer: in the box where it is open, else say how to open it. */
export function beginReply(id) {
  const one = conversation(id);
  if (!one) return;
  switchMode("reply");
  setTimeout(() => !document.getElementById("words") && document.querySelector(".lock button")?.focus(), 60);
}
