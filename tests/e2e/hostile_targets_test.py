"""Recorded processes that make trouble: the recorder goes on, stays small, ends when it is asked to, and loses nothing because of them.

What a target's files can do is in hostile_files_test.py; what single system calls that fail can do, in fault_injection_test.py.
"""
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

import harness
from harness import Case, Recording, free_port, wait_until

MOST_RESIDENT = 256 << 20  # bytes: the promise
# The promise is a second. A machine that builds and tests meanwhile may take longer to give the recorder a CPU.
MOST_TO_END = 3.0

STORM = """
import os, sys, time
until = time.monotonic() + float(sys.argv[1])
count = 0
while time.monotonic() < until:
    children = []
    for n in range(8):
        pid = os.fork()
        if pid == 0:
            if n % 4 == 3:
                os._exit(0)
            os.execv("/bin/true", ["true" + chr(27) + "[2J"] if n % 2 else ["true"])
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    count += len(children)
print(count)
"""

MAPPINGS = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
fd = os.open(sys.argv[1], os.O_RDONLY)
made = 0
for n in range(int(sys.argv[2])):
    # The same page again and again: neighbours do not merge.
    if libc.mmap(None, 4096, 5, 2, fd, 0) in (None, ctypes.c_void_p(-1).value):
        break
    made += 1
print(made, flush=True)
time.sleep(600)
"""

NAMES = """
import ctypes, mmap, os, sys, time
with open("/proc/self/comm", "w") as comm:
    comm.write(sys.argv[2])
fd = os.open(sys.argv[1], os.O_RDONLY)
mapped = mmap.mmap(fd, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)
print("mapped", flush=True)
time.sleep(600)
"""


def resident(pid):
    """The most that it had, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


class HostileTargets(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.service = self.sample_service("--port", self.port, ready=("127.0.0.1", self.port))

    def recording(self, *arguments):
        """In a memory cgroup where there is one: more than the promise and the ring would end it there."""
        recording = Recording(self.scratch / "x.tcap", arguments)
        self.addCleanup(self.abandon, recording)
        folder = pathlib.Path("/sys/fs/cgroup/memory/tailcap-hostile-%d" % os.getpid())
        if (folder.parent / "memory.limit_in_bytes").exists():
            folder.mkdir()
            (folder / "memory.limit_in_bytes").write_text(str(MOST_RESIDENT + (64 << 20)))
            (folder / "cgroup.procs").write_text(str(recording.process.pid))
            recording.cgroup = folder
            self.addCleanup(self.remove_cgroup, recording)
        recording.wait_ready()
        return recording

    def remove_cgroup(self, recording):
        folder = getattr(recording, "cgroup", None)
        if folder is None or not folder.exists():
            return
        self.abandon(recording)
        wait_until(lambda: not (folder / "cgroup.procs").read_text().split(), "the cgroup to be empty")
        folder.rmdir()

    def assert_unharmed(self, recording, truth):
        self.assertIsNone(recording.process.poll(), recording.said)
        memory = resident(recording.process.pid)
        time.sleep(0.5)
        began = time.monotonic()
        self.assertEqual(recording.stop(), 0, recording.said)
        took = time.monotonic() - began
        print(f"  {memory >> 20} MiB, ended in {took:.2f} s", file=sys.stderr)
        self.assertLess(memory, MOST_RESIDENT)
        self.assertLess(took, MOST_TO_END)
        self.assert_whole(recording)
        served = [r for r in self.requests(recording, role="server") if r["pid"] == self.service.pid] if truth else []
        self.assertEqual(len(served), len(truth))

    def assert_harmless_text(self, text):
        for c in text:
            self.assertTrue(c == "\n" or c.isprintable(), f"{c!r} in {text!r}")

    def test_a_storm_of_exec_and_exit(self):
        storm = self.start([sys.executable, "-c", STORM, "8"], stdout=subprocess.PIPE, text=True)
        recording = self.recording("-p", self.service.pid, "-p", storm.pid, "--ring", "64MiB")
        truth = self.load(self.url, "-n", "300", "-r", "100", "--route", "1 GET /cart/{n}")
        self.assertGreater(int(storm.communicate(timeout=30)[0]), 100)
        self.assert_unharmed(recording, truth)
        self.assert_harmless_text(recording.said)

    def test_sixty_thousand_mappings(self):
        most = min(60_000, int(pathlib.Path("/proc/sys/vm/max_map_count").read_text()) - 1000)
        target = self.start([sys.executable, "-c", MAPPINGS, "/bin/true", str(most)], stdout=subprocess.PIPE, text=True)
        self.assertEqual(int(target.stdout.readline()), most)
        recording = self.recording("-p", self.service.pid, "-p", target.pid)
        # Over a keyframe, in which all is described again.
        truth = self.load(self.url, "-n", "600", "-r", "50", "--route", "1 GET /cart/{n}")
        self.assert_unharmed(recording, truth)

    def test_names_with_escape_sequences(self):
        for name in ("libssl.so.\x1b]0;OWNED\x07\x1b[2J\x9b31m\n", "libssl.so.3\u202etxt\u0085"):
            file = self.scratch / name
            file.write_bytes(b"no library" * 1000)
            target = self.start([sys.executable, "-c", NAMES, file, "\x1b]0;x\x07"], stdout=subprocess.PIPE, text=True)
            self.assertEqual(target.stdout.readline(), "mapped\n")
            recording = self.recording("-p", target.pid)
            time.sleep(1.5)
            self.assertEqual(recording.stop(), 0, recording.said)
            self.assertIn("libssl.so.", recording.said)
            self.assert_harmless_text(recording.said)
            self.remove_cgroup(recording)
            recording.file.unlink()
            doctor = subprocess.run(
                [harness.BUILD / "capture/tailcap-record", "doctor", "-p", str(target.pid)],
                capture_output=True,
                timeout=60,
            )
            self.assert_harmless_text(doctor.stdout.decode() + doctor.stderr.decode())
        for arguments in (
            ["-p", "1", "-o", "a\x1b]0;x\x07/b.tcap"],
            ["control", "a\x1b[2J.tcap", "note", "a=b"],
            ["-p", "\x1b[2J"],
            ["-o", str(self.scratch / "y.tcap"), "--", "/no\x1b[2Jprogram"],
        ):
            done = subprocess.run(
                [harness.BUILD / "capture/tailcap-record", *arguments], capture_output=True, timeout=60
            )
            self.assertNotEqual(done.returncode, 0)
            self.assert_harmless_text(done.stdout.decode() + done.stderr.decode())


if __name__ == "__main__":
    harness.main()
