// Requests by start and duration: a dot each, or counts where they are many. A box that is dragged selects them.
const kDots = 2000;  // beyond that, counts
const kCell = 6;     // pixels
const kPlot = { left: 58, right: 12, top: 10, bottom: 26, height: 260 };

class Heatmap {
  constructor(data, state) {
    this.data = data;
    this.state = state;
    const took = Array.from(data.duration).filter(d => d > 0);
    const low = took.reduce((a, b) => Math.min(a, b), Infinity), high = took.reduce((a, b) => Math.max(a, b), 1);
    this.low = Math.max(1, Math.min(low, data.bins?.shortest ?? Infinity) / 1.3);
    this.high = Math.max(high, data.bins?.longest ?? 1) * 1.3;
    if (!Number.isFinite(this.low)) [this.low, this.high] = [1e6, 1e9];
    this.cursor = null;  // of the keyboard: a place in the plot, from 0 to 1
    this.canvas = make("canvas", { id: "latencies", tabindex: "0", role: "application", "aria-describedby": "latencies-how",
      "aria-label": "Latency of single requests over time. Arrows move a cross, Shift with arrows draws a box, Enter selects what is in it or opens the request at the cross." });
    this.box = make("div", { class: "box-drawn", hidden: true });
    this.summary = make("tbody");
    this.element = make("section", { class: "pane latencies", "aria-label": "Latency of single requests" },
      make("div", { class: "plot" }, this.canvas, this.box),
      make("p", { class: "hint", id: "latencies-how" }, "Drag a box to select requests, click one to open it. ", make("kbd", null, "W"), make("kbd", null, "S"), " or Ctrl and the wheel enlarge, ",
        make("kbd", null, "A"), make("kbd", null, "D"), " move, ", make("kbd", null, "F"), " shows all, ", make("kbd", null, "Esc"), " goes back."),
      make("details", { class: "behind-chart", ontoggle: e => { if (e.target.open) this.fillTable(); } }, make("summary", null, "As a table"), make("div", { class: "wide" },
        make("table", null, make("thead", null, make("tr", null, ["from", "requests", "failed", "median", "p99", "longest"].map(t => make("th", { scope: "col" }, t)))), this.summary))));
    this.listen();
  }

  get range() { return this.state.now.z?.map(s => s * 1e9) ?? [0, this.data.length]; }
  get width() { return this.canvas.clientWidth - kPlot.left - kPlot.right; }
  get height() { return kPlot.height - kPlot.top - kPlot.bottom; }
  x(start) { const [from, to] = this.range; return kPlot.left + (start - from) / (to - from) * this.width; }
  y(took) { return kPlot.top + (1 - Math.log(Math.max(took, this.low) / this.low) / Math.log(this.high / this.low)) * this.height; }
  startAt(x) { const [from, to] = this.range; return from + Math.min(1, Math.max(0, (x - kPlot.left) / this.width)) * (to - from); }
  tookAt(y) { return this.low * (this.high / this.low) ** Math.min(1, Math.max(0, 1 - (y - kPlot.top) / this.height)); }

  // shown: rows that the filter passes; selected: a test of rows, or null.
  show(shown, selected) {
    this.shown = shown;
    this.selected = selected;
    this.paint();
    const table = this.element.querySelector("details");
    if (table.open) this.fillTable();
  }

  inView() {
    const [from, to] = this.range, { start, duration } = this.data;
    return this.shown.filter(row => start[row] >= from && start[row] <= to && duration[row] >= 0);
  }

  paint() {
    const ratio = devicePixelRatio || 1, wide = this.canvas.clientWidth;
    if (wide === 0) return;
    this.canvas.width = wide * ratio;
    this.canvas.height = kPlot.height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    this.paintAxes(pen, wide);
    pen.save();
    pen.beginPath();
    pen.rect(kPlot.left, 0, this.width, kPlot.height - kPlot.bottom + 1);
    pen.clip();
    this.seen = this.inView();
    if (this.data.bins && this.shown.length === this.data.size) this.paintBins(pen);
    if (this.seen.length <= kDots) this.paintDots(pen);
    else this.paintCells(pen);
    this.paintMarks(pen);
    pen.restore();
  }

  paintAxes(pen, wide) {
    pen.font = "11px system-ui, sans-serif";
    pen.strokeStyle = colour("--line");
    pen.fillStyle = colour("--soft");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const tick of logTicks(this.low, this.high)) {
      const y = Math.round(this.y(tick)) + 0.5;
      pen.moveTo(kPlot.left, y);
      pen.lineTo(wide - kPlot.right, y);
      pen.fillText(tickText(tick), kPlot.left - 6, y);
    }
    pen.textBaseline = "top";
    const [from, to] = this.range, least = 64;
    let last = -Infinity;
    for (const [at, text] of ticks(from, to, this.data.length)) {
      const x = Math.round(this.x(at)) + 0.5;
      if (x < kPlot.left || x > wide - kPlot.right || x - last < least) continue;
      last = x;
      pen.moveTo(x, kPlot.height - kPlot.bottom);
      pen.lineTo(x, kPlot.height - kPlot.bottom + 4);
      pen.textAlign = x > wide - 30 ? "right" : x < kPlot.left + 20 ? "left" : "center";
      pen.fillText(text, x, kPlot.height - kPlot.bottom + 7);
    }
    pen.stroke();
  }

  // Requests that the page does not hold, too.
  paintBins(pen) {
    const { times, durations, shortest, longest, counts } = this.data.bins;
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    pen.fillStyle = colour("--soft");
    for (let t = 0; t < times; ++t)
      for (let d = 0; d < durations; ++d) {
        const n = counts[t * durations + d];
        if (n === 0) continue;
        pen.globalAlpha = 0.1 + 0.4 * Math.log(n + 1) / Math.log(most + 1);
        const x = this.x(this.data.length * t / times), next = this.x(this.data.length * (t + 1) / times);
        const at = k => this.y(shortest * (longest / shortest) ** (k / durations));
        pen.fillRect(x, at(d + 1), Math.max(1, next - x), Math.max(1, at(d) - at(d + 1)));
      }
    pen.globalAlpha = 1;
  }

  paintDots(pen) {
    const { start, duration } = this.data, size = this.seen.length < 400 ? 3.2 : 2.4;
    for (const inside of this.selected ? [false, true] : [true])
      for (const row of this.seen) {
        if (this.selected && this.selected(row) !== inside) continue;
        const main = this.data.mainly(row), x = this.x(start[row]), y = this.y(duration[row]);
        pen.globalAlpha = inside ? 0.9 : 0.28;
        pen.fillStyle = main ? this.data.colour(main) : colour("--soft");
        pen.beginPath();
        pen.arc(x, y, size, 0, 7);
        pen.fill();
        if (this.data.failed(row)) this.paintFailure(pen, x, y);
      }
    pen.globalAlpha = 1;
  }
  paintFailure(pen, x, y) {
    pen.strokeStyle = colour("--alarm");
    pen.lineWidth = 1.8;
    pen.beginPath();
    pen.moveTo(x - 4, y - 4); pen.lineTo(x + 4, y + 4);
    pen.moveTo(x - 4, y + 4); pen.lineTo(x + 4, y - 4);
    pen.stroke();
  }

  paintCells(pen) {
    const cells = new Map(), { start, duration } = this.data;
    for (const row of this.seen) {
      const key = Math.floor(this.x(start[row]) / kCell) * 4096 + Math.floor(this.y(duration[row]) / kCell);
      let cell = cells.get(key);
      if (!cell) cells.set(key, cell = { all: 0, inside: 0, failed: 0 });
      ++cell.all;
      if (!this.selected || this.selected(row)) ++cell.inside;
      if (this.data.failed(row)) ++cell.failed;
    }
    let most = 1;
    for (const cell of cells.values()) most = Math.max(most, cell.all);
    const strong = colour("--accent"), weak = colour("--soft"), alarm = colour("--alarm");
    for (const [key, cell] of cells) {
      const x = Math.floor(key / 4096) * kCell, y = key % 4096 * kCell, n = cell.inside || cell.all;
      pen.fillStyle = cell.inside ? strong : weak;
      pen.globalAlpha = (cell.inside ? 0.25 : 0.1) + (cell.inside ? 0.75 : 0.25) * Math.log(n) / Math.log(most + 1);
      pen.fillRect(x, y, kCell - 1, kCell - 1);
      if (!cell.failed) continue;
      pen.globalAlpha = 1;
      pen.fillStyle = alarm;
      pen.fillRect(x, y, kCell - 1, 2);
    }
    pen.globalAlpha = 1;
  }

  paintMarks(pen) {
    const { t, d, req } = this.state.now, row = req ? this.data.row(req) : null;
    pen.strokeStyle = colour("--fg");
    pen.lineWidth = 1.5;
    if (t || d) {
      const [from, to] = (t ?? [0, this.data.length / 1e9]).map(s => this.x(s * 1e9)), [low, high] = (d ?? [this.low / 1e6, this.high / 1e6]).map(ms => this.y(ms * 1e6));
      pen.setLineDash([5, 4]);
      pen.strokeRect(from, high, to - from, low - high);
      pen.setLineDash([]);
    }
    if (row !== null && this.data.duration[row] >= 0) {
      pen.beginPath();
      pen.arc(this.x(this.data.start[row]), this.y(this.data.duration[row]), 8, 0, 7);
      pen.stroke();
    }
    if (!this.cursor) return;
    const x = kPlot.left + this.cursor.x * this.width, y = kPlot.top + this.cursor.y * this.height;
    pen.beginPath();
    pen.moveTo(x - 9, y); pen.lineTo(x + 9, y); pen.moveTo(x, y - 9); pen.lineTo(x, y + 9);
    pen.stroke();
    if (this.corner) {
      const cx = kPlot.left + this.corner.x * this.width, cy = kPlot.top + this.corner.y * this.height;
      pen.strokeRect(Math.min(x, cx), Math.min(y, cy), Math.abs(x - cx), Math.abs(y - cy));
    }
  }

  nearest(x, y, within) {
    let best = null, least = within * within;
    for (const row of this.seen) {
      const dx = this.x(this.data.start[row]) - x, dy = this.y(this.data.duration[row]) - y, far = dx * dx + dy * dy;
      if (far < least) [best, least] = [row, far];
    }
    return best;
  }

  select(x1, y1, x2, y2) {
    const t = [this.startAt(Math.min(x1, x2)), this.startAt(Math.max(x1, x2))].map(ns => ns / 1e9);
    const d = [this.tookAt(Math.max(y1, y2)), this.tookAt(Math.min(y1, y2))].map(ns => ns / 1e6);
    this.state.set({ t, d, answer: 0, req: "", w: null });
  }

  listen() {
    const place = event => { const box = this.canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    let from = null;
    this.canvas.addEventListener("pointerdown", event => {
      if (event.button !== 0) return;
      from = place(event);
      this.cursor = this.corner = null;
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", event => {
      const [x, y] = place(event);
      if (from) {
        this.box.hidden = false;
        Object.assign(this.box.style, { left: Math.min(x, from[0]) + "px", top: Math.min(y, from[1]) + "px", width: Math.abs(x - from[0]) + "px", height: Math.abs(y - from[1]) + "px" });
      }
      this.hover(x, y);
    });
    const end = event => {
      if (!from) return;
      const [x, y] = place(event), [x0, y0] = from;
      from = null;
      this.box.hidden = true;
      if (event.type === "pointercancel") return;
      if (Math.hypot(x - x0, y - y0) > 5) return this.select(x0, y0, x, y);
      const row = this.nearest(x, y, 12);
      if (row !== null) this.state.set({ req: this.data.id(row), w: null });
    };
    this.canvas.addEventListener("pointerup", end);
    this.canvas.addEventListener("pointercancel", end);
    onWheel(this.canvas, () => this.range, () => [0, this.data.length], e => this.startAt(place(e)[0]), range => this.zoom(range, false));
    this.canvas.addEventListener("keydown", event => this.key(event));
    this.canvas.addEventListener("blur", () => { this.cursor = this.corner = null; this.paint(); });
    new ResizeObserver(() => this.shown && this.paint()).observe(this.canvas);
  }

  zoom(range, step) {
    const all = range[0] <= 0 && range[1] >= this.data.length;
    this.state.set({ z: all ? null : range.map(ns => ns / 1e9) }, step);
  }

  hover(x, y) {
    const row = this.nearest(x, y, 10);
    this.canvas.style.cursor = row === null ? "crosshair" : "pointer";
    if (row === null) {
      delete this.canvas.dataset.tip;
      return;
    }
    const main = this.data.mainly(row);
    this.canvas.dataset.tip = `${this.data.id(row)}  ${shorten(this.data.title(row), 70)}\n${duration(this.data.duration[row])} at ${since(this.data.start[row])}, ${this.data.value("status", row) ?? this.data.value("outcome", row)}` +
      (main ? `\nmostly ${main.text}` : "");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow) {
      event.preventDefault();
      this.cursor ??= { x: 0.5, y: 0.5 };
      if (event.shiftKey) this.corner ??= { ...this.cursor };
      this.cursor = { x: Math.min(1, Math.max(0, this.cursor.x + arrow[0] * 0.02)), y: Math.min(1, Math.max(0, this.cursor.y + arrow[1] * 0.04)) };
      return this.paint();
    }
    const at = p => [kPlot.left + p.x * this.width, kPlot.top + p.y * this.height];
    if (event.key === "Enter" && this.cursor) {
      event.preventDefault();
      if (this.corner) {
        const ends = [...at(this.corner), ...at(this.cursor)];
        this.corner = null;
        return this.select(...ends);
      }
      const row = this.nearest(...at(this.cursor), 60);
      return row === null ? undefined : this.state.set({ req: this.data.id(row), w: null });
    }
    const range = keyRange(event.key, this.range, [0, this.data.length]);
    if (!range) return;
    event.preventDefault();
    this.zoom(range === "all" ? [0, this.data.length] : range, false);
  }

  fillTable() {
    const [from, to] = this.range, parts = 20, step = (to - from) / parts, rows = this.inView();
    this.summary.replaceChildren(...Array.from({ length: parts }, (_, i) => {
      const here = rows.filter(r => this.data.start[r] >= from + i * step && (this.data.start[r] < from + (i + 1) * step || i === parts - 1));
      const took = here.map(r => this.data.duration[r]).sort((a, b) => a - b);
      const cell = (text) => make("td", null, text);
      return make("tr", null, make("th", { scope: "row" }, since(from + i * step)), cell(count(here.length)), cell(count(here.filter(r => this.data.failed(r)).length)),
        [median(took), quantile(took, 0.99), took.at(-1) ?? NaN].map(v => cell(took.length ? duration(v) : "–")));
    }));
  }
}
