// Raw webhooks and Graph calls in a tab, and raw events of Stripe in a sheet.

import { el, icon, post } from "./dom.js";
import { moment, t } from "./language.js";
import { json, raw } from "./sheets.js";
import { RecordList } from "./side_lists.js";

const DRAFTS = ["text", "status", "account", "unknown"];

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

  heading() {
    const kinds = el("select", { "aria-label": t("draft_kind") }, DRAFTS.map((kind) => el("option", { value: kind }, t(`draft_${kind}`))));
    kinds.value = this.drafting ?? DRAFTS[0];
    kinds.addEventListener("change", () => (this.drafting = kinds.value));
    const write = () => this.context.attempt(async () => {
      const query = new URLSearchParams({ kind: kinds.value, person: this.context.session.person.bsuid });
      this.write(JSON.stringify(await (await fetch(`wire/draft?${query}`)).json(), null, 2));
    });
    return [el("div", { class: "choices" }, kinds, el("button", { type: "button", class: "choice", onclick: write }, t("write_webhook")))];
  }

  /** Let somebody edit a webhook, and send it as Meta's. */
  write(text) {
    json(t("own_webhook"), text, (whole) => this.context.attempt(() => post("wire", whole)));
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
      const part = (title, text) => text && [el("h3", {}, t(title)), el("pre", { tabindex: 0 }, pretty(text))];
      node.append(
        el(
          "div",
          { class: "entry-body" },
          el("code", {}, line),
          part("wire_request", request),
          part("wire_answer", answer),
          kind === "webhook" && el("div", { class: "choices" }, button(t("send_again"), again), button(t("edit_and_send"), () => this.write(pretty(request)))),
        ),
      );
    });
  }
}

const button = (words, onclick) => el("button", { type: "button", class: "choice", onclick }, words);

/** The JSON of an event of Stripe, with buttons that send it again, as it is or edited. */
export async function rawEvent(id, type, context) {
  await context.attempt(async () => {
    const event = await (await fetch(`stripe/events/${encodeURIComponent(id)}`)).json();
    const text = JSON.stringify(event, null, 2);
    const again = () => context.attempt(() => post(`stripe/events/${encodeURIComponent(id)}/again`, {}));
    const edit = () => json(t("own_event"), text, (whole) => context.attempt(() => post("stripe/events", whole)));
    raw(type, text, [t("send_again"), again], [t("edit_and_send"), edit]);
  });
}
