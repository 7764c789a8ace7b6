// The initials of somebody on a colour that stays theirs.

import { html, names } from "./html.js";

const COLOURS = 8;

export function Avatar({ name, small }) {
  const words = (name ?? "").replace(/[^\p{L}\p{N} ]/gu, "").trim().split(/\s+/).filter(Boolean);
  const letters = /^\d/.test(words[0] ?? "") ? words[0].slice(-2) : words.slice(0, 2).map((word) => [...word][0]).join("");
  return html`<span class=${names("avatar", `colour-${hash(name ?? "") % COLOURS}`, { "avatar-small": small })} data-letters=${letters.toUpperCase() || "?"} aria-hidden="true"></span>`;
}

const hash = (text) => [...text].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) >>> 0, 7);
