// One request: who and when, what was behind it, its hops beside those of its twin, and where the time of both went.
class Request {
  constructor(data, state, requests) {
    this.data = data;
    this.state = state;
    this.requests = requests;
    this.element = make("section", { class: "pane request", "aria-labelledby": "request-title", hidden: true });
    this.open = null;
    this.book = LaneBook.read(document.getElementById("lanes"));
    this.record = data.open ? document.getElementById(`record-${data.open}`) : null;  // all of the one at which the page opens
    if (!this.record) return;
    this.record.remove();
    this.record.open = false;
  }

  // A typical request to hold it against: that of the report, else the one of its route nearest to the median among those
  // with the same end, status class and service. null: it is alone.
  twin(row) {
    const d = this.data, named = d.row(d.twins.get(d.id(row)));
    if (named !== null && named !== row) return { row: named, why: "the typical request that the report compares it with" };
    const like = r => [d.routeOf(r), d.value("role", r), d.service(r), Math.floor((d.value("status", r) ?? 0) / 100)].join("\n");
    const own = like(row), alike = [];
    for (let r = 0; r < d.size; ++r) if (r !== row && d.duration[r] >= 0 && like(r) === own) alike.push(r);
    if (alike.length === 0) return null;
    alike.sort((a, b) => d.duration[a] - d.duration[b]);
    const middle = Math.floor((alike.length - 1) / 2), near = alike.slice(Math.max(0, middle - 10), middle + 11);
    const best = near.filter(r => d.course(r)).sort((a, b) => Math.abs(d.duration[a] - d.duration[alike[middle]]) - Math.abs(d.duration[b] - d.duration[alike[middle]]))[0];
    return { row: best ?? alike[middle], why: `one near the median of ${counted(alike.length, "other request", "other requests")} of its route` };
  }

  show(id) {
    if (id === this.open) return this.waterfall?.paint();
    this.open = id;
    this.waterfall = null;
    this.element.hidden = !id;
    if (!id) return this.element.replaceChildren();
    const row = this.data.row(id);
    if (row === null) {
      const text = this.data.size < this.data.total ? "It may be among those that are in no column of this page" : "The recording has none of that name, or the report was made of others";
      return this.element.replaceChildren(this.top(`Request ${id} is not on this page`), make("p", null, `${text}: tailcap show ${this.data.file} ${id} looks for it.`));
    }
    const twin = this.twin(row), d = this.data;
    this.waterfall = new Waterfall(d, this.state, [{ name: "this request", row }, ...(twin ? [{ name: "its twin", row: twin.row }] : [])]);
    this.element.replaceChildren(this.top(`${d.title(row)} · ${duration(d.duration[row])}`), this.facts(row), behindOf(d, this.state, row) ?? "",
      make("h4", null, "Hops and lanes"), make("p", { class: "hint" }, "Outlined: the request waited for it. Thin: the way there and back, and what the client end took. Drag or ", make("kbd", null, "W"), make("kbd", null, "S"), make("kbd", null, "A"), make("kbd", null, "D"), " enlarge and move.",
        d.selected ? " Calls that were not selected are not on this page." : ""),
      this.waterfall.element, logsOf(d, row) ?? "", functionsOf(d, row) ?? "", make("h4", null, "Where the time went"), this.account(row, twin?.row ?? null),
      twin ? make("p", { class: "soft" }, "Its twin is ", requestLink(this.state, d.id(twin.row)), `, ${twin.why}.`) : make("p", { class: "soft" }, "No other request on this page is like it: it has no twin."));
    const opened = this.waterfall;
    this.book.then(book => { if (this.waterfall === opened) opened.add(new Lanes(d, book, opened.groups[0].hops, row)); });
    if (this.record && id === d.open) this.element.append(this.record);
    this.waterfall.paint();
  }

  top(title) {
    const beside = (by, text, key) => {
      const row = this.requests.beside(this.data.row(this.open), by);
      return make("button", { disabled: row === null, "data-tip": key, onclick: () => this.state.set({ req: this.data.id(row), w: null }) }, text);
    };
    return make("header", null, make("button", { class: "back", onclick: () => this.state.set({ req: "", w: null }) }, "← Back"),
      make("h3", { id: "request-title", tabindex: "-1" }, title), make("span", { class: "steps" }, beside(-1, "Previous", "K"), beside(1, "Next", "J")));
  }

  facts(row) {
    const d = this.data, out = [], add = (name, ...values) => { if (values.some(v => v)) out.push(make("dt", null, name), make("dd", null, values)); };
    const value = name => d.value(name, row), id = d.id(row), taints = value("tainted");
    add("request", id);
    add("start", since(d.start[row]), d.wall && !Number.isNaN(d.start[row]) ? `, ${new Date(Number(d.wall) / 1e6 + d.start[row] / 1e6).toISOString().replace("T", " ").replace("Z", " UTC")}` : "");
    add("result", value("status") === null ? "" : String(value("status")), value("outcome") && value("outcome") !== "ok" ? ` ${value("outcome").replaceAll("_", " ")}` : "");
    add(value("role") === "client" ? "made by" : "served by", value("comm"), value("pid") ? `, process ${value("pid")}` : "", value("tid") ? `, thread ${value("tid")}` : "", value("handler") ? `, ${value("handler")}` : "");
    add(value("role") === "client" ? "called" : "client", d.remote(row));
    if (value("peer")) add("other end", requestLink(this.state, value("peer")));
    if (value("parent")) add("made for", requestLink(this.state, value("parent")));
    add("bodies", value("request_bytes") === null ? "" : `${bytes(value("request_bytes"))} request`, value("response_bytes") === null ? "" : `${value("request_bytes") === null ? "" : ", "}${bytes(value("response_bytes"))} response`);
    if (d.answer[row]) add("example of", make("a", { href: `#answer-${d.answer[row]}` }, `answer ${d.answer[row]}`));
    if (taints) add("in doubt", d.field("tainted").values.filter((_, bit) => taints >> bit & 1).join(", ").replaceAll("_", " "));
    if (!this.record || id !== d.open) add("more", make("code", null, `tailcap show ${d.file} ${id}`));
    return make("dl", { class: "facts" }, out);
  }

  // Both on the scale of the longer one.
  account(row, twin) {
    const d = this.data, own = d.account(row), other = twin === null ? [] : d.account(twin);
    if (own.length === 0) return make("p", { class: "soft" }, "Not known: its beginning, its end or a milestone between them was not seen.");
    const labels = new Map([...own, ...other].map(([label]) => [label.number, label]));
    const time = (list, label) => list.find(([l]) => l === label)?.[1] ?? 0;
    const scale = Math.max(d.duration[row], twin === null ? 0 : d.duration[twin], 1);
    const bar = list => make("span", { class: "stack" }, list.map(([label, t]) => make("i", { style: { width: t / scale * 100 + "%", background: d.colour(label) }, "data-tip": `${label.text}: ${duration(t)}` })));
    const rows = [...labels.values()].sort((a, b) => time(own, b) - time(own, a) || time(other, b) - time(other, a));
    const whole = d.detailed[row], cell = t => make("td", null, t ? duration(t) : "–");
    const difference = label => { const by = time(own, label) - time(other, label); return make("td", null, by === 0 ? "–" : `${by > 0 ? "+" : "−"}${duration(Math.abs(by))}`); };
    return make("div", { class: "account" }, make("div", { class: "stacks", "aria-hidden": "true" }, make("span", null, "this request"), bar(own), twin === null ? null : [make("span", null, "its twin"), bar(other)]),
      whole ? null : make("p", { class: "soft" }, "The page has only the longest part of it."),
      make("div", { class: "wide" }, make("table", { class: "parts" }, make("thead", null, make("tr", null, make("th", { class: "left", scope: "col" }, "reason"), make("th", { scope: "col" }, "this"), twin === null ? null : [make("th", { scope: "col" }, "twin"), make("th", { scope: "col" }, "difference")])),
        make("tbody", null, rows.map(label => make("tr", null, make("th", { class: "left", scope: "row" }, make("i", { class: "swatch", style: { background: d.colour(label) } }), label.text), cell(time(own, label)), twin === null ? null : [cell(time(other, label)), difference(label)]))))));
  }
}
