"""Which socket carries which TLS session, against what the clients know: every request names itself, and its client
writes down from which port it asked."""
import json
import os
import subprocess
import sys
import textwrap

import harness
from harness import json_lines, wait_until
from tls_record_test import TlsCase

ASYNCIO_SERVER = """
import asyncio, ssl, sys
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            if b"/slow" in head:
                await asyncio.sleep(0.01)
            body = b"x" * 300
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    if len(sys.argv) > 4:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), ssl=context, backlog=200)
    async with server:
        await server.serve_forever()
asyncio.run(main())
"""

ASYNCIO_CLIENT = """
import asyncio, json, ssl, sys
port, ca, connections, each = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
context = ssl.create_default_context(cafile=ca)
async def ask(n):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    local = writer.get_extra_info("sockname")[1]
    for i in range(each):
        name = "%d-%d" % (n, i)
        writer.write(b"GET /%s?%s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" % (b"slow" if i % 3 == 0 else b"fast", name.rjust(8, "_").encode()))
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0])
        await reader.readexactly(length)
        print(json.dumps({"id": name, "port": local}), flush=True)
    writer.close()
async def main():
    await asyncio.gather(*[ask(n) for n in range(connections)])
asyncio.run(main())
"""

THREADS_CLIENT = """
import http.client, json, ssl, sys, threading
port, ca, connections, each = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
context = ssl.create_default_context(cafile=ca)
lock = threading.Lock()
def ask(n):
    c = http.client.HTTPSConnection("localhost", port, context=context)
    c.connect()
    local = c.sock.getsockname()[1]
    for i in range(each):
        name = "%d-%d" % (n, i)
        c.request("GET", "/small?" + name.rjust(8, "_"))
        c.getresponse().read()
        with lock:
            print(json.dumps({"id": name, "port": local}), flush=True)
    c.close()
threads = [threading.Thread(target=ask, args=(n,)) for n in range(connections)]
[t.start() for t in threads]
[t.join() for t in threads]
"""

NODE_SERVER = """
const https = require("https"), fs = require("fs");
https.createServer({cert: fs.readFileSync(process.argv[3]), key: fs.readFileSync(process.argv[4])}, (request, response) => {
  const answer = () => { response.setHeader("Content-Length", 300); response.end("x".repeat(300)); };
  if (request.url.startsWith("/slow")) setTimeout(answer, 10); else answer();
}).listen(Number(process.argv[2]), "127.0.0.1");
"""

NODE_CLIENT = """
const https = require("https"), fs = require("fs");
const [port, ca, connections, each] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
// Probes of a program that starts while the recorder runs come a moment later; this one is 100 MB.
const begin = () => { for (let n = 0; n < connections; ++n) {
  const agent = new https.Agent({keepAlive: true, maxSockets: 1, ca: fs.readFileSync(ca)});
  const ask = i => {
    if (i === each) return agent.destroy();
    const name = `${n}-${i}`;
    https.get({host: "127.0.0.1", servername: "localhost", port, agent, path: `/${i % 3 ? "fast" : "slow"}?${name.padStart(8, "_")}`}, response => {
      const local = response.socket.localPort;
      response.resume().on("end", () => { console.log(JSON.stringify({id: name, port: local})); ask(i + 1); });
    });
  };
  ask(0);
} };
setTimeout(begin, 5000);
"""


# HTTP/1.1 only: with HTTP/2 the requests of a connection are one stream, and one wrong binding would hide behind another.
GO_SERVER = """
package main

import ("crypto/tls"; "log"; "net/http"; "os"; "strings"; "time")

func main() {
	s := &http.Server{Addr: "127.0.0.1:" + os.Args[1], TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/slow") { time.Sleep(10 * time.Millisecond) }
			w.Write([]byte(strings.Repeat("x", 300)))
		})}
	log.Fatal(s.ListenAndServeTLS(os.Args[2], os.Args[3]))
}
"""


class Binding(TlsCase):
    def program(self, name, text):
        """A file, and an interpreter of that name for --comm."""
        file = self.scratch / name
        file.write_text(text)
        return file

    def interpreter(self, name, real):
        link = self.scratch / name
        link.symlink_to(os.path.realpath(real))
        return link

    def python_server(self, *arguments):
        server = self.start(
            [
                sys.executable,
                self.program("server.py", ASYNCIO_SERVER),
                self.port,
                self.certificate,
                self.key,
                *arguments,
            ],
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the asyncio server")
        return server

    def ask(self, command):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {t["id"]: t["port"] for t in json_lines(done.stdout)}

    def check(self, recording, truth, role, how, unbound=0):
        """Every request of this role is there, and on its connection. Its session may be unbound, but none is wrong. By
        its keys a session is known to be its socket's."""
        how = "nested" if harness.TLS != "probes" else how
        rows = [r for r in self.requests(recording, role=role) if r["tls"]]
        seen = {}
        for row in rows:
            name = row["path"].split("?")[1].strip("_")
            self.assertNotIn(name, seen)
            seen[name] = row
        self.assertEqual(set(seen), set(truth))
        strangers = set()
        for name, port in truth.items():
            row = seen[name]
            end = row["remote" if role == "server" else "local"]
            if end == "unknown":
                strangers.add(row["id"].split(".")[0])
                continue
            self.assertEqual(end, f"127.0.0.1:{port}", row)
            self.assertTrue(row["complete"], row)
        self.assertLessEqual(len(strangers), unbound, f"{len(strangers)} unbound sessions")
        tls = json.loads(self.tailcap("report", recording.file, "--json"))["quality"]["tls"]
        self.assertGreater(tls["bound_" + how], 0, tls)
        return list(seen.values())

    def test_nginx_and_threads(self):
        self.nginx()
        client = self.program("client.py", THREADS_CLIENT)
        python = self.interpreter("tls-client", sys.executable)
        with self.record("--comm", "nginx", "--comm", "tls-client") as recording:
            truth = self.ask([python, client, self.port, self.certificate, 20, 25])
        self.assert_whole(recording)
        self.assertEqual(len(truth), 500)
        for role in ("server", "client"):
            for row in self.check(recording, truth, role, "nested"):
                self.assertEqual(row["tainted"], [], row)
                self.assertIsNotNone(row["peer"], row)

    def test_curl(self):
        self.nginx()
        with self.record("--comm", "nginx", "--comm", "curl") as recording:
            truth = {}
            for i in range(5):
                port = self.curl("-k", "-o", "/dev/null", "-w", "%{local_port}", f"{self.url}/large?{i}")
                truth[str(i)] = int(port)
        for role in ("server", "client"):
            self.check(recording, truth, role, "nested")

    def test_asyncio(self):
        for version in ((), ("1.2",)):
            with self.subTest(version=version):
                server = self.python_server(*version)
                client = self.program("client.py", ASYNCIO_CLIENT)
                with self.record("-p", server.pid, name=f"asyncio{version}.tcap") as recording:
                    truth = self.ask([sys.executable, client, self.port, self.certificate, 50, 20])
                self.end(server)
                self.assertEqual(len(truth), 1000)
                self.check(recording, truth, "server", "lengths")

    def test_asyncio_client(self):
        self.nginx()
        client = self.program("client.py", ASYNCIO_CLIENT.replace("slow", "small").replace("fast", "small"))
        python = self.interpreter("tls-client", sys.executable)
        with self.record("--comm", "tls-client") as recording:
            truth = self.ask([python, client, self.port, self.certificate, 50, 20])
        self.check(recording, truth, "client", "lengths")

    def test_go(self):
        server_go, program = self.program("server.go", GO_SERVER), self.scratch / "tls-server"
        subprocess.run(
            ["go", "build", "-o", program, server_go], check=True, env=dict(os.environ, GO111MODULE="off"), timeout=100
        )
        server = self.start([program, self.port, self.certificate, self.key], stderr=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        client = self.program("client.py", ASYNCIO_CLIENT)
        with self.record("-p", server.pid) as recording:
            truth = self.ask([sys.executable, client, self.port, self.certificate, 50, 20])
        self.check(recording, truth, "server", "nested")

    def test_gnutls_client(self):
        self.nginx()
        with self.record("--comm", "wget", "--comm", "nginx") as recording:
            for i in range(5):
                subprocess.run(
                    ["wget", "-q", "-O", "/dev/null", "--no-check-certificate", f"{self.url}/large?{i}"],
                    check=True,
                    timeout=30,
                )
        # wget does not say its port; the server's end does.
        clients = [r for r in self.requests(recording, role="client") if r["tls"]]
        servers = {r["path"]: r for r in self.requests(recording, role="server") if r["tls"]}
        self.assertEqual(len(clients), 5)
        for row in clients:
            self.assertEqual((row["local"], row["peer"]), (servers[row["path"]]["remote"], servers[row["path"]]["id"]))

    def test_node(self):
        server = self.start(["node", self.program("server.js", NODE_SERVER), self.port, self.certificate, self.key])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "node")
        client = self.program("client.py", ASYNCIO_CLIENT)
        with self.record("-p", server.pid) as recording:
            truth = self.ask([sys.executable, client, self.port, self.certificate, 50, 20])
        self.check(recording, truth, "server", "lengths")

    def test_node_client(self):
        self.nginx()
        client = self.program("client.js", NODE_CLIENT.replace('"fast" : "slow"', '"small" : "small"'))
        node = self.interpreter(
            "tls-client", subprocess.run(["which", "node"], capture_output=True, text=True).stdout.strip()
        )
        with self.record("--comm", "tls-client") as recording:
            truth = self.ask([node, client, self.port, self.certificate, 30, 20])
        self.assertEqual(len(truth), 600)
        self.check(recording, truth, "client", "lengths")


if __name__ == "__main__":
    harness.main()
