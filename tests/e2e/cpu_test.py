"""What requests are said to have had of the CPU, as the threads' own CPU clocks tell it."""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import harness
from harness import Case, free_port, json_lines, wait_until
from stolen import stolen

# A thread for each connection, one request each. The log says how much CPU time the thread had had at its response.
SERVICE = r"""
import json, os, socket, sys, threading, time
os.sched_setaffinity(0, {int(sys.argv[1])})
os.nice(5)  # so that others come first
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
log = open(sys.argv[3], "w", buffering=1)
def serve(connection):
    path = connection.recv(4096).split()[1:2]
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    had = time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID)
    if path: log.write(json.dumps({"path": path[0].decode(), "had": had}) + "\n")
    connection.close()
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,)).start()
"""
BUSY = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); print(flush=True)\nwhile True: pass"


def leaves_out_stolen_time():
    """Whether the scheduler's clock of threads does not count what the hypervisor takes; so the kernel's types tell."""
    types = subprocess.run(
        ["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux"], capture_output=True, text=True
    )
    return "'prev_steal_time_rq'" in types.stdout


class NewThreads(Case):
    def ask(self, port, numbers):
        for n in numbers:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", f"/{n}")
            connection.getresponse().read()
            connection.close()

    def test_their_wait_for_the_first_cpu_is_no_cpu_time(self):
        cpu = max(os.sched_getaffinity(0))
        port, log = free_port(), self.scratch / "service.jsonl"
        service = self.start([sys.executable, "-c", SERVICE, cpu, port, log])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        for _ in range(2):
            busy = self.start([sys.executable, "-c", BUSY, cpu], stdout=subprocess.PIPE)
            busy.stdout.readline()
        before = stolen()
        with self.record("-p", service.pid) as recording:
            clients = [threading.Thread(target=self.ask, args=(port, range(n, 60, 4))) for n in range(4)]
            for c in clients:
                c.start()
            for c in clients:
                c.join()
        taken = stolen() - before + 10_000_000 * os.cpu_count()  # the counters are in ticks
        had = {line["path"]: line["had"] for line in json_lines(log.read_text())}
        rows = self.requests(recording, role="server")
        self.assertEqual(len(rows), 60)
        beyond, queued = [], []
        for row in rows:
            ns = lambda name: sum(p["ns"] for p in row["labels"] if p["label"] == name)
            beyond.append(max(ns("cpu") - had[row["path"]] - 200_000, 0))
            queued.append(ns("sched.runq"))
        self.assertGreater(sum(q > 1_000_000 for q in queued), 15, sorted(queued))
        if leaves_out_stolen_time():
            # What the hypervisor takes has a label of its own, and the thread's clock leaves it out, too.
            self.assertLessEqual(sum(b > 0 for b in beyond), 1, sorted(beyond))
        else:
            # Time that the hypervisor takes from a running thread looks as if it ran.
            self.assertLessEqual(sum(b > 0 for b in beyond), 6, sorted(beyond))
        self.assertLessEqual(sum(beyond), taken, sorted(beyond))


# Computes without a pause, and logs what each request had of the CPU by the thread's own clock, and how long it took.
SPINNER = r"""
import json, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
log = open(sys.argv[2], "w", buffering=1)
while True:
    connection, _ = listener.accept()
    path = connection.recv(4096).split()[1:2]
    began, had = time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID)
    while time.monotonic_ns() - began < 40_000_000: pass
    had = time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID) - had
    took = time.monotonic_ns() - began
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    if path: log.write(json.dumps({"path": path[0].decode(), "had": had, "took": took}) + "\n")
    connection.close()
"""


class StolenTime(Case):
    """Wall-clock time on a CPU is what the thread's clock counted, and what the hypervisor took. How much it takes is not
    for a test to decide: where it takes nothing, nothing may be claimed."""

    def test_it_is_no_cpu_time(self):
        if not leaves_out_stolen_time():
            self.skipTest("the scheduler of this kernel does not leave stolen time out")
        port, log = free_port(), self.scratch / "spinner.jsonl"
        spinner = self.start([sys.executable, "-c", SPINNER, port, log])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        before = stolen()
        with self.record("-p", spinner.pid) as recording:
            for n in range(60):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", f"/{n}")
                connection.getresponse().read()
                connection.close()
        taken = stolen() - before + 10_000_000 * os.cpu_count()
        logged = {line["path"]: line for line in json_lines(log.read_text())}
        rows = self.requests(recording, role="server")
        self.assertEqual(len(rows), 60)
        wrong, claimed = [], 0
        for row in rows:
            ns = lambda name: sum(p["ns"] for p in row["labels"] if p["label"] == name)
            claimed += ns("cpu.stolen")
            # Beside the loop there is little; what is stolen while the kernel switches threads is in neither.
            off = ns("cpu") - logged[row["path"]]["had"]
            if not -500_000 <= off <= 1_500_000:
                wrong.append((row["path"], off, ns("cpu.stolen"), logged[row["path"]]))
        self.assertLessEqual(claimed, taken)
        self.assertLessEqual(len(wrong), 2, wrong)


# Sleeps for a request, and logs for how long it asked and when it was back.
SLEEPER = r"""
import ctypes, json, os, socket, sys, threading, time
os.sched_setaffinity(0, {int(sys.argv[1])})
class Timespec(ctypes.Structure): _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]
libc = ctypes.CDLL(None, use_errno=True)
def sleep(how, ns):
    if how == "relative": libc.nanosleep(ctypes.byref(Timespec(0, ns)), None)
    elif how == "until":
        due = time.monotonic_ns() + ns
        libc.clock_nanosleep(1, 1, ctypes.byref(Timespec(due // 10**9, due % 10**9)), None)
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
log = open(sys.argv[3], "w", buffering=1)
def serve(connection):
    path = connection.recv(4096).split()[1:2]
    if path:
        _, how, n = path[0].decode().split("/")
        began = time.monotonic_ns()
        sleep(how, 10_000_000)
        log.write(json.dumps({"path": path[0].decode(), "took": time.monotonic_ns() - began}) + "\n")
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    connection.close()
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,)).start()
"""


class Sleeps(Case):
    def test_a_sleep_ends_when_it_was_to_end(self):
        """A sleep of 10 ms is one of 10 ms, whatever comes after it: late timers, and queues beside a busy process."""
        cpu = max(os.sched_getaffinity(0))
        port, log = free_port(), self.scratch / "sleeper.jsonl"
        sleeper = self.start([sys.executable, "-c", SLEEPER, cpu, port, log])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        busy = self.start([sys.executable, "-c", BUSY, cpu], stdout=subprocess.PIPE)
        busy.stdout.readline()
        with self.record("-p", sleeper.pid) as recording:
            for n in range(40):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", f"/{('relative', 'until')[n % 2]}/{n}")
                connection.getresponse().read()
                connection.close()
        logged = {line["path"]: line["took"] for line in json_lines(log.read_text())}
        rows = self.requests(recording, role="server")
        self.assertEqual(len(rows), 40)
        events = [
            json.loads(line)
            for line in self.tailcap("events", "--json", "--kind", "off_cpu", recording.file).splitlines()
        ]
        asked = [e for e in events if e["timed"]]
        self.assertGreaterEqual(len(asked), 40)
        self.assertEqual({e["syscall"] for e in asked}, {230})  # libc makes one of the other
        for row in rows:
            ns = lambda name: sum(p["ns"] for p in row["labels"] if p["label"] == name)
            slept = ns("timer.sleep")
            self.assertLessEqual(slept, 10_100_000, row["labels"])
            # The instant is taken before the call, so the thread may have been preempted in between.
            if "relative" in row["path"]:
                self.assertGreaterEqual(slept, 9_900_000, row["labels"])
            # What the thread itself saw of being late is a wake-up or a queue.
            late = logged[row["path"]] - 10_000_000
            waited = sum(
                p["ns"]
                for p in row["labels"]
                if p["phase"] == "work" and p["label"] in ("q.notice", "sched.runq", "sched.preempted", "cpu.stolen")
            )
            self.assertGreaterEqual(waited + slept - 10_000_000, late - 1_500_000, (row["labels"], late))


if __name__ == "__main__":
    harness.main()
