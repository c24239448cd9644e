"""The faults of the lab: what is started, what is done to it, what the truth is, and which label it must have."""
import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from typing import Callable

from inject import groups
HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"  # which has the distribution's modules

LOAD = ("--rate", "120", "-c", "8", "-d", "3")


def injected(run):
    """What the handler measured around the act; what is short was not the fault."""
    most = max((t["injected_ns"] for t in run.truth.values()), default=0)
    return {i: t["injected_ns"] if t["injected_ns"] > most / 20 else 0 for i, t in run.truth.items()}


def injected_and_late(run):
    """And how long the service took until it read the request."""
    return {i: n + run.truth[i]["read_ns"] - run.sent[i]["sent_ns"] if n > 0 else 0 for i, n in injected(run).items() if i in run.sent}


def queued(run):
    """From when the loop had read it to when a worker began it."""
    return {i: n if n > 1_000_000 else 0 for i, t in run.truth.items() for n in [t["begun_ns"] - t["read_ns"]]}


def unread(run):
    """From when the client had sent it to when the service had read it."""
    late = {i: t["read_ns"] - run.sent[i]["sent_ns"] for i, t in run.truth.items() if i in run.sent}
    return {i: n if n > 5_000_000 else 0 for i, n in late.items()}


def stopped(run):
    """How much of it lies in the times when the service was stopped."""
    hit = {}
    for i, sent in run.sent.items():
        hit[i] = sum(max(0, min(sent["done_ns"], end) - max(sent["sent_ns"], begin)) for begin, end in run.extra["stops"])
        hit[i] = hit[i] if hit[i] > 2_000_000 else 0
    return hit


@dataclasses.dataclass
class Fault:
    number: int
    name: str
    labels: tuple  # the expected one, and what may stand for it
    act: Callable
    truth: Callable = injected
    side: str = "server"
    control: str | None = "/ok"
    minimum: bool = True
    hits_neighbours: bool = False
    check: Callable | None = None  # (run, rows) -> failures: where it is not a label that must be right


def routes(*weighted):
    return [word for w in weighted for word in ("--route", w)]


def mixed(path, quiet, load=LOAD, mode="threads", settings=(), during=None, inside=None):
    """A tenth of the requests is hit; a quiet one of the same route is typical; another route is the control."""
    def act(run):
        service = run.service(mode, *settings)
        with contextlib.ExitStack() as stack:
            if during:
                stack.enter_context(during(run, service))
            with run.recording(), inside(run, service) if inside else contextlib.nullcontext():
                run.load("127.0.0.1", service.port, *load, *routes(f"1 GET {path}", f"7 GET {quiet}", "2 GET /ok"))
    return act


def crowd(path):
    """All at once, again and again."""
    def act(run):
        service = run.service()
        with run.recording():
            run.load("127.0.0.1", service.port, "-c", "6", "-d", "3", *routes(f"1 GET {path}"))
    return act


@contextlib.contextmanager
def spinners(run, service):
    """Now and then twice as many busy processes as CPUs."""
    program = "import time\nwhile True:\n e=time.monotonic()+.4\n while time.monotonic()<e: pass\n time.sleep(.4)"
    children = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2 * os.cpu_count())]
    try:
        yield
    finally:
        for c in children:
            c.kill()
            c.wait()


def quota(run):
    """40 ms of CPU where 30 are to be had in every 100; one request at a time, so that none waits for another."""
    service = run.service()
    with groups.group("cpu", {"cpu.cfs_period_us": 100000, "cpu.cfs_quota_us": 30000}) as folder:
        groups.join(folder, service.pid)
        with run.recording():
            run.load("127.0.0.1", service.port, "--rate", "9", "-c", "1", "-d", "7", *routes("1 GET /contend/40", "2 GET /contend/1"))


def stops(stop, go):
    """Stops the service for 300 ms, three times."""
    @contextlib.contextmanager
    def during(run, service):
        run.extra["stops"] = []

        def act():
            for _ in range(3):
                time.sleep(0.6)
                begin = time.monotonic_ns()
                stop(service)
                time.sleep(0.3)
                go(service)
                run.extra["stops"].append((begin, time.monotonic_ns()))

        thread = threading.Thread(target=act)
        thread.start()
        yield
        thread.join()
    return during


def big_file(run):
    file = pathlib.Path("/var/tmp") / f"tailcap-lab-{os.getpid()}"
    if not file.exists():
        file.write_bytes(os.urandom(64 << 20))
        os.sync()
    run.stack.callback(file.unlink, missing_ok=True)
    return file


def page_faults(run):
    service = run.service("threads", f"file={big_file(run)}")
    with run.recording():
        run.load("127.0.0.1", service.port, "--rate", "60", "-c", "4", "-d", "3", *routes("1 GET /pages/400", "7 GET /pages/0", "2 GET /ok"))


def disk_cap(run):
    file = big_file(run)
    service = run.service("threads", f"file={file}")
    settings = {"blkio.throttle.write_bps_device": f"{groups.disk_of(file)} 1048576"}
    with groups.group("blkio", settings) as folder:
        groups.join(folder, service.pid)
        with run.recording():
            run.load("127.0.0.1", service.port, "--rate", "40", "-c", "8", "-d", "5", *routes("1 GET /direct/64", "4 GET /direct/0", "2 GET /ok"))


def slow_files(run):
    folder = run.folder / "mount"
    folder.mkdir()
    run.child(PYTHON, HERE / "inject/slow_files.py", folder, "30")
    service = run.service("threads", f"file={folder}/slow")
    with run.recording():
        run.load("127.0.0.1", service.port, *LOAD, *routes("1 GET /file/4", "7 GET /file/0", "2 GET /ok"))
    for s in run.services:
        s.end()


def slow_pipe(run):
    pipe = run.folder / "log"
    os.mkfifo(pipe)
    reader = subprocess.Popen([sys.executable, "-c", "import sys,time\nf=open(sys.argv[1],'rb',0)\nwhile f.read(8192): time.sleep(.03)", str(pipe)])
    service = run.service("threads", f"pipe={pipe}")
    try:
        with run.recording():
            run.load("127.0.0.1", service.port, "--rate", "40", "-c", "4", "-d", "3", *routes("1 GET /pipe/32", "1 GET /pipe/0", "1 GET /ok"))
    finally:
        reader.kill()
        reader.wait()


def downstream(path, quiet):
    def act(run):
        below = run.service()
        above = run.service()
        with run.recording():
            run.load("127.0.0.1", above.port, *LOAD, *routes(f"1 GET /{path.format(below.port)}", f"7 GET /{quiet.format(below.port)}", "2 GET /ok"))
    return act


@contextlib.contextmanager
def namespace(resolver=None):
    name = f"tclab{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    folder = pathlib.Path("/etc/netns") / name
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        if resolver:
            folder.mkdir(parents=True)
            (folder / "resolv.conf").write_text(resolver)
        yield name
    finally:
        if resolver:
            (folder / "resolv.conf").unlink(missing_ok=True)
            folder.rmdir()
        subprocess.run(["ip", "netns", "del", name], check=True)


def slow_names(delay, drop, options="", weight=1):
    def act(run):
        name = run.stack.enter_context(namespace(f"nameserver 127.0.0.1\n{options}"))
        run.child("ip", "netns", "exec", name, PYTHON, HERE / "inject/names.py", "127.0.0.1", delay, drop, run.folder / "names.log")
        below = run.service(namespace=name)
        above = run.service(namespace=name)
        with run.recording():
            run.load("127.0.0.1", above.port, "--rate", "60", "-c", "16", "-d", "4", *routes(f"{weight} GET /name/{{n}}/{below.port}/ok",
                     f"7 GET /name/0/{below.port}/ok", "2 GET /ok"), namespace=name)
        for s in run.services:
            s.end()
    return act


def slow_accept(run):
    service = run.service("threads", "backlog=64", "accept_ms=20")
    with run.recording():
        run.load("127.0.0.1", service.port, "-c", "6", "--per-connection", "1", "-d", "3", *routes("1 GET /ok"))


def link(delay="0", loss="0"):
    """A service on the host, its client behind a link in a namespace. Gives (namespace, host, device of the host)."""
    def start(run):
        name = run.stack.enter_context(namespace())
        child = run.child(sys.executable, HERE / "inject/link.py", name, delay, loss, "7", run.folder / "dropped.log")
        host, _, near, _ = child.said.split()
        return name, host, near
    return start


SLOW_READER = r"""
import json, socket, sys, time
host, port, log = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "w")
for n in range(14):
    slow = n % 7 == 0 or n >= 4
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384 if slow else 4 << 20)
    s.connect((host, port))
    begin = time.monotonic_ns()
    s.sendall(b"GET /big/1500 HTTP/1.1\r\nHost: x\r\nX-Request-Id: reader-%d\r\n\r\n" % n)
    got, slept = 0, 0
    while got < 1500 * 1024:
        data = s.recv(32768)
        if not data: break
        got += len(data)
        if slow:
            t = time.monotonic_ns(); time.sleep(0.01); slept += time.monotonic_ns() - t
    log.write(json.dumps({"id": "reader-%d" % n, "sent_ns": begin, "done_ns": time.monotonic_ns(), "slept_ns": slept}) + "\n")
    s.close()
"""


def excess(run):
    """What a request took longer at its client than an undisturbed one, where that is the larger part."""
    took = {i: s["done_ns"] - s["sent_ns"] for i, s in run.sent.items()}
    usual = statistics.quantiles(took.values(), n=4)[0]
    return {i: t - usual if t > 2 * usual + 3_000_000 else 0 for i, t in took.items()}


def over_link(path, rules=(), rate="40", **how):
    """Requests over a link, seen at their client."""
    def act(run):
        name, host, near = link(**how)(run)
        service = run.service()
        for rule in rules:
            words = [w.format(port=service.port, namespace=name, near=near) for w in rule.split()]
            subprocess.run(words, check=True)
        with run.recording("--comm", "tailcap-load", "-p", service.pid):
            run.load(host, service.port, "--rate", rate, "-c", "4", "-d", "5", *routes(*path), namespace=name)
    return act


def nft(rule):
    return ["ip netns exec {namespace} nft add table ip lab",
            "ip netns exec {namespace} nft add chain ip lab in { type filter hook input priority 0 ; }".replace("{ type", "{{ type").replace("; }", "; }}"),
            "ip netns exec {namespace} nft add rule ip lab in " + rule]


def lost_syns(run):
    name = run.stack.enter_context(namespace())
    below = run.service(namespace=name)
    above = run.service(namespace=name)
    for rule in nft("tcp sport {port} tcp flags & (syn|ack) == syn|ack numgen inc mod 8 == 0 counter drop"):
        subprocess.run(rule.format(namespace=name, port=below.port).split(), check=True)
    with run.recording():
        run.load("127.0.0.1", above.port, "--rate", "40", "-c", "16", "-d", "5", *routes(f"1 GET /down/{below.port}/ok", "1 GET /ok"), namespace=name)
    for s in run.services:
        s.end()


def shaped(run):
    """60 KiB in 43 segments at 4 Mbit/s, less the 8 KiB that the shaper lets through at once."""
    link_bytes = 60 * 1024 + 43 * 52 + 120 - 8192
    return {i: link_bytes * 8 * 250 if s["path"] == "/big/60" else 0 for i, s in run.sent.items()}


def withheld_windows(run):
    import json
    port, log = harness_port(), run.folder / "h2.jsonl"
    server = run.child(PYTHON, HERE / "inject/h2_service.py", port, log)
    reader = run.folder / "reader.jsonl"
    with run.recording("-p", server.pid):
        subprocess.run([PYTHON, str(HERE / "inject/h2_reader.py"), str(port), str(reader)], check=True, timeout=60)
    server.end()
    run.load_log += [json.loads(line) for line in reader.read_text().splitlines()]
    run.truth_extra = [json.loads(line) for line in log.read_text().splitlines()]


def harness_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def stalled(run):
    return {line["id"]: line["stall_ns"] for line in run.truth_extra}


def deadlines(run):
    """A handler that takes 200 ms, a client that waits 50."""
    port = harness_port()
    server = run.child(PYTHON, HERE / "inject/grpc_deadline.py", "server", port)
    named = run.folder / "lab-deadline"
    named.symlink_to(PYTHON)
    with run.recording("-p", server.pid, "--comm", "lab-deadline"):
        done = subprocess.run([str(named), str(HERE / "inject/grpc_deadline.py"), "client", str(port)], check=True, timeout=60, capture_output=True, text=True)
    run.extra["outcomes"] = done.stdout.split()


def check_deadlines(run, rows):
    calls = [r for r in rows if r["protocol"] == "grpc"]
    clients = [r for r in calls if r["role"] == "client"]
    failures = []
    if run.extra["outcomes"] != ["DEADLINE_EXCEEDED"] * 10 or len(clients) != 10 or len(calls) != 20:
        failures.append(f"{len(clients)} calls at the client, {len(calls)} in all, of {run.extra['outcomes']}")
    for r in clients:
        if r["rpc"]["deadline"] != "missed" or not 45e6 < (r["reset_ns"] or r["duration_ns"] or 0) < 120e6:
            failures.append(f"{r['id']}: {r['outcome']}, deadline {r['grpc']['deadline']}, {r['duration_ns']}")
    # The server cancels at the deadline, too: whoever is first.
    for r in calls:
        if r["rpc"]["deadline"] != "missed":
            failures.append(f"{r['id']} of the {r['role']}: {r['outcome']}, deadline {r['rpc']['deadline']}")
    return failures


def go_service(load, *environment):
    def act(run):
        binary = run.folder / "service"
        subprocess.run(["go", "build", "-o", str(binary), str(HERE / "service/service.go")], check=True, timeout=120,
                       env={**os.environ, "GO111MODULE": "off", "GOFLAGS": ""})
        log = run.folder / "go.jsonl"
        service = run.child(binary, log, env={**os.environ, **dict(environment)})
        service.port, service.log = int(service.said), log
        with run.recording("-p", service.pid, "--profile", "deep"):
            run.load("127.0.0.1", service.port, *load)
        service.end()
        run.services.append(service)
    return act


def slow_reader(run):
    service = run.service("threads", "sndbuf=65536")
    log = run.folder / "reader.jsonl"
    with run.recording():
        subprocess.run([sys.executable, "-c", SLOW_READER, "127.0.0.1", str(service.port), str(log)], check=True, timeout=60)
    import json
    run.load_log += [json.loads(line) for line in log.read_text().splitlines()]


def pool(run):
    service = run.service("pool2")
    with run.recording():
        run.load("127.0.0.1", service.port, "-c", "8", "-d", "3", *routes("1 GET /sleep/20"))


def starved(run):
    service = run.service("loop")
    with run.recording():
        run.load("127.0.0.1", service.port, "--rate", "100", "-c", "8", "-d", "3", *routes("1 GET /spin/50", "20 GET /ok"))


ALL = [
    Fault(1, "sleep in the handler", ("timer.sleep",), mixed("/sleep/20", "/sleep/0")),
    Fault(2, "CPU in the handler", ("cpu", "cpu.user", "cpu.kernel"), mixed("/spin/20", "/spin/0")),
    Fault(3, "CPU contention", ("sched.preempted", "sched.runq"), mixed("/contend/10", "/contend/1", during=spinners), truth=injected_and_late, hits_neighbours=True),
    Fault(4, "CPU quota", ("sched.throttled",), quota, hits_neighbours=True),
    Fault(5, "SIGSTOP 300 ms", ("sched.stopped",),
          mixed("/ok", "/ok", inside=stops(lambda s: os.kill(s.pid, signal.SIGSTOP), lambda s: os.kill(s.pid, signal.SIGCONT))),
          truth=stopped, hits_neighbours=True),
    Fault(8, "lock convoy", ("lock.futex",), crowd("/lock/5")),
    Fault(9, "mmap_lock storm", ("lock.kernel",), mixed("/mlock/60", "/mlock/0", load=("--rate", "100", "-c", "8", "-d", "3")), minimum=False),
    Fault(10, "major page faults", ("mem.majfault",), page_faults),
    Fault(12, "disk bandwidth cap", ("io.throttled", "io.blocked", "io.disk"), disk_cap),
    Fault(14, "slow file (FUSE)", ("io.fuse",), slow_files),
    Fault(15, "blocking log pipe", ("io.pipe",), slow_pipe, minimum=False),
    Fault(16, "slow downstream", ("down.wait",), downstream("down/{}/sleep/40", "down/{}/sleep/0")),
    Fault(17, "downstream timeout and retry", ("down.wait",), downstream("retry/{}/sleep/90", "retry/{}/sleep/0")),
    Fault(18, "slow name lookups", ("down.dns",), slow_names("30", "0")),
    Fault(19, "lost name lookups", ("down.dns",), slow_names("0", "3", "options timeout:1 attempts:4\n", weight=4), minimum=False),
    Fault(20, "slow accept", ("q.accept", "q.notice"), slow_accept, truth=unread, control=None),
    Fault(22, "network delay 20 ms", ("down.wait",), over_link(["1 GET /ok"], delay="20"), side="client", control=None, minimum=False,
          truth=lambda run: {i: 40_000_000 for i in run.sent}),
    Fault(23, "3 % loss", ("down.retx",), over_link(["1 GET /big/30"], delay="2", loss="3"), side="client", control=None, truth=excess),
    Fault(24, "tail loss", ("down.retx",), over_link(["1 GET /ok"], nft("tcp sport {port} ip length > 60 numgen inc mod 6 == 0 counter drop"), delay="2"),
          side="client", control=None, truth=excess),
    Fault(25, "lost SYNs", ("down.connect",), lost_syns, minimum=False),
    Fault(26, "shaped link", ("down.body",), over_link(["1 GET /big/60", "6 GET /big/0", "2 GET /ok"],
          ["tc qdisc add dev {near} root tbf rate 4mbit burst 8kb latency 400ms"], rate="20"), side="client", truth=shaped),
    Fault(28, "slow reader", ("send.sndbuf",), slow_reader),
    Fault(29, "HTTP/2 window withheld", ("send.h2fc",), withheld_windows, truth=stalled),
    Fault(30, "gRPC deadline", ("timer.sleep",), deadlines, check=check_deadlines),
    Fault(31, "pool exhausted", ("q.pool",), pool, truth=queued),
    Fault(32, "event loop starved", ("q.loop",), starved, truth=unread, hits_neighbours=True),
    Fault(33, "Go channel hand-off", ("lock.go.chan", "go.park"), go_service(("-c", "4", "-d", "3", *routes("1 GET /chan/10")))),
    Fault(34, "Go mutex", ("lock.go.mutex", "lock.go.wait", "timer.sleep", "go.park"), go_service(("-c", "4", "-d", "3", *routes("1 GET /mutex/5"))), minimum=False),
    Fault(35, "Go collector", ("go.stw", "cpu.gc_assist", "go.runnable", "go.gc_wait", "cpu", "sched.preempted", "sched.runq"),
          go_service(("--rate", "100", "-c", "8", "-d", "4", *routes("1 GET /alloc/400", "4 GET /alloc/0")), ("GOGC", "10"))),
]
