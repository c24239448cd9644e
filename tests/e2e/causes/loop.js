// A service in node's event loop that calls another one: loop.js MODE PORT OTHER-PORT LOG, as service.go describes it.
//
// fresh: a connection for each call. kept: connections are used again. unlike: kept, and calls have names of their own, with
// nothing in them of the request's. proxy: kept, each request is passed on as it is, once; and nothing is called for nobody.
const fs = require("fs");
const http = require("http");

const [mode, port, other, file] = process.argv.slice(2);
const log = fs.openSync(file, "w");
const agent = new http.Agent({ keepAlive: mode !== "fresh" });
let number = 100000;

const note = (served, called) => fs.writeSync(log, JSON.stringify({ served, called }) + "\n");

const call = (name, path = "/leaf/") =>
  new Promise((resolve) =>
    http.get({ host: "127.0.0.1", port: other, path: path + name, agent }, (answer) => answer.resume().on("end", resolve)));

http.createServer(async (request, response) => {
  const served = request.url.split("/").pop();
  const called = mode === "proxy" ? [served] : mode === "unlike" ? ["n" + number++, "n" + number++] : [served + ".0", served + ".1"];
  for (const name of called) await call(name, mode === "proxy" ? "/work/" : "/leaf/");
  note(served, called);
  response.end("ok");
}).listen(port, "127.0.0.1");

let n = 0;
if (mode !== "proxy") setInterval(() => {
  const name = mode === "unlike" ? "n" + number++ : "poll." + n++;
  note("", [name]);
  call(name);
}, 7);
