// A chart over days, with its numbers as a table for those who don't see it.

import { html, useEffect, useRef } from "../frame/html.js";
import { locale, t } from "../frame/language.js";
import { theme } from "../frame/theme.js";

const HEIGHT = 220;
// Steps of an axis that counts: half a conversation is none.
const WHOLE = [1, 2, 5].flatMap((step) => [...Array(7).keys()].map((power) => step * 10 ** power)).sort((a, b) => a - b);
const shortDay = (seconds) => new Date(seconds * 1000).toLocaleDateString(locale.value, { day: "numeric", month: "short" });
const noon = (day) => new Date(`${day}T12:00:00`).getTime() / 1000;

/** A colour of the page as a canvas takes it, as faint as asked for: a variable may still hold the pair for light and dark. */
function colourIn(element, name, percent = 100) {
  const probe = document.createElement("i");
  probe.style.color = `color-mix(in srgb, var(--${name}) ${percent}%, transparent)`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Draw a chart once its library is there; gives the function that takes it away. */
function drawn(element, options, data) {
  let chart;
  let gone = false;
  const watching = new ResizeObserver(([{ contentRect }]) => chart?.setSize({ width: contentRect.width, height: HEIGHT }));
  // Because only the reports need it, the page loads without it.
  import("../vendor/uplot.js").then(({ default: Plot }) => {
    if (gone) return;
    chart = new Plot(options, data, element);
    watching.observe(element);
  });
  return () => {
    gone = true;
    watching.disconnect();
    chart?.destroy();
  };
}

export function Chart({ title, days, series, show, counts = false }) {
  const box = useRef();
  const shown = series.filter(({ key }) => days.some((one) => one[key] !== undefined));
  useEffect(() => {
    if (!shown.length) return undefined;
    const colour = (name, percent) => colourIn(box.current, name, percent);
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px sans-serif" };
    const options = {
      width: box.current.clientWidth || 400,
      height: HEIGHT,
      cursor: { y: false },
      series: [{ label: t("day"), value: (_, at) => (at ? shortDay(at) : "") }, ...shown.map((one) => ({ label: one.name, stroke: colour(one.colour), width: 2, fill: shown.length === 1 ? colour(one.colour, 13) : undefined, points: { show: days.length <= 31, size: 5 }, value: (_, value) => (value === null || value === undefined ? "–" : show(value)) }))],
      axes: [{ ...axis, values: (_, all) => all.map(shortDay), grid: { show: false } }, { ...axis, values: (_, all) => all.map((value) => show(value)), size: 70, ...(counts && { incrs: WHOLE }) }],
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      legend: { live: true, show: shown.length > 1 },
    };
    const data = [days.map(({ day }) => noon(day)), ...shown.map(({ key }) => days.map((one) => one[key] ?? null))];
    return drawn(box.current, options, data);
  }, [days, locale.value, theme.value]);
  if (!shown.length) return null;
  return html`<section class="card"><h2>${title}</h2>
    <div ref=${box} class="chart" aria-hidden="true"></div>
    <details class="folded"><summary>${t("as_table")}</summary><div class="table-frame" tabindex="0" role="region" aria-label=${title}><table class="table"><thead><tr><th scope="col">${t("day")}</th>${shown.map(({ name }) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
      <tbody>${days.map((one) => html`<tr key=${one.day}><th scope="row">${shortDay(noon(one.day))}</th>${shown.map(({ key }) => html`<td key=${key}>${one[key] === undefined ? "–" : show(one[key])}</td>`)}</tr>`)}</tbody></table></div></details>
  </section>`;
}
