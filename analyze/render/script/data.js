// What a page carries: JSON, deflated, in base64.
async function readPacked(element) {
  const text = atob(element.textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

// The requests of the page: columns, accounts, courses. Times are nanoseconds, those of requests since the beginning of
// the recording. What is not known is NaN among times, null otherwise.
class Data {
  static async read(element) { return new Data(await readPacked(element)); }

  constructor(json) {
    Object.assign(this, { file: json.file, length: Math.max(1, json.length), wall: json.wall, total: json.total, selected: json.selected,
                          bins: json.bins ?? null, open: json.open || null, texts: json.texts, answer: json.answer, detailed: json.detailed, remotes: json.remotes });
    this.size = json.answer.length;
    let details = 0;
    this.detailAt = Int32Array.from(json.detailed, whole => whole ? details++ : -1);  // by row
    this.labels = json.labels.map(([name, text, group], number) => ({ number, name, text, group }));
    this.groups = json.groups.map(([text, colour]) => ({ text, colour }));
    this.fields = json.columns.map(column => new Field(this, column));
    this.#readStarts(json.starts);
    const took = this.field("duration_ns");
    this.duration = Float64Array.from({ length: this.size }, (_, i) => took.value(i) ?? NaN);
    this.#readAccounts(json.accounts);
    this.#readCourses(json.courses);
    this.#readRelations(json);
    this.logs = json.logs ? new LogLines(json.logs, json.texts) : null;
    this.services = json.services ? Data.#services(json.services) : null;
  }

  field(name) { return this.fields.find(f => f.name === name || (f.short && f.short === name)) ?? null; }
  value(name, row) { return this.field(name)?.value(row) ?? null; }
  id(row) { return this.value("id", row); }
  row(id) { return this.rows.get(id) ?? null; }
  peer(row) { return this.row(this.value("peer", row)); }
  failed(row) { return this.failures[row] === 1; }
  // Pairs of label and time, the longest first; all of them only where the request is detailed.
  account(row) {
    const out = [];
    for (let i = this.accountAt[row]; i < this.accountAt[row + 1]; ++i)
      out.push([this.labels[this.accountLabels[i]], this.accountTimes[i]]);
    return out;
  }
  mainly(row) { return this.accountAt[row] < this.accountAt[row + 1] ? this.labels[this.accountLabels[this.accountAt[row]]] : null; }
  // null: not known. Otherwise 0 where it has none of it.
  under(label, row) {
    const at = this.accountAt[row], end = this.accountAt[row + 1];
    for (let i = at; i < end; ++i) if (this.accountLabels[i] === label) return this.accountTimes[i];
    return at < end && this.detailed[row] ? 0 : null;
  }
  // Its time in order: from, to (since its start), label, whether it was measured, the request behind it. null: not on the page.
  course(row) {
    const place = this.courses.get(row);
    if (place === undefined) return null;
    const out = [];
    let from = 0;
    for (let i = place.at; i < place.at + place.length; ++i) {
      const to = from + place.all.times[i];
      out.push({ from, to, label: this.labels[place.all.labels[i]], measured: place.all.evidence[i] === 0,
                 request: this.texts[place.all.requests[i]] });
      from = to;
    }
    return out;
  }
  colour(label) { return this.groups[label.group].colour; }
  title(row) {
    const path = this.value("path", row) ?? this.value("route", row) ?? "?";
    return `${this.value("method", row) ?? "?"} ${path}`;
  }
  // The other end of its connection, "10.0.0.2:4711"; null: not known.
  remote(row) { return this.texts[this.remotes[row]] ?? null; }
  // Where a request came from, without the port that its client chose; where a call went.
  from(row) { return this.value("role", row) === "server" ? this.remote(row)?.replace(/:\d+$/, "") ?? null : null; }
  to(row) { return this.value("role", row) === "client" ? this.remote(row) : null; }
  routeOf(row) { return `${this.value("method", row) ?? "?"} ${this.value("route", row) ?? "?"}`; }
  service(row) { return this.value("comm", row) ?? "?"; }

  // Names of nodes, of calls ("nginx → shop") and their ends; `of`: the call of each request, from 1.
  static #services({ names, calls, of }) {
    const ends = Array.from({ length: calls.length / 2 }, (_, i) => [calls[2 * i], calls[2 * i + 1]]);
    return { names, ends, of, calls: ends.map(([from, to]) => `${names[from]} → ${names[to]}`) };
  }
  #readStarts(steps) {
    this.start = new Float64Array(this.size);
    let last = 0;
    steps.forEach((step, i) => { this.start[i] = step === null ? NaN : last += step; });
  }
  #readAccounts(accounts) {
    this.accountAt = new Uint32Array(this.size + 1);
    accounts.lengths.forEach((n, i) => { this.accountAt[i + 1] = this.accountAt[i] + n; });
    this.accountLabels = accounts.labels;
    this.accountTimes = accounts.times;
  }
  #readCourses(all) {
    this.courses = new Map();
    let at = 0;
    all.rows.forEach((row, i) => {
      this.courses.set(row, { at, length: all.lengths[i], all });
      at += all.lengths[i];
    });
  }
  #readRelations(json) {
    const id = this.field("id"), parent = this.field("parent");
    this.rows = new Map();
    this.children = new Map();
    this.failures = json.failed;
    for (let i = 0; i < this.size; ++i) {
      this.rows.set(id.value(i), i);
      const from = parent.value(i);
      if (from === null) continue;
      if (!this.children.has(from)) this.children.set(from, []);
      this.children.get(from).push(i);
    }
    const pairs = list => Array.from({ length: list.length / 2 }, (_, i) => [this.texts[list[2 * i]], list[2 * i + 1]]);
    this.onPath = new Map(pairs(json.calls).map(([call, on]) => [call, on === 1]));
    this.twins = new Map(pairs(json.twins).map(([one, twin]) => [one, this.texts[twin]]));
    this.stacks = json.stacks;
    this.functions = new Map();
    for (let i = 0; i < json.functions.length; i += 8) {
      const [row, waited, stacked, name, called, caller, count, value] = json.functions.slice(i, i + 8);
      if (!this.functions.has(row)) this.functions.set(row, []);
      this.functions.get(row).push({ waited: waited === 1, stacked: stacked === 1, function: this.texts[name], called: this.texts[called], caller: this.texts[caller], count, value });
    }
    this.behind = new Map();
    for (const [row, time, beyond, ...steps] of json.behind) {
      if (!this.behind.has(row)) this.behind.set(row, []);
      this.behind.get(row).push({ time, beyond, steps: steps.map(([label, request, text]) =>
        ({ label: this.labels[label], request: this.texts[request], text: this.texts[text] })) });
    }
  }
}

// A column of model/columns.
class Field {
  constructor(data, column) {
    Object.assign(this, { name: column.name, short: column.short, type: column.type, unit: column.unit,
                          values: column.values ?? null });
    this.data = column.data;
    this.at = column.details ? data.detailAt : null;  // null: each row has a value
    this.texts = data.texts;
  }
  // A text, a number, a truth, or the bits of a list; null: unknown.
  value(row) {
    const value = this.data[this.at ? this.at[row] : row] ?? null;
    if (value === null) return null;
    return this.type === "text" ? this.texts[value] : this.type === "boolean" ? value === 1 : value;
  }
}
