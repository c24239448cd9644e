"""The formulas of `tailcap policy` over a recorded service with a failing and a slow path, against the service's own log."""
import collections
import http.client
import json
import math
import sys
import threading
import time

import harness
from harness import free_port, json_lines, wait_until

# A line for each request when it has been answered: when it began and ended on the clock of captures, path, status.
SERVICE = """
import http.server, json, sys, time
log, began = open(sys.argv[2], "a", buffering=1), time.monotonic()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        begin, middle = time.monotonic_ns(), 12 < time.monotonic() - began < 24
        time.sleep({"/search": 1.6 if middle else 0.2}.get(self.path, 0.01))
        status = 500 if self.path == "/pay" and middle else 200
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        log.write(json.dumps([begin, time.monotonic_ns(), self.path, status]) + "\\n")
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
NAMES = ("adaptive", "adaptive_clamped")
SECONDS, WINDOW = 34, 10_000_000_000
NEAR = 200_000_000  # the log and the wire may differ by this


def formula(clamped, errors, per_second, p95_ms):
    if errors > 0.05:
        return 0.01
    lat = max(0.2, 1 - (p95_ms - 800) / 2000)
    return min(max((0.1 + 0.4 * min(per_second / 1000, 1)) * (min(lat, 1) if clamped else lat), 0.01), 1.0)


class PolicyFormula(harness.Case):
    def ask(self, port, path, every, until):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < until:
            connection.request("GET", path)
            connection.getresponse().read()
            time.sleep(every)
        connection.close()

    def test_rates_are_those_of_the_services_log(self):
        port, log = free_port(), self.scratch / "service.jsonl"
        service = self.start([sys.executable, "-c", SERVICE, port, log])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid) as recording:
            until = time.monotonic() + SECONDS
            work = [("/search", 0.1)] * 8 + [("/pay", 0.2)] * 2 + [("/home", 0.1)] * 2
            threads = [threading.Thread(target=self.ask, args=(port, *one, until)) for one in work]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        (self.scratch / "policy.yaml").write_text("sampling: {formula: adaptive, rate: 50%, keep: status >= 500}")
        rates = self.scratch / "rates.json"
        out = json.loads(
            self.tailcap("policy", recording.file, self.scratch / "policy.yaml", "--json", "--registry", rates)
        )
        first = json.loads(self.tailcap("query", recording.file, "SELECT first_ts FROM _captures", "--json"))[
            "first_ts"
        ]
        ended = collections.defaultdict(list)
        for begin, end, path, status in json_lines(log.read_text()):
            ended["GET " + path, (end - first) // WINDOW].append((end - begin, status, (end - first) % WINDOW))
        windows = {(w["route"], w["from_ns"] // WINDOW): w for w in out["sampling"]["windows"]}
        compared = set()
        for (route, window), truth in sorted(ended.items()):
            near = sum(not NEAR < at < WINDOW - NEAR for *_, at in truth)
            figures = windows[route, window]["ended"]
            self.assertLessEqual(abs(figures["requests"] - len(truth)), near, (route, window))
            after = windows.get((route, window + 1))
            if not after or window >= SECONDS // 10 - 1 or len(truth) < 25:
                continue
            durations = sorted(duration for duration, *_ in truth)
            errors = sum(status >= 500 for _, status, _ in truth) / len(truth)
            p95 = durations[math.ceil(0.95 * len(durations)) - 1] / 1e6
            for clamped, name in enumerate(NAMES):
                expected = formula(clamped, errors, len(truth) / 10, p95)
                self.assertTrue(after[name]["known"], (route, window))
                self.assertAlmostEqual(after[name]["rate"], expected, delta=0.01, msg=(route, window, name))
                compared.add((route, name, round(expected, 2)))
        # The failing path fell to 1 %, the slow one below what it has when it is fast; the clamped formula differs.
        self.assertIn(("GET /pay", "adaptive", 0.01), compared)
        of = {name: {rate for route, n, rate in compared if (route, n) == ("GET /search", name)} for name in NAMES}
        self.assertGreater(max(of["adaptive"]), max(of["adaptive_clamped"]) + 0.02)
        self.assertLess(min(of["adaptive"]), max(of["adaptive"]) - 0.04)
        # All failed ones are kept by the rule, whatever the rate is.
        failed = sum(status >= 500 for truth in ended.values() for _, status, _ in truth)
        self.assertEqual((out["sampling"]["all"]["failed"], out["sampling"]["all"]["failed_missed"]), (failed, 0))
        # The registry is replayed.
        again = json.loads(self.tailcap("policy", recording.file, rates, "--json"))
        self.assertEqual(again["sampling"]["registry"]["routes"][0]["route"], "GET /home")
        listed = {one["route"]: one["rate"] for one in again["sampling"]["registry"]["routes"]}
        self.assertEqual(listed, {one["route"]: one["rate"] for one in out["sampling"]["registry"]["routes"]})


if __name__ == "__main__":
    harness.main()
