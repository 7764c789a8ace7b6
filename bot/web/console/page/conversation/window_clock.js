// WhatsApp's 24-hour window as a clock that empties; shut, it is a lock.

import { html, names } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { duration, t } from "../frame/language.js";
import { secondsSince } from "../data/now.js";

const DAY = 24 * 3600;
const SOON = 2 * 3600;
const AROUND = 2 * Math.PI * 7;

/** Seconds until the window shuts; not above zero where it is shut. */
export const windowLeft = (one) => (one?.window_closes_at ? -secondsSince(one.window_closes_at) : 0);

export function WindowClock({ one, words }) {
  const left = windowLeft(one);
  const said = left > 0 ? t("window_open", { left: duration(Math.min(left, DAY - 1)) }) : t("window_shut");
  if (left <= 0) return html`<span class="window-clock shut" role="img" aria-label=${said} title=${said}><${Icon} name="lock" />${words && html`<span aria-hidden="true">${said}</span>`}</span>`;
  const share = Math.min(1, left / DAY);
  return html`<span class=${names("window-clock", { soon: left < SOON })} role="img" aria-label=${said} title=${said}>
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <circle class="clock-ground" cx="10" cy="10" r="7" />
      <circle class="clock-left" cx="10" cy="10" r="7" stroke-dasharray=${`${AROUND * share} ${AROUND}`} transform="rotate(-90 10 10)" />
    </svg>
    ${(words || left < SOON) && html`<span class="clock-words" aria-hidden="true">${words ? said : duration(left)}</span>`}
  </span>`;
}
