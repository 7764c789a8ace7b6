// Templates that become elements: a value in a template is text or an attribute, never markup.

import htm from "htm";
import { h } from "preact";

export { render } from "preact";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal, useSignal } from "@preact/signals";

export const html = htm.bind(h);

/** Class names from those whose condition holds: `names("row", { chosen: true })`. */
export const names = (...parts) =>
  parts
    .flatMap((part) => (part && typeof part === "object" ? Object.keys(part).filter((name) => part[name]) : (part ?? [])))
    .filter(Boolean)
    .join(" ");
