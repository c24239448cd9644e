"""What is told of Go programs beyond their requests, against what the program does: who serves, who waits, who is left behind."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import harness
from harness import Case, free_port, wait_until

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = harness.go_compilers()
NEWEST = max(COMPILERS, key=lambda v: int(v[2:]), default=None)


class GoTables(Case):
    BY_OTHER_NAMES = True

    def build(self, version=NEWEST):
        if version not in COMPILERS:
            self.skipTest(
                f"Go {version} is not installed (scripts/install-packages test), or not in TAILCAP_GO_VERSIONS"
            )
        program = self.scratch / f"go-tables-{version}"
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "0"}
        subprocess.run(
            [COMPILERS[version], "build", "-o", program, HERE / "go_tables.go"],
            check=True,
            timeout=300,
            env=environment,
        )
        return program

    def serve(self, program, tls=False, processors="2"):
        self.port, self.tls_port = free_port(), free_port()
        arguments = [program, f"127.0.0.1:{self.port}", *([f"127.0.0.1:{self.tls_port}"] if tls else [])]
        server = self.start(arguments, stderr=subprocess.DEVNULL, env={**os.environ, "GOMAXPROCS": processors})
        for port in (self.port, self.tls_port) if tls else (self.port,):
            wait_until(lambda: harness.answers(("127.0.0.1", port)), "the Go server")
        return server

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def ask_on_one_connection(self, n, path):
        """One curl, which keeps its connection."""
        self.curl(*[self.url(path)] * n, "-o", "/dev/null", *["-o", "/dev/null"] * (n - 1))

    def go(self, recording):
        (told,) = json.loads(self.tailcap("report", recording.file, "--json"))["go"]
        return told

    def test_requests_of_a_goroutine(self):
        """net/http: on HTTP/1 a goroutine for each connection, on HTTP/2 one for each stream."""
        server = self.serve(self.build(), tls=True)
        n = 50
        with self.record("-p", server.pid) as recording:
            self.ask_on_one_connection(n, "/plain")
            secure = [f"https://127.0.0.1:{self.tls_port}/plain"] * n
            self.curl("-k", "--http2", *secure, *["-o", "/dev/null"] * n)
        told = json.loads(self.tailcap("info", "--goroutines", "--json", recording.file))["goroutines"]
        by_protocol = {t["protocol"]: t for t in told}
        self.assertEqual(sorted(by_protocol), ["http/1.1", "http/2"], told)
        one, two = by_protocol["http/1.1"], by_protocol["http/2"]
        self.assertEqual((one["requests"], one["unknown"], one["goroutines"], one["connections"]), (n, 0, 1, 1), one)
        self.assertEqual((one["median"], one["most"], one["model"]), (n, n, "per_connection"), one)
        self.assertEqual((two["requests"], two["unknown"], two["goroutines"], two["connections"]), (n, 0, n, 1), two)
        self.assertEqual((two["median"], two["most"], two["model"]), (1, 1, "per_request"), two)
        text = self.tailcap("info", "--goroutines", recording.file)
        self.assertIn("so: one goroutine per connection\n", text)
        self.assertIn("so: one goroutine per stream\n", text)

    def test_left_behind(self):
        """Every tenth request leaves a goroutine behind, which waits for ever."""
        for version in sorted(COMPILERS):
            with self.subTest(version=version):
                server = self.serve(self.build(version))
                n = 200
                with self.record("-p", server.pid, name=f"left-{version}.tcap") as recording:
                    self.ask_on_one_connection(n, "/leaky")
                    time.sleep(1.5)
                self.end(server)
                self.assert_whole(recording)
                told = self.go(recording)
                self.assertEqual(told["unsupported"], None)
                (left,) = told["left_behind"]
                names = version != "1.19"  # g.parentGoid, beside which they stand, came with 1.21
                self.assertEqual(
                    (left["count"], left["alive"], left["late"], left["requests"]), (n // 10, n // 10, 0, n // 10), left
                )
                self.assertEqual(
                    (left["handler"], left["from"], left["function"]),
                    ("main.leaky", "main.leaky" if names else None, "main.refill" if names else None),
                    left,
                )
                self.assertEqual(told["left_in_doubt"], 0)
                # Half a second before the end nobody had waited for a minute.
                later = json.loads(self.tailcap("report", recording.file, "--json", "--min-outlive", "1m"))["go"][0]
                self.assertEqual(later["left_behind"], [])
                text = self.tailcap("report", recording.file, "--full")
                self.assertIn("Left behind: goroutines that outlive their request", text)
                self.assertEqual(len([e for e in self.events(recording, "go_exit")]), told["goroutines_ended"])

    def events(self, recording, kind):
        return harness.json_lines(self.tailcap("events", recording.file, "--json", "--kind", kind))

    def test_waits_for_a_turn(self):
        """With one processor for two that compute, each is interrupted after 10 ms and then waits for the other's 10 ms."""
        server = self.serve(self.build(), processors="1")
        with self.record("-p", server.pid, "--profile", "deep") as recording:
            clients = [
                subprocess.Popen([self.curl_program, "-s", "-o", "/dev/null", self.url("/spin?ms=4500")])
                for _ in range(2)
            ]
            for client in clients:
                self.assertEqual(client.wait(timeout=60), 0)
        told = self.go(recording)
        self.assertEqual(told["processors"], 1)
        (spin,) = (d for d in told["delays"] if d["route"] == "GET /spin")
        # An interrupted goroutine waits until the other one is: 10 ms of running, or more where the machine is busy.
        long = sum(
            part["count"] for part in spin["histogram"] if part["below_ns"] is None or part["below_ns"] > 10_000_000
        )
        self.assertGreaterEqual(long, 20, spin)
        self.assertGreaterEqual(spin["max_ns"], 10_000_000)
        self.assertGreater(long, 0.5 * spin["count"], spin)
        self.assertEqual(told["delays"][0]["route"], None)
        self.assertEqual(sum(part["count"] for part in told["delays"][0]["histogram"]), told["delays"][0]["count"])
        # Its only processor always has somebody to run.
        busy = [second["goroutines"] for second in told["busy"]]
        self.assertGreaterEqual(len(busy), 2, told)
        self.assertGreaterEqual(sum(share >= 0.95 for share in busy), 1, busy)
        self.assertIn("Busy seconds", self.tailcap("report", recording.file, "--full"))

    def test_half_as_busy(self):
        """One that computes on two processors, and hardly anybody waits."""
        server = self.serve(self.build(), processors="2")
        with self.record("-p", server.pid, "--profile", "deep") as recording:
            self.curl(self.url("/spin?ms=4000"))
        told = self.go(recording)
        shares = [second["goroutines"] for second in told["busy"]]
        self.assertGreaterEqual(len(shares), 2, told)
        self.assertEqual([share for share in shares if share >= 0.95], [], shares)
        self.assertTrue(any(0.3 < share for share in shares), shares)

    def test_collections_drawn(self):
        server = self.serve(self.build())
        n = 20
        with self.record("-p", server.pid) as recording:
            self.ask_on_one_connection(n, "/collect")
        told = self.go(recording)
        # The collector may also want to run by itself.
        self.assertGreaterEqual(told["collections"], n)
        self.assertGreaterEqual(told["requests_stopped"], n)
        self.assertEqual(told["left_behind"], [], "the collector's workers are nobody's")
        self.tailcap("report", recording.file, "--plots", self.scratch / "plots")
        drawn = (self.scratch / "plots/gc.svg").read_text()
        for text in (f"collector: {told['comm']} {told['pid']}", "collections", "pauses", "requests that they hit"):
            self.assertIn(text, drawn)
        made = self.events(recording, "go_create")
        self.assertGreater(len(made), 0)
        self.assertEqual([e for e in made if e["in_stw"]], [], "while the world is stopped nobody runs who makes any")

    def test_out_of_memory(self):
        """The kernel kills the server, because its cgroup's memory is used up."""
        group = pathlib.Path("/sys/fs/cgroup/memory") / f"tailcap-e2e-{os.getpid()}"
        if not (group.parent / "memory.limit_in_bytes").exists():
            self.skipTest("there is no memory controller of cgroup v1 here")
        group.mkdir()
        self.addCleanup(lambda: wait_until(lambda: not group.exists() or not group.rmdir(), "an empty cgroup"))
        (group / "memory.limit_in_bytes").write_text(str(128 << 20))
        swap = group / "memory.memsw.limit_in_bytes"
        if swap.exists():
            swap.write_text(str(128 << 20))
        server = self.serve(self.build())
        (group / "cgroup.procs").write_text(str(server.pid))
        recording = harness.Recording(self.scratch / "memory.tcap", ["-p", server.pid])
        self.addCleanup(self.abandon, recording)
        recording.wait_ready()
        self.ask_on_one_connection(1, "/plain")
        subprocess.run([self.curl_program, "-s", self.url("/eat")], timeout=60, check=False)
        self.assertEqual(server.wait(timeout=20), -signal.SIGKILL)
        recording.wait_end()
        self.assertEqual([e["pid"] for e in self.events(recording, "oom_kill")], [server.pid])
        (death,) = json.loads(self.tailcap("report", recording.file, "--json"))["incidents"]
        self.assertEqual(
            (death["signal"], death["exit_code"], death["out_of_memory"], death["panic"]), (9, None, True, False)
        )
        self.assertEqual(death["under_way"], 1)
        self.assertIn("killed by SIGKILL, out of memory", self.tailcap("report", recording.file, "--full"))

    def test_build(self):
        """What the program says of its making is what Go's own tool reads in it."""
        program = self.build()
        server = self.serve(program)
        with self.record("-p", server.pid) as recording:
            self.ask_on_one_connection(1, "/plain")
        (told,) = json.loads(self.tailcap("info", recording.file, "--json"))["go"]
        said = subprocess.run(
            [COMPILERS[NEWEST], "version", "-m", program], check=True, capture_output=True, text=True
        ).stdout.split("\n")
        self.assertEqual(f"{program}: {told['version']}", said[0])
        self.assertEqual(["\t" + "\t".join(line) for line in told["build"]], [line for line in said[1:] if line])
        self.assertGreaterEqual(len(told["build"]), 3)
        self.assertEqual(len(self.events(recording, "go_build")), 1)

    def test_modules(self):
        """A module that is built with others, one of them replaced by a folder."""
        module, dependency = self.scratch / "shop", self.scratch / "prices"
        module.mkdir(), dependency.mkdir()
        (dependency / "go.mod").write_text("module example.org/prices\n\ngo 1.19\n")
        (dependency / "prices.go").write_text("package prices\n\nfunc Of(n int) int { return n * 7 }\n")
        (module / "go.mod").write_text(
            "module example.org/shop\n\ngo 1.19\n\nrequire example.org/prices v1.2.3\n\n"
            "replace example.org/prices v1.2.3 => ../prices\n"
        )
        (module / "main.go").write_text(
            'package main\n\nimport (\n\t"time"\n\n\t"example.org/prices"\n)\n\n'
            "func main() {\n\tprintln(prices.Of(6))\n\ttime.Sleep(time.Minute)\n}\n"
        )
        if NEWEST is None:
            self.skipTest("there is no Go compiler")
        environment = {
            **os.environ,
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=mod",
            "GOPROXY": "off",
            "CGO_ENABLED": "0",
        }
        subprocess.run(
            [COMPILERS[NEWEST], "build", "-o", "shop", "."], check=True, timeout=300, env=environment, cwd=module
        )
        program = self.start([module / "shop"], stderr=subprocess.DEVNULL)
        with self.record("-p", program.pid) as recording:
            time.sleep(0.3)
        (told,) = json.loads(self.tailcap("info", recording.file, "--json"))["go"]
        said = subprocess.run(
            [COMPILERS[NEWEST], "version", "-m", module / "shop"], check=True, capture_output=True, text=True
        ).stdout.split("\n")
        self.assertEqual(["\t" + "\t".join(line) for line in told["build"]], [line for line in said[1:] if line])
        self.assertIn(["dep", "example.org/prices", "v1.2.3"], [line[:3] for line in told["build"]])
        self.assertIn("=>", [line[0] for line in told["build"]])
        self.assertIn("example.org/prices v1.2.3", self.tailcap("info", recording.file))

    def test_what_differs_between_two_builds(self):
        """Two commits of a program with other modules: `compare` says what `go version -m` says of both."""
        if NEWEST is None or not shutil.which("git"):
            self.skipTest("no Go compiler, or no git")
        module, environment = self.scratch / "shop", {
            **os.environ,
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=mod",
            "GOPROXY": "off",
            "CGO_ENABLED": "0",
        }
        for name in ("prices", "taxes", "shop"):
            (self.scratch / name).mkdir()
            (self.scratch / name / "go.mod").write_text(f"module example.org/{name}\n\ngo 1.19\n")
            (self.scratch / name / f"{name}.go").write_text(
                f"package {name}\n\nfunc Of(n int) int {{ return n * 7 }}\n"
            )
        (module / "shop.go").write_text(
            'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n\t"os"\n\n\tother "example.org/prices"\n)\n\nfunc main() {\n'
            '\thttp.HandleFunc("/pay", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, other.Of(6)) })\n\tpanic(http.ListenAndServe(os.Args[1], nil))\n}\n'
        )

        def git(*arguments):
            return subprocess.run(
                [
                    "git",
                    "-c",
                    "user.name=t",
                    "-c",
                    "user.email=t@example.org",
                    "-c",
                    "commit.gpgsign=false",
                    *arguments,
                ],
                check=True,
                capture_output=True,
                text=True,
                cwd=module,
                env={**environment, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"},
            ).stdout.strip()

        git("init", "-q")
        revisions, said, recordings = [], [], []
        for side, version in (("base", "v1.2.3"), ("new", "v1.3.0")):
            extra = (
                "require example.org/taxes v0.1.0\n\nreplace example.org/taxes v0.1.0 => ../taxes\n\n"
                if side == "new"
                else ""
            )
            (module / "go.mod").write_text(
                f"module example.org/shop\n\ngo 1.19\n\nrequire example.org/prices {version}\n\nreplace example.org/prices {version} => ../prices\n\n{extra}"
            )
            if side == "new":
                source = (module / "shop.go").read_text()
                (module / "shop.go").write_text(source.replace('\tother ', '\t_ "example.org/taxes"\n\tother '))
            git("add", "-A")
            git("commit", "-q", "-m", side)
            revisions.append(git("rev-parse", "HEAD"))
            (self.scratch / side).mkdir()
            subprocess.run(
                [COMPILERS[NEWEST], "build", "-buildvcs=true", "-o", self.scratch / side / "shop", "."],
                check=True,
                timeout=300,
                env=environment,
                cwd=module,
            )
            said.append(
                subprocess.run(
                    [COMPILERS[NEWEST], "version", "-m", self.scratch / side / "shop"],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            self.port = free_port()
            server = self.start([self.scratch / side / "shop", f"127.0.0.1:{self.port}"], stderr=subprocess.DEVNULL)
            wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
            with self.record("-p", server.pid, name=f"{side}.tcap") as recording:
                self.ask_on_one_connection(20, "/pay")
            recordings.append(recording.file)
            self.end(server)
        for text, revision in zip(said, revisions):
            self.assertIn(f"vcs.revision={revision}", text)
        compared = json.loads(self.tailcap("compare", recordings[0], "--", recordings[1], "--json", code=4))
        software = [c for c in compared["software"] if c["what"] != "build_id"]
        self.assertTrue(all(c["program"] == "example.org/shop" for c in software), software)
        found = {(c["what"], c["module"]): (c["base"], c["new"]) for c in software}
        found.pop(("module", "example.org/shop"), None)  # newer compilers number it by the commit
        self.assertEqual(found[("revision", None)], ([revisions[0]], [revisions[1]]))
        self.assertEqual(
            {
                key: tuple(" ".join(v).split(" =>")[0] for v in sides)
                for key, sides in found.items()
                if key[0] == "module"
            },
            {("module", "example.org/prices"): ("v1.2.3", "v1.3.0"), ("module", "example.org/taxes"): ("", "v0.1.0")},
        )
        self.assertEqual(
            set(found), {("revision", None), ("module", "example.org/prices"), ("module", "example.org/taxes")}
        )

    def test_says_what_is_not_recorded(self):
        server = self.serve(self.build())
        with self.record("-p", server.pid) as recording:
            self.ask_on_one_connection(3, "/plain")
        told = self.go(recording)
        self.assertEqual((told["delays"], told["left_behind"]), (None, []))
        self.assertIn(
            "`tailcap record --profile deep`", re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--full"))
        )

    def test_death_and_restart(self):
        """A panic in the n-th request, a shell that starts the server again, and requests that were under way."""
        program = self.build()
        self.port = free_port()
        n = 120
        loop = self.scratch / "loop.sh"
        loop.write_text(
            f"for i in 1 2; do {program} 127.0.0.1:{self.port}; echo $? >> {self.scratch}/codes; sleep 0.3; done\n"
        )
        recording = harness.Recording(self.scratch / "death.tcap", ["--", "/bin/sh", loop])
        self.addCleanup(self.abandon, recording)
        recording.wait_ready()
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        # Until the recorder stands in the program. A capture that is being written is readable.
        wait_until(
            lambda: b"go_program"
            in subprocess.run(
                [harness.BUILD / "analyze/tailcap", "events", recording.partial, "--kind", "go_program"],
                capture_output=True,
                timeout=60,
                check=False,
            ).stdout,
            "the program to be known",
        )
        self.curl(self.url("/plain"))
        subprocess.run([self.curl_program, "-s", "-o", "/dev/null", self.url("/recovered")], timeout=20, check=False)
        waiting = subprocess.Popen([self.curl_program, "-s", "-o", "/dev/null", self.url("/wait")])
        urls = [self.url(f"/fatal?at={n}")] * n
        subprocess.run([self.curl_program, "-s", *urls, *["-o", "/dev/null"] * n], timeout=60, check=False)
        waiting.wait(timeout=20)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the server's successor")
        self.curl(self.url("/plain"))
        subprocess.run([self.curl_program, "-s", self.url("/quit")], timeout=20, check=False)
        recording.wait_end()
        self.assertEqual((self.scratch / "codes").read_text().split(), ["2", "0"])
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        recovered = [i for i in report["incidents"] if i["kind"] == "panicked"]
        self.assertEqual(
            [(i["panics"], i["stack"].split(";")[-1]) for i in recovered], [(1, "main.recovered")], report["incidents"]
        )
        death, end = (i for i in report["incidents"] if i["kind"] == "ended")
        self.assertEqual(
            (death["exit_code"], death["signal"], death["panic"], death["thrown"], death["out_of_memory"]),
            (2, None, True, False, False),
        )
        self.assertEqual(death["stack"].split(";")[-2:], ["main.fatal.gowrap1", "main.collapse"], death)
        made = next(e for e in self.events(recording, "go_create") if e["function"] == "main.fatal.gowrap1")
        self.assertEqual(death["goroutine"], made["child"])
        rows = self.requests(recording, role="server")
        unanswered = sorted(
            row["id"] for row in rows if row["status"] is None and row["path"].split("?")[0] in ("/fatal", "/wait")
        )
        self.assertEqual(len(unanswered), 2)
        self.assertEqual((sorted(death["requests"]), death["under_way"]), (unanswered, 2))
        self.assertEqual(death["next_pid"], end["pid"])
        self.assertGreater(death["started_after_ns"], 250_000_000)  # the shell slept
        self.assertGreater(death["listened_after_ns"], death["started_after_ns"])
        self.assertGreater(death["answered_after_ns"], death["listened_after_ns"])
        self.assertEqual((end["exit_code"], end["panic"], end["next_pid"]), (0, False, None))
        text = re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--full"))
        self.assertIn("panic: exit code 2", text)
        self.assertIn("main.collapse < main.fatal.gowrap1", text)


if __name__ == "__main__":
    harness.main()
