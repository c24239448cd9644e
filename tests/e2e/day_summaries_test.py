"""`tailcap watch --summaries` beside a recorder: the sums are those of `tailcap summarise` of the whole recording, and of the load's log."""
import json
import signal
import subprocess
import time

import harness
from flight_case import FlightCase
from harness import free_port, wait_until


class DaySummaries(FlightCase):
    def setUp(self):
        super().setUp()
        self.days = self.scratch / "days"

    def watch(self, recording, *arguments):
        return self.watch_beside(recording, "--summaries", self.days, *arguments)

    def ask(self, seconds, n=0, *how):
        return self.load(self.url, "-c", "8", "-d", str(seconds), "--route", f"1 GET /search?n={n}", *how)

    def files(self):
        return sorted(self.scratch.glob("flight-*.tcap"))

    def sum_of(self, *files):
        """What a summary holds, but for the borders of its captures."""
        found = json.loads(self.tailcap("summarise", *files, "--json", code=(0, 3)))
        captures = found.pop("captures")
        return found, captures

    def load_files(self, least):
        n, log = 0, []
        while len(self.files()) < least:
            log += self.ask(2, n)
            n += 1
            self.assertLess(n, 40, "files of 1 MB are not finished")
        return log

    def test_files_are_added_once(self):
        """The watcher is killed again and again; its sums are those of all files."""
        recording = self.begin("--rotate", "1MB", "--files", "50", "--note", "version=v2")
        for round in range(3):
            watcher = self.watch(recording, "--every", "200ms")
            before = len(self.files())
            self.load_files(before + 2)
            time.sleep(0.4 * round)
            watcher.kill()
            watcher.wait()
        watcher = self.watch(recording, "--every", "200ms")
        self.load_files(len(self.files()) + 1)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertEqual(watcher.wait(timeout=120), 0, self.said())
        days = sorted(self.days.glob("*.tcs"))
        self.assertIn(len(days), (1, 2), days)  # midnight may have passed
        (kept, captures), (whole, files) = self.sum_of(*days), self.sum_of(*self.files())
        self.assertEqual(kept, whole)
        self.assertEqual({c["id"] for c in captures}, {c["id"] for c in files})
        self.assertGreaterEqual(len(captures), len(self.files()))
        self.assertEqual(sum(c["lost"] for c in captures), sum(c["lost"] for c in files))
        # Run again, it has nothing to add.
        again = self.watch(recording)
        self.assertEqual(again.wait(timeout=60), 0, self.said())
        self.assertEqual(self.sum_of(*days)[0], whole)
        # Nor without what it wrote down about the files: parts that are there are known.
        (self.days / "files-added").unlink()
        again = self.watch(recording)
        self.assertEqual(again.wait(timeout=120), 0, self.said())
        self.assertEqual(self.sum_of(*days)[0], whole)
        fleet = json.loads(self.tailcap("fleet", *days, "--json", code=(0, 3, 4)))
        self.assertEqual({n["value"] for n in fleet["notes"]}, {"v2"})

    def test_what_is_missing_is_said(self):
        """The recorder removes files before they are read: the summary has a capture that is incomplete, of just that time."""
        recording = self.begin("--rotate", "1MB", "--files", "2")
        watcher = self.watch(recording, "--every", "200ms")
        wait_until(lambda: self.ask(1) and "added from" in self.said(), "the first file", 120)
        watcher.send_signal(signal.SIGSTOP)
        number = lambda: int(self.files()[-1].stem.split("-")[1])
        stopped = number()
        n = 0
        while number() < stopped + 4:
            self.ask(2, n)
            n += 1
            self.assertLess(n, 40)
        watcher.send_signal(signal.SIGCONT)
        time.sleep(1)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertEqual(watcher.wait(timeout=120), 3, self.said())
        self.assertIn("nothing is added: the recorder removed it before it was read", self.said())
        kept, captures = self.sum_of(*self.days.glob("*.tcs"))
        missing = [c for c in captures if not c["complete"]]
        self.assertGreaterEqual(len(missing), 1, captures)
        # All of the time is in one of them.
        captures.sort(key=lambda c: c["from_ns"])
        for one, next in zip(captures, captures[1:]):
            self.assertLess(abs(next["from_ns"] - one["to_ns"]), 2_000_000_000, captures)

    def test_the_folder_is_bounded(self):
        recording = self.begin("--rotate", "1MB", "--files", "20")
        self.load_files(1)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.days.mkdir()
        for day in ("2020-01-01", "2020-01-02", "2020-01-03"):
            self.tailcap("summarise", self.files()[0], "-o", self.days / f"{day}.tcs", code=(0, 3))
        (self.days / "notes.txt").write_text("stays")
        watcher = self.watch(recording, "--keep", "2")
        self.assertEqual(watcher.wait(timeout=60), 0, self.said())
        names = sorted(p.name for p in self.days.iterdir())
        self.assertEqual(names[0], "2020-01-03.tcs")
        self.assertEqual(len([n for n in names if n.endswith(".tcs")]), 2, names)
        self.assertIn("notes.txt", names)
        self.assertIn("2020-01-01.tcs was removed", self.said())
        watcher = self.watch(recording, "--keep-size", "1kB")
        self.assertEqual(watcher.wait(timeout=60), 0, self.said())
        self.assertEqual(len(list(self.days.glob("*.tcs"))), 1)
        # A day's file that is damaged is not replaced.
        day = next(self.days.glob("*.tcs"))
        day.write_bytes(day.read_bytes()[:-5])
        damaged = day.read_bytes()
        (self.days / "files-added").unlink()
        watcher = self.watch(recording)
        self.assertEqual(watcher.wait(timeout=60), 1, self.said())
        self.assertIn("no summary that can be read", self.said())
        self.assertEqual(day.read_bytes(), damaged)

    def test_in_memory(self):
        """Each request counts once, whichever look has seen it; FILE has what came after the last one."""
        recording = self.begin("--last", "60s")
        watcher = self.watch(recording, "--every", "5s")
        log = []
        for n in range(4):
            log += self.ask(2, n, "--rate", "200")
        wait_until(lambda: self.said().count("added from memory") >= 2, "two looks", 60)
        watcher.kill()
        watcher.wait()
        watcher = self.watch(recording, "--every", "5s")
        for n in range(4, 7):
            log += self.ask(2, n, "--rate", "200")
        time.sleep(0.3)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertEqual(watcher.wait(timeout=120), 0, self.said())
        kept, captures = self.sum_of(*self.days.glob("*.tcs"))
        self.assertEqual(kept["requests"], len(log))
        self.assertEqual(sum(w["requests"] for w in kept["windows"]), len(log))
        self.assertFalse(list(self.scratch.glob("*.summaries*")), "pieces are removed")

    def test_record_starts_it(self):
        port = free_port()
        service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        out, days = self.scratch / "flight.tcap", self.scratch / "days"
        command = ["record", "-p", service.pid, "-d", "5", "--rotate", "1MB", "--summaries", days, "-o", out]
        recorder = self.start(
            [harness.BUILD / "analyze/tailcap", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        wait_until(lambda: list(self.scratch.glob("flight-*.partial")), "the recording")
        time.sleep(1)
        log = self.load(f"http://127.0.0.1:{port}", "-c", "4", "-d", "2", "--route", "1 GET /search")
        said, _ = recorder.communicate(timeout=90)
        self.assertEqual(recorder.returncode, 0, said)
        kept, _ = self.sum_of(*days.glob("*.tcs"))
        self.assertEqual(kept["requests"], len(log), said)


if __name__ == "__main__":
    harness.main()
