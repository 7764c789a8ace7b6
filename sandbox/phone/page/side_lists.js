// Lists beside the chat: e-mails, push notifications, files, and the events that the ERP received.

import { el, icon, outLink, post, reachable, sync } from "./dom.js";
import { linked } from "./formatting.js";
import { moment, number, t } from "./language.js";

const tag = (words, kind = "") => el("span", { class: `tag ${kind}`.trim() }, words);

/** The notice of an empty list, with a message that fills the list. */
export function emptyNotice(context, kind, starter) {
  const say = () => context.attempt(() => context.session.send({ type: "text", text: { body: t(starter) } })).then(context.toChat);
  return el(
    "div",
    { class: "empty" },
    icon(kind, "large"),
    el("h3", {}, t(`no_${kind}`)),
    el("p", {}, t(`no_${kind}_hint`)),
    starter && el("p", { class: "trial" }, `${t("try_it")} `, el("button", { type: "button", class: "starter", onclick: say }, t(starter))),
  );
}

export const realServiceNotice = (kind) => el("div", { class: "empty" }, icon(kind, "large"), el("p", {}, t("real_service")));

/** A list in a tab: `head` is redrawn each time, existing rows stay unchanged. */
export class RecordList {
  constructor(view, context) {
    Object.assign(this, { view, context, items: [] });
    this.head = el("div", { class: "view-head" });
    this.list = el("div", { class: "rows" });
    this.nothing = el("div");
    view.append(this.head, this.list, this.nothing);
  }

  ids() {
    return this.items.map((item) => this.key(item));
  }

  count() {
    return this.visible().length;
  }

  /** The items of the chosen person where the panel is for them alone; items of nobody are everybody's. */
  visible() {
    return this.items.filter((item) => this.context.people.shows(this.owner(item)));
  }

  owner() {
    return undefined;
  }

  /** The name beside a row that may be of anybody. */
  nameOf(item) {
    return this.context.people.only ? undefined : this.context.people.name(this.owner(item));
  }

  key(item) {
    return String(item.id);
  }

  isReal() {
    this.nothing.replaceChildren(realServiceNotice(this.kind));
  }

  redraw(inOtherWords) {
    if (inOtherWords) this.list.replaceChildren();
    this.head.replaceChildren(...this.heading());
    const items = this.visible();
    sync(this.list, items, (item) => this.key(item), (item) => this.row(item));
    this.nothing.replaceChildren(...(items.length ? [] : [emptyNotice(this.context, this.kind, this.starter)]));
  }

  heading() {
    return [];
  }
}

export class Mails extends RecordList {
  kind = "mails";
  starter = "starter_invoice";

  put(mails) {
    this.items = mails;
    this.redraw();
  }

  row(mail) {
    const node = el("details", { class: "entry" });
    node.append(
      el("summary", {}, icon("mails"), el("span", { class: "entry-words" }, el("strong", {}, mail.subject), el("small", {}, mail.to.join(", "))), el("time", { class: "figures", datetime: mail.at }, moment(new Date(mail.at)))),
    );
    // Frames are expensive, so that each is made when its row opens.
    node.addEventListener("toggle", () => node.open && !node.dataset.drawn && (node.dataset.drawn = "yes") && node.append(this.emailBody(mail)));
    return node;
  }

  emailBody(mail) {
    const frame = el("iframe", { class: "email-frame", sandbox: "allow-popups allow-popups-to-escape-sandbox", src: `mails/${mail.id}/page`, title: t("mail_frame", { subject: mail.subject }) });
    const text = el("pre", { class: "email-text", hidden: true, tabindex: 0 }, linked(mail.text));
    const choose = (asPage) => {
      frame.hidden = !asPage;
      text.hidden = asPage;
      asLooks.setAttribute("aria-pressed", String(asPage));
      asText.setAttribute("aria-pressed", String(!asPage));
    };
    const asLooks = el("button", { type: "button", class: "choice", onclick: () => choose(true) }, t("mail_as_page"));
    const asText = el("button", { type: "button", class: "choice", onclick: () => choose(false) }, t("mail_as_text"));
    choose(Boolean(mail.html));
    const attached = mail.attachments.map((name, at) =>
      el("a", { class: "paper", href: `mails/${mail.id}/attachments/${at}`, download: name || "file", "aria-label": t("save_file", { name }) }, icon("file"), el("span", {}, name || t("document"))),
    );
    return el(
      "div",
      { class: "entry-body" },
      el("dl", {}, el("dt", {}, t("mail_from")), el("dd", {}, mail.sender), el("dt", {}, t("mail_to")), el("dd", {}, mail.to.join(", "))),
      attached.length > 0 && el("div", { class: "attached", role: "group", "aria-label": t("attachments") }, attached),
      mail.html && el("div", { class: "choices" }, asLooks, asText),
      frame,
      text,
    );
  }
}

export class Pushes extends RecordList {
  kind = "pushes";
  starter = "starter_notify";
  browsers = 0;

  constructor(view, context, ask) {
    super(view, context);
    this.ask = ask;
  }

  put({ pushes, browsers }) {
    this.items = pushes;
    this.browsers = browsers;
    this.redraw();
  }

  key({ at, browser }) {
    return `${at}/${browser}`;
  }

  /** The token of the latest push invitation sent to the chosen person. */
  token() {
    const link = /\/push\/([\w-]{20,}\.[\w-]+)/;
    const sent = this.context.said().filter(({ direction }) => direction === "out").map(({ message }) => link.exec(JSON.stringify(message))?.[1]);
    return sent.filter(Boolean).at(-1);
  }

  heading() {
    const token = this.token();
    const subscribe = () => this.context.attempt(() => post("push/browser", { token: this.token() })).then(this.ask);
    return [
      el("strong", {}, t("browsers", { count: this.browsers })),
      el("button", { type: "button", class: "small", onclick: subscribe, disabled: !token, "aria-describedby": "subscribe-why" }, t("subscribe_browser")),
      el("small", { id: "subscribe-why" }, t(token ? "subscribe_why" : "no_link")),
    ];
  }

  row(push) {
    const lasts = push.ttl >= 3600 ? t("hours", { count: number(push.ttl / 3600) }) : t("minutes", { count: number(push.ttl / 60) });
    return el(
      "article",
      { class: "notification" },
      el("img", { src: "static/mark.svg", alt: "", width: 36, height: 36 }),
      el(
        "div",
        { class: "entry-words" },
        el("strong", {}, push.title),
        el("p", { dir: "auto" }, linked(push.body ?? "")),
        reachable(push.url) && outLink(push.url, {}, t("open")),
        el("small", {}, t("push_meta", { urgency: t(`urgency_${push.urgency ?? "normal"}`), ttl: lasts })),
      ),
      el("time", { class: "figures", datetime: push.at }, moment(new Date(push.at))),
    );
  }
}

export class Files extends RecordList {
  kind = "files";

  put(files) {
    this.items = files;
    this.redraw();
    // Links expire, so that we renew those of existing rows.
    const links = new Map(files.map((file) => [this.key(file), file.link]));
    for (const row of this.list.children) row.querySelector("a")?.setAttribute("href", reachable(links.get(row.dataset.key)) ?? "");
  }

  key({ conversation, id }) {
    return `${conversation}/${id}`;
  }

  owner({ conversation }) {
    return this.context.people.of(conversation);
  }

  row(file) {
    const facts = [file.person, file.mime, size(file.size)].filter(Boolean).join(" · ");
    return el(
      "div",
      { class: "entry file-row" },
      icon(file.mime.startsWith("image/") ? "photo" : file.mime.startsWith("audio/") ? "mic" : "file"),
      el("span", { class: "entry-words" }, el("strong", {}, file.name), el("small", {}, facts)),
      tag(t(`by_${file.by}`), file.by === "company" ? "good" : ""),
      el("time", { class: "figures", datetime: file.at }, moment(new Date(file.at))),
      file.link ? outLink(file.link, { "aria-label": `${t("open")}: ${file.name}` }, t("open")) : el("small", {}, t("no_file_link")),
    );
  }
}

const size = (bytes) => (bytes >= 1e6 ? `${number(bytes / 1e6, 1)} MB` : bytes >= 1e3 ? `${number(bytes / 1e3)} kB` : `${bytes} B`);

export class Events extends RecordList {
  kind = "events";
  refused = 0;

  put({ events, refused }) {
    this.items = events;
    this.refused = refused;
    this.redraw();
  }

  key({ id, times }) {
    return `${id}/${times}`;
  }

  owner({ data }) {
    return this.context.people.of(data?.conversation);
  }

  heading() {
    return this.refused ? [tag(t("refused_events", { count: this.refused }), "bad")] : [];
  }

  row(event) {
    const node = el("details", { class: "entry" });
    node.append(
      el(
        "summary",
        {},
        icon("events"),
        el("span", { class: "entry-words" }, el("code", {}, event.type), this.nameOf(event) && el("small", {}, this.nameOf(event))),
        event.times > 1 && tag(t("times", { count: event.times })),
        el("span", { class: "tag good" }, icon("check"), t("verified")),
        el("time", { class: "figures", datetime: event.received_at }, moment(new Date(event.received_at))),
      ),
    );
    const body = { type: event.type, timestamp: event.timestamp, data: event.data };
    const draw = () => el("div", { class: "entry-body" }, el("dl", {}, el("dt", {}, "webhook-id"), el("dd", {}, el("code", {}, event.id))), el("pre", {}, JSON.stringify(body, null, 2)));
    node.addEventListener("toggle", () => node.open && node.children.length === 1 && node.append(draw()));
    return node;
  }
}

const FIELDS = ["brand", "size", "price", "currency", "barcode"];

export class Products extends RecordList {
  kind = "catalogue";

  put(products) {
    this.items = products;
    this.redraw();
  }

  key({ id, version }) {
    return `${id}/${version}`;
  }

  row({ id, version, fields, photos, updated_at: at }) {
    const price = [fields.price && `$${fields.price}`, fields.currency].filter(Boolean).join(" ");
    const line = [fields.brand, fields.size, price, fields.barcode].filter(Boolean).join(" · ");
    const facts = [...FIELDS.filter((name) => fields[name]).map((name) => [t(`field_${name}`), fields[name]]), [t("field_version"), version], [t("field_photos"), photos]];
    return el(
      "details",
      { class: "entry" },
      el("summary", {}, icon("catalogue"), el("span", { class: "entry-words" }, el("strong", {}, fields.name ?? id), el("small", {}, line)), el("time", { class: "figures", datetime: at }, moment(new Date(at)))),
      el("div", { class: "entry-body" }, el("dl", {}, facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]))),
    );
  }
}
