"""What threads wait for, as the kernel's own counters and a program's own log tell it."""
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time

import harness
import kernel_trace
from harness import Case

# Waits in known ways, and writes down when: "what begin end" in ns of CLOCK_MONOTONIC.
PROGRAM = r"""
import mmap, os, socket, sys, threading, time
sys.stdin.readline()
log = []
def timed(what, act):
    begin = time.monotonic_ns()
    act()
    log.append((what, begin, time.monotonic_ns()))
reads, writes = os.pipe()
served = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(served.getsockname())
server, _ = served.accept()
def other():
    for _ in range(10):
        time.sleep(0.02)
        os.write(writes, b"x")
        time.sleep(0.02)
        server.send(b"y")
helper = threading.Thread(target=other)
helper.start()
for _ in range(10):
    timed("pipe", lambda: os.read(reads, 1))
    timed("socket", lambda: client.recv(1))
helper.join()
def touch():
    for _ in range(60):
        memory = mmap.mmap(-1, 2 << 20)
        for at in range(0, 2 << 20, 4096):
            memory[at] = 1
        memory.close()
workers = [threading.Thread(target=touch) for _ in range(3)]
for w in workers: w.start()
for w in workers: w.join()
group = sys.argv[1]
if group:
    with open(group + "/cgroup.procs", "w") as f: f.write(str(os.getpid()))
    end = time.monotonic() + 1
    while time.monotonic() < end: pass
print(helper.native_id, *(f"{what} {begin} {end}" for what, begin, end in log), sep="\n", flush=True)
sys.stdin.readline()
"""


# Threads that sleep often, and say how often the kernel had switched them out before and after, and when they read that.
SLEEPERS = r"""
import sys, threading, time
sys.stdin.readline()
clock = time.monotonic_ns
def switches():
    before = clock()
    lines = open(f"/proc/self/task/{threading.get_native_id()}/status").read().splitlines()
    return sum(int(l.split()[1]) for l in lines if "ctxt_switches" in l), before, clock()
log = []
def sleep():
    end = time.monotonic() + 5
    time.sleep(0.001)
    begin = switches()
    while time.monotonic() < end: time.sleep(0.001)
    end = switches()
    time.sleep(0.001)
    log.append((threading.get_native_id(), end[0] - begin[0], *begin[1:], *end[1:]))
threads = [threading.Thread(target=sleep) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
for line in log: print(*line)
sys.stdout.flush()
sys.stdin.readline()
"""


def cpu_group():
    """A new cgroup (v1) with 30 ms of CPU every 100 ms; "" where there is no such controller."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpu" in options.split(","):
            group = pathlib.Path(place) / f"tailcap-waits-{time.monotonic_ns()}"
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text("30000")
            return group
    return ""


class Waits(Case):
    def setUp(self):
        super().setUp()
        self.group = cpu_group()
        program = self.start(
            [sys.executable, "-c", PROGRAM, self.group], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with self.record("-p", program.pid) as recording:
            program.stdin.write("go\n")
            program.stdin.flush()
            self.helper = int(program.stdout.readline())
            self.log = [program.stdout.readline().split() for _ in range(20)]
            if self.group:
                self.counted = dict(l.split() for l in (self.group / "cpu.stat").read_text().splitlines())
            time.sleep(1.1)  # for a reading of the quota
        program.communicate("end\n", timeout=10)
        if self.group:
            self.group.rmdir()
        self.pid = program.pid
        text = subprocess.run(
            [harness.BUILD / "analyze/tailcap", "events", "--json", recording.file], check=True, capture_output=True
        ).stdout
        self.events = [json.loads(line) for line in text.split(b"\n") if line]
        self.waits = [e for e in self.events if e["kind"] == "off_cpu"]

    def around(self, what, kind):
        """The longest wait of each logged stretch: on such a file, and all but what calling costs."""
        found = []
        for name, begin, end in self.log:
            if name != what:
                continue
            inside = [
                w for w in self.waits if w["tid"] == self.pid and int(begin) <= w["left"] and w["time"] <= int(end)
            ]
            self.assertTrue(inside, f"no wait inside {name} {begin} {end}")
            longest = max(inside, key=lambda w: w["time"] - w["left"])
            self.assertEqual(longest["file"], kind)
            found.append(longest)
        self.assertEqual(len(found), 10)
        return found

    def test_all(self):
        for wait in self.around("pipe", "pipe"):
            self.assertEqual(wait["waker"], self.helper)
            self.assertEqual(wait["socket"], 0)
        received = {e["socket"] for e in self.events if e["kind"] == "receive" and e["length"] == 1}
        for wait in self.around("socket", "socket"):
            self.assertIn(wait["socket"], received)
        self.assertTrue(all(e["pid"] == self.pid for e in self.events if e["kind"] == "stall"))
        locks = [e for e in self.events if e["kind"] == "stall" and e["what"] == "kernel_lock"]
        self.assertTrue(locks, "three threads that map and touch memory never waited for its lock")
        for e in locks:
            self.assertGreaterEqual(e["time"] - e["began"], 10_000)
        if not self.group:
            self.skipTest("no cpu controller of cgroup v1: throttling not tried")
        throttled = [w for w in self.waits if w["throttled"]]
        # A period may end between the last look and the reading of the counter.
        self.assertAlmostEqual(len(throttled), int(self.counted["nr_throttled"]), delta=1)
        # The kernel stops counting when the quota is there again; the thread still has to get its CPU.
        self.assertGreaterEqual(
            sum(w["time"] - w["left"] for w in throttled), 0.8 * int(self.counted["throttled_time"])
        )
        self.assertTrue(all(w["state"] in (0, 256) for w in throttled))
        read = [e for e in self.events if e["kind"] == "cpu_quota" and e["cgroup"] == "/" + self.group.name]
        self.assertTrue(read)
        self.assertEqual(
            (read[-1]["period"], read[-1]["quota"], read[-1]["throttled"]),
            (100_000_000, 30_000_000, int(self.counted["nr_throttled"])),
        )


# Sends itself what takes a soft interrupt some time: datagrams of 60 KB, fragmented and put together again.
FLOODED = r"""
import socket, sys, time
sys.stdin.readline()
reader = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reader.bind(("127.0.0.1", 0))
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + 1
while time.monotonic() < end:
    writer.sendto(bytes(60000), reader.getsockname())
    reader.recv(65536)
print("done", flush=True)
sys.stdin.readline()
"""

# Writes to a reader on this machine that takes nothing for 0.6 s, and says what TCP itself makes of it: begin, end and for how
# long the peer's window held it up, in ns.
WRITER = r"""
import socket, struct, sys, threading, time
sys.stdin.readline()
served = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(served.getsockname())
server, _ = served.accept()
def limited():
    info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("<Q", info, 176)[0] * 1000  # tcpi_rwnd_limited
def reader():
    for _ in range(3):
        time.sleep(0.6)
        left = 16 << 20
        while left: left -= len(server.recv(min(left, 1 << 20)))
threading.Thread(target=reader).start()
log = []
for _ in range(3):
    before, begin = limited(), time.monotonic_ns()
    client.sendall(bytes(16 << 20))
    log.append((begin, time.monotonic_ns(), limited() - before))
for line in log: print(*line, flush=True)
sys.stdin.readline()
"""


class Causes(Case):
    def events_of(self, recording, *kinds):
        return [e for e in harness.json_lines(self.tailcap("events", "--json", recording.file)) if e["kind"] in kinds]

    def test_writing_to_who_does_not_read(self):
        program = self.start([sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with self.record("-p", program.pid) as recording:
            program.stdin.write("go\n")
            program.stdin.flush()
            log = [list(map(int, program.stdout.readline().split())) for _ in range(3)]
        program.communicate("end\n", timeout=10)
        events = self.events_of(recording, "stall", "off_cpu")
        # By TCP's own account it may be the sender's buffer instead, which is full as well: then this is not the case to test.
        by_window = [line for line in log if line[2] > 400_000_000]
        self.assertGreater(len(by_window), 0, log)
        for begin, end, limited in by_window:
            inside = [e for e in events if e["tid"] == program.pid and begin <= e["time"] <= end]
            longest = max((w for w in inside if w["kind"] == "off_cpu"), key=lambda w: w["time"] - w["left"])
            self.assertGreater(longest["time"] - longest["left"], 400_000_000)
            if longest["runnable"] is None:
                continue  # the kernel did not tell of the wake-up
            why = [s for s in inside if s["kind"] == "stall" and s["began"] == longest["left"]]
            self.assertEqual(
                [(s["what"], s["where"], s["time"]) for s in why],
                [("peer_window", longest["socket"], longest["runnable"])],
            )
            # TCP begins to count when it tries to send, which may be an answer later than the call.
            self.assertGreaterEqual(why[0]["detail"], 80)

    def test_who_stops_it(self):
        program = self.start([sys.executable, "-c", "while True: pass"])
        with self.record("-p", program.pid) as recording:
            for _ in range(3):
                time.sleep(0.1)
                program.send_signal(signal.SIGSTOP)
                time.sleep(0.2)
                program.send_signal(signal.SIGCONT)
        stops = [w for w in self.events_of(recording, "off_cpu") if w["state"] & 4]
        self.assertEqual(
            [(w["argument0"], w["argument1"]) for w in stops], [(signal.SIGSTOP, threading.get_native_id())] * 3
        )


class Interrupts(Case):
    def test_against_the_kernels_trace(self):
        """Soft interrupts of 10 µs in a thread's time, and no others."""
        events = ("irq/softirq_entry", "irq/softirq_exit")
        if reason := kernel_trace.why_not(*events):
            self.skipTest(reason)
        program = self.start([sys.executable, "-c", FLOODED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with self.record("-p", program.pid, "--add", "interrupts") as recording, kernel_trace.trace(*events) as lines:
            program.stdin.write("go\n")
            program.stdin.flush()
            program.stdout.readline()
        program.communicate("end\n", timeout=10)
        said = [
            e
            for e in harness.json_lines(self.tailcap("events", "--json", recording.file))
            if e["kind"] == "stall" and e["what"] == "interrupt"
        ]
        handled, begun = [], {}
        for at, tid, cpu, event, text in lines:
            vector = int(text.removeprefix("vec=").split()[0])
            if event == "softirq_entry":
                begun[cpu] = (at, vector)
            elif tid == program.pid and begun.get(cpu, (0, None))[1] == vector:
                handled.append((begun[cpu][0], at + 1000, vector))  # stamped in whole microseconds
        self.assertGreater(len(said), 20)
        for s in said:
            self.assertEqual(s["tid"], program.pid)
            self.assertGreaterEqual(s["time"] - s["began"], 10_000)
            self.assertTrue(any(b < s["time"] and s["began"] < e and v == s["detail"] for b, e, v in handled), s)
        # Ours and the trace's stamps are apart where the hypervisor, or a hardware interrupt, came between them.
        long = [(b, e, v) for b, e, v in handled if e - b >= 20_000]
        told = [h for h in long if any(s["began"] < h[1] and h[0] < s["time"] and s["detail"] == h[2] for s in said)]
        self.assertGreater(len(told), 0.6 * len(long))


class Counted(Case):
    def test_no_wait_is_missing_unsaid(self):
        """The kernel does not run the programs for every switch, more so while others come and go; its own count tells."""
        program = self.start([sys.executable, "-c", SLEEPERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with self.record("-p", program.pid) as recording:
            program.stdin.write("go\n")
            program.stdin.flush()
            for n in range(3):
                other = harness.Recording(self.scratch / f"other{n}.tcap", ["--comm", "nobody-is-called-so"])
                self.addCleanup(self.abandon, other)
                other.wait_ready()
                other.stop()
            log = [list(map(int, program.stdout.readline().split())) for _ in range(4)]
        program.communicate("end\n", timeout=10)
        text = subprocess.run(
            [harness.BUILD / "analyze/tailcap", "events", "--json", recording.file], check=True, capture_output=True
        ).stdout
        waits = [e for e in (json.loads(line) for line in text.split(b"\n") if line) if e["kind"] == "off_cpu"]
        for tid, switches, first_before, first_after, last_before, last_after in log:
            mine = sorted((w for w in waits if w["tid"] == tid), key=lambda w: w["left"])
            told = lambda since, until: sum(1 + w["missed"] for w in mine if since <= w["left"] and w["time"] <= until)
            # The counter was read at some time between two looks at the clock; missing ones are told by the wait behind them.
            behind = next(w for w in mine if w["left"] > last_after)
            edge = next(w for w in mine if w["left"] >= first_after)
            self.assertGreater(switches, 1000)
            self.assertLessEqual(told(first_after, last_before) - edge["missed"], switches)
            self.assertLessEqual(switches, told(first_before, behind["time"]))


if __name__ == "__main__":
    harness.main()
