// What the assistant is doing right now in the open conversation.

import { html } from "../frame/html.js";
import { Icon } from "../frame/icon.js";
import { has, t, word } from "../frame/language.js";
import { secondsSince } from "../data/now.js";
import { working } from "./thread.js";

const LONGEST_SECONDS = 180;

export function Working({ id }) {
  const turn = working.value.get(id);
  // The end of a turn may have been missed.
  if (!turn || secondsSince(turn.started_at ?? Date.now()) > LONGEST_SECONDS) return null;
  return html`<p class="working" role="status"><${Icon} name="bot" /><span>${doing(turn)}</span><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span></p>`;
}

function doing(turn) {
  const tool = turn.tools?.at(-1)?.name;
  if (tool) return t("doing_tool", { tool: word("tool", tool) });
  const station = turn.station ?? turn.stations?.at(-1)?.station;
  return station && has(`doing_${station}`) ? t(`doing_${station}`) : t("doing_thinking");
}
