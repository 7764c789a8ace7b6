// Raw webhooks and Graph calls in a tab, and raw events of Stripe in a sheet.

import { el, icon, post } from "./dom.js";
import { moment, t } from "./language.js";
import { raw } from "./sheets.js";
import { RecordList } from "./side_lists.js";

const pretty = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const mark = (status) => el("span", { class: `tag ${status >= 200 && status < 300 ? "good" : "bad"}` }, status || t("no_answer"));

export class Wire extends RecordList {
  kind = "wire";

  put(exchanges) {
    this.items = exchanges;
    this.redraw();
  }

  owner({ people, ids }) {
    return this.context.people.ofAny([...people, ...ids]);
  }

  /** Open the rows about this message, and scroll to the newest. */
  find(wamid) {
    const found = this.items.filter(({ ids }) => ids.includes(wamid)).map((item) => this.key(item));
    for (const row of this.list.children) row.open = found.includes(row.dataset.key);
    this.list.querySelector("details[open]")?.scrollIntoView({ block: "start" });
    this.list.querySelector("details[open] > summary")?.focus({ preventScroll: true });
  }

  row(exchange) {
    const node = el("details", { class: "entry" });
    const words = el("span", { class: "entry-words" }, el("strong", {}, t(`wire_${exchange.kind}`), exchange.about.length > 0 && [": ", el("code", {}, exchange.about.join(", "))]), el("small", {}, [this.nameOf(exchange), exchange.line.slice(0, 90)].filter(Boolean).join(" · ")));
    node.append(el("summary", {}, icon("wire"), words, mark(exchange.status), el("time", { class: "figures", datetime: exchange.at }, moment(new Date(exchange.at)))));
    // Bodies are large, so that each is loaded when its row opens.
    node.addEventListener("toggle", () => node.open && !node.dataset.drawn && (node.dataset.drawn = "yes") && this.load(exchange, node));
    return node;
  }

  load({ id, kind }, node) {
    return this.context.attempt(async () => {
      const { line, request, answer } = await (await fetch(`wire/${id}`)).json();
      const again = () => this.context.attempt(() => post(`wire/${id}/again`, {}));
      const part = (title, text) => text && [el("h4", {}, t(title)), el("pre", { tabindex: 0 }, pretty(text))];
      node.append(
        el(
          "div",
          { class: "entry-body" },
          el("code", {}, line),
          part("wire_request", request),
          part("wire_answer", answer),
          kind === "webhook" && el("div", { class: "choices" }, el("button", { type: "button", class: "choice", onclick: again }, t("send_again"))),
        ),
      );
    });
  }
}

/** The JSON of an event of Stripe, with a button that sends it again. */
export async function rawEvent(id, type, context) {
  await context.attempt(async () => {
    const event = await (await fetch(`stripe/events/${encodeURIComponent(id)}`)).json();
    raw(type, JSON.stringify(event, null, 2), t("send_again"), () => context.attempt(() => post(`stripe/events/${encodeURIComponent(id)}/again`, {})));
  });
}
