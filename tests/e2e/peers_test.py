"""Waits for services that speak no HTTP: threads, an event loop and goroutines name the other end of the socket."""
import os
import random
import socket
import subprocess
import sys

import harness
from harness import Case, free_port, wait_until

STORE = "e2e-store"  # its name as a process
DELAY = 0.03

# Answers each line after DELAY, as a database would.
SERVER = r"""
import asyncio, sys
open("/proc/self/comm", "w").write(sys.argv[2])
async def serve(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(float(sys.argv[3]))
        writer.write(line)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""

# GET /kept asks on a connection that is older than the recording, GET /fresh on one of its own.
THREADS = r"""
import http.server, socket, sys
kept = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
def ask(s):
    s.sendall(b"key\n")
    assert s.recv(100) == b"key\n"
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/fresh":
            with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as s:
                ask(s)
        else:
            ask(kept)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

LOOP = r"""
import asyncio, sys
async def main():
    store = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    turn = asyncio.Lock()
    async def serve(reader, writer):
        while (await reader.readline()).startswith(b"GET"):
            while (await reader.readline()).strip():
                pass
            async with turn:
                store[1].write(b"key\n")
                await store[0].readline()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""

GOROUTINES = r"""
package main

import (
	"bufio"
	"net"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c, err := net.Dial("tcp", "127.0.0.1:"+os.Args[2])
		if err != nil {
			http.Error(w, "store", 502)
			return
		}
		defer c.Close()
		c.Write([]byte("key\n"))
		bufio.NewReader(c).ReadString('\n')
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
"""


def low_port():
    """Below those that the kernel chooses for the ends that connect."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Peers(Case):
    BY_OTHER_NAMES = True

    def served(self, *service, paths=("/",)):
        """Label, peer and time of what the requests of this service waited for; their duration in all."""
        store, port = low_port(), free_port()
        database = self.start([sys.executable, "-c", SERVER, store, STORE, DELAY])
        wait_until(lambda: harness.answers(("127.0.0.1", store)), "the store")
        server = self.start([*service, port, store])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", server.pid, "-p", database.pid) as recording:
            with socket.create_connection(("127.0.0.1", port)) as client:
                for path in paths:
                    client.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
                    data = b""
                    while b"\r\n\r\n" not in data:
                        data += client.recv(4096)
        rows = self.requests(recording, role="server")
        self.assertEqual(len(rows), len(paths), rows)
        self.store = f"127.0.0.1:{store}"
        self.recording = recording.file
        return [c for r in rows for c in r["culprits"]], sum(r["duration_ns"] for r in rows)

    def assert_waits(self, culprits, whole, label="down.wait"):
        at_store = [c for c in culprits if c["peer"] and c["peer"]["address"] == self.store]
        self.assertTrue(at_store, culprits)
        for c in at_store:
            self.assertEqual((c["peer"]["process"], c["what"], c["request"]), (STORE, None, None), c)
        self.assertGreater(sum(c["ns"] for c in at_store if c["label"] == label), 0.7 * whole, culprits)
        self.assertIn(
            f"({self.store}, process {STORE})",
            " ".join(self.tailcap("report", self.recording, "--full", code=(0, 3)).split()),
        )

    def test_threads(self):
        self.assert_waits(*self.served(sys.executable, "-c", THREADS, paths=("/kept", "/fresh") * 6))

    def test_event_loop(self):
        self.assert_waits(*self.served(sys.executable, "-c", LOOP, paths=("/",) * 10))

    def test_goroutines(self):
        source, program = self.scratch / "store.go", self.scratch / "e2e-shop"
        source.write_text(GOROUTINES)
        subprocess.run(
            ["go", "build", "-o", program, source], check=True, timeout=120, env={**os.environ, "GO111MODULE": "off"}
        )
        self.assert_waits(*self.served(program, paths=("/",) * 10))


if __name__ == "__main__":
    harness.main()
