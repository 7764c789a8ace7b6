// The server's report in the shape of the view, and as a table for a spreadsheet.

const numeric = (value) => (value === null || value === undefined || value === "" ? undefined : Number(value));

export function reportOf(raw) {
  const totals = { ...(raw.totals ?? raw) };
  for (const name of Object.keys(totals)) if (typeof totals[name] !== "object") totals[name] = numeric(totals[name]);
  if (totals.resolved_share === undefined && totals.resolved_by_assistant !== undefined)
    totals.resolved_share = totals.resolved_by_assistant <= 1 || !totals.conversations ? totals.resolved_by_assistant : totals.resolved_by_assistant / totals.conversations;
  const days = (raw.days ?? []).map((one) => Object.fromEntries(Object.entries(one).map(([name, value]) => [name, name === "day" ? value : numeric(value)])));
  return { totals, days, reasons: named(raw.hand_over_reasons ?? raw.reasons, "reason"), costs: named(raw.costs, "name") };
}

function named(items, key) {
  if (!items) return [];
  const all = Array.isArray(items) ? items.map((one) => ({ name: one[key], value: Number(one.count ?? one.value) })) : Object.entries(items).map(([name, value]) => ({ name, value: Number(value) }));
  return all.filter(({ name, value }) => name && Number.isFinite(value)).sort((one, other) => other.value - one.value);
}

// Spreadsheets read a cell that begins so as a formula.
const cell = (value) => {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?[\d.]+$/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** The days as CSV, with a byte order mark, because Excel reads UTF-8 only with one. */
export function csv({ days }) {
  const names = [...new Set(days.flatMap(Object.keys))];
  return `\uFEFF${[names, ...days.map((one) => names.map((name) => one[name]))].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

export function download(text, name, type = "text/csv") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
