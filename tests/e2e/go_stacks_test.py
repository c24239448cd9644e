"""Preempted goroutines of Go programs, and what they allocate: against handlers that compute and allocate a known amount."""
import collections
import http.client
import json
import os
import pathlib
import subprocess

import harness
from harness import Case, answers, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent
REQUESTS = 50
COMPILERS = sorted(str(p) for p in pathlib.Path("/usr/lib").glob("go-1.*/bin/go")) or ["go"]


class GoStacks(Case):
    def serve(self, compiler):
        program = self.scratch / ("go-stacks-" + compiler.split("/")[-3 if "/" in compiler else 0])
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "0"}
        subprocess.run(
            [compiler, "build", "-o", program, HERE / "go_stacks.go"], check=True, timeout=300, env=environment
        )
        self.port = free_port()
        server = self.start(["env", "GOMAXPROCS=1", program, self.port])
        wait_until(lambda: answers(("127.0.0.1", self.port)), "the Go server")
        return server

    def ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def samples(self, recording, why):
        return [
            s
            for s in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
            if s["why"] == why
        ]

    def with_each_compiler(self, check):
        for compiler in (COMPILERS[0], COMPILERS[-1]):
            with self.subTest(compiler=compiler):
                (self.scratch / "capture.tcap").unlink(missing_ok=True)
                server = self.serve(compiler)
                check(server)
                self.end(server)

    def made_to_give_way(self, server):
        with self.record("-p", server.pid, "--profile", "deep") as recording:
            self.ask("/spin")
            self.ask("/calls")
        preempted = self.samples(recording, "preempted")
        (told,) = json.loads(self.tailcap("report", recording.file, "--json"))["go"]
        self.assertEqual(told["preemptions"], len(preempted))
        self.assertGreaterEqual({s["route"]: s["preemptions"] for s in told["taken_by_route"]}["GET /spin"], 5)
        (request,) = (r["id"] for r in self.requests(recording, role="server") if r["path"] == "/spin")
        own = json.loads(self.tailcap("show", recording.file, request, "--json"))["end"]["preempted"]
        self.assertGreaterEqual(own["count"], 5)
        self.assertIn("preempted", self.tailcap("show", recording.file, request))
        for function, handler in (("main.spinHere", "main.main.func1"), ("main.spinInCalls", "main.main.func2")):
            whole = [s["user"].split(";") for s in preempted if handler in s["user"].split(";")]
            # The last of them may come only as the answer is written.
            of = [frames for frames in whole if "fmt.Fprint" not in frames]
            self.assertLessEqual(len(whole) - len(of), 1)
            goroutines = {s["goroutine"] for s in preempted if handler in s["user"].split(";")}
            tops = collections.Counter(
                next(f for f in reversed(frames) if not f.startswith("runtime.async")) for frames in of
            )
            print(f"  {function}: {len(of)} times, {dict(tops)}")
            self.assertGreaterEqual(len(of), 5)
            self.assertEqual(len(goroutines), 1)
            self.assertTrue(all("main.beside" in frames for frames in of), of)
            # A signal may come where a function has no frame yet, or no more: then its caller is missing.
            self.assertGreaterEqual(sum(function in frames for frames in of), 0.7 * len(of))
            if function == "main.spinHere":
                self.assertEqual(set(tops), {function})
            else:
                self.assertLessEqual(set(tops), {function, "main.callDeeper", "main.callHere"})

    def test_made_to_give_way(self):
        self.with_each_compiler(self.made_to_give_way)

    def what_is_allocated(self, server):
        with self.record("-p", server.pid, "--add", "allocations") as recording:
            for _ in range(REQUESTS):
                self.ask("/allocate")
            mallocs, total = map(int, self.ask("/small").split())
        samples = self.samples(recording, "allocation")
        large = [s for s in samples if s["value"] == 77777]
        self.assertEqual(len(large), REQUESTS)
        (told,) = json.loads(self.tailcap("report", recording.file, "--json"))["go"]
        by_route = {s["route"]: s for s in told["taken_by_route"]}
        self.assertEqual(by_route["GET /allocate"]["requests"], REQUESTS)
        self.assertGreaterEqual(by_route["GET /allocate"]["bytes"], REQUESTS * 77777)
        self.assertEqual(told["allocations"]["hot"][0]["function"], "main.allocateSmall")
        lines = self.tailcap("flame", recording.file, "--measure", "allocations", "--format", "folded").splitlines()
        self.assertEqual(sum(int(l.rsplit(" ", 1)[1]) for l in lines if "main.allocateHere" in l), REQUESTS * 77777)
        for sample in large:
            self.assertEqual(sample["user"].split(";")[-4:-2], ["main.main.func3", "main.allocateHere"], sample["user"])
            self.assertTrue(sample["user"].endswith(";runtime.mallocgc"))
            self.assertEqual(sample["weight"], 1)
        self.assertEqual(len({s["goroutine"] for s in large}), REQUESTS)  # a connection each
        counts = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "go_allocations"))
        self.assertEqual(sum(c["count"] for c in counts if c["least"] == 65536), REQUESTS)
        self.assertEqual(sum(c["bytes"] for c in counts if c["least"] == 65536), REQUESTS * 77777)
        # Go's own count of the 200,000 slices of 1024 bytes, which is a size class, so that nothing is rounded up.
        count, size = (sum(c[key] for c in counts if c["least"] == 1024) for key in ("count", "bytes"))
        print(f"  {count} allocations of {size / count:.1f} bytes; Go says {mallocs} of {total / mallocs:.1f}")
        self.assertLess(abs(count - mallocs), 0.01 * mallocs)
        self.assertLess(abs(size / count - total / mallocs), 0.01 * total / mallocs)
        small = [s for s in samples if s["value"] == 1024 and "main.allocateSmall" in s["user"]]
        stand_for = sum(s["weight"] for s in small)
        print(f"  {len(small)} samples stand for {stand_for} of them")
        # one in 512 KiB on average: 390 of them, each anywhere up to twice that
        self.assertLess(abs(stand_for - 200000), 0.2 * 200000)

    def test_what_is_allocated(self):
        self.with_each_compiler(self.what_is_allocated)


if __name__ == "__main__":
    harness.main()
