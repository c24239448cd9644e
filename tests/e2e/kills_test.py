"""kill -9 at random moments, while files rotate and while snapshots are written: every file stays readable, and of what the
load's log says no more is missing than the last 250 ms and what was under way between two files.

TAILCAP_KILLS is how many times of each kind (100)."""
import os
import random
import subprocess
import time

import harness
from harness import Case, Recording, free_port, json_lines, wait_until

KILLS = int(os.environ.get("TAILCAP_KILLS", "100"))
CONNECTIONS = 4


class Kills(Case):
    def setUp(self):
        super().setUp()
        port = free_port()
        self.service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{port}"
        self.random = random.Random(time.time_ns())

    def begin(self, name, *arguments):
        recording = Recording(self.scratch / f"{name}.tcap", ["-p", self.service.pid, *arguments])
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        return recording

    def complete(self, file):
        """Ids of the whole requests in a capture that may have been cut anywhere, after recover has read it."""
        saved = self.scratch / "saved.tcap"
        saved.unlink(missing_ok=True)
        self.tailcap("recover", file, "-o", saved, code=(0, 3))
        self.assert_blocks_sound(saved)
        rows = json_lines(self.tailcap("requests", file, "--json", code=(0, 3, 4)))
        return {r["x_request_id"] for r in rows if r["role"] == "server" and r["complete"] and r["x_request_id"]}

    def killed(self, recording, act=None):
        """Kills the recorder under load, at any moment after `act`; returns the time, and the load's log."""
        log = self.scratch / "load.jsonl"
        seconds = self.random.uniform(0.3, 2.5)
        load = subprocess.Popen(
            self.load_command(self.url, "-c", CONNECTIONS, "-d", "3", "--route", "1 GET /search"),
            stdout=subprocess.DEVNULL,
        )
        try:
            time.sleep(seconds)
            waits = act() if act else None
            killed = time.monotonic_ns()
            recording.process.kill()
            recording.wait_end()
        finally:
            load.wait(timeout=30)
        if waits:
            waits.wait(timeout=30)
        return killed, json_lines(log.read_text())

    def test_while_files_rotate(self):
        for n in range(KILLS):
            with self.subTest(n=n):
                recording = self.begin(f"r{n}", "--rotate", "1MB", "--files", "100")
                killed, log = self.killed(recording)
                files = sorted(self.scratch.glob(f"r{n}-*.tcap")) + sorted(self.scratch.glob(f"r{n}-*.partial"))
                self.assertGreaterEqual(len(files), 1)
                seen = set().union(*(self.complete(file) for file in files))
                due = [line["id"] for line in log if line["done_ns"] < killed - 250_000_000]
                missing = [i for i in due if i not in seen]
                self.assertLessEqual(
                    len(missing),
                    CONNECTIONS * len(files),
                    "more than the last 250 ms, and what was under way at borders",
                )
                for file in files:
                    file.unlink()

    def test_while_a_snapshot_is_written(self):
        for n in range(KILLS):
            with self.subTest(n=n):
                recording = self.begin(f"s{n}", "--last", "10s")
                target = self.scratch / f"s{n}-snapshot.tcap"

                def ask():
                    asking = subprocess.Popen(
                        [harness.BUILD / "analyze/tailcap", "snapshot", recording.file, target],
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                    time.sleep(self.random.uniform(0, 0.1))
                    return asking

                self.killed(recording, ask)
                # It has its name when it is whole, and not before.
                if target.exists():
                    self.assert_blocks_sound(target)
                partial = target.with_name(target.name + ".partial")
                if partial.exists() and partial.stat().st_size > 0:
                    subprocess.run(
                        [
                            harness.BUILD / "analyze/tailcap",
                            "recover",
                            partial,
                            "-o",
                            self.scratch / "saved.tcap",
                            "--force",
                        ],
                        capture_output=True,
                        timeout=60,
                        check=False,
                    )
                for file in self.scratch.glob(f"s{n}*"):
                    file.unlink()


if __name__ == "__main__":
    harness.main()
