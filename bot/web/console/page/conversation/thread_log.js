// The messages of a conversation, with days between them; older ones load as the person scrolls up.

import { Bubble } from "./bubble.js";
import { isMine } from "../inbox/conversations.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { day, t } from "../frame/language.js";
import { EventLine, NoteCard } from "./lines.js";
import { waitingIn } from "../composer/outgoing.js";
import { Pending } from "./pending.js";
import { found, loadOlder, refreshThread, thread } from "./thread.js";
import { windowLeft } from "./window_clock.js";
import { Working } from "./working.js";

const NEAR = 120;

export function ThreadLog({ one }) {
  const box = useRef();
  const place = useRef({ bottom: true, height: 0, first: "" });
  const [below, tellBelow] = useState(false);
  const { messages, before, loading, problem } = thread.value;
  const waiting = waitingIn(one.id, messages);
  const answerable = isMine(one) && windowLeft(one) > 0;
  const count = messages.length + waiting.length;

  const scrolled = () => {
    if (!box.current) return;
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    place.current.bottom = scrollHeight - scrollTop - clientHeight < NEAR;
    if (place.current.bottom) tellBelow(false);
    if (scrollTop < 400) loadOlder();
  };
  // Before older messages come in, the distance from the end is kept; so what is read stays where it is.
  useLayoutEffect(() => {
    const { current: log } = box;
    // Whoever writes sees what they wrote.
    if (waiting.length > (place.current.waiting ?? 0)) place.current.bottom = true;
    const older = place.current.first && messages[0]?.id !== place.current.first;
    if (place.current.bottom) log.scrollTop = log.scrollHeight;
    else if (older) log.scrollTop += log.scrollHeight - place.current.height;
    else if (log.scrollHeight > place.current.height && place.current.count < count) tellBelow(true);
    Object.assign(place.current, { height: log.scrollHeight, first: messages[0]?.id ?? "", count, waiting: waiting.length });
  });
  useEffect(() => {
    // Pictures and folded parts change the height after the fact.
    const watching = new ResizeObserver(() => {
      if (box.current && place.current.bottom) box.current.scrollTop = box.current.scrollHeight;
    });
    watching.observe(box.current.firstElementChild);
    watching.observe(box.current);
    return () => watching.disconnect();
  }, []);
  useEffect(() => mark(box.current, found.value), [found.value, messages.length]);

  return html`<div class="log-frame">
    <div class="log" ref=${box} onScroll=${scrolled} onKeyDown=${walk} tabindex="0" role="log" aria-label=${t("messages")} aria-live="polite">
      <div class="log-all">
        ${before && html`<p class="log-older"><button type="button" class="link" onClick=${loadOlder} disabled=${loading}>${t(loading ? "loading" : "older")}</button></p>`}
        ${problem && html`<p class="problem" role="alert">${problem.words} <button type="button" class="link" onClick=${() => refreshThread(one.id)}>${t("try_again")}</button></p>`}
        ${!messages.length && loading && html`<p class="muted log-loading" role="status">${t("loading")}</p>`}
        ${!messages.length && !loading && !problem && !waiting.length && html`<p class="muted log-loading">${t("no_messages")}</p>`}
        ${withDays(messages).map(([message, starts, previous]) => html`
          ${starts && html`<p key=${`day-${message.id}`} class="day">${day(message.at)}</p>`}
          <${Line} key=${message.id} message=${message} previous=${starts ? undefined : previous} name=${one.contact.name} conversation=${answerable ? one.id : undefined} />`)}
        ${waiting.map((item) => html`<${Pending} key=${item.key} item=${item} />`)}
        <${Working} id=${one.id} />
      </div>
    </div>
    ${below && html`<button type="button" class="to-end" onClick=${() => box.current.scrollTo({ top: box.current.scrollHeight, behavior: "smooth" })}><${Icon} name="down" />${t("new_below")}</button>`}
  </div>`;
}

function Line({ message, previous, name, conversation }) {
  if (message.direction === "note") return html`<${NoteCard} message=${message} />`;
  if (message.direction === "event") return html`<${EventLine} message=${message} />`;
  return html`<${Bubble} message=${message} previous=${previous} name=${name} conversation=${conversation} />`;
}

/** Each message with whether its day begins with it. */
const withDays = (messages) =>
  messages.map((message, at) => [message, at === 0 || new Date(messages[at - 1].at).toDateString() !== new Date(message.at).toDateString(), messages[at - 1]]);

function mark(log, id) {
  const bubble = id && [...log.querySelectorAll("[data-message]")].find(({ dataset }) => dataset.message === id);
  if (!bubble) return;
  bubble.scrollIntoView({ block: "center" });
  bubble.focus({ preventScroll: true });
  bubble.classList.add("found");
  setTimeout(() => bubble.classList.remove("found"), 1500);
  found.value = "";
}

/** Arrows walk through the messages. */
function walk(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || event.target.matches("input, textarea")) return;
  const all = [...event.currentTarget.querySelectorAll("[data-message]")];
  const at = all.indexOf(document.activeElement.closest("[data-message]"));
  const next = at === -1 ? all.at(-1) : all[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
