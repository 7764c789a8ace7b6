// The composer: writing, recording and attaching.

import { byId, el, icon, placeMenu, post, walkable } from "./dom.js";
import { t } from "./language.js";
import { Recorder } from "./recorder.js";
import * as sheets from "./sheets.js";

const MOST_REMEMBERED = 20;

export class Composer {
  /** `session.send(message, quoted wamid)` and `session.upload(form)` send text and files to the server. */
  constructor(session) {
    this.session = session;
    this.words = byId("words");
    this.sentWords = [];
    this.back = 0;
    this.quoted = undefined;
    this.edited = undefined;
    this.recorder = new Recorder((blob) => this.sendFiles([new File([blob], "voice", { type: blob.type })], { voice: "true" }), (why) => this.problem(why));
    this.listen();
  }

  listen() {
    byId("composer").addEventListener("submit", (event) => (event.preventDefault(), this.submit()));
    this.words.addEventListener("input", () => this.resize());
    this.words.addEventListener("keydown", (press) => this.key(press));
    for (const [button, input] of [["attach-photo", "photo-input"], ["attach-document", "document-input"]]) {
      byId(button).addEventListener("click", () => (byId("attach-menu").hidePopover(), byId(input).click()));
      byId(input).addEventListener("change", ({ target }) => (this.preview([...target.files], button === "attach-document"), (target.value = "")));
    }
    byId("attach-place").addEventListener("click", () => (byId("attach-menu").hidePopover(), this.choosePlace(this.takeQuote())));
    byId("attach-contact").addEventListener("click", () => (byId("attach-menu").hidePopover(), this.chooseContact(this.takeQuote())));
    byId("attach-sample").addEventListener("click", () => (byId("attach-menu").hidePopover(), this.chooseSample()));
    byId("attach-menu").addEventListener("toggle", ({ newState }) => newState === "open" && placeMenu(byId("attach-menu"), byId("attach")));
    byId("attach-menu").addEventListener("toggle", ({ newState }) => newState === "open" && byId("attach-photo").focus());
    walkable(byId("attach-menu"));
    this.words.addEventListener("paste", (paste) => {
      if (!paste.clipboardData.files.length) return;
      paste.preventDefault();
      this.preview([...paste.clipboardData.files]);
    });
    this.listenToDrops();
  }

  listenToDrops() {
    const phone = document.querySelector(".phone");
    const veil = byId("drop");
    phone.addEventListener("dragover", (drag) => {
      if (!drag.dataTransfer.types.includes("Files")) return;
      drag.preventDefault();
      veil.hidden = false;
    });
    phone.addEventListener("dragleave", (drag) => (veil.hidden = !phone.contains(drag.relatedTarget) || veil.hidden));
    phone.addEventListener("drop", (drop) => {
      drop.preventDefault();
      veil.hidden = true;
      if (drop.dataTransfer.files.length) this.preview([...drop.dataTransfer.files]);
    });
  }

  key(press) {
    if (press.key === "Enter" && !press.shiftKey && !press.isComposing) {
      press.preventDefault();
      this.submit();
    } else if (press.key === "Escape") this.setQuote();
    else if (press.key === "ArrowUp" && this.walks()) this.recall(press, this.back + 1);
    else if (press.key === "ArrowDown" && this.back && this.walks()) this.recall(press, this.back - 1);
  }

  /** Tell whether an arrow key recalls earlier text instead of moving within this text. */
  walks() {
    return !this.words.value || this.words.value === this.sentWords.at(-this.back);
  }

  recall(press, back) {
    if (back > this.sentWords.length) return;
    press.preventDefault();
    this.back = back;
    this.words.value = back ? this.sentWords.at(-back) : "";
    this.resize();
  }

  resize() {
    this.words.style.height = "auto";
    this.words.style.height = `${Math.min(this.words.scrollHeight, 140)}px`;
    const empty = !this.words.value.trim();
    byId("send").hidden = empty;
    byId("record").hidden = !empty;
  }

  async submit() {
    const body = this.words.value.trim();
    if (!body) return;
    const { edited } = this;
    const quoted = this.takeQuote();
    this.sentWords = [...this.sentWords, body].slice(-MOST_REMEMBERED);
    this.back = 0;
    this.words.value = "";
    this.resize();
    const text = { type: "text", text: { body } };
    const original = edited && { original_message_id: edited, message: text };
    const sent = await this.attempt(() => this.session.send(original ? { type: "edit", edit: original } : text, quoted));
    if (!sent) this.words.value ||= body;
    this.resize();
  }

  /** Run `work` and return whether it succeeded; the reason of a failure is shown under the composer. */
  async attempt(work) {
    try {
      this.problem();
      await work();
      return true;
    } catch (error) {
      this.problem(t("not_sent", { why: error.message }));
      return false;
    }
  }

  problem(words = "") {
    byId("problem").textContent = words;
    byId("problem").hidden = !words;
  }

  /** Quote a message in the reply, or (with `edited`) replace an own message. */
  setQuote(wamid, words, edited = false) {
    this.quoted = edited ? undefined : wamid;
    this.edited = edited ? wamid : undefined;
    const box = byId("quoting");
    box.hidden = !wamid;
    box.replaceChildren();
    if (!wamid) return;
    const close = el("button", { type: "button", class: "plain", "aria-label": t("cancel"), onclick: () => this.setQuote() }, icon("close"));
    box.append(el("div", {}, el("strong", {}, t(edited ? "editing" : "replying")), el("span", {}, words)), close);
    if (edited) this.words.value = words;
    this.resize();
    this.words.focus();
  }

  takeQuote() {
    const { quoted } = this;
    this.setQuote();
    return quoted;
  }

  preview(files, asDocument = false) {
    if (files.length) sheets.files(files, (caption) => this.sendFiles(files, { caption, ...(asDocument ? { as: "document" } : {}) }));
  }

  async sendFiles(files, fields) {
    let context = this.takeQuote();
    let { caption } = fields;
    for (const file of files) {
      const form = new FormData();
      for (const [name, value] of Object.entries({ ...fields, caption, context })) if (value) form.append(name, value);
      if (!(await this.attempt(() => this.session.upload(form, file)))) return;
      [caption, context] = ["", undefined];
    }
  }

  choosePlace(quoted) {
    sheets.place((location) => this.attempt(() => this.session.send({ type: "location", location }, quoted)));
  }

  chooseContact(quoted) {
    const send = (card) => this.attempt(() => this.session.send({ type: "contacts", contacts: [card] }, quoted));
    sheets.contact(send, () => this.session.shareContact(quoted));
  }

  async chooseSample() {
    const offered = await (await fetch("samples")).json();
    sheets.samples(offered, (sample) => this.attempt(() => post("messages", { person: this.session.person.bsuid, sample })));
  }
}
