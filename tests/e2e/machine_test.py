"""Who had the CPUs while a recorded service waited for one, as those processes' own CPU clocks tell it."""
import http.client
import json
import os
import subprocess
import sys
import threading
import time

import harness
from harness import Case, free_port, wait_until

# Answers after 5 ms of work, on one CPU.
SERVICE = r"""
import os, socket, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    end = time.thread_time() + 0.005
    while time.thread_time() < end: pass
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    connection.close()
"""
# Uses its CPU until its input ends, then says how much it had.
HOG = r"""
import os, sys, threading, time
open("/proc/self/comm", "w").write(sys.argv[2])
os.sched_setaffinity(0, {int(sys.argv[1])})
os.nice(-10)  # it has most of the CPU, whatever else the machine does
print(flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), print(time.process_time_ns(), flush=True), os._exit(0))).start()
while True: pass
"""


class Machine(Case):
    def hog(self, cpu, name):
        hog = self.start(
            [sys.executable, "-c", HOG, cpu, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        hog.stdout.readline()
        return hog

    def ask(self, port, count):
        for _ in range(count):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()

    def test_who_had_the_cpus(self):
        cpus = sorted(os.sched_getaffinity(0))
        port = free_port()
        service = self.start([sys.executable, "-c", SERVICE, cpus[-1], port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        quiet = self.hog(cpus[-1], "before")
        quiet.communicate()
        with self.record("-p", service.pid) as recording:
            hogs = [self.hog(cpus[-1], "lab-hog") for _ in range(2)]
            began = time.monotonic_ns()
            self.ask(port, 20)
            # One that never leaves its CPU of its own accord is counted all the same.
            had = [int(h.communicate()[0]) for h in hogs]
            took = time.monotonic_ns() - began
            time.sleep(1.2)
        pids = {h.pid for h in hogs}
        events = [
            json.loads(line)
            for line in self.tailcap("events", "--json", "--kind", "machine", recording.file).splitlines()
        ]
        told = [e for e in events if e["user"] == "process" and e["process"] in pids]
        for pid in pids:  # it gives itself the name as soon as it has a CPU
            names = [e["comm"] for e in sorted(told, key=lambda e: e["time"]) if e["process"] == pid]
            self.assertEqual(names[names.index("lab-hog") :], ["lab-hog"] * names.count("lab-hog"), names)
            self.assertGreater(names.count("lab-hog"), 0.8 * len(names), names)
        # While the service waits, every tenth of a second is written, otherwise every second.
        total = sum(e["cpu_time"] for e in told)
        self.assertLessEqual(total, sum(had) + 20_000_000)
        self.assertGreaterEqual(total, 0.8 * sum(had) - 200_000_000)
        for e in told:
            self.assertLessEqual(e["cpu_time"], (e["time"] - e["began"]) + 5_000_000, e)
        # The times of a tenth of a second add up to no more than its CPUs had.
        times = {}
        for e in events:
            if e["user"] != "idle":
                times[e["began"], e["time"]] = times.get((e["began"], e["time"]), 0) + e["cpu_time"]
        for (start, end), used in times.items():
            self.assertLessEqual(used, 1.15 * os.cpu_count() * (end - start) + 20_000_000, (start, end))
        self.assertTrue(any(e["user"] == "recorder" for e in events))
        # Without anybody who waits, once a second.
        self.assertLessEqual(len(times), 10 * (took + 3_000_000_000) / 1e9)

        study = json.loads(self.tailcap("report", "--json", recording.file))
        machine = study["machine"]
        self.assertGreater(machine["short_ns"], 500_000_000)
        self.assertIsNotNone(machine["processes"])
        self.assertIn("lab-hog", [p["comm"] for p in machine["processes"][:2]])
        hog = next(p for p in machine["processes"] if p["comm"] == "lab-hog")
        self.assertEqual(hog["processes"], 2)
        # The two shared a CPU with the service.
        self.assertGreater(hog["cpus"], 0.5)
        self.assertLess(hog["cpus"], 1.1)
        self.assertNotIn("python3", [p["comm"] for p in machine["processes"][:1]])

    def test_a_wait_of_seconds(self):
        """Who has the CPU during a wait is written, although the kernel tells of the wait when it ends."""
        cpu = max(os.sched_getaffinity(0))
        port = free_port()
        service = self.start([sys.executable, "-c", SERVICE, cpu, port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        os.sched_setscheduler(service.pid, os.SCHED_IDLE, os.sched_param(0))
        with self.record("-p", service.pid) as recording:
            hog = self.hog(cpu, "lab-hog")
            asking = threading.Thread(target=self.ask, args=(port, 1))
            asking.start()
            time.sleep(2.5)
            had = int(hog.communicate()[0])
            asking.join()
            time.sleep(1.2)
        events = [
            json.loads(line)
            for line in self.tailcap("events", "--json", "--kind", "machine", recording.file).splitlines()
        ]
        time_of_hog = sum(e["cpu_time"] for e in events if e["user"] == "process" and e["process"] == hog.pid)
        self.assertLessEqual(time_of_hog, had + 20_000_000)
        self.assertGreaterEqual(time_of_hog, 0.9 * had - 100_000_000)
        machine = json.loads(self.tailcap("report", "--json", recording.file))["machine"]
        self.assertEqual(machine["processes"][0]["comm"], "lab-hog")


if __name__ == "__main__":
    harness.main()
