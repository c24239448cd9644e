"""Faults of pools, loops, HTTP/2, gRPC and Go."""
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request

from faults.fault import HERE, PYTHON, routes


def harness_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def withheld_windows(run):
    port, log = harness_port(), run.folder / "h2.jsonl"
    server = run.child(PYTHON, HERE / "inject/h2_service.py", port, log)
    reader = run.folder / "reader.jsonl"
    with run.recording("-p", server.pid):
        subprocess.run([PYTHON, str(HERE / "inject/h2_reader.py"), str(port), str(reader)], check=True, timeout=60)
    server.end()
    run.load_log += [json.loads(line) for line in reader.read_text().splitlines()]
    run.truth_extra = [json.loads(line) for line in log.read_text().splitlines()]


def stalled(run):
    return {line["id"]: line["stall_ns"] for line in run.truth_extra}


def deadlines(run):
    """A handler that takes 200 ms, a client that waits 50."""
    port = harness_port()
    server = run.child(PYTHON, HERE / "inject/grpc_deadline.py", "server", port)
    named = run.folder / "lab-deadline"
    named.symlink_to(PYTHON)
    with run.recording("-p", server.pid, "--comm", "lab-deadline"):
        done = subprocess.run(
            [str(named), str(HERE / "inject/grpc_deadline.py"), "client", str(port)],
            check=True,
            timeout=60,
            capture_output=True,
            text=True,
        )
    run.extra["outcomes"] = done.stdout.split()


def check_deadlines(run, rows):
    calls = [r for r in rows if r["protocol"] == "grpc"]
    clients = [r for r in calls if r["role"] == "client"]
    failures = []
    if run.extra["outcomes"] != ["DEADLINE_EXCEEDED"] * 10 or len(clients) != 10 or len(calls) != 20:
        failures.append(f"{len(clients)} calls at the client, {len(calls)} in all, of {run.extra['outcomes']}")
    for r in clients:
        if r["rpc"]["deadline"] != "missed" or not 45e6 < (r["reset_ns"] or r["duration_ns"] or 0) < 120e6:
            failures.append(f"{r['id']}: {r['outcome']}, deadline {r['rpc']['deadline']}, {r['duration_ns']}")
    # The server cancels at the deadline, too; either may be first.
    for r in calls:
        if r["rpc"]["deadline"] != "missed":
            failures.append(f"{r['id']} of the {r['role']}: {r['outcome']}, deadline {r['rpc']['deadline']}")
    return failures


def go_service(load, *environment):
    def act(run):
        binary = run.folder / "service"
        subprocess.run(
            ["go", "build", "-o", str(binary), str(HERE / "service/service.go")],
            check=True,
            timeout=120,
            env={**os.environ, "GO111MODULE": "off", "GOFLAGS": ""},
        )
        log = run.folder / "go.jsonl"
        service = run.child(binary, log, env={**os.environ, **dict(environment)})
        service.port, service.log = int(service.said), log
        with run.recording("-p", service.pid, "--profile", "deep"):
            run.load("127.0.0.1", service.port, *load)
        service.end()
        run.services.append(service)

    return act


def pool(run):
    service = run.service("pool2")
    with run.recording():
        run.load("127.0.0.1", service.port, "-c", "8", "-d", "3", *routes("1 GET /sleep/20"))


def starved(run):
    service = run.service("loop")
    with run.recording():
        run.load(
            "127.0.0.1", service.port, "--rate", "100", "-c", "8", "-d", "3", *routes("1 GET /spin/50", "20 GET /ok")
        )


def jvm_command(log):
    """How a JVM is started that logs when it stopped its threads, for jvm_stops()."""
    return [
        "java",
        "-Xmx512m",
        "-Xms512m",
        "-XX:+UseSerialGC",
        "-Dsun.net.httpserver.nodelay=true",
        f"-Xlog:safepoint:file={log}:timenanos",
        str(HERE / "inject/Collects.java"),
    ]


def jvm_stops(log):
    """(begin, end) of the stops of 20 ms or more, ns of CLOCK_MONOTONIC."""
    found = []
    for line in log.read_text().splitlines():
        m = re.match(r"\[(\d+)ns\].*Reaching safepoint: (\d+) ns.*At safepoint: (\d+) ns", line)
        if m and int(m[3]) > 20_000_000:
            found.append((int(m[1]) - int(m[3]), int(m[1])))
    return found


def jvm(run):
    log = run.folder / "stops.log"
    service = run.child(*jvm_command(log))
    service.port, service.log = int(service.said), run.folder / "none"
    run.services.append(service)
    stop = threading.Event()

    def collect():
        while not stop.wait(0.25):
            urllib.request.urlopen(f"http://127.0.0.1:{service.port}/collect").read()

    thread = threading.Thread(target=collect)
    with run.recording():
        thread.start()
        run.load("127.0.0.1", service.port, "--rate", "60", "-c", "16", "-d", "4", *routes("1 GET /work"))
        stop.set()
        thread.join()
    service.end()
    run.extra["stops"] = jvm_stops(log)
