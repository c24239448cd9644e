"""Injects faults into services, records them, and holds tailcap's labels against what the services and injectors logged.

    lab.py --build build/release [--only 1,4] [--minimum] [--repeat N] [--nulls N [--hogs N] [--rich]] [--results FILE]
    lab.py --results FILE --table FILE        makes the table of what is in there, and runs nothing

A fault passes if, of the requests that it hit, the expected label is the dominant one of what makes them slower than
typical requests, its time agrees with the truth within 10 % or 2 ms (medians), less than 5 % of their time is
unexplained, and the control route has no time under the label. Without root or BTF it skips (exit 77).
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
LOST = 3  # the recorder's exit code where events were lost
sys.path.insert(0, str(HERE.parent / "e2e"))
import harness  # noqa: E402
import stolen  # noqa: E402
from harness import Recording, json_lines, wait_until  # noqa: E402

from table import SLACK, SLACK_NS, ms  # noqa: E402


class Broken(Exception):
    """A run that was not recorded as it should have been."""


class Child:
    """A process that says when it is ready and ends with its standard input."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )
        self.said = self.process.stdout.readline().strip()
        if not self.said:
            raise RuntimeError(f"{command[0]} did not start")
        self.pid = self.process.pid

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(timeout=15)
        self.process.stdout.close()


class Run:
    """One fault, injected once: what was started, what was logged, what tailcap says."""

    def __init__(self, build, folder):
        self.build, self.folder = build, pathlib.Path(folder)
        self.stack = contextlib.ExitStack()
        self.services, self.load_log = [], []
        self.extra = {}  # what an injector logged

    def child(self, *command, **options):
        child = Child(command, **options)
        self.stack.callback(child.end)
        return child

    def service(self, mode="threads", *settings, namespace=None):
        log = self.folder / f"service{len(self.services)}.jsonl"
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        child = Child([*inside, self.build / "tests/lab/tailcap-lab-service", "0", mode, log, *settings])
        child.port, child.log = int(child.said), log
        self.services.append(child)
        return child

    def load(self, host, port, *arguments, namespace=None):
        log = self.folder / f"load{len(self.load_log)}.jsonl"
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        command = [*inside, self.build / "samples/tailcap-load", f"http://{host}:{port}", "--log", log, *arguments]
        subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL, timeout=240)
        self.load_log += json_lines(log.read_text())

    @contextlib.contextmanager
    def recording(self, *targets, may_lose=False):
        if not targets:
            targets = [word for s in self.services for word in ("-p", s.pid)]
        recording = Recording(self.folder / "fault.tcap", targets)
        try:
            recording.wait_ready()
            yield recording
            time.sleep(0.3)
        finally:
            recording.stop()
        if recording.code not in ((0, LOST) if may_lose else (0,)):
            raise Broken(f"the recorder ended with {recording.code}: {recording.said}")
        self.capture = recording.file

    def finish(self):
        for s in self.services:
            s.end()
        self.truth = {}
        for s in self.services:
            for line in json_lines(s.log.read_text() if s.log.exists() else ""):
                self.truth[line["id"]] = line
        self.sent = {line["id"]: line for line in self.load_log}
        self.stack.close()

    def study(self):
        return json.loads(self.tailcap("report", self.capture, "--json"))

    def tailcap(self, *arguments):
        done = subprocess.run(
            [str(a) for a in (self.build / "analyze/tailcap", *arguments)], capture_output=True, text=True, timeout=120
        )
        if done.returncode not in (0, LOST):
            raise RuntimeError(f"tailcap {arguments}: exit {done.returncode}: {done.stderr}")
        return done.stdout


def labels_of(row):
    sums = collections.Counter()
    for part in row["labels"] or ():
        sums[part["label"]] += part["ns"]
    return sums


LEVELS = ("nothing", "note", "notable", "severe")
PASSING = (
    "machine",
    "hypervisor",
    "recorder",
    "own_load",
    "machine_or_code",
)  # origins behind which the second part counts, too


def named_by(verdicts):
    """What the report's answers about a route put first: labels with who is behind each, and the first answer's origin
    and level."""
    named = []
    for verdict in verdicts:
        for n, part in enumerate(verdict["parts"][:2]):
            if n > 0 and verdict["parts"][0]["origin"] not in PASSING:
                break
            named += [(label, part["who"]) for label in part["labels"]]
            named += [(step["label"], step["who"]) for step in part["chain"]]
    first = verdicts[0] if verdicts else None
    return (
        named,
        first["parts"][0]["origin"] if first and first["parts"] else None,
        first["level"] if first else "nothing",
    )


class Score:
    """What one run came to."""

    def __init__(self, fault, run):
        self.fault, self.failures, self.named, self.report_seconds = fault, [], [], None
        self.right, self.who_right, self.origin, self.level = None, None, None, None
        everything = json_lines(run.tailcap("requests", run.capture, "--json"))
        if fault.check:
            self.failures, self.hit = fault.check(run, everything), everything
            self.attributed = self.true = self.unexplained = 0
            self.dominant = None if self.failures else fault.labels[0]
            self.right, self.named = not self.failures, [] if self.failures else [fault.labels[0]]
            return
        rows = [r for r in everything if r["role"] == fault.side and r["x_request_id"]]
        rows = [r for r in rows if r["duration_ns"] and r["x_request_id"] in run.sent]
        truth = fault.truth(run)
        self.hit = [r for r in rows if truth.get(r["x_request_id"], 0) > 0]
        same_route = {r["route"] for r in self.hit}
        typical = [r for r in rows if r["route"] in same_route and truth.get(r["x_request_id"], 0) == 0]
        control = [r for r in rows if r["path"] == fault.control]
        if len(self.hit) < 10:
            self.failures.append(f"only {len(self.hit)} requests were hit")
            self.attributed = self.true = self.unexplained = 0
            self.dominant = None
            return
        for r in rows:
            if sum(labels_of(r).values()) != r["duration_ns"]:
                self.failures.append(f"{r['id']}: labels do not sum to the duration")
                break
        # The slowest of those that were hit: what makes them slower than typical ones.
        self.hit.sort(key=lambda r: -r["duration_ns"])
        slow = self.hit[: max(20, len(self.hit) // 10)]
        more = collections.Counter()
        for r in slow:
            for label, ns in labels_of(r).items():
                more[label] += ns / len(slow)
        for r in typical:
            for label, ns in labels_of(r).items():
                more[label] -= ns / len(typical)
        groups = collections.Counter()
        for label, ns in more.items():
            groups[fault.labels[0] if label in fault.labels else label] += ns
        self.dominant = groups.most_common(1)[0][0]
        names = fault.labels
        self.attributed = statistics.median(sum(labels_of(r)[n] for n in names) for r in self.hit)
        self.true = statistics.median(truth[r["x_request_id"]] for r in self.hit)
        total = sum(r["duration_ns"] for r in self.hit)
        self.unexplained = (
            sum(ns for r in self.hit for l, ns in labels_of(r).items() if l.startswith("unexplained")) / total
        )
        self.more = more
        # What the report says of the route: the truth, or nothing.
        begun = time.monotonic()
        study = run.study()
        self.report_seconds = time.monotonic() - begun
        verdicts = [
            v
            for v in study["verdicts"]
            if v["level"] != "nothing"
            and any(
                study["routes"][r]["role"] == fault.side and study["routes"][r]["route"] in same_route
                for r in v["routes"]
            )
        ]
        named, self.origin, self.level = named_by(verdicts)
        self.named = [label for label, _ in named]
        self.right = any(name in names for name in self.named)
        if fault.who and self.right:
            self.who_right = any(who and fault.who(run, who) for label, who in named if label in names)
            if not self.who_right:
                self.failures.append(
                    f"who is behind it is not named: {[who for label, who in named if label in names]}"
                )
        if not self.right:
            self.failures.append(f"the report names {', '.join(self.named) or 'nothing'}")
        if self.dominant != names[0]:
            self.failures.append(
                f"dominant is {self.dominant}: " + ", ".join(f"{l} {ms(n)}" for l, n in more.most_common(4))
            )
        if abs(self.attributed - self.true) > max(SLACK * self.true, SLACK_NS):
            self.failures.append(f"attributed {ms(self.attributed)} ms of {ms(self.true)}")
        if self.unexplained >= 0.05:
            self.failures.append(f"{self.unexplained:.1%} unexplained")
        if control and not fault.hits_neighbours:
            there = statistics.median(sum(labels_of(r)[n] for n in names) for r in control)
            if there > 500_000:
                self.failures.append(f"the control route has {ms(there)} ms of it")

    def result(self):
        names = (
            "dominant",
            "attributed",
            "true",
            "unexplained",
            "named",
            "right",
            "who_right",
            "origin",
            "level",
            "failures",
            "report_seconds",
        )
        return {"fault": self.fault.number, "hit": len(self.hit), **{n: getattr(self, n) for n in names}}

    def line(self):
        f = self.fault
        return (
            f"{f.number:>3} {f.name:<28} {f.labels[0]:<16} attributed {ms(self.attributed):>8} true {ms(self.true):>8} ms "
            f"unexplained {self.unexplained:5.1%} of {len(self.hit):>4} named {self.named[0] if self.named else '-':<16} {self.origin or '-':<10} {self.level or '-':<8} "
            + ("; ".join(self.failures) or "ok")
        )


def once(fault, build, keep=None, captures=None):
    with tempfile.TemporaryDirectory(prefix="tailcap-lab-") as folder:
        os.chmod(folder, 0o755)
        run = Run(build, folder)
        try:
            fault.act(run)
        finally:
            run.finish()
        score = Score(fault, run)
        if captures:
            (pathlib.Path(captures) / f"fault-{fault.number}.tcap").write_bytes(run.capture.read_bytes())
        if score.failures and keep:
            (pathlib.Path(keep) / f"fault-{fault.number}-{time.monotonic_ns()}.tcap").write_bytes(
                run.capture.read_bytes()
            )
        return score


# Uses its CPU until its input ends.
HOG = """
import os, sys, threading
open("/proc/self/comm", "w").write("lab-hog")
os.sched_setaffinity(0, {int(sys.argv[1])})
print("ready", flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
while True: pass
"""


def confirmed(run, study, verdict):
    """The service's own log says that at least half of the first part was its doing, on average over the slowest requests."""
    routes = {(study["routes"][r]["role"], study["routes"][r]["route"]) for r in verdict["routes"]}
    rows = [
        r for r in run.rows if (r["role"], r["route"]) in routes and r["duration_ns"] and r["x_request_id"] in run.truth
    ]
    slowest = sorted(rows, key=lambda r: -r["duration_ns"])[: verdict["requests"]]
    if not slowest:
        return False

    def own(row):
        truth, sent = run.truth[row["x_request_id"]], run.sent.get(row["x_request_id"])
        # A pool or a loop that is busy with other requests is the service's doing, too.
        return (
            truth["injected_ns"]
            + truth["begun_ns"]
            - truth["read_ns"]
            + (max(0, truth["read_ns"] - sent["sent_ns"]) if sent and run.loop else 0)
        )

    return sum(own(r) for r in slowest) / len(slowest) >= 0.5 * verdict["parts"][0]["slow_ns"]


def null_run(build, n, hogs=0, rich=False):
    """A service without a fault, and `hogs` busy processes a CPU: tailcap must name no cause in the service and, where the
    machine is the cause, who had it. rich: a service that locks, sleeps, computes, writes and calls; what is named must be in its log.
    """
    with tempfile.TemporaryDirectory(prefix="tailcap-lab-") as folder:
        run = Run(build, folder)
        mode = ("threads", "loop", "pool4")[n % 3]
        run.loop = mode == "loop"
        routes = ["3 GET /sleep/0", "1 GET /ok", "1 GET /big/4"]
        rate = "300"
        if rich:
            below = run.service("threads")
            file = run.folder / "file"
            file.write_bytes(bytes(1 << 20))
            routes += [
                "2 GET /lock/1",
                "1 GET /spin/1",
                "1 GET /sync/16",
                "1 GET /sleep/2",
                f"1 GET /down/{below.port}/sleep/1",
            ]
            rate = "150"
        service = run.service(mode, *([f"file={file}"] if rich else []))
        for cpu in sorted(os.sched_getaffinity(0)) * hogs:
            run.child(sys.executable, "-c", HOG, cpu)
        with run.recording():
            before = stolen.stolen()
            run.load(
                "127.0.0.1",
                service.port,
                "--rate",
                rate,
                "-c",
                "8",
                "-d",
                "3",
                "--seed",
                str(n + 1),
                *[word for route in routes for word in ("--route", route)],
            )
            taken = stolen.stolen() - before
        run.finish()
        run.rows = json_lines(run.tailcap("requests", run.capture, "--json"))
        study = run.study()
        said = [v for v in study["verdicts"] if LEVELS.index(v["level"]) >= LEVELS.index("notable") and v["parts"]]
        wrong = [
            v["sentence"]
            for v in said
            if v["parts"][0]["origin"] == "service" and not (rich and confirmed(run, study, v))
        ]
        machine = study["machine"]
        others = [p["comm"] for p in machine["processes"] or ()]
        blamed = [v for v in study["verdicts"] if v["parts"] and v["parts"][0]["origin"] == "machine"]
        if hogs and blamed and others[:1] != ["lab-hog"]:
            wrong.append(f"lab-hog had the CPUs, {others} are named: {blamed[0]['sentence']}")
        if (
            machine["steal_ns"] is not None
            and abs(machine["steal_ns"] - taken) > 20_000_000 * os.cpu_count() + taken // 5
        ):
            wrong.append(f"the hypervisor took {ms(taken)} ms, said are {ms(machine['steal_ns'])}")
        return wrong, dict(
            hogs=hogs,
            rich=rich,
            stolen=taken,
            blamed=len(blamed),
            named_first=others[:1],
            origins=[v["parts"][0]["origin"] for v in said],
        )


def main():
    import faults
    import table
    from inject import groups

    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--only", default="")
    parser.add_argument("--minimum", action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--nulls", type=int, default=0)
    parser.add_argument(
        "--hogs", type=int, default=0, help="busy processes for each CPU beside the runs without a fault"
    )
    parser.add_argument(
        "--rich", action="store_true", help="the services of these runs lock, sleep, compute, write and call"
    )
    parser.add_argument("--results", help="a file that results are added to, a JSON object per run")
    parser.add_argument("--table", help="writes the table of --results")
    parser.add_argument("--keep", help="folder for the captures of runs that failed")
    parser.add_argument("--captures", help="folder for the last capture of each fault")
    given = parser.parse_args()
    if given.table:
        table.write(given.table, json_lines(pathlib.Path(given.results).read_text()), faults.ALL)
        return
    reason = harness.why_not_here()
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    harness.BUILD = build = pathlib.Path(given.build).resolve()
    chosen = [
        f
        for f in faults.ALL
        if (not given.only or str(f.number) in given.only.split(",")) and (not given.minimum or f.minimum)
    ]
    failed = undecided = 0

    def keep(**result):
        if given.results:
            with open(given.results, "a") as file:
                file.write(json.dumps(result) + "\n")

    for fault in chosen:
        for _ in range(given.repeat):
            try:
                for attempt in range(3 if given.repeat == 1 else 1):  # a loaded machine: once more
                    if attempt > 0:
                        print(score.line(), "(again)", flush=True)
                    with stolen.Watch() as taken:
                        score = once(fault, build, given.keep, given.captures)
                    if not score.failures:
                        break
            except Broken as broken:  # says nothing of the fault
                print(f"{fault.number:>3} {fault.name:<28} BROKEN: {broken}", flush=True)
                keep(broken=fault.number)
                failed += 1
                continue
            except groups.NotHere as missing:
                print(f"{fault.number:>3} {fault.name:<28} NOT HERE: {missing}", flush=True)
                break
            print(score.line(), flush=True)
            keep(**score.result())
            if score.failures and given.repeat == 1 and taken.much:
                print(
                    f"NOT DECIDED: lab/{fault.number}: the hypervisor took {taken.share:.0%} of the CPUs, {taken.worst:.0%} of the worst half second",
                    flush=True,
                )
                undecided += 1
            else:
                failed += bool(score.failures)
    named = []
    for n in range(given.nulls):
        try:
            causes, facts = null_run(build, n, given.hogs, given.rich)
        except Broken as broken:
            print(f"null {n} BROKEN: {broken}", flush=True)
            keep(broken=0)
            failed += 1
            continue
        keep(null=n, named=causes, **facts)
        if given.hogs:
            print(f"null {n}: {facts}", flush=True)
        named += causes
    if given.nulls:
        print(f"{given.nulls} runs without a fault: {len(named)} causes named", *named, sep="\n  ")
    sys.exit(1 if failed or named else 77 if undecided else 0)


if __name__ == "__main__":
    main()
