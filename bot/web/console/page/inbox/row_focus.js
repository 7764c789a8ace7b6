// The row that j and k have reached: it gets the focus once it is drawn, so that Enter means what is seen chosen.

import { signal } from "../frame/html.js";

export const rowToFocus = signal("");

/** The conversation whose row has the focus, or nothing. */
export const focusedRow = () => document.activeElement?.closest?.(".conversation-row")?.dataset.id;
