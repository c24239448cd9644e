// Sorts and searches tables, unfolds what a link leads to, enlarges plots of time. Without it a page shows the same content.
"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Tables: by data-v where a cell has one (a number), by text otherwise.
for (const table of all("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach(h => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => { const c = row.cells[column]; return c && ("v" in c.dataset ? Number(c.dataset.v) : c.textContent); };
      const sign = down ? -1 : 1;
      const rows = [...table.tBodies[0].rows].filter(row => !row.classList.contains("last"));
      rows.sort((a, b) => { const x = key(a), y = key(b); return (x < y ? -1 : x > y ? 1 : 0) * sign; });
      table.tBodies[0].prepend(...rows);
    };
  });
}

// Search: rows of sortable tables by their text, sections by their heading.
const search = document.getElementById("search");
if (search) {
  const things = all("section.part, table.sortable > tbody > tr:not(.last)");
  const found = document.getElementById("found");
  search.parentElement.hidden = false;
  search.oninput = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const thing of things) {
      const text = (thing.tagName === "TR" ? thing : thing.querySelector("h3")).textContent.toLowerCase();
      thing.hidden = !words.every(word => text.includes(word));
      if (!thing.hidden) ++shown;
    }
    found.textContent = words.length === 0 ? "" : `${shown} of ${things.length} rows and sections`;
  };
}

// A link leads to what is folded or filtered out, too.
const reveal = () => {
  if (location.hash.length < 2 || location.hash.includes("=")) return;  // that is a state of the instrument
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch { return; }
  const target = document.getElementById(name);
  if (!target) return;
  for (let e = target; e && e !== document.body; e = e.parentElement) {
    e.hidden = false;
    if (e.tagName === "DETAILS") e.open = true;
  }
  target.scrollIntoView();
};
addEventListener("hashchange", reveal);
reveal();

// Values under the mouse at once, where the browser would wait.
const tip = document.createElement("div");
tip.id = "tip";
tip.hidden = true;
document.body.append(tip);
addEventListener("pointermove", event => {
  const shape = event.target instanceof SVGElement ? event.target : null;
  const title = shape && [...shape.children].find(child => child.tagName === "title");
  if (title) {
    shape.dataset.tip = title.textContent;
    title.remove();
  }
  const text = event.target instanceof Element && event.target.closest("[data-tip]")?.dataset.tip;
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = (event.clientY + 18 + tip.offsetHeight < innerHeight ? event.clientY + 18 : event.clientY - tip.offsetHeight - 10) + "px";
});

// Plots of time: what is dragged over is enlarged, in all plots of the same axis; a double click shows all again.
// Places are nanoseconds.
const steps = [1, 2, 5, 10];
function ticks(from, to, whole) {
  const rough = (to - from) / 8, decade = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, decade * steps.find(s => s * decade >= rough * 0.999));
  const [unit, name] = whole >= 1e9 ? [1e9, "s"] : whole >= 1e6 ? [1e6, "ms"] : [1e3, "µs"];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
  const out = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to * 1.000001 + 1e-9 && out.length < 20; ++n)
    out.push([n * step, `${n < 0 ? "−" : "+"}${Math.abs(n * step / unit).toFixed(digits)} ${name}`]);
  return out;
}
const charts = all("svg.timed").map(svg => {
  const plane = svg.querySelector("svg.plane"), axis = svg.querySelector("g.axis");
  const number = (element, name) => Number(element.getAttribute(name));
  const left = number(plane, "x"), width = number(plane, "width"), top = number(plane, "y"), height = number(plane, "height");
  const [, , units, high] = plane.getAttribute("viewBox").split(" ").map(Number);
  const first = Number(svg.dataset.from), last = Number(svg.dataset.to), whole = last - first;
  const chart = { svg, axis: svg.dataset.axis, first, last, from: first, to: last };
  chart.show = (from, to) => {
    [chart.from, chart.to] = [from, to];
    plane.setAttribute("viewBox", `${(from - first) / whole * units} 0 ${(to - from) / whole * units} ${high}`);
    svg.classList.toggle("zoomed", to - from < whole);
    axis.replaceChildren();
    const make = (name, attributes, text) => {
      const e = document.createElementNS(svg.namespaceURI, name);
      for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
      if (text) e.textContent = text;
      axis.append(e);
    };
    for (const [at, text] of ticks(from, to, Math.max(Math.abs(first), Math.abs(last)))) {
      const x = left + (at - from) / (to - from) * width;
      make("path", { d: `M${x} ${top}V${top + height}` });
      make("text", { x, y: svg.dataset.labels, "text-anchor": x > left + width - 20 ? "end" : "middle" }, text);
    }
  };
  chart.at = x => {  // of the screen
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const share = ((x - box.left) * scale - left) / width;
    return chart.from + Math.min(1, Math.max(0, share)) * (chart.to - chart.from);
  };
  return chart;
});
const zoom = (chart, from, to) => charts.filter(c => c === chart || (chart.axis && c.axis === chart.axis)).forEach(c => c.show(from, to));
for (const chart of charts) {
  let start = null;
  const mark = document.createElement("div");
  mark.className = "selection";
  mark.hidden = true;
  chart.svg.parentElement.classList.add("zoomable");
  chart.svg.parentElement.append(mark);
  const button = document.createElement("button");
  button.className = "whole";
  button.textContent = "Show all";
  button.onclick = () => zoom(chart, chart.first, chart.last);
  chart.svg.parentElement.append(button);
  chart.svg.onpointerdown = event => {
    if (event.button !== 0) return;
    start = event.clientX;
    chart.svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  chart.svg.onpointermove = event => {
    if (start === null) return;
    const box = chart.svg.getBoundingClientRect(), outer = chart.svg.parentElement.getBoundingClientRect();
    mark.hidden = false;
    mark.style.left = Math.min(start, event.clientX) - outer.left + "px";
    mark.style.width = Math.abs(event.clientX - start) + "px";
    mark.style.top = box.top - outer.top + "px";
    mark.style.height = box.height + "px";
  };
  chart.svg.onpointerup = event => {
    if (start === null) return;
    const [from, to] = [chart.at(start), chart.at(event.clientX)].sort((a, b) => a - b);
    const far = Math.abs(event.clientX - start) > 4;
    start = null;
    mark.hidden = true;
    if (far && to - from >= 10) zoom(chart, from, to);
  };
  chart.svg.onpointercancel = () => { start = null; mark.hidden = true; };
  chart.svg.ondblclick = () => zoom(chart, chart.first, chart.last);
}
