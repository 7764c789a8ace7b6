// The texts of the page in the chosen language, and its dates, numbers and durations.

import { computed, effect, signal } from "./html.js";
import { EN } from "../texts/en.js";
import { ES } from "../texts/es.js";

const WORDS = { es: ES, en: EN };
const LOCALES = { es: "es-MX", en: "en-US" };

const stored = localStorage.getItem("language");
export const language = signal(stored in WORDS ? stored : navigator.language.startsWith("es") ? "es" : "en");
export const locale = computed(() => LOCALES[language.value]);

effect(() => {
  document.documentElement.lang = language.value;
});

export function chooseLanguage(chosen) {
  localStorage.setItem("language", chosen);
  language.value = chosen;
}

export const has = (key) => key in WORDS[language.value];

/** The text of a key, with `{name}` replaced by values; a key without a text is returned unchanged. */
export function t(key, values = {}) {
  const words = WORDS[language.value][key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The text of a name that the server gave, or the name itself. */
export const word = (prefix, name) => (has(`${prefix}_${name}`) ? t(`${prefix}_${name}`) : String(name ?? "").replaceAll("_", " "));

// Formatters are dear to make and cheap to use; a list of rows needs the same few again and again.
const formatters = new Map();
function formatter(kind, options = {}) {
  const key = `${kind.name}/${locale.value}/${JSON.stringify(options)}`;
  if (!formatters.has(key)) formatters.set(key, new kind(locale.value, options));
  return formatters.get(key);
}

const numbers = (value, options) => formatter(Intl.NumberFormat, options).format(Number(value));
const dates = (at, options) => formatter(Intl.DateTimeFormat, options).format(new Date(at));

/** `one` or `many` after the language's rule. */
export const counted = (key, count, values = {}) =>
  t(`${key}_${formatter(Intl.PluralRules).select(count) === "one" ? "one" : "many"}`, { count: number(count), ...values });

export const number = (value, digits = 0) => numbers(value, { maximumFractionDigits: digits });
export const percent = (share) => numbers(share, { style: "percent", maximumFractionDigits: 0 });

/** US dollars; small amounts keep the digits that count. */
export function dollars(value) {
  const amount = Number(value);
  if (!Number.isFinite(amount)) return "";
  const digits = amount !== 0 && Math.abs(amount) < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 };
  return numbers(amount, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", ...digits });
}

export const money = (amount, currency) => numbers(amount, { style: "currency", currency });

export const clock = (at) => dates(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const fullTime = (at) => dates(at, { dateStyle: "full", timeStyle: "short" });

const daysAgo = (at) => Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);

export function day(at) {
  const ago = daysAgo(at);
  if (ago === 0 || ago === 1) return t(ago ? "yesterday" : "today");
  return dates(at, { day: "numeric", month: "long", year: ago > 300 ? "numeric" : undefined, weekday: ago < 7 ? "long" : undefined });
}

/** The time of today, else the day, as narrow as a row needs. */
export function brief(at) {
  if (!at) return "";
  const ago = daysAgo(at);
  if (ago <= 0) return clock(at);
  if (ago === 1) return t("yesterday");
  return dates(at, ago < 7 ? { weekday: "short" } : { day: "numeric", month: "short", year: ago > 300 ? "2-digit" : undefined });
}

/** The day, where it is not today, and the time. */
export const moment = (at) => (daysAgo(at) === 0 ? clock(at) : `${brief(at)}, ${clock(at)}`);

/** A duration in its largest unit: 40 s, 12 min, 3 h, 2 d. */
export function duration(seconds) {
  const unit = (value, name) => numbers(value, { style: "unit", unit: name, unitDisplay: name === "day" ? "narrow" : "short" });
  if (seconds < 60) return unit(Math.max(0, Math.round(seconds)), "second");
  if (seconds < 3600) return unit(Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return unit(Math.floor(seconds / 3600), "hour");
  return unit(Math.floor(seconds / 86400), "day");
}

export const milliseconds = (value) => (value >= 1000 ? `${number(value / 1000, 2)} s` : `${number(value, value < 10 ? 1 : 0)} ms`);

export function bytes(count) {
  const [size, name] = count >= 2 ** 20 ? [count / 2 ** 20, "MB"] : count >= 1024 ? [count / 1024, "KB"] : [count, "B"];
  return `${number(size, size < 10 ? 1 : 0)} ${name}`;
}
