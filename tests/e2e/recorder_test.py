"""The recorder's good and bad days: how it ends, and what is left when it is ended."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import unittest

import harness
from harness import Case, Recording, free_port, wait_until


class Recorder(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.service = self.sample_service("--port", self.port, ready=("127.0.0.1", self.port))

    def background_load(self, *arguments):
        return self.start(
            self.load_command(self.url, "-r", "1000", "-c", "8", "--route", "1 GET /cart/{n}", *arguments),
            stdout=subprocess.DEVNULL,
        )

    def recording(self, *arguments, name="capture.tcap"):
        recording = Recording(self.scratch / name, ["-p", self.service.pid, *arguments])
        self.addCleanup(self.abandon, recording)
        return recording

    def last_event_ns(self, file):
        """CLOCK_MONOTONIC of the end of the last response in the file."""
        rows = harness.json_lines(self.tailcap("requests", file, "--json", code=3))
        return max(r["start_ns"] + r["duration_ns"] for r in rows if r["duration_ns"]) - harness.realtime_offset()

    def screen_of(self, arguments, during, columns=80):
        """The lines that the recorder shows on a terminal of that many columns; `during` runs once it records."""
        screen, terminal = os.openpty()
        self.addCleanup(os.close, screen)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = self.start(
            [harness.BUILD / "capture/tailcap-record", "-o", self.scratch / f"seen-{columns}.tcap", *arguments],
            stderr=terminal,
        )
        os.close(terminal)
        said = b""
        with contextlib.suppress(OSError):  # the terminal's other end is closed
            while b"Ctrl-C ends it" not in said:
                said += os.read(screen, 4096)
            during()
            while True:
                said += os.read(screen, 4096)
        self.assertEqual(process.wait(timeout=30), 0, said)
        return re.findall(r"\r\x1b\[K([^\r\n\x1b]+)(?=\r\x1b)", said.decode())

    def test_what_a_terminal_shows(self):
        """Requests while they come, in a line that is rewritten each second."""

        def load():
            time.sleep(1.5)
            self.load(self.url, "-n", "200", "--route", "1 GET /cart/{n}")

        lines = self.screen_of(["-p", self.service.pid, "-d", "6s"], load)
        self.assertRegex(lines[0], r"^1 s  no traffic yet  [\d.]+ k?B  0 lost$")
        self.assertRegex(lines[-1], r"^\d s  200 requests served \(0 × 5xx\)  [\d.]+ kB  0 lost$")
        seconds = [int(line.split()[0]) for line in lines]
        self.assertEqual(sorted(set(seconds)), seconds, "one line a second")
        self.assertGreaterEqual(len(lines), 4)

    def echo(self, seconds):
        """A connection to a port of ours, on which ten lines a second go back and forth that are no HTTP. The port and a function
        that runs for these seconds."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def talk():
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
            with client, server:
                for _ in range(10 * seconds):
                    client.sendall(b"\x07tailcap\n")
                    server.sendall(server.recv(100))
                    client.recv(100)
                    time.sleep(0.1)

        return listener.getsockname()[1], talk

    def test_a_terminal_shows_that_there_is_no_http(self):
        """What is sent at first; from five seconds on, that none of it is HTTP."""
        port, talk = self.echo(8)
        lines = self.screen_of(["--port", port, "-d", "9s"], talk)
        by_second = {int(line.split()[0]): line for line in lines}
        self.assertRegex(by_second[2], r"^2 s  \d+ sends  [\d.]+ k?B  0 lost$")
        self.assertIn(int(by_second[2].split()[2]), range(20, 45), "two a tenth of a second, by both ends")
        for second, line in by_second.items():
            self.assertEqual("no HTTP seen yet" in line, second >= 5, line)

    def test_a_narrow_terminal_shows_the_beginning_of_the_line(self):
        """A line that wraps would not be rewritten in place."""
        port, talk = self.echo(2)
        for line in self.screen_of(["--port", port, "-d", "4s"], talk, columns=24):
            self.assertLess(len(line), 24)
            self.assertRegex(line, r"^\d s  ")

    def test_without_a_terminal_there_is_no_such_line(self):
        recording = self.recording("-d", "4s")
        recording.wait_ready()
        self.load(self.url, "-n", "20", "--route", "1 GET /cart/{n}")
        recording.wait_end()
        self.assertNotIn("\r", recording.said)
        self.assertNotRegex(recording.said, r"requests served|no traffic yet")

    def test_killed(self):
        recording = self.recording()
        recording.wait_ready()
        self.background_load("-d", "4")
        time.sleep(2)
        killed = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        recording.process.kill()
        recording.wait_end()
        self.assertFalse(recording.file.exists())
        self.assertTrue(recording.partial.exists())
        self.assertGreater(
            self.last_event_ns(recording.partial), killed - 400_000_000, "more than the last 250 ms is gone"
        )
        info = json.loads(self.tailcap("info", recording.partial, "--json", code=3))
        self.assertIn(info["state"], ("truncated", "died"), info)
        saved = self.scratch / "saved.tcap"
        self.tailcap("recover", recording.partial, "-o", saved)
        self.assert_blocks_sound(saved)
        subprocess.run(["zstd", "-tq", saved], check=True)

    def test_still_recording(self):
        recording = self.recording()
        recording.wait_ready()
        self.load(self.url, "-n", "101", "--route", "1 GET /cart/{n}")
        wait_until(lambda: "recording" in self.tailcap("info", recording.partial, code=3), "info on a file that grows")
        self.assertEqual(recording.stop(), 0)
        self.assertFalse(recording.partial.exists())

    def test_disk_full(self):
        mount = self.scratch / "small"
        mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mount], check=True)
        self.addCleanup(subprocess.run, ["umount", mount])
        recording = self.recording(name="small/capture.tcap")
        recording.wait_ready()
        self.background_load("-d", "20", "--header", "x-noise: {n}")
        self.assertEqual(recording.wait_end(), 1, recording.said)
        self.assertIn("space", recording.said.lower())
        left = recording.file if recording.file.exists() else recording.partial
        self.assertGreater(len(harness.json_lines(self.tailcap("requests", left, "--json", code=3))), 100)

    def test_max_size(self):
        recording = self.recording("--max-size", "300KB")
        recording.wait_ready()
        self.background_load("-d", "15", "--threads", "1")
        self.assertIn(recording.wait_end(), (0, 3), recording.said)
        self.assertTrue(recording.file.exists())
        self.assertLessEqual(recording.file.stat().st_size, 300_000)
        self.assertGreater(recording.file.stat().st_size, 100_000)
        self.assert_blocks_sound(recording.file)

    def test_duration(self):
        began = time.monotonic()
        recording = self.recording("-d", "2s")
        recording.wait_ready()
        self.assertEqual(recording.wait_end(), 0, recording.said)
        self.assertGreater(time.monotonic() - began, 1.9)
        self.assertTrue(recording.file.exists())

    def test_it_lets_others_go_first_and_its_command_does_not(self):
        policy = "import os, time; print(os.sched_getscheduler(0), flush=True); time.sleep(2)"
        with self.record("--", sys.executable, "-c", policy) as recording:
            tasks = f"/proc/{recording.process.pid}/task"
            policies = {os.sched_getscheduler(int(tid)) for tid in os.listdir(tasks)}
        self.assertLessEqual(policies, {os.SCHED_BATCH, os.SCHED_IDLE})
        self.assertIn(os.SCHED_BATCH, policies)  # what watches the others
        self.assertIn(f"{os.SCHED_OTHER}\n", recording.said.splitlines(keepends=True))

    def test_it_takes_its_share_of_busy_cpus(self):
        """Where no CPU is idle it is no idle task for long, and loses nothing."""
        recording = self.recording()
        recording.wait_ready()
        wait_until(lambda: os.sched_getscheduler(recording.process.pid) == os.SCHED_IDLE, "an idle task")
        busy = [self.start([sys.executable, "-c", "while True: pass"]) for _ in range(2 * os.cpu_count())]
        load = self.background_load("-d", "3")
        wait_until(lambda: os.sched_getscheduler(recording.process.pid) == os.SCHED_BATCH, "a share of the CPUs")
        self.assertEqual(load.wait(timeout=60), 0)
        for process in busy:
            process.kill()
            process.wait()
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertIn("lost: nothing", recording.said)

    def test_a_signal_after_the_end(self):
        """It comes while the summary is printed, or later: the file is whole, and the exit code says so."""
        for i in range(3):
            recording = self.recording("-d", "300ms", name=f"{i}.tcap")
            recording.wait_ready()
            time.sleep(0.25)
            while recording.process.poll() is None:
                recording.process.send_signal(signal.SIGINT)
                time.sleep(0.001)
            self.assertEqual(recording.wait_end(), 0, recording.said)

    def test_ended_by_signals(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            recording = self.recording(name=f"signal{how}.tcap")
            recording.wait_ready()
            truth = self.load(self.url, "-n", "17")
            time.sleep(0.3)
            self.assertEqual(recording.stop(how), 0, recording.said)
            self.assert_same(truth, self.requests(recording))
            self.assertEqual(json.loads(self.tailcap("info", recording.file, "--json"))["state"], "complete")

    def test_output_exists(self):
        existing = self.scratch / "capture.tcap"
        existing.write_text("mine")
        recording = self.recording()
        self.assertEqual(recording.wait_end(), 1)
        self.assertIn("--force", recording.said)
        self.assertEqual(existing.read_text(), "mine")
        forced = self.recording("--force", "-d", "1s")
        self.assertEqual(forced.wait_end(), 0, forced.said)
        self.assert_blocks_sound(existing)

    def test_notes(self):
        recording = self.recording("-d", "1s", "--note", "ticket=A 17", "--note", "build=new")
        self.assertEqual(recording.wait_end(), 0)
        self.assertIn("A 17", self.tailcap("info", recording.file))

    def control(self, recording, *arguments):
        return subprocess.run(
            [str(harness.BUILD / "analyze/tailcap"), "control", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=recording.file.parent,
        )

    def notes(self, file):
        """Those that a user made."""
        notes = harness.json_lines(
            self.tailcap("events", file, "--json", "--kind", "note", code=(0, 4))
        )  # 4: there is none
        return [n for n in notes if not n["key"].startswith("tailcap.")]

    def test_notes_while_recording(self):
        socket_file = self.scratch / "capture.tcap.control"
        recording = self.recording()
        recording.wait_ready()
        wait_until(socket_file.exists, "the recorder's socket")
        self.assertEqual(socket_file.stat().st_mode & 0o7777, 0o600)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        done = self.control(recording, recording.file, "note", "deploy=v2 of today")
        self.assertEqual((done.returncode, done.stdout), (0, "noted: deploy=v2 of today\n"), done.stderr)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        relative = self.control(recording, recording.partial.name, "note", "config=b")  # as completed by a shell
        self.assertEqual(relative.returncode, 0, relative.stderr)
        for arguments, code, word in (
            (["note", "plain"], 2, "KEY=VALUE"),
            (["dance"], 2, "dance"),
            (["note", "a=b\nc"], 2, "one line"),
        ):
            refused = self.control(recording, recording.file, *arguments)
            self.assertEqual((refused.returncode, refused.stdout), (code, ""))
            self.assertIn(word, refused.stderr)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertFalse(socket_file.exists())
        notes = self.notes(recording.file)
        self.assertEqual([(n["key"], n["value"]) for n in notes], [("deploy", "v2 of today"), ("config", "b")])
        self.assertLess(before, notes[0]["time"])
        self.assertLess(notes[0]["time"], after)
        gone = self.control(recording, recording.file, "note", "late=1")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("no recorder writes", gone.stderr)

    def test_a_killed_recorders_socket_is_replaced(self):
        killed = self.recording()
        killed.wait_ready()
        socket_file = self.scratch / "capture.tcap.control"
        wait_until(socket_file.exists, "the recorder's socket")
        killed.process.kill()
        killed.wait_end()
        self.assertTrue(socket_file.exists())
        refused = self.control(killed, killed.file, "note", "a=b")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("killed", refused.stderr)
        recording = self.recording("--force")
        wait_until(
            lambda: self.control(recording, recording.file, "note", "a=b").returncode == 0, "the next recorder's socket"
        )
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertEqual(len(self.notes(recording.file)), 1)

    def test_recording_goes_on_without_its_socket(self):
        (self.scratch / "capture.tcap.control").write_text("mine")
        recording = self.recording()
        recording.wait_ready()
        self.load(self.url, "-n", "11")
        time.sleep(0.3)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertIn("capture.tcap.control", recording.said)
        self.assertEqual(len(self.requests(recording)), 11)
        self.assertEqual((self.scratch / "capture.tcap.control").read_text(), "mine")

    @unittest.skipUnless(shutil.which("setpriv"), "needs setpriv")
    def test_others_are_not_heard(self):
        recording = self.recording()
        recording.wait_ready()
        os.chmod(self.scratch, 0o755)
        socket_file = self.scratch / "capture.tcap.control"
        wait_until(socket_file.exists, "the recorder's socket")
        stranger = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "python3",
            "-c",
            """
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(5)
try:
    s.connect(sys.argv[1])
    s.send(b"note mine=1")
    print("heard", s.recv(100))
except OSError as e:
    print("refused", e)
""",
            str(socket_file),
        ]
        for mode in (0o600, 0o666):  # the second: even where somebody opened the file to all
            socket_file.chmod(mode)
            said = subprocess.run(stranger, capture_output=True, text=True, timeout=30).stdout
            self.assertNotIn("done", said)
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertEqual(self.notes(recording.file), [])

    def test_stock_tools_read_it(self):
        recording = self.recording("-d", "1s")
        recording.wait_ready()
        self.load(self.url, "-n", "11")
        self.assertEqual(recording.wait_end(), 0)
        subprocess.run(["zstd", "-tq", recording.file], check=True)
        printed = subprocess.run(
            f"zstd -dcq {recording.file} | capnp convert binary:json {harness.ROOT}/formats/capture.capnp Chunk",
            shell=True,
            capture_output=True,
            check=True,
        ).stdout
        self.assertGreater(len(printed), 1000)

    def test_nothing_stays_in_the_kernel(self):
        def loaded():
            found = json.loads(
                subprocess.run(["bpftool", "-j", "prog", "show"], capture_output=True, check=True).stdout
            )
            return {p["id"] for p in found}

        def held_by(pid):  # other recorders may be at work on this machine
            held = set()
            for descriptor in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
                with contextlib.suppress(OSError):  # closed meanwhile
                    held |= {int(id) for id in re.findall(r"^prog_id:\s*(\d+)$", descriptor.read_text(), re.M)}
            return held

        for how in (signal.SIGINT, signal.SIGKILL):
            recording = self.recording(name=f"kernel{how}.tcap")
            recording.wait_ready()
            programs = held_by(recording.process.pid)
            self.assertGreater(len(programs & loaded()), 10)
            recording.stop(how) if how == signal.SIGINT else (recording.process.kill(), recording.wait_end())
            wait_until(lambda: not programs & loaded(), "the programs to go")


if __name__ == "__main__":
    harness.main()
