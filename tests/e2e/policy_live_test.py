"""A policy's sampling applied to a recording that goes on: a condition fires, the share of connections falls, and rises when it resolves; estimates against the client's log."""
import contextlib
import json
import signal
import subprocess
import time

import harness
from harness import Recording, json_lines, wait_until
from nginx_case import NginxCase

POLICY = """
every: 500ms
conditions:
  - {name: busy, at_least: {rate: 600}, over: 1s}
sampling:
  rate: 100%
  adapt:
    - {when: busy, rate: 10%}
"""


class PolicyLive(NginxCase):
    ONLY = "--only", "io,arrivals,offcpu,tasks,net"

    def load(self, url, rate, seconds, name):
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
                256,
                "-d",
                seconds,
                "--per-connection",
                10,
                "--id",
                name,
            ],
            stdout=subprocess.DEVNULL,
        )
        return process, log

    def status(self, recording):
        return self.tailcap("status", recording.file)

    def judge(self, file, of, log):
        """A file with one share: what it estimates, against the client's log."""
        info = json.loads(self.tailcap("info", file, "--json", code=(0, 3)))
        self.assertEqual(info["one_connection_in"], of, file)
        truth = sum(info["first_ns"] <= line["done_ns"] <= info["last_ns"] for line in log)
        if of == 1:
            return truth
        estimate = json.loads(self.tailcap("report", file, "--json", code=(0, 3, 4)))["quality"]["sampling"]["requests"]
        # Twice as wide as its interval of 95 %, as a logarithm: outside with a chance of 10^-4.
        low, high = estimate["low"] ** 2 / estimate["value"], estimate["high"] ** 2 / estimate["value"]
        self.assertTrue(low <= truth <= high, (file, truth, estimate))
        return truth

    def notes(self, file):
        events = json_lines(self.tailcap("events", file, "--json", "--kind", "note"))
        return [n["value"] for n in events if n["key"] == "tailcap.sampling.policy"]

    def test_a_condition_decides_the_share(self):
        pid, url = self.server()
        recording = Recording(
            self.scratch / "live.tcap", ["-p", pid, "--last", "4s", "--sample-varies", "--sample-seed", "7", *self.ONLY]
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        (self.scratch / "policy.yaml").write_text(POLICY)
        said = self.scratch / "said"
        with open(said, "wb") as out:
            watch = self.start(
                [harness.BUILD / "analyze/tailcap", "watch", recording.file, "--policy", self.scratch / "policy.yaml"],
                stdout=out,
                stderr=out,
            )
        wait_until(lambda: "rate 100 %" in said.read_text(), "the policy's first share", 30)
        logs = []

        def phase(rate, name, of):
            """Under this load the share becomes so large; once memory holds nothing else, a snapshot is of it."""
            process, log = self.load(url, rate, 14, name)
            if of > 1:
                wait_until(lambda: "while busy" in said.read_text(), "the condition", 10)
            elif logs:
                wait_until(lambda: said.read_text().count("rate 100 %\n") == 2, "the condition's end", 10)
            time.sleep(7)
            file = self.scratch / f"{name}.tcap"
            self.tailcap("snapshot", recording.file, file)
            self.assertEqual(process.wait(timeout=30), 0)
            logs.extend(json_lines(log.read_text()))
            self.assertGreater(self.judge(file, of, logs), 300)
            return self.notes(file)

        phase(150, "calm-", 1)
        while_busy = phase(1500, "busy-", 8)
        self.assertIn("1/8 policy.yaml: rate 10 % while busy", while_busy)
        self.assertEqual(phase(150, "again-", 1)[-1], "1/1 policy.yaml: rate 100 %")
        # It fired once and resolved once, although the recorder saw 190 requests a second meanwhile.
        text = said.read_text()
        self.assertEqual((text.count("while busy"), text.count("rate 100 %\n")), (1, 2), text)
        self.assertEqual(self.end(watch, signal.SIGINT), 0, text)
        self.assertEqual(recording.stop(), 0, recording.said)

    def test_by_hand_each_share_has_its_file(self):
        pid, url = self.server()
        recording = Recording(
            self.scratch / "files.tcap",
            ["-p", pid, "--rotate", "50MB", "--sample-varies", "--sample-seed", "7", *self.ONLY],
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        process, log = self.load(url, 1500, 9, "all-")
        time.sleep(2)
        self.assertEqual(
            self.tailcap("control", recording.file, "share", "1/8").strip(), "1 of 8 connections is recorded"
        )
        time.sleep(4)
        self.tailcap("control", recording.file, "share", "1/1")
        self.assertEqual(process.wait(timeout=30), 0)
        time.sleep(0.5)
        for wrong in ("1/0", "half"):
            self.tailcap("control", recording.file, "share", wrong, code=2)
        self.assertEqual(recording.stop(), 0, recording.said)
        files = sorted(self.scratch.glob("files-*.tcap"))
        self.assertEqual(len(files), 3)
        entries = json_lines(log.read_text())
        for file, of in zip(files, (1, 8, 1)):
            self.assert_blocks_sound(file)
            self.assertGreater(self.judge(file, of, entries), 1000)
        self.assertEqual(self.notes(files[1])[:1], ["1/8"])

    def test_the_smaller_share_counts(self):
        pid, url = self.server()
        recording = Recording(
            self.scratch / "both.tcap",
            ["-p", pid, "--rotate", "50MB", "--budget", "40%", "--sample-connections", "1/4", *self.ONLY],
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        self.assertEqual(
            self.tailcap("control", recording.file, "share", "1/2").strip(),
            "1 of 4 connections is recorded: --sample-connections allows no more",
        )
        self.assertEqual(
            self.tailcap("control", recording.file, "share", "1/16").strip(), "1 of 16 connections is recorded"
        )
        self.assertIn("1 of 16 connections", self.status(recording))
        self.tailcap("control", recording.file, "share", "1/1")
        wait_until(lambda: "1 of 4 connections" in self.status(recording), "the budget's way up", 30)
        self.assertEqual(recording.stop(), 0, recording.said)

    def test_a_fixed_share_is_said(self):
        pid, _ = self.server()
        recording = Recording(self.scratch / "fixed.tcap", ["-p", pid, "--last", "10s", *self.ONLY])
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        (self.scratch / "policy.yaml").write_text(POLICY)
        done = subprocess.run(
            [harness.BUILD / "analyze/tailcap", "watch", recording.file, "--policy", self.scratch / "policy.yaml"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("its share of connections is fixed: record with --sample-varies", done.stderr)
        with contextlib.suppress(subprocess.TimeoutExpired):
            recording.stop()


if __name__ == "__main__":
    harness.main()
