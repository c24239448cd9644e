// What is looked at, as the fragment of the address: a link opens the same view.
//
//   where   the filter                        answer  the number of an answer whose requests are selected
//   t, d    the selected box: starts in s, durations in ms
//   z       the times that the chart of latencies shows, in s
//   service, call  what was chosen on the map of services: by name
//   sort    column of the table, with - the largest first
//   req     the request that is open          w       the times that its waterfall shows, in ms since its start
class State {
  static least = 200;  // ms between two addresses
  constructor(show) {
    this.show = show;
    this.now = State.parse(location.hash);
    addEventListener("hashchange", () => {
      if (!State.is(location.hash) && location.hash.length > 1) return;  // an anchor of the page
      clearTimeout(this.waiting);
      this.now = State.parse(location.hash);
      this.show(this.now);
    });
  }
  static is(hash) { return /^#[a-z]+=/.test(hash); }
  static parse(hash) {
    const given = new URLSearchParams(State.is(hash) ? hash.slice(1) : "");
    const range = name => {
      const ends = (given.get(name) ?? "").split(",").map(Number);
      return ends.length === 2 && ends.every(Number.isFinite) && ends[0] <= ends[1] && given.get(name) !== "," ? ends : null;
    };
    return { where: given.get("where") ?? "", answer: Number(given.get("answer")) || 0, t: range("t"), d: range("d"), z: range("z"),
             service: given.get("service") ?? "", call: given.get("call") ?? "", sort: given.get("sort") ?? "-duration", req: given.get("req") ?? "", w: range("w") };
  }
  static fragment(state) {
    const out = new URLSearchParams();
    const number = n => String(Number(n.toPrecision(9)));
    if (state.req) out.set("req", state.req);
    for (const name of ["t", "d", "z", "w"]) if (state[name]) out.set(name, state[name].map(number).join(","));
    if (state.answer) out.set("answer", state.answer);
    for (const name of ["service", "call"]) if (state[name]) out.set(name, state[name]);
    if (state.sort !== "-duration") out.set("sort", state.sort);
    if (state.where) out.set("where", state.where);
    return "#" + out.toString().replaceAll("%2C", ",").replaceAll("%2F", "/") || "#";
  }
  // The fragment of this view with changes, for links.
  with(changes) { return State.fragment({ ...this.now, ...changes }); }
  // A step to which the browser's Back returns; `step` false: one that is only kept.
  set(changes, step = true) {
    const to = this.with(changes);
    if (to === this.with({})) return;
    this.now = { ...this.now, ...changes };
    clearTimeout(this.waiting);
    if (step) history.pushState(null, "", to);
    else this.keep();
    this.show(this.now);
  }
  // Browsers take no more than some 100 addresses in a while: a wheel makes more.
  keep() {
    const write = () => {
      this.written = performance.now();
      history.replaceState(null, "", State.fragment(this.now));
    };
    const passed = performance.now() - (this.written ?? -Infinity);
    if (passed > State.least) write();
    else this.waiting = setTimeout(write, State.least - passed);
  }
  // One level up.
  back() {
    const s = this.now;
    if (s.w) this.set({ w: null });
    else if (s.req) this.set({ req: "" });
    else if (s.t || s.d || s.answer) this.set({ t: null, d: null, answer: 0 });
    else if (s.service || s.call) this.set({ service: "", call: "" });
    else if (s.z) this.set({ z: null });
    else if (s.where) this.set({ where: "" });
    else return false;
    return true;
  }
}
