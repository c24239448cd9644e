"""Connections that are asked for and never come to be: the answer names them for the requests that failed by them."""
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import harness
from harness import Case, free_port, wait_until

# GET /cart/N calls PORT for an even N, and answers 502 where that fails. It writes down each path with its status and error. FROM:
# the only port that it may connect from.
GATEWAY = r"""
import http.server, json, socket, struct, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status, error = 200, ""
        if int(self.path.split("/")[2]) % 2 == 0:
            try:
                with socket.socket() as s:
                    s.settimeout(0.3)
                    if sys.argv[3] != "0":
                        s.setsockopt(socket.IPPROTO_IP, 51, struct.pack("HH", int(sys.argv[3]), int(sys.argv[3])))
                    s.connect(("127.0.0.1", int(sys.argv[2])))
            except OSError as e:
                status, error = 502, str(e)
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        print(json.dumps([self.path, status, error]), flush=True)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


# The same on an event loop.
LOOP = r"""
import asyncio, json, sys
async def serve(reader, writer):
    while (line := await reader.readline()).startswith(b"GET"):
        while (await reader.readline()).strip():
            pass
        path, status, error = line.split()[1].decode(), 200, ""
        if int(path.split("/")[2]) % 2 == 0:
            try:
                await asyncio.wait_for(asyncio.open_connection("127.0.0.1", int(sys.argv[2])), 0.3)
            except (OSError, asyncio.TimeoutError) as e:
                status, error = 502, repr(e)
        writer.write(b"HTTP/1.1 %d ?\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok" % status)
        print(json.dumps([path, status, error]), flush=True)
        break
    writer.close()
async def main():
    await (await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))).serve_forever()
asyncio.run(main())
"""

# The same in Go: the client of net/http connects in goroutines of its own.
GO = r"""
package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	client := &http.Client{Timeout: 300 * time.Millisecond}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(strings.Split(r.URL.Path, "/")[2])
		status, said := 200, ""
		if n%2 == 0 {
			if _, err := client.Get("http://127.0.0.1:" + os.Args[2] + "/stock"); err != nil {
				status, said = 502, err.Error()
			}
		}
		w.WriteHeader(status)
		w.Write([]byte("ok"))
		json.NewEncoder(os.Stdout).Encode([]interface{}{r.URL.Path, status, said})
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
"""


# Closes what was idle for 50 ms.
BACKEND = r"""
import socketserver, sys
open("/proc/self/comm", "w").write("e2e-backend")
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(0.05)
        try:
            while self.request.recv(4096):
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except TimeoutError:
            pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

# Keeps its connection to the backend, and answers 502 where a request on it has no answer.
KEEPER = r"""
import http.server, socket, sys
kept = None
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        global kept
        if kept is None:
            kept = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
        try:
            kept.sendall(b"GET /stock HTTP/1.1\r\nHost: stock\r\n\r\n")
            answer = kept.recv(4096)
        except OSError:
            answer = b""
        if not answer:
            kept.close()
            kept = None
        self.send_response(200 if answer else 502)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


# Requests over HTTP/2, one a connection. The server ends each connection with GOAWAY ENHANCE_YOUR_CALM.
HTTP2 = r"""
import socket, sys, threading, time
def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
def serve(there):
    while True:
        c, _ = there.accept()
        while b"/stock" not in c.recv(4096):
            pass
        c.sendall(frame(4, 0, 0) + frame(7, 0, 0, (1).to_bytes(4, "big") + (11).to_bytes(4, "big") + b"too_many_pings"))
        time.sleep(0.02)
        c.close()
there = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=serve, args=(there,), daemon=True).start()
sys.stdin.readline()
for _ in range(4):
    with socket.create_connection(there.getsockname()) as c:
        c.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
        c.sendall(frame(1, 5, 1, b"\x82\x86\x04\x06/stock\x01\x01x"))
        while c.recv(4096):
            pass
"""


class Connects(Case):
    BY_OTHER_NAMES = True

    def failing(self, port, service=(sys.executable, "-c", GATEWAY), source=0):
        """The report's first answer about a gateway whose every second request calls this port."""
        gateway, log = free_port(), self.scratch / "gateway.log"
        with open(log, "w") as out:
            service = self.start([*service, gateway, port, source], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", gateway)), "the gateway")
        with self.record("-p", service.pid) as recording:
            for n in range(16):
                with socket.create_connection(("127.0.0.1", gateway)) as client:
                    client.sendall(b"GET /cart/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % n)
                    while client.recv(4096):
                        pass
        truth = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(sum(status == 502 for _, status, _ in truth), 8, truth)
        rows = self.requests(recording)
        self.rows = [r for r in rows if r["role"] == "server" and r["status"] == 502]
        self.connects = [r for r in rows if r["protocol"] == "tcp"]
        return re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--brief"))

    def assert_failed(self, text, port, how):
        self.assertIn(
            f"8 of 16 requests failed (502). In all 8 a connection to 127.0.0.1:{port} failed ({how}); "
            "this happened in none of the other 8.",
            text,
        )
        # Each is a call that the request made, without an answer.
        self.assertEqual(
            [
                (r["role"], r["operation"], r["resource"], r["error_code"], r["outcome"], r["complete"])
                for r in self.connects
            ],
            [
                (
                    "client",
                    "CONNECT",
                    f"127.0.0.1:{port}",
                    how,
                    "cancelled" if how == "given up" else "no_response",
                    False,
                )
            ]
            * 8,
        )
        self.assertEqual([r["parent"] for r in self.connects], [r["id"] for r in self.rows])

    def assert_connecting(self, port):
        """All of the 0.3 s before it gave up."""
        ids = {r["id"] for r in self.connects if r["resource"] == f"127.0.0.1:{port}"}
        for row in self.rows:
            connecting = [c["ns"] for c in row["culprits"] if c["label"] == "down.connect" and c["request"] in ids]
            self.assertGreater(sum(connecting), 0.25e9, row)

    def go(self):
        source, program = self.scratch / "gateway.go", self.scratch / "e2e-gateway"
        source.write_text(GO)
        subprocess.run(
            ["go", "build", "-o", program, source], check=True, timeout=120, env={**os.environ, "GO111MODULE": "off"}
        )
        return program

    def test_refused(self):
        port = free_port()
        self.assert_failed(self.failing(port), port, "refused")

    def test_refused_on_a_loop(self):
        port = free_port()
        self.assert_failed(self.failing(port, (sys.executable, "-c", LOOP)), port, "refused")

    def test_refused_in_go(self):
        port = free_port()
        self.assert_failed(self.failing(port, (self.go(),)), port, "refused")

    def test_no_free_port(self):
        with socket.socket() as there, socket.socket() as taken:
            there.bind(("127.0.0.1", 0))
            there.listen()
            taken.bind(("127.0.0.1", 0))
            taken.connect(there.getsockname())
            port = there.getsockname()[1]
            self.assert_failed(self.failing(port, source=taken.getsockname()[1]), port, "no free port")

    @contextlib.contextmanager
    def full(self):
        # Its queue is full: the kernel drops what asks for a connection.
        port = free_port()
        full = socket.socket()
        full.bind(("127.0.0.1", port))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for one in [full, *waiting]:
                one.close()

    def test_given_up(self):
        with self.full() as port:
            self.assert_failed(self.failing(port), port, "given up")
            self.assert_connecting(port)

    def test_given_up_on_a_loop(self):
        with self.full() as port:
            self.assert_failed(self.failing(port, (sys.executable, "-c", LOOP)), port, "given up")
            self.assert_connecting(port)

    def test_given_up_in_go(self):
        with self.full() as port:
            self.assert_failed(self.failing(port, (self.go(),)), port, "given up")
            self.assert_connecting(port)

    def test_stale(self):
        gateway, backend = free_port(), free_port()
        servers = [
            self.start([sys.executable, "-c", BACKEND, backend]),
            self.start([sys.executable, "-c", KEEPER, gateway, backend]),
        ]
        for port in (gateway, backend):
            wait_until(lambda: harness.answers(("127.0.0.1", port)), "the servers")
        statuses = []
        with self.record("-p", servers[0].pid, "-p", servers[1].pid) as recording:
            with socket.create_connection(("127.0.0.1", gateway)) as client:
                for _ in range(12):
                    client.sendall(b"GET /cart HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = b""
                    while not answer.endswith(b"ok"):
                        answer += client.recv(4096)
                    statuses.append(answer.split()[1])
                    time.sleep(0.15)
        failed = statuses.count(b"502")
        self.assertGreaterEqual(failed, 5, statuses)
        text = re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--brief"))
        self.assertRegex(
            text,
            rf"GET /cart: {failed} of 12 requests failed \(502\)\..* In all {failed} a request was sent on a connection "
            r"that e2e-backend had already closed \(stale keep-alive, idle for 1\d\d ms\); this happened in none of the other",
        )

    def test_goaway(self):
        port = free_port()
        both = self.start([sys.executable, "-c", HTTP2, port], stdin=subprocess.PIPE)
        wait_until(lambda: f":{port:04X} " in pathlib.Path("/proc/net/tcp").read_text(), "the server")
        with self.record("-p", both.pid) as recording:
            both.communicate(b"go\n", timeout=20)
        text = re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--full"))
        self.assertIn(
            "GET /stock: all 4 requests failed (no response). In all 4 the service ended the connection with an error "
            "(HTTP/2 GOAWAY ENHANCE_YOUR_CALM (11)).",
            text,
        )
        self.assertRegex(text, rf"4 GOAWAY ENHANCE_YOUR_CALM \(11\) 127\.0\.0\.1:{port}")


if __name__ == "__main__":
    harness.main()
