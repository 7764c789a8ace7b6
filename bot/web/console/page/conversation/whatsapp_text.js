// WhatsApp's marks as elements: *bold* _italic_ ~strike~ `code` ```block```, lists and quotes; all else is text.
// The sandbox's phone uses this module too, so it makes nodes only by the functions that its callers give.

const TAGS = { "*": "strong", _: "em", "~": "s" };
const LINK = /https?:\/\/[^\s<>"]+/g;
const WORD = /[\p{L}\p{N}]/u;
const LINES = [
  { tag: "ul", pattern: /^\s*[-*] (.*)$/ },
  { tag: "ol", pattern: /^\s*(\d{1,3})\. (.*)$/ },
  { tag: "blockquote", pattern: /^> ?(.*)$/ },
];

/** Nodes of a text as the app shows it. `make` has `element(tag, attributes, children)` and `link(url)`. */
export function whatsAppNodes(text, make) {
  return text.split(/```([\s\S]+?)```/).flatMap((part, index) => {
    if (index % 2) return make.element("pre", {}, part.replace(/^\n|\n$/g, ""));
    return part ? blocks(part, make) : [];
  });
}

/** Strings and links of a text: its web addresses become links, and every other scheme stays text. */
export function linkedNodes(text, make) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const url = match[0].replace(/[.,;:!?)\]}'*_~]+$/, "");
    nodes.push(text.slice(from, match.index), make.link(url));
    from = match.index + url.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

/** Elements of consecutive lines: a list, a quote or a paragraph for each run of lines of one kind. */
function blocks(text, make) {
  const groups = [];
  for (const line of text.split("\n")) {
    const kind = LINES.find(({ pattern }) => pattern.test(line));
    const found = kind?.pattern.exec(line);
    const tag = kind?.tag ?? "p";
    if (groups.at(-1)?.tag !== tag) groups.push({ tag, start: found?.[1], lines: [] });
    groups.at(-1).lines.push(found ? found.at(-1) : line);
  }
  return groups.map((group) => block(group, make));
}

function block({ tag, start, lines }, make) {
  if (tag === "ul" || tag === "ol") {
    const items = lines.map((line) => make.element("li", {}, inline(line, make)));
    return make.element(tag, tag === "ol" ? { start } : {}, items);
  }
  const trimmed = tag === "p" ? lines.join("\n").replace(/^\n+|\n+$/g, "") : lines.join("\n");
  return trimmed ? make.element(tag, {}, inline(trimmed, make)) : null;
}

/** Nodes of a line or paragraph, with nested marks. */
function inline(text, make) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(...linkedNodes(plain, make));
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
    nodes.push(text[at] === "`" ? make.element("code", {}, inside) : make.element(TAGS[text[at]], {}, inline(inside, make)));
    at = end;
  }
  flush();
  return nodes;
}

/** Index of the mark that closes the one at `at`, or -1: marks stand at word edges, on one line. */
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
