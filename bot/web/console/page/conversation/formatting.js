// WhatsApp's marks as elements: *bold* _italic_ ~strike~ `code` ```block```, lists and quotes; all else is text.

import { h } from "preact";

const TAGS = { "*": "strong", _: "em", "~": "s" };
const LINK = /https?:\/\/[^\s<>"]+/g;
const WORD = /[\p{L}\p{N}]/u;
const LINES = [
  { tag: "ul", pattern: /^\s*[-*] (.*)$/ },
  { tag: "ol", pattern: /^\s*(\d{1,3})\. (.*)$/ },
  { tag: "blockquote", pattern: /^> ?(.*)$/ },
];

/** The text as the app shows it. */
export const WhatsAppText = ({ text }) =>
  text.split(/```([\s\S]+?)```/).flatMap((part, index) => {
    if (index % 2) return h("pre", {}, part.replace(/^\n|\n$/g, ""));
    return part ? blocks(part) : [];
  });

function blocks(text) {
  const groups = [];
  for (const line of text.split("\n")) {
    const kind = LINES.find(({ pattern }) => pattern.test(line));
    const found = kind?.pattern.exec(line);
    const tag = kind?.tag ?? "p";
    if (groups.at(-1)?.tag !== tag) groups.push({ tag, start: found?.[1], lines: [] });
    groups.at(-1).lines.push(found ? found.at(-1) : line);
  }
  return groups.map(block);
}

function block({ tag, start, lines }) {
  if (tag === "ul") return h("ul", {}, lines.map((line) => h("li", {}, inline(line))));
  if (tag === "ol") return h("ol", { start }, lines.map((line) => h("li", {}, inline(line))));
  const trimmed = tag === "p" ? lines.join("\n").replace(/^\n+|\n+$/g, "") : lines.join("\n");
  return trimmed ? h(tag, {}, inline(trimmed)) : null;
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
    nodes.push(text[at] === "`" ? h("code", {}, inside) : h(TAGS[text[at]], {}, inline(inside)));
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
  const line = text.indexOf("\n", at);
  const limit = line === -1 ? text.length : line;
  for (let end = text.indexOf(mark, at + 2); end !== -1 && end < limit; end = text.indexOf(mark, end + 1)) {
    if (/\S/.test(text[end - 1]) && !WORD.test(text[end + 1] ?? "")) return end;
  }
  return -1;
}

/** Text whose web addresses are links; every other scheme stays text. */
export function linked(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const url = match[0].replace(/[.,;:!?)\]}'*_~]+$/, "");
    nodes.push(text.slice(from, match.index), h(OutLink, { href: url }, url));
    from = match.index + url.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

/** A link that opens beside the page; only web addresses are links. */
export function OutLink({ href, children, ...rest }) {
  if (!/^(https?:\/\/|\/(?!\/))/.test(href ?? "")) return h("span", {}, children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", ...rest }, children);
}
