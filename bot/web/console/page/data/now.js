// The present moment, which moves on for all durations of the page: every second under a minute, else twice a minute.

import { signal } from "../frame/html.js";

const MINUTE = 60000;
const halfMinutes = signal(Date.now());
const seconds = signal(Date.now());
setInterval(() => (halfMinutes.value = Date.now()), MINUTE / 2);
setInterval(() => (seconds.value = Date.now()), 1000);

export function secondsSince(at) {
  const then = new Date(at).getTime();
  const moving = Math.abs(Date.now() - then) < MINUTE ? seconds : halfMinutes;
  // A part of the page that reads a signal is drawn anew when it moves.
  return (Math.max(moving.value, Date.now()) - then) / 1000;
}
