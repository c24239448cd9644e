"""A recording that keeps only its last part: in memory, with snapshots, and in files of bounded size."""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import zipfile

import harness
from flight_case import FlightCase
from harness import json_lines, wait_until


class Flight(FlightCase):
    def command(self, *words, code=0):
        done = subprocess.run(
            [harness.BUILD / "analyze/tailcap", *map(str, words)], capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stdout + done.stderr

    def served(self, file, code=0):
        """Ids of the requests in a capture, every one whole. A capture may begin in the middle of one."""
        rows = json_lines(self.tailcap("requests", file, "--json", code=(0, 3)))
        return {r["x_request_id"] for r in rows if r["role"] == "server" and r["complete"] and r["x_request_id"]}

    def assert_holds(self, file, log, since, until):
        """Holds the log's requests between the two times, and none twice; nothing that is not in the log."""
        self.assert_blocks_sound(file)
        seen = self.served(file)
        expected = {line["id"] for line in log if line["sent_ns"] >= since and line["done_ns"] <= until}
        self.assertGreater(len(expected), 50)
        self.assertEqual(expected - seen, set(), "missing")
        self.assertEqual(seen - {line["id"] for line in log}, set(), "not in the log")
        return seen

    def test_the_last_seconds(self):
        recording = self.begin("--last", "3s")
        self.assertFalse(recording.file.exists() or recording.partial.exists(), "the recording is in memory")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            load = pool.submit(self.load, self.url, "--rate", "200", "-c", "4", "-d", "9", "--route", "1 GET /search")
            time.sleep(7)
            asked = time.monotonic_ns()
            said = self.command("snapshot", recording.file)
            done = time.monotonic_ns()
            os.kill(recording.process.pid, signal.SIGUSR1)
            status = self.command("status", recording.file)
            log = load.result()
        wait_until(lambda: len(list(self.scratch.glob("flight-*.tcap"))) == 2, "the snapshot of SIGUSR1")
        snapshot = pathlib.Path(said.split(".tcap:")[0] + ".tcap")
        self.assertIn("in memory", status)
        # The three seconds end between the two times.
        seen = self.assert_holds(snapshot, log, done - 3_000_000_000, asked)
        # Keyframes come every second: what is older than four seconds, and a little, is gone.
        old = {line["id"] for line in log if line["done_ns"] < asked - 4_500_000_000}
        self.assertGreater(len(old), 100)
        self.assertEqual(old & seen, set())
        self.assertLess(done - asked, 5_000_000_000)
        # What was said of the connections when they began is said again.
        masking = json.loads(self.tailcap("report", snapshot, "--json"))["quality"]["masking"]
        self.assertGreaterEqual(masking["before"]["streams"], 1)
        self.assertIn(
            "the last part of a recording that went on", " ".join(self.tailcap("report", snapshot, "--full").split())
        )
        # The recording went on, and its end has the last seconds in FILE.
        time.sleep(0.3)
        ended = time.monotonic_ns()
        self.assertIn("ends", self.command("stop", recording.file))
        self.assertEqual(recording.wait_end(), 0, recording.said)
        self.assert_holds(recording.file, log, ended - 3_000_000_000, ended)

    def test_a_bound_in_bytes(self):
        recording = self.begin("--last", "2MB")
        for _ in range(15):  # until something was dropped, however busy the machine is
            self.load(self.url, "-c", "8", "-d", "3", "--route", "1 GET /search")
            status = self.command("status", recording.file)
            recorded, held, last = map(
                float, re.search(r"for ([\d.]+) s: ([\d.]+) MB of the last ([\d.]+) s", status).groups()
            )
            if last < recorded:
                break
        # A segment more than the bound, and what was written since the last one was dropped.
        self.assertLess(held, 2 * 1.25, status)
        self.assertGreater(held, 1, status)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertLess(recording.file.stat().st_size, 2.5e6)
        self.assertGreater(len(self.served(recording.file)), 1000)

    def test_files_of_bounded_size(self):
        recording = self.begin("--rotate", "1MB", "--files", "3")
        log = []
        for n in range(15):  # until files were removed, however busy the machine is
            log += [
                {**line, "id": f"{n}.{line['id']}"}
                for line in self.load(self.url, "-c", "8", "-d", "3", "--route", f"1 GET /search?n={n}")
            ]
            if any(self.scratch.glob("flight-00000[5-9].tcap*")):
                break
        time.sleep(0.3)
        self.assertEqual(recording.stop(), 0, recording.said)
        files = sorted(self.scratch.glob("flight-*.tcap"))
        numbers = [int(f.stem.split("-")[-1]) for f in files]
        self.assertEqual(len(files), 3, files)
        self.assertGreater(numbers[-1], 3, "no file was removed")
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)))
        for file in files:
            self.assertLessEqual(file.stat().st_size, 1_000_000, file)
            self.assert_blocks_sound(file)
        # A request at the border of two files is whole in neither; of the others all are there, from the first one in the files on.
        rows = [row for f in files for row in json_lines(self.tailcap("requests", f, "--json", code=(0, 3)))]
        seen = {
            f"{row['path'].split('n=')[1]}.{row['x_request_id']}"
            for row in rows
            if row["complete"] and row["x_request_id"]
        }
        order = sorted(log, key=lambda line: line["sent_ns"])
        first = next(i for i, line in enumerate(order) if line["id"] in seen)
        missing = [line for line in order[first:] if line["id"] not in seen]
        self.assertLessEqual(len(missing), 3 * 8 * 2, "more than those under way at the borders")
        self.assertEqual(seen - {line["id"] for line in log}, set())
        # Files of one recording can be added up: each request counts in the file that it is in.
        summary = json.loads(self.tailcap("summarise", *files, "--json", code=(0, 3)))
        self.assertEqual(len(summary["captures"]), 3)
        self.assertEqual(summary["requests"], sum(r["role"] == "server" and r["start_ns"] is not None for r in rows))

    def test_killed_while_files_rotate(self):
        recording = self.begin("--rotate", "1MB", "--files", "4")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            load = pool.submit(self.load, self.url, "-c", "8", "-d", "5", "--route", "1 GET /search")
            time.sleep(3.7)
            killed = time.monotonic_ns()
            recording.process.kill()
            log = load.result()
        recording.wait_end()
        partial = list(self.scratch.glob("flight-*.partial"))
        self.assertEqual(len(partial), 1)
        for file in self.scratch.glob("flight-*.tcap"):
            self.assert_blocks_sound(file)
        self.tailcap("recover", partial[0], "-o", self.scratch / "saved.tcap", code=(0, 3))
        self.assert_blocks_sound(self.scratch / "saved.tcap")
        # The last file may have begun just now. A request at the border of two files is whole in neither.
        whole = sorted(self.scratch.glob("flight-*.tcap"))
        seen = self.served(partial[0]).union(*(self.served(file) for file in whole))
        late = sorted(
            (line for line in log if line["done_ns"] < killed - 250_000_000), key=lambda line: line["done_ns"]
        )[-100:]
        self.assertEqual(len(late), 100)
        missing = [line["id"] for line in late if line["id"] not in seen]
        self.assertLessEqual(len(missing), 2 * 8, "more than the last 250 ms are lost")

    def test_a_recording_becomes_an_attachment(self):
        recording = self.begin("-d", "3s", "--pack", self.scratch / "bug.zip", "--yes", name="slow.tcap")
        log = self.load(
            self.url,
            "--rate",
            "50",
            "-c",
            "4",
            "-d",
            "2",
            "--route",
            "4 GET /search",
            "--route",
            "1 GET /slow?token=hunter2hunter2",
        )
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        with zipfile.ZipFile(self.scratch / "bug.zip") as pack:
            self.assertEqual(sorted(pack.namelist()), ["capture.tcap", "manifest.json", "report.html", "report.md"])
            self.assertNotIn(b"hunter2", b"".join(pack.read(name) for name in pack.namelist()))
        ids = {r["id"] for r in json_lines(self.tailcap("requests", recording.file, "--json"))}
        packed = {r["id"] for r in json_lines(self.tailcap("requests", self.scratch / "bug.zip", "--json"))}
        self.assertTrue(packed and packed <= ids)
        self.assertGreater(len(log), 50)


if __name__ == "__main__":
    harness.main()
