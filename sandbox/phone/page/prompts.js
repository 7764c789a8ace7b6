// The result of a save in the prompts' folder: a short notice of a release, or the mistakes until they are mended.

import { byId, el } from "./dom.js";
import { current, has, onLanguage, t, time } from "./language.js";

const BRIEF_MS = 8000;
const SHORT = 12;
let latest;
let fading;

/** Show an event `prompts`; `fresh` events arrive now, others were found when the page loaded. */
export function show(event, fresh = true) {
  if (!event) return;
  latest = event;
  clearTimeout(fading);
  const wrong = event.state === "wrong";
  byId("prompts-wrong").replaceChildren(...(wrong ? [mistakes(event)] : []));
  const told = !wrong && (fresh || event.findings.length > 0);
  byId("prompts-released").replaceChildren(...(told ? [release(event)] : []));
  if (told && !event.findings.length) fading = setTimeout(() => byId("prompts-released").replaceChildren(), BRIEF_MS);
}

const short = (release) => el("code", {}, (release ?? "—").slice(0, SHORT));

function mistakes({ findings, release }) {
  const errors = findings.filter(({ severity }) => severity === "error");
  const count = t(errors.length === 1 ? "prompts_one" : "prompts_many", { count: errors.length });
  const title = el("summary", {}, el("strong", {}, t("prompts_wrong")), " ", count, " ", t("prompts_goes_on"), " ", short(release));
  return el("details", { class: "prompt-news wrong", open: true }, title, list(errors));
}

function release({ release: name, how, findings }) {
  const words = [el("strong", {}, t(has(`prompts_${how}`) ? `prompts_${how}` : "prompts_released")), " ", short(name), " · ", time(new Date())];
  if (!findings.length) return el("p", { class: "prompt-news released" }, ...words);
  const hints = t(findings.length === 1 ? "prompts_hint" : "prompts_hints", { count: findings.length });
  return el("details", { class: "prompt-news released" }, el("summary", {}, ...words, " · ", hints), list(findings));
}

const list = (findings) => el("ul", { tabindex: "0", "aria-label": t("prompts_places") }, findings.map(finding));

function finding({ file, line, column, code, message, fix, words }) {
  const place = el("code", { title: file }, `${file.split("/").pop()}:${line}:${column}`);
  const { title, hint } = words?.[current()] ?? { title: code };
  const detail = el("details", {}, el("summary", {}, t("error_detail")), el("span", { lang: "en" }, message, fix && el("em", {}, ` → ${fix}`)));
  return el("li", {}, place, " ", el("strong", {}, title), hint && el("span", {}, hint), detail);
}

onLanguage(() => latest && show(latest, byId("prompts-released").childElementCount > 0));
