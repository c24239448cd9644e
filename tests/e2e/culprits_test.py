"""Who is behind slow and failed requests where that is a program that nobody recorded, or the end of the service's own process."""
import json
import pathlib
import platform
import re
import signal
import socket
import sys
import threading
import time
import unittest

import harness
from harness import Case, free_port, json_lines, wait_until

FPM = pathlib.Path("/usr/sbin/php-fpm8.2")
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

    def with_children(self, pid):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        wait_until(lambda: children.read_text().split(), "workers")
        return [pid, *(int(child) for child in children.read_text().split())]

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
        if tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", platform.release()).groups()) >= (6, 9):
            parts = [p for v in self.verdicts(recording) for p in v["parts"] if p["label"] == "lock.file"]
            self.assertEqual({p["who"]["process"] for p in parts}, {"batch.py"})

    @unittest.skipUnless(FPM.exists(), "needs PHP-FPM")
    def test_a_worker_of_fpm_is_another_requests(self):
        for way in ("tcp", "unix"):
            with self.subTest(way):
                self.assert_workers_are_taken(way)

    def assert_workers_are_taken(self, way):
        """One worker; GET /report has it for 300 ms. What nginx logs of each request is the truth."""
        here, port = self.scratch / way, free_port()
        here.mkdir()
        here.chmod(0o755)
        listen = f"127.0.0.1:{free_port()}" if way == "tcp" else here / "fpm.socket"
        (here / "index.php").write_text(
            "<?php usleep(strpos($_SERVER['REQUEST_URI'], '/report') === 0 ? 300000 : 1000); echo 'ok';"
        )
        (here / "fpm.conf").write_text(
            f"[global]\nerror_log={here}/fpm.log\ndaemonize=no\n[www]\nlisten={listen}\nlisten.mode=0666\n"
            "user=www-data\ngroup=www-data\npm=static\npm.max_children=1\n"
        )
        (here / "nginx.conf").write_text(
            f"""daemon off; worker_processes 1; pid {here}/nginx.pid; error_log {here}/error.log; events {{ }}
http {{ log_format times '$request_uri $request_time'; access_log {here}/access.log times; server {{ listen 127.0.0.1:{port};
location / {{ include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {here}/index.php;
fastcgi_pass {"unix:" if way == "unix" else ""}{listen}; }} }} }}"""
        )
        workers = self.start([FPM, "-y", here / "fpm.conf"])
        wait_until(
            lambda: (
                pathlib.Path(listen).exists()
                if way == "unix"
                else harness.answers(("127.0.0.1", int(str(listen).split(":")[1])))
            ),
            "PHP-FPM",
        )
        proxy = self.start(["/usr/sbin/nginx", "-c", here / "nginx.conf"])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nginx")
        pids = [pid for p in (workers, proxy) for pid in self.with_children(p.pid)]
        with self.record(*(a for pid in pids for a in ("-p", pid)), name=f"{way}.tcap") as recording:
            for i in range(4):
                slow = threading.Thread(target=get, args=(port, f"/report/{i}"))
                slow.start()
                time.sleep(0.05)
                others = [threading.Thread(target=get, args=(port, f"/item/{i}{n}")) for n in range(4)]
                for t in others:
                    t.start()
                    time.sleep(0.02)
                for t in [slow, *others]:
                    t.join(20)
        self.end(proxy)
        lines = [line.split() for line in (here / "access.log").read_text().splitlines()]
        truth = {path: float(seconds) * 1e9 for path, seconds in lines if path.startswith("/item")}
        rows = {r["path"]: r for r in self.requests(recording, role="server") if r["path"].startswith("/item")}
        self.assertEqual(set(rows), set(truth))
        hit = [path for path, ns in truth.items() if ns > 100e6]
        self.assertGreater(len(hit), 8)
        # What the proxy does for two requests at once belongs to neither of them for certain: nothing is claimed.
        waited = {p: sum(l["ns"] for l in rows[p]["labels"] if l["label"] == "q.pool") for p in hit}
        found = [path for path in hit if waited[path] > 0.9 * truth[path] - 20e6]
        self.assertGreaterEqual(len(found), 0.75 * len(hit), waited)
        text = re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--full"))
        self.assertRegex(text, r"free connection of php-fpm\S* behind GET /report/\{\}, which was sleeping")

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
