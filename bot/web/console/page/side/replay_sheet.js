// Replay of a turn with another release of the prompts: both answers compared, and the tools that the model asked for.

import { get, post } from "../data/api.js";
import { SheetHead, showDialog } from "../frame/dialog.js";
import { html, useState } from "../frame/html.js";
import { dollars, milliseconds, moment, t, word } from "../frame/language.js";
import { attempt } from "../frame/toasts.js";
import { readable } from "./turn_messages.js";

export async function showReplay(id, conversation, release) {
  const found = await attempt(() => get("/releases"));
  if (found) await showDialog(ReplaySheet, { id, conversation, of: release, releases: found.releases });
}

const state = ({ release, current, candidate }, of) => [current && t("release_current"), candidate && t("release_candidate"), release === of && t("release_of_turn")].filter(Boolean).join(", ");

function ReplaySheet({ id, conversation, of, releases, close }) {
  const [release, choose] = useState((releases.find((one) => one.current) ?? releases[0])?.release ?? "");
  const [{ busy, found }, put] = useState({});
  const run = async (event) => {
    event.preventDefault();
    if (busy) return;
    put({ busy: true });
    const answer = await attempt(() => post(`/turns/${encodeURIComponent(id)}/replay`, { conversation, release: release || null }));
    put({ found: answer });
  };
  return html`<${SheetHead} title=${t("replay")} close=${close} />
    <p class="muted">${t("replay_hint")}</p>
    <form class="replay-form" onSubmit=${run}>
      <label>${t("prompt_release")}
        <select value=${release} onChange=${({ target }) => choose(target.value)}>
          ${releases.map((one) => html`<option key=${one.release} value=${one.release}>${[one.release, state(one, of), moment(one.at), one.note].filter(Boolean).join(" · ")}</option>`)}
        </select></label>
      <button class="wide-button" aria-disabled=${busy} aria-busy=${busy}>${t(busy ? "replay_busy" : "replay_run")}</button>
    </form>
    <div role="status">${busy ? html`<p class="muted">${t("replay_asking")}</p>` : found ? html`<${Found} found=${found} />` : null}</div>`;
}

const HOW = { gone: "del", new: "ins" };

function Found({ found }) {
  const { answer, diff, tools, requests, cost_usd: cost, pictures_left_out: pictures } = found;
  const equal = diff.every(({ how }) => how === "same");
  const spent = requests.reduce((sum, { ms }) => sum + ms, 0);
  return html`<section class="panel-part"><h3>${t("replay_difference")}</h3>
      ${equal && html`<p class="muted">${t("replay_equal")}</p>`}
      <p class="seen difference" dir="auto">${diff.map(({ how, text }, at) => (HOW[how] ? html`<${HOW[how]} key=${at}>${text}<//>` : html`<span key=${at}>${text}</span>`))}</p>
      <p class="muted figures">${[requests.at(-1)?.served || requests.at(-1)?.asked, dollars(cost), milliseconds(spent)].filter(Boolean).join(" · ")}</p>
      ${pictures > 0 && html`<p class="problem">${t("replay_pictures")}</p>`}
    </section>
    ${!equal && html`<section class="panel-part"><h3>${t("replay_answer")}</h3><p class="seen" dir="auto">${answer}</p></section>`}
    ${tools.length > 0 && html`<section class="panel-part"><h3>${t("tools")}</h3>${tools.map(
      (one, at) => html`<div key=${at} class="item"><p class="item-head"><b>${word("tool", one.name)}</b><span class=${`tag ${one.how === "refused" ? "bad" : ""}`}>${t(`replay_tool_${one.how}`)}</span></p>
        ${Object.keys(one.arguments).length > 0 && html`<p class="muted">${t("arguments")}</p><pre tabindex="0">${readable(one.arguments)}</pre>`}</div>`,
    )}</section>`}`;
}
