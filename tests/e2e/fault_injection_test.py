"""Opens and reads of the recorder that fail, one at a time and all from some moment on: it refuses at its start, with a sentence, or goes on.

strace makes a system call of the recorder fail (its n-th openat, its n-th read, on any of its threads). Which calls there are is counted
first, in a run without faults, so that the faults are spread over the whole of it.
"""
import collections
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import harness
from harness import Case, free_port

FAULTS = {"openat": ("ENOENT", "EMFILE", "EIO"), "read": ("EIO", "ESRCH", "EINTR")}
PER_CALL = 9  # faults of each call; a run takes two to four seconds


class FaultInjection(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.service = self.sample_service("--port", self.port, ready=("127.0.0.1", self.port))
        self.runs = 0

    def run_under(self, *injections, trace=None):
        """Records for a second and a half, while the service is used, under strace; (exit code, stderr, file)."""
        self.runs += 1
        file, log = self.scratch / f"{self.runs}.tcap", self.scratch / f"{self.runs}.log"
        command = [
            "strace",
            "-f",
            "-qq",
            "--seccomp-bpf",
            "-o",
            trace or "/dev/null",
            "-e",
            "trace=openat,read",
            *(a for i in injections for a in ("-e", "inject=" + i)),
            harness.BUILD / "capture/tailcap-record",
            "-o",
            file,
            "-p",
            self.service.pid,
            "-d",
            "1500ms",
        ]
        with open(log, "wb") as out:
            process = self.start(command, stdout=out, stderr=out)
            deadline = time.monotonic() + 30
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(urllib.error.HTTPError):  # an answer, too
                    urllib.request.urlopen(self.url + "/", timeout=30).close()
                time.sleep(0.05)
        self.assertIsNotNone(process.poll(), f"it hangs with {injections}: {log.read_text()}")
        return process.returncode, log.read_text(), file

    def assert_sound(self, code, said, file, what):
        self.assertGreaterEqual(code, 0, f"{what}: ended by signal {-code}: {said}")
        if "recording PID" in said or code in (0, 3):
            # It had begun: only the output itself may end it, and reading is no part of that.
            self.assertIn(code, (0, 3), f"{what}: {said}")
            self.assert_blocks_sound(file)
            return "went on"
        self.assertIn(code, (1, 127), f"{what}: {said}")  # 127: the loader's own, before main()
        self.assertGreater(len(said.strip()), 10, what)
        self.assertNotIn("terminate called", said)
        return "refused"

    def calls(self):
        """How many openats and reads a whole run makes, and how many of them come before main() has begun."""
        trace = self.scratch / "trace"
        code, said, _ = self.run_under(trace=str(trace))
        self.assertEqual(code, 0, said)
        count, before = collections.Counter(), collections.Counter()
        loading = True
        for line in trace.read_text(errors="replace").splitlines():
            name = line.split()[1].partition("(")[0] if len(line.split()) > 1 else ""
            if name not in FAULTS:
                continue
            loading = loading and ("/lib" in line or "ld.so" in line or name == "read")
            count[name] += 1
            if loading:
                before[name] += 1
        return count, before

    def test_single_faults(self):
        count, before = self.calls()
        outcomes = collections.Counter()
        choice = random.Random(11)
        for call, errors in FAULTS.items():
            self.assertGreater(count[call] - before[call], 50, (call, count, before))
            # Most calls belong to the start (reading the kernel's types); most faults are to hit what comes after it.
            for n in range(PER_CALL):
                place = 1 - (1 - (n + choice.random()) / PER_CALL) ** 3
                when = before[call] + 1 + int(place * (count[call] - before[call] - 1))
                error = errors[n % len(errors)]
                what = f"{call}:error={error}:when={when}"
                outcomes[self.assert_sound(*self.run_under(what), what)] += 1
        print(f"\n  {count['openat']} openat, {count['read']} read; {dict(outcomes)}")
        self.assertGreater(outcomes["went on"], 0)

    def test_reads_that_hang(self):
        """Whatever /proc shows of the target's memory is read by others: where such a read never returns, the recorder goes on and ends."""
        for name in ("cmdline", "maps"):
            log, file = self.scratch / f"{name}.log", self.scratch / f"{name}.tcap"
            command = [
                "strace",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-P",
                f"/proc/{self.service.pid}/{name}",
                "-e",
                "inject=read:delay_enter=60000000",
                harness.BUILD / "capture/tailcap-record",
                "-o",
                file,
                "-p",
                self.service.pid,
                "--sample",
                "99",
            ]
            with self.subTest(name), open(log, "wb") as out:
                process = self.start(command, stdout=out, stderr=out)
                harness.wait_until(lambda: "recording PID" in log.read_text(), "the recording", 20)
                for _ in range(20):
                    with contextlib.suppress(urllib.error.HTTPError):  # an answer, too
                        urllib.request.urlopen(self.url + "/", timeout=30).close()
                    time.sleep(0.05)
                recorder = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
                start = time.monotonic()
                os.kill(recorder, signal.SIGINT)
                harness.wait_until(file.exists, "the end", 20)
                self.assertLess(time.monotonic() - start, 3)
                process.kill()  # strace waits for what hangs
                requests = harness.json_lines(self.tailcap("requests", file, "--json", code=(0, 3)))
                self.assertGreaterEqual(len(requests), 20)

    def test_no_descriptors_left(self):
        """From some moment in the recording on nothing can be opened, and it is ended by a signal all the same."""
        count, before = self.calls()
        for part in (0.6, 0.9):
            when = before["openat"] + int((count["openat"] - before["openat"]) * part)
            what = f"openat:error=EMFILE:when={when}+"
            self.assert_sound(*self.run_under(what), what)


if __name__ == "__main__":
    harness.main()
