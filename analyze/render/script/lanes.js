// What threads, goroutines and connections did, of all times that the page has; and the lanes around one request.
const kLaneKinds = ["collector", "connection", "goroutine", "thread"], kMoves = ["arrived", "read", "sent"], kLanesOfOne = 40;

class LaneBook {
  // null: the page has none.
  static async read(element) { return element ? new LaneBook(await readPacked(element)) : null; }

  constructor(json) {
    this.times = json.times;
    this.lost = json.lost;
    let stretch = 0, mark = 0;
    this.lanes = json.kinds.map((kind, i) => {
      const lane = { kind: kLaneKinds[kind], machine: json.machines[i], pid: json.pids[i], number: json.numbers[i], name: json.names[i], stretches: [], marks: [] };
      let at = 0;
      for (const end = stretch + json.stretches[i]; stretch < end; ++stretch) {
        const from = at + json.gaps[stretch] * json.step, to = from + json.lengths[stretch] * json.step;
        lane.stretches.push({ from, to, group: json.groups[stretch], note: json.notes[json.said[stretch] - 1] ?? "" });
        at = to;
      }
      at = 0;
      for (const end = mark + json.marks[i]; mark < end; ++mark)
        lane.marks.push({ at: at += json.at[mark] * json.step, move: kMoves[json.moves[mark]], bytes: json.bytes[mark] });
      return lane;
    });
  }
  knows(from, to) {
    for (let i = 0; i < this.times.length; i += 2) if (this.times[i] <= from && to <= this.times[i + 1]) return true;
    return false;
  }
  // What overlaps [from, to] in a sorted list.
  static within(list, from, to, end) {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (end(list[middle]) < from) low = middle + 1;
      else high = middle;
    }
    const out = [];
    for (; low < list.length && (list[low].from ?? list[low].at) <= to; ++low) out.push(list[low]);
    return out;
  }
}

// The lanes of the processes of a request: those of its threads and its connection first, then those of what it waited for;
// the others are folded.
class Lanes {
  constructor(data, book, hops, row) {
    this.data = data;
    this.zero = data.start[outer(hops[0])];
    const took = this.took = data.duration[outer(hops[0])], margin = Math.max(took / 10, 1e5), from = this.zero - margin, to = this.zero + took + margin;
    this.shown = [];
    this.element = make("div", { class: "lanes" }, make("p", { class: "group-of-hops" }, make("b", null, "threads and connections")));
    const say = text => this.element.append(make("p", { class: "soft" }, text));
    if (!(took >= 0) || !book) return say(took >= 0 ? "The page has no lanes." : "Its duration is not known: there are no lanes.");
    if (!book.knows(from + margin, to - margin)) return say("What they did at this time is not on this page, to keep it small: tailcap timeline, or tailcap show with -o, has it.");
    const rows = hops.flatMap(hop => [hop.server, hop.client]).filter(r => r !== null), machine = r => (data.value("machine", r) ?? 1) - 1;
    const threads = rows => new Set(rows.filter(r => data.value("tid", r)).map(r => this.key("thread", machine(r), data.value("tid", r))));
    // A server's other end is the port of one connection; many of a client's have the same.
    const ends = rows.filter(r => data.value("role", r) === "server").map(r => data.remote(r)).filter(end => end && !end.startsWith("unix")), own = threads(rows);
    const waitedFor = (data.behind.get(row) ?? []).flatMap(chain => chain.steps.map(s => data.row(s.request))).filter(r => r !== null), behind = threads(waitedFor);
    const processes = new Set([...rows, ...waitedFor].map(r => this.key("process", machine(r), data.value("pid", r))));
    const groups = { own: [], behind: [], others: [] };
    for (const lane of book.lanes) {
      if (!processes.has(this.key("process", lane.machine, lane.pid))) continue;
      const stretches = LaneBook.within(lane.stretches, from, to, s => s.to), marks = LaneBook.within(lane.marks, from, to, m => m.at);
      if (stretches.length + marks.length === 0) continue;
      const key = this.key(lane.kind, lane.machine, lane.number), busy = marks.length + stretches.filter(s => this.runs(s)).length;
      const one = { lane, stretches, marks, busy };
      if (own.has(key) || lane.kind === "connection" && ends.some(end => lane.name.endsWith(` ${end}`) || lane.name.startsWith(`${end} `))) groups.own.push(one);
      else if (behind.has(key)) groups.behind.push(one);
      else if (busy > 0) groups.others.push(one);
    }
    const byKind = (a, b) => kLaneKinds.indexOf(b.lane.kind) - kLaneKinds.indexOf(a.lane.kind) || b.busy - a.busy;
    for (const one of groups.own.sort(byKind).slice(0, kLanesOfOne)) this.element.append(this.line(one, "its own"));
    for (const one of groups.behind.sort(byKind).slice(0, kLanesOfOne)) this.element.append(this.line(one, "behind its waits"));
    if (groups.own.length + groups.behind.length === 0) say("None of its own threads is known to have done anything.");
    this.fold(groups.others.sort((a, b) => b.busy - a.busy));
    say(`Full height: on a CPU or waiting for one. White: not known.${book.lost ? " Events were lost in this recording." : ""}`);
  }
  key(...parts) { return parts.join(" "); }
  runs(s) { return /CPU/.test(this.data.groups[s.group].text); }

  fold(others) {
    if (others.length === 0) return;
    const most = others.slice(0, kLanesOfOne), box = make("details", { ontoggle: () => {
      if (!box.open || box.querySelector(".hop")) return;
      box.append(...most.map(one => this.line(one, "")));
      if (others.length > most.length) box.append(make("p", { class: "soft" }, `${count(others.length - most.length)} that did less are left out.`));
      this.paint(...this.range);
    } }, make("summary", null, `${counted(others.length, "other", "others")} of the same processes`));
    this.element.append(box);
  }
  line({ lane, stretches, marks }, whose) {
    const picture = draw("svg", { class: "bars", viewBox: `0 0 ${kUnits} 16`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.shown.push({ lane, stretches, marks, picture });
    const name = lane.kind === "connection" ? lane.name || `socket ${lane.number}` : `${lane.kind} ${lane.kind === "collector" ? "" : lane.number} ${lane.name}`;
    return make("div", { class: "hop lane" + (whose ? " marked-lane" : "") }, make("span", { class: "about" }, whose ? make("b", null, name) : name, make("span", { class: "soft" }, whose ? ` ${whose}` : "", this.summary(lane, stretches, marks))), picture);
  }
  // The same as a text: how long it did what while the request was under way.
  summary(lane, stretches, marks) {
    const sums = new Map();
    for (const s of stretches) {
      const name = s.note && lane.kind !== "thread" ? s.note : this.data.groups[s.group].text;
      const time = Math.min(s.to, this.zero + this.took) - Math.max(s.from, this.zero);
      if (time > 0) sums.set(name, (sums.get(name) ?? 0) + time);
    }
    const times = [...sums].sort((a, b) => b[1] - a[1]).slice(0, 2).map(([name, t]) => `${name} ${duration(t)}`);
    const moved = kMoves.map(move => [move, marks.filter(m => m.move === move && m.at >= this.zero - 1e3 && m.at <= this.zero + this.took + 1e3)]).filter(([, list]) => list.length).map(([move, list]) => `${move} ${bytes(list.reduce((sum, m) => sum + m.bytes, 0))}`);
    const text = [...times, ...moved].join(", ");
    return text ? make("span", { class: "of-lane" }, text) : null;
  }

  paint(from, to) {
    this.range = [from, to];
    const place = ns => (ns - this.zero - from) / (to - from) * kUnits, least = (to - from) / kUnits * kLeastUnits;
    for (const { lane, stretches, marks, picture } of this.shown) {
      const parts = [];
      let last = -Infinity;
      for (const s of stretches) {
        if (s.to - this.zero < from || s.from - this.zero > to || s.to - s.from < least && s.to - last < least) continue;
        last = s.to;
        const x = Math.max(-50, place(s.from)), end = Math.min(kUnits + 50, place(s.to)), high = lane.kind === "collector" || this.runs(s);
        parts.push(draw("rect", { x, y: high ? 2 : 5, width: Math.max(kLeastUnits, end - x), height: high ? 12 : 6, fill: this.data.groups[s.group].colour,
          "data-tip": `${s.note || this.data.groups[s.group].text}: ${duration(s.to - s.from)}` }));
      }
      for (const m of marks) {
        const x = place(m.at);
        if (x < 0 || x > kUnits) continue;
        parts.push(draw("path", { class: { arrived: "ma", read: "mr", sent: "ms" }[m.move], d: `M${x} ${m.move === "sent" ? 8 : 1}v${m.move === "arrived" ? 14 : 7}`, "data-tip": `${bytes(m.bytes)} ${m.move}` }));
      }
      picture.replaceChildren(...parts);
    }
  }
}
