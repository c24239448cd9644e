"""grpc-go at both ends: requests against the services' own logs, the handlers' names, and the goroutines of requests."""
import collections
import os
import pathlib
import subprocess

import harness
from harness import Case, free_port, json_lines, wait_until

SOURCES = pathlib.Path(__file__).resolve().parent / "grpc_go"
CLIENTS, REQUESTS = 16, 5


class GrpcGo(Case):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(harness.tempfile.mkdtemp(prefix="tailcap-e2e-grpc-go-"))
        cls.addClassCleanup(lambda: subprocess.run(["rm", "-r", folder], check=True))
        cls.program = folder / "grpc-go"
        go = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode")
        subprocess.run(
            ["go", "build", "-ldflags=-s -w", "-o", cls.program, *sorted(SOURCES.glob("*.go"))],
            env=go,
            check=True,
            timeout=300,
        )

    def record_chain(self, manner, method):
        leaf, port = free_port(), free_port()
        other = self.start([self.program, "leaf", f"127.0.0.1:{leaf}"])
        self.service = self.start(
            [self.program, "service", manner, f"127.0.0.1:{port}", f"127.0.0.1:{leaf}", self.scratch / "log"]
        )
        for one in (leaf, port):
            wait_until(lambda: harness.answers(("127.0.0.1", one)), "a service of grpc-go")
        with self.record("-p", self.service.pid, "-p", other.pid) as recording:
            subprocess.run(
                [self.program, "load", f"127.0.0.1:{port}", method, str(CLIENTS), str(REQUESTS), "2", "r"],
                check=True,
                timeout=240,
            )
        self.assert_whole(recording)
        if keep := os.environ.get("TAILCAP_KEEP"):
            subprocess.run(["cp", recording.file, f"{keep}/{self._testMethodName}.tcap"], check=True)
        served = {line["served"]: line for line in json_lines((self.scratch / "log").read_text()) if line["served"]}
        rows = [r for r in self.requests(recording) if not (r["x_request_id"] or "").startswith("poll")]
        return recording, served, rows

    def assert_requests(self, rows, served, method, other, handler, other_handler):
        """Each request to the service, and each call of it at both ends, with its method and its handler."""
        ends = collections.defaultdict(list)
        for row in rows:
            self.assertEqual(
                (row["protocol"], row["complete"], row["grpc_status"], row["tainted"]), ("grpc", True, 0, []), row
            )
            ends[row["role"], row["path"]].append(row["x_request_id"])
        called = sorted(id for line in served.values() for id in line["called"])
        self.assertEqual(len(served), CLIENTS * REQUESTS)
        want = {("server", method): sorted(served), ("client", other): called, ("server", other): called}
        self.assertEqual({end: sorted(ids) for end, ids in ends.items()}, want)
        for row in rows:
            name = {method: handler, other: other_handler}[row["path"]] if row["role"] == "server" else None
            self.assertEqual(row["handler"], name, row)

    def assert_parents(self, rows, served):
        by_id = {row["id"]: row for row in rows}
        truth = {called: line["served"] for line in served.values() for called in line["called"]}
        for row in rows:
            if row["role"] != "client" or row["x_request_id"] not in truth:
                continue
            parent = by_id.get(row["parent"])
            self.assertIsNotNone(parent, row)
            self.assertEqual(
                (parent["x_request_id"], parent["role"], row["parent_confidence"]),
                (truth[row["x_request_id"]], "server", "certain"),
                row,
            )

    # Each handler ran on a goroutine of its own, which the recorded entry of the handler names, too.
    def assert_goroutines(self, recording, served):
        entered = {
            e["goroutine"]: e["name"] for e in self.events(recording, "go_handler") if e["pid"] == self.service.pid
        }
        ran = [line["goroutine"] for line in served.values()]
        self.assertEqual(len(set(ran)), len(ran))
        self.assertEqual(set(ran), set(entered))

    def events(self, recording, kind):
        return json_lines(self.tailcap("events", recording.file, "--json", "--kind", kind))

    def test_unary(self):
        recording, served, rows = self.record_chain("plain", "/test.Work/Do")
        self.assert_requests(rows, served, "/test.Work/Do", "/test.Leaf/Ask", "main.(*worker).Do", "main.(*quiet).Ask")
        self.assert_parents(rows, served)
        self.assert_goroutines(recording, served)
        # The routes of the report are grouped by these.
        routes = self.tailcap("report", recording.file, "--full", code=0)
        self.assertIn("main.(*worker).Do", routes)

    def test_fan_out(self):
        recording, served, rows = self.record_chain("fan_out", "/test.Work/Do")
        self.assert_requests(rows, served, "/test.Work/Do", "/test.Leaf/Ask", "main.(*worker).Do", "main.(*quiet).Ask")
        self.assert_parents(rows, served)
        self.assert_goroutines(recording, served)

    def test_streams(self):
        recording, served, rows = self.record_chain("watch", "/test.Work/Watch")
        self.assert_requests(
            rows, served, "/test.Work/Watch", "/test.Leaf/Watch", "main.(*worker).Watch", "main.(*quiet).Watch"
        )
        self.assert_parents(rows, served)
        self.assert_goroutines(recording, served)


if __name__ == "__main__":
    harness.main()
