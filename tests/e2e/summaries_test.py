"""`tailcap summarise` of recordings: counts and percentiles against the logs of the service and of its client."""
import http.client
import json
import math
import sys
import threading
import time

import harness
from harness import Case, free_port, wait_until

# Waits as long as the path says, and logs the time from when it has read the request until just before it writes the last byte:
# a part of the request's duration. Every twentieth request of /pay fails.
SERVICE = """
import http.server, json, sys, threading, time
log, lock = open(sys.argv[1], "w", buffering=1), threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        begun = time.monotonic_ns()
        route, number, micros = self.path[1:].split("/")
        status = 500 if route == "pay" and int(number) % 20 == 0 else 200
        time.sleep(int(micros) / 1e6)
        lasted = time.monotonic_ns() - begun
        self.wfile.write(b"HTTP/1.1 %d x\\r\\nContent-Length: 2\\r\\n\\r\\nok" % status)
        with lock:
            log.write(json.dumps({"route": route, "status": status, "ns": lasted}) + "\\n")
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""
ERROR = 0.0217  # docs/summaries.md


def quantile(q, values):
    values = sorted(values)
    return values[max(1, math.ceil(q * len(values) - 1e-9)) - 1]


class Summaries(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.port, self.log = free_port(), self.scratch / "service.jsonl"
        self.service = self.start([sys.executable, "-c", SERVICE, self.log, self.port])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the service")

    def ask(self, count, clients=4):
        """`count` requests over each of the connections; what the client measured: from before it sends until it has the answer."""
        asked, lock = [], threading.Lock()

        def client(number):
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            for i in range(count):
                route = "pay" if i % 3 == 0 else "cart"
                micros = 1000 + 300 * (i % 17) + (40_000 if i % 50 == 7 else 0) + number
                begun = time.monotonic_ns()
                connection.request("GET", f"/{route}/{i}/{micros}")
                answer = connection.getresponse()
                answer.read()
                with lock:
                    asked.append({"route": route, "status": answer.status, "ns": time.monotonic_ns() - begun})
            connection.close()

        threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return asked

    def summary(self, *files):
        return json.loads(self.tailcap("summarise", *files, "--json", "--route-template", "/pay/{}/{}", code=(0, 3)))

    def hold(self, summary, served, asked):
        """Every request is counted once; percentiles lie between what the two ends measured, but for the sketch's error."""
        self.assertEqual(summary["requests"], len(served))
        for route in ("pay", "cart"):
            inner = [r["ns"] for r in served if r["route"] == route]
            outer = [r["ns"] for r in asked if r["route"] == route]
            found = [r for r in summary["routes"] if r["role"] == "server" and r["route"].startswith(f"/{route}/")]
            self.assertEqual(len(found), 1, summary["routes"])
            row = found[0]
            failed = sum(r["status"] == 500 for r in served if r["route"] == route)
            self.assertEqual((row["requests"], row["judged"], row["failed"]), (len(inner), len(inner), failed))
            self.assertEqual(
                {s["status"]: s["requests"] for s in row["statuses"]},
                {"2xx": len(inner) - failed, **({"5xx": failed} if failed else {})},
            )
            for name, q in (("p50_ns", 0.5), ("p95_ns", 0.95), ("p99_ns", 0.99)):
                self.assertGreaterEqual(row[name], quantile(q, inner) * (1 - ERROR) - 1, (route, name))
                self.assertLessEqual(row[name], quantile(q, outer) * (1 + ERROR) + 1, (route, name))
            # Requests slept for most of their time.
            sleeping = next(l for l in row["labels"] if l["label"] == "timer.sleep")
            self.assertGreaterEqual(sleeping["time_ns"], 0.5 * sum(inner))
            self.assertLessEqual(sleeping["time_ns"], sum(outer))

    def test_counts_and_percentiles_are_those_of_the_logs(self):
        with self.record("-p", self.service.pid, name="one.tcap") as one:
            asked = self.ask(150)
        self.assert_whole(one)
        first = harness.json_lines(self.log.read_text())
        self.hold(self.summary(one.file), first, asked)
        with self.record("-p", self.service.pid, name="two.tcap") as two:
            asked += self.ask(100)
        self.assert_whole(two)
        # Summaries of both, added in any order, have the same bytes, and are about all requests of both.
        served = harness.json_lines(self.log.read_text())
        for name in ("one", "two"):
            self.tailcap(
                "summarise",
                self.scratch / f"{name}.tcap",
                "-o",
                self.scratch / f"{name}.tcs",
                "--route-template",
                "/pay/{}/{}",
            )
        for order in (("one", "two"), ("two", "one")):
            files = [self.scratch / f"{name}.tcs" for name in order]
            self.tailcap("summarise", *files, "-o", self.scratch / f"{order[0]}-first.tcs")
        sums = [(self.scratch / f"{name}-first.tcs").read_bytes() for name in ("one", "two")]
        self.assertEqual(sums[0], sums[1])
        self.hold(self.summary(self.scratch / "one-first.tcs"), served, asked)
        # The scorecard says the same of failures.
        card = json.loads(
            self.tailcap("scorecard", self.scratch / "one-first.tcs", "--json", "--at-most", "errors: 1%")
        )
        failed = sum(r["status"] == 500 for r in served)
        self.assertEqual(sum(w["failed"] for w in card["weeks"]), failed)
        self.assertEqual({w["verdict"] for w in card["limits"]}, {"fail"})
        self.assertAlmostEqual(card["limits"][-1]["burn_rate"], failed / len(served) / 0.01, places=6)
        # The same requests do not count twice.
        self.tailcap("summarise", self.scratch / "one-first.tcs", self.scratch / "two.tcap", code=1)


if __name__ == "__main__":
    harness.main()
