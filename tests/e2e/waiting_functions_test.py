"""The answer names the function in which slow requests wait: of C without frame pointers, and of Python's threads. No option is given."""
import json
import pathlib
import subprocess
import time

import harness
from harness import OneServer, json_lines

HERE = pathlib.Path(__file__).resolve().parent
REQUESTS = 200

SERVICE = """
import http.server
import sys
import threading
import time

stock = threading.Lock()


def restock(held):
    with stock:
        held.set()
        time.sleep(0.03)


def add_item():
    with stock:
        pass


def back_off():
    time.sleep(0.03)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self):
        Handler.served += 1
        slow = Handler.served % 10 == 7
        if self.path == "/lock":
            if slow:
                held = threading.Event()
                other = threading.Thread(target=restock, args=(held,))
                other.start()
                held.wait()
            add_item()
        elif slow:
            back_off()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class WaitingFunctions(OneServer):
    def recorded(self, server, path, *options):
        with self.record("-p", server.pid, *options) as recording:
            # The tables of its code are made after its first long wait.
            self.ask("/sleep", 20)
            time.sleep(3)
            self.ask(path, REQUESTS)
        return recording

    def waiting(self, recording, path):
        """What the answer on the slow requests of this path says of their waits, with its sentence."""
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        tails = [
            v for v in report["verdicts"] if v["kind"] == "tail" and v["scope"] == "route" and path in v["sentence"]
        ]
        self.assertEqual(len(tails), 1, [v["sentence"] for v in report["verdicts"]])
        print(f"  {tails[0]['sentence']}")
        return tails[0]["waiting"], tails[0]["sentence"]

    def check(self, recording, path, name, caller, called=None):
        waiting, sentence = self.waiting(recording, path)
        self.assertIsNotNone(waiting, sentence)
        self.assertEqual((waiting["name"], waiting["called_from"]), (name, caller))
        self.assertGreaterEqual(waiting["inside_ns"], 0.9 * waiting["time_ns"])
        self.assertGreaterEqual(waiting["stacks"], 0.5 * waiting["waits"])
        if called:
            self.assertIn(called, waiting["called"])
        self.assertIn(f" was in {name}, called from {caller}", sentence)

    def program(self):
        program = self.scratch / "cart"
        options = ["-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls", "-pthread"]
        subprocess.run(["gcc", *options, "-o", program, HERE / "waiting_functions.c"], check=True)
        return program

    def test_lock_of_c(self):
        recording = self.recorded(self.serve(self.program()), "/lock")
        self.check(recording, "/lock", "add_item", "serve", "lock")

    def test_each_wait_of_a_request(self):
        """`show` says it of the request's own waits: as many as it had slow ones, and of no other function."""
        recording = self.recorded(self.serve(self.program()), "/lock")
        functions = []
        slow = [r for r in self.requests(recording, role="server") if r["path"] == "/lock" and r["duration_ns"] > 20e6]
        self.assertGreaterEqual(len(slow), REQUESTS // 10 - 1)
        for row in slow:
            end = json.loads(self.tailcap("show", recording.file, row["id"], "--json"))["end"]
            long = [w for w in end["waits"] if w["syscall"] == "futex" and w["back_ns"] - w["left_ns"] >= 20_000_000]
            functions += [(w["function"], w["called_from"]) for w in long]
        named = [f for f in functions if f[0]]
        print(f"  {len(named)} of {len(functions)} waits have a function")
        # On a busy machine serve() waits at the barrier as well, until the other thread has the lock.
        self.assertLessEqual(set(named), {("add_item", "serve"), ("serve", "main")})
        self.assertGreaterEqual(named.count(("add_item", "serve")), REQUESTS // 10 - 1)
        self.assertGreaterEqual(len(named), 0.5 * len(functions))
        rows = json_lines(
            self.tailcap(
                "query",
                recording.file,
                "SELECT DISTINCT function, called_from FROM sample JOIN thread_state USING (utid, ts)"
                " WHERE kind = 'off_cpu' AND blocked_function = 'futex' AND dur >= 20000000",
                "--json",
            )
        )
        self.assertEqual(rows, [{"function": "add_item", "called_from": "serve"}])
        shown = [" ".join(self.tailcap("show", recording.file, row["id"]).split()) for row in slow]
        self.assertTrue(any(" in add_item, called from serve" in text for text in shown), shown[0])

    def test_pipe_of_c(self):
        recording = self.recorded(self.serve(self.program()), "/pipe")
        self.check(recording, "/pipe", "fetch_order", "serve", "read")

    def test_sleep_of_c(self):
        recording = self.recorded(self.serve(self.program()), "/sleep")
        # pause_ms may be a part of back_off
        waiting, sentence = self.waiting(recording, "/sleep")
        self.assertIn((waiting["name"], waiting["called_from"]), {("pause_ms", "back_off"), ("back_off", "serve")})

    def python(self):
        script = self.scratch / "cart.py"
        script.write_text(SERVICE)
        return self.serve("/usr/bin/python3", script)

    def line(self, begin):
        return SERVICE.split("\n").index(begin) + 1

    def test_lock_of_python(self):
        recording = self.recorded(self.python(), "/lock")
        name = f"add_item (cart.py:{self.line('def add_item():')})"
        self.check(recording, "/lock", name, f"Handler.do_GET (cart.py:{self.line('    def do_GET(self):')})")

    def test_sleep_of_python(self):
        recording = self.recorded(self.python(), "/sleep")
        name = f"back_off (cart.py:{self.line('def back_off():')})"
        self.check(recording, "/sleep", name, f"Handler.do_GET (cart.py:{self.line('    def do_GET(self):')})")

    def test_each_stack_is_of_its_wait(self):
        """Its thread was off the CPU from then on, for as long as it has to be, and in the system call that the stack says."""
        recording = self.recorded(self.serve(self.program()), "/lock", "--long-wait", "10ms")
        waits = {}
        for wait in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "off_cpu")):
            waits[wait["tid"], wait["left"]] = wait
        stacks = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        stacks = [s for s in stacks if s["why"] == "off_cpu"]
        self.assertGreaterEqual(len(stacks), REQUESTS // 20)
        calls = {0: "read", 43: "accept", 202: "futex", 230: "nanosleep"}
        for stack in stacks:
            wait = waits[stack["tid"], stack["time"]]
            self.assertGreaterEqual(wait["time"] - wait["left"], 10_000_000)
            if wait["syscall"] in calls:
                self.assertIn(calls[wait["syscall"]], stack["kernel"])

    def test_those_who_must_not(self):
        server = self.serve(self.program())
        recording = self.recorded(server, "/lock", "--no-stacks", "--no-sample")
        self.assertEqual(self.tailcap("events", recording.file, "--json", "--kind", "sample"), "")
        waiting, sentence = self.waiting(recording, "/lock")
        self.assertIsNone(waiting)


if __name__ == "__main__":
    harness.main()
