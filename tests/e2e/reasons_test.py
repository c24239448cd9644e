"""Waits whose reason is no call: a lock on a file, a stop of a JVM, the socket of the system's log, a client that does not read, and one
that is only slow to get the next piece."""
import os
import re
import socket
import subprocess
import sys
import threading
import time
import unittest

import harness
from harness import Case, free_port, json_lines, wait_until

sys.path.insert(0, str(harness.ROOT / "tests/lab"))
from faults.runtimes import jvm_command, jvm_stops  # noqa: E402

# Each worker is a process. GET /hold keeps the lock for 300 ms, GET /want waits for it; by which call is in the query. It writes down
# when it holds the lock, and how long each waited.
LOCKS = r"""
import fcntl, http.server, json, os, socketserver, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        take = fcntl.flock if "flock" in self.path else fcntl.lockf
        with open(sys.argv[2], "w") as f:
            began = time.monotonic_ns()
            take(f, fcntl.LOCK_EX)
            waited = time.monotonic_ns() - began
            if "hold" in self.path:
                os.write(1, json.dumps({"holds": self.path}).encode() + b"\n")
                time.sleep(0.3)
            take(f, fcntl.LOCK_UN)
        os.write(1, json.dumps({"path": self.path, "waited": waited}).encode() + b"\n")
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
class Server(socketserver.ForkingMixIn, http.server.HTTPServer):
    pass
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

# GET /log?N writes N lines of 100 bytes to the log.
LOG = r"""
import http.server, json, socket, sys, time
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.connect(sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        began = time.monotonic_ns()
        for _ in range(int(self.path.split("?")[1])):
            log.send(b"<13>shop: " + b"x" * 90)
        print(json.dumps({"path": self.path, "waited": time.monotonic_ns() - began}), flush=True)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

# GET /big sends 4 MB at once. GET /slow sends five pieces of 20 kB, 40 ms apart, which the connection takes at once.
PIECES = r"""
import asyncio, sys
async def serve(reader, writer):
    while (line := await reader.readline()).startswith(b"GET"):
        while (await reader.readline()).strip():
            pass
        if b"/big" in line:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
            for _ in range(40):
                writer.write(b"x" * 100000)
                await writer.drain()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in range(5):
                writer.write(b"x" * 20000)
                await writer.drain()
                await asyncio.sleep(0.04)
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


def get(port, path, client=None):
    with client or socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += s.recv(4096)
        head, body = data.split(b"\r\n\r\n", 1)
        left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
        while left > 0:
            left -= len(s.recv(65536))


def sums_of(rows):
    sums = {}
    for part in (p for r in rows for p in r["labels"]):
        sums[part["label"]] = sums.get(part["label"], 0) + part["ns"]
    return sums


class Reasons(Case):
    BY_OTHER_NAMES = True

    def serve(self, program, *arguments):
        port, self.log = free_port(), self.scratch / "service.log"
        with open(self.log, "w") as out:
            process = self.start([sys.executable, "-c", program, port, *arguments], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        return process, port

    def locks(self, how):
        process, port = self.serve(LOCKS, self.scratch / "lock")
        with self.record("-p", process.pid) as recording:
            for i in range(3):
                holder = threading.Thread(target=get, args=(port, f"/hold?{how}&{i}"))
                holder.start()
                wait_until(lambda: f'{{"holds": "/hold?{how}&{i}"}}' in self.log.read_text(), "the lock")
                get(port, f"/want?{how}&{i}")
                holder.join()
        rows = self.requests(recording, role="server")
        truth = {t["path"]: t["waited"] for t in json_lines(self.log.read_text()) if "waited" in t}
        self.assertEqual({r["path"] for r in rows}, set(truth))
        ids = {r["id"]: r["path"] for r in rows}
        for r in (r for r in rows if "want" in r["path"]):
            held = sum(p["ns"] for p in r["labels"] if p["label"] == "lock.file")
            self.assertAlmostEqual(held / truth[r["path"]], 1, delta=0.15, msg=f"{r['labels']} {truth}")
            who = [c for c in r["culprits"] if c["label"] == "lock.file"]
            self.assertEqual({ids[c["request"]] for c in who}, {r["path"].replace("want", "hold")}, who)
        self.assertIn("lock on a file", self.tailcap("report", recording.file, "--brief", "--route", "/want"))

    def test_flock(self):
        self.locks("flock")

    def test_fcntl(self):
        self.locks("fcntl")

    def test_log_socket(self):
        folder = "/run/systemd/journal"
        if os.path.exists(folder):
            raise unittest.SkipTest("a journal runs here")
        os.makedirs(folder)
        self.addCleanup(os.removedirs, folder)
        path = folder + "/dev-log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.bind(path)
            self.addCleanup(os.unlink, path)
            stop = threading.Event()

            def take():
                journal.settimeout(0.01)
                while not stop.is_set():
                    try:
                        journal.recv(1000)
                        time.sleep(0.005)
                    except TimeoutError:
                        pass

            process, port = self.serve(LOG, path)
            reader = threading.Thread(target=take)
            reader.start()
            try:
                with self.record("-p", process.pid) as recording:
                    for i in range(4):
                        get(port, "/log?40")
            finally:
                stop.set()
                reader.join()
        rows = self.requests(recording, role="server")
        waited = sum(t["waited"] for t in json_lines(self.log.read_text()))
        sums = sums_of(rows)
        self.assertAlmostEqual(sums.get("io.log", 0) / waited, 1, delta=0.15, msg=str(sums))
        self.assertIn("full log socket", self.tailcap("report", recording.file, "--brief"))

    def test_a_client_that_does_not_read(self):
        process, port = self.serve(PIECES)
        with self.record("-p", process.pid) as recording:
            for _ in range(3):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
                client.connect(("127.0.0.1", port))
                client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.3)
                left = 4000000
                while left > 0:
                    left -= len(client.recv(1 << 20))
                client.close()
        rows = self.requests(recording, role="server")
        self.assertEqual(len(rows), 3)
        for r in rows:
            room = sum(p["ns"] for p in r["labels"] if p["label"] in ("send.sndbuf", "send.cwnd"))
            self.assertGreater(room, 250e6, r["labels"])

    def test_pieces_that_are_late(self):
        process, port = self.serve(PIECES)
        with self.record("-p", process.pid) as recording:
            for _ in range(3):
                get(port, "/slow")
        rows = self.requests(recording, role="server")
        self.assertEqual(len(rows), 3)
        sums = sums_of(rows)
        self.assertFalse([label for label in sums if label.startswith("send.")], sums)
        self.assertGreater(sums.get("timer.sleep", 0), 0.75 * 3 * 4 * 40e6, sums)

    def test_stop_of_a_jvm(self):
        log = self.scratch / "stops.log"
        process = self.start(jvm_command(log), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port = int(process.stdout.readline())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        stop = threading.Event()

        def user(number):
            i = 0
            while not stop.is_set():
                get(port, f"/work/{number}-{i}")
                i += 1
                time.sleep(0.004)

        with self.record("-p", process.pid) as recording:
            users = [threading.Thread(target=user, args=(n,)) for n in range(3)]
            for one in users:
                one.start()
            for i in range(6):
                time.sleep(0.3)
                get(port, f"/collect/{i}")
            stop.set()
            for one in users:
                one.join()
        self.end(process)
        stops = jvm_stops(log)
        self.assertGreaterEqual(len(stops), 4)
        shift = harness.realtime_offset()
        stopped = named = blamed = 0
        for r in self.requests(recording, role="server"):
            if not r["path"].startswith("/work") or not r["duration_ns"]:
                continue
            begin = r["start_ns"] - shift
            inside = sum(max(0, min(begin + r["duration_ns"], b) - max(begin, a)) for a, b in stops)
            if inside < 0.7 * r["duration_ns"]:
                continue
            sums = sums_of([r])
            stopped += inside
            named += sums.get("runtime.stw", 0)
            blamed += sums.get("lock.futex", 0) + sums.get("q.pool", 0)
        self.assertGreater(stopped, 0.1e9)
        self.assertGreater(named, 0.75 * stopped, (stopped, named, blamed))
        self.assertLess(blamed, 0.2 * stopped, (stopped, named, blamed))
        self.assertIn(
            "stopped by its runtime", " ".join(self.tailcap("report", recording.file, "--full", code=(0, 3)).split())
        )


if __name__ == "__main__":
    harness.main()
