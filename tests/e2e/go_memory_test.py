"""A Go program near its memory limit, against what the program's runtime prints of its collections (gctrace)."""
import json
import os
import pathlib
import re
import subprocess
import time

import harness
from harness import Case, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 64 << 20
COMPILERS = harness.go_compilers()


class GoMemory(Case):
    def build(self, version, *options):
        if version not in COMPILERS:
            self.skipTest(f"Go {version} is not installed (scripts/install-packages test)")
        program = self.scratch / "go-memory"
        subprocess.run(
            [COMPILERS[version], "build", *options, "-o", program, HERE / "go_memory.go"],
            check=True,
            timeout=300,
            env={**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "0"},
        )
        return program

    def start_server(self, program, **environment):
        port = free_port()
        server = self.start(
            [program, f"127.0.0.1:{port}"],
            env={**os.environ, "GODEBUG": "gctrace=1", **environment},
            stderr=open(self.scratch / "gctrace", "wb"),
        )
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the Go server")
        self.port = port
        return server

    def hold(self, megabytes):
        self.curl(f"http://127.0.0.1:{self.port}/hold?mb={megabytes}")

    def traced(self):
        """The number of each collection, and the megabytes that it left."""
        text = (self.scratch / "gctrace").read_text()
        return [(int(n), int(left)) for n, left in re.findall(r"^gc (\d+) @.* \d+->\d+->(\d+) MB", text, re.M)]

    def record_both(self, server):
        """Four seconds with much of the limit left, four with little; collections by the program's own log."""
        with self.record("-p", server.pid) as recording:
            self.hold(4)
            time.sleep(1)
            began = len(self.traced())
            time.sleep(4)
            ample = len(self.traced()) - began
            self.hold(56)
            time.sleep(1)
            began = len(self.traced())
            time.sleep(4)
            scarce = len(self.traced()) - began
        return recording, ample, scarce

    def judge(self, version, *options):
        server = self.start_server(self.build(version, *options), GOMEMLIMIT="64MiB", GOGC="700")
        recording, ample, scarce = self.record_both(server)
        self.assertGreater(scarce, 6 * ample, "the program itself does not do what this test is about")
        go = json.loads(self.tailcap("report", "--json", recording.file))["go"][0]
        memory = go["memory"]
        self.assertEqual((memory["limit"], memory["own_limit"], memory["gogc"]), (LIMIT, LIMIT, 700))
        self.assertEqual(len(memory["thrash"]), 1, memory["seconds"])
        thrash = memory["thrash"][0]
        self.assertGreater(thrash["per_second"], 5 * thrash["per_second_elsewhere"])
        self.assertGreater(thrash["resident"], 0.9 * LIMIT)
        self.assertAlmostEqual(thrash["per_second"], scarce / 4, delta=0.35 * scarce / 4)
        # It lies in the second half.
        middle = (memory["seconds"][0]["from_ns"] + memory["seconds"][-1]["from_ns"]) / 2
        self.assertGreater(thrash["from_ns"], middle - 1.5e9)
        self.assertGreater(thrash["to_ns"] - thrash["from_ns"], 2e9)
        text = " ".join(self.tailcap("report", recording.file).split())
        self.assertRegex(text, r"Go's collector ran [\d,]+ times")
        self.assertIn("its limit (GOMEMLIMIT) is 67.1 MB", text)
        return recording, memory

    def near_the_limit(self, version, *options):
        recording, memory = self.judge(version, *options)
        heaps = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "go_heap"))
        self.assertGreaterEqual(len(heaps), 8)
        # What collections left, as the program prints it in MB of 2^20 bytes, rounded.
        printed = [left for _, left in self.traced()]
        none_yet = [heap for heap in heaps if not heap["live"]]
        self.assertEqual(none_yet, heaps[: len(none_yet)], "until the first collection has ended")
        self.assertLessEqual(len(none_yet), 2)
        for heap in heaps[len(none_yet) :]:
            self.assertLessEqual(heap["live"], heap["used"])
            self.assertIn(round(heap["live"] / 2**20), {left + d for left in printed for d in (-1, 0, 1)})
        self.assertGreater(heaps[-1]["live"], 50 << 20)

    def test_near_the_limit_1_19(self):
        self.near_the_limit("1.19")

    def test_near_the_limit_1_21(self):
        self.near_the_limit("1.21")

    def test_near_the_limit_1_22(self):
        self.near_the_limit("1.22")

    def test_near_the_limit_1_23(self):
        self.near_the_limit("1.23")

    def test_without_debugging_information(self):
        """Symbols tell the limit; how much of the heap is live is not known."""
        recording, memory = self.judge("1.19", "-ldflags=-w")
        self.assertEqual({s["live"] for s in memory["seconds"]}, {None})

    def test_position_independent(self):
        self.near_the_limit("1.19", "-buildmode=pie")

    def test_ample_memory(self):
        server = self.start_server(self.build("1.19"), GOGC="50")
        with self.record("-p", server.pid) as recording:
            self.hold(20)
            time.sleep(4)
        memory = json.loads(self.tailcap("report", "--json", recording.file))["go"][0]["memory"]
        self.assertEqual((memory["limit"], memory["own_limit"], memory["gogc"]), (None, None, 50))
        self.assertEqual(memory["thrash"], [])
        self.assertNotIn("collector ran", self.tailcap("report", recording.file))

    def test_stripped(self):
        """Nothing is known of its heap, and nothing is made up."""
        server = self.start_server(self.build("1.19", "-ldflags=-s -w"), GOMEMLIMIT="64MiB")
        with self.record("-p", server.pid) as recording:
            self.hold(4)
            time.sleep(2.5)
        memory = json.loads(self.tailcap("report", "--json", recording.file))["go"][0]["memory"]
        self.assertEqual((memory["own_limit"], memory["gogc"]), (None, None))
        self.assertEqual(self.tailcap("events", recording.file, "--json", "--kind", "go_heap"), "")


if __name__ == "__main__":
    harness.main()
