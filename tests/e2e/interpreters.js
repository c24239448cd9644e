// Code that says itself what it executed: from when to when, and with which functions of this file. A comment names the
// function that begins in its line.
"use strict";
const fs = require("fs");

const SECONDS = 0.4;
const now = () => Number(process.hrtime.bigint());
const said = [];
let begin = 0;

function say(what, ...functions) {
  said.push({ pid: process.pid, begin, end: now(), what, functions });
}

function begins() {
  begin = now();
}

function loop() { //@ loop
  begins();
  let sum = 0;
  while (now() - begin < SECONDS * 1e9) for (let i = 0; i < 1000; i++) sum = (sum * 31 + i) % 1000003;
  say("loop", "all", "loop");
  return sum;
}

class Invoice {
  render(what = "method", above = ["all"]) { //@ render
    begins();
    let text = "";
    while (now() - begin < SECONDS * 1e9) text = (text + "ä").slice(-100);
    say(what, ...above, "render");
    return text;
  }

  static total() { //@ total
    return new Invoice().render("static", ["all", "total"]);
  }

  get vat() { //@ get vat
    return this.render("getter", ["all", "get vat"]);
  }

  constructor(slow) { //@ Invoice
    if (!slow) return;
    begins();
    let sum = 0;
    while (now() - begin < SECONDS * 1e9) sum = (sum * 31 + 7) % 1000003;
    say("constructor", "all", "Invoice");
  }
}

function closures() { //@ closures
  let sum = 0;
  const inner = (n) => { //@ inner
    begins();
    while (now() - begin < SECONDS * 1e9) sum = (sum * 31 + n) % 1000003;
    say("closure from C++", "all", "closures", "inner");
  };
  [7].forEach(inner);
  return sum;
}

function sorted() { //@ sorted
  [3, 1].sort(function compare(a, b) { //@ compare
    begins();
    while (now() - begin < SECONDS * 1e9) a = (a * 31 + 7) % 1000003;
    say("from sort", "all", "sorted", "compare");
    return a - b;
  });
}

function* counts() { //@ counts
  begins();
  let n = 0;
  while (now() - begin < SECONDS * 1e9) n = (n * 31 + 7) % 1000003;
  say("generator", "all", "counts");
  yield n;
}

async function later() { //@ later
  await null;
  begins();
  let n = 0;
  while (now() - begin < SECONDS * 1e9) n = (n * 31 + 7) % 1000003;
  say("async", "later");
  return n;
}

function deep(n) { //@ deep
  if (n > 0) return deep(n - 1) + 1;
  begins();
  while (now() - begin < SECONDS * 1e9) n = (n * 31 + 7) % 1000003;
  say("deep", "all", ...Array(31).fill("deep"));
  return n;
}

function serializes() { //@ serializes
  const list = Array(20000).fill({ a: 1 });
  begins();
  while (now() - begin < SECONDS * 1e9) JSON.stringify(list);
  say("in C++", "all", "serializes");
}

function größe() { //@ größe
  begins();
  let n = 0;
  while (now() - begin < SECONDS * 1e9) n = (n * 31 + 7) % 1000003;
  say("another alphabet", "all", "größe");
  return n;
}

const evaluated = new Function("begins", "now", "say", "SECONDS", `
  begins();
  const begin = now();
  let n = 0;
  while (now() - begin < SECONDS * 1e9) n = (n * 31 + 7) % 1000003;
  say("eval", "all");
  return n;`);

function timer() { //@ timer
  begins();
  let n = 0;
  while (now() - begin < SECONDS * 1e9) n = (n * 31 + 7) % 1000003;
  say("timer", "timer");
}

function waits(what) { //@ waits
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 150; i++) {
    begins();
    Atomics.wait(cell, 0, 0, 5);
    say(what, "all", "waits");
  }
}

async function all() { //@ all
  waits("first wait");
  loop();
  new Invoice().render();
  Invoice.total();
  new Invoice().vat;
  new Invoice(true);
  closures();
  sorted();
  for (const n of counts());
  deep(30);
  serializes();
  größe();
  evaluated(begins, now, say, SECONDS);
  waits("wait");
}

all()
  .then(later)
  .then(() => new Promise((done) => setTimeout(() => done(timer()), 1)))
  .then(() => fs.writeFileSync(process.argv[2], JSON.stringify(said)));
