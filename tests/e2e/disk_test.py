"""What threads wait for at the disk, held against the kernel's own trace of the block layer."""
import collections
import contextlib
import os
import pathlib
import re
import subprocess
import sys

import harness
import kernel_trace
from harness import Case

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))
from inject import groups  # noqa: E402

EVENTS = ("block/block_bio_queue", "block/block_rq_complete")

# Writes a file past the page cache, first as fast as it goes, then in the control group that it is told.
PROGRAM = r"""
import mmap, os, sys, time
sys.stdin.readline()
memory = mmap.mmap(-1, 65536)
memory.write(os.urandom(65536))
file = os.open(sys.argv[1], os.O_WRONLY | os.O_DIRECT)
log = []
def write(what, times):
    for n in range(times):
        begin = time.monotonic_ns()
        os.pwrite(file, memory, 65536 * (n % 40))
        log.append((what, begin, time.monotonic_ns()))
write("free", 400)
if sys.argv[2]:
    with open(sys.argv[2] + "/cgroup.procs", "w") as f: f.write(str(os.getpid()))
    write("held", 24)
print(len(log), *(f"{what} {begin} {end}" for what, begin, end in log), sep="\n", flush=True)
sys.stdin.readline()
"""

IO = re.compile(r"(\d+),(\d+) \S+ (?:\(.*\) )?(\d+) \+ (\d+)")


class Disk(Case):
    def told(self, lines):
        """What the kernel told of I/Os: when they were queued, by whom; and when they were done, by their place."""
        self.queued, self.completed = [], {}
        for at, tid, _, event, text in lines:
            major, minor, sector, sectors = map(int, IO.match(text).groups())
            place = (major << 20 | minor, sector)
            if event == "block_bio_queue":
                self.queued.append((at, tid, place, sectors * 512))
            else:
                self.completed.setdefault(place, []).append(at)

    def test_writes(self):
        if reason := kernel_trace.why_not(*EVENTS):
            self.skipTest(reason)
        file = pathlib.Path("/var/tmp") / f"tailcap-disk-{os.getpid()}"
        self.addCleanup(file.unlink, missing_ok=True)
        file.write_bytes(os.urandom(40 * 65536))
        os.sync()
        with contextlib.ExitStack() as stack:
            folder = ""
            with contextlib.suppress(groups.NotHere):
                folder = stack.enter_context(
                    groups.group("blkio", {"blkio.throttle.write_bps_device": f"{groups.disk_of(file)} 2097152"})
                )
            program = self.start(
                [sys.executable, "-c", PROGRAM, file, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            with self.record("-p", program.pid) as recording, kernel_trace.trace(*EVENTS) as lines:
                program.stdin.write("go\n")
                program.stdin.flush()
                log = [program.stdout.readline().split() for _ in range(int(program.stdout.readline()))]
            program.communicate("end\n", timeout=10)
        self.told(lines)
        events = harness.json_lines(self.tailcap("events", "--json", recording.file))
        stalls = [e for e in events if e["kind"] == "stall" and e["tid"] == program.pid]
        waits = {e["left"]: e for e in events if e["kind"] == "off_cpu" and e["tid"] == program.pid}
        found = {"free": 0, "held": 0}
        left_out = collections.Counter()
        for what, begin, end in log:
            begin, end = int(begin), int(end)
            # What the kernel says of this write; where it was throttled, a worker of the kernel queued it.
            mine = [
                q
                for q in self.queued
                if begin - 1000 <= q[0] <= end and q[3] == 65536 and (q[1] == program.pid) == (what == "free")
            ]
            if len(mine) != 1:
                left_out[what, "not one I/O"] += 1  # another thread's of the same size, or not one piece
                continue
            queued, _, place, _ = mine[0]
            done = next((t for t in self.completed.get(place, ()) if t >= queued), None)
            if done is None:
                left_out[what, "merged with another"] += 1
                continue
            inside = [w for w in waits.values() if begin <= w["left"] and w["time"] <= end and w["state"] & 2]
            io = [s for s in stalls if s["what"] == "block_io" and begin <= s["began"] and s["time"] <= end]
            held = [s for s in stalls if s["what"] == "io_throttled" and begin <= s["began"] and s["time"] <= end]
            if len(inside) != 1 or inside[0]["missed"] or inside[0]["runnable"] is None:
                left_out[what, "done before the thread slept, or no wake-up"] += 1
                continue
            wait = inside[0]
            if wait["woken_in"] == "unknown":
                # Nor does it run one at the completion, in guests whose agent's thread was interrupted by that.
                left_out[what, "the kernel ran no program at the wake-up"] += 1
                continue
            if done - max(queued, wait["left"]) < 20_000:
                left_out[what, "shorter than what is recorded"] += 1
                continue
            self.assertEqual([(s["where"], s["detail"]) for s in io], [(place[0], 65536)], (what, wait, queued, done))
            # The trace is in microseconds, and is written a little before or after the programs run.
            self.assertAlmostEqual(io[0]["began"], max(queued, wait["left"]), delta=200_000)
            self.assertEqual(io[0]["time"], wait["runnable"])
            self.assertGreaterEqual(io[0]["time"], done - 1000)
            self.assertEqual(
                [(s["began"], s["time"], s["where"]) for s in held],
                [(wait["left"], io[0]["began"], place[0])] if what == "held" else [],
            )
            found[what] += 1
        # A fast disk is done with most writes before the thread sleeps, or within 20 µs of that.
        self.assertGreaterEqual(found["free"], 10, left_out)
        if folder:
            self.assertGreaterEqual(found["held"], 3, left_out)  # the quota is given in slices, not by the write


if __name__ == "__main__":
    harness.main()
