"""tailcap gate with a real service: one more call per request is found, equal versions are not."""
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

import harness
import yaml
from harness import Case, free_port


class Gate(Case):
    RATE, SECONDS = 60, 2

    def run_gate(self, base, new, *arguments, runs=2, out="gate", duet=False, before="", connections=4, what=()):
        if not hasattr(self, "stock"):
            self.stock = f"127.0.0.1:{free_port()}"
            self.sample_service("--port", self.stock.split(":")[1], ready=("127.0.0.1", int(self.stock.split(":")[1])))
        port = "{port}" if duet else free_port()
        if duet:
            arguments = (*arguments, "--duet", f"{free_port()},{free_port()}")
        arguments = [str(a).replace("{port}", str(port)) for a in arguments]
        service = f"{sys.executable} {harness.ROOT}/tests/e2e/gate_service.py --port {port} --stock {self.stock}"
        load = f"{harness.BUILD}/samples/tailcap-load http://127.0.0.1:{port} -r {self.RATE} -c {connections} -d {self.SECONDS} --route '1 GET /pay' --log {self.scratch}/load-{port}.jsonl"
        done = subprocess.run(
            [
                harness.BUILD / "analyze/tailcap",
                "gate",
                *what,
                "--build",
                harness.BUILD,
                "--base",
                f"{before}{service} {base}",
                "--new",
                f"{before}{service} {new}",
                "--load",
                load,
                "--ready",
                f"127.0.0.1:{port}",
                "--runs",
                str(runs),
                "--out",
                self.scratch / out,
                *arguments,
            ],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
        self.assertIn(done.returncode, (0, 3, 4), done.stdout + done.stderr)
        return done

    def gate(self, *arguments, out="gate", **options):
        done = self.run_gate(*arguments, out=out, **options)
        return done, json.loads((self.scratch / out / "verdict.json").read_text())

    def plan(self, *arguments, **options):
        """What `tailcap gate plan` keeps, which is what it prints with --json."""
        done = self.run_gate("--calls 1", "", "--json", *arguments, what=["plan"], **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        kept = json.loads((self.scratch / "gate/plan.json").read_text())
        self.assertEqual(json.loads(done.stdout), kept)
        return kept["plan"], (self.scratch / "gate/plan.txt").read_text()

    def test_a_plan_says_what_can_be_decided(self):
        self.SECONDS = 7
        began = time.monotonic()
        plan, text = self.plan("--budget", "40s")
        took = time.monotonic() - began
        self.assertEqual(len(list((self.scratch / "gate/plan").glob("*.tcap"))), 2 * plan["runs"])
        self.assertLess(7, plan["run_seconds"])
        self.assertLess(2 * plan["runs"] * plan["run_seconds"], 2 * took)
        # Two runs a side screen, and as many confirm as there is time for.
        batch = 4 * plan["run_seconds"]
        self.assertEqual(
            [b["fresh_runs"] for b in plan["budgets"]], [2 * (int(t / batch) - 1) for t in (120, 300, 600)]
        )
        gates = {g["metric"]: g for g in plan["gates"]}
        self.assertEqual((gates["calls"]["base"], gates["calls"]["exact"]), (1, True))
        self.assertEqual(gates["calls"]["gate"], "calls(GET /pay) > +0.05")
        self.assertGreater(gates["process_cpu"]["noise"], 0)
        self.assertGreater(gates["process_cpu"]["budgets"][1]["found"], 0)
        # 60 requests a second.
        self.assertRegex(text, r"Not judged: p99 of GET /pay: \d+ requests in a run: needs 500")
        self.assertIn("--fail-on 'calls(GET /pay) > +0.05'", text)

    def test_a_plan_of_a_duet(self):
        plan, text = self.plan("--fail-on", "calls(/pay) > +0", "--budget", "1s", duet=True)
        self.assertEqual(plan["runs"], 2)
        self.assertEqual([g["metric"] for g in plan["gates"]], ["calls"])
        self.assertIn("in pairs", text)

    def test_one_more_call_is_found_and_confirmed(self):
        done, verdict = self.gate("--calls 1", "--calls 2", "--fail-on", "calls(/pay) > +0")
        self.assertEqual((done.returncode, verdict["verdict"]), (3, "fail"), done.stdout + done.stderr)
        self.assertEqual(verdict["why"], "flagged by 2 runs a side, confirmed by 2 fresh runs a side")
        document = json.loads((self.scratch / "gate/comparison.json").read_text())
        estimate = document["gates"][0]["estimate"]
        self.assertEqual((estimate["base"], estimate["new"], estimate["exact"]), (1, 2, True))
        self.assertEqual(
            (document["base"]["runs"], document["new"]["runs"], document["parameters"]["screened"]), (4, 4, 2)
        )
        self.assertIn("2 calls of `GET /stock/shirts` a request, 1 before", document["gates"][0]["sentence"])
        # The runs that confirm are others than those that flagged it.
        captures = {
            folder: len(list((self.scratch / "gate" / folder).glob("*/*.tcap"))) for folder in ("screen", "confirm")
        }
        self.assertEqual(captures, {"screen": 4, "confirm": 4})
        junit = (self.scratch / "gate/junit.xml").read_text()
        self.assertIn('failures="1"', junit)
        # Everything that is kept says the same.
        self.assertIn("fail: 1 of 1 gate", (self.scratch / "gate/comment.md").read_text())

    def test_equal_versions_pass(self):
        # Other words, so that the gate does not take them for one version.
        kept = self.scratch / "history"
        done, verdict = self.gate(
            "--calls 1", "--calls 01", "--fail-on", "calls(/pay) > +0", "--history", kept, "--commit", "abc"
        )
        self.assertEqual((done.returncode, verdict["verdict"]), (0, "pass"), done.stdout + done.stderr)
        # Its summary says what the load did.
        (file,) = kept.iterdir()
        summary = json.loads(file.read_text())
        values = {v["metric"]: v for v in summary["values"] if v["route"] == "GET /pay"}
        self.assertEqual((summary["commit"], values["calls"]["value"], values["calls"]["exact"]), ("abc", 1, True))
        self.assertGreater(values["p50"]["value"], 0)

    def test_by_default_one_more_call_fails_and_equal_versions_pass(self):
        """Without --fail-on: what is exact decides, and the comment begins with what a reviewer has to know."""
        done, verdict = self.gate("--calls 1", "--calls 2")
        self.assertEqual((done.returncode, verdict["verdict"]), (3, "fail"), done.stdout + done.stderr)
        comment = (self.scratch / "gate/comment.md").read_text()
        self.assertTrue(comment.startswith("### ❌ tailcap: calls of GET /pay +1 (exact)"), comment)
        self.assertLessEqual(len([line for line in comment.splitlines() if line]), 26, "25 lines, and why")
        self.assertEqual(comment.count("`GET /stock/shirts"), 1, comment)
        self.SECONDS = 7  # errors are judged in runs of 5 s without their warm-up
        done, verdict = self.gate("--calls 1", "--calls 01", out="equal")
        self.assertEqual((done.returncode, verdict["verdict"]), (0, "pass"), done.stdout + done.stderr)
        comment = (self.scratch / "equal/comment.md").read_text()
        self.assertTrue(comment.startswith("### ✅ tailcap: no regression"), comment)
        self.assertRegex(comment.splitlines()[0], "not judged: .*p99 of GET /pay")

    def failing(self, out):
        document = json.loads((self.scratch / out / "comparison.json").read_text())
        return {g["metric"]: g for g in document["gates"] if g["verdict"] == "fail"}

    def test_by_default_a_leak_fails(self):
        """10 kB more are kept of each request."""
        self.SECONDS = 7
        done, verdict = self.gate("--calls 0", "--calls 0 --leak 10000", runs=5)
        self.assertEqual((done.returncode, verdict["verdict"]), (3, "fail"), done.stdout + done.stderr)
        failing = self.failing("gate")
        self.assertEqual(list(failing), ["memory"], done.stdout)
        self.assertAlmostEqual(failing["memory"]["estimate"]["difference"], 10_000, delta=2_000)

    def test_by_default_more_cpu_time_fails(self):
        """1 ms more is used for each request."""
        self.SECONDS = 7
        done, verdict = self.gate("--calls 0 --spin 0.005", "--calls 0 --spin 0.006", runs=5)
        self.assertEqual((done.returncode, verdict["verdict"]), (3, "fail"), done.stdout + done.stderr)
        failing = self.failing("gate")
        self.assertIn("process_cpu", failing, done.stdout)
        self.assertAlmostEqual(failing["process_cpu"]["estimate"]["difference"], 1e6, delta=0.3e6)

    def test_recorded_by_port(self):
        """--record takes what `tailcap record` takes."""
        done, verdict = self.gate(
            "--calls 1", "--calls 01", "--fail-on", "calls(/pay) > +0", "--record", "--port {port}"
        )
        self.assertEqual((done.returncode, verdict["verdict"]), (0, "pass"), done.stdout + done.stderr)

    def test_one_more_wait_is_found(self):
        """One sleep more in each request is one wake-up more, however often threads are preempted.

        Several requests at a time would also wait for the interpreter's lock, and for an answer of the stock only where it
        is slow: both depend on what else the machine does.
        """
        naps = "--calls 0 --naps"
        done, verdict = self.gate(
            f"{naps} 1", f"{naps} 2", "--fail-on", "wakeups(/pay) > +0.5", "--strict", runs=2, connections=1
        )
        document = json.loads((self.scratch / "gate/comparison.json").read_text())
        estimate = document["gates"][0]["estimate"]
        if not estimate:
            captures = sorted((self.scratch / "gate").glob("*/*/*.tcap"))
            events = [
                subprocess.run(
                    [harness.BUILD / "analyze/tailcap", "events", c], capture_output=True, text=True, check=False
                ).stdout
                for c in captures
            ]
            self.assertTrue(any(" missed " in text for text in events), document["gates"])
            self.skipTest("the recorder missed off-CPU intervals, and the gate says so")
        self.assertAlmostEqual(estimate["base"], 1, delta=0.05, msg=str(estimate))
        self.assertAlmostEqual(estimate["new"], 2, delta=0.05, msg=str(estimate))
        if estimate["exact"]:
            self.assertEqual((done.returncode, verdict["verdict"]), (3, "fail"), done.stdout + done.stderr)
            self.assertEqual(verdict["why"], "flagged by 2 runs a side, confirmed by 2 fresh runs a side")
        else:  # a request waited for the server's own thread, too: then two seconds are too short for this gate
            self.assertEqual((done.returncode, verdict["verdict"]), (4, "undecided"), done.stdout + done.stderr)
            self.assertIn("needs 5 s", document["gates"][0]["sentence"])

    def test_a_duet(self):
        done, verdict = self.gate("--calls 1", "--calls 2", "--fail-on", "calls(/pay) > +0", duet=True)
        self.assertEqual((done.returncode, verdict["verdict"]), (3, "fail"), done.stdout + done.stderr)
        document = json.loads((self.scratch / "gate/comparison.json").read_text())
        self.assertEqual((document["method"], document["obstacles"]), ("duet-paired", []))
        estimate = document["gates"][0]["estimate"]
        self.assertEqual((estimate["base"], estimate["new"], estimate["exact"]), (1, 2, True))
        # Both versions of a pair carry the same note.
        for folder, numbers in (("screen", ("000", "001")), ("confirm", ("002", "003"))):
            for n in numbers:
                notes = [
                    subprocess.run(
                        [
                            harness.BUILD / "analyze/tailcap",
                            "info",
                            self.scratch / "gate" / folder / side / f"{n}.tcap",
                        ],
                        capture_output=True,
                        text=True,
                        check=True,
                    ).stdout
                    for side in ("base", "new")
                ]
                for text in notes:
                    self.assertIn(f"{folder} {n}", text)
        noise = (self.scratch / "gate/noise.md").read_text()
        self.assertNotIn("other version", noise)

    def test_equal_versions_in_a_duet_pass(self):
        done, verdict = self.gate("--calls 1", "--calls 01", "--fail-on", "calls(/pay) > +0", duet=True)
        self.assertEqual((done.returncode, verdict["verdict"]), (0, "pass"), done.stdout + done.stderr)

    def test_a_duet_needs_to_know_where_ports_go(self):
        done = subprocess.run(
            [
                harness.BUILD / "analyze/tailcap",
                "gate",
                "--base",
                "a {port}",
                "--new",
                "b",
                "--load",
                "c {port}",
                "--duet",
                "1,2",
            ],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        self.assertEqual(done.returncode, 2)
        self.assertIn("--new must say where {port} goes", done.stderr)

    def test_a_cancelled_job_leaves_nothing_behind(self):
        port = free_port()
        service = f"{harness.BUILD}/samples/tailcap-sample-service --port {port}"
        load = f"{harness.BUILD}/samples/tailcap-load http://127.0.0.1:{port} -r 20 -d 60"
        gate = self.start(
            [
                harness.BUILD / "analyze/tailcap",
                "gate",
                "--build",
                harness.BUILD,
                "--base",
                service,
                "--new",
                f"{service} --address 127.0.0.1",
                "--load",
                load,
                "--ready",
                f"127.0.0.1:{port}",
                "--out",
                self.scratch / "cancelled",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        mine = lambda: subprocess.run(
            ["pgrep", "-f", "--", f"--port {port}|127.0.0.1:{port}|{self.scratch}/cancelled"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        recorded = lambda: any(
            "Ctrl-C ends it" in log.read_text() for log in (self.scratch / "cancelled").rglob("*.record.log")
        )
        deadline = time.monotonic() + 30
        while not recorded() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        self.assertGreaterEqual(len(mine()), 4)  # the gate, the service, the load, the recorder
        gate.terminate()
        self.assertEqual(gate.wait(timeout=30), 128 + 15)
        self.assertEqual(mine(), [])

    def test_what_does_not_start_is_said(self):
        began = time.monotonic()
        done = subprocess.run(
            [
                harness.BUILD / "analyze/tailcap",
                "gate",
                "--build",
                harness.BUILD,
                "--base",
                "false",
                "--new",
                "true",
                "--load",
                "true",
                "--settle",
                "0.2s",
                "--out",
                self.scratch / "x",
            ],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the service of base ended with 1", done.stderr)
        self.assertLess(time.monotonic() - began, 20)

    def test_a_wrong_gate_is_found_before_anything_runs(self):
        done = subprocess.run(
            [
                harness.BUILD / "analyze/tailcap",
                "gate",
                "--build",
                harness.BUILD,
                "--base",
                "false",
                "--new",
                "true",
                "--load",
                "true",
                "--fail-on",
                "p98(/pay) > +10%",
                "--out",
                self.scratch / "x",
            ],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn("'p98' is not a metric", done.stderr)
        self.assertFalse(list((self.scratch / "x").glob("*/*")))

    def test_commands_of_several_parts(self):
        """`exec` is put before simple commands only, and what fresh runs have not confirmed is no failure in any file."""
        done, verdict = self.gate(
            "--calls 1", "--calls 2", "--fail-on", "calls(/pay) > +0", "--budget", "1s", before="cd / && exec "
        )
        self.assertEqual((done.returncode, verdict["verdict"]), (4, "undecided"), done.stdout + done.stderr)
        junit = (self.scratch / "gate/junit.xml").read_text()
        self.assertNotIn("<failure", junit)
        self.assertIn("fails only if fresh runs show it again", junit)
        comment = (self.scratch / "gate/comment.md").read_text()
        self.assertIn("the budget does not allow more", comment)
        self.assertIn("undecided: 1 of 1 gate", comment)


def recipe_text(heading):
    return (harness.ROOT / "docs/ci.md").read_text().split(f"## {heading}\n")[1].split("```yaml\n")[1].split("```")[0]


def recipe(heading):
    """The shell commands of a recipe in docs/ci.md, as one script; the recipe is what a YAML parser makes of it."""
    job = yaml.safe_load(recipe_text(heading))["performance"]
    lines = job["script"] if heading == "GitLab CI" else [step["run"] for step in job["steps"] if "run" in step]
    return "set -e\n" + "\n".join(lines)


class RecipeLength(unittest.TestCase):
    def test_a_gate_needs_three_lines(self):
        """What is left without them builds the service as before."""
        for heading in ("GitHub Actions", "GitLab CI"):
            lines = recipe_text(heading).splitlines()
            of_gate = [line for line in lines if re.search(r"\bgate\b|exit_codes", line)]
            self.assertLessEqual(len(of_gate), 3, heading)
            self.assertTrue(any("tailcap gate" in line for line in of_gate))
            without = yaml.safe_load("\n".join(line for line in lines if line not in of_gate))["performance"]
            self.assertNotIn("gate", json.dumps(without).replace("performance", ""))

    def test_the_recipes_are_as_the_systems_read_them(self):
        github = yaml.safe_load(recipe_text("GitHub Actions"))["performance"]
        self.assertLessEqual(set(github), {"runs-on", "steps"})
        for step in github["steps"]:
            self.assertEqual(len({"uses", "run"} & set(step)), 1, step)
            self.assertLessEqual(set(step), {"uses", "run", "if", "with"})
        gitlab = yaml.safe_load(recipe_text("GitLab CI"))["performance"]
        self.assertEqual(gitlab["allow_failure"], {"exit_codes": [4]})
        self.assertEqual(gitlab["artifacts"]["reports"], {"junit": "gate/junit.xml"})
        self.assertTrue(all(isinstance(line, str) for line in gitlab["script"]))


class Recipe(Case):
    """The commands of docs/ci.md in a fresh clone of a service's repository, with less and shorter runs."""

    def git(self, *arguments, at):
        subprocess.run(
            [
                "git",
                "-C",
                at,
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "init.defaultBranch=main",
                *arguments,
            ],
            check=True,
            capture_output=True,
        )

    def setUp(self):
        super().setUp()
        self.port, stock = free_port(), free_port()
        self.sample_service("--port", str(stock), ready=("127.0.0.1", stock))
        self.origin = self.scratch / "origin"
        self.origin.mkdir(parents=True)
        # The user who calls sudo may read none of the folders above this one, nor those of an interpreter of root's own.
        for file in (harness.ROOT / "tests/e2e/gate_service.py", harness.BUILD / "samples/tailcap-load"):
            shutil.copy(file, self.scratch)
        python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
        service = f"{python} {self.scratch}/gate_service.py --port {self.port} --stock 127.0.0.1:{stock}"
        (self.origin / "Makefile").write_text(
            f"server: calls\n\tprintf '\\043!/bin/sh\\nid -u >> {self.scratch}/users\\nexec {service} --calls %s\\n' $$(cat calls) > server && chmod +x server\n"
        )
        (self.origin / "load.sh").write_text(
            f"#!/bin/sh\nid -u >> {self.scratch}/users\nexec {self.scratch}/tailcap-load http://127.0.0.1:{self.port} -r 60 -c 4 -d 2 --route '1 GET /pay'\n"
        )
        (self.origin / "load.sh").chmod(0o755)
        (self.origin / "calls").write_text("1\n")
        self.git("init", at=self.origin)
        self.git("add", "-A", at=self.origin)
        self.git("commit", "-m", "base", at=self.origin)
        # sudo, of a user that is not root.
        self.scratch.chmod(0o755)
        for name in ("users", "summary.md"):
            (self.scratch / name).touch()
            (self.scratch / name).chmod(0o666)
        (self.scratch / "bin").mkdir()
        (self.scratch / "bin/sudo").write_text(
            '#!/bin/sh\n[ "$1" != -E ] || shift\nexec env SUDO_UID=65534 SUDO_GID=65534 "$@"\n'
        )
        (self.scratch / "bin/sudo").chmod(0o755)

    def job(self, heading, calls, more=""):
        """Exit code and clone of a job for a change that makes `calls` calls."""
        clone = self.scratch / "clone"
        self.git("clone", self.origin, clone, at=self.scratch)
        self.git("checkout", "-b", "change", at=clone)
        (clone / "calls").write_text(f"{calls}\n")
        (clone / "README").write_text("changed\n")
        self.git("add", "-A", at=clone)
        self.git("commit", "-m", "change", at=clone)
        script = recipe(heading)
        self.assertIn("--budget 30m", script)
        script = script.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}").replace(
            "--budget 30m", f"--budget 30m --runs 2 --fail-on 'calls(/pay) > +0' {more}"
        )
        path = f"{self.scratch}/bin:{harness.BUILD}/analyze:{harness.BUILD}/capture:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=clone,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            env={
                **os.environ,
                "PATH": path,
                "GITHUB_STEP_SUMMARY": str(self.scratch / "summary.md"),
                "GITHUB_ACTIONS": "true" if heading == "GitHub Actions" else "",
            },
        )
        return done, clone

    def test_github_finds_a_regression(self):
        done, clone = self.job("GitHub Actions", 2)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("fail: 1 of 1 gate", (self.scratch / "summary.md").read_text())
        self.assertEqual({path.stat().st_uid for path in (clone / "gate").rglob("*")}, {65534})
        # The service of the change, and its load, did not run as root.
        self.assertEqual(set((self.scratch / "users").read_text().split()), {"65534"})

    def test_github_warns_of_what_is_undecided(self):
        done, _ = self.job("GitHub Actions", 2, "--budget 1s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("::warning title=tailcap gate::", done.stdout)
        self.assertIn("undecided", (self.scratch / "summary.md").read_text())

    def test_gitlab_passes_equal_versions(self):
        done, clone = self.job("GitLab CI", 1)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('failures="0"', (clone / "gate/junit.xml").read_text())


if __name__ == "__main__":
    harness.main()
