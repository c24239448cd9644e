"""Recording within a budget: costs as the kernel counts them, shares of connections that follow the load, off-CPU intervals that are left out, and estimates against the client's log."""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import harness
from harness import Recording, json_lines, wait_until
from nginx_case import NginxCase

BPF_ENABLE_STATS, NR_BPF = 32, 321
CPUS = os.cpu_count()


class Measured:
    """CPU time of a recorder and of its kernel programs, from /proc and bpftool: the kernel measures programs while this exists."""

    def __init__(self, case, pid):
        attributes = ctypes.create_string_buffer(16)  # type 0: run times
        fd = ctypes.CDLL(None, use_errno=True).syscall(NR_BPF, BPF_ENABLE_STATS, attributes, 16)
        case.assertGreaterEqual(fd, 0, os.strerror(ctypes.get_errno()))
        case.addCleanup(os.close, fd)
        self.pid = pid
        self.programs = set()
        for file in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
                self.programs.update(map(int, re.findall(r"prog_id:\s*(\d+)", file.read_text())))
        case.assertGreater(len(self.programs), 10)
        self.samples = [self.read()]

    def read(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        shown = json.loads(
            subprocess.run(["bpftool", "prog", "show", "-j"], check=True, capture_output=True, timeout=30).stdout
        )
        programs = sum(p.get("run_time_ns", 0) for p in shown if p["id"] in self.programs)
        return time.monotonic(), own + programs / 1e9

    def look(self):
        self.samples.append(self.read())

    def share(self, since, until):
        """The share of all CPUs, between two times of the monotonic clock."""
        inside = [s for s in self.samples if since <= s[0] <= until]
        (begin, first), (end, last) = inside[0], inside[-1]
        return (last - first) / (end - begin) / CPUS


class Budget(NginxCase):
    BUDGET = 0.02
    CONNECTIONS = 1024
    ONLY = "--only", "io,arrivals,offcpu,stalls,tasks,net"  # whatever other processes do with libraries of TLS

    def load_of(self, url, rate, seconds, name, *more):
        log = self.scratch / f"{name}.jsonl"
        process = self.start(
            [
                harness.BUILD / "samples/tailcap-load",
                url,
                "--log",
                log,
                "--route",
                "1 GET /page",
                "--rate",
                rate,
                "-c",
                self.CONNECTIONS,
                "-d",
                seconds,
                *more,
                "--id",
                name,
            ],
            stdout=subprocess.DEVNULL,
        )
        return process, log

    def run_for(self, process, measured):
        while process.poll() is None:
            measured.look()
            time.sleep(0.4)
        self.assertEqual(process.returncode, 0)

    def status(self, recording):
        return self.tailcap("status", recording.file)

    def facts(self, file):
        info = json.loads(self.tailcap("info", file, "--json", code=(0, 3)))
        quality = json.loads(self.tailcap("report", file, "--json", code=(0, 3, 4)))["quality"]
        return info, quality

    def test_the_budget_is_kept_and_estimates_hold(self):
        pid, url = self.server()
        recording = Recording(
            self.scratch / "flight.tcap",
            [
                "-p",
                pid,
                "--budget",
                f"{100 * self.BUDGET}%",
                "--rotate",
                "50MB",
                "--files",
                "200",
                *self.ONLY,
                "--sample-seed",
                "7",
            ],
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        measured = Measured(self, recording.process.pid)
        began = time.monotonic()
        # Rises, then much more of it, then nothing.
        small, small_log = self.load_of(url, 300, 3, "small-")
        self.run_for(small, measured)
        large, large_log = self.load_of(
            url, 7000, 12, "large-", "--per-connection", 20
        )  # many connections, so that many are in the sample
        loaded = time.monotonic()
        self.run_for(large, measured)
        until = time.monotonic()
        wait_until(lambda: "all connections are recorded" in self.status(recording), "the whole share, when idle", 30)
        self.assertIn("budget 2 %", self.status(recording))
        time.sleep(0.5)
        self.assertEqual(recording.stop(), 0, recording.said)

        settled = measured.share(loaded + 5, until - 0.5)
        self.assertLess(settled, 1.25 * self.BUDGET, "the budget is not kept")
        self.assertGreater(settled, 0.1 * self.BUDGET, "much less is recorded than might be")

        files = sorted(self.scratch.glob("flight-*.tcap"))
        facts = []
        for file in files:
            self.assert_blocks_sound(file)
            facts.append((file, *self.facts(file)))
        shares = [info["one_connection_in"] for _, info, _ in facts]
        self.assertEqual((shares[0], shares[-1]), (1, 1), shares)
        self.assertGreater(max(shares), 1, shares)
        waits = [quality["budget"]["steps"][-1]["waits"] for _, _, quality in facts]
        for one, other in zip(zip(shares, waits), zip(shares[1:], waits[1:])):
            self.assertNotEqual(one, other, "a file that begins without a reason")

        # Every file alone: what it estimates, against the client's log. The client may have seen an answer a little later.
        log = json_lines(small_log.read_text()) + json_lines(large_log.read_text())
        self.assertGreater(min(line["sent_ns"] for line in log), 1e9 * began - 1e9)
        judged = 0
        for file, info, quality in facts:
            self.assertEqual(quality["budget"]["cpu_ppm"], 1e6 * self.BUDGET)
            self.assertEqual(quality["budget"]["steps"][-1]["one_in"], info["one_connection_in"])
            of = info["one_connection_in"]
            if info["last_ns"] - info["first_ns"] < 1e9 or of == 1:
                continue
            self.assertTrue(quality["sampling"]["scales"], file)
            self.assertEqual((quality["sampling"]["one_in"], quality["sampling"]["seed"]), (of, 7))
            truth = sum(info["first_ns"] <= line["done_ns"] <= info["last_ns"] for line in log)
            estimate = quality["sampling"]["requests"]
            if truth < 1000 or estimate is None or estimate["low"] is None:  # too little is in the sample
                continue
            judged += 1
            # Twice as wide as its interval of 95 %, as a logarithm: outside with a chance of 10^-4.
            low, high = estimate["low"] ** 2 / estimate["value"], estimate["high"] ** 2 / estimate["value"]
            self.assertTrue(low <= truth <= high, (file, of, truth, estimate))
        self.assertGreater(judged, 0, shares)
        # What is recorded of a request is right: nothing is invented, and of those in the middle of a file nothing is cut off.
        known = {line["id"] for line in log}
        for file, info, _ in facts:
            rows = json_lines(self.tailcap("requests", file, "--json", code=(0, 3)))
            self.assertEqual(
                {r["x_request_id"] for r in rows if r["complete"] and r["x_request_id"]} - known, set(), file
            )
            middle = [r for r in rows if r["outcome"] in ("no_response", "truncated", "reset")]
            self.assertEqual(middle[:2], [], file)

    SLEEPER = """
import time
for i in range(1000):
    began = time.monotonic_ns()
    time.sleep(0.7)
    print(began, time.monotonic_ns(), flush=True)
"""
    # A request whose off-CPU intervals are not recorded has what was seen on the network, otherwise nothing.
    KNOWN_WITHOUT_WAITS = {"unexplained.nocarrier", "unexplained.lost", "net.upload", "net.reorder", "q.hol_h1"}

    def test_waits_are_left_out_and_return(self):
        pid, url = self.server()
        # How much the machine does for its budget is not known: at less load, more is recorded of it.
        for rate in (9000, 4500, 2250):
            if self.judged_without_waits(pid, url, rate) > 0:
                return
        self.fail("no file without off-CPU intervals holds requests")

    def judged_without_waits(self, pid, url, rate):
        """How many files without off-CPU intervals hold requests, at that rate. All that is recorded holds in each case."""
        budget = 0.01
        sleeps = self.scratch / f"sleeps-{rate}"
        with open(sleeps, "wb") as out:
            sleeper = self.start([sys.executable, "-c", self.SLEEPER], stdout=out)
        recording = Recording(
            self.scratch / f"flight{rate}.tcap",
            [
                "-p",
                pid,
                "-p",
                sleeper.pid,
                "--budget",
                f"{100 * budget}%",
                "--rotate",
                "50MB",
                "--files",
                "200",
                *self.ONLY,
                "--sample-seed",
                "7",
            ],
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        measured = Measured(self, recording.process.pid)
        time.sleep(2)
        loaded = time.monotonic()
        load, _ = self.load_of(url, rate, 18, f"load{rate}-")
        self.run_for(load, measured)
        until = time.monotonic()
        self.assertIn("without off-CPU intervals", self.status(recording))
        wait_until(
            lambda: "all connections are recorded" in self.status(recording)
            and "without" not in self.status(recording),
            "everything, when idle",
            120,
        )
        time.sleep(3)
        self.assertEqual(recording.stop(), 0, recording.said)
        settled = measured.share(loaded + 8, until - 0.5)
        self.assertLess(settled, 1.25 * budget, "the budget is not kept")

        slept = [tuple(map(int, line.split())) for line in sleeps.read_text().splitlines()]
        seen, judged = [], 0
        steps = []
        for file in sorted(self.scratch.glob(f"flight{rate}-*.tcap")):
            self.assert_blocks_sound(file)
            info, quality = self.facts(file)
            steps.append(quality["budget"]["steps"][-1]["waits"])
            waits = json_lines(self.tailcap("events", file, "--json", "--kind", "off_cpu"))
            seen += [
                w for w in waits if w["pid"] == sleeper.pid and w["time"] - w["left"] > 100_000_000 and not w["ongoing"]
            ]
            if steps[-1]:
                continue
            # What was written just before the file began may be in it.
            self.assertEqual([w for w in waits if w["time"] > info["first_ns"] + 20_000_000], [], file)
            rows = json_lines(self.tailcap("requests", file, "--json", code=(0, 3)))
            labels = {part["label"] for row in rows for part in row["labels"] or []}
            self.assertLessEqual(labels, self.KNOWN_WITHOUT_WAITS, file)
            if info["last_ns"] - info["first_ns"] > 1e9 and len(rows) > 50:
                judged += 1
                self.assertIn("unexplained.nocarrier", labels)
                self.assertIn(
                    "off-CPU intervals were not recorded: what requests waited for is not known",
                    " ".join(self.tailcap("report", file, "--full", code=(0, 3, 4)).split()),
                )
        self.assertEqual((steps[0], steps[-1]), (True, True), steps)
        # Each interval is one sleep of the program's own account, whole: none began with a time of before.
        for wait in seen:
            self.assertTrue(
                any(
                    began - 1_000_000 <= wait["left"] and wait["time"] <= ended + 50_000_000 and wait["left"] < ended
                    for began, ended in slept
                ),
                wait,
            )
        self.assertGreater(len(seen), 3)
        self.assertLess(len(seen), len(slept), "some were left out")
        return judged

    def test_looks_keep_it_where_nothing_else_does(self):
        budget = 0.007
        pid, url = self.server()
        recording = Recording(
            self.scratch / "flight.tcap",
            [
                "-p",
                pid,
                "--budget",
                f"{100 * budget}%",
                "--rotate",
                "50MB",
                "--files",
                "200",
                *self.ONLY,
                "--sample-seed",
                "7",
            ],
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        measured = Measured(self, recording.process.pid)
        loaded = time.monotonic()
        load, log = self.load_of(url, 20000, 40, "load-", "--per-connection", 200)
        self.run_for(load, measured)
        until = time.monotonic()

        def idle():
            time.sleep(1)  # an answer is a part of the cost
            return "all connections are recorded" in self.status(recording)

        wait_until(idle, "everything, when idle", 150)
        last, last_log = self.load_of(url, 50, 2, "last-")
        self.assertEqual(last.wait(timeout=30), 0)
        time.sleep(0.5)
        self.assertEqual(recording.stop(), 0, recording.said)
        # A few looks and pauses: their mean over a long time is in tests/unit/capture/budget_test.cc.
        self.assertLess(measured.share(loaded + 8, until - 0.5), 2.5 * budget, "the budget is not kept")

        known = {line["id"]: line for line in json_lines(log.read_text()) + json_lines(last_log.read_text())}
        pauses, looks, found = 0, 0, set()
        for file in sorted(self.scratch.glob("flight-*.tcap")):
            self.assert_blocks_sound(file)
            info, quality = self.facts(file)
            rows = json_lines(self.tailcap("requests", file, "--json", code=(0, 3)))
            complete = {r["x_request_id"] for r in rows if r["complete"] and r["x_request_id"]}
            self.assertEqual(complete - known.keys(), set(), file)
            self.assertEqual([r for r in rows if r["outcome"] in ("no_response", "truncated", "reset")][:2], [], file)
            found |= complete
            of = quality["budget"]["steps"][-1]["one_in"]
            self.assertEqual(of, info["one_connection_in"])
            if of is not None:
                looks += pauses > 0 and len(complete) > 0 and of > 1
                continue
            pauses += 1
            # A file's first and last milliseconds may have the share of its neighbour.
            moved = [
                e
                for kind in ("send", "receive", "arrival")
                for e in json_lines(self.tailcap("events", file, "--json", "--kind", kind))
            ]
            self.assertEqual(
                [e for e in moved if info["first_ns"] + 20_000_000 < e["time"] < info["last_ns"] - 100_000_000][:2],
                [],
                file,
            )
            if not rows:
                self.assertIn(
                    "No connection is recorded in this capture",
                    " ".join(self.tailcap("report", file, "--full", code=(0, 3, 4)).split()),
                )
        self.assertGreater(pauses, 0, "no look ended")
        self.assertGreater(looks, 0, "no request of a later look")
        self.assertEqual(
            {line["id"] for line in json_lines(last_log.read_text())} - found, set(), "all of them are recorded again"
        )

    def test_in_memory(self):
        pid, url = self.server()
        recording = Recording(
            self.scratch / "memory.tcap",
            ["-p", pid, "--budget", "1%", "--last", "60s", *self.ONLY, "--sample-seed", "7"],
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        process, _ = self.load_of(url, 6000, 6, "memory-")
        wait_until(lambda: "1 of " in self.status(recording), "a smaller share", 6)
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertEqual(recording.stop(), 0, recording.said)
        info, quality = self.facts(recording.file)
        # Its parts have different shares: nothing is estimated.
        self.assertIsNone(info["one_connection_in"])
        self.assertFalse(quality["sampling"]["scales"])
        self.assertGreater(len(quality["budget"]["steps"]), 1)
        states = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "state_change"))
        self.assertGreater(sum(event["to"] == "left_out" for event in states), 5)
        # Requests under way on connections that are left out from then on have no outcome; none is without an answer.
        rows = json_lines(self.tailcap("requests", recording.file, "--json", code=(0, 3)))
        for row in rows:
            self.assertNotIn(row["outcome"], ("no_response", "truncated", "reset"), row)
            if "left_out" in row["tainted"]:
                self.assertEqual(row["outcome"], "unknown", row)
        self.assertIn("in shares that differ", " ".join(self.tailcap("report", recording.file, "--full").split()))


if __name__ == "__main__":
    harness.main()
