// WhatsApp's formatting and links as Preact components.

import { h } from "preact";
import { linkedNodes, whatsAppNodes } from "./whatsapp_text.js";

const make = { element: h, link: (url) => h(OutLink, { href: url }, url) };

/** The text as the app shows it. */
export const WhatsAppText = ({ text }) => whatsAppNodes(text, make);

/** Text whose web addresses are links. */
export const linked = (text) => linkedNodes(text, make);

/** A link that opens beside the page; only web addresses are links. */
export function OutLink({ href, children, ...rest }) {
  if (!/^(https?:\/\/|\/(?!\/))/.test(href ?? "")) return h("span", {}, children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", ...rest }, children);
}
