// Starts the page and dispatches the server's events to its parts.

import { Chat, send } from "./chat.js";
import { Composer } from "./composer.js";
import { byId, el, icon, post, setUrlPaths } from "./dom.js";
import { connect } from "./connection.js";
import { apply, current, has, onLanguage, setLanguage, t, time } from "./language.js";
import { SidePanel } from "./side_panel.js";
import { show as showPrompts } from "./prompts.js";
import { handoffReason } from "./reasons.js";
import * as sheets from "./sheets.js";
import { Drawer } from "./faults.js";
import { People } from "./people.js";
import { Turns } from "./turns.js";

const people = new Map();
const histories = new Map();
const handoffs = new Map();
let turns;
let owned;
let facts = {};
let composer;
let drawer;
let sidePanel;
let buffered;
let handoffEnds;

const session = {
  person: undefined,
  send: (message, context) => send(session.person.bsuid, message, context),
  chooseRow: (body, quoted) =>
    sheets.list(body, (row) => composer.attempt(() => session.send({ type: "interactive", interactive: { type: "list_reply", list_reply: row } }, quoted))),
  choosePlace: (quoted) => composer.choosePlace(quoted),
  shareContact: (quoted) => {
    const { name, phone } = session.person;
    const card = { name: { formatted_name: name }, phones: [{ phone: `+${phone ?? "5215500000000"}`, wa_id: phone ?? "5215500000000" }], origin: "contact_request" };
    return composer.attempt(() => session.send({ type: "contacts", contacts: [card] }, quoted));
  },
  quote: (whole, words) => composer.setQuote(whole.wamid, words),
  turnOf: (whole) => turns.of(whole.message.turn ?? whole.wamid),
  showTurn(whole) {
    if (!byId("workspace").classList.contains("panel-open")) showPanel(true);
    sidePanel.show("turns");
    turns.find(session.turnOf(whole));
  },
  showRaw(whole) {
    if (!byId("workspace").classList.contains("panel-open")) showPanel(true);
    sidePanel.show("wire");
    sidePanel.kinds.wire.find(whole.wamid);
  },
  showMessage(wamid) {
    const bsuid = owned.owners.get(wamid);
    if (bsuid && bsuid !== session.person.bsuid) choose(bsuid);
    showPanel(false);
    chat.find(wamid);
  },
  edit: (whole) => composer.setQuote(whole.wamid, (whole.edited ?? whole.message.text).body, true),
};
const chat = new Chat({ ...session, send: (...sent) => composer.attempt(() => session.send(...sent)) });

const EVENT_HANDLERS = {
  message(event) {
    const history = histories.get(event.person) ?? [];
    if (history.some(({ wamid }) => wamid === event.wamid)) return;
    histories.set(event.person, [...history, event]);
    owned.learn(event.wamid, event.person, event.message.conversation);
    if (event.person !== session.person?.bsuid) return;
    chat.add(event);
    sidePanel.chatChanged();
  },
  status(event) {
    const known = (histories.get(event.person) ?? []).find(({ wamid }) => wamid === event.wamid);
    if (known) Object.assign(known, { status: event.status, errors: event.errors });
    if (event.person === session.person?.bsuid) chat.status(event);
  },
  read(event) {
    for (const message of histories.get(event.person) ?? []) {
      if (message.direction === "in") message.status = "read";
      if (message.wamid === event.wamid) break;
    }
    if (event.person === session.person?.bsuid) chat.read(event);
  },
  mishap(event) {
    const bsuid = event.person ?? session.person?.bsuid;
    histories.set(bsuid, [...(histories.get(bsuid) ?? []), event]);
    if (bsuid === session.person?.bsuid) chat.add(event);
  },
  trouble({ armed }) {
    drawer.setArmed(armed);
    drawPeople();
  },
  /** A person has a new number: the chat moves to the new id. */
  moved({ was, person }) {
    const history = [...(histories.get(was) ?? []), ...(histories.get(person.bsuid) ?? [])];
    histories.delete(was);
    people.delete(was);
    people.set(person.bsuid, person);
    histories.set(person.bsuid, history);
    owned.moved(was, person.bsuid);
    composer.moved(was, person.bsuid);
    if (session.person?.bsuid === was) choose(person.bsuid);
    else drawPeople();
  },
  typing: (event) => event.person === session.person?.bsuid && chat.setTyping(event.on),
  turn(event) {
    const bsuid = owned.turn(event);
    turns.put(event);
    // After a restart of the sandbox nobody tells again that a person has the conversation.
    if (event.outcome === "handed_off" && !handoffs.get(event.conversation)?.on) handoffs.set(event.conversation, { conversation: event.conversation, on: true, reason: "" });
    if (event.state === "closed" && bsuid === session.person?.bsuid) chat.turnClosed((event.reply ?? []).some(Boolean));
    sidePanel.turnChanged(event);
    drawHandoff();
  },
  asked: (event) => turns.putAsked(event),
  noted(event) {
    if (owned.turn(event) === session.person?.bsuid) chat.turnClosed(false);
    turns.putNoted(event);
    drawHandoff();
  },
  prompts: (event) => showPrompts(event),
  news: ({ of }) => sidePanel.refresh(of),
  mail: () => sidePanel.refresh("mails"),
  handoff(event) {
    // A message that was left to a person doesn't take the bot out; a note says so.
    if (!event.on && event.reason && owned.of(event.conversation) === session.person?.bsuid) chat.note(t("handoff_left", { reason: handoffReason(event) }));
    if (event.on || !event.reason) handoffs.set(event.conversation, event);
    drawHandoff();
  },
  person({ person }) {
    people.set(person.bsuid, person);
    drawPeople();
  },
};

/** The latest handoff of the chosen person's conversation, while the bot is paused. */
function handoff() {
  const over = ({ until }) => until && new Date(until) < new Date();
  for (const [conversation, event] of handoffs) if (over(event)) handoffs.delete(conversation);
  return [...handoffs.values()].reverse().find((event) => event.on && owned.of(event.conversation) === session.person?.bsuid);
}

function drawHandoff() {
  const event = handoff();
  byId("handoff").hidden = !event;
  clearTimeout(handoffEnds);
  if (event?.until) handoffEnds = setTimeout(drawHandoff, Math.max(0, new Date(event.until) - Date.now()) + 1000);
  byId("handoff-title").textContent = event ? t(event.until ? "handoff_echo" : event.thread ? "handoff_thread" : "handoff") : "";
  byId("handoff-reason").textContent = event?.until ? t("handoff_until", { time: time(new Date(event.until)) }) : handoffReason(event);
  byId("give-back").textContent = t(event?.thread ? "take_thread" : "give_back");
  byId("give-back").onclick = () => composer.attempt(() => post("give-back", { conversation: event.conversation }));
}

function drawPeople() {
  const select = byId("person");
  const named = ({ name, staff, phone, bsuid }) => {
    const labels = [staff && t("staff"), (!phone || drawer.isHidden(bsuid)) && t("by_username")].filter(Boolean).join(", ");
    return el("option", { value: bsuid }, labels ? `${name || phone} (${labels})` : name || phone);
  };
  select.replaceChildren(...[...people.values()].map(named));
  if (session.person) select.value = session.person.bsuid;
}

function choose(bsuid) {
  session.person = people.get(bsuid) ?? people.values().next().value;
  sessionStorage.setItem("person", session.person.bsuid);
  composer.openChat(session.person.bsuid);
  chat.show(session.person, histories.get(session.person.bsuid) ?? []);
  drawPeople();
  drawHandoff();
  drawer.draw();
  sidePanel.redraw();
  turns.redraw();
}

function drawFacts() {
  const known = (kind, name) => `${kind}_${name.toLowerCase()}`;
  const named = (name) => (has(known("name", name)) ? t(known("name", name)) : name);
  const imitated = Object.entries(facts.services ?? {}).filter(([, kind]) => kind === "imitation").map(([name]) => name);
  byId("notice").hidden = !facts.services;
  byId("notice").classList.toggle("all-real", !imitated.length);
  byId("notice-title").textContent = imitated.length ? t("imitated", { names: imitated.map(named).join(", ") }) : t("all_real");
  const explained = (name) => el("li", {}, has(known("fact", name)) ? t(known("fact", name)) : t("fact_other", { name }));
  const redis = facts.redis && el("li", {}, t("fact_redis"), " ", el("code", {}, facts.redis.url), ` (${facts.redis.folder})`);
  byId("notice-list").replaceChildren(...imitated.map(explained), ...(redis ? [redis] : []));
}

/** Load the server's state at the start, and after the stream was interrupted. */
async function load() {
  const state = await (await fetch("state")).json();
  for (const person of state.people) people.set(person.bsuid, person);
  for (const [bsuid, events] of Object.entries(state.history)) {
    histories.set(bsuid, events);
    for (const { wamid, message } of events) owned.learn(wamid, bsuid, message?.conversation);
  }
  for (const event of state.handoffs) handoffs.set(event.conversation, event);
  facts = state.facts;
  turns.services = facts.services ?? {};
  for (const turn of state.turns) owned.turn(turn);
  for (const turn of [...state.turns, ...state.noted].sort((a, b) => (a.started_at ?? a.at).localeCompare(b.started_at ?? b.at))) {
    if (turn.type === "turn") turns.put(turn);
    else turns.putNoted(turn);
  }
  for (const event of state.asked) turns.putAsked(event);
  setUrlPaths(facts.reach);
  drawer.setArmed(state.armed);
  showPrompts(state.prompts, false);
  drawFacts();
  choose(session.person?.bsuid ?? sessionStorage.getItem("person"));
  await sidePanel.load(facts.services ?? {});
}

async function opened() {
  // Events that arrive while the state loads may be newer, so that we handle them afterwards.
  buffered = [];
  await load();
  const late = buffered;
  buffered = undefined;
  late.forEach(handle);
}

const heard = (event) => (buffered ? buffered.push(event) : handle(event));

const handle = (event) => EVENT_HANDLERS[event.type]?.(event);

function showPanel(on) {
  byId("workspace").classList.toggle("panel-open", on);
  byId("show-turns").setAttribute("aria-expanded", String(on));
  if (innerWidth < 900) byId(on ? "hide-turns" : "show-turns").focus();
  sidePanel.seen();
}

function drawIcons() {
  const signs = { attach: "attach", send: "send", record: "mic", "record-send": "send", "record-cancel": "bin", "show-turns": "turns", "hide-turns": "close", "new-person": "add", "hide-drawer": "close", "uploading-cancel": "close" };
  for (const [id, sign] of Object.entries(signs)) byId(id).replaceChildren(icon(sign));
  const menu = { "attach-photo": "photo", "attach-document": "file", "attach-place": "place", "attach-contact": "person", "attach-sample": "samples" };
  for (const [id, sign] of Object.entries({ ...menu, "show-drawer": "faults", "open-console": "person" })) byId(id).prepend(icon(sign));
}

function start() {
  owned = new People(session, people);
  turns = new Turns(owned, session);
  composer = new Composer(session);
  drawer = new Drawer(session, (work) => composer.attempt(work), (words) => chat.note(words));
  const said = () => histories.get(session.person?.bsuid) ?? [];
  const toChat = () => byId("workspace").classList.contains("panel-open") && showPanel(false);
  sidePanel = new SidePanel({ session, said, toChat, people: owned, turns });
  byId("language").value = current();
  byId("language").addEventListener("change", ({ target }) => setLanguage(target.value));
  byId("person").addEventListener("change", ({ target }) => choose(target.value));
  byId("new-person").addEventListener("click", () =>
    sheets.person((name) => composer.attempt(async () => {
      const person = await post("people", { name });
      EVENT_HANDLERS.person({ person });
      choose(person.bsuid);
    })),
  );
  byId("show-turns").addEventListener("click", () => showPanel(true));
  byId("hide-turns").addEventListener("click", () => showPanel(false));
  byId("panel").addEventListener("keydown", (press) => press.key === "Escape" && showPanel(false));
  document.addEventListener("visibilitychange", () => session.person && post("presence", { person: session.person.bsuid, open: !document.hidden }).catch(() => {}));
  document.addEventListener("click", ({ target }) => byId("notice").contains(target) || (byId("notice").open = false));
  byId("notice").addEventListener("keydown", (press) => press.key === "Escape" && (byId("notice").open = false));
  drawIcons();
  apply();
  onLanguage(() => {
    drawPeople();
    drawFacts();
    drawHandoff();
    turns.redraw();
    sidePanel.redraw(true);
    if (session.person) chat.show(session.person, histories.get(session.person.bsuid) ?? []);
  });
  connect(opened, heard);
}

start();
