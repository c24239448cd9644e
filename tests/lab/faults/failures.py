"""Failures rather than slowness: handshakes, names and connections that fail, goroutines that never end, a clock that is set, events
that are lost. What the report says of them first must be what the services logged."""
import contextlib
import socket
import subprocess
import threading
import time

from faults.fault import HERE, LOAD, PYTHON, routes
from faults.network import certificate, namespace
from faults.runtimes import go_service


def tls_refused(run):
    """A tenth of the requests calls a service whose certificate the caller does not accept."""
    below = run.child(PYTHON, HERE / "inject/slow_tls.py", "server", *certificate(run))
    log = run.folder / "caller.jsonl"
    service = run.child(PYTHON, HERE / "inject/slow_tls.py", "caller", *below.said.split(), log)
    service.log = log
    run.extra["peer"] = below.said.split()[1]
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
            *routes("1 GET /strict/1", "7 GET /strict/0", "2 GET /ok"),
        )


def stale(run):
    """A tenth of the requests is sent on, over a connection that the service below has closed meanwhile."""
    below = run.child(PYTHON, HERE / "inject/stale.py", "server")
    log = run.folder / "caller.jsonl"
    service = run.child(PYTHON, HERE / "inject/stale.py", "caller", below.said, log)
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
            *routes("1 GET /kept/1", "7 GET /kept/0", "2 GET /ok"),
        )


def no_such_name(run):
    name = run.stack.enter_context(namespace("nameserver 127.0.0.1\n"))
    run.child(
        "ip", "netns", "exec", name, PYTHON, HERE / "inject/names.py", "127.0.0.1", "0", "0", run.folder / "names.log"
    )
    below, above = run.service(namespace=name), run.service(namespace=name)
    with run.recording():
        run.load(
            "127.0.0.1",
            above.port,
            *LOAD,
            *routes(f"1 GET /gone/1/{below.port}/ok", f"7 GET /name/1/{below.port}/ok", "2 GET /ok"),
            namespace=name,
        )
    for s in run.services:
        s.end()


def reset(run):
    below, above = run.service(), run.service()
    run.extra["below"] = below
    with run.recording():
        run.load(
            "127.0.0.1",
            above.port,
            *LOAD,
            *routes(f"1 GET /down/{below.port}/reset/1", f"7 GET /down/{below.port}/reset/0", "2 GET /ok"),
        )


def refused(run):
    """A tenth of the requests calls a port on which nobody listens."""
    closed = run.stack.enter_context(contextlib.closing(socket.socket()))
    closed.bind(("127.0.0.1", 0))
    run.extra["peer"] = closed.getsockname()[1]
    service = run.service()
    with run.recording():
        run.load(
            "127.0.0.1",
            service.port,
            *LOAD,
            *routes(f"1 GET /down/{run.extra['peer']}/ok", "7 GET /down/0/ok", "2 GET /ok"),
        )


def unreachable(run):
    name = run.stack.enter_context(namespace())
    below, above = run.service(namespace=name), run.service(namespace=name)
    run.extra["peer"] = below.port
    for command in (
        "add table ip lab",
        "add chain ip lab out { type filter hook output priority 0 ; }",
        f"add rule ip lab out tcp dport {below.port} reject with icmp type host-unreachable",
    ):
        subprocess.run(["ip", "netns", "exec", name, "nft", *command.split()], check=True)
    with run.recording():
        run.load(
            "127.0.0.1",
            above.port,
            *LOAD,
            *routes(f"1 GET /down/{below.port}/ok", "7 GET /down/0/ok", "2 GET /ok"),
            namespace=name,
        )
    for s in run.services:
        s.end()


def no_port(run):
    """The ports that a connection may begin at are used up by those that have ended: each stays for a minute."""
    name = run.stack.enter_context(namespace())
    for setting in ("ip_local_port_range=40000 40011", "tcp_tw_reuse=0"):
        subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4." + setting], check=True)
    below, above = run.service(namespace=name), run.service(namespace=name)
    run.extra["peer"] = below.port
    with run.recording():
        run.load(
            "127.0.0.1",
            above.port,
            *LOAD,
            *routes(f"1 GET /down/{below.port}/ok", "7 GET /down/0/ok", "2 GET /ok"),
            namespace=name,
        )
    for s in run.services:
        s.end()


leak = go_service(("--rate", "100", "-c", "4", "-d", "3", *routes("3 GET /leak/1", "7 GET /leak/0", "2 GET /ok")))


def clock_set(run):
    """CLOCK_REALTIME is set three seconds ahead, and back after half a second."""
    service = run.service()

    def move(seconds):
        time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)

    def act():
        time.sleep(1)
        move(3)
        try:
            time.sleep(0.5)
        finally:
            move(-3)

    thread = threading.Thread(target=act)
    with run.recording():
        thread.start()
        run.load("127.0.0.1", service.port, *LOAD, *routes("1 GET /sleep/5", "7 GET /sleep/0"))
        thread.join()


def first_words(run):
    """What the first screen says, as one line."""
    return " ".join(run.tailcap("report", run.capture, "--brief").split())


def failing(run, route, side="server"):
    """The report's answer about the requests of a route that failed."""
    study = run.study()
    for verdict in study["verdicts"]:
        if verdict["kind"] == "failing" and any(
            study["routes"][r]["route"] == route and study["routes"][r]["role"] == side for r in verdict["routes"]
        ):
            return verdict
    return None


def failed_by_log(run, prefix):
    return [line for line in run.truth.values() if line["path"].startswith(prefix) and line["status"] != 200]


def cause_is(run, route, expected, kind, what, cause):
    """The requests of the route that failed by the service's log, and in all of them, and in no other, this."""
    verdict = failing(run, route)
    if verdict is None:
        return [f"nothing is said of the {expected} requests of {route} that failed"]
    first = verdict["causes"][0] if verdict["causes"] else None
    failures = []
    if expected == 0 or verdict["requests"] != expected:
        failures.append(f"{verdict['requests']} failed, by the service's log {expected}")
    if (
        not first
        or (first["kind"], first["failed"], first["others"]) != (kind, expected, 0)
        or what not in first["what"]
        or cause not in (first["cause"] or cause)
    ):
        failures.append(f"the cause is {first}")
    if verdict["sentence"] not in first_words(run).replace("\n", " "):
        failures.append("the first screen does not say it")
    return failures


def check_tls(run, rows):
    return cause_is(run, "/strict/{}", len(failed_by_log(run, "/strict")), "tls", ":" + run.extra["peer"], "unknown CA")


def check_name(run, rows):
    return cause_is(run, "/gone/{}/{}/ok", len(failed_by_log(run, "/gone")), "name", "gone1.lab.test", "NXDOMAIN")


def check_stale(run, rows):
    failed = failed_by_log(run, "/kept")
    failures = cause_is(run, "/kept/{}", len(failed), "stale", "", "")
    if {line["path"] for line in failed} != {"/kept/1"}:
        failures.append("by the service's log, others failed, too")
    if "had already closed (stale keep-alive, idle for " not in first_words(run):
        failures.append("the first screen does not name the stale connection")
    return failures


def check_reset(run, rows):
    expected = len(failed_by_log(run, "/down"))
    failures = cause_is(run, "/down/{}/reset/{}", expected, "call", "GET /reset/{} at down", "")
    below = failing(run, "/reset/{}")
    if not below or below["requests"] != expected or {e["outcome"] for e in below["ends"]} - {"reset", "no_response"}:
        failures.append(f"of the service below: {below}")
    return failures


def check_connect(cause):
    return lambda run, rows: cause_is(
        run, "/down/{}/ok", len(failed_by_log(run, "/down")), "connect", f"127.0.0.1:{run.extra['peer']}", cause
    )


def check_leak(run, rows):
    """Goroutines of requests that ended a second before the recording did; a request at that border may count or not."""
    leaks = [line for line in run.truth.values() if line["path"] == "/leak/1"]
    ends = [r["start_ns"] + r["duration_ns"] for r in rows if r["path"] == "/leak/1" and r["duration_ns"]]
    end = run.study()["end_ns"]
    least, most = (sum(e < end - s * 1_000_000_000 for e in ends) for s in (1.1, 0.9))
    left = sum(x["alive"] for go in run.study()["go"] for x in go["left_behind"])
    failures = [] if len(ends) == len(leaks) > 20 else [f"{len(ends)} requests of {len(leaks)}"]
    if not least <= left <= most:
        failures.append(f"{left} goroutines, {least} to {most} expected")
    said = first_words(run)
    if f"{left} goroutines" not in said or f" outlive the {left} requests" not in said:
        failures.append("the first screen does not say it")
    return failures


def check_clock(run, rows):
    failures = [] if run.study()["quality"]["clock_stepped"] else ["the step was not noticed"]
    if "the wall clock was set" not in first_words(run):
        failures.append("the first screen does not say it")
    mine = {r["x_request_id"]: r for r in rows if r["role"] == "server" and r["duration_ns"]}
    if len(mine) != len(run.sent):
        failures.append(f"{len(mine)} requests of {len(run.sent)}")
    for i, sent in run.sent.items():
        if i in mine and mine[i]["duration_ns"] > sent["done_ns"] - sent["sent_ns"]:
            failures.append(
                f"{i} took {mine[i]['duration_ns']} ns, its client waited {sent['done_ns'] - sent['sent_ns']}"
            )
            break
    return failures


def losing(run):
    """The recorder gets too little CPU and a small ring: it loses events. Nothing is wrong with the service."""
    service = run.service()
    with run.recording("-p", service.pid, "--ring", "64KiB", may_lose=True) as recording, recording.starved():
        run.load("127.0.0.1", service.port, "-c", "8", "-d", "3", *routes("1 GET /ok"))


def check_losing(run, rows):
    study = run.study()
    quality = study["quality"]
    failures = [] if quality["lost"] > 0 else ["nothing was lost"]
    said = first_words(run)
    if "Read with care" not in said or "lost" not in said:
        failures.append("the first screen does not say that events were lost")
    if len(rows) + quality["unseen_at_most"] < len(run.sent):
        failures.append(f"{len(rows)} requests and at most {quality['unseen_at_most']} unseen ones of {len(run.sent)}")
    blamed = [
        v["sentence"]
        for v in study["verdicts"]
        if v["level"] in ("notable", "severe")
        and v["kind"] != "failing"
        and v["parts"]
        and v["parts"][0]["origin"] == "service"
        and v["ranked"]
    ]
    broken = [v["sentence"] for v in study["verdicts"] if v["kind"] == "failing"]
    return failures + [f"the service is blamed: {s}" for s in blamed + broken]
