"""tailcap diff with a real service: a planted change comes first, with its reason; equal recordings have none."""
import collections
import json
import statistics
import sys
import unittest

import harness
from harness import Case, free_port, json_lines, wait_until

RATE, SECONDS = 60, 5


class Diff(Case):
    def setUp(self):
        super().setUp()
        self.redis, self.stock = free_port(), free_port()
        self.start(
            ["redis-server", "--port", self.redis, "--save", "", "--appendonly", "no"],
            stdout=harness.subprocess.DEVNULL,
        )
        self.sample_service("--port", self.stock, ready=("127.0.0.1", self.stock))
        wait_until(lambda: harness.answers(("127.0.0.1", self.redis)), "redis-server")

    def run_of(self, name, change=""):
        """A recording, and what the service itself wrote down for each request: by route."""
        port, log = free_port(), self.scratch / f"{name}.log"
        service = self.start(
            [
                sys.executable,
                harness.ROOT / "tests/e2e/diff_service.py",
                *("--port", port, "--stock", f"127.0.0.1:{self.stock}", "--redis", self.redis, "--log", log),
                *(["--change", change] if change else []),
            ]
        )
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid, "--note", f"version={change or 'base'}", name=f"{name}.tcap") as recording:
            routes = [word for path in ("/items", "/pay", "/bill") for word in ("--route", f"1 GET {path}")]
            self.load(f"http://127.0.0.1:{port}", "-r", RATE, "-c", 6, "-d", SECONDS, *routes)
        truth = collections.defaultdict(list)
        for line in json_lines(log.read_text()):
            truth[line["route"]].append(line)
        return recording.file, truth

    def diff(self, *arguments):
        said = json.loads(self.tailcap("diff", *arguments, "--json", code=(0, 3)))
        return said, {r["route"]: r for r in said["routes"] if r["role"] == "server"}

    @staticmethod
    def number(route, name):
        return next(n["contrast"] for n in route["numbers"] if n["metric"] == name)

    def test_changes(self):
        base, before = self.run_of("base")
        again, _ = self.run_of("again")
        said, _ = self.diff(base, again)
        self.assertFalse(said["same"])
        self.assertEqual(said["changes"], [])
        self.assertIn("No difference that these captures can show", self.tailcap("diff", base, again, code=(0, 3)))

        for change, path, word in (
            ("call", "/pay", "GET /shoes"),
            ("slow", "/items", "sleeping"),
            ("statement", "/items", "HLEN"),
            ("function", "/bill", "add_tax"),
        ):
            with self.subTest(change=change):
                file, after = self.run_of(change, change)
                said, routes = self.diff(base, file)
                self.assertTrue(said["changes"], said["sentence"])
                first = said["changes"][0]
                self.assertEqual(first["route"]["route"], path, first)
                self.assertIn(word, first["sentence"])
                # What both versions did, by the service's own count.
                for side, truth in (("a", before), ("b", after)):
                    self.assertEqual(routes[path][f"{side}_requests"], len(truth[path]))
                    calls = statistics.mean(sum(line["did"].values()) for line in truth[path])
                    self.assertAlmostEqual(self.number(routes[path], "calls")[side], calls, places=6)
                if change == "slow":
                    took = [statistics.mean(line["ns"] for line in truth[path]) for truth in (before, after)]
                    own = self.number(routes[path], "own_mean")
                    # The log's clock runs with waits for a CPU, and without reading and writing.
                    self.assertAlmostEqual((own["b"] - own["a"]) / (took[1] - took[0]), 1, delta=0.15)
                notes = {s["name"]: (s["a"], s["b"]) for s in said["settings"] if s["kind"] == "note"}
                self.assertEqual(notes, {"version": ("base", change)})

    def test_parts_of_one_capture_and_itself(self):
        file, truth = self.run_of("one")
        said, _ = self.diff(file, file)
        self.assertTrue(said["same"])
        self.assertEqual(said["changes"], [])
        _, routes = self.diff(file, "--before", "2500ms")
        for path, lines in truth.items():
            self.assertEqual(routes[path]["a_requests"] + routes[path]["b_requests"], len(lines), path)
            self.assertGreater(min(routes[path]["a_requests"], routes[path]["b_requests"]), 0, path)


if __name__ == "__main__":
    harness.main()
