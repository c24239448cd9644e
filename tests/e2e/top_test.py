"""`tailcap top` beside a recorder: rates, errors and slowest against the service's and the load's own logs; what is under way."""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import harness
from harness import Case, Recording, free_port, wait_until

# Answers /fast at once and /fail with 500. It answers /hold once a line arrives on its standard input.
SERVICE = """
import http.server, sys, threading
released = threading.Event()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/hold"):
            released.wait()
        self.send_response(500 if self.path == "/fail" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.readline()
released.set()
sys.stdin.readline()
"""


class Top(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.service = self.start([sys.executable, "-c", SERVICE, self.port], stdin=subprocess.PIPE, text=True)
        self.addCleanup(self.service.stdin.close)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the service")
        self.asked = []  # path, status, seconds

    def ask(self, path):
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                answer.read()
                status = answer.status
        except urllib.error.HTTPError as e:
            e.read()
            status = e.code
        self.asked.append((path, status, time.monotonic() - begun))

    def top(self, file, **options):
        with open(self.scratch / "tables", "wb") as out, open(self.scratch / "tables.said", "wb") as said:
            process = subprocess.Popen(
                [
                    str(harness.BUILD / "analyze/tailcap"),
                    "top",
                    str(file),
                    "--json",
                    "--every",
                    "200ms",
                    "--last",
                    "60s",
                ],
                stdout=out,
                stderr=said,
                **options,
            )
        self.addCleanup(self.end, process, signal.SIGKILL)
        return process

    def tables(self):
        text = (self.scratch / "tables").read_text()
        return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]

    def route(self, path):
        tables = self.tables()
        found = [r for r in tables[-1]["routes"] if (r["role"], r["route"]) == ("server", path)] if tables else []
        return found[0] if found else {}

    def test_what_ends_and_what_is_under_way(self):
        recording = Recording(self.scratch / "capture.tcap", ["-p", self.service.pid], self.KEEP)
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        live = self.top(recording.file)
        for n in range(60):
            self.ask("/fail" if n % 10 == 0 else "/fast")
        held = [threading.Thread(target=self.ask, args=("/hold",)) for _ in range(3)]
        for thread in held:
            thread.start()
        # The latest table has all that ended, and the three that wait.
        wait_until(lambda: self.route("/fast").get("requests") == 54, "all fast requests")
        wait_until(lambda: self.route("/hold").get("under_way") == 3, "the held requests")
        wait_until(lambda: self.route("/hold")["oldest_ns"] > 1e9, "the held requests grow older")
        self.assertEqual(self.route("/hold")["requests"], 0)
        self.assertEqual((self.route("/fail")["requests"], self.route("/fail")["errors"]), (6, 6))
        self.assertEqual(self.route("/fast")["errors"], 0)
        self.assertEqual(self.route("/fast")["under_way"], 0)
        self.assertIsNone(live.poll())
        self.service.stdin.write("\n")
        self.service.stdin.flush()
        for thread in held:
            thread.join(timeout=30)
        wait_until(lambda: self.route("/hold").get("requests") == 3, "the held requests have ended")
        row = self.route("/hold")
        self.assertEqual((row["under_way"], row["errors"]), (0, 0))
        # The client's clock began before the server's, and stopped after it.
        slowest = max(seconds for path, _, seconds in self.asked if path == "/hold")
        self.assertLessEqual(row["slowest_ns"], slowest * 1e9)
        self.assertGreater(row["slowest_ns"], 1e9)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertEqual(live.wait(timeout=10), 0, (self.scratch / "tables.said").read_text())
        self.assertEqual(sum(r["requests"] for r in self.tables()[-1]["routes"]), len(self.asked))
        # No percentile of three requests.
        self.assertIsNone(self.route("/hold")["p99_ns"])

    def test_a_stream_and_its_rate(self):
        with open(self.scratch / "said", "wb") as said:
            recorder = subprocess.Popen(
                [str(c) for c in (harness.BUILD / "capture/tailcap-record", "-p", self.service.pid, "-o", "-")],
                stdout=subprocess.PIPE,
                stderr=said,
            )
        self.addCleanup(self.end, recorder, signal.SIGKILL)
        live = self.top("-", stdin=recorder.stdout)
        recorder.stdout.close()
        wait_until(lambda: b"recording PID" in (self.scratch / "said").read_bytes(), "the recorder")
        begun = time.monotonic()
        while time.monotonic() - begun < 3:
            self.ask("/fast")
            time.sleep(0.02)
        wait_until(lambda: self.route("/fast").get("requests") == len(self.asked), "all requests")
        row, table = self.route("/fast"), self.tables()[-1]
        seconds = (table["to_ns"] - table["from_ns"]) / 1e9
        self.assertAlmostEqual(row["per_second"], len(self.asked) / seconds, places=6)
        recorder.send_signal(signal.SIGINT)
        self.assertEqual(recorder.wait(timeout=20), 0)
        self.assertEqual(live.wait(timeout=10), 0, (self.scratch / "tables.said").read_text())


if __name__ == "__main__":
    harness.main()
