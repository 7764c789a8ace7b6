// The drawer: switches for Meta's faults, and buttons for messages that the phone can't compose.

import { byId, el, post } from "./dom.js";
import { current, has, onLanguage, t } from "./language.js";

const GROUPS = [
  { name: "drawer_in", switches: [{ kind: "twice" }, { kind: "batch", stays: true }, { kind: "reverse" }, { kind: "late" }] },
  { name: "drawer_person", switches: [{ kind: "hidden", stays: true, ofPerson: true }, { kind: "closed", stays: true, ofPerson: true }] },
  {
    name: "drawer_out",
    switches: [
      ...[131047, 131056, 130429].map((code) => ({ kind: "refuse", code })),
      { kind: "refuse", code: 190, stays: true },
      { kind: "fail", code: 131026 },
      { kind: "drop" },
      { kind: "html" },
      { kind: "slow", stays: true },
    ],
  },
];
const RARE_MESSAGES = [
  ...["album", "forwarded", "forwarded_often", "referral", "product_question", "order", "share_number", "button", "flow", "call_permission"],
  ...["poll", "unknown", "broken_photo", "group", "number_change", "welcome", "echo", "marketing_stop", "marketing_resume"],
  ...["thread_taken", "thread_passed", "missed_call", "voicemail"],
];

export class Drawer {
  /** `session.person` is the sender, `attempt(work)` reports failures, `note(words)` writes into the chat. */
  constructor(session, attempt, note) {
    Object.assign(this, { session, attempt, note });
    this.armed = [];
    byId("show-drawer").addEventListener("click", () => this.show(byId("drawer").hidden));
    byId("hide-drawer").addEventListener("click", () => this.show(false));
    byId("clear-faults").addEventListener("click", () => this.setFault({ kind: "none" }));
    byId("drawer").addEventListener("keydown", (press) => press.key === "Escape" && this.show(false));
    onLanguage(() => this.draw());
  }

  show(on) {
    byId("drawer").hidden = !on;
    byId("workspace").classList.toggle("drawer-open", on);
    byId("show-drawer").setAttribute("aria-expanded", String(on));
    byId(on ? "hide-drawer" : "show-drawer").focus();
  }

  /** Show the faults that the server has armed. */
  setArmed(armed) {
    this.armed = armed;
    this.draw();
  }

  isHidden(bsuid) {
    return this.armed.some(({ kind, to }) => kind === "hidden" && to === bsuid);
  }

  draw() {
    const count = this.armed.length;
    byId("drawer-badge").textContent = count || "";
    byId("drawer-badge").hidden = !count;
    byId("show-drawer").setAttribute("aria-label", count ? t("drawer_badge", { count }) : t("drawer"));
    byId("clear-faults").hidden = !count;
    if (!this.session.person) return;
    byId("others-hint").textContent = t("others_hint", { name: this.session.person.name });
    const focused = document.activeElement?.dataset?.key;
    byId("switches").replaceChildren(...GROUPS.map((group) => this.group(group)));
    byId("rare-messages").replaceChildren(...RARE_MESSAGES.map((kind) => this.rareMessage(kind)));
    if (focused) byId("drawer").querySelector(`[data-key="${focused}"]`)?.focus();
  }

  group({ name, switches }) {
    return el("fieldset", { class: "switches" }, el("legend", {}, t(name)), switches.map((one) => this.switch(one)));
  }

  switch({ kind, code, stays, ofPerson }) {
    const person = ofPerson ? this.session.person.bsuid : undefined;
    const key = `fault_${code ?? kind}`;
    const fault = this.armed.find((each) => each.kind === kind && each.code === (code ?? 0) && (each.to ?? undefined) === person);
    const change = ({ target }) => this.setFault({ kind, on: target.checked, ...(code ? { code } : {}), ...(person ? { person } : {}) });
    const box = el("input", { type: "checkbox", role: "switch", checked: Boolean(fault), "data-key": key, "aria-describedby": `${key}-why`, onchange: change });
    const state = fault?.held ? t("held", { count: fault.held }) : t(stays ? "until_off" : "once");
    const words = el("span", { class: "switch-words" }, el("strong", {}, t(key), " ", el("span", { class: "tag" }, state)), el("small", { id: `${key}-why` }, t(`${key}_why`)));
    return el("label", { class: fault ? "switch on" : "switch" }, words, box);
  }

  rareMessage(kind) {
    const send = () =>
      this.attempt(async () => {
        await post("rarities", { person: this.session.person.bsuid, kind, language: current() });
        // Marketing preferences leave no message in the chat, so that we add a note.
        if (has(`told_${kind}`)) this.note(t(`told_${kind}`));
      });
    return el("button", { type: "button", class: "rare-message", "data-key": `rare_${kind}`, onclick: send }, t(`rare_${kind}`));
  }

  async setFault(fault) {
    await this.attempt(async () => this.setArmed((await post("trouble", fault)).armed));
    this.draw();
  }
}
