"""Starts real servers, clients and the recorder, and holds what tailcap says against what they logged.

A test file is a program: `python3 tests/e2e/NAME_test.py --build build/dev [--tier c] [--tls keys] [--every 2] [unittest arguments]`.
--every N: of each class, the first test by name and every Nth after it. Without root or BTF it skips (exit 77) and says why; with
both, everything that cannot run is a failure.
"""
import contextlib
import glob
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import some_tests
import trial

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/dev"
TIER = None
TLS = None
CAP_SYS_ADMIN, CAP_BPF = 21, 39
BLOCK_MAGIC = b"\x54\x2a\x4d\x18"


def why_not_here():
    """The reason why nothing can be recorded on this machine by this user, or None."""
    if os.geteuid() != 0:
        return "recording needs root"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "this kernel has no BTF (/sys/kernel/btf/vmlinux)"
    status = pathlib.Path("/proc/self/status").read_text()
    effective = int(next(l for l in status.splitlines() if l.startswith("CapEff")).split()[1], 16)
    if not effective >> CAP_SYS_ADMIN & 1 and not effective >> CAP_BPF & 1:
        return "root without CAP_BPF (a container?)"
    return None


def go_compilers():
    """By version; of those that are here, the ones that TAILCAP_GO_VERSIONS names (default: all)."""
    here = {re.search(r"go-(1\.\d+)", path)[1]: path for path in glob.glob("/usr/lib/go-1.*/bin/go")}
    wanted = os.environ.get("TAILCAP_GO_VERSIONS", "").split() or here
    return {version: path for version, path in here.items() if version in wanted}


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def free_port(family=socket.AF_INET):
    """One that no client of a test beside this one is given meanwhile: the kernel takes theirs from 32768 on."""
    while True:
        port = random.randrange(28_000, 32_000)
        with contextlib.suppress(OSError), socket.socket(family) as s:
            s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
            return port


def namespace_of(pid):
    """The number of the process's network namespace."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def ip(*words):
    return subprocess.run(["ip", *map(str, words)], check=True, capture_output=True, text=True).stdout


def answers(address):
    """True when something accepts connections at (host, port) or a UNIX socket path."""
    try:
        if isinstance(address, (str, pathlib.Path)):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(address))
        else:
            socket.create_connection(address, timeout=1).close()
        return True
    except OSError:
        return False


def child_of(pid):
    """Its first child. A server with workers accepts connections before it has one."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    wait_until(lambda: children.read_text().split(), f"a child of {pid}")
    return int(children.read_text().split()[0])


def json_lines(text):
    # not splitlines(): payload may hold what Unicode calls a line separator
    return [json.loads(line) for line in text.split("\n") if line.strip()]


# A service that answers each GET with "ok" on kept connections: ADDRESS PORT
OK_SERVER = r"""
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


class Recording:
    """tailcap-record at work; `file`, `code` and `said` (its stderr) stay afterwards."""

    # Paths are compared with logs, so query values stay; secrets_test.py and headers_test.py record as users do.
    # maps: kernel maps of another size, as NAME=ENTRIES.
    def __init__(self, file, arguments, keep=("--keep-query", "all"), maps=()):
        self.file = pathlib.Path(file)
        self.log = pathlib.Path(
            tempfile.mkstemp(prefix="tailcap-e2e-", suffix=".log")[1]
        )  # not on the disk that is to be full
        recorder = BUILD / ("tests/bpf/bpf_small_recorder" if maps else "capture/tailcap-record")
        command = [
            recorder,
            *maps,
            *(["--tier", TIER] if TIER else []),
            *(["--tls", TLS] if TLS else []),
            "-o",
            self.file,
            *keep,
            *arguments,
        ]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.code = None

    @property
    def said(self):
        return self.log.read_text(errors="replace")

    @property
    def partial(self):
        return self.file.with_name(self.file.name + ".partial")

    def ready(self):
        """Probes are attached: the preamble has company in the file (each block begins with the same magic)."""
        for file in (self.partial, self.file):
            with contextlib.suppress(FileNotFoundError):
                return file.read_bytes().count(BLOCK_MAGIC) >= 2
        return False

    def wait_ready(self):
        wait_until(lambda: self.process.poll() is not None or self.ready(), "the recorder's first events")
        if self.process.poll() is not None and not self.file.exists():
            raise AssertionError(f"the recorder did not start (exit {self.process.returncode}): {self.said}")

    def wait_said(self):
        """The recorder says that it records; wait_ready() waits for the first events, too."""
        wait_until(lambda: self.process.poll() is not None or "recording PID" in self.said, "the recorder")

    def wait_end(self, seconds=60):
        try:
            self.code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the recorder did not end within {seconds} s: {self.said}") from None
        return self.code

    @contextlib.contextmanager
    def starved(self):
        """The recorder is stopped for 10 of every 20 ms while the block runs, so that a small ring overflows on any machine."""
        over = threading.Event()

        def starve():
            while not over.is_set():
                for how in (signal.SIGSTOP, signal.SIGCONT):
                    self.process.send_signal(how)
                    time.sleep(0.01)

        thread = threading.Thread(target=starve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def stop(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait_end()


class Case(unittest.TestCase):
    """A test with a folder of its own and processes that end with it."""

    def run(self, result=None):
        trial.run(self, super().run, result)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-e2e-")
        self.addCleanup(folder.cleanup)
        self.scratch = pathlib.Path(folder.name)
        os.chmod(self.scratch, 0o755)  # servers that drop privileges read from here

    def start(self, command, **options):
        process = subprocess.Popen([str(c) for c in command], **{"stdin": subprocess.DEVNULL, **options})
        self.addCleanup(self.end, process)
        return process

    def end(self, process, how=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def abandon(self, recording):
        if recording.process.poll() is None:
            recording.process.kill()
            recording.process.wait()
        recording.log.unlink(missing_ok=True)

    KEEP = ("--keep-query", "all")

    @contextlib.contextmanager
    def record(self, *arguments, name="capture.tcap", code=0):
        """Records while the block runs; the recorder then has to end with `code`, or one of several."""
        recording = Recording(self.scratch / name, arguments, self.KEEP)
        self.addCleanup(self.abandon, recording)
        recording.wait_ready()
        yield recording
        time.sleep(0.3)  # what was sent last must have been read by its receiver
        recording.stop()
        codes = code if isinstance(code, tuple) else (code,)
        if recording.code == 3 and 3 not in codes:
            self.losses.append(recording.said)
        self.assertIn(recording.code, codes, recording.said)
        self.assertTrue(recording.file.exists(), recording.said)

    def network_namespace(self, name):
        """Its name: one of this process's own, with a loopback interface that is up."""
        name = f"tc{name}{os.getpid()}"
        ip("netns", "add", name)
        self.addCleanup(subprocess.run, ["ip", "netns", "del", name], capture_output=True)
        ip("-n", name, "link", "set", "lo", "up")
        return name

    def postgresql(self):
        """A server of PostgreSQL, which asks for no password; its port."""
        programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        data, port = self.scratch / "postgresql", free_port()
        data.mkdir()
        shutil.chown(data, "postgres")
        run = dict(user="postgres", cwd=data, stdout=subprocess.DEVNULL)
        subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-N"], check=True, **run)
        self.start([programs / "postgres", "-D", data, "-p", port, "-k", data], stderr=subprocess.DEVNULL, **run)
        ask = ["psql", "-qh", data, "-p", str(port), "-U", "postgres", "-c", "SELECT 1"]
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: subprocess.run(ask, **quiet).returncode == 0, "PostgreSQL")
        return port

    def tailcap(self, *arguments, code=0):
        done = subprocess.run(
            [BUILD / "analyze/tailcap", *map(str, arguments)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )
        codes = code if isinstance(code, tuple) else (code,)
        if arguments[0] in ("events", "requests") and 0 in codes:
            codes += (4,)  # nothing matches: an empty list
        self.assertIn(done.returncode, codes, f"tailcap {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout

    def assert_blocks_sound(self, file):
        """Whatever the recording lost: nothing of the file is damaged."""
        self.assertTrue(json.loads(self.tailcap("check", file, "--json", code=(0, 3)))["ok"], file)

    def requests(self, recording, *arguments, role=None, code=0):
        rows = json_lines(self.tailcap("requests", recording.file, "--json", *arguments, code=code))
        for row in rows:
            if row["duration_ns"] is not None and row["phases"] is not None:
                self.assertEqual(sum(row["phases"].values()), row["duration_ns"], row)
                self.assertTrue(all(v >= 0 for v in row["phases"].values()), row)
            if row["labels"] is not None and row["phases"] is not None:
                self.assertEqual(sum(part["ns"] for part in row["labels"]), row["duration_ns"], row)
                for phase, ns in row["phases"].items():
                    self.assertEqual(sum(part["ns"] for part in row["labels"] if part["phase"] == phase), ns, row)
        return [r for r in rows if role is None or r["role"] == role]

    # Servers and clients

    def sample_service(self, *arguments, ready):
        log = self.scratch / "service.jsonl"
        process = self.start(
            [BUILD / "samples/tailcap-sample-service", "--log", log, *arguments], stdout=subprocess.DEVNULL
        )
        wait_until(lambda: answers(ready), f"the sample service at {ready}")
        process.log = log
        return process

    def labels_service(self, kind, other):
        """labels_service.py; `other`: the port of the one that it calls. Returns process, port and log."""
        port, log = free_port(), self.scratch / f"{kind}{other}.jsonl"
        process = self.start([sys.executable, ROOT / "tests/e2e/labels_service.py", kind, port, log, other])
        wait_until(lambda: answers(("127.0.0.1", port)), "the service")
        return process, port, log

    def load_command(self, url, *arguments, program=None):
        return [
            str(c)
            for c in (program or BUILD / "samples/tailcap-load", url, "--log", self.scratch / "load.jsonl", *arguments)
        ]

    def load(self, url, *arguments, program=None):
        """Runs the load to its end and returns its log."""
        subprocess.run(
            self.load_command(url, *arguments, program=program), check=True, stdout=subprocess.DEVNULL, timeout=240
        )
        return json_lines((self.scratch / "load.jsonl").read_text())

    # Another test may record what is called curl, nginx or openssl. A class that says True here runs them by names of its own, and need
    # not wait for that test.
    BY_OTHER_NAMES = False

    def named(self, program):
        if not self.BY_OTHER_NAMES:
            return pathlib.Path(program)
        link = self.scratch / f"{program}-{os.getpid()}"
        if not link.exists():
            self.assertLess(len(link.name), 16, "the kernel keeps 15 characters of a name")
            link.symlink_to(shutil.which(program))
        return link

    @property
    def curl_program(self):
        return self.named("curl")

    def curl(self, *arguments):
        done = subprocess.run(
            [self.curl_program, "-sS", "--max-time", "30", *map(str, arguments)], capture_output=True, timeout=40
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    # Truth against capture

    def assert_same(self, truth, rows, tainted=()):
        """Every request of a log, exactly once, exactly as it was, with just these taints; and nothing else."""
        seen = {}
        for row in rows:
            self.assertNotIn(row["x_request_id"], seen, f"twice: {row}")
            seen[row["x_request_id"]] = row
        for t in truth:
            row = seen.pop(t["id"], None)
            self.assertIsNotNone(row, f"missing: {t}")
            for field in ("method", "path", "status", "request_bytes", "response_bytes"):
                if field in t:
                    self.assertEqual(row[field], t[field], f"{field} of {t}: {row}")
            self.assertTrue(row["complete"], row)
            self.assertEqual(row["tainted"], list(tainted), row)
            self.assertIn(row["outcome"], outcome_of(t["status"]), row)
            self.assertGreater(row["duration_ns"], 0, row)
            if "done_ns" in t:
                # A send is stamped when it returns; its receiver may have been faster. No machine is slow by 1/4 s there.
                self.assertLess(
                    row["duration_ns"], t["done_ns"] - t["sent_ns"] + 250_000_000, f"longer than {t}: {row}"
                )
                start = row["start_ns"] - realtime_offset()
                self.assertGreater(start, t["sent_ns"] - 250_000_000, f"before {t}: {row}")
                self.assertLess(start, t["done_ns"] + 250_000_000, f"after {t}: {row}")
        self.assertEqual(list(seen.values()), [], "rows that no log knows")

    def assert_whole(self, recording, most_lost=0):
        """most_lost: events in a thousand."""
        codes = (0, 3) if most_lost else 0
        self.tailcap("check", recording.file, code=codes)
        info = json.loads(self.tailcap("info", recording.file, "--json", code=codes))
        self.assertLessEqual(info["lost"], info["events"] * most_lost // 1000, info)
        return info


def outcome_of(status):
    return ("client_error",) if 400 <= status < 500 else ("server_error",) if status >= 500 else ("ok", "upgraded")


def realtime_offset():
    """The offset by the reading that took least: between two others this process may have lost its CPU."""

    def reading():
        before, wall, after = (
            time.clock_gettime_ns(clock) for clock in (time.CLOCK_MONOTONIC, time.CLOCK_REALTIME, time.CLOCK_MONOTONIC)
        )
        return after - before, wall - (before + after) // 2

    return min(reading() for _ in range(50))[1]


class OneServer(Case):
    """A test of one server, which is asked over one connection."""

    def serve(self, *command):
        self.port = free_port()
        server = self.start([*command, self.port])
        wait_until(lambda: answers(("127.0.0.1", self.port)), "the server")
        return server

    def ask(self, path, count):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        for _ in range(count):
            connection.request("GET", path)
            self.assertEqual(connection.getresponse().read(), b"ok")
        connection.close()


class TimedResult(unittest.TextTestResult):
    """Says of each test how long it took: ctest knows it of a file only."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"    {time.monotonic() - self.began:.1f} s")


class TimedRunner(unittest.TextTestRunner):
    resultclass = TimedResult


def main():
    global BUILD, TIER, TLS
    arguments = sys.argv[1:]
    rest, every = [], 1
    while arguments:
        a = arguments.pop(0)
        if a == "--build":
            BUILD = pathlib.Path(arguments.pop(0)).resolve()
        elif a == "--tier":
            TIER = arguments.pop(0)
        elif a == "--tls":
            TLS = arguments.pop(0)
        elif a == "--every":
            every = int(arguments.pop(0))
        else:
            rest.append(a)
    reason = why_not_here()
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v", *rest], testRunner=TimedRunner, testLoader=some_tests.loader(every))
