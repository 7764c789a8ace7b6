// One dialog at a time over the page; the focus goes back to where it was.

import { html, signal, useEffect, useRef } from "./html.js";
import { IconButton } from "./icon.js";
import { t } from "./language.js";

const shown = signal(undefined);

/** Show a component as a dialog; it gets `close(result)`, and the promise gives the result. */
export const showDialog = (component, props = {}) =>
  new Promise((resolve) => {
    shown.value?.resolve(undefined);
    shown.value = { component, props, resolve, back: document.activeElement, key: (shown.value?.key ?? 0) + 1 };
  });

export function closeDialog(result) {
  const { resolve, back } = shown.value ?? {};
  // While the modal is open nothing behind it takes the focus.
  document.querySelector("#dialog-of-page[open]")?.close();
  shown.value = undefined;
  if (back?.isConnected) back.focus();
  resolve?.(result);
}

export function Dialog() {
  if (!shown.value) return null;
  const { component, props, key } = shown.value;
  return html`<${Modal} key=${key} id="dialog-of-page" onCancel=${() => closeDialog()}><${component} ...${props} close=${closeDialog} /><//>`;
}

/** A modal of the browser's own, which keeps the focus inside and closes with Escape. */
export function Modal({ onCancel, children, class: extra = "", id, label }) {
  const element = useRef();
  useEffect(() => {
    element.current.showModal();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onCancel();
  };
  const outside = (event) => event.target === element.current && onCancel();
  return html`<dialog ref=${element} id=${id} class=${`sheet ${extra}`} aria-label=${label} aria-labelledby=${label ? undefined : "sheet-title"} onCancel=${cancel} onMouseDown=${outside}>${children}</dialog>`;
}

export const SheetHead = ({ title, close }) =>
  html`<header class="sheet-head"><h2 id="sheet-title">${title}</h2><${IconButton} icon="close" label=${t("close_sheet")} onClick=${() => close()} /></header>`;
