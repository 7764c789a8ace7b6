// Elements made from values, never from markup, because the text of customers must stay text.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes (`class`, `aria-label`, …), handlers (`onclick`, …) and children (nodes or text). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(2).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

const PATHS = {
  attach: "M12 5v14M5 12h14",
  send: "M4 12 20 4l-5 16-3.500-6.500zM11.500 13.500 20 4",
  mic: "M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.500 11a6.500 6.500 0 0 0 13 0M12 17.500V21",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  close: "M6 6l12 12M18 6 6 18",
  check: "m5 12.500 4.500 4.500L19 7",
  checks: "m2 12.500 4.500 4.500L15 7.500M11 16l1.500 1L22 7.500",
  clock: "M12 7v5l3 2M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z",
  alert: "M12 8v5M12 16.500v.1M12 3 2.500 20h19z",
  play: "M8 5.500v13l11-6.500z",
  pause: "M8 5v14M16 5v14",
  photo: "M4 6h16v13H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500v.1",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  place: "M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21zM12 7.500a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  samples: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  list: "M5 7h.1M9 7h11M5 12h.1M9 12h11M5 17h.1M9 17h11",
  link: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  reply: "M9 6 4 11l5 5M4 11h9a7 7 0 0 1 7 7",
  more: "M6 12h.1M12 12h.1M18 12h.1",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.500 20a7.500 7.500 0 0 1 15 0",
  add: "M10 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM3 20a7 7 0 0 1 12-5M18 14v6M15 17h6",
  forward: "m15 6 5 5-5 5M20 11h-9a7 7 0 0 0-7 7",
  faults: "M13 3 5 13.500h6L10 21l9-11.500h-6.500z",
  turns: "M4 18V9M9.500 18V5M15 18v-6M20.500 18V8",
  mails: "M3.500 6h17v12.500h-17zM3.500 7l8.500 6.500L20.500 7",
  pushes: "M6 17V11a6 6 0 0 1 12 0v6l1.500 1.500h-15zM10 21h4",
  files: "M3.500 6h6l2 2.500h9V19h-17z",
  catalogue: "M3.500 12.500 12 4h8v8l-8.500 8.500zM16 8h.1",
  stripe: "M3 6h18v12.500H3zM3 10.500h18M6.500 15h4",
  events: "M12 11a1.500 1.500 0 1 0 .1 0M8 8a5.500 5.500 0 0 0 0 9M16 8a5.500 5.500 0 0 1 0 9M5 5a10 10 0 0 0 0 15M19 5a10 10 0 0 1 0 15",
  wire: "M8 7 3 12l5 5M16 7l5 5-5 5M13.500 5l-3 14",
  tap: "M9 11V5.500a1.500 1.500 0 0 1 3 0V10l5 1.500c1.500.5 2 1.500 1.700 3L17.500 20H11l-4.500-5.500 1.500-1z",
};

/** An icon that is hidden from screen readers, so that its button needs a label. */
export function icon(name, extra = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Post to the sandbox and return the answer; throws an Error with its status, whose message may be shown. */
export async function post(path, body) {
  const json = !(body instanceof FormData);
  const response = await fetch(path, {
    method: "POST",
    headers: json ? { "Content-Type": "application/json" } : {},
    body: json ? JSON.stringify(body) : body,
  }).catch(() => {
    throw failure(0, "");
  });
  return answer(response.status, await response.text());
}

/** Post a form with files; `told(share)` hears how much is uploaded, and `signal` ends the upload. */
export function upload(path, form, told, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", ({ loaded, total }) => told(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      try {
        resolve(answer(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    });
    request.addEventListener("error", () => reject(failure(0, "")));
    request.addEventListener("abort", () => reject(Object.assign(failure(0, ""), { cancelled: true })));
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", path);
    request.send(form);
  });
}

/** The error of a refused request; the status is 0 where no answer came. */
const failure = (status, text) => Object.assign(new Error(text.slice(0, 200) || `HTTP ${status}`), { status });

function answer(status, text) {
  if (status < 200 || status >= 300) throw failure(status, text);
  return text.startsWith("{") ? JSON.parse(text) : {};
}

let paths = {};

/** Set the server's paths that lead to origins on the server's machine. */
export function setUrlPaths(given = {}) {
  paths = given;
}

/** A web address as this browser reaches it; undefined for other schemes. */
export function reachable(url) {
  if (!/^https?:\/\//.test(url ?? "")) return undefined;
  const found = Object.entries(paths).find(([origin]) => url.startsWith(`${origin}/`));
  return found ? location.origin + found[1] + url.slice(found[0].length) : url;
}

/** A link that opens beside the page. */
export function outLink(url, attributes, ...children) {
  return el("a", { href: reachable(url), target: "_blank", rel: "noopener noreferrer", ...attributes }, ...children);
}

/** Show these items in their order: existing nodes stay unchanged, `make(item)` makes new nodes. */
export function sync(list, items, keyOf, make) {
  const known = new Map([...list.children].map((node) => [node.dataset.key, node]));
  let at = list.firstElementChild;
  for (const item of items) {
    const node = known.get(keyOf(item));
    if (!node) {
      const made = make(item);
      made.dataset.key = keyOf(item);
      list.insertBefore(made, at);
      continue;
    }
    while (at && at !== node) {
      const gone = at;
      at = at.nextElementSibling;
      gone.remove();
    }
    at = node.nextElementSibling;
  }
  while (at) {
    const gone = at;
    at = at.nextElementSibling;
    gone.remove();
  }
}

/** Open a menu of `popover` kind next to its button, inside the window. */
export function placeMenu(menu, anchor) {
  const box = anchor.getBoundingClientRect();
  const above = box.top > innerHeight / 2;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${above ? box.top - menu.offsetHeight - 6 : box.bottom + 6}px`;
}

/** Let the arrow keys walk through a menu's buttons. */
export function walkable(menu) {
  menu.addEventListener("keydown", (press) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[press.key];
    if (!step) return;
    press.preventDefault();
    const items = [...menu.querySelectorAll("button")];
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  });
}
