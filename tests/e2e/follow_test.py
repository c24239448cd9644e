"""`tailcap requests --follow` beside a recorder: its lines against those of the closed file; and recordings on a pipe."""
import fcntl
import json
import os
import signal
import subprocess
import time

import harness
from harness import Case, Recording, free_port, json_lines, wait_until

# Decided when the recording has ended (docs/requests.md).
LATER = {
    "route",
    "handler",
    "service_name",
    "service_name_source",
    "parent",
    "parent_how",
    "parent_confidence",
    "parent_alternatives",
    "parent_unknown",
    "peer",
    "split",
    "attempt",
    "attempt_of",
    "attempt_how",
    "labels",
    "culprits",
    "setup",
    "local",
    "remote",
}
MADE_UP = {"trace_id", "trace_id_source", "span_id", "span_id_source"}


class Follow(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        port = free_port()
        self.service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{port}"

    def recorded(self, *arguments):
        recording = Recording(self.scratch / "capture.tcap", ["-p", self.service.pid, *arguments], self.KEEP)
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        return recording

    def follow(self, file, *arguments, name="lines", **options):
        out, said = open(self.scratch / name, "wb"), open(self.scratch / f"{name}.said", "wb")
        self.addCleanup(out.close)
        self.addCleanup(said.close)
        process = subprocess.Popen(
            [str(c) for c in (harness.BUILD / "analyze/tailcap", "requests", "--follow", file, *arguments)],
            stdout=out,
            stderr=said,
            **options,
        )
        self.addCleanup(self.end, process, signal.SIGKILL)
        return process

    def lines(self, name="lines"):
        return (self.scratch / name).read_text()

    def traffic(self, seconds=4):
        return self.load(
            self.url, "--rate", "200", "-c", "4", "-d", seconds, "--route", "5 GET /search", "--route", "1 GET /cart/7"
        )

    def assert_json_agrees(self, live, closed):
        closed = {row["id"]: row for row in closed}
        self.assertEqual(sorted(row["id"] for row in live), sorted(closed))
        for row in live:
            whole = closed[row["id"]]
            self.assertEqual(set(row) & LATER, set())
            self.assertEqual(set(whole) - set(row) - MADE_UP, set(whole) & LATER)
            self.assertEqual(row, {key: whole[key] for key in row})

    def test_lines_are_those_of_the_closed_file(self):
        recording = self.recorded()
        text = self.follow(recording.partial)
        as_json = self.follow(recording.file, "--json", name="json")  # finds the partial file by itself
        some = self.follow(recording.partial, "--json", "-w", 'path contains "/cart"', "--status", "200", name="some")
        log = self.traffic()
        # Each is printed when it is over, not at the end.
        wait_until(
            lambda: len(json_lines(self.lines("json").rpartition("\n")[0])) == len(log), "all lines while it records"
        )
        self.assertIsNone(as_json.poll())
        self.assertEqual(recording.stop(), 0, recording.said)
        for process in (text, as_json, some):
            self.assertEqual(process.wait(timeout=10), 0)
        closed = self.tailcap("requests", recording.file).splitlines()
        live = self.lines().splitlines()
        self.assertEqual(live[0], closed[0])
        self.assertEqual(sorted(live), sorted(closed))
        rows = json_lines(self.tailcap("requests", recording.file, "--json"))
        self.assertEqual({row["x_request_id"] for row in rows}, {line["id"] for line in log})
        self.assert_json_agrees(json_lines(self.lines("json")), rows)
        cart = {line["id"] for line in log if "/cart" in line["path"]}
        self.assertEqual({row["x_request_id"] for row in json_lines(self.lines("some"))}, cart)

    def test_a_recorder_that_dies(self):
        recording = self.recorded()
        live = self.follow(recording.partial, "--json")
        self.traffic(2)
        time.sleep(0.5)
        recording.process.kill()
        self.assertEqual(live.wait(timeout=10), 3)
        self.assert_json_agrees(
            json_lines(self.lines()), json_lines(self.tailcap("requests", recording.partial, "--json", code=3))
        )

    def test_it_ends_with_ctrl_c_and_after_so_many(self):
        recording = self.recorded()
        live = self.follow(recording.partial, "--json")
        few = self.follow(recording.partial, "--json", "-n", "3", name="few")
        self.traffic(3)
        self.assertEqual(few.wait(timeout=10), 0)
        self.assertEqual(len(json_lines(self.lines("few"))), 3)
        live.send_signal(signal.SIGINT)
        self.assertEqual(live.wait(timeout=5), 0)
        self.assertGreater(len(json_lines(self.lines())), 100)
        self.assertEqual(recording.stop(), 0, recording.said)

    def test_from_file_to_file(self):
        recording = self.recorded("--rotate", "1MB", "--files", "100")
        live = self.follow(recording.file, "--json")  # the name that was given: the files have numbers
        log = []
        for n in range(15):  # until the recorder has begun a third file, however busy the machine is
            log += [
                (f"/search?n={n}", line["id"])
                for line in self.load(self.url, "-c", "8", "-d", "3", "--route", f"1 GET /search?n={n}")
            ]
            if list(self.scratch.glob("capture-000003.tcap*")):
                break
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertEqual(live.wait(timeout=60), 0)
        rows = json_lines(self.lines())
        # Also the requests that were under way when a file ended.
        self.assertEqual(sorted((row["path"], row["x_request_id"]) for row in rows), sorted(log))
        self.assertEqual({row["outcome"] for row in rows}, {"ok"})

    def test_what_cannot_be_known_is_refused(self):
        for words in (
            ["--route", "/cart/{}"],
            ["-w", "labels.lock.futex > 1ms"],
            ["-w", "status == 200 && parent == null"],
            ["--sort", "duration"],
            ["--from", "1s"],
            ["--headers"],
        ):
            done = subprocess.run(
                [harness.BUILD / "analyze/tailcap", "requests", "--follow", "x.tcap", *words],
                capture_output=True,
                text=True,
                timeout=20,
            )
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)

    def recorder(self, *arguments):
        return [
            str(c)
            for c in (
                harness.BUILD / "capture/tailcap-record",
                "-p",
                self.service.pid,
                *self.KEEP,
                "-o",
                "-",
                *arguments,
            )
        ]

    def test_a_stream_into_a_file(self):
        with open(self.scratch / "capture.tcap", "wb") as out, open(self.scratch / "said", "wb") as said:
            cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=out)
            process = subprocess.Popen(self.recorder(), stdout=cat.stdin, stderr=said, cwd=self.scratch)
            cat.stdin.close()
        self.addCleanup(self.end, process, signal.SIGKILL)
        wait_until(lambda: b"recording PID" in (self.scratch / "said").read_bytes(), "the recorder")
        log = self.traffic(2)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=20), 0, self.lines("said"))
        self.assertEqual(cat.wait(timeout=5), 0)
        self.assertIn("standard output", self.lines("said"))
        # A whole capture, with its index; and no other file.
        file = self.scratch / "capture.tcap"
        self.assert_blocks_sound(file)
        self.assertEqual(json.loads(self.tailcap("info", file, "--json"))["state"], "complete")
        self.assertEqual(
            {row["x_request_id"] for row in json_lines(self.tailcap("requests", file, "--json"))},
            {line["id"] for line in log},
        )
        self.assertEqual(
            [f.name for f in self.scratch.iterdir() if "-" in f.name or "control" in f.name or "partial" in f.name], []
        )

    def test_a_stream_that_is_followed(self):
        with open(self.scratch / "said", "wb") as said:
            process = subprocess.Popen(self.recorder(), stdout=subprocess.PIPE, stderr=said)
        self.addCleanup(self.end, process, signal.SIGKILL)
        live = self.follow("-", "--json", stdin=process.stdout)
        process.stdout.close()
        wait_until(lambda: b"recording PID" in (self.scratch / "said").read_bytes(), "the recorder")
        log = self.traffic(2)
        wait_until(lambda: len(json_lines(self.lines().rpartition("\n")[0])) == len(log), "all lines while it records")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=20), 0, self.lines("said"))
        self.assertEqual(live.wait(timeout=10), 0)
        self.assertEqual({row["x_request_id"] for row in json_lines(self.lines())}, {line["id"] for line in log})

    def test_a_reader_that_stalls_or_goes(self):
        for goes in (False, True):
            with self.subTest(goes=goes), open(self.scratch / "said", "wb") as said:
                read, write = os.pipe()
                fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 8192)
                process = subprocess.Popen(self.recorder(), stdout=write, stderr=said)
                self.addCleanup(self.end, process, signal.SIGKILL)
                os.close(write)
                wait_until(lambda: b"recording PID" in (self.scratch / "said").read_bytes(), "the recorder")
                if goes:
                    os.close(read)
                self.traffic(2)
                if not goes:
                    # It went on recording beside a full pipe; at the end it waits ten seconds for the reader, and says so.
                    self.assertIsNone(process.poll())
                    process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(timeout=30), 1)
                self.assertIn("the reader of standard output", self.lines("said"))
                if not goes:
                    os.close(read)

    def test_what_a_stream_cannot_be(self):
        for words in (["--last", "10s"], ["--rotate", "10MB"], ["--pack", "x.zip"]):
            done = subprocess.run(self.recorder(*words), capture_output=True, timeout=20)
            self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr)

    def test_what_the_command_prints_is_not_in_the_stream(self):
        done = subprocess.run(
            [
                harness.BUILD / "capture/tailcap-record",
                "-o",
                "-",
                "--",
                "sh",
                "-c",
                f"echo printed; {self.named('curl')} -s {self.url}/search > /dev/null",
            ],
            capture_output=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"printed\n", done.stderr)
        (self.scratch / "capture.tcap").write_bytes(done.stdout)
        self.assert_blocks_sound(self.scratch / "capture.tcap")


if __name__ == "__main__":
    harness.main()
