// Numbers as people read them.
const kNumber = new Intl.NumberFormat("en-US");
const count = n => kNumber.format(n);
const counted = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

// Three digits: "5.85 ms".
function duration(ns) {
  if (ns === null || Number.isNaN(ns)) return "not known";
  const size = Math.abs(ns);
  const [unit, name] = size >= 999.5e6 ? [1e9, "s"] : size >= 999.5e3 ? [1e6, "ms"] : size >= 999.5 ? [1e3, "µs"] : [1, "ns"];
  const value = ns / unit;
  const digits = unit === 1 ? 0 : Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${name}`;
}
const since = ns => Number.isNaN(ns) ? "not known" : `${ns < 0 ? "−" : "+"}${Math.abs(ns / 1e9).toFixed(3)} s`;

function bytes(n) {
  const [unit, name] = n >= 1e9 ? [1e9, "GB"] : n >= 1e6 ? [1e6, "MB"] : n >= 1e3 ? [1e3, "kB"] : [1, "B"];
  return `${unit === 1 ? n : (n / unit).toPrecision(3)} ${name}`;
}

// A part is never rounded to nothing or to all.
function percent(part, whole) {
  if (whole === 0) return "–";
  const share = part / whole * 100;
  if (part > 0 && share < 0.5) return "<1 %";
  if (part < whole && share > 99.5) return ">99 %";
  return `${Math.round(share)} %`;
}

const median = sorted => sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : NaN;
const quantile = (sorted, q) => sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] : NaN;
const shorten = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;
