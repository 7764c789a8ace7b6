// The server's answers in the words of this page, so that its parts know one shape.

const AUDIO = ["voice", "voice_note", "audio"];
const CUSTOMER = ["customer", "contact"];
// What we send has a name of its own; people see the same thing.
const SEEN_AS = { sent_video: "video", sent_sticker: "sticker" };
const kindOf = (kind) => SEEN_AS[kind] ?? kind;

export function conversationOf(raw) {
  const one = raw.conversation && typeof raw.conversation === "object" ? raw.conversation : raw;
  const last = one.last_message && { ...one.last_message, kind: kindOf(one.last_message.kind), direction: direction(one.last_message) };
  return { ...one, contact: one.contact ?? {}, labels: one.labels ?? [], unread: one.unread ?? 0, last_message: last };
}

const direction = (raw) => raw.direction ?? (CUSTOMER.includes(raw.author) ? "in" : raw.author === "note" ? "note" : "out");

/** A message: `direction` is `in`, `out`, `note` or `event`. */
export function messageOf(raw) {
  const payload = raw.payload ?? {};
  return {
    id: raw.id,
    at: raw.at,
    direction: direction(raw),
    kind: kindOf(raw.kind),
    text: raw.text ?? "",
    author: authorOf(raw),
    media: mediaOf(raw),
    transcript: raw.transcript && AUDIO.includes(raw.kind) ? raw.transcript : undefined,
    read: raw.transcript && !AUDIO.includes(raw.kind) ? raw.transcript : undefined,
    location: raw.kind === "location" ? payload : undefined,
    buttons: buttonsOf(payload),
    quote: quoteOf(raw.quoted ?? raw.quote),
    reactions: (raw.reactions ?? []).map(({ emoji, author }) => ({ emoji, from: CUSTOMER.includes(author) ? "contact" : "us" })),
    edited_at: raw.edited_at,
    edits: raw.edits ?? [],
    deleted_at: raw.deleted_at,
    turn: raw.turn,
    status: raw.status,
    error: raw.error && { code: raw.error.code, reason: raw.error.reason, message: raw.error.why },
    to: raw.assigned_to,
  };
}

function authorOf({ author, author_name: name }) {
  if (author && typeof author === "object") return author;
  if (CUSTOMER.includes(author)) return { kind: "contact" };
  if (author === "operator") return { kind: "operator", email: name };
  return { kind: author === "app" ? "app" : "bot" };
}

function mediaOf({ kind, media, deleted_at: deleted }) {
  if (!media || deleted) return undefined;
  return { url: media.url, mime: media.mime ?? guessed(kind), name: media.filename ?? media.name, size: media.size, seconds: media.seconds };
}

const guessed = (kind) => (AUDIO.includes(kind) ? "audio/ogg" : ["photo", "picture", "sticker"].includes(kind) ? "image/jpeg" : kind === "video" ? "video/mp4" : "");

const buttonsOf = ({ choices: buttons }) => (Array.isArray(buttons) ? buttons.map((one) => one.title ?? one.text ?? one.label ?? "").filter(Boolean) : []);

const quoteOf = (quote) => quote && { id: quote.id, kind: kindOf(quote.kind), text: quote.text, direction: direction(quote) };

/** A private note as a line of the conversation. */
export const noteOf = (raw) => ({ id: raw.id, at: raw.at, direction: "note", kind: "note", text: raw.text, author: { kind: "operator", email: raw.author, name: raw.author_name } });

/** A change of who answers as a line of the conversation. */
export const handoverOf = (raw) => ({
  id: `${raw.id}/${raw.action}`,
  at: raw.at,
  direction: "event",
  kind: raw.action === "taken" && raw.assigned_to && raw.assigned_to !== raw.operator ? "assigned" : raw.action,
  text: raw.reason ?? "",
  author: raw.operator ? { kind: "operator", email: raw.operator } : { kind: "bot" },
  to: raw.assigned_to,
});

/** Passages of documents, as the turn's tools found them, each once. */
function sourcesOf(given, tools = []) {
  const all = given ?? tools.flatMap(({ sources }) => sources ?? []);
  const named = all.map((one) => ({ ...one, location: one.location ?? one.place }));
  return [...new Map(named.map((one) => [`${one.source}/${one.location}`, one])).values()];
}

/** A turn: the trace with the exact messages to the models and the sources. */
export function turnOf(raw) {
  const trace = raw.trace ?? raw;
  return { ...trace, id: raw.id ?? trace.turn, release: raw.release ?? trace.release, asked: raw.asked ?? [], sources: sourcesOf(raw.sources ?? trace.sources, trace.tools), at: raw.at ?? trace.started_at };
}
