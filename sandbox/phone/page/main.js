// Starts the page and brings what the server tells to the part that shows it.

import { Chat, send } from "./chat.js";
import { Composer } from "./composer.js";
import { byId, el, icon, post, setReach } from "./dom.js";
import { apply, current, has, onLanguage, setLanguage, t } from "./language.js";
import { Outside } from "./outside.js";
import { hear as hearPrompts } from "./prompts.js";
import * as sheets from "./sheets.js";
import { Drawer } from "./trouble.js";
import { Turns } from "./turns.js";

const people = new Map();
const histories = new Map();
const handoffs = new Map();
const owners = new Map();
const turns = new Turns();
let facts = {};
let composer;
let drawer;
let outside;
let held;

const desk = {
  person: undefined,
  send: (message, context) => send(desk.person.bsuid, message, context),
  upload: (form, file) => {
    form.append("person", desk.person.bsuid);
    form.append("file", file);
    return post("messages", form);
  },
  chooseRow: (body, quoted) =>
    sheets.list(body, (row) => composer.attempt(() => desk.send({ type: "interactive", interactive: { type: "list_reply", list_reply: row } }, quoted))),
  choosePlace: (quoted) => composer.choosePlace(quoted),
  shareContact: (quoted) => {
    const { name, phone } = desk.person;
    const card = { name: { formatted_name: name }, phones: [{ phone: `+${phone ?? "5215500000000"}`, wa_id: phone ?? "5215500000000" }], origin: "contact_request" };
    return composer.attempt(() => desk.send({ type: "contacts", contacts: [card] }, quoted));
  },
  quote: (whole, words) => composer.setQuote(whole.wamid, words),
  edit: (whole) => composer.setQuote(whole.wamid, (whole.edited ?? whole.message.text).body, true),
};
const chat = new Chat({ ...desk, send: (...sent) => composer.attempt(() => desk.send(...sent)) });

const HEARD = {
  message(event) {
    const history = histories.get(event.person) ?? [];
    if (history.some(({ wamid }) => wamid === event.wamid)) return;
    histories.set(event.person, [...history, event]);
    owners.set(event.wamid, event.person);
    if (event.person !== desk.person?.bsuid) return;
    chat.add(event);
    outside.said();
  },
  status(event) {
    const known = (histories.get(event.person) ?? []).find(({ wamid }) => wamid === event.wamid);
    if (known) Object.assign(known, { status: event.status, errors: event.errors });
    if (event.person === desk.person?.bsuid) chat.status(event);
  },
  read(event) {
    for (const message of histories.get(event.person) ?? []) {
      if (message.direction === "in") message.status = "read";
      if (message.wamid === event.wamid) break;
    }
    if (event.person === desk.person?.bsuid) chat.read(event);
  },
  mishap(event) {
    const bsuid = event.person ?? desk.person?.bsuid;
    histories.set(bsuid, [...(histories.get(bsuid) ?? []), event]);
    if (bsuid === desk.person?.bsuid) chat.add(event);
  },
  trouble({ armed }) {
    drawer.hear(armed);
    drawPeople();
  },
  /** Somebody has a new number: the chat stays, the id is another. */
  moved({ was, person }) {
    const history = [...(histories.get(was) ?? []), ...(histories.get(person.bsuid) ?? [])];
    histories.delete(was);
    people.delete(was);
    people.set(person.bsuid, person);
    histories.set(person.bsuid, history);
    for (const { wamid } of history) owners.set(wamid, person.bsuid);
    if (desk.person?.bsuid === was) choose(person.bsuid);
    else drawPeople();
  },
  typing: (event) => event.person === desk.person?.bsuid && chat.setTyping(event.on),
  turn(event) {
    turns.put(event);
    outside.turned(event);
    drawHandoff();
  },
  prompts: (event) => hearPrompts(event),
  news: ({ of }) => outside.hear(of),
  mail: () => outside.hear("mails"),
  handoff(event) {
    handoffs.set(event.conversation, event);
    drawHandoff();
  },
  person({ person }) {
    people.set(person.bsuid, person);
    drawPeople();
  },
};

/** The latest handoff of the chosen person's conversation, if the bot is quiet in it. */
function handoff() {
  for (const { turn } of [...turns.turns.values()].reverse()) {
    const event = handoffs.get(turn.conversation);
    if (event?.on && turn.messages?.some((wamid) => owners.get(wamid) === desk.person?.bsuid)) return event;
  }
  return undefined;
}

function drawHandoff() {
  const event = handoff();
  byId("called").hidden = !event;
  byId("called-why").textContent = event?.reason ?? "";
  byId("give-back").onclick = () => composer.attempt(() => post("give-back", { conversation: event.conversation }));
}

function drawPeople() {
  const select = byId("person");
  const named = ({ name, staff, phone, bsuid }) => {
    const marks = [staff && t("staff"), (!phone || drawer.isHidden(bsuid)) && t("by_username")].filter(Boolean).join(", ");
    return el("option", { value: bsuid }, marks ? `${name || phone} (${marks})` : name || phone);
  };
  select.replaceChildren(...[...people.values()].map(named));
  if (desk.person) select.value = desk.person.bsuid;
}

function choose(bsuid) {
  desk.person = people.get(bsuid) ?? people.values().next().value;
  sessionStorage.setItem("person", desk.person.bsuid);
  composer.setQuote();
  chat.show(desk.person, histories.get(desk.person.bsuid) ?? []);
  drawPeople();
  drawHandoff();
  drawer.draw();
  outside.redraw();
}

function drawFacts() {
  const known = (kind, name) => `${kind}_${name.toLowerCase()}`;
  const named = (name) => (has(known("name", name)) ? t(known("name", name)) : name);
  const imitated = Object.entries(facts.services ?? {}).filter(([, kind]) => kind === "imitation").map(([name]) => name);
  byId("notice").hidden = !facts.services;
  byId("notice").classList.toggle("calm", !imitated.length);
  byId("notice-title").textContent = imitated.length ? t("imitated", { names: imitated.map(named).join(", ") }) : t("all_real");
  const explained = (name) => el("li", {}, has(known("fact", name)) ? t(known("fact", name)) : t("fact_other", { name }));
  byId("notice-list").replaceChildren(...imitated.map(explained));
}

/** Everything as the server has it now: at the start, and after the stream was broken. */
async function load() {
  const state = await (await fetch("state")).json();
  for (const person of state.people) people.set(person.bsuid, person);
  for (const [bsuid, events] of Object.entries(state.history)) {
    histories.set(bsuid, events);
    for (const { wamid } of events) owners.set(wamid, bsuid);
  }
  for (const event of state.handoffs) handoffs.set(event.conversation, event);
  for (const turn of state.turns) turns.put(turn);
  facts = state.facts;
  setReach(facts.reach);
  drawer.hear(state.armed);
  hearPrompts(state.prompts, false);
  drawFacts();
  choose(desk.person?.bsuid ?? sessionStorage.getItem("person"));
  await outside.load(facts.services ?? {});
}

function listen() {
  const stream = new EventSource("events");
  stream.addEventListener("open", async () => {
    byId("offline").hidden = true;
    // What is told while the state is on its way may be newer than it: it is heard afterwards.
    held = [];
    await load();
    const late = held;
    held = undefined;
    late.forEach(hear);
  });
  stream.addEventListener("error", () => (byId("offline").hidden = false));
  stream.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    if (held) held.push(event);
    else hear(event);
  });
}

const hear = (event) => HEARD[event.type]?.(event);

function showPanel(on) {
  byId("desk").classList.toggle("panel-open", on);
  byId("show-turns").setAttribute("aria-expanded", String(on));
  byId(on ? "hide-turns" : "show-turns").focus();
  outside.seen();
}

function drawSigns() {
  const signs = { attach: "attach", send: "send", record: "mic", "record-send": "send", "record-cancel": "bin", "show-turns": "turns", "hide-turns": "close", "new-person": "add", "hide-drawer": "close" };
  for (const [id, sign] of Object.entries(signs)) byId(id).replaceChildren(icon(sign));
  const menu = { "attach-photo": "photo", "attach-document": "file", "attach-place": "place", "attach-contact": "person", "attach-sample": "samples" };
  for (const [id, sign] of Object.entries({ ...menu, "show-drawer": "trouble" })) byId(id).prepend(icon(sign));
}

function start() {
  composer = new Composer(desk);
  drawer = new Drawer(desk, (work) => composer.attempt(work), (words) => chat.note(words));
  const said = () => histories.get(desk.person?.bsuid) ?? [];
  const toChat = () => byId("desk").classList.contains("panel-open") && showPanel(false);
  outside = new Outside({ desk, said, toChat });
  byId("language").value = current();
  byId("language").addEventListener("change", ({ target }) => setLanguage(target.value));
  byId("person").addEventListener("change", ({ target }) => choose(target.value));
  byId("new-person").addEventListener("click", () =>
    sheets.person((name) => composer.attempt(async () => {
      const person = await post("people", { name });
      HEARD.person({ person });
      choose(person.bsuid);
    })),
  );
  byId("show-turns").addEventListener("click", () => showPanel(true));
  byId("hide-turns").addEventListener("click", () => showPanel(false));
  byId("panel").addEventListener("keydown", (press) => press.key === "Escape" && showPanel(false));
  document.addEventListener("visibilitychange", () => post("presence", { person: desk.person.bsuid, open: !document.hidden }));
  document.addEventListener("click", ({ target }) => byId("notice").contains(target) || (byId("notice").open = false));
  byId("notice").addEventListener("keydown", (press) => press.key === "Escape" && (byId("notice").open = false));
  drawSigns();
  apply();
  onLanguage(() => {
    drawPeople();
    drawFacts();
    turns.redraw();
    outside.redraw(true);
    if (desk.person) chat.show(desk.person, histories.get(desk.person.bsuid) ?? []);
  });
  listen();
}

start();
