// The panes together: a filter passes requests, an answer or a box selects among them, one may be open.
class Instrument {
  constructor(data) {
    this.data = data;
    this.state = new State(() => this.show());
    this.answers = new Answers(data, this.state);
    this.heatmap = new Heatmap(data, this.state);
    this.map = new ServiceMap(data, this.state);
    this.difference = new Difference(data, this.state);
    this.requests = new Requests(data, this.state);
    this.request = new Request(data, this.state, this.requests);
    this.about = make("p", { class: "about-selection", "aria-live": "polite" });
    this.clear = make("button", { hidden: true, onclick: () => this.state.set({ t: null, d: null, answer: 0 }) }, "Clear the selection");
    const panes = make("div", { class: "panes" }, make("header", null, make("h2", { id: "instrument-title" }, "Requests at work"), make("div", { class: "status" }, this.about, this.clear)),
      this.heatmap.element, this.legend(), this.request.element, this.map.element, make("div", { class: "lower" }, this.difference.element, this.requests.element));
    this.element = make("section", { id: "instrument", "aria-labelledby": "instrument-title" });
    const place = this.answers.element ?? document.querySelector(".box, h1");
    place.after(this.element);
    this.element.append(...(this.answers.element ? [this.answers.element] : []), panes);
    if (!this.answers.element) this.element.classList.add("alone");
    document.body.classList.add("with-instrument");
    this.linkIds();
    addEventListener("keydown", event => this.key(event));
    const nav = document.querySelector("nav");  // stays in sight, above what is scrolled to
    const measure = () => document.documentElement.style.setProperty("--nav", `${nav.offsetHeight}px`);
    if (nav) new ResizeObserver(measure).observe(nav);
    if (nav) measure();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.heatmap.paint());
  }

  legend() {
    const used = new Set(this.data.accountLabels.map(number => this.data.labels[number].group));
    return make("ul", { class: "legend" }, this.data.groups.filter((_, i) => used.has(i)).map(g => make("li", null, make("i", { style: { background: g.colour } }), g.text)),
      this.data.failures.includes(1) ? make("li", null, make("b", { class: "bad" }, "× "), "failed") : null);
  }

  show() {
    const s = this.state.now, d = this.data;
    let error = null;
    const filter = JSON.stringify([s.where, s.service, s.call]), mapped = ServiceMap.test(d, s);
    if (this.filter !== filter) {
      try {
        const reads = FilterReader.read(d, s.where), passes = mapped ? row => mapped(row) && reads(row) : reads;
        this.passed = Array.from({ length: d.size }, (_, i) => i).filter(passes);
        this.error = null;
      } catch (e) {
        if (!(e instanceof FilterError)) throw e;
        this.error = e;  // what was shown stays
        this.passed ??= Array.from({ length: d.size }, (_, i) => i);
      }
      this.filter = filter;
    }
    error = this.error;
    const selected = this.test(s), asked = JSON.stringify([filter, s.answer, s.t, s.d, s.sort]);
    this.heatmap.show(this.passed, selected);
    if (asked !== this.asked) this.list(s, selected, error);  // otherwise it was only moved or enlarged
    this.asked = asked;
    this.element.classList.toggle("opened", s.req !== "");
    const before = this.request.open ?? "";
    this.request.show(s.req);
    if (s.req && s.req !== before) this.reveal();
    if (!s.req && before) this.requests.focus();
  }
  list(s, selected, error) {
    const inside = selected ? this.passed.filter(selected) : null;
    this.answers.show(s);
    this.map.show(s);
    this.difference.show(inside, selected ? this.passed.filter(row => !selected(row)) : []);
    this.requests.show(inside ?? this.passed, error, this.note(s));
    this.about.textContent = this.said(inside, s);
    this.clear.hidden = inside === null;
  }
  reveal() {
    const title = this.request.element.querySelector("h3");
    title.focus({ preventScroll: true });
    const box = this.request.element.getBoundingClientRect();
    if (box.top < 60 || box.top > innerHeight * 0.6) this.request.element.scrollIntoView({ block: "start" });
  }

  // null: nothing is selected.
  test({ t, d, answer }) {
    if (!t && !d && !answer) return null;
    const { start, duration, answer: of } = this.data, [from, to] = (t ?? [-Infinity, Infinity]).map(s => s * 1e9), [low, high] = (d ?? [-Infinity, Infinity]).map(ms => ms * 1e6);
    return row => (!answer || of[row] === answer) && (!t || start[row] >= from && start[row] <= to) && (!d || duration[row] >= low && duration[row] <= high);
  }
  said(inside, s) {
    const passed = this.passed.length, all = this.data.size, chosen = s.service || s.call;
    const of = chosen ? `${count(passed)} of ${counted(all, "request", "requests")}: ${chosen}${s.where ? ", and the filter" : ""}` : passed === all ? counted(all, "request", "requests") : `${count(passed)} of ${counted(all, "request", "requests")} pass the filter`;
    return inside === null ? of : `${count(inside.length)} selected; ${of}`;
  }
  note(s) {
    const d = this.data, detailed = d.detailed.reduce((a, b) => a + b, 0);
    if (d.size < d.total) return `The recording has ${count(d.total)} requests, this page ${count(d.size)} of them: first those of answers, those whose course is known and those that failed, then others, evenly over time. Shares and numbers are of these.`;
    if (detailed < d.size) return `All ${count(d.size)} requests; ${count(detailed)} of them with every fact, the others without path, thread, calls and course.`;
    return s.where || s.service || s.call ? "" : `All ${counted(d.size, "request", "requests")}, with every fact of this page. The language is that of tailcap requests -w.`;
  }

  // IDs elsewhere on the page that unfold a command open the request, too.
  linkIds() {
    for (const folded of all("details.id")) {
      const id = folded.querySelector("summary").textContent.trim();
      if (this.data.row(id) !== null) folded.append(" ", make("a", { href: this.state.with({ req: id }) }, `open ${id}`));
    }
    for (const folded of all('details[id^="request-"]')) {
      const id = folded.id.slice("request-".length);
      if (this.data.row(id) !== null) folded.querySelector("summary").after(make("p", null, make("a", { href: this.state.with({ req: id }) }, `Open ${id} among the requests`)));
    }
  }

  key(event) {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "Escape") {
      if (typing) return typing.blur();
      if (this.state.back()) event.preventDefault();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      event.preventDefault();
      this.requests.input.focus();
    } else if (/^[1-9]$/.test(event.key)) {
      this.answers.choose(Number(event.key));
    } else if ((event.key === "j" || event.key === "k") && !event.defaultPrevented) {
      const by = event.key === "j" ? 1 : -1, open = this.state.now.req ? this.data.row(this.state.now.req) : null;
      if (open === null) return this.requests.move(document.activeElement.closest?.("table.requests") ? by : 0);
      const next = this.requests.beside(open, by);
      if (next !== null) this.state.set({ req: this.data.id(next), w: null });
    }
  }
}

let instrument = null;  // what a console asks
(async () => {
  const element = document.getElementById("data");
  if (!element || typeof DecompressionStream === "undefined") return;  // the page shows what it shows without a script
  instrument = new Instrument(await Data.read(element));
  if (instrument.data.open && location.hash.length < 2) instrument.state.set({ req: instrument.data.open }, false);
  else instrument.show();
  reveal();
  document.documentElement.dataset.ready = "";
})();
