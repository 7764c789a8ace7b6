// The list of conversations: only the rows in sight are elements, so that 10,000 scroll like ten.

import { chooseTab, counts, filterByLabel, hasMore, known, label, loading, loadMore, problem, query, reload, rows, search, TABS, tab } from "./conversations.js";
import { html, names, useEffect, useLayoutEffect, useRef, useState } from "../frame/html.js";
import { Icon, IconButton } from "../frame/icon.js";
import { InboxRow } from "./inbox_row.js";
import { number, t } from "../frame/language.js";
import { lists } from "../data/lists.js";
import { openId } from "../frame/route.js";
import { rowToFocus } from "./row_focus.js";

export const ROW_HEIGHT = 80;
// Rows beyond each edge, drawn before they are seen.
const BEYOND = 6;
const SEARCH_AFTER_MS = 220;

export function InboxList() {
  return html`<section class="list" aria-label=${t("conversations")}>
    <${Search} />
    ${!query.value && html`<${Tabs} />`}
    ${problem.value && html`<p class="problem list-problem" role="alert">${problem.value.words} <button type="button" class="link" onClick=${reload}>${t("try_again")}</button></p>`}
    <${Rows} />
  </section>`;
}

function Search() {
  const [words, type] = useState(query.value);
  const timer = useRef();
  useEffect(() => {
    if (!query.value) type("");
  }, [query.value, tab.value]);
  const change = (text) => {
    type(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => search(text), SEARCH_AFTER_MS);
  };
  const keys = (event) => {
    if (event.key === "Escape") {
      change("");
      event.target.blur();
    }
    if (event.key === "ArrowDown") {
      event.preventDefault();
      document.querySelector(".conversation-row")?.focus();
    }
  };
  return html`<div class="search" role="search">
    <${Icon} name="search" />
    <input id="search" type="search" value=${words} placeholder=${t("search")} aria-label=${t("search_hint")} aria-keyshortcuts="/" onInput=${({ target }) => change(target.value)} onKeyDown=${keys} autocomplete="off" />
    ${lists.value.labels.length > 0 &&
    html`<select class=${names("label-filter", { active: label.value })} aria-label=${t("filter_label")} title=${t("filter_label")} value=${label.value} onChange=${({ target }) => filterByLabel(target.value)}>
      <option value="">${t("all_labels")}</option>
      ${lists.value.labels.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    </select>`}
  </div>`;
}

function Tabs() {
  useEffect(() => document.getElementById(`tab-${tab.value}`)?.scrollIntoView({ block: "nearest", inline: "nearest" }), [tab.value]);
  const walk = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const chosen = TABS.at((TABS.indexOf(tab.value) + step) % TABS.length);
    chooseTab(chosen);
    document.getElementById(`tab-${chosen}`).focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${t("states")} onKeyDown=${walk}>
    ${TABS.map((name) => {
      const chosen = tab.value === name;
      const count = counts.value[name];
      return html`<button key=${name} id=${`tab-${name}`} type="button" role="tab" aria-selected=${chosen} aria-controls="rows" tabindex=${chosen ? 0 : -1} onClick=${() => chooseTab(name)}>
        ${t(`tab_${name}`)}${count > 0 && html` <span class=${names("count", { hot: name === "waiting" })}>${number(count)}</span>`}
      </button>`;
    })}
  </div>`;
}

function Rows() {
  const box = useRef();
  const [seen, look] = useState({ top: 0, height: 800 });
  const ids = rows.value;
  const measure = () => {
    if (!box.current) return;
    const { scrollTop: top, clientHeight: height } = box.current;
    look((before) => (Math.abs(before.top - top) < ROW_HEIGHT && before.height === height ? before : { top, height }));
    if (hasMore() && top + height * 3 > ids.length * ROW_HEIGHT) loadMore();
  };
  useLayoutEffect(() => {
    const watching = new ResizeObserver(measure);
    watching.observe(box.current);
    return () => watching.disconnect();
  }, []);
  useEffect(measure, [ids.length]);
  useEffect(() => {
    box.current.scrollTop = 0;
  }, [tab.value, query.value, label.value]);
  useEffect(() => keepInSight(box.current, ids.indexOf(openId.value)), [openId.value]);

  const focused = useKeptFocus(box);

  const first = Math.max(0, Math.floor(seen.top / ROW_HEIGHT) - BEYOND);
  const last = Math.min(ids.length, Math.ceil((seen.top + seen.height) / ROW_HEIGHT) + BEYOND);
  const shown = ids.slice(first, last);
  return html`<div id="rows" class="rows" role="tabpanel" aria-labelledby=${query.value ? undefined : `tab-${tab.value}`} aria-label=${query.value ? t("search_results") : undefined} aria-busy=${loading.value} tabindex="-1" ref=${box} onScroll=${measure} onFocusIn=${focused}>
    ${ids.length > 0 &&
    html`<ul class="rows-all" style=${{ height: `${ids.length * ROW_HEIGHT}px` }}>
      ${shown.map((id, at) => html`<${InboxRow} key=${id} one=${known.value.get(id)} top=${(first + at) * ROW_HEIGHT} place=${first + at + 1} total=${hasMore() ? -1 : ids.length} />`)}
    </ul>`}
    ${ids.length === 0 && (loading.value ? html`<${Loading} />` : !problem.value && html`<p class="empty">${t(query.value ? "nothing_found" : `empty_${tab.value}`)}</p>`)}
  </div>`;
}

/** Give the focus back to a row that lost it only because the list was put in a new order. */
function useKeptFocus(box) {
  const row = useRef("");
  useEffect(() => {
    const left = ({ target }) => {
      if (!box.current?.contains(target)) row.current = "";
    };
    for (const name of ["focusin", "pointerdown"]) document.addEventListener(name, left);
    return () => ["focusin", "pointerdown"].forEach((name) => document.removeEventListener(name, left));
  }, []);
  useLayoutEffect(() => {
    // On a phone the list is out of sight beside an open conversation.
    const reached = rowToFocus.value && box.current.offsetParent && box.current.querySelector(`[data-id="${CSS.escape(rowToFocus.value)}"]`);
    if (reached) {
      reached.focus({ preventScroll: true });
      rowToFocus.value = "";
    }
  });
  useLayoutEffect(() => {
    if (row.current && document.activeElement === document.body) box.current.querySelector(`[data-id="${CSS.escape(row.current)}"]`)?.focus({ preventScroll: true });
  });
  return ({ target }) => (row.current = target.dataset.id ?? "");
}

const Loading = () => html`<div class="loading" role="status"><span class="unseen">${t("loading")}</span>${[0, 1, 2, 3, 4, 5].map((n) => html`<div key=${n} class="ghost-row"><i></i><b></b><s></s></div>`)}</div>`;

function keepInSight(box, at) {
  if (at < 0) return;
  const top = at * ROW_HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_HEIGHT - box.clientHeight;
}
