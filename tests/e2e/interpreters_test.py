"""Functions of Python: programs that say what they executed, from when to when. Each sample there has exactly these frames, or none.

TAILCAP_PYTHONS is a folder with a folder for each further CPython, VERSION/bin/python3, as pyenv makes it; what is not there is skipped.
"""
import collections
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = re.compile(r"[^;]* \([^();]*:\d+\)")
DEEPEST = 64
PYTHONS = pathlib.Path(os.environ.get("TAILCAP_PYTHONS", pathlib.Path.home() / ".pyenv/versions"))


def python_of(version):
    """The newest of this minor version; none: it is not here."""
    found = [path for path in PYTHONS.glob(f"{version}.*/bin/python3") if os.access(path, os.X_OK)]
    return max(found, key=lambda path: int(re.search(r"\d+$", path.parent.parent.name).group()), default=None)


def of_script(sample):
    return [frame for frame in sample["user"].split(";") if PYTHON.fullmatch(frame)]


class Interpreters(Case):
    BY_OTHER_NAMES = True
    PYTHON = "/usr/bin/python3"  # Debian's: CPython is a part of the program
    SHARE = 0.97

    def python(self):
        return [self.PYTHON]

    def record_program(self, *options):
        said = self.scratch / "said"
        command = [*self.python(), HERE / "interpreters.py", said]
        recording = harness.Recording(self.scratch / "capture.tcap", [*options, "--", *map(str, command)])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(300), 0, recording.said)
        children = [said.with_name("said.child")]
        spans = [span for file in (said, *children) for span in json.loads(file.read_text())]
        return recording, spans

    def within(self, samples, spans):
        """(sample, what the program said of that moment), for all about which it said something."""
        by_thread = collections.defaultdict(list)
        for span in spans:
            by_thread[span["pid"], span["tid"]].append(span)
        for sample in samples:
            for span in by_thread[sample["pid"], sample["tid"]]:
                if span["begin"] <= sample["time"] <= span["end"]:
                    yield sample, span

    def check(self, samples, spans, least):
        """Names are right, or there are none; how many have them."""
        named, seen = collections.Counter(), collections.Counter()
        for sample, span in self.within(samples, spans):
            seen[span["what"]] += 1
            frames = of_script(sample)
            if not frames:
                continue
            named[span["what"]] += 1
            self.assertEqual(frames, span["frames"][-DEEPEST:], sample["user"])
            self.assertEqual(len(span["frames"]) > DEEPEST, "[cut]" in sample["user"].split(";"), sample["user"])
        for what in seen:
            print(f"  {what}: {named[what]} of {seen[what]} samples have names")
        rest = {what for what in seen if what not in ("first", "forked")}
        share = sum(named[what] for what in rest) / sum(seen[what] for what in rest)
        print(f"  {share:.2%} in all")
        self.assertGreaterEqual(share, least)
        return seen

    def test_what_runs(self):
        recording, spans = self.record_program("--sample", 499)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        spans = [span for span in spans if span["what"] != "wait"]
        seen = self.check(samples, spans, self.SHARE)
        self.assertEqual(set(seen), {span["what"] for span in spans})
        # Python's functions stand where its interpreter was; what is between them is still there.
        calls = [s["user"].split(";") for s, span in self.within(samples, spans) if span["what"] == "key of sorted"]
        for frames in calls:
            self.assertNotIn(
                "_PyEval_EvalFrameDefault", frames[: frames.index(of_script({"user": ";".join(frames)})[-1])]
            )
        graph = self.tailcap("flame", recording.file, "--format", "folded")
        method = next(span for span in spans if span["what"] == "method")
        self.assertTrue(";" + method["frames"][-1] in graph, method["frames"][-1])

    def test_what_waits(self):
        recording, spans = self.record_program("--stacks")
        stacks = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        waits = [s for s in stacks if s["why"] == "off_cpu"]
        seen = self.check(waits, [s for s in spans if s["what"] == "wait"], self.SHARE)
        self.assertGreaterEqual(seen["wait"], 100)


SERVICE = """
import http.server
import sys
import time


def render_invoice(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self):
        Handler.served += 1
        render_invoice(0.15 if Handler.served % 20 == 7 else 0.002)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Answers(Case):
    """The report says in which function the slow requests were on a CPU."""

    def test_slow_requests_name_their_function(self):
        script, port = self.scratch / "svc.py", harness.free_port()
        script.write_text(SERVICE)
        line = SERVICE.split("\n").index("def render_invoice(seconds):") + 1
        service = self.start(["/usr/bin/python3", script, port])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid, "--sample", 499) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for _ in range(400):
                connection.request("GET", "/cart")
                connection.getresponse().read()
            connection.close()
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        verdict = next(v for v in report["verdicts"] if v["kind"] == "tail" and v["scope"] == "route")
        name = f"render_invoice (svc.py:{line})"
        print(f"  {verdict['sentence']}")
        self.assertEqual(verdict["function"]["name"], name)
        self.assertGreaterEqual(verdict["function"]["inside"], 0.9 * verdict["function"]["samples"])
        self.assertIn(f" were in {name}.", verdict["sentence"])
        for format in ("text", "html"):
            self.assertIn(
                "were in render_invoice", " ".join(self.tailcap("report", recording.file, "--format", format).split())
            )
        shown = json.loads(self.tailcap("show", recording.file, verdict["examples"][0], "--json"))
        self.assertEqual(shown["end"]["samples"]["function"]["name"], name)
        text = self.tailcap("show", recording.file, verdict["examples"][0])
        self.assertIn(f" in {name} and what it called", " ".join(text.split()))


NODE = """
const fs = require("fs");
const now = () => Number(process.hrtime.bigint());
const said = [];
function renderInvoice(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum = (sum * 31 + i) % 1000003;
  return sum;
}
function countStock(n) {
  let sum = 1;
  for (let i = 0; i < n; i++) sum = (sum * 17 + i) % 1000033;
  return sum;
}
function run(f, ms) {
  const begin = now();
  let sum = 0;
  while (now() - begin < ms * 1e6) sum += f(3e6);
  said.push({ name: f.name, begin, end: now() });
  return sum;
}
for (const f of [renderInvoice, countStock, renderInvoice, countStock]) run(f, 1000);
fs.writeFileSync(process.argv[2], JSON.stringify(said));
"""


@unittest.skipUnless(shutil.which("node"), "no node")
class CodeMadeAtRunTime(Case):
    BY_OTHER_NAMES = True

    def record_node(self, *options):
        script, said = self.scratch / "shop.js", self.scratch / "said"
        script.write_text(NODE)
        log = ["--no-logfile-per-isolate", f"--logfile={self.scratch}/v8.log"]
        command = ["node", *log, *options, str(script), str(said)]
        recording = harness.Recording(self.scratch / "capture.tcap", ["--sample", "499", "--", *command])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(300), 0, recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        spans = json.loads(said.read_text())
        main = [s for s in samples if s["pid"] == s["tid"]]
        for pid in {s["pid"] for s in main}:
            self.addCleanup(pathlib.Path(f"/tmp/perf-{pid}.map").unlink, missing_ok=True)
        return [(s, span["name"]) for s in main for span in spans if span["begin"] <= s["time"] <= span["end"]]

    def test_by_the_map_that_node_writes(self):
        seen = named = 0
        for sample, name in self.record_node("--perf-basic-prof"):
            frames = [
                f for f in sample["user"].split(";") if "shop.js:" in f and ("renderInvoice" in f or "countStock" in f)
            ]
            seen += 1
            named += bool(frames)
            for frame in frames:
                self.assertIn(name, frame)
        print(f"  {named} of {seen} samples have names")
        self.assertGreaterEqual(named, 0.8 * seen)

    def test_without_it_there_are_those_that_v8_keeps(self):
        for sample, name in self.record_node():
            functions = [f for f in sample["user"].split(";") if re.match(r"(renderInvoice|countStock) \(shop.js:", f)]
            self.assertTrue(all(f.startswith(f"{name} ") for f in functions), functions)


LINES = """
import json
import sys
import time

said = []


def spin(nanoseconds):
    n = 1
    begin = time.monotonic_ns()
    while time.monotonic_ns() < begin + nanoseconds:  #@ first
        n = n * 31 % 1000003  #@ first
    said.append(["first", begin, time.monotonic_ns()])
    begin = time.monotonic_ns()
    while time.monotonic_ns() < begin + nanoseconds:  #@ second
        n = (  #@ second
            n * 17  #@ second
        ) % 1000033  #@ second
    said.append(["second", begin, time.monotonic_ns()])
    for _ in range(100):
        begin = time.monotonic_ns()
        time.sleep(0.005)  #@ wait
        said.append(["wait", begin, time.monotonic_ns()])


def outer(
    nanoseconds,
):
    return spin(nanoseconds)  #@ outer


outer(200_000_000)  # its samples have no tables yet
said.clear()
outer(700_000_000)  #@ main
json.dump(said, open(sys.argv[1], "w"))
"""


class ExecutedLines(Case):
    """The innermost frame has the line that the program says it executed then, its callers those of their calls."""

    BY_OTHER_NAMES = True

    def lines_of(self, python):
        script, said = self.scratch / "lines.py", self.scratch / "said"
        script.write_text(LINES)
        marks = collections.defaultdict(set)
        for number, line in enumerate(LINES.split("\n"), 1):
            if "#@ " in line:
                marks[line.split("#@ ")[1]].add(f"lines.py:{number}")
        options = ["--sample", "499", "--stacks"]
        recording = harness.Recording(
            self.scratch / "capture.tcap", [*options, "--force", "--", str(python), str(script), str(said)]
        )
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        seen, lined = collections.Counter(), collections.Counter()
        for what, begin, end in json.loads(said.read_text()):
            for sample in samples:
                if not begin <= sample["time"] <= end or (sample["why"] == "off_cpu") != (what == "wait"):
                    continue
                seen[what] += 1
                lines = sample.get("lines", "").split(";")
                frames = sample["user"].split(";")
                at = [i for i, frame in enumerate(frames) if "(lines.py:" in frame]
                if len(at) != 3 or len(lines) != len(frames):
                    continue
                main, outer, innermost = (lines[i] for i in at)
                lined[what] += innermost != ""
                self.assertIn(main, {*marks["main"], ""}, sample)
                self.assertIn(outer, {*marks["outer"], ""}, sample)
                self.assertIn(innermost, {*marks[what], ""}, (what, sample))
        print(f"  {python}: " + ", ".join(f"{lined[what]} of {seen[what]} ({what})" for what in seen))
        for what in ("first", "second", "wait"):
            self.assertGreater(seen[what], 50, what)
            self.assertGreaterEqual(lined[what], 0.95 * seen[what], what)
        return recording

    def test_here(self):
        recording = self.lines_of("/usr/bin/python3")
        graph = self.tailcap("flame", recording.file, "--format", "folded", "--lines")
        line = LINES.split("\n").index("        n = n * 31 % 1000003  #@ first") + 1
        self.assertRegex(graph, rf"spin \(lines\.py:\d+\) at lines\.py:{line}")

    def test_of_every_version(self):
        versions = [python_of(f"3.{minor}") for minor in range(8, 14)]
        if not any(versions):
            self.skipTest(f"no Python in {PYTHONS}")
        for python in filter(None, versions):
            with self.subTest(python=python):
                self.lines_of(python)


class ADump(Case):
    """A program that makes two functions at run time, and writes jit-PID.dump. It says when it executed which."""

    def test_names_are_those_of_the_dump(self):
        program, said = self.scratch / "jit-dump", self.scratch / "said"
        subprocess.run(
            ["cc", "-O1", "-fno-omit-frame-pointer", "-o", program, HERE / "jit_dump.c"], check=True, timeout=60
        )
        command = [str(program), str(self.scratch), str(said)]
        recording = harness.Recording(self.scratch / "capture.tcap", ["--sample", "499", "--", *command])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        seen = named = 0
        for begin, end, name in (line.split() for line in said.read_text().splitlines()):
            for sample in samples:
                if not int(begin) <= sample["time"] <= int(end):
                    continue
                functions = [f for f in sample["user"].split(";") if f in ("render_invoice", "count_stock")]
                seen += 1
                named += bool(functions)
                self.assertIn(functions, ([], [name]), sample["user"])
        print(f"  {named} of {seen} samples have names")
        self.assertGreater(seen, 500)
        self.assertGreaterEqual(named, 0.8 * seen)


@unittest.skipIf(
    pathlib.Path(shutil.which("python3")).resolve() == pathlib.Path("/usr/bin/python3").resolve(), "no other Python"
)
class Others(Interpreters):
    """The Python that this test runs with: CPython may be a library there."""

    PYTHON = shutil.which("python3")


class OfVersion(Interpreters):
    """Every version whose structures are known, and its threads, generators and calls from C."""

    VERSION = None
    SHARE = 0.95

    def python(self):
        found = python_of(self.VERSION)
        if not found:
            self.skipTest(f"no Python {self.VERSION} in {PYTHONS}")
        return [found]


class Python38(OfVersion):
    VERSION = "3.8"


class Python39(OfVersion):
    VERSION = "3.9"


class Python310(OfVersion):
    VERSION = "3.10"


class Python311(OfVersion):
    VERSION = "3.11"


class Python312(OfVersion):
    VERSION = "3.12"


class Python313(OfVersion):
    VERSION = "3.13"


del OfVersion


class ByAnyName(Interpreters):
    """CPython linked into a program that is not called after it."""

    SHARE = 0.95
    SOURCE = """
#include <Python.h>

int main(int argc, char **argv)
{
	return Py_BytesMain(argc, argv);
}
"""

    def python(self):
        config = pathlib.Path("/usr/bin/python3-config")
        archives = list(pathlib.Path("/usr/lib").glob("python3*/config-*/libpython3.??.a"))
        if not config.exists() or len(archives) != 1:
            self.skipTest("no static library of Python: python3-dev has it")
        source, program = self.scratch / "shop.c", self.scratch / "shop"
        source.write_text(self.SOURCE)

        def options(which):
            return subprocess.run([config, which, "--embed"], check=True, text=True, capture_output=True).stdout.split()

        libraries = [archives[0] if o.startswith("-lpython") else o for o in options("--ldflags")]
        link = ["-no-pie", "-Wl,--export-dynamic", "-lexpat", "-lz"]
        subprocess.run(["cc", *options("--includes"), source, "-o", program, *libraries, *link], check=True)
        return [program]


class Unknown(Case):
    """The recorder says that it does not know a version, and reads nothing of it."""

    def test_said_and_not_guessed(self):
        found = python_of("3.7") or python_of("3.14")
        if not found:
            self.skipTest(f"no Python 3.7 or 3.14 in {PYTHONS}")
        version = ".".join(found.parent.parent.name.split(".")[:2])
        script = self.scratch / "burn.py"
        script.write_text("import time\nuntil = time.time() + 2\nwhile time.time() < until:\n    pass\n")
        recording = harness.Recording(self.scratch / "capture.tcap", ["--sample", "199", "--", str(found), str(script)])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        self.assertIn(f"functions of Python {version} are not read", recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        self.assertEqual([s for s in samples if of_script(s)], [])
        self.assertGreater(len([s for s in samples if f"(Python {version}: frames of" in s["user"]]), 50)


if __name__ == "__main__":
    harness.main()
