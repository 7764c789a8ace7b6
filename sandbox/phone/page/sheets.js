// Dialogs over the chat: rows of a list, a place, samples, files before they are sent, another person.

import { byId, el, icon } from "./dom.js";
import { current, t } from "./language.js";

const sheet = byId("sheet");

/** Show a sheet with a title; `content` gets a function that closes it. */
function open(title, content) {
  const close = () => sheet.close();
  const head = el("header", {}, el("h2", { id: "sheet-title" }, title), el("button", { type: "button", class: "plain", "aria-label": t("close"), onclick: close }, icon("close")));
  sheet.setAttribute("aria-labelledby", "sheet-title");
  sheet.replaceChildren(head, ...content(close));
  sheet.showModal();
  sheet.querySelector("form input, form textarea, .row")?.focus();
}

sheet.addEventListener("click", (click) => click.target === sheet && sheet.close());

const row = (title, small, sign, does) =>
  el("button", { type: "button", class: "row", onclick: does }, sign && icon(sign), el("span", {}, el("strong", {}, title), small && el("small", {}, small)));

/** The rows of a list message; `choose` gets the row. */
export function list(body, choose) {
  open(body.action.button, (close) =>
    body.action.sections.flatMap((section) => [
      section.title && el("h3", {}, section.title),
      ...section.rows.map((one) => row(one.title, one.description, undefined, () => (close(), choose(one)))),
    ].filter(Boolean)),
  );
}

/** The files of samples.json; `choose` gets the file's name. */
export function samples(offered, choose) {
  const signs = { voice: "mic", photo: "photo", document: "file", video: "play", sticker: "tap" };
  open(t("samples_title"), (close) =>
    offered.length
      ? offered.map((one) => row(one[`title_${current()}`] ?? one.file, one.file, signs[one.kind] ?? "file", () => (close(), choose(one.file))))
      : [el("p", { class: "muted" }, t("no_samples"))],
  );
}

const field = (name, words, attributes = {}) => el("label", {}, words, el("input", { name, ...attributes }));

function form(close, submit, words, ...fields) {
  const send = el("button", { type: "submit", class: "wide-button" }, words);
  return el(
    "form",
    { onsubmit: (event) => (event.preventDefault(), close(), submit(Object.fromEntries(new FormData(event.target)))) },
    ...fields,
    send,
  );
}

/** A place, typed or of the browser's position; `choose` gets Meta's location object. */
export function place(choose) {
  open(t("place_title"), (close) => {
    const number = { type: "number", step: "any", required: true };
    const fields = form(
      close,
      ({ name, latitude, longitude }) => choose({ latitude: Number(latitude), longitude: Number(longitude), ...(name ? { name } : {}) }),
      t("send"),
      field("name", t("name"), { maxlength: 200, value: t("place_name") }),
      field("latitude", t("latitude"), { ...number, min: -90, max: 90, value: 19.43261 }),
      field("longitude", t("longitude"), { ...number, min: -180, max: 180, value: -99.13321 }),
    );
    return navigator.geolocation && isSecureContext ? [fields, row(t("my_place"), undefined, "place", () => locate(fields))] : [fields];
  });
}

function locate(fields) {
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    fields.elements.name.value = "";
    fields.elements.latitude.value = coords.latitude.toFixed(5);
    fields.elements.longitude.value = coords.longitude.toFixed(5);
  });
}

/** A contact card; `choose` gets Meta's contact object, `share` sends the person's own number. */
export function contact(choose, share) {
  open(t("contact_title"), (close) => [
    form(
      close,
      ({ name, phone }) => choose({ name: { formatted_name: name }, phones: [{ phone }], origin: "other" }),
      t("send"),
      field("name", t("name"), { required: true, maxlength: 200, value: t("contact_name") }),
      field("phone", t("phone_number"), { type: "tel", required: true, maxlength: 40, value: "+52 55 1234 9876" }),
    ),
    row(t("share_mine"), undefined, "person", () => (close(), share())),
  ]);
}

/** Files before they are sent, with a caption for the first. */
export function files(chosen, choose) {
  open(t("files_title"), (close) => {
    const previews = chosen.map((file) =>
      file.type.startsWith("image/")
        ? el("img", { src: URL.createObjectURL(file), alt: file.name })
        : el("div", { class: "paper" }, icon("file"), el("span", {}, el("strong", {}, file.name))),
    );
    return [el("div", { class: "previews" }, previews), form(close, ({ caption }) => choose(caption), t("send"), field("caption", t("caption"), { maxlength: 1024 }))];
  });
}

/** The name of a new person. */
export function person(choose) {
  open(t("person_title"), (close) => [
    form(close, ({ name }) => choose(name), t("start"), field("name", t("name"), { required: true, maxlength: 60, value: t("person_name") })),
  ]);
}

/** Raw text, with actions: words and a function each. */
export function raw(title, text, ...actions) {
  const button = (close, [words, act]) => el("button", { type: "button", class: "wide-button", onclick: () => (close(), act()) }, words);
  open(title, (close) => [el("pre", { class: "raw", tabindex: 0 }, text), ...actions.map((one) => button(close, one))]);
}

/** JSON to edit; `send` gets the object. Words that are no object keep the sheet open. */
export function json(title, text, send) {
  open(title, (close) => {
    const words = el("textarea", { name: "json", class: "raw", rows: 16, spellcheck: "false", "aria-describedby": "json-wrong" });
    const wrong = el("p", { class: "problem", id: "json-wrong", role: "alert", hidden: true });
    words.value = text;
    const submit = (event) => {
      event.preventDefault();
      const whole = parsed(words.value);
      wrong.hidden = Boolean(whole);
      wrong.textContent = whole ? "" : t("json_wrong");
      if (!whole) return words.focus();
      close();
      send(whole);
    };
    return [el("form", { onsubmit: submit }, el("label", {}, t("json_label"), words), wrong, el("button", { type: "submit", class: "wide-button" }, t("send")))];
  });
}

function parsed(text) {
  try {
    const whole = JSON.parse(text);
    return whole && typeof whole === "object" && !Array.isArray(whole) ? whole : undefined;
  } catch {
    return undefined;
  }
}
