"""What an incident is built on: real programs, an open-loop client with a log of its own, one recording."""
import contextlib
import http.client
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Callable, NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
import harness  # noqa: E402
from harness import Recording, free_port, wait_until  # noqa: E402


class Incident(NamedTuple):
    name: str
    row: str  # of the table of culprits: what is waited for
    run: Callable  # (Stage) → the truth: "hit", how many requests the fault hit by the incident's own logs
    cause: str = ""  # regular expressions: an answer names the cause if it has one, the culprit if it has the other
    culprit: str = ""
    held_out: bool = False  # not looked at while the analyser is changed
    null: bool = False  # nothing is wrong: no answer above note


class Stage:
    def __init__(self, build, folder):
        self.build, self.folder = pathlib.Path(build), pathlib.Path(folder)
        self.folder.chmod(0o755)
        self.stack, self.sent, self.capture = contextlib.ExitStack(), [], self.folder / "incident.tcap"

    def script(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def start(self, *command, **options):
        with open(self.folder / "programs.log", "a") as log:
            process = subprocess.Popen(
                [str(c) for c in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options
            )
        self.stack.callback(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def serve(self, *command, port, **options):
        process = self.start(*command, **options)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), command[0], 20)
        return process

    def until(self, true, what):
        wait_until(true, what, 20)

    def python(self, name, text, *arguments, port=None, pin=None, **options):
        """A program of Python; pin: the only CPU that it may use."""
        pinned = ["taskset", "-c", str(pin)] if pin is not None else []
        command = [*pinned, sys.executable, self.script(name, text), *arguments]
        return self.serve(*command, port=port, **options) if port else self.start(*command, **options)

    def child_of(self, process):
        """The pids of a process and of all below it."""
        pids = [process.pid]
        for pid in pids:
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                pids += [int(p) for p in task.read_text().split()]
        return pids

    def call(self, port, path, method="GET", source="127.0.0.1", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            response.read()
            return response.status
        except OSError as error:
            return str(error)
        finally:
            connection.close()

    def load(self, port, plan, seconds):
        """Requests on schedule: plan has pairs of a rate a second and a path (GET), or a method and a path, in which # is the
        request's number."""
        times = sorted((i / rate, path.replace("#", str(i))) for rate, path in plan for i in range(int(rate * seconds)))
        todo, began = queue.SimpleQueue(), time.monotonic()

        def client():
            while (job := todo.get()) is not None:
                method, _, path = job.rpartition(" ")
                sent, status = time.monotonic(), self.call(port, path, method or "GET")
                self.sent.append({"path": path, "at": sent - began, "took": time.monotonic() - sent, "status": status})

        threads = [threading.Thread(target=client, daemon=True) for _ in range(64)]
        for thread in threads:
            thread.start()
        for at, path in times:
            time.sleep(max(0, began + at - time.monotonic()))
            todo.put(path)
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join(40)

    def slow(self, prefix, seconds):
        """How many requests of a path took longer, by the client's own list."""
        return sum(r["path"].startswith(prefix) and r["took"] > seconds for r in self.sent)

    @contextlib.contextmanager
    def recording(self, *pids, options=()):
        recording = Recording(self.capture, [word for pid in pids for word in ("-p", pid)] + list(options))
        try:
            recording.wait_ready()
            yield
            time.sleep(0.3)
        finally:
            recording.stop()
        self.said = recording.said

    @contextlib.contextmanager
    def again(self, every, do, first=0.6):
        """Does something again and again, from `first` seconds on."""
        stop = threading.Event()

        def loop():
            wait = first
            while not stop.wait(wait):
                do()
                wait = every

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)

    def answers(self):
        """The texts of the report's answers, the first first, with their levels and scopes."""
        done = subprocess.run(
            [self.build / "analyze/tailcap", "report", self.capture, "--json"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        report = json.loads(done.stdout)
        said = [
            v
            for v in report["verdicts"]
            if v["level"] != "nothing" and not (v["part_of"] is not None and v["level"] == "note")
        ]
        others = ("machine", "hypervisor", "recorder", "passed_on")
        by_machine = lambda v: v["scope"] == "machine" or v["parts"] and v["parts"][0]["origin"] in others
        return [(v["sentence"], v["level"], "machine" if by_machine(v) else v["scope"]) for v in said]


def http_service(handle, threads=True):
    """A server in Python: `handle` is the body of a function of (path, body, client), which returns bytes."""
    lines = "\n".join("    " + line for line in handle.strip().splitlines())
    kind = "ThreadingHTTPServer" if threads else "HTTPServer"
    return f"""
import http.server, mmap, os, random, socket, sys, threading, time
def handle(path, body, client):
{lines}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        out = handle(self.path, body, self.client_address[0]) or b"ok"
        self.send_response(200)
        self.send_header("content-length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)
    do_POST = do_GET
    def log_message(self, *arguments):
        pass
http.server.{kind}.request_queue_size = 128
http.server.{kind}(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
