"""Names that are asked for in vain: each is a call without an answer of the request that asked, and the cause why that failed."""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import harness
from harness import Case, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent
NAME_SERVER = "127.0.0.78"

# GET /cart/N asks for NAME where N is even, and answers 502 where that fails. It writes down each path with its status and error.
THREADS = r"""
import http.server, json, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status, error = 200, ""
        if int(self.path.split("/")[2]) % 2 == 0:
            try:
                socket.getaddrinfo(sys.argv[2], 80, type=socket.SOCK_STREAM)
            except OSError as e:
                status, error = 502, str(e)
        print(json.dumps([self.path, status, error]), flush=True)
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

# The same on an event loop, which has threads ask.
LOOP = r"""
import asyncio, json, socket, sys
async def serve(reader, writer):
    while (line := await reader.readline()).startswith(b"GET"):
        while (await reader.readline()).strip():
            pass
        path, status, error = line.split()[1].decode(), 200, ""
        if int(path.split("/")[2]) % 2 == 0:
            try:
                await asyncio.get_running_loop().getaddrinfo(sys.argv[2], 80, type=socket.SOCK_STREAM)
            except OSError as e:
                status, error = 502, repr(e)
        print(json.dumps([path, status, error]), flush=True)
        writer.write(b"HTTP/1.1 %d ?\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok" % status)
        break
    writer.close()
async def main():
    await (await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))).serve_forever()
asyncio.run(main())
"""

# The same in node: getaddrinfo in a thread of its pool, or c-ares on its loop.
NODE = r"""
const http = require("http"), dns = require("dns");
const [port, name, how] = process.argv.slice(2);
http.createServer((request, response) => {
  const answer = (status, error) => {
    console.log(JSON.stringify([request.url, status, error]));
    response.writeHead(status, {"content-length": 2, "connection": "close"});
    response.end("ok");
  };
  if (Number(request.url.split("/")[2]) % 2) return answer(200, "");
  const done = (error) => answer(error ? 502 : 200, error ? String(error) : "");
  how == "lookup" ? dns.lookup(name, done) : dns.resolve4(name, done);
}).listen(Number(port), "127.0.0.1");
"""

# The same in Go, by its own resolver.
GO = r"""
package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(strings.Split(r.URL.Path, "/")[2])
		status, said := 200, ""
		if n%2 == 0 {
			if _, err := resolver.LookupHost(context.Background(), os.Args[2]); err != nil {
				status, said = 502, err.Error()
			}
		}
		json.NewEncoder(os.Stdout).Encode([]interface{}{r.URL.Path, status, said})
		w.WriteHeader(status)
		w.Write([]byte("ok"))
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
"""


class FailedNames(Case):
    BY_OTHER_NAMES = True
    REQUESTS = 16

    def setUp(self):
        super().setUp()
        self.asked = self.scratch / "names.jsonl"
        server = self.start(
            [sys.executable, HERE / "name_server.py", NAME_SERVER, "0.02", self.asked], stdout=subprocess.PIPE
        )
        self.assertEqual(server.stdout.readline(), b"ready\n")
        server.stdout.close()

    def run_service(self, name, service=(sys.executable, "-c", THREADS), how="", search="", servers=(NAME_SERVER,)):
        """Its log; rows are those of the capture."""
        resolver = self.scratch / "resolv.conf"
        resolver.write_text("".join(f"nameserver {s}\n" for s in servers) + f"options timeout:1 attempts:1\n{search}\n")
        gateway, log = free_port(), self.scratch / "service.log"
        within = ["unshare", "-m", "sh", "-c", f'mount --bind {resolver} /etc/resolv.conf && exec "$@"', "sh"]
        with open(log, "w") as out:
            self.service = self.start([*within, *service, gateway, name, *([how] if how else [])], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", gateway)), "the service")
        self.recordings = getattr(self, "recordings", 0) + 1
        with self.record("-p", self.service.pid, name=f"{self.recordings}.tcap") as recording:
            for n in range(self.REQUESTS):
                with socket.create_connection(("127.0.0.1", gateway)) as client:
                    client.sendall(b"GET /cart/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % n)
                    while client.recv(4096):
                        pass
                # A worker of a pool that takes its next work before it waits was woken by nobody: whose that is is not known.
                time.sleep(0.02)
        self.recording = recording
        self.rows = self.requests(recording)
        self.lookups = [r for r in self.rows if r["protocol"] == "dns"]
        self.served = [r for r in self.rows if r["role"] == "server"]
        truth = json_lines(log.read_text())
        self.assertEqual(len(truth), self.REQUESTS, truth)
        self.assertEqual({r["path"]: r["status"] for r in self.served}, {path: status for path, status, _ in truth})
        return truth

    def assert_failed(self, truth, name, code, timed=True):
        failed = [path for path, status, _ in truth if status == 502]
        self.assertEqual(len(failed), self.REQUESTS // 2, truth)
        self.assertEqual(
            [
                (r["role"], r["operation"], r["resource"], r["error_code"], r["outcome"], r["complete"], r["remote"])
                for r in self.lookups
            ],
            [("client", "LOOKUP", name, code, "no_response", False, f"{NAME_SERVER}:53")] * len(failed),
        )
        ids = {r["id"]: r for r in self.served}
        self.assertEqual([ids[r["parent"]]["path"] if r["parent"] else None for r in self.lookups], failed)
        if timed:
            for r in self.lookups:
                self.assertLessEqual(r["duration_at_least_ns"], ids[r["parent"]]["duration_ns"], r)
                self.assertGreaterEqual(r["duration_at_least_ns"], 0.02e9 if code != "no answer" else 0.9e9, r)
        text = re.sub(r"\s+", " ", self.tailcap("report", self.recording.file, "--brief"))
        self.assertIn(
            f"{len(failed)} of {len(truth)} requests failed (502). In all {len(failed)} the lookup of {name} failed "
            f"({code}); this happened in none of the other {len(truth) - len(failed)}.",
            text,
        )
        self.assertIn(f"LOOKUP {name}", self.tailcap("tree", self.recording.file, self.lookups[0]["parent"]))
        topology = json.loads(self.tailcap("topology", self.recording.file, "--json"))
        self.assertIn("dns", json.dumps(topology))
        return ids

    def waited_for_names(self, least=0.019e9):
        """All requests that failed, for as long as the name server took, or the resolver waited."""
        ids = {r["parent"]: r["id"] for r in self.lookups}
        for row in self.served:
            if row["status"] != 502:
                continue
            waited = sum(
                c["ns"] for c in row["culprits"] if c["label"] == "down.dns" and c["request"] == ids[row["id"]]
            )
            self.assertGreater(waited, least, row)

    def test_no_such_name(self):
        self.assert_failed(self.run_service("nx.shop.test"), "nx.shop.test", "NXDOMAIN")
        self.waited_for_names()

    def test_server_failure(self):
        self.assert_failed(self.run_service("fail.shop.test"), "fail.shop.test", "SERVFAIL")

    def test_no_address(self):
        self.assert_failed(self.run_service("empty.shop.test"), "empty.shop.test", "no address")

    def test_no_answer(self):
        self.REQUESTS = 6
        self.assert_failed(self.run_service("mute.shop.test"), "mute.shop.test", "no answer")
        self.waited_for_names(0.9e9)

    def test_search_list_in_vain(self):
        truth = self.run_service("nx", search="search first.test second.test")
        self.assert_failed(truth, "nx", "NXDOMAIN")
        self.assertEqual(
            {l["name"] for l in json_lines(self.asked.read_text())}, {"nx.first.test", "nx.second.test", "nx"}
        )

    def assert_found(self, truth):
        self.assertEqual({status for _, status, _ in truth}, {200}, truth)
        self.assertEqual(self.lookups, [])

    def test_found_by_the_search_list(self):
        self.assert_found(self.run_service("shop", search="search first.test second.test"))
        asked = {l["name"] for l in json_lines(self.asked.read_text())}
        self.assertEqual(asked, {"shop.first.test", "shop.second.test"})

    def test_found_by_the_second_server(self):
        self.assert_found(self.run_service("shop.test", servers=("127.0.0.79", NAME_SERVER)))

    def test_on_a_loop(self):
        self.assert_failed(self.run_service("nx.shop.test", (sys.executable, "-c", LOOP)), "nx.shop.test", "NXDOMAIN")
        self.waited_for_names()

    def test_no_answer_on_a_loop(self):
        self.REQUESTS = 6
        truth = self.run_service("mute.shop.test", (sys.executable, "-c", LOOP))
        self.assert_failed(truth, "mute.shop.test", "no answer")

    def node(self):
        program = self.scratch / "service.js"
        program.write_text(NODE)
        return ("node", program)

    def test_node(self):
        self.assert_failed(self.run_service("nx.shop.test", self.node(), "lookup"), "nx.shop.test", "NXDOMAIN")

    def test_node_without_threads(self):
        self.assert_failed(self.run_service("fail.shop.test", self.node(), "resolve"), "fail.shop.test", "SERVFAIL")

    def go(self):
        source, program = self.scratch / "service.go", self.scratch / "e2e-names"
        source.write_text(GO)
        subprocess.run(
            ["go", "build", "-o", program, source], check=True, timeout=120, env={**os.environ, "GO111MODULE": "off"}
        )
        return (program,)

    def test_go(self):
        self.assert_failed(self.run_service("nx.shop.test", self.go()), "nx.shop.test", "NXDOMAIN")

    def test_go_search_list(self):
        truth = self.run_service("nx", self.go(), search="search first.test second.test")
        self.assert_failed(truth, "nx", "NXDOMAIN")
        asked = len(json_lines(self.asked.read_text()))
        self.assert_found(self.run_service("shop", self.go(), search="search first.test second.test"))
        self.assertGreater(len(json_lines(self.asked.read_text())), asked)


if __name__ == "__main__":
    harness.main()
