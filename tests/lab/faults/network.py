"""Faults of names, connections, links and peers."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys

from faults.fault import HERE, LOAD, PYTHON, routes


def downstream(path, quiet):
    def act(run):
        below = run.service()
        above = run.service()
        with run.recording():
            run.load(
                "127.0.0.1",
                above.port,
                *LOAD,
                *routes(f"1 GET /{path.format(below.port)}", f"7 GET /{quiet.format(below.port)}", "2 GET /ok"),
            )

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
        run.child(
            "ip",
            "netns",
            "exec",
            name,
            PYTHON,
            HERE / "inject/names.py",
            "127.0.0.1",
            delay,
            drop,
            run.folder / "names.log",
        )
        below = run.service(namespace=name)
        above = run.service(namespace=name)
        with run.recording():
            run.load(
                "127.0.0.1",
                above.port,
                "--rate",
                "60",
                "-c",
                "16",
                "-d",
                "4",
                *routes(f"{weight} GET /name/{{n}}/{below.port}/ok", f"7 GET /name/0/{below.port}/ok", "2 GET /ok"),
                namespace=name,
            )
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
        subprocess.run(
            [sys.executable, "-c", SLOW_READER, "127.0.0.1", str(service.port), str(log)], check=True, timeout=60
        )
    run.load_log += [json.loads(line) for line in log.read_text().splitlines()]


def over_link(path, rules=(), rate="40", settings=(), **how):
    """Requests over a link, seen at their client."""

    def act(run):
        name, host, near = link(**how)(run)
        service = run.service("threads", *settings)
        for rule in rules:
            words = [w.format(port=service.port, namespace=name, near=near) for w in rule.split()]
            subprocess.run(words, check=True)
        with run.recording("--comm", "tailcap-load", "-p", service.pid):
            run.load(host, service.port, "--rate", rate, "-c", "4", "-d", "5", *routes(*path), namespace=name)

    return act


def streams_over_lossy_link(run):
    """Eight requests at a time on one HTTP/2 connection, of which the link loses segments: all wait for those of one."""
    name, host, _ = link(delay="2", loss="3")(run)
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    server = run.child(PYTHON, HERE / "inject/h2_service.py", port, run.folder / "h2.jsonl", host)
    named, log = run.folder / "lab-streams", run.folder / "streams.jsonl"
    named.symlink_to(PYTHON)
    with run.recording("-p", server.pid, "--comm", "lab-streams"):
        subprocess.run(
            ["ip", "netns", "exec", name, named, HERE / "inject/h2_streams.py", host, str(port), log],
            check=True,
            timeout=60,
        )
    server.end()
    run.load_log += [json.loads(line) for line in log.read_text().splitlines()]


def nft(rule):
    return [
        "ip netns exec {namespace} nft add table ip lab",
        "ip netns exec {namespace} nft add chain ip lab in { type filter hook input priority 0 ; }".replace(
            "{ type", "{{ type"
        ).replace("; }", "; }}"),
        "ip netns exec {namespace} nft add rule ip lab in " + rule,
    ]


def lost_syns(run):
    name = run.stack.enter_context(namespace())
    below = run.service(namespace=name)
    above = run.service(namespace=name)
    for rule in nft("tcp sport {port} tcp flags & (syn|ack) == syn|ack numgen inc mod 8 == 0 counter drop"):
        subprocess.run(rule.format(namespace=name, port=below.port).split(), check=True)
    with run.recording():
        run.load(
            "127.0.0.1",
            above.port,
            "--rate",
            "40",
            "-c",
            "16",
            "-d",
            "5",
            *routes(f"1 GET /down/{below.port}/ok", "1 GET /ok"),
            namespace=name,
        )
    for s in run.services:
        s.end()


def shaped(run):
    """60 KiB in 43 segments at 4 Mbit/s, less the 8 KiB that the shaper lets through at once."""
    link_bytes = 60 * 1024 + 43 * 52 + 120 - 8192
    return {i: link_bytes * 8 * 250 if s["path"] == "/big/60" else 0 for i, s in run.sent.items()}


def written(run):
    """How long the service wrote; its handler does nothing else."""
    return {i: t["done_ns"] - t["begun_ns"] if t["path"] == "/big/300" else 0 for i, t in run.truth.items()}


def certificate(run):
    """The files of a certificate for localhost that nobody has signed, and of its key."""
    key, chain = run.folder / "key", run.folder / "certificate"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            key,
            "-out",
            chain,
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ],
        check=True,
        capture_output=True,
    )
    return chain, key


def slow_tls(run):
    """A service in Python that calls another over TLS, which lets 50 ms pass before its handshakes."""
    below = run.child(PYTHON, HERE / "inject/slow_tls.py", "server", *certificate(run))
    log = run.folder / "caller.jsonl"
    service = run.child(PYTHON, HERE / "inject/slow_tls.py", "caller", *below.said.split(), log)
    service.log = log
    run.services.append(service)
    with run.recording():
        run.load(
            "127.0.0.1",
            service.said,
            "--rate",
            "60",
            "-c",
            "4",
            "-d",
            "4",
            *routes("1 GET /tls/1", "4 GET /tls/0", "2 GET /ok"),
        )
