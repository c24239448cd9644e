"""`tailcap record --live` at work: a line for each slow request, with the wait that the service's own code decides."""
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import harness
from harness import Case, free_port, wait_until

# /sleep sleeps 300 ms, /fast does nothing, /lock waits for a lock that /hold has for 400 ms. Each answer says how long it took.
SERVICE = """
import http.server, sys, threading, time
lock = threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        begun = time.monotonic()
        if self.path.startswith("/sleep"):
            time.sleep(0.3)
        elif self.path.startswith("/hold"):
            with lock:
                time.sleep(0.4)
        elif self.path.startswith("/lock"):
            with lock:
                pass
        body = f"{time.monotonic() - begun:.6f}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
LINE = re.compile(r"^\+(\S+) s  (\S+ \S+)  (GET \S+)  (.+)  (\d+\.\d+)$", re.M)


class Live(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.service = self.start([sys.executable, "-c", SERVICE, self.port])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the service")

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return float(answer.read())

    def record(self, *arguments):
        out, said = open(self.scratch / "lines", "wb"), open(self.scratch / "said", "wb")
        self.addCleanup(out.close)
        self.addCleanup(said.close)
        process = subprocess.Popen(
            [str(c) for c in (harness.BUILD / "analyze/tailcap", "record", "-p", self.service.pid, *arguments)],
            stdout=out,
            stderr=said,
            cwd=self.scratch,
        )
        self.addCleanup(self.end, process, signal.SIGKILL)
        wait_until(lambda: b"recording PID" in (self.scratch / "said").read_bytes(), "the recorder")
        return process

    def lines(self):
        return LINE.findall((self.scratch / "lines").read_text())

    def rows(self):
        return harness.json_lines(self.tailcap("requests", self.scratch / "slow.tcap", "--json"))

    def test_slow_requests_with_their_waits(self):
        process = self.record("-o", "slow.tcap", "--live=200ms")
        for _ in range(20):
            self.ask("/fast")
        self.ask("/sleep/1")
        holder = threading.Thread(target=self.ask, args=("/hold",))
        holder.start()
        time.sleep(0.1)
        waited = self.ask("/lock")
        holder.join()
        self.assertGreater(waited, 0.2)
        # They are there while it records.
        wait_until(lambda: len(self.lines()) == 3, "three lines")
        self.assertIsNone(process.poll())
        by_route = {route: (wait, id) for _, _, route, wait, id in self.lines()}
        self.assertEqual(set(by_route), {"GET /sleep/{}", "GET /hold", "GET /lock"})
        self.assertRegex(by_route["GET /sleep/{}"][0], r"^sleeping 30\d ms$")
        self.assertRegex(by_route["GET /hold"][0], r"^sleeping 4\d\d ms$")
        self.assertRegex(by_route["GET /lock"][0], r"^waiting for a lock [23]\d\d ms$")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 0, (self.scratch / "said").read_text())
        self.assertEqual(len(self.lines()), 3)
        # The ids are those of the file.
        names = {row["id"]: f"{row['method']} {row['route']}" for row in self.rows()}
        self.assertEqual(
            {id: route for route, (_, id) in by_route.items()}, {id: names.get(id) for _, id in by_route.values()}
        )

    def test_what_is_slow_right_before_the_end(self):
        process = self.record("-o", "slow.tcap", "--live")
        self.ask("/sleep/2")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        self.assertEqual([route for _, _, route, _, _ in self.lines()], ["GET /sleep/{}"])

    def test_the_recorder_is_not_affected_by_the_end_of_the_lines(self):
        process = self.record("-o", "slow.tcap", "--live")
        children = lambda: (
            harness.pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        )
        names = {pid: harness.pathlib.Path(f"/proc/{pid}/comm").read_text().strip() for pid in children()}
        reader = [pid for pid, name in names.items() if name == "tailcap"]
        self.assertEqual(len(reader), 1, names)
        subprocess.run(["kill", "-KILL", reader[0]], check=True)
        self.ask("/sleep/3")
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 0, (self.scratch / "said").read_text())
        self.assertIn("/sleep/3", [row["path"] for row in self.rows()])

    def test_what_is_refused(self):
        for words in (
            ["-o", "-", "--live"],
            ["--last", "10s", "--live"],
            ["--live", "--rotate", "1MB"],
            ["--live=soon"],
        ):
            done = subprocess.run(
                [str(harness.BUILD / "analyze/tailcap"), "record", "-a", *words],
                capture_output=True,
                text=True,
                timeout=30,
            )
            self.assertEqual((done.returncode, done.stdout), (2, ""), (words, done.stderr))


if __name__ == "__main__":
    harness.main()
