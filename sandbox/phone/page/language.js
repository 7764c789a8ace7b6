// The page's texts in both languages; a change of language is applied immediately and remembered.

import { FAULTS } from "./faults_words.js";
import { SIDE_PANEL } from "./side_panel_words.js";
import { PROMPTS } from "./prompts_words.js";
import { TOOLS } from "./tools_words.js";
import { TURNS } from "./turns_words.js";

const WORDS = {
  es: {
    skip: "Ir a escribir", sandbox: "entorno de pruebas", offline: "Sin conexión; reintentando…", language: "Idioma",
    phone: "Teléfono", writing_as: "Escribes como", new_person: "Empezar como otra persona", console: "Consola", open_console: "Consola: atender como persona del equipo", staff: "personal",
    by_username: "sin teléfono", show_turns: "Ver lo que hizo Recado", log: "Mensajes: flechas para recorrerlos, Enter para ver qué se puede hacer", drop: "Suelta aquí para enviar",
    handoff_thread: "Otra app tiene esta conversación en Meta.", take_thread: "Tomar la conversación",
    handoff: "Atiende una persona.", handoff_echo: "Un colega contesta desde la app.", handoff_until: "El asistente calla hasta las {time}.", handoff_left: "Se avisó al equipo: {reason}",
    give_back: "Devolver al asistente", attach: "Adjuntar", message: "Escribe un mensaje",
    record: "Grabar nota de voz", send: "Enviar", cancel: "Cancelar", recording: "Grabando…", photo: "Foto, video o audio",
    document: "Documento", place: "Ubicación", samples: "Muestras listas", close: "Cerrar",
    no_turns: "Aún no hay turnos", no_turns_hint: "Escribe, graba o manda una foto: aquí verás qué entendió el asistente, qué pidió al modelo, qué herramientas usó, cuánto tardó y cuánto costó.",
    starters: "Prueba con esto", starter_hello: "Hola, ¿qué puedes hacer por mí?", starter_hours: "Hola, ¿a qué hora abren?", starter_document: "¿Me regresan mi dinero si no me gusta?", starter_product: "¿Tienen leche?", starter_person: "Quiero hablar con una persona",
    starter_plan: "¿Qué plan tengo?", starter_invoice: "Mándame mi última factura por correo", starter_change: "Quiero cambiar al plan Pro", starter_new: "Soy nuevo y quiero el plan Pro", starter_notify: "Quiero recibir avisos en el navegador",
    online: "en línea", typing: "escribiendo…", today: "Hoy", yesterday: "Ayer", caption: "Pie de foto (opcional)",
    no_mic: "No se puede usar el micrófono: permite el acceso, o abre la página en localhost o por https. También puedes adjuntar un audio.",
    sent: "Enviado", delivered: "Entregado", read: "Leído", pending: "Por enviar", failed: "No llegó",
    not_sent: "No se pudo enviar: {why}", voice_note: "Nota de voz", audio: "Audio", video: "Video", sticker: "Sticker",
    open_list: "Opciones de la lista", choose: "Elegir", request_place: "Enviar ubicación", request_contact: "Compartir mi teléfono",
    template: "Plantilla", edited: "editado", deleted: "Mensaje eliminado", unsupported: "Mensaje de un tipo que esta página no dibuja: {type}",
    you: "Tú", reply: "Responder", react: "Reaccionar con {emoji}", unreact: "Quitar reacción", copy: "Copiar", edit: "Editar", delete: "Eliminar para todos",
    actions: "Acciones del mensaje", replying: "Respondes a", editing: "Editas", play: "Reproducir", pause: "Pausar", position: "Posición",
    place_title: "Enviar una ubicación", name: "Nombre", latitude: "Latitud", longitude: "Longitud", my_place: "Usar mi posición",
    place_name: "Zócalo, Ciudad de México", samples_title: "Muestras listas", no_samples: "No hay muestras.", person_title: "Otra persona", person_name: "Cliente",
    files_title: "Enviar archivos", start: "Empezar",
    outcome_answered: "respondido", outcome_failed: "falló", outcome_handed_off: "pasado a persona", outcome_thinking: "pensando…", outcome_closed: "cerrado", understood: "Entendido", prompt: "Prompt", requests: "Modelo",
    tools: "Herramientas", reply_part: "Respuesta", stations: "Tiempos", error: "Error", tokens: "{in} + {out} tokens", served: "servido por {model}", arguments: "Argumentos",
    on_page: "página {page}", score: "puntaje {score}", total: "turnos: {count} · {cost}", local: "aquí mismo",
    kind_text: "texto", kind_voice: "voz", kind_photo: "foto", kind_video: "video", kind_document: "documento", kind_location: "ubicación", kind_tap: "botón", kind_reaction: "reacción", kind_cards: "contacto", kind_sticker: "sticker",
    quiet: "espera", perception: "percepción", memory: "memoria", agent: "agente", closing: "cierre", outbox: "envío",
    imitated: "Imitaciones: {names}", all_real: "Todos los servicios son reales",
    name_whatsapp: "WhatsApp", name_openrouter: "modelo", name_whisper: "transcripción", name_vision: "visión", name_stripe: "cobros", "name_e-mail": "correo", "name_web push": "avisos", name_subscribers: "ERP",
    fact_whatsapp: "WhatsApp es una imitación de la API de Meta en esta máquina: no sale ningún mensaje. Este teléfono ocupa el lugar de la app.",
    fact_openrouter: "El modelo es un doble de pruebas con reglas; no razona. Pon OPENROUTER_API_KEY y reinicia para usar uno real.",
    fact_whisper: "La transcripción es un doble de pruebas: conoce las muestras. Pon OPENAI_API_KEY para transcribir de verdad.",
    fact_vision: "La lectura de fotos es un doble de pruebas. Configura Google Vision con GOOGLE_APPLICATION_CREDENTIALS para leer de verdad.",
    fact_stripe: "Los cobros son una imitación: no se mueve dinero. Pon STRIPE_SECRET_KEY (de prueba) para usar Stripe.",
    "fact_e-mail": "El correo no sale: se queda aquí. Configura SendGrid, SES o SMTP para enviarlo.",
    "fact_web push": "Las claves de los avisos valen sólo para esta sesión. Pon las tuyas con recado keys vapid.",
    fact_subscribers: "Los eventos llegan a un ERP de imitación que comprueba su firma. Pon WEBHOOK_SUBSCRIBERS para avisar al tuyo.",
    fact_other: "{name} es una imitación.", fact_redis: "Los datos están en el Redis de este entorno:",
    too_long: "Demasiado largo: {count} de {limit} letras. Acórtalo o mándalo en partes.", uploading: "Subiendo {name}: {share} %",
    why_0: "no hay conexión con el servidor", why_400: "el servidor no lo aceptó", why_413: "el archivo es demasiado grande; caben {limit} MB", why_404: "ya no existe",
    why_503: "Recado no está listo; vuelve a intentarlo", why_other: "el servidor falló ({status})", "why_the file is empty": "el archivo está vacío", "why_nobody has this id": "esa persona ya no existe",
  },
  en: {
    skip: "Skip to writing", sandbox: "sandbox", offline: "Offline; trying again…", language: "Language",
    phone: "Phone", writing_as: "Writing as", new_person: "Start as another person", console: "Console", open_console: "Console: answer as one of the team", staff: "staff",
    by_username: "no phone", show_turns: "Show what Recado did", log: "Messages: arrows to walk through them, Enter for what can be done", drop: "Drop here to send",
    handoff_thread: "Another app has this conversation at Meta.", take_thread: "Take the conversation",
    handoff: "A person has this chat.", handoff_echo: "A colleague answers from the app.", handoff_until: "The assistant is quiet until {time}.", handoff_left: "The team was told: {reason}",
    give_back: "Give back to the assistant", attach: "Attach", message: "Write a message",
    record: "Record a voice note", send: "Send", cancel: "Cancel", recording: "Recording…", photo: "Photo, video or audio",
    document: "Document", place: "Location", samples: "Ready samples", close: "Close",
    no_turns: "No turns yet", no_turns_hint: "Write, record or send a photo: here you see what the assistant understood, what it asked the model, which tools it used, how long it took and what it cost.",
    starters: "Try one of these", starter_hello: "Hi, what can you do for me?", starter_hours: "What time do you open?", starter_document: "Does it work on a Mac?", starter_product: "Do you have milk?", starter_person: "I want to talk to a person",
    starter_plan: "What plan do I have?", starter_invoice: "Send me my latest invoice by e-mail", starter_change: "I want to change to the Pro plan", starter_new: "I'm new and want the Pro plan", starter_notify: "I want notifications in my browser",
    online: "online", typing: "typing…", today: "Today", yesterday: "Yesterday", caption: "Caption (optional)",
    no_mic: "The microphone can't be used: allow it, or open the page on localhost or over https. You can also attach an audio file.",
    sent: "Sent", delivered: "Delivered", read: "Read", pending: "Not sent yet", failed: "Did not arrive",
    not_sent: "Could not be sent: {why}", voice_note: "Voice note", audio: "Audio", video: "Video", sticker: "Sticker",
    open_list: "Options of the list", choose: "Choose", request_place: "Send location", request_contact: "Share my phone",
    template: "Template", edited: "edited", deleted: "Deleted message", unsupported: "A message of a type this page doesn't draw: {type}",
    you: "You", reply: "Reply", react: "React with {emoji}", unreact: "Remove reaction", copy: "Copy", edit: "Edit", delete: "Delete for everyone",
    actions: "Message actions", replying: "Replying to", editing: "Editing", play: "Play", pause: "Pause", position: "Position",
    place_title: "Send a location", name: "Name", latitude: "Latitude", longitude: "Longitude", my_place: "Use my position",
    place_name: "Zócalo, Mexico City", samples_title: "Ready samples", no_samples: "There are no samples.", person_title: "Another person", person_name: "Customer",
    files_title: "Send files", start: "Start",
    outcome_answered: "answered", outcome_failed: "failed", outcome_handed_off: "handed to a person", outcome_thinking: "thinking…", outcome_closed: "closed", understood: "Understood", prompt: "Prompt", requests: "Model",
    tools: "Tools", reply_part: "Reply", stations: "Times", error: "Error", tokens: "{in} + {out} tokens", served: "served by {model}", arguments: "Arguments",
    on_page: "page {page}", score: "score {score}", total: "turns: {count} · {cost}", local: "right here",
    kind_text: "text", kind_voice: "voice", kind_photo: "photo", kind_video: "video", kind_document: "document", kind_location: "location", kind_tap: "button", kind_reaction: "reaction", kind_cards: "contact", kind_sticker: "sticker",
    quiet: "waiting", perception: "perception", memory: "memory", agent: "agent", closing: "closing", outbox: "sending",
    imitated: "Imitations: {names}", all_real: "All services are real",
    name_whatsapp: "WhatsApp", name_openrouter: "model", name_whisper: "transcription", name_vision: "vision", name_stripe: "billing", "name_e-mail": "e-mail", "name_web push": "notifications", name_subscribers: "ERP",
    fact_whatsapp: "WhatsApp is an imitation of Meta's API on this machine: no message leaves it. This phone takes the app's place.",
    fact_openrouter: "The model is a stand-in that follows rules; it does not reason. Set OPENROUTER_API_KEY and restart to use a real one.",
    fact_whisper: "The transcription is a stand-in that knows the samples. Set OPENAI_API_KEY to transcribe for real.",
    fact_vision: "The reading of photos is a stand-in. Set up Google Vision with GOOGLE_APPLICATION_CREDENTIALS to read for real.",
    fact_stripe: "Billing is an imitation: no money moves. Set STRIPE_SECRET_KEY (a test key) to use Stripe.",
    "fact_e-mail": "E-mail does not leave: it stays here. Set up SendGrid, SES or SMTP to send it.",
    "fact_web push": "The keys of notifications hold for this session only. Set your own with recado keys vapid.",
    fact_subscribers: "Events go to an imitated ERP that checks their signature. Set WEBHOOK_SUBSCRIBERS to tell yours.",
    fact_other: "{name} is an imitation.", fact_redis: "The data is in the Redis of this sandbox:",
    too_long: "Too long: {count} of {limit} letters. Shorten it or send it in parts.", uploading: "Uploading {name}: {share} %",
    why_0: "no connection to the server", why_400: "the server did not accept it", why_413: "the file is too large; {limit} MB fit", why_404: "it is gone",
    why_503: "Recado is not ready; try again", why_other: "the server failed ({status})", "why_the file is empty": "the file is empty", "why_nobody has this id": "that person is gone",
  },
};

for (const name of Object.keys(WORDS)) Object.assign(WORDS[name], FAULTS[name], SIDE_PANEL[name], PROMPTS[name], TURNS[name], TOOLS[name]);

const listeners = [];
let language = stored() ?? (navigator.language.startsWith("es") ? "es" : "en");

function stored() {
  const kept = localStorage.getItem("language");
  return kept in WORDS ? kept : undefined;
}

export const current = () => language;

/** The locale of dates, numbers and money. */
export const locale = () => ({ es: "es-MX", en: "en-US" })[language];

/** The text of a key, with `{name}` replaced by values; a key without a text is returned unchanged. */
export function t(key, values = {}) {
  const words = WORDS[language][key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const has = (key) => key in WORDS[language];

export function onLanguage(listener) {
  listeners.push(listener);
}

export function setLanguage(chosen) {
  language = chosen;
  localStorage.setItem("language", chosen);
  apply();
}

/** Translate the fixed parts of the page and call the listeners that redraw the rest. */
export function apply() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-t-label]")) label(element, t(element.dataset.tLabel));
  for (const element of document.querySelectorAll("[data-t-placeholder]")) element.placeholder = t(element.dataset.tPlaceholder);
  for (const listener of listeners) listener();
}

function label(element, words) {
  element.setAttribute("aria-label", words);
  if (element.matches("button")) element.title = words;
}

export const time = (at) => at.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export function day(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  if (days < 2) return t(days === 1 ? "yesterday" : "today");
  return at.toLocaleDateString(locale(), { day: "numeric", month: "long", year: "numeric" });
}

/** The time of today, or the day and time of another day. */
export function moment(at) {
  const today = new Date().toDateString() === at.toDateString();
  return today ? time(at) : `${shortDay(at)}, ${time(at)}`;
}

export const shortDay = (at) => at.toLocaleDateString(locale(), { day: "numeric", month: "short", year: "numeric" });

/** An amount in a currency's minor units. */
export function price(amount, currency) {
  const value = (amount / 100).toLocaleString(locale(), { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return `${value} ${currency.toUpperCase()}`;
}

export const number = (value, digits = 0) => value.toLocaleString(locale(), { maximumFractionDigits: digits });
