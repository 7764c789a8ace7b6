// The present moment, which moves on twice a minute for all durations of the page.

import { signal } from "./html.js";

export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 30000);

export const secondsSince = (at) => (now.value - new Date(at)) / 1000;
