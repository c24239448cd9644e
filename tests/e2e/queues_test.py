"""Requests that wait in a listener's queue: one that is full, and one whose workers are busy; and callers that give up."""
import json
import socket
import statistics
import sys
import threading
import time

import harness
from harness import Case, free_port, wait_until

# Accepts one connection at a time and answers after a while; its queue takes few.
SLOW = r'''
import socket, sys, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(int(sys.argv[2]))
while True:
    c, _ = listener.accept()
    c.settimeout(5)
    try:
        if c.recv(4096):
            time.sleep(0.015)
            c.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    except OSError:
        pass
    c.close()
'''
# A thread for each request, which calls the slow one.
GATEWAY = r'''
import http.client, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=20)
        c.request("GET", "/back" + self.path)
        c.getresponse().read()
        c.close()
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments): pass
class Server(ThreadingHTTPServer):
    request_queue_size = 128
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''
# Two workers below a master, as gunicorn's: each waits for the listener, accepts one connection, serves it and closes it. It logs when
# it had accepted each.
PREFORK = r'''
import os, select, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
listener.setblocking(False)
master = os.getpid()
for worker in range(2):
    if os.fork() == 0:
        log = open(f"{sys.argv[2]}.{worker}", "w")
        while os.getppid() == master:
            select.select([listener], [], [], 1)
            try:
                c, _ = listener.accept()
            except BlockingIOError:
                continue
            accepted = time.monotonic_ns()
            c.setblocking(True)
            ask = b""
            while not ask.endswith(b"\r\n\r\n"):
                more = c.recv(4096)
                if not more:
                    break
                ask += more
            if ask:
                path = ask.split()[1].decode()
                time.sleep(0.2 if path.startswith("/export") else 0.004)
                c.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
                print(path, accepted, file=log, flush=True)
            c.close()
        os._exit(0)
while True:
    time.sleep(60)
'''
# Every 16th request takes 3 s. It logs each before it answers.
STALLS = r'''
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        time.sleep(3 if int(self.path.split("/")[2]) % 16 == 7 else 0.004)
        try:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
        except OSError:
            pass
    def log_message(self, *arguments): pass
class Server(ThreadingHTTPServer):
    request_queue_size = 500
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''


def get(port, path, timeout=20):
    """When it was sent, and how long it took; None: given up."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        began = time.monotonic_ns()
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: queues\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        try:
            while not answer.endswith(b"ok"):
                more = s.recv(4096)
                if not more:
                    return began, None
                answer += more
        except socket.timeout:
            return began, None
        return began, time.monotonic_ns() - began


def all_at_once(threads):
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def refusals():
    """How often listeners of this network namespace were full, and how many attempts they dropped for any reason."""
    with open("/proc/net/netstat") as lines:
        names, values = (line.split()[1:] for line in lines if line.startswith("TcpExt:"))
    counters = dict(zip(names, map(int, values)))
    return counters["ListenOverflows"], counters["ListenDrops"]


class Queues(Case):
    def serve(self, program, *arguments):
        port = free_port()
        process = self.start([sys.executable, "-c", program, port, *arguments])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the server")
        return process, port

    def labels(self, row):
        sums = {}
        for part in row["labels"] or []:
            sums[part["label"]] = sums.get(part["label"], 0) + part["ns"]
        return sums

    def test_a_full_queue_is_named(self):
        limit = 2
        back, back_port = self.serve(SLOW, limit)
        gateway, port = self.serve(GATEWAY, back_port)
        took = {}

        def one(path):
            took[path] = get(port, path)[1]

        full_before, dropped_before = refusals()
        with self.record("-p", back.pid, "-p", gateway.pid) as recording:
            for burst in range(8):
                all_at_once(
                    [
                        threading.Thread(target=one, args=(f"/shop/{burst}-{i}",))
                        for i in range(10 if burst % 3 == 2 else 1)
                    ]
                )
        full, dropped = refusals()
        self.assertGreater(full - full_before, 0, "the queue was never full")
        slow = [path for path, ns in took.items() if ns > 900_000_000]
        self.assertGreater(len(slow), 0)
        rows = {row["path"]: row for row in self.requests(recording, role="server") if row["path"].startswith("/shop/")}
        self.assertEqual(set(rows), set(took))
        for path in slow:
            labels = self.labels(rows[path])
            self.assertGreater(labels.get("down.connect", 0) + labels.get("down.retx", 0), 700_000_000, (path, labels))
        study = json.loads(self.tailcap("report", recording.file, "--json"))
        (queue,) = study["listen_queues"]
        self.assertEqual((queue["address"], queue["limit"], queue["pid"]), (f"127.0.0.1:{back_port}", limit, back.pid))
        # Full with one more than the limit; two CPUs can each find room for the last one.
        self.assertIn(queue["longest"], (limit + 1, limit + 2), queue)
        # Others may drop attempts meanwhile, elsewhere on this machine.
        self.assertLessEqual(1, queue["dropped"], queue)
        # The kernel counts an attempt twice in the socket whose last packet found the queue full.
        self.assertLessEqual((queue["dropped"] + 1) // 2, dropped - dropped_before, queue)
        text = " ".join(self.tailcap("report", recording.file, "--full").split())
        self.assertIn(f"Its listen queue was full meanwhile (limit {limit}): it dropped", text)
        self.assertRegex(
            text,
            rf"The listen queue of \S+ \(process {back.pid}\) at 127.0.0.1:{back_port} was full: its limit is {limit},",
        )

    def test_a_queue_that_has_room_is_not(self):
        back, back_port = self.serve(SLOW, 128)
        with self.record("-p", back.pid) as recording:
            all_at_once([threading.Thread(target=get, args=(back_port, f"/back/{i}")) for i in range(30)])
        self.assertEqual(json.loads(self.tailcap("report", recording.file, "--json"))["listen_queues"], [])
        self.assertNotIn("listen queue", self.tailcap("report", recording.file, "--full"))

    def test_waiting_for_a_worker(self):
        log = self.scratch / "accepted"
        master, port = self.serve(PREFORK, log)
        sent = {}

        def one(path):
            sent[path] = get(port, path)

        threads = []
        with self.record("-p", master.pid) as recording:
            for i in range(80):
                paths = [f"/item/{i}"] + [f"/export/{i}-{k}" for k in range(2 if i % 30 == 10 else 0)]
                for path in reversed(paths):
                    threads.append(threading.Thread(target=one, args=(path,)))
                    threads[-1].start()
                time.sleep(0.02)
            for t in threads:
                t.join()
        accepted = dict(
            line.split() for worker in range(2) for line in log.with_suffix(f".{worker}").read_text().splitlines()
        )
        rows = {row["path"]: row for row in self.requests(recording, role="server")}
        self.assertEqual(set(rows), set(sent))
        waited = {path: int(accepted[path]) - began for path, (began, _) in sent.items()}
        long = [path for path in waited if path.startswith("/item/") and waited[path] > 50_000_000]
        self.assertGreater(len(long), 3)
        for path in long:
            labels, row = self.labels(rows[path]), rows[path]
            # The worker may be woken, or wait for a CPU, before it accepts.
            self.assertGreater(labels.get("q.accept", 0), waited[path] * 0.85, (path, waited[path], labels))
            self.assertLess(labels.get("q.accept", 0), waited[path] + 10_000_000, (path, waited[path], labels))
            self.assertNotIn("q.loop", {label for label, ns in labels.items() if ns > 5_000_000}, (path, labels))
        behind = [
            any(
                c["label"] == "q.accept" and c["request"] in {rows[p]["id"] for p in rows if p.startswith("/export")}
                for c in rows[path]["culprits"]
            )
            for path in long
        ]
        self.assertGreater(sum(behind), 0.8 * len(long), "what the worker was busy with")
        short = [self.labels(rows[path]).get("q.accept", 0) for path in waited if waited[path] < 2_000_000]
        self.assertLess(statistics.median(short), 2_000_000)

    def test_callers_that_give_up(self):
        """They are no part of what was answered, and percentiles know that they took at least as long."""
        server, port = self.serve(STALLS)
        gave_up, answered = [], []

        def one(i):
            (answered if get(port, f"/api/{i}", 0.4)[1] is not None else gave_up).append(i)

        threads = [threading.Thread(target=one, args=(i,)) for i in range(640)]
        with self.record("-p", server.pid) as recording:
            began = time.monotonic()
            for i, t in enumerate(threads):
                time.sleep(max(0, began + i / 160 - time.monotonic()))
                t.start()
            for t in threads:
                t.join()
            time.sleep(3)
        self.assertGreaterEqual(len(gave_up), 40)  # a slow machine adds some
        rows = self.requests(recording, role="server")
        self.assertEqual(len(rows), len(threads))
        broken = {int(row["path"].split("/")[2]) for row in rows if row["duration_ns"] is None}
        self.assertEqual(broken, set(gave_up))
        slo = self.scratch / "slo.yaml"
        slo.write_text("slos:\n- route: GET /api/{}\n  at_most: {p99: 350ms}\n")
        for options in ([], ["--observed"]):
            self.tailcap("assert", recording.file, "--slo", slo, *options, code=(3, 4))
        (route,) = json.loads(self.tailcap("report", recording.file, "--json"))["routes"]
        p99 = next(q for q in route["latency"] if q["q"] == 0.99)
        self.assertNotEqual(p99["support"], "refused", p99)
        self.assertGreaterEqual(p99["value_ns"] or p99["low_ns"], 390_000_000, p99)


if __name__ == "__main__":
    harness.main()
