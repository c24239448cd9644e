"""Routes whose slow requests have several causes, and routes that make a call only since a reload: the service knows which."""
import json
import os
import signal
import socket
import sys
import time

import harness
from harness import Case, free_port, json_lines, wait_until

HEAD = r"""
import http.server, json, os, signal, socket, sys, time
def answer(handler):
    handler.send_response(200)
    handler.send_header("content-length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")
def call(port, path):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % (path, port))
        while s.recv(4096):
            pass
class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *arguments):
        pass
def serve(port, handler):
    http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
"""
BACKEND = (
    HEAD
    + r"""
class Handler(Quiet):
    def do_GET(self):
        time.sleep(int(self.path.rsplit("/", 1)[1]) / 1000)
        answer(self)
serve(int(sys.argv[1]), Handler)
"""
)
# In the header field `do` of each request: sleep, cpu, call, or nothing.
SEVERAL = (
    HEAD
    + r"""
def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
class Handler(Quiet):
    def do_GET(self):
        began = time.monotonic_ns()
        what, ms = (self.headers["do"] or "nothing-0").split("-")
        if what == "sleep":
            time.sleep(int(ms) / 1000)
        elif what == "cpu":
            spin(int(ms) / 1000)
        elif what == "call":
            call(int(sys.argv[2]), b"/stock/" + ms.encode())
        os.write(1, json.dumps({"did": what, "took": time.monotonic_ns() - began}).encode() + b"\n")
        answer(self)
serve(int(sys.argv[1]), Handler)
"""
)
# Forks a worker; at SIGHUP another one, which makes a call for each request, and ends the first when it serves.
RELOADED = (
    HEAD
    + r"""
import ctypes
class Handler(Quiet):
    version = 1
    def do_GET(self):
        time.sleep(0.002)
        if Handler.version == 2:
            call(int(sys.argv[2]), b"/recommend/25")
        os.write(1, json.dumps({"version": Handler.version, "at": time.monotonic_ns()}).encode() + b"\n")
        answer(self)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(64)
def worker(version):
    pid = os.fork()
    if pid:
        return pid
    Handler.version = version
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # with its parent
    server = http.server.ThreadingHTTPServer(listener.getsockname(), Handler, bind_and_activate=False)
    server.socket = listener
    server.serve_forever()
pids = [worker(1)]
def reload(*_):
    pids.append(worker(2))
    time.sleep(0.05)
    os.kill(pids[0], signal.SIGKILL)
signal.signal(signal.SIGHUP, reload)
while True:
    signal.pause()
"""
)


def get(port, path, do="nothing-0"):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\ndo: %s\r\nConnection: close\r\n\r\n" % (path, do.encode()))
        while s.recv(4096):
            pass


class Cohorts(Case):
    BY_OTHER_NAMES = True

    def serve(self, program, name, *arguments):
        port, log = free_port(), self.scratch / name
        with open(log, "w") as out:
            process = self.start([sys.executable, "-c", program, port, *arguments], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), name)
        return process, port, log

    def answers_about(self, recording, route):
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        return [
            v
            for v in report["verdicts"]
            if any(
                report["routes"][r]["route"] == route and report["routes"][r]["role"] == "server" for r in v["routes"]
            )
        ]

    # 600 requests in 12 s, of which some do what `special` says: their place modulo 50.
    def drive(self, special):
        _, backend, _ = self.serve(BACKEND, "backend.log")
        process, port, log = self.serve(SEVERAL, "service.log", backend)
        with self.record("-p", process.pid) as recording:
            for i in range(600):
                get(port, b"/item", special.get(i % 50, "nothing-0"))
                time.sleep(0.015)
        did = [line["did"] for line in json_lines(log.read_text())][-600:]
        return recording, {w: did.count(w) for w in set(did)}

    def several(self, special):
        recording, did = self.drive(special)
        answers = [v for v in self.answers_about(recording, "/item") if v["kind"] == "tail" and v["scope"] == "route"]
        self.assertEqual(len(answers), 1, answers)
        return recording, did, answers[0]

    # By label, without what a busy machine adds.
    def causes(self, answer):
        mine = [c for c in answer["by_cause"] if c["part"]["origin"] == "service"]
        return {c["part"]["label"].split(".")[0]: c["requests"] for c in mine}

    def test_two_per_cent_sleep_and_two_per_cent_call(self):
        recording, did, answer = self.several({7: "sleep-150", 31: "call-60"})
        self.assertEqual((did["sleep"], did["call"]), (12, 12))
        causes = self.causes(answer)
        self.assertEqual((causes.keys(), causes["timer"]), ({"timer", "down"}, 12), answer["sentence"])
        # A busy machine may delay one that calls by more than the call does.
        self.assertAlmostEqual(causes["down"], 12, delta=2, msg=answer["sentence"])
        self.assertGreaterEqual(answer["requests"], 24)
        self.assertNotEqual(answer["level"], "note", answer["sentence"])
        text = " ".join(self.tailcap("report", recording.file, "--brief", "--width", "4000").split())
        self.assertRegex(
            text, r"12 × 1[5-9]\d ms sleeping; 1[0-2] × [6-9]\d\.?\d* ms waiting for another service \(GET /stock/"
        )

    def test_two_per_cent_sleep_and_two_per_cent_compute(self):
        _, did, answer = self.several({7: "sleep-150", 31: "cpu-50"})
        self.assertEqual((did["sleep"], did["cpu"]), (12, 12))
        labels = [c["part"]["label"].split(".")[0] for c in answer["by_cause"]]
        counts = {c["part"]["label"]: c["requests"] for c in answer["by_cause"]}
        self.assertEqual(counts.get("timer.sleep"), 12, answer["sentence"])
        # Where others take the CPU from requests that compute, they wait for one longer than they have one.
        self.assertTrue({"cpu", "sched"} & set(labels), answer["sentence"])
        self.assertNotEqual(answer["level"], "note", answer["sentence"])

    def test_one_cause_is_one(self):
        _, did, answer = self.several({7: "sleep-150"})
        self.assertEqual(did["sleep"], 12)
        self.assertIn(self.causes(answer), ({}, {"timer": 12}), answer["sentence"])
        if not answer["by_cause"]:
            self.assertEqual((answer["requests"], answer["parts"][0]["label"]), (12, "timer.sleep"))

    def test_calls_that_are_made_since_a_reload(self):
        _, backend, _ = self.serve(BACKEND, "backend.log")
        process, port, log = self.serve(RELOADED, "service.log", backend)
        with self.record("-p", process.pid) as recording:
            for i in range(200):
                if i == 100:
                    os.kill(process.pid, signal.SIGHUP)
                get(port, b"/item")
                time.sleep(0.01)
        lines = json_lines(log.read_text())
        new = [line for line in lines if line["version"] == 2]
        self.assertGreater(len(new), 80)
        answers = [v for v in self.answers_about(recording, "/item") if v["new_calls"]]
        self.assertEqual(len(answers), 1)
        calls = answers[0]["new_calls"]
        self.assertEqual(calls["what"], f"GET /recommend/{{}} at 127.0.0.1:{backend}")
        self.assertAlmostEqual(calls["after"], len(new), delta=2)
        self.assertTrue(calls["other_processes"])
        self.assertIn("a reload or a restart", answers[0]["sentence"])

    def test_calls_that_are_made_all_the_time_are_not_new(self):
        recording, did = self.drive({n: "call-20" for n in range(50)})
        self.assertEqual(did, {"call": 600})
        self.assertEqual([v for v in self.answers_about(recording, "/item") if v["new_calls"]], [])


if __name__ == "__main__":
    harness.main()
