// Icons as outlines; each is hidden from screen readers, so its button needs a label.

import { html } from "./html.js";

const PATHS = {
  inbox: "M4 13 6.500 5h11L20 13v6H4zM4 13h4.500l1.500 2.500h4l1.500-2.500H20",
  reports: "M5 19V11M10 19V5M15 19v-6M20 19V9",
  trust: "M12 3.500 5 6v5.500c0 4.500 3 7.500 7 9 4-1.500 7-4.500 7-9V6zM9 12l2.200 2.200L15.500 10",
  documents: "M12 6.500C10 5 7 4.500 3.500 4.500v13c3.500 0 6.500.500 8.500 2 2-1.500 5-2 8.500-2v-13C17 4.500 14 5 12 6.500zM12 6.500v13",
  audit: "M6 3.500h9l3 3v14H6zM9 11h6M9 14.500h6M9 7.500h3",
  people: "M9 5a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM2.500 19.500a6.500 6.500 0 0 1 13 0M16 5.500a3.500 3.500 0 0 1 0 6.500M18 14.500a6.500 6.500 0 0 1 3.500 5",
  search: "M10.500 4.500a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
  attach: "m19.500 11-7.800 7.800a4.600 4.600 0 0 1-6.500-6.500l8-8a3 3 0 0 1 4.300 4.300l-7.800 7.800a1.500 1.500 0 0 1-2.100-2.100L14.500 8",
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
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  place: "M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21zM12 7.500a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  reply: "M9 6 4 11l5 5M4 11h9a7 7 0 0 1 7 7",
  back: "M15 5l-7 7 7 7",
  more: "M6 12h.1M12 12h.1M18 12h.1",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.500 20a7.500 7.500 0 0 1 15 0",
  bot: "M5 9h14v10H5zM12 9V5.500M12 5.500a1 1 0 1 0 0-2 1 1 0 0 0 0 2zM9.500 13.500v1M14.500 13.500v1M2.500 13v3M21.500 13v3",
  note: "M5 4h14v11l-5 5H5zM14 20v-5h5M8.500 8.500h7M8.500 12h4",
  label: "M3.500 12.500 12 4h8v8l-8.500 8.500zM16 8h.1",
  template: "M4 5h16v4H4zM4 12h7v7H4zM14 12h6v7h-6z",
  buttons: "M4 4h16v5H4zM4 12.500h16v3.500H4zM4 19.500h16",
  slash: "M14.500 5 9.500 19M4 4h16v16H4z",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  take: "M7 11V6.500a1.500 1.500 0 0 1 3 0V11M10 10V5a1.500 1.500 0 0 1 3 0v5M13 10V6a1.500 1.500 0 0 1 3 0v5M16 11V8.500a1.500 1.500 0 0 1 3 0V14a7 7 0 0 1-7 7c-3 0-4.500-1.500-6-4l-2.300-3.700A1.600 1.600 0 0 1 6.300 11.500L7 12.500z",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.500 1.500h-15zM10 21h4",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400",
  keyboard: "M3 7h18v10.500H3zM6.500 10.500h.1M10 10.500h.1M13.500 10.500h.1M17 10.500h.1M8 14h8",
  why: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.7.300-1 .9-1 1.700M12 16.500v.1",
  retry: "M19.500 12a7.500 7.500 0 1 1-2.300-5.400M19.500 4v4h-4",
  edit: "M4 20l1-4.500L16 4.500l3.500 3.500L8.500 19z",
  down: "M12 5v14M6 13l6 6 6-6",
  out: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  exit: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  menu: "M4 7h16M4 12h16M4 17h16",
  panel: "M3.500 5h17v14h-17zM14.500 5v14",
};

export const Icon = ({ name, extra }) => html`<svg class=${`icon ${extra ?? ""}`} viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

/** A button that is only an icon, with its name for everybody. */
export const IconButton = ({ icon, label, keys, ...rest }) =>
  html`<button type="button" class="plain" aria-label=${label} title=${keys ? `${label} (${keys})` : label} aria-keyshortcuts=${keys} ...${rest}><${Icon} name=${icon} /></button>`;
