// The exact messages that a turn sent to models, folded until somebody looks.

import { html } from "../frame/html.js";
import { t, word } from "../frame/language.js";

/** JSON on several lines; other text unchanged. */
export function readable(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    const parsed = JSON.parse(value);
    return parsed && typeof parsed === "object" ? JSON.stringify(parsed, null, 2) : value;
  } catch {
    return value;
  }
}

const textOf = (content) => (Array.isArray(content) ? content.map((one) => one.text ?? t("sent_image")).join("\n") : (content ?? ""));

export function TurnMessages({ asked }) {
  if (!asked?.length) return null;
  return html`<section class="panel-part"><h3>${t("exact_messages")}</h3>
    ${asked.map(
      ({ asked: model, messages }, at) => html`<details key=${at} class="folded"><summary>${t("request_number", { number: at + 1 })} <code>${model}</code></summary>
        ${messages.map(({ role, content, tool_calls: calls }, index) => html`<div key=${index} class="sent-line"><span class="tag">${word("role_of", role)}</span><pre tabindex="0" dir="auto">${[textOf(content), calls && readable(calls)].filter(Boolean).join("\n")}</pre></div>`)}
      </details>`,
    )}
  </section>`;
}
