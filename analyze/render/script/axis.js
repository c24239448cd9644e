// Numbers on an axis, and how its range is moved.
const logTicks = (low, high, each = [1, 2, 5]) => {
  const out = [];
  for (let decade = 10 ** Math.floor(Math.log10(low)); decade <= high; decade *= 10)
    for (const step of each) if (decade * step >= low && decade * step <= high) out.push(decade * step);
  if (out.length < 3 && each.length < 4) return logTicks(low, high, [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]);
  return out.length > 9 ? out.filter(t => Number.isInteger(Math.round(Math.log10(t) * 1e6) / 1e6)) : out;
};
// Without the zeros at its end: "20 ms".
const tickText = ns => {
  const [unit, name] = ns >= 1e9 ? [1e9, "s"] : ns >= 1e6 ? [1e6, "ms"] : ns >= 1e3 ? [1e3, "µs"] : [1, "ns"];
  return `${Number((ns / unit).toPrecision(3))} ${name}`;
};

// [from, to] within [low, high]: scaled about a place, then moved by a share of its length.
function moved([from, to], [low, high], scale, about, by) {
  const length = Math.min(high - low, (to - from) * scale);
  let start = about - (about - from) * (length / (to - from)) + by * length;
  start = Math.max(low, Math.min(high - length, start));
  return [start, start + length];
}

// Keys that enlarge and move: W S + - A D, arrows where they are free, F for all. Returns the new range, "all" or null.
function keyRange(key, range, whole) {
  const middle = (range[0] + range[1]) / 2;
  switch (key) {
    case "w": case "W": case "+": return moved(range, whole, 0.6, middle, 0);
    case "s": case "S": case "-": return moved(range, whole, 1 / 0.6, middle, 0);
    case "a": case "A": return moved(range, whole, 1, middle, -0.25);
    case "d": case "D": return moved(range, whole, 1, middle, 0.25);
    case "f": case "F": return "all";
    default: return null;
  }
}

// The wheel enlarges where the element has the focus, or with Ctrl; otherwise it scrolls the page.
function onWheel(element, range, whole, placeAt, show) {
  element.addEventListener("wheel", event => {
    if (!event.ctrlKey && document.activeElement !== element) return;
    event.preventDefault();
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    const by = (event.deltaX || event.deltaY) / 400;
    show(sideways ? moved(range(), whole(), 1, placeAt(event), by) : moved(range(), whole(), Math.exp(event.deltaY / 300), placeAt(event), 0));
  }, { passive: false });
}
