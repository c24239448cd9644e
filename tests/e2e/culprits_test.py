"""Who is behind slow and failed requests where that is a program that nobody recorded, or the end of the service's own process."""
import json
import signal
import socket
import sys
import time

import harness
from harness import Case, free_port, json_lines, wait_until

HEAD = r"""
import fcntl, http.server, json, os, signal, socketserver, sqlite3, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        began = time.monotonic_ns()
        self.work()
        waited = (self.got if hasattr(self, "got") else time.monotonic_ns()) - began
        os.write(1, json.dumps({"path": self.path, "waited": waited}).encode() + b"\n")
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
"""
THREADS = 'http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()\n'
LOCKS = (
    HEAD
    + r"""
def work(self):
    with open(sys.argv[2], "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        fcntl.flock(f, fcntl.LOCK_UN)
Handler.work = work
"""
    + THREADS
)
WRITES = (
    HEAD
    + r"""
def work(self):
    db = sqlite3.connect(sys.argv[2], timeout=30)
    db.execute("pragma synchronous=off")
    db.execute("insert into sale values (1)")
    self.got = time.monotonic_ns()
    db.commit()
    db.close()
Handler.work = work
"""
    + THREADS
)
# One process for each connection.
DIES = (
    HEAD
    + r"""
def work(self):
    if "die" in self.path:
        os.kill(os.getpid(), signal.SIGKILL)
Handler.work = work
class Server(socketserver.ForkingMixIn, http.server.HTTPServer):
    pass
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
)
# Holds the lock for 150 ms, twice a second.
NIGHTLY = r"""
import fcntl, sys, time
while True:
    with open(sys.argv[1], "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        time.sleep(0.15)
        fcntl.flock(f, fcntl.LOCK_UN)
    time.sleep(0.35)
"""
BATCH = r"""
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
while True:
    db.execute("begin immediate")
    time.sleep(0.15)
    db.execute("commit")
    time.sleep(0.35)
"""


def get(port, path):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
        data = b""
        while more := s.recv(4096):
            data += more
    return data


class Culprits(Case):
    BY_OTHER_NAMES = True

    def serve(self, program, *arguments):
        port, self.log = free_port(), self.scratch / "service.log"
        with open(self.log, "w") as out:
            process = self.start([sys.executable, "-c", program, port, *arguments], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        return process, port

    def beside(self, program, name, *arguments):
        script = self.scratch / name
        script.write_text(program)
        self.start([sys.executable, script, *arguments])

    def verdicts(self, recording):
        return json.loads(self.tailcap("report", recording.file, "--json"))["verdicts"]

    def test_a_program_that_is_not_recorded_holds_a_file(self):
        lock = self.scratch / "lock"
        process, port = self.serve(LOCKS, lock)
        self.beside(NIGHTLY, "nightly.py", lock)
        with self.record("-p", process.pid) as recording:
            for _ in range(60):
                get(port, "/pay")
                time.sleep(0.04)
        waited = [t["waited"] for t in json_lines(self.log.read_text()) if t["path"] == "/pay"]
        self.assertGreater(sum(w > 50e6 for w in waited), 2, "the lock was held")
        parts = [p for v in self.verdicts(recording) for p in v["parts"] if p["label"] == "lock.file"]
        self.assertTrue(parts)
        self.assertEqual({p["who"]["process"] for p in parts}, {"nightly.py"})
        self.assertIn("nightly.py", self.tailcap("report", recording.file, "--brief"))

    def test_sqlite_waits_for_its_file(self):
        file = self.scratch / "shop.db"
        import sqlite3

        sqlite3.connect(file).execute("create table sale (id int)")
        process, port = self.serve(WRITES, file)
        self.beside(BATCH, "batch.py", file)
        with self.record("-p", process.pid) as recording:
            for _ in range(60):
                get(port, "/pay")
                time.sleep(0.04)
        truth = [t["waited"] for t in json_lines(self.log.read_text()) if t["path"] == "/pay"]
        rows = self.requests(recording, role="server")
        waits = [w for w in truth if w > 30e6]  # of fewer than three sleeps nothing is claimed
        self.assertGreater(len(waits), 2, truth)
        held = sum(p["ns"] for r in rows for p in r["labels"] if p["label"] == "lock.file")
        self.assertAlmostEqual(held / sum(waits), 1, delta=0.25)

    def test_the_process_that_served_them_ended(self):
        process, port = self.serve(DIES)
        with self.record("-p", process.pid) as recording:
            answers = [get(port, "/die" if i % 4 == 3 else "/live") for i in range(40)]
            died = sum(not a for a in answers)
        self.assertEqual(died, 10)
        failing = [v for v in self.verdicts(recording) if v["kind"] == "failing"]
        self.assertEqual(len(failing), 1, failing)
        cause = failing[0]["causes"][0]
        self.assertEqual(
            (cause["kind"], cause["cause"], cause["failed"], cause["others"]), ("ended", "SIGKILL", died, 0)
        )
        text = self.tailcap("report", recording.file, "--brief")
        self.assertIn(signal.Signals.SIGKILL.name, text)
        self.assertEqual(text.count("ended"), 1, text)


if __name__ == "__main__":
    harness.main()
