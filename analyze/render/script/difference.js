// What the selected requests have that the others do not: shares of each, as they are counted, and no more than that.
class Difference {
  static fields = ["route", "method", "role", "status", "outcome", "comm", "pid", "machine", "tid", "handler", "authority", "protocol", "connection", "tls", "attempt"];
  static least = 0.1;  // a share that differs by less is not listed
  static most = 12;

  constructor(data, state) {
    this.data = data;
    this.state = state;
    this.body = make("div");
    this.element = make("section", { class: "pane difference", "aria-labelledby": "difference-title" }, make("h3", { id: "difference-title" }, "What distinguishes the selection"), this.body);
  }

  // Both arrays of rows; inside null: nothing is selected.
  show(inside, outside) {
    this.element.hidden = inside === null;
    if (inside === null) return;
    if (inside.length === 0 || outside.length === 0) {
      const why = inside.length === 0 ? "No request is in the selection." : "Every request that the filter passes is in it: there is nothing to compare with.";
      this.body.replaceChildren(make("p", { class: "soft" }, why));
      return;
    }
    const lines = [...this.labels(inside, outside), ...this.traits(inside, outside)].sort((a, b) => b.gap - a.gap).slice(0, Difference.most);
    this.body.replaceChildren(this.times(inside, outside, lines.length > 0),
      lines.length ? make("ul", { class: "shares" }, lines.map(l => this.line(l))) : make("p", { class: "soft" }, "Nothing that the page knows is more frequent among them by a tenth."));
  }

  times(inside, outside, some) {
    const middle = rows => median(rows.map(r => this.data.duration[r]).filter(d => d >= 0).sort((a, b) => a - b));
    return make("p", { class: "soft" }, `${counted(inside.length, "request", "requests")}, median ${duration(middle(inside))}, against ${counted(outside.length, "other", "others")}, median ${duration(middle(outside))}.${some ? " Choose a line to filter by it." : ""}`);
  }

  // By what most of their time was.
  labels(inside, outside) {
    const tally = rows => {
      const out = new Map();
      for (const row of rows) { const main = this.data.mainly(row); if (main) out.set(main.number, (out.get(main.number) ?? 0) + 1); }
      return out;
    };
    const a = tally(inside), b = tally(outside), out = [];
    for (const [number, n] of a) {
      const label = this.data.labels[number], m = b.get(number) ?? 0;
      const times = inside.filter(r => this.data.mainly(r)?.number === number).map(r => this.data.under(number, r)).sort((x, y) => x - y);
      const floor = Math.max(1, Math.floor(times[0] / 1000));
      out.push(this.entry("mostly", label.text, n, inside.length, m, outside.length, `labels.${label.name} >= ${floor}us`, this.data.colour(label)));
    }
    return out.filter(l => l.gap >= Difference.least);
  }

  traits(inside, outside) {
    const out = [], ends = ["from", "to"].map(name => ({ name, value: row => this.data[name](row) }));  // in no filter
    for (const field of [...Difference.fields.map(name => this.data.field(name)), ...ends]) {
      if (!field) continue;
      const tally = rows => {
        const all = new Map();
        let known = 0;
        for (const row of rows) {
          const value = field.value(row);
          if (value === null) continue;
          ++known;
          all.set(value, (all.get(value) ?? 0) + 1);
        }
        return [all, known];
      };
      const [a, knownA] = tally(inside), [b, knownB] = tally(outside);
      for (const [value, n] of a) {
        if (knownB === 0 || n < Math.min(3, inside.length)) continue;
        const line = this.entry(field.name, String(value), n, knownA, b.get(value) ?? 0, knownB, ends.includes(field) ? null : `${field.name} == ${Difference.quoted(value)}`, null);
        if (line.gap >= Difference.least) out.push(line);
      }
    }
    return out;
  }

  entry(name, value, n, of, m, ofOthers, where, swatch) { return { name, value, n, of, m, ofOthers, where, swatch, gap: n / of - m / ofOthers }; }
  static quoted(value) { return typeof value === "string" ? `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : String(value); }

  line(l) {
    const bar = (n, of, name) => make("span", { class: "share " + name }, make("i", { style: { width: `calc((100% - 104px) * ${n / of})`, minWidth: n > 0 ? "2px" : 0 } }), make("b", null, `${percent(n, of)} ${name === "inside" ? "selected" : "others"}`));
    const said = `${l.name} ${l.value}: ${l.n} of ${l.of} selected, ${l.m} of ${l.ofOthers} others`;
    const add = () => this.state.set({ where: this.state.now.where ? `(${this.state.now.where}) && ${l.where}` : l.where });
    return make("li", null, make(l.where ? "button" : "div", { class: "trait", onclick: l.where ? add : null, "data-tip": l.where ? `${said}\n${l.where}` : said },
      make("span", { class: "what" }, l.swatch ? make("i", { class: "swatch", style: { background: l.swatch } }) : null, make("span", { class: "soft" }, l.name + " "), l.value),
      bar(l.n, l.of, "inside"), bar(l.m, l.ofOthers, "outside")));
  }
}
