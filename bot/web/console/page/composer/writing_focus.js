// The focus of the box to write in: at once where the box is there, else when it appears, so that no key gets lost.

const WANTED_MS = 1500;
let until = 0;

/** Put the cursor into the box. */
export function focusWriting() {
  const box = document.getElementById("words");
  until = Date.now() + WANTED_MS;
  box?.focus();
}

/** A box that has just appeared takes the cursor if somebody waits for it. */
export function takeFocus(box) {
  if (Date.now() < until) box.focus();
  until = 0;
}
