// As peer.go.
const http = require("http"), fs = require("fs"), crypto = require("crypto");
const [what, where, log, count] = process.argv.slice(2);
const file = fs.openSync(log, "w");
const note = (row) => fs.writeSync(file, JSON.stringify(row) + "\n");
const sum = (b) => crypto.createHash("sha256").update(b).digest("hex");
const read = (stream) =>
  new Promise((done, fail) => {
    const parts = [];
    stream.on("data", (d) => parts.push(d));
    stream.on("end", () => done(Buffer.concat(parts)));
    stream.on("error", fail);
  });

if (what === "serve") {
  http
    .createServer(async (q, a) => {
      const h = q.headers;
      const s = sum(await read(q));
      note({ Token: h["x-token"], Sum: s, Trace: h.traceparent || "", Request: h["x-request-id"] || "" });
      a.end(s);
    })
    .listen(+where, "127.0.0.1");
} else {
  process.stdin.once("data", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    const one = (worker, i) =>
      new Promise((done, fail) => {
        const token = `node-${process.pid}-${worker}-${i}`;
        const body = Buffer.from("GET / HTTP/1.1\r\n\r\n".repeat((i * 7) % 900));
        const headers = { "X-Token": token };
        if (i % 3 !== 1) headers["Content-Length"] = body.length;
        if (i % 5 === 4) headers["X-Request-Id"] = "own-" + token;
        const q = http.request(where + "/node", { method: "POST", agent, headers }, async (a) => {
          const answer = (await read(a)).toString();
          if (a.statusCode !== 200 || answer !== sum(body)) fail(new Error("another body arrived than was sent: " + token));
          note({ Token: token, Sum: sum(body), Trace: "", Request: headers["X-Request-Id"] || "" });
          done();
        });
        q.on("error", fail);
        q.end(body);
      });
    await Promise.all(
      [0, 1, 2, 3].map(async (worker) => {
        for (let i = 0; i < +count / 4; i++) await one(worker, i);
      })
    );
    process.exit(0);
  });
}
