// The composer: writing, recording and attaching.

import { byId, el, icon, placeMenu, post, upload, walkable } from "./dom.js";
import { number, t } from "./language.js";
import { reason } from "./reasons.js";
import { Recorder } from "./recorder.js";
import * as sheets from "./sheets.js";

const MOST_REMEMBERED = 20;
// The WhatsApp app takes texts of this length, and the page says so instead of cutting them.
const LONGEST_TEXT = 65536;
const MB = 1024 * 1024;

export class Composer {
  /** `session.send(message, quoted wamid)` sends a message of the chosen person. */
  constructor(session) {
    this.session = session;
    this.words = byId("words");
    this.sentWords = [];
    this.back = 0;
    this.quoted = undefined;
    this.edited = undefined;
    this.drafts = new Map();
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

  /** Keep the draft of the chat that is left, and put that of the opened one into the box. */
  openChat(bsuid) {
    if (this.chat === bsuid) return;
    if (this.chat) this.drafts.set(this.chat, { words: this.words.value, quote: this.quote, sentWords: this.sentWords });
    this.chat = bsuid;
    const { words = "", quote, sentWords = [] } = this.drafts.get(bsuid) ?? {};
    this.sentWords = sentWords;
    this.back = 0;
    this.problem();
    this.drawQuote(quote);
    this.words.value = words;
    this.resize();
  }

  /** A person's chat goes on under another id. */
  moved(was, bsuid) {
    if (this.chat === was) this.chat = bsuid;
    if (this.drafts.has(was)) this.drafts.set(bsuid, this.drafts.get(was));
    this.drafts.delete(was);
  }

  /** Put text that was not sent back into its chat, unless something else was written there. */
  putBack(chat, words) {
    if (chat === this.chat) this.words.value ||= words;
    else if (!this.drafts.get(chat)?.words) this.drafts.set(chat, { ...this.drafts.get(chat), words });
    this.resize();
  }

  /** Show the limit once the text is longer; returns whether it is. */
  tooLong() {
    const count = this.words.value.length > LONGEST_TEXT ? [...this.words.value.trim()].length : 0;
    byId("length").hidden = count <= LONGEST_TEXT;
    byId("length").textContent = count > LONGEST_TEXT ? t("too_long", { count: number(count), limit: number(LONGEST_TEXT) }) : "";
    return count > LONGEST_TEXT;
  }

  resize() {
    byId("send").disabled = this.tooLong();
    this.words.style.height = "auto";
    this.words.style.height = `${Math.min(this.words.scrollHeight, 140)}px`;
    const empty = !this.words.value.trim();
    byId("send").hidden = empty;
    byId("record").hidden = !empty;
  }

  async submit() {
    const body = this.words.value.trim();
    if (!body || this.tooLong()) return;
    const { edited, chat } = this;
    const quoted = this.takeQuote();
    this.sentWords = [...this.sentWords, body].slice(-MOST_REMEMBERED);
    this.back = 0;
    this.words.value = "";
    this.resize();
    const text = { type: "text", text: { body } };
    const original = edited && { original_message_id: edited, message: text };
    const sent = await this.attempt(() => this.session.send(original ? { type: "edit", edit: original } : text, quoted));
    if (!sent) this.putBack(chat, body);
  }

  /** Run `work` and return whether it succeeded; the reason of a failure is shown under the composer. */
  async attempt(work) {
    try {
      this.problem();
      await work();
      return true;
    } catch (error) {
      if (!error.cancelled) this.problem(t("not_sent", { why: reason(error) }));
      return false;
    }
  }

  problem(words = "") {
    byId("problem").textContent = words;
    byId("problem").hidden = !words;
  }

  /** Quote a message in the reply, or (with `edited`) replace an own message. */
  setQuote(wamid, words, edited = false) {
    this.drawQuote(wamid && { wamid, words, edited });
    if (!wamid) return;
    if (edited) this.words.value = words;
    this.resize();
    this.words.focus();
    this.words.setSelectionRange(this.words.value.length, this.words.value.length);
  }

  drawQuote(quote) {
    const { wamid, words, edited } = quote ?? {};
    this.quote = quote;
    this.quoted = edited ? undefined : wamid;
    this.edited = edited ? wamid : undefined;
    const box = byId("quoting");
    box.hidden = !wamid;
    box.replaceChildren();
    if (!wamid) return;
    const drop = () => (this.setQuote(), this.words.focus());
    const close = el("button", { type: "button", class: "plain", "aria-label": t("cancel"), onclick: drop }, icon("close"));
    box.append(el("div", {}, el("strong", {}, t(edited ? "editing" : "replying")), el("span", {}, words)), close);
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
    // The person may change while the files are under way.
    const person = this.session.person.bsuid;
    for (const [at, file] of files.entries()) {
      const form = new FormData();
      for (const [name, value] of Object.entries({ ...fields, caption, context, person, file })) if (value) form.append(name, value);
      if (!(await this.attempt(() => this.upload(form, file, files.length > 1 ? `${at + 1}/${files.length} · ` : "")))) return;
      [caption, context] = ["", undefined];
    }
  }

  /** Upload one file, and show its progress until it is done. */
  async upload(form, file, place) {
    const [ended, bar] = [new AbortController(), byId("uploading-bar")];
    const limit = form.get("as") === "document" || !/^(image|audio|video)\//.test(file.type) ? 100 : 16;
    if (file.size > limit * MB) throw Object.assign(new Error(), { status: 413, limit });
    const told = (share) => {
      bar.value = share;
      byId("uploading-name").textContent = `${place}${t("uploading", { name: form.get("voice") ? t("voice_note") : file.name, share: number(share * 100) })}`;
    };
    byId("uploading-cancel").onclick = () => ended.abort();
    byId("uploading").hidden = false;
    told(0);
    try {
      await upload("messages", form, told, ended.signal);
    } finally {
      byId("uploading").hidden = true;
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
