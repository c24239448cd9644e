// The language of --where (analyze/query), over the fields that a page has. An unknown value makes every comparison
// false, except with null.
class FilterError extends Error {
  constructor(at, why) {
    super(why);
    this.at = at;
  }
}

const kSymbols = ["==", "!=", "<=", ">=", "&&", "||", "=", "<", ">", "!", "(", ")"];
const kDurations = { ns: 1, us: 1e3, "µs": 1e3, "μs": 1e3, ms: 1e6, s: 1e9, min: 60e9, m: 60e9, h: 3600e9, d: 86400e9 };
const kSizes = { "": 1, B: 1, k: 1e3, kB: 1e3, K: 1e3, KB: 1e3, M: 1e6, MB: 1e6, G: 1e9, GB: 1e9, KiB: 1024, MiB: 1 << 20, GiB: 1 << 30 };
const kDeepest = 64;  // of parentheses and negations

function tokens(text) {
  const word = /[A-Za-z0-9\u0080-\uffff._\-/:*%+{}?@~]+/y, out = [];
  let at = 0;
  while (at < text.length) {
    const c = text[at];
    if (/\s/.test(c)) { ++at; continue; }
    if (c === '"' || c === "'") {
      const start = at;
      let value = "";
      for (++at; at < text.length && text[at] !== c; ++at) {
        if (text[at] === "\\" && at + 1 < text.length) ++at;
        value += text[at];
      }
      if (at >= text.length) throw new FilterError(start, `this ${c} is never closed`);
      ++at;
      out.push({ kind: "quoted", text: value, at: start });
      continue;
    }
    word.lastIndex = at;
    const found = word.exec(text)?.[0];
    const symbol = found ? null : kSymbols.find(s => text.startsWith(s, at));
    if (!found && !symbol) throw new FilterError(at, `'${c}' means nothing here`);
    out.push({ kind: found ? "word" : "symbol", text: found ?? symbol, at });
    at += (found ?? symbol).length;
  }
  out.push({ kind: "end", text: "the end", at: text.length });
  return out;
}

function readDuration(text) {
  if (text === "0") return 0;
  let sum = 0, rest = text;
  while (rest) {
    const part = /^(\d+(?:\.\d+)?)([^\d]*)/.exec(rest);
    if (!part || !(part[2] in kDurations)) return null;
    sum += Number(part[1]) * kDurations[part[2]];
    rest = rest.slice(part[0].length);
  }
  return text ? Math.floor(sum) : null;
}
function readSize(text) {
  const part = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text);
  return part && part[2] in kSizes ? Math.floor(Number(part[1]) * kSizes[part[2]]) : null;
}

// * for any text, ? for one character.
function glob(pattern, text) {
  let p = 0, t = 0, star = -1, again = 0;
  while (t < text.length) {
    if (pattern[p] === "*") { star = p++; again = t; }
    else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) { ++p; ++t; }
    else if (star >= 0) { p = star + 1; t = ++again; }
    else return false;
  }
  while (pattern[p] === "*") ++p;
  return p === pattern.length;
}

const kOrders = {
  "==": (a, low, high) => a >= low && a <= high, "=": (a, low, high) => a >= low && a <= high, "!=": (a, low, high) => a < low || a > high,
  "<": (a, low) => a < low, "<=": (a, low, high) => a <= high, ">": (a, low, high) => a > high, ">=": (a, low) => a >= low,
};

// Throws FilterError. The result says of a row whether it is meant.
class FilterReader {
  constructor(data, text) {
    this.data = data;
    this.all = tokens(text);
    this.at = 0;
    this.depth = 0;
  }
  static read(data, text) {
    if (!text.trim()) return () => true;
    const reader = new FilterReader(data, text), out = reader.either(), next = reader.next;
    if (next.kind !== "end") throw new FilterError(next.at, `'${next.text}' is not expected here; comparisons are joined by && and ||`);
    return out;
  }

  get next() { return this.all[this.at]; }
  take(...texts) {
    if (this.next.kind === "quoted" || !texts.includes(this.next.text)) return false;
    ++this.at;
    return true;
  }
  either() {
    let left = this.both();
    while (this.take("||", "or")) { const a = left, b = this.both(); left = row => a(row) || b(row); }
    return left;
  }
  both() {
    let left = this.term();
    while (this.take("&&", "and")) { const a = left, b = this.term(); left = row => a(row) && b(row); }
    return left;
  }
  term() {
    if (++this.depth > kDeepest) throw new FilterError(this.next.at, `nested more than ${kDeepest} deep`);
    let out;
    if (this.take("!", "not")) {
      const inner = this.term();
      out = row => !inner(row);
    } else if (this.take("(")) {
      out = this.either();
      if (!this.take(")")) throw new FilterError(this.next.at, "a ')' is missing here");
    } else {
      out = this.comparison();
    }
    --this.depth;
    return out;
  }
  // Name, type, unit and value of a field, or of the time under a label.
  field(name) {
    if (name.text.startsWith("labels.")) {
      const label = this.data.labels.find(l => l.name === name.text.slice(7));
      if (label) return { name: name.text, type: "number", unit: "ns", value: row => this.data.under(label.number, row) };
    }
    const field = this.data.field(name.text);
    if (field) return { name: name.text, type: field.type, unit: field.unit, values: field.values, value: row => field.value(row) };
    const names = this.data.fields.map(f => f.short || f.name).join(", ");
    throw new FilterError(name.at, `the page has no field '${name.text}'. It has ${names}, labels.NAME. tailcap requests ${this.data.file} -w … knows more`);
  }
  comparison() {
    const name = this.next;
    if (name.kind === "end") throw new FilterError(name.at, "something is missing at the end");
    if (name.kind !== "word") throw new FilterError(name.at, `a field is expected here, not '${name.text}'`);
    const field = this.field(name);
    ++this.at;
    const op = this.next;
    if (op.kind !== "quoted" && (op.text in kOrders || op.text === "contains" || op.text === "matches")) {
      ++this.at;
      return this.compare(field, op);
    }
    if (field.type !== "boolean" && field.type !== "list")
      throw new FilterError(op.at, `a comparison is expected after '${name.text}': == != < <= > >= contains matches`);
    return row => Boolean(field.value(row));
  }
  compare(field, op) {
    const value = this.next, equality = ["==", "=", "!="].includes(op.text);
    if (value.kind === "end") throw new FilterError(value.at, "a value is missing here");
    if (value.kind === "symbol") throw new FilterError(value.at, `a value is expected here, not '${value.text}'`);
    ++this.at;
    if (value.kind === "word" && value.text === "null") {
      if (!equality) throw new FilterError(op.at, "null can only be compared by == and !=");
      return row => (field.value(row) === null) === (op.text !== "!=");
    }
    return this[field.type](field, op, value, equality);
  }
  number(field, op, value) {
    if (!(op.text in kOrders)) throw new FilterError(op.at, `'${field.name}' is a number`);
    const kind = field.name === "status" && /^([1-5])xx$/i.exec(value.text);
    const low = kind ? Number(kind[1]) * 100 : this.readNumber(field, value), high = kind ? low + 99 : low, order = kOrders[op.text];
    return row => { const a = field.value(row); return a !== null && order(a, low, high); };
  }
  readNumber(field, value) {
    const plain = /^\d+$/.test(value.text) ? Number(value.text) : null;
    if (field.unit === "ns" && !field.name.endsWith("_ns") && plain)
      throw new FilterError(value.at, `'${value.text}' has no unit: ns, us, ms, s, m or h`);
    const out = plain ?? (field.unit === "ns" ? readDuration(value.text) : field.unit === "bytes" ? readSize(value.text) : null);
    if (out === null)
      throw new FilterError(value.at, `'${value.text}' is no ${field.unit === "ns" ? "duration like 20ms" : field.unit === "bytes" ? "size like 10kB" : "number"}`);
    return out;
  }
  boolean(field, op, value, equality) {
    if (!equality || (value.text !== "true" && value.text !== "false")) throw new FilterError(value.at, `'${field.name}' is true or false`);
    return row => { const a = field.value(row); return a !== null && (a === (value.text === "true")) === (op.text !== "!="); };
  }
  text(field, op, value, equality) {
    if (equality && field.values && !field.values.includes(value.text))
      throw new FilterError(value.at, `'${field.name}' is never '${value.text}'. It is one of ${field.values.join(", ")}`);
    const wanted = value.text;
    const test = op.text === "contains" ? a => a.includes(wanted) : op.text === "matches" ? a => glob(wanted, a) : a => kOrders[op.text](a, wanted, wanted);
    return row => { const a = field.value(row); return a !== null && test(a); };
  }
  list(field, op, value, equality) {
    if (!equality && op.text !== "contains") throw new FilterError(op.at, "a list can only be asked by == != contains");
    const at = field.values.indexOf(value.text);
    if (at < 0) throw new FilterError(value.at, `'${value.text}' is no name in it. There are: ${field.values.join(", ")}`);
    return row => { const a = field.value(row); return a !== null && ((a & 1 << at) !== 0) === (op.text !== "!="); };
  }
}
