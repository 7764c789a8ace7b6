// The texts of the page in the chosen language, and its dates, numbers and durations.

import { computed, effect, signal } from "./html.js";
import { EN } from "./texts/en.js";
import { ES } from "./texts/es.js";

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

/** `one` or `many` after the language's rule. */
export const counted = (key, count, values = {}) =>
  t(`${key}_${new Intl.PluralRules(locale.value).select(count) === "one" ? "one" : "many"}`, { count: number(count), ...values });

export const number = (value, digits = 0) => Number(value).toLocaleString(locale.value, { maximumFractionDigits: digits });
export const percent = (share) => Number(share).toLocaleString(locale.value, { style: "percent", maximumFractionDigits: 0 });

/** US dollars; small amounts keep the digits that count. */
export function dollars(value) {
  const amount = Number(value);
  if (!Number.isFinite(amount)) return "";
  const digits = amount !== 0 && Math.abs(amount) < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 };
  return amount.toLocaleString(locale.value, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", ...digits });
}

export function money(amount, currency) {
  const digits = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  return (amount / 10 ** digits).toLocaleString(locale.value, { style: "currency", currency });
}

export const clock = (at) => new Date(at).toLocaleTimeString(locale.value, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const fullTime = (at) => new Date(at).toLocaleString(locale.value, { dateStyle: "full", timeStyle: "short" });

const daysAgo = (at) => Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);

export function day(at) {
  const ago = daysAgo(at);
  if (ago === 0 || ago === 1) return t(ago ? "yesterday" : "today");
  return new Date(at).toLocaleDateString(locale.value, { day: "numeric", month: "long", year: ago > 300 ? "numeric" : undefined, weekday: ago < 7 ? "long" : undefined });
}

/** The time of today, else the day, as narrow as a row needs. */
export function brief(at) {
  if (!at) return "";
  const ago = daysAgo(at);
  if (ago <= 0) return clock(at);
  if (ago === 1) return t("yesterday");
  return new Date(at).toLocaleDateString(locale.value, ago < 7 ? { weekday: "short" } : { day: "numeric", month: "short", year: ago > 300 ? "2-digit" : undefined });
}

/** The day, where it is not today, and the time. */
export const moment = (at) => (daysAgo(at) === 0 ? clock(at) : `${brief(at)}, ${clock(at)}`);

/** A duration in its largest unit: 40 s, 12 min, 3 h, 2 d. */
export function duration(seconds) {
  const unit = (value, name) => new Intl.NumberFormat(locale.value, { style: "unit", unit: name, unitDisplay: name === "day" ? "narrow" : "short" }).format(value);
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
