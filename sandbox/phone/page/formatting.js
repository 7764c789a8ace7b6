// WhatsApp's formatting and links as elements of the document.

import { el, outLink, reachable } from "./dom.js";
// The console's module, which the sandbox's server offers here.
import { linkedNodes, whatsAppNodes } from "./whatsapp_text.js";

const make = { element: el, link: (url) => outLink(url, {}, reachable(url)) };

/** The text as the app shows it. */
export const formatted = (text) => whatsAppNodes(text, make);

/** Text whose web addresses are links. */
export const linked = (text) => linkedNodes(text, make);
