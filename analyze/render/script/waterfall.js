// Hops of requests on one axis of time, since the start of each request. What a hop did is inside, the way there and back
// is the thin line around it; what was waited for has an outline.
const kUnits = 10_000, kLeastUnits = 6;

class Waterfall {
  // requests: [{ name, row }], all on the same axis.
  constructor(data, state, requests) {
    this.data = data;
    this.state = state;
    this.groups = requests.map(({ name, row }) => ({ name, row, hops: hopsOf(data, row) }));
    this.whole = [0, Math.max(1, ...this.groups.flatMap(g => g.hops.map(hop => this.end(hop) - data.start[outer(g.hops[0])])).filter(e => e > 0))];
    this.axis = draw("svg", { class: "axis-of-hops", "aria-hidden": "true" });
    this.lines = [];
    this.element = make("div", { class: "waterfall", tabindex: "0", role: "group", "aria-label": "Waterfall of hops. W and S enlarge, A and D move, F shows all." },
      make("div", { class: "hop axis" }, make("span"), this.axis), this.groups.map(group => this.group(group)));
    this.lanes = null;
    this.listen();
  }
  // Adds the lanes of the first request, on the same axis.
  add(lanes) {
    this.lanes = lanes;
    this.element.append(lanes.element);
    this.paint();
  }

  end(hop) { return this.data.start[outer(hop)] + (this.data.duration[outer(hop)] || 0); }
  get range() {
    const w = this.state.now.w;
    return w ? w.map(ms => ms * 1e6) : this.whole;
  }

  group({ name, row, hops }) {
    const zero = this.data.start[outer(hops[0])];
    return [make("p", { class: "group-of-hops" }, make("b", null, name), " ", this.link(row)), hops.map(hop => {
      const picture = draw("svg", { class: "bars", viewBox: `0 0 ${kUnits} 24`, preserveAspectRatio: "none", "aria-hidden": "true" });
      this.lines.push({ hop, zero, picture });
      return make("div", { class: "hop" + (hop.onPath ? " on-path" : "") }, this.about(hop), picture);
    })];
  }
  link(row) {
    const id = this.data.id(row);
    return make("a", { href: this.state.with({ req: id, w: null }), onclick: e => { if (!e.ctrlKey && !e.metaKey) { e.preventDefault(); this.state.set({ req: id, w: null }); } } }, id);
  }
  about(hop) {
    const d = this.data, row = inner(hop), said = hop.onPath === true ? "waited for" : hop.onPath === false ? "beside the path" : "";
    return make("span", { class: "about", style: { paddingLeft: hop.depth * 12 + "px" } },
      make("span", { class: "names" }, make("b", null, hop.server === null ? `${d.service(row)} → ${d.value("authority", row) ?? "?"}` : d.service(row)), " ", shorten(d.title(row), 60)),
      make("span", { class: "soft" }, " ", duration(d.duration[outer(hop)]), " ", this.link(outer(hop)), hop.depth > 0 && said ? ` ${said}` : "", d.failed(row) ? make("span", { class: "bad" }, " failed") : null));
  }

  paint() {
    const [from, to] = this.range, place = ns => (ns - from) / (to - from) * kUnits;
    for (const { hop, zero, picture } of this.lines) {
      const at = row => this.data.start[row] - zero, parts = [];
      const box = (left, right, y, height, attributes) => {
        const x = Math.max(-50, place(left)), end = Math.min(kUnits + 50, place(right));
        if (end >= x && end >= 0 && x <= kUnits) parts.push(draw("rect", { x, y, width: Math.max(8, end - x), height, ...attributes }));
      };
      const first = outer(hop), second = inner(hop);
      if (first !== second) box(at(first), at(first) + (this.data.duration[first] || 0), 10, 4, { class: "way", "data-tip": `client end: ${duration(this.data.duration[first])}` });
      this.course(second, at(second), box);
      for (const end of new Set([first, second]))
        for (const line of this.data.logs?.placed(end, this.data.duration[end]) ?? [])
          box(at(end) + line.at, at(end) + line.at + line.within, 17, 6, { class: `log ${line.level}`, "data-tip": `${line.level ? line.level + ": " : ""}${line.text}\n${line.source}, ${line.how}` });
      if (hop.onPath) box(at(first), at(first) + (this.data.duration[first] || 0), 1.5, 21, { class: "path" });
      picture.replaceChildren(...parts);
    }
    this.lanes?.paint(from, to);
    this.paintAxis(from, to);
  }
  // Its labels in order; where these are not on the page, one box.
  course(row, start, box) {
    const took = this.data.duration[row], stretches = this.data.course(row), [from, to] = this.range;
    if (!(took >= 0)) return;
    if (!stretches) return box(start, start + took, 4, 16, { class: "plain", "data-tip": `${duration(took)}; its course is not on this page` });
    const least = (to - from) / kUnits * kLeastUnits;
    let last = -Infinity;
    for (const s of stretches) {
      if (start + s.to < from || start + s.from > to || s.to - Math.max(s.from, last) < least && s.to < took && s.to - s.from < least && s.from - last < least && s.from > 0) continue;
      last = s.to;
      box(start + s.from, start + s.to, 4, 16, { fill: this.data.colour(s.label),
        "data-tip": `${s.label.text}${s.measured ? "" : " (inferred)"}: ${duration(s.to - s.from)}${s.request ? `\nbehind it: ${s.request}` : ""}` });
    }
  }
  paintAxis(from, to) {
    const wide = this.axis.clientWidth || 600;
    this.axis.setAttribute("viewBox", `0 0 ${wide} 18`);
    let last = -Infinity;
    this.axis.replaceChildren(...ticks(from, to, this.whole[1]).flatMap(([ns, text]) => {
      const x = (ns - from) / (to - from) * wide;
      if (x < 0 || x > wide || x - last < 62) return [];
      last = x;
      return [draw("path", { d: `M${x} 13v5` }), draw("text", { x, y: 10, "text-anchor": x > wide - 24 ? "end" : x < 24 ? "start" : "middle" }, text)];
    }));
  }

  show(range) {
    const all = range === "all" || range[1] - range[0] >= (this.whole[1] - this.whole[0]) * 0.999;
    this.state.set({ w: all ? null : range.map(ns => ns / 1e6) }, false);
    this.paint();
  }
  listen() {
    const placeAt = event => {
      const box = this.axis.getBoundingClientRect(), [from, to] = this.range;
      return from + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (to - from);
    };
    onWheel(this.element, () => this.range, () => this.whole, placeAt, range => this.show(range));
    this.element.addEventListener("keydown", event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const range = keyRange(event.key, this.range, this.whole);
      if (!range) return;
      event.preventDefault();
      this.show(range);
    });
    let start = null;
    this.element.addEventListener("pointerdown", event => {
      if (event.button === 0 && event.target.closest("svg")) start = event;
    });
    this.element.addEventListener("pointerup", event => {
      if (start && Math.abs(event.clientX - start.clientX) > 6) this.show([placeAt(start), placeAt(event)].sort((a, b) => a - b));
      start = null;
    });
    this.element.addEventListener("dblclick", event => { if (event.target.closest("svg")) this.show("all"); });
    new ResizeObserver(() => this.paint()).observe(this.axis);
  }
}
