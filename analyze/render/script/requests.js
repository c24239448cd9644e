// The table of requests, with the filter above it. It draws only the rows that are in sight.
const kRow = 30;  // pixels, as the style has it

class Requests {
  static columns = [
    { name: "start", title: "start" }, { name: "id", title: "id" }, { name: "comm", title: "service" }, { name: "request", title: "request" },
    { name: "status", title: "status" }, { name: "duration", title: "duration" }, { name: "mainly", title: "mostly" },
  ];

  constructor(data, state) {
    this.data = data;
    this.state = state;
    this.rows = [];
    this.current = 0;
    this.input = make("input", { id: "where", type: "search", autocomplete: "off", spellcheck: "false", "aria-describedby": "where-says",
      placeholder: 'status == 5xx or duration > 20ms', "aria-label": "Filter, in the language of -w" });
    this.says = make("p", { id: "where-says", class: "says", role: "status" });
    this.body = make("tbody");
    this.heads = Requests.columns.map(c => make("th", { scope: "col", class: "of-" + c.name }, make("button", { onclick: () => this.sortBy(c.name) }, c.title)));
    this.table = make("table", { class: "requests", "aria-label": "Requests" }, make("thead", null, make("tr", null, this.heads)), this.body);
    this.scroller = make("div", { class: "scroller", onscroll: () => this.draw() }, this.table);
    this.element = make("section", { class: "pane list", "aria-labelledby": "list-title" },
      make("h3", { id: "list-title" }, "Requests"), make("div", { class: "bar-of-filter" }, this.input), this.says, this.scroller,
      make("p", { class: "hint" }, make("kbd", null, "/"), " filter, ", make("kbd", null, "J"), make("kbd", null, "K"), " move, ", make("kbd", null, "Enter"), " opens."));
    this.listen();
  }

  listen() {
    let waiting = 0;
    this.input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.state.set({ where: this.input.value }, !this.state.now.where), 150);
    });
    this.input.addEventListener("keydown", event => {
      if (event.key !== "Enter") return;
      clearTimeout(waiting);
      this.state.set({ where: this.input.value });
    });
    this.scroller.addEventListener("keydown", event => {
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.target.closest("thead")) return;
      event.preventDefault();
      this.move(step);
    });
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  // rows: in the order of start. error: why the filter cannot be read, or null.
  show(rows, error, note) {
    if (document.activeElement !== this.input) this.input.value = this.state.now.where;
    this.input.setAttribute("aria-invalid", error !== null);
    this.says.classList.toggle("bad", error !== null);
    if (error) {
      const where = this.state.now.where;
      this.says.replaceChildren(make("code", null, where.slice(0, error.at), make("mark", null, where.slice(error.at, error.at + 1) || " "), where.slice(error.at + 1)), " ", error.message);
    } else {
      this.says.textContent = note;
    }
    const column = this.state.now.sort.replace(/^-/, ""), down = this.state.now.sort.startsWith("-");
    Requests.columns.forEach((c, i) => {
      if (c.name === column) this.heads[i].setAttribute("aria-sort", down ? "descending" : "ascending");
      else this.heads[i].removeAttribute("aria-sort");
    });
    const key = this.key(column), sign = down ? -1 : 1;
    const keys = new Map(rows.map(row => [row, key(row)]));
    const known = value => value !== null && !Number.isNaN(value);
    this.rows = [...rows].sort((a, b) => {
      const x = keys.get(a), y = keys.get(b);
      if (known(x) !== known(y)) return known(x) ? -1 : 1;  // what is not known comes last
      return x < y ? -sign : x > y ? sign : a - b;
    });
    this.longest = this.rows.reduce((most, row) => Math.max(most, this.data.duration[row] || 0), 1);
    this.current = Math.min(this.current, Math.max(0, this.rows.length - 1));
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    this.drawn = null;
    this.draw();
  }

  key(column) {
    const d = this.data;
    switch (column) {
      case "start": return row => d.start[row];
      case "duration": return row => d.duration[row];
      case "request": return row => d.title(row);
      case "mainly": return row => d.mainly(row)?.text ?? null;
      case "id": return row => { const [a, b] = (d.id(row) ?? "0.0").split(".").map(Number); return a * 1e7 + b; };
      default: return row => d.value(column, row);
    }
  }
  sortBy(column) {
    const numbers = ["start", "duration", "status"].includes(column), now = this.state.now.sort;
    this.state.set({ sort: now === "-" + column ? column : now === column ? "-" + column : (numbers ? "-" : "") + column }, false);
  }

  draw() {
    const height = this.scroller.clientHeight, from = Math.max(0, Math.floor(this.scroller.scrollTop / kRow) - 5);
    const to = Math.min(this.rows.length, from + Math.ceil(height / kRow) + 10);
    if (this.drawn && this.drawn[0] === from && this.drawn[1] === to) return;
    this.drawn = [from, to];
    const space = n => make("tr", { "aria-hidden": "true", class: "space" }, make("td", { style: { height: n * kRow + "px" } }));
    const focused = this.body.contains(document.activeElement);
    this.body.replaceChildren(...(from > 0 ? [space(from)] : []), ...this.rows.slice(from, to).map((row, i) => this.line(row, from + i)),
      ...(to < this.rows.length ? [space(this.rows.length - to)] : []));
    if (this.rows.length === 0) this.body.append(make("tr", null, make("td", { class: "left soft" }, "None.")));
    if (focused) this.focus();
  }

  line(row, place) {
    const d = this.data, id = d.id(row), main = d.mainly(row), failed = d.failed(row);
    const open = event => { if (!event.target.closest("a")) this.state.set({ req: id, w: null }); };
    return make("tr", { "aria-rowindex": place + 2, class: place === this.current ? "current" : null, onclick: open },
      make("td", { class: "of-start" }, since(d.start[row])),
      make("td", { class: "of-id left" }, make("a", { href: this.state.with({ req: id, w: null }), tabindex: place === this.current ? "0" : "-1", onclick: event => this.follow(event, id) }, id)),
      make("td", { class: "of-comm left" }, d.service(row), d.value("role", row) === "client" ? make("span", { class: "soft" }, " calls") : null),
      make("td", { class: "of-request left" }, d.title(row)),
      make("td", { class: "of-status left" + (failed ? " bad" : "") }, d.value("status", row) ?? (d.value("outcome", row) ?? "?").replaceAll("_", " ")),
      make("td", { class: "of-duration" }, make("span", { class: "both" }, make("span", { class: "number" }, duration(d.duration[row])), this.strip(row))),
      make("td", { class: "of-mainly left" }, main ? [make("i", { class: "swatch", style: { background: d.colour(main) } }), main.text] : ""));
  }
  strip(row) {
    const parts = this.data.account(row), took = this.data.duration[row];
    if (!(took > 0)) return make("span", { class: "strip-of-labels" });
    return make("span", { class: "strip-of-labels", "aria-hidden": "true" }, make("span", { style: { width: Math.max(1, took / this.longest * 100) + "%" } },
      parts.slice(0, 12).map(([label, time]) => make("i", { style: { width: time / took * 100 + "%", background: this.data.colour(label) }, "data-tip": `${label.text}: ${duration(time)}` }))));
  }

  follow(event, id) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.state.set({ req: id, w: null });
  }
  move(by) {
    if (this.rows.length === 0) return;
    this.current = Math.min(this.rows.length - 1, Math.max(0, this.current + by));
    const top = this.current * kRow, view = this.scroller, head = this.table.tHead.offsetHeight;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + kRow + head > view.scrollTop + view.clientHeight) view.scrollTop = top + kRow + head - view.clientHeight;
    this.drawn = null;
    this.draw();
    this.focus();
  }
  focus() { this.body.querySelector("tr.current a")?.focus({ preventScroll: true }); }
  // The request before or after this one, in the order of the table.
  beside(row, by) {
    const at = this.rows.indexOf(row);
    return at < 0 ? null : this.rows[at + by] ?? null;
  }
}
