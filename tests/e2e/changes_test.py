"""Notes given while recording, one of which comes with a slower service: that one is named, with what it cost."""
import json
import statistics
import subprocess
import sys
import time

import harness
from harness import Case, free_port, json_lines

SERVICE = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    more = 0.002
    def do_GET(self):
        if self.path.startswith("/set/"):
            Handler.more = float(self.path[5:])
        else:
            time.sleep(Handler.more)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
    def setup(self):
        super().setup()
        self.connection.setsockopt(6, 1, 1)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
SHIFT_NS = 18_000_000


class Changes(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def serve(self):
        service = self.start([sys.executable, "-c", SERVICE, str(self.port)])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the service")
        return service

    def note(self, recording, text):
        done = subprocess.run(
            [str(harness.BUILD / "analyze/tailcap"), "control", str(recording.file), "note", text],
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def recorded(self, slower_at):
        """Four notes five seconds apart; at the one of that number everything becomes slower."""
        service = self.serve()
        with self.record("-p", service.pid) as recording:
            load = self.start(
                self.load_command(self.url, "-r", "100", "-c", "8", "-d", "25", "--route", "1 GET /cart"),
                stdout=subprocess.DEVNULL,
            )
            for n in range(1, 5):
                time.sleep(5)
                if n == slower_at:
                    self.curl(f"{self.url}/set/{0.002 + SHIFT_NS / 1e9}")
                self.note(recording, f"deploy=v{n}")
            load.wait(timeout=120)
        self.end(service)
        return recording

    def test_the_one_that_made_it_slower(self):
        recording = self.recorded(slower_at=3)
        study = json.loads(self.tailcap("report", recording.file, "--json"))["changes"]
        self.assertEqual(
            [(c["kind"], c["key"], c["value"]) for c in study["changes"]],
            [("note", "deploy", f"v{n}") for n in range(1, 5)],
        )
        first = study["shifts"][0]
        self.assertEqual((first["change"], first["route"]), (2, "/cart"), study["shifts"])
        median = first["median"]
        self.assertEqual(median["verdict"], "shifted", median)
        # What the service adds is a lower bound: sleeping threads wake up late.
        self.assertLess(median["low_ns"], SHIFT_NS * 1.5)
        self.assertGreater(median["high_ns"], SHIFT_NS * 0.95)
        self.assertGreater(median["low_ns"], SHIFT_NS * 0.5)
        self.assertIn("After deploy=v3", self.tailcap("report", recording.file, "--full"))
        page = self.tailcap("report", recording.file, "--format", "html")
        self.assertIn("After deploy=v3", page)
        self.assertIn("After deploy=v3", self.tailcap("report", recording.file, "--format", "md"))

    def test_notes_that_changed_nothing(self):
        recording = self.recorded(slower_at=0)
        study = json.loads(self.tailcap("report", recording.file, "--json"))["changes"]
        self.assertEqual(len(study["changes"]), 4)
        shifts = study["shifts"]
        self.assertGreaterEqual(len(shifts), 3)
        for shift in shifts:
            self.assertNotEqual(shift["p99"]["verdict"], "shifted", shift)
            if shift["median"]["verdict"] == "shifted":  # the machine's own: the client's log has it, too
                self.check_by_log(shift, study["changes"][shift["change"]]["at_ns"])

    def check_by_log(self, shift, at):
        to_wall = time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        medians = []
        for begin, end in ((shift["from_ns"], at), (at, shift["to_ns"])):
            log = [
                t
                for t in json_lines((self.scratch / "load.jsonl").read_text())
                if begin <= t["sent_ns"] + to_wall < end
            ]
            medians.append(statistics.median(t["done_ns"] - t["sent_ns"] for t in log))
        self.assertGreater((medians[1] - medians[0]) / shift["median"]["difference_ns"], 0.5, (shift, medians))

    def test_a_restart(self):
        """The same program started again at the same address is seen as that, at the time it began."""
        first = self.serve()
        with self.record("--port", self.port) as recording:
            self.load(self.url, "-r", "50", "-c", "2", "-n", "53", "--route", "1 GET /cart")
            self.end(first)
            began = time.clock_gettime_ns(time.CLOCK_REALTIME)
            second = self.serve()
            self.load(self.url, "-r", "50", "-c", "2", "-n", "53", "--route", "1 GET /cart")
        self.end(second)
        study = json.loads(self.tailcap("report", recording.file, "--json"))["changes"]
        self.assertLessEqual(len(study["changes"]), 1)
        for change in study[
            "changes"
        ]:  # with --port a process is known from its first use of the port, its beginning need not be
            self.assertEqual((change["kind"], change["pid"]), ("restart", second.pid))
            self.assertGreater(change["at_ns"], began - 1_000_000_000)


if __name__ == "__main__":
    harness.main()
