// As spin.h.
"use strict";
const fs = require("fs");
const now = () => Number(process.hrtime.bigint());

function render_invoice(sum) {
  for (let i = 0; i < 200000; i++) sum = (sum * 31 + i) % 1000003;
  return sum;
}

function count_stock(sum) {
  for (let i = 0; i < 200000; i++) sum = (sum * 17 + i) % 1000033;
  return sum;
}

function turn(said, work) {
  const begin = now();
  let end = begin;
  for (; end < begin + 2e8; end = now()) work(1);
  fs.writeSync(said, `${begin} ${end} ${work.name}\n`);
}

const said = fs.openSync(process.argv[2], "w");
for (const until = now() + process.argv[3] * 1e9; now() < until; ) {
  turn(said, render_invoice);
  turn(said, count_stock);
}
