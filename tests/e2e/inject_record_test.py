"""A recording beside tailcap-inject: both ends are whole, and know the ids that the server logged."""
import json
import subprocess
import sys

import harness
from harness import ROOT, answers, free_port, wait_until
from inject_case import InjectCase

PEER = ROOT / "tests/e2e/inject/peer.py"
COUNT = 200


class Recorded(InjectCase):
    def setUp(self):
        super().setUp()
        self.port, self.log = free_port(), self.scratch / "served"
        self.server = self.start([sys.executable, PEER, "serve", str(self.port), self.log])
        wait_until(lambda: answers(("127.0.0.1", self.port)), "the server")
        self.called = self.scratch / "called"
        command = [sys.executable, PEER, "call", f"http://127.0.0.1:{self.port}", self.called, str(COUNT)]
        self.client = self.start(command, stdin=subprocess.PIPE)

    def ask(self):
        """Returns what the server logged of requests without an id of their own: trace -> span; and how many had one."""
        inject = self.inject("-p", self.client.pid)
        self.go(self.client)
        counts = self.end_of(inject)
        served = [json.loads(line) for line in self.log.read_text().splitlines()]
        self.assertEqual(len(served), COUNT)
        given = {row["Request"]: row["Trace"].split("-")[2] for row in served if row["Trace"]}
        self.assertEqual(counts["requests that got ids"], len(given))
        self.assertGreater(len(given), COUNT * 3 // 4)
        return given

    def assert_sound(self, rows):
        self.assertEqual(len(rows), COUNT)
        for row in rows:
            self.assertTrue(row["complete"], row)
            self.assertEqual(row["tainted"], [], row)

    def test_both_ends(self):
        with self.record("-p", self.server.pid, self.client.pid) as recording:
            given = self.ask()
        self.assert_whole(recording)
        rows = self.requests(recording)
        ends = {role: [r for r in rows if r["role"] == role] for role in ("server", "client")}
        for some in ends.values():
            self.assert_sound(some)
        by_id = {row["id"]: row for row in rows}
        seen = set()
        for row in ends["server"]:
            self.assertIsNotNone(row["peer"], row)
            client = by_id[row["peer"]]
            self.assertEqual(client["request_bytes"], row["request_bytes"])
            if row["x_request_id"] in given:
                seen.add(row["x_request_id"])
                self.assertEqual((row["trace_id"], row["trace_id_source"]), (row["x_request_id"], "traceparent"))
                self.assertEqual(row["parent_span_id"], given[row["trace_id"]])
                self.assertEqual((client["trace_id"], client["span_id"]), (row["trace_id"], given[row["trace_id"]]))
        self.assertEqual(seen, set(given))
        spans = json.loads(self.tailcap("spans", recording.file))
        spans = [s for r in spans["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]
        ids = {(s["traceId"], s["spanId"]) for s in spans}
        self.assertTrue(set(given.items()) <= ids)
        shown = self.tailcap("show", recording.file, next(r["id"] for r in ends["server"] if r["trace_id"] in given))
        self.assertTrue(any(trace in shown for trace in given), shown)

    def test_the_calling_end_alone(self):
        """It does not see what the kernel adds; it knows the ids by the same rule."""
        with self.record("-p", self.client.pid) as recording:
            given = self.ask()
        self.assert_whole(recording)
        rows = self.requests(recording, role="client")
        self.assert_sound(rows)
        ids = {row["trace_id"]: row["span_id"] for row in rows}
        self.assertEqual({k: v for k, v in ids.items() if k in given}, given)

    def test_the_serving_end_alone(self):
        with self.record("-p", self.server.pid) as recording:
            given = self.ask()
        self.assert_whole(recording)
        rows = self.requests(recording, role="server")
        self.assert_sound(rows)
        self.assertEqual({r["trace_id"]: r["parent_span_id"] for r in rows if r["parent_span_id"]}, given)


if __name__ == "__main__":
    harness.main()
