"""What a fault is, what its truth is, and the usual loads."""
import contextlib
import dataclasses
import pathlib
import statistics
from typing import Callable


HERE = pathlib.Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"  # which has the distribution's modules
LOAD = ("--rate", "120", "-c", "8", "-d", "3")


def injected(run):
    """What the handler measured around the act; what is short was not the fault."""
    most = max((t["injected_ns"] for t in run.truth.values()), default=0)
    return {i: t["injected_ns"] if t["injected_ns"] > most / 20 else 0 for i, t in run.truth.items()}


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
    who: Callable | None = None  # (run, the report's "who") -> whether that is who was behind it; none: there is nobody
    check: Callable | None = None  # (run, rows) -> failures: where it is not a label that must be right
    shows: str = ""  # then: what must be right


def route(name):
    """It is a request of this route."""
    return lambda run, who: (who["route"] or "").startswith(name)


def called(run, who):
    """It is a call of the service below, whose host name is "down" in the requests."""
    return who["authority"] == "down" and (who["route"] or "").startswith("/sleep")


def sender(run, who):
    """It is the thread that sent the signals."""
    return who["tid"] == run.extra["sender"]


def injected_and_late(run):
    """And how long the service took until it read the request."""
    return {
        i: n + run.truth[i]["read_ns"] - run.sent[i]["sent_ns"] if n > 0 else 0
        for i, n in injected(run).items()
        if i in run.sent
    }


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
        hit[i] = sum(
            max(0, min(sent["done_ns"], end) - max(sent["sent_ns"], begin)) for begin, end in run.extra["stops"]
        )
        hit[i] = hit[i] if hit[i] > 2_000_000 else 0
    return hit


def excess(run):
    """What a request took longer at its client than an undisturbed one, where that is the larger part."""
    took = {i: s["done_ns"] - s["sent_ns"] for i, s in run.sent.items()}
    usual = statistics.quantiles(took.values(), n=4)[0]
    return {i: t - usual if t > 2 * usual + 3_000_000 else 0 for i, t in took.items()}


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
