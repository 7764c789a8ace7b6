// A reply as people read it: the marks that the model's memory has for buttons, links and files become words of the page.

import { t } from "./language.js";

const MARKS = [
  [/\(to tap: ([^]*)\)$/, (_, choices) => `${t("mark_to_tap")}: ${choices.split(" | ").join(" · ")}`],
  [/\(link: (.*) (\S+)\)$/, (_, label, url) => `${t("mark_link")}: ${label} · ${url}`],
  [/\(button: send location\)$/, () => `${t("mark_to_tap")}: ${t("request_place")}`],
  [/^\(voice note\)$/, () => t("mark_voice")],
  [/^\((?:picture|attachment): (.*?)\)/, (_, name) => `${t("mark_file")}: ${name}`],
  [/^\(template (.*)\)$/, (_, rest) => `${t("mark_template")}: ${rest}`],
];

export const replyText = (text) => MARKS.reduce((words, [mark, said]) => words.replace(mark, said), text);
