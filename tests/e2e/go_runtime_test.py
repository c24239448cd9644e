"""Goroutines, who made them, handlers and the collector, against what the Go program and its runtime say themselves.

For every Go compiler that is here, and programs that are stripped, position-independent, and that call C.
"""
import collections
import json
import os
import pathlib
import re
import subprocess

import harness
from harness import Case, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent
WANTED = ("1.19", "1.21", "1.22", "1.23")
COMPILERS = harness.go_compilers()
HANDLERS = {
    "/struct": ["main.(*cart).ServeHTTP"],
    "/value": ["main.byValue.ServeHTTP"],
    "/plain": ["main.plain"],
    "/closure": ["main.main.func1"],
    "/wrapped": ["main.wrapped.func1", "main.(*cart).ServeHTTP"],
}
N = 7  # requests of each kind
FANS = (1, 13, 211)


class GoRuntime(Case):
    BY_OTHER_NAMES = True

    def build(self, version, *options, cgo=False):
        compiler = COMPILERS.get(version)
        if not compiler:
            self.skipTest(
                f"Go {version} is not installed (scripts/install-packages test), or not in TAILCAP_GO_VERSIONS"
            )
        program = self.scratch / "go-runtime"
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "1" if cgo else "0"}
        subprocess.run(
            [compiler, "build", *options, "-o", program, HERE / "go_runtime.go"],
            check=True,
            timeout=300,
            env=environment,
        )
        return program

    def ask(self, path, request):
        self.curl("-H", f"X-Request-Id: {request}", "-H", "Connection: close", f"http://127.0.0.1:{self.port}{path}")

    def load(self):
        for i in range(N):
            for path in HANDLERS:
                self.ask(path, f"{path[1:]}-{i}")
        for i, n in enumerate(FANS):
            self.ask(f"/fan?n={n}", f"fan-{i}")
        for i in range(3):
            self.ask("/kernel", f"kernel-{i}")
            self.ask("/channel", f"channel-{i}")
            self.ask("/collect", f"collect-{i}")
        self.ask("/spin", "spin-0")

    def events(self, recording, kind):
        """In order of time; without a goroutine it is 0."""
        events = json_lines(self.tailcap("events", recording.file, "--json", "--kind", kind))
        return sorted(({"goroutine": 0, **e} for e in events), key=lambda e: e["time"])

    def run_whole(self, program, *options):
        """Records the program from its first instruction to its end; its own log, and what the runtime says of collections."""
        self.port = free_port()
        os.environ["GODEBUG"] = "gctrace=1"
        recording = harness.Recording(
            self.scratch / f"capture-{self.port}.tcap",
            ["--payload-raw", *options, "--", program, f"127.0.0.1:{self.port}"],
        )
        del os.environ["GODEBUG"]
        self.addCleanup(self.abandon, recording)
        recording.wait_ready()
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        self.load()
        subprocess.run([self.curl_program, "-s", f"http://127.0.0.1:{self.port}/quit"], timeout=20)
        self.assertEqual(recording.wait_end(), 0, recording.said)
        self.assert_whole(recording)
        said = recording.said
        return recording, json_lines("\n".join(line for line in said.split("\n") if line.startswith("{"))), said

    def check_goroutines(self, recording, truth):
        requests = {}
        for event in self.events(recording, "receive"):
            found = re.search(r"(?i)x-request-id: (\S+)", event["head"])
            if found:
                requests.setdefault(found[1], set()).add(event["goroutine"])
        answers = {}
        for event in self.events(recording, "send"):
            found = re.search(r"answer=(\S+)", event["head"])
            if found:
                answers.setdefault(found[1], set()).add(event["goroutine"])
        for t in truth:
            self.assertEqual(requests.get(t["id"]), {t["goroutine"]}, t)
            self.assertEqual(answers.get(t["id"]), {t["goroutine"]}, t)
        off_cpu = list(self.events(recording, "off_cpu"))
        slept = {e["goroutine"] for e in off_cpu if e["syscall"] == 35}
        unseen = {t["goroutine"] for t in truth if t["path"] == "/kernel"} - slept
        # Kernels leave intervals out now and then; the thread's next one says how many.
        self.assertLessEqual(len(unseen), sum(e["missed"] for e in off_cpu), unseen)

    def check_creation(self, recording, truth):
        made = collections.Counter((e["goroutine"], e["child"]) for e in self.events(recording, "go_create"))
        self.assertEqual([pair for pair, n in made.items() if n > 1 or pair[1] == 0], [], "made twice, or nobody")
        parents = collections.defaultdict(set)
        for parent, child in made:
            parents[parent].add(child)
        collected = {e["goroutine"] for e in self.events(recording, "go_runtime") if e["phase"] == "gc_begin"}
        for t in truth:
            self.assertLessEqual(set(t["children"] or []), parents[t["goroutine"]], t)
            others = parents[t["goroutine"]] - set(t["children"] or [])
            if t["goroutine"] not in collected:  # the collector's workers are made by who wants them first
                self.assertEqual(len(others), 1, (t, others))  # net/http's, which watches the connection meanwhile
        # The first goroutine is made by nobody, and makes those that serve.
        self.assertEqual(parents[0] & {1}, {1})
        self.assertLessEqual({t["goroutine"] for t in truth}, parents[1])

    def check_handlers(self, recording, truth):
        told = collections.defaultdict(list)
        for event in self.events(recording, "go_handler"):
            told[event["goroutine"]].append(event["name"])
        for t in truth:
            if t["path"] in HANDLERS:
                # The compiler calls a method of a value through one of its pointer, and may leave only that.
                names = [name.replace("(*byValue)", "byValue") for name in told[t["goroutine"]]]
                self.assertEqual(names, HANDLERS[t["path"]], t)
        shown = {row["x_request_id"]: row["handler"] for row in self.requests(recording, role="server")}
        for t in truth:
            if t["path"] in HANDLERS:
                self.assertEqual(shown[t["id"]].replace("(*byValue)", "byValue"), HANDLERS[t["path"]][-1], t)

    def check_collector(self, recording, truth, traced, reasons):
        cycles = re.findall(r"^gc (\d+) @", traced, re.M)
        self.assertGreaterEqual(len(cycles), 3)
        events = self.events(recording, "go_runtime")
        count = collections.Counter(e["phase"] for e in events)
        self.assertEqual((count["gc_begin"], count["gc_end"]), (len(cycles), len(cycles)), traced)
        stops = [e for e in events if e["phase"] in ("stop_begin", "stopped", "started")]
        self.assertEqual([e["phase"] for e in stops], ["stop_begin", "stopped", "started"] * (len(stops) // 3))
        # Each cycle stops the world at its beginning and at its end.
        why = collections.Counter(e["reason"] for e in stops if e["phase"] == "stop_begin")
        if reasons:
            self.assertEqual((why["GC sweep termination"], why["GC mark termination"]), (len(cycles), len(cycles)), why)
            self.assertNotIn("", why)
        else:
            self.assertEqual(set(why), {""})
            self.assertGreaterEqual(why[""], 2 * len(cycles))
        begun = [e["goroutine"] for e in events if e["phase"] == "gc_begin"]
        self.assertLessEqual({t["goroutine"] for t in truth if t["path"] == "/collect"}, set(begun))

    def check_program(self, recording, version, program, offsets_from):
        said = {
            (e["path"], e["version"].rsplit(".", 1)[0], e["offsets_from"], e["unsupported"])
            for e in self.events(recording, "go_program")
        }
        self.assertEqual(said, {(str(program), "go" + version, offsets_from, "")})
        (told,) = json.loads(self.tailcap("info", recording.file, "--json"))["go"]
        self.assertEqual(len(told["processes"]), 1)
        self.assertEqual(told["not_told"], None)
        self.assertLessEqual({"goroutines", "creation", "runtime", "handlers"}, set(told["told"]))

    def whole(self, version, *options, cgo=False, offsets_from="DWARF"):
        program = self.build(version, *options, cgo=cgo)
        recording, truth, traced = self.run_whole(program)
        self.assertEqual(len(truth), 5 * N + 13)
        self.check_goroutines(recording, truth)
        self.check_creation(recording, truth)
        self.check_handlers(recording, truth)
        self.check_collector(recording, truth, traced, version != "1.19")
        self.check_program(recording, version, program, offsets_from)
        self.assertEqual(self.events(recording, "go_state"), [])

    def test_1_19(self):
        self.whole("1.19")

    def test_1_21(self):
        self.whole("1.21", "-ldflags=-s -w", offsets_from="table")

    def test_1_22(self):
        self.whole("1.22", "-buildmode=pie", cgo=True)

    def test_1_23(self):
        self.whole("1.23", "-buildmode=pie", "-ldflags=-s -w", offsets_from="table")

    def test_1_23_calling_c(self):
        self.whole("1.23", "-ldflags=-linkmode=external", cgo=True)

    def test_joined_while_it_runs(self):
        """A process that was there before, watched from the middle."""
        program = self.build(max(COMPILERS, key=lambda v: int(v[2:])))
        self.port = free_port()
        log = self.scratch / "server.jsonl"
        with open(log, "w", encoding="utf-8") as out:
            server = self.start([program, f"127.0.0.1:{self.port}"], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        self.ask("/plain", "before")
        with self.record("-p", server.pid, "--payload-raw") as recording:
            self.load()
        truth = [t for t in json_lines(log.read_text()) if t["id"] != "before"]
        self.assert_whole(recording)
        self.check_goroutines(recording, truth)
        self.check_handlers(recording, truth)

    def test_many_at_once(self):
        """64 connections that stay, on more threads than CPUs; every request its own number."""
        program = self.build(max(COMPILERS, key=lambda v: int(v[2:])))
        self.port = free_port()
        log = self.scratch / "server.jsonl"
        with open(log, "w", encoding="utf-8") as out:
            server = self.start([program, f"127.0.0.1:{self.port}"], stdout=out, env={**os.environ, "GOMAXPROCS": "4"})
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        with self.record("-p", server.pid, "--ring", "64MiB", "--payload-raw") as recording:
            Case.load(
                self,
                f"http://127.0.0.1:{self.port}",
                "-c",
                "64",
                "-n",
                "6007",
                "--route",
                "5 GET /plain",
                "--route",
                "3 GET /fan?n=3",
                "--route",
                "1 GET /kernel",
                "--route",
                "1 GET /wrapped",
            )
        self.assert_whole(recording)
        truth = json_lines(log.read_text())
        self.assertEqual(len(truth), 6007)
        self.check_goroutines(recording, truth)
        made = {e["child"]: e["goroutine"] for e in self.events(recording, "go_create")}
        for t in truth:
            for child in t["children"] or []:
                self.assertEqual(made[child], t["goroutine"], t)

    def test_deep(self):
        for version in WANTED:
            with self.subTest(version=version):
                recording, truth, _ = self.run_whole(self.build(version), "--profile", "deep")
                states = collections.defaultdict(list)
                for event in self.events(recording, "go_state"):
                    states[event["of"]].append(event)
                for t in truth:
                    if t["path"] != "/channel":
                        continue
                    mine = states[t["goroutine"]]
                    parked = [i for i, e in enumerate(mine) if e["state"] == "parked" and e["reason"] == "chan receive"]
                    self.assertTrue(parked, mine)
                    woken, runs = mine[parked[0] + 1], mine[parked[0] + 2]
                    self.assertEqual(
                        (woken["state"], woken["goroutine"], runs["state"]),
                        ("ready", t["children"][0], "running"),
                        mine,
                    )
                    self.assertGreater(woken["time"] - mine[parked[0]]["time"], 25_000_000)
                # Go interrupts who runs for 10 ms.
                spun = next(t["goroutine"] for t in truth if t["path"] == "/spin")
                interrupted = [e for e in states[spun] if e["reason"] == "preempted"]
                self.assertGreaterEqual(len(interrupted), 5, states[spun])
                # A goroutine that begins to run was made ready before, and one that parks was running.
                for goroutine, events in states.items():
                    for before, after in zip(events, events[1:]):
                        if after["state"] == "parked":
                            self.assertEqual(before["state"], "running", (goroutine, before, after))


if __name__ == "__main__":
    harness.main()
