"""Go over TLS at both ends: connect, handshake, first byte and total against what Go's own httptrace measured."""
import os
import statistics
import subprocess

import harness
from harness import json_lines, wait_until
from tls_case import TlsCase

N = 23
SLACK = 20_000_000  # ns by which a goroutine may be late in reading its clock


class GoTrace(TlsCase):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go_trace.go")
        self.peer = self.scratch / "go-trace"
        subprocess.run(["go", "build", "-ldflags=-s -w", "-o", self.peer, source], check=True, timeout=100)
        self.server = self.start([self.peer, "serve", f"127.0.0.1:{self.port}", self.certificate, self.key])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")

    def calls(self, how):
        with self.record("--comm", "go-trace") as recording:
            said = subprocess.run(
                [self.peer, "get", f"127.0.0.1:{self.port}", self.certificate, str(N), how],
                check=True,
                capture_output=True,
                text=True,
                timeout=60,
            ).stdout
        self.assert_whole(recording)
        truth = json_lines(said)
        self.assertEqual(len(truth), N)
        rows = self.requests(recording)
        for role in ("client", "server"):
            end = {r["x_request_id"]: r for r in rows if r["role"] == role}
            self.assertEqual(set(end), {t["id"] for t in truth})
            for t in truth:
                r = end[t["id"]]
                self.assertEqual(
                    (r["tls"], r["complete"], r["status"], r["response_bytes"], r["path"]),
                    (True, True, t["status"], t["response_bytes"], "/page/" + t["id"][1:]),
                    r,
                )
                # The handler slept 30 ms before its first byte and 20 ms after it.
                self.assertGreaterEqual(r["first_byte_ns"], 30_000_000 if role == "server" else 29_000_000, r)
                self.assertGreaterEqual(r["duration_ns"], 49_000_000, r)
                self.assertLess(r["duration_ns"], t["total_ns"] + SLACK, (t, r))
            if role == "client":
                self.assert_set_up(truth, end)
        self.assertEqual(len(rows), 2 * N)
        return truth

    def assert_set_up(self, truth, rows):
        off = []
        for t in truth:
            setup = rows[t["id"]]["setup"]
            self.assertIsNotNone(setup, rows[t["id"]])
            self.assertEqual(setup["tls_resumed"], t["resumed"], (t, setup))
            # What the wire shows lies inside what the program measured around it.
            self.assertGreater(setup["tls_ns"], 0)
            self.assertLess(setup["tls_ns"], t["tls_ns"] + SLACK, (t, setup))
            self.assertLess(setup["connect_ns"], t["connect_ns"] + SLACK, (t, setup))
            off.append(abs(t["tls_ns"] - setup["tls_ns"]))
        print(f"handshakes: median {statistics.median(off) / 1e6:.3f} ms from httptrace's", end=" ", flush=True)
        self.assertLess(statistics.median(off), min(t["tls_ns"] for t in truth) + SLACK)

    def test_fresh_sessions(self):
        self.assertEqual({t["resumed"] for t in self.calls("fresh")}, {False})

    def test_resumed_sessions(self):
        self.assertEqual([t["resumed"] for t in self.calls("resumed")], [False] + [True] * (N - 1))


if __name__ == "__main__":
    harness.main()
