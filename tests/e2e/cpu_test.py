"""What requests are said to have had of the CPU, as the threads' own CPU clocks tell it."""
import http.client
import os
import pathlib
import subprocess
import sys
import threading

import harness
from harness import Case, free_port, json_lines, wait_until

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


def stolen():
    """ns that the hypervisor took from all CPUs so far."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


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
        # Time that the hypervisor takes from a running thread looks as if it ran.
        self.assertLessEqual(sum(beyond), taken, sorted(beyond))
        self.assertLessEqual(sum(b > 0 for b in beyond), 6, sorted(beyond))


if __name__ == "__main__":
    harness.main()
