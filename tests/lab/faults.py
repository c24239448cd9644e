"""The faults of the lab: what is started, what is done to it, what the truth is, and which label it must have."""
import contextlib
import dataclasses
import os
import pathlib
import signal
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
    """What the handler measured around the act."""
    return {i: t["injected_ns"] for i, t in run.truth.items()}


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
    control: str = "/ok"
    minimum: bool = True
    hits_neighbours: bool = False


def routes(*weighted):
    return [word for w in weighted for word in ("--route", w)]


def mixed(path, quiet, load=LOAD, mode="threads", settings=(), during=None):
    """A tenth of the requests is hit; a quiet one of the same route is typical; another route is the control."""
    def act(run):
        service = run.service(mode, *settings)
        with contextlib.ExitStack() as stack:
            if during:
                stack.enter_context(during(run, service))
            with run.recording():
                run.load("127.0.0.1", service.port, *load, *routes(f"1 GET {path}", f"7 GET {quiet}", "2 GET /ok"))
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


def in_group(controller, settings):
    @contextlib.contextmanager
    def during(run, service):
        with groups.group(controller, settings() if callable(settings) else settings) as folder:
            groups.join(folder, service.pid)
            yield
    return during


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
            run.load("127.0.0.1", service.port, "--rate", "40", "-c", "8", "-d", "4", *routes("1 GET /direct/64", "7 GET /direct/0", "2 GET /ok"))


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
            run.load("127.0.0.1", service.port, "--rate", "40", "-c", "4", "-d", "3", *routes("1 GET /pipe/8", "1 GET /pipe/0", "1 GET /ok"))
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


def slow_names(delay, drop, options=""):
    def act(run):
        name = run.stack.enter_context(namespace(f"nameserver 127.0.0.1\n{options}"))
        run.child("ip", "netns", "exec", name, PYTHON, HERE / "inject/names.py", "127.0.0.1", delay, drop, run.folder / "names.log")
        below = run.service(namespace=name)
        above = run.service(namespace=name)
        with run.recording():
            run.load("127.0.0.1", above.port, "--rate", "60", "-c", "8", "-d", "4", *routes(f"1 GET /name/{{n}}/{below.port}/ok",
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


def slow_reader(run):
    service = run.service("threads", "sndbuf=65536")
    log = run.folder / "reader.jsonl"
    with run.recording():
        subprocess.run([sys.executable, "-c", SLOW_READER, "127.0.0.1", str(service.port), str(log)], check=True, timeout=60)
    import json
    run.load_log += [json.loads(line) for line in log.read_text().splitlines()]


def slept(run):
    return {i: s["slept_ns"] for i, s in run.sent.items()}


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
    Fault(3, "CPU contention", ("sched.preempted", "sched.runq"), mixed("/contend/10", "/contend/1", during=spinners), hits_neighbours=True),
    Fault(4, "CPU quota", ("sched.throttled",),
          mixed("/contend/40", "/contend/1", during=in_group("cpu", {"cpu.cfs_period_us": 100000, "cpu.cfs_quota_us": 30000}),
                load=("--rate", "50", "-c", "8", "-d", "4")), hits_neighbours=True),
    Fault(5, "SIGSTOP 300 ms", ("sched.stopped",),
          mixed("/ok", "/ok", during=stops(lambda s: os.kill(s.pid, signal.SIGSTOP), lambda s: os.kill(s.pid, signal.SIGCONT))),
          truth=stopped, hits_neighbours=True),
    Fault(8, "lock convoy", ("lock.futex",), mixed("/lock/8", "/lock/0", load=("--rate", "200", "-c", "8", "-d", "3"))),
    Fault(9, "mmap_lock storm", ("lock.kernel",), mixed("/mlock/60", "/mlock/0", load=("--rate", "100", "-c", "8", "-d", "3")), minimum=False),
    Fault(10, "major page faults", ("mem.majfault",), page_faults),
    Fault(12, "disk bandwidth cap", ("io.throttled", "io.blocked", "io.disk"), disk_cap),
    Fault(14, "slow file (FUSE)", ("io.fuse",), slow_files),
    Fault(15, "blocking log pipe", ("io.pipe",), slow_pipe, minimum=False),
    Fault(16, "slow downstream", ("down.wait",), downstream("down/{}/sleep/40", "down/{}/sleep/0")),
    Fault(17, "downstream timeout and retry", ("down.wait",), downstream("retry/{}/sleep/90", "retry/{}/sleep/0")),
    Fault(18, "slow name lookups", ("down.dns",), slow_names("30", "0")),
    Fault(19, "lost name lookups", ("down.dns",), slow_names("0", "6", "options timeout:1\n"), minimum=False),
    Fault(20, "slow accept", ("q.accept", "q.notice"), slow_accept, truth=unread),
    Fault(28, "slow reader", ("send.sndbuf",), slow_reader, truth=slept),
    Fault(31, "pool exhausted", ("q.pool",), pool, truth=queued),
    Fault(32, "event loop starved", ("q.loop",), starved, truth=unread, hits_neighbours=True),
]
