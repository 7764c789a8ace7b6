// WhatsApp's marks as elements: *bold* _italic_ ~strike~ `code` ```block```, lists and quotes; all else is text.

import { el, outLink, reachable } from "./dom.js";

const TAGS = { "*": "strong", _: "em", "~": "s" };
const LINK = /https?:\/\/[^\s<>"]+/g;
const WORD = /[\p{L}\p{N}]/u;
const LINES = [
  { tag: "ul", pattern: /^\s*[-*] (.*)$/ },
  { tag: "ol", pattern: /^\s*(\d{1,3})\. (.*)$/ },
  { tag: "blockquote", pattern: /^> ?(.*)$/ },
];

/** The text as the app shows it. */
export function formatted(words) {
  const fragment = document.createDocumentFragment();
  words.split(/```([\s\S]+?)```/).forEach((part, index) => {
    if (index % 2) fragment.append(el("pre", {}, part.replace(/^\n|\n$/g, "")));
    else if (part) fragment.append(...blocks(part));
  });
  return fragment;
}

function blocks(text) {
  const groups = [];
  for (const line of text.split("\n")) {
    const kind = LINES.find(({ pattern }) => pattern.test(line));
    const found = kind?.pattern.exec(line);
    const last = groups.at(-1);
    const tag = kind?.tag ?? "p";
    if (last?.tag !== tag) groups.push({ tag, start: found?.[1], lines: [] });
    groups.at(-1).lines.push(found ? found.at(-1) : line);
  }
  return groups.map(block);
}

function block({ tag, start, lines }) {
  if (tag === "ul" || tag === "ol") {
    return el(tag, tag === "ol" ? { start } : {}, lines.map((line) => el("li", {}, inline(line))));
  }
  const trimmed = tag === "p" ? lines.join("\n").replace(/^\n+|\n+$/g, "") : lines.join("\n");
  return trimmed ? el(tag, {}, inline(trimmed)) : document.createTextNode("");
}

function inline(text) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(...linked(plain));
    plain = "";
  };
  for (let at = 0; at < text.length; at += 1) {
    const end = closing(text, at);
    if (end === -1) {
      plain += text[at];
      continue;
    }
    flush();
    const inside = text.slice(at + 1, end);
    nodes.push(text[at] === "`" ? el("code", {}, inside) : el(TAGS[text[at]], {}, inline(inside)));
    at = end;
  }
  flush();
  return nodes;
}

/** The place where the mark that opens here closes, or -1: marks stand at word edges, on one line. */
function closing(text, at) {
  const mark = text[at];
  if (mark !== "`" && !TAGS[mark]) return -1;
  if (WORD.test(text[at - 1] ?? "") || !/\S/.test(text[at + 1] ?? " ")) return -1;
  for (let end = text.indexOf(mark, at + 2); end !== -1; end = text.indexOf(mark, end + 1)) {
    if (text.slice(at, end).includes("\n")) return -1;
    if (/\S/.test(text[end - 1]) && !WORD.test(text[end + 1] ?? "")) return end;
  }
  return -1;
}

/** Text whose addresses are links. */
export function linked(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const url = match[0].replace(/[.,;:!?)\]}'*_~]+$/, "");
    nodes.push(text.slice(from, match.index), outLink(url, {}, reachable(url)));
    from = match.index + url.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}
