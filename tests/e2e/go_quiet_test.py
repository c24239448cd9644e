"""A busy Go service pays for no probe on a request's path, and still every call has the parent that the service logs."""
import json
import os
import pathlib
import subprocess
import unittest

import harness
from harness import Case, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent / "causes"
WARM, ENTRIES, COUNTED, CLIENTS = 8000, 24000, 6000, 16


class GoQuiet(Case):
    def setUp(self):
        super().setUp()
        versions = {v: p for v, p in harness.go_compilers().items() if int(v[2:]) >= 21}
        if not versions:
            self.skipTest("no Go from 1.21 on is installed")
        self.program = self.scratch / "service"
        environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOTOOLCHAIN="local")
        subprocess.run(
            [
                versions[max(versions, key=lambda v: int(v[2:]))],
                "build",
                "-o",
                self.program,
                *sorted(HERE.glob("*.go")),
            ],
            env=environment,
            check=True,
            timeout=300,
        )

    def test_handlers(self):
        """A route keeps its handler, and no request is missing, where most entries were not recorded."""
        self.port = free_port()
        leaf = self.start([self.program, "leaf", f"127.0.0.1:{self.port}"], stderr=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go service")
        with self.record("-p", leaf.pid, code=(0, 3)) as recording:
            self.load(ENTRIES, "warm")
            self.load(COUNTED, "r")
        self.assert_whole(recording, most_lost=1)
        rows = [row for row in self.requests(recording, role="server", code=(0, 3)) if self.name(row).startswith("r")]
        self.assertEqual(len(rows), COUNTED)
        named = sum(row["handler"] is not None for row in rows)
        self.assertLess(named, COUNTED // 2, "the probes stayed")
        routes = json.loads(self.tailcap("report", recording.file, "--json", code=(0, 3)))["routes"]
        handlers = {handler["name"] for route in routes if route["role"] == "server" for handler in route["handlers"]}
        self.assertEqual(len(handlers), 1, routes)
        programs = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "go_program", code=(0, 3)))
        self.assertTrue(any("handlers: left alone" in p["unsupported"] for p in programs), programs)

    def load(self, requests, prefix):
        subprocess.run(
            [
                self.program,
                "load",
                f"http://127.0.0.1:{self.port}/work/",
                str(CLIENTS),
                str(requests // CLIENTS),
                "0",
                prefix,
            ],
            check=True,
            timeout=240,
        )

    def name(self, row):
        return (row["path"] or "/").rsplit("/", 1)[1]

    def test_creations(self):
        leaf, self.port = free_port(), free_port()
        self.start([self.program, "leaf", f"127.0.0.1:{leaf}"], stderr=subprocess.DEVNULL)
        log = self.scratch / "log"
        service = self.start(
            [self.program, "service", "fan_out", f"127.0.0.1:{self.port}", f"http://127.0.0.1:{leaf}", log],
            stderr=subprocess.DEVNULL,
        )
        for port in (leaf, self.port):
            wait_until(lambda port=port: harness.answers(("127.0.0.1", port)), "the Go service")
        with self.record("-p", service.pid, code=(0, 3)) as recording:
            self.load(WARM, "warm")
            begun = len(json_lines(log.read_text()))
            self.load(COUNTED, "r")
        self.assert_whole(recording, most_lost=1)
        logged = json_lines(log.read_text())
        truth = {called: line["served"] for line in logged for called in line["called"]}
        counted = {called for line in logged[begun:] if line["served"] for called in line["called"]}
        rows = self.requests(recording, code=(0, 3))
        by_id = {row["id"]: row for row in rows}
        calls = [row for row in rows if row["role"] == "client" and self.name(row) in counted]
        self.assertEqual(len(calls), len(counted))
        right = wrong = certain = 0
        for row in calls:
            parent = by_id.get(row["parent"])
            right += parent is not None and self.name(parent) == truth[self.name(row)]
            wrong += parent is not None and self.name(parent) != truth[self.name(row)]
            certain += row["parent_confidence"] == "certain"
        self.assertEqual(wrong, 0)
        self.assertGreaterEqual(right, 0.99 * len(calls))
        # With all probes all are certain (causes_score_test.py); without, some are likely only.
        self.assertGreaterEqual(certain, 0.85 * len(calls))
        programs = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "go_program", code=(0, 3)))
        self.assertTrue(
            any("creation and ends of goroutines: left alone" in p["unsupported"] for p in programs), programs
        )
        # Most creations were seen without the probe: the service makes five goroutines for each request.
        self.assertGreater(
            len(json_lines(self.tailcap("events", recording.file, "--json", "--kind", "go_create", code=(0, 3)))),
            4 * COUNTED,
        )


if __name__ == "__main__":
    harness.main()
