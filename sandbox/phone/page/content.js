// The content of a bubble, by type of message; the JSON has the shapes of Meta's API.

import { el, icon, outLink, reachable } from "./dom.js";
import { formatted } from "./formatting.js";
import { has, t } from "./language.js";
import { player } from "./player.js";

/** Nodes for the message; `act` performs taps: tap(reply), button(reply), list(interactive), place(), contact(). */
export function content(message, act) {
  const body = message[message.type] ?? {};
  if (message.errors) return [el("p", { class: "muted gone" }, t("drawn_unreadable", { type: body.type ?? message.type }))];
  const draw = DRAWN[message.type];
  return draw ? draw(body, act, message) : [el("p", { class: "muted" }, t("unsupported", { type: message.type }))];
}

/** One line that describes the message, for quotes and screen readers. */
export function summary(message) {
  const body = message[message.type] ?? {};
  const answer = body.button_reply ?? body.list_reply;
  const named = { audio: "voice_note", image: "photo", video: "video", document: "document", sticker: "sticker", location: "place" };
  const words = body.caption ?? body.filename ?? body.name;
  if (named[message.type]) return words ? `${t(named[message.type])}: ${words}` : t(named[message.type]);
  return String(message.words ?? answer?.title ?? body.body?.text ?? body.body ?? body.text ?? (has(`kind_${message.type}`) ? t(`kind_${message.type}`) : t("kind_unsupported")));
}

const words = (text) => el("div", { class: "words", dir: "auto" }, formatted(String(text)));
const source = (file) => (file.id ? `media/${encodeURIComponent(file.id)}` : undefined);

const DRAWN = {
  text: (body) => [words(body.body)],
  image: (file) => [source(file) ? photo(file) : linkCard(file), file.caption && words(file.caption)],
  sticker: (file) => [source(file) ? el("img", { class: "sticker", src: source(file), alt: t("sticker") }) : linkCard(file)],
  audio: (file) => [source(file) ? player(source(file), file.voice !== false) : linkCard(file)],
  video: (file) => [
    source(file) ? el("video", { src: source(file), controls: true, preload: "metadata", "aria-label": t("video") }) : linkCard(file),
    file.caption && words(file.caption),
  ],
  document: (file) => [source(file) ? paper(file) : linkCard(file), file.caption && words(file.caption)],
  location: (place) => [map(place)],
  contacts: (cards) => cards.map(card),
  reaction: () => [],
  template: (body, act, message) => [el("span", { class: "tag" }, `${t("template")} · ${body.name}`), ...template(message, act)],
  interactive: (body, act) => (ANSWERS[body.type] ? ANSWERS[body.type](body[body.type]) : interactive(body, act)),
  order: (body) => [list("list", t("drawn_order"), body.product_items.map((item) => `${item.quantity} × ${item.product_retailer_id}`)), body.text && words(body.text)],
  button: (body) => [words(body.text)],
};

const ANSWERS = {
  button_reply: (reply) => [chosen(reply)],
  list_reply: (reply) => [chosen(reply)],
  nfm_reply: (reply) => [list("file", t("drawn_flow"), Object.entries(JSON.parse(reply.response_json)).map(([name, value]) => `${name}: ${value}`))],
  call_permission_reply: (reply) => [el("p", { class: "muted gone" }, t(reply.response === "accept" ? "drawn_call_yes" : "drawn_call_no"))],
};

const list = (sign, title, lines) =>
  el("div", { class: "paper" }, icon(sign), el("div", {}, el("strong", {}, title), el("ul", { class: "lines" }, lines.map((line) => el("li", {}, line)))));

function photo(file) {
  const image = el("img", { class: "photo", src: source(file), alt: file.caption ?? t("photo") });
  return el("a", { href: source(file), target: "_blank", rel: "noopener" }, image);
}

function paper(file) {
  const name = file.filename ?? t("document");
  return el(
    "a",
    { class: "paper", href: source(file), download: name },
    icon("file"),
    el("span", {}, el("strong", {}, name), el("small", {}, file.mime_type ?? "")),
  );
}

function linkCard(file) {
  if (!reachable(file.link)) return el("p", { class: "muted" }, "?");
  return outLink(file.link, { class: "paper" }, icon("link"), el("span", {}, file.link));
}

function map(place) {
  const at = `${Number(place.latitude).toFixed(5)}, ${Number(place.longitude).toFixed(5)}`;
  return el(
    "div",
    { class: "map" },
    el("div", { class: "map-sheet", "aria-hidden": "true" }, icon("place")),
    el("strong", {}, place.name ?? t("place")),
    el("small", {}, [place.address, at].filter(Boolean).join(" · ")),
  );
}

function card(person) {
  const phones = (person.phones ?? []).map((phone) => phone.phone).join(", ");
  const name = person.name?.formatted_name ?? phones;
  return el("div", { class: "paper" }, icon("person"), el("span", {}, el("strong", {}, name), el("small", {}, phones)));
}

function chosen({ title, description }) {
  return el("div", { class: "words" }, el("p", {}, title), description && el("small", {}, description));
}

function template({ drawn, words: filled }, act) {
  if (!drawn) return [words(filled ?? "")];
  const { header, file, body, footer, buttons } = drawn;
  const draw = { URL: link, QUICK_REPLY: (one) => button(one.text, "reply", () => act.button({ payload: one.payload, text: one.text })) };
  return [
    ...(file ? content(file, act) : header ? [el("strong", { class: "heading" }, header)] : []),
    words(body),
    footer && el("small", { class: "muted" }, footer),
    buttons.length > 0 && el("div", { class: "taps" }, buttons.map((one) => draw[one.type]?.(one) ?? el("span", { class: "tap" }, one.text))),
  ];
}

const button = (words, sign, does) => el("button", { type: "button", class: "tap", onclick: does }, sign && icon(sign), words);

const link = ({ url, text }) => outLink(url, { class: "tap" }, icon("link"), text);

function interactive(body, act) {
  const { header, action = {} } = body;
  const top = header?.type === "text" ? [el("strong", { class: "heading" }, header.text)] : header ? content(header, act) : [];
  return [
    ...top,
    words(body.body?.text ?? ""),
    body.footer && el("small", { class: "muted" }, body.footer.text),
    el("div", { class: "taps" }, taps(body, action, act)),
  ];
}

function taps(body, action, act) {
  switch (body.type) {
    case "button":
      return action.buttons.map(({ reply }) => button(reply.title, "reply", () => act.tap({ type: "button_reply", button_reply: reply })));
    case "list":
      return [button(action.button, "list", () => act.list(body))];
    case "cta_url":
      return [link({ url: action.parameters.url, text: action.parameters.display_text })];
    case "location_request_message":
      return [button(t("request_place"), "place", act.place)];
    case "contact_request":
    case "request_contact_info":
      return [button(t("request_contact"), "person", act.contact)];
    default:
      return [el("span", { class: "muted" }, t("unsupported", { type: body.type }))];
  }
}
