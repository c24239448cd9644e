// A service in node's event loop that calls another one: loop.js MODE PORT OTHER-PORT LOG, as service.go describes it.
//
// fresh: a connection for each call. kept: connections are used again.
const fs = require("fs");
const http = require("http");

const [mode, port, other, file] = process.argv.slice(2);
const log = fs.openSync(file, "w");
const agent = new http.Agent({ keepAlive: mode === "kept" });

const note = (served, called) => fs.writeSync(log, JSON.stringify({ served, called }) + "\n");

const call = (name) =>
  new Promise((resolve) =>
    http.get({ host: "127.0.0.1", port: other, path: "/leaf/" + name, agent }, (answer) => answer.resume().on("end", resolve)));

http.createServer(async (request, response) => {
  const served = request.url.split("/").pop();
  const called = [served + ".0", served + ".1"];
  for (const name of called) await call(name);
  note(served, called);
  response.end("ok");
}).listen(port, "127.0.0.1");

let n = 0;
setInterval(() => {
  const name = "poll." + n++;
  note("", [name]);
  call(name);
}, 7);
