"""Functions of JavaScript: a program that says what it executed, from when to when. Each sample there has exactly these functions, or
none; V8 compiles some into their callers, whose names stand for both.

TAILCAP_NODES is a folder with a folder for each further Node.js, VERSION/bin/node; what is not there is skipped.
"""
import collections
import http.client
import json
import os
import pathlib
import re
import shutil
import unittest

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "interpreters.js"
NODES = pathlib.Path(os.environ.get("TAILCAP_NODES", "/opt/nodes"))
NODE = shutil.which("node")
# Without them V8 compiles no function into its caller, so that every function has a frame.
EXACT = ["--no-turbo-inlining"]


def node_of(major):
    found = sorted(NODES.glob(f"{major}.*/bin/node"))
    return str(found[-1]) if found else None


def lines_of(source):
    """Where functions begin, by the comments there."""
    lines = enumerate(source.read_text().splitlines(), 1)
    return {mark[1]: number for number, line in lines if (mark := re.search(r"//@ (.*)$", line))}


def is_part(functions, whole):
    rest = iter(whole)
    return all(function in rest for function in functions)


class Program(Case):
    BY_OTHER_NAMES = True
    NODE = NODE
    OPTIONS = []
    INNERMOST = 0.95  # samples that name the innermost function

    def node(self):
        if not self.NODE:
            self.skipTest("no such node")
        return self.NODE

    def script(self):
        return SCRIPT

    def record_program(self, *options):
        said, script = self.scratch / "said", self.script()
        command = [self.node(), *self.OPTIONS, script, said]
        recording = harness.Recording(self.scratch / "capture.tcap", [*options, "--", *map(str, command)])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(300), 0, recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        lines = lines_of(script)
        spans = [
            {**span, "functions": [f"{name} ({script.name}:{lines[name]})" for name in span["functions"]]}
            for span in json.loads(said.read_text())
        ]
        return samples, spans, script.name

    def check(self, samples, spans, script):
        seen, named, innermost = collections.Counter(), collections.Counter(), collections.Counter()
        named_ones = [sample["time"] for sample in samples if f"({script}:" in sample["user"]]
        settled = min(named_ones, default=0)  # the first samples of a process have no tables
        for sample in samples:
            for span in spans:
                if sample["time"] < settled or sample["pid"] != span["pid"] or sample["pid"] != sample["tid"]:
                    continue
                if not span["begin"] <= sample["time"] <= span["end"]:
                    continue
                what, expected = span["what"], span["functions"]
                functions = [f for f in sample["user"].split(";") if f"({script}:" in f]
                functions = [f for f in functions if not re.match(r"(\{anonymous\}|now|begins|say) ", f)]
                seen[what] += 1
                named[what] += bool(functions)
                innermost[what] += functions[-1:] == expected[-1:]
                check = is_part(functions, expected) if self.OPTIONS != EXACT else functions in ([], expected)
                self.assertTrue(check, (what, functions, expected, sample["user"][-600:]))
        for what in seen:
            print(f"  {what}: of {seen[what]} samples {named[what]} have names, {innermost[what]} of the innermost one")
        rest = set(seen) - {"loop", "first wait"}  # the first have no tables
        total = sum(seen[what] for what in rest)
        share = sum(innermost[what] for what in rest) / total
        print(f"  {sum(named[what] for what in rest) / total:.2%} have names, {share:.2%} of the innermost function")
        self.assertGreaterEqual(share, self.INNERMOST)
        return seen

    def test_what_runs(self):
        samples, spans, script = self.record_program("--sample", 499)
        spans = [span for span in spans if "wait" not in span["what"]]
        self.assertEqual(set(self.check(samples, spans, script)), {span["what"] for span in spans})

    def test_what_waits(self):
        samples, spans, script = self.record_program("--stacks")
        waits = [sample for sample in samples if sample["why"] == "off_cpu"]
        seen = self.check(waits, [span for span in spans if "wait" in span["what"]], script)
        self.assertGreaterEqual(seen["wait"], 100)


class Here(Program):
    pass


class Exact(Program):
    OPTIONS = EXACT


class Interpreted(Program):
    OPTIONS = ["--no-opt", "--no-sparkplug"]


class AnotherAlphabet(Program):
    """V8 keeps a file with such a character in two bytes for each."""

    def script(self):
        script = self.scratch / "interpreters.js"
        script.write_text(SCRIPT.read_text().replace('"use strict";', '"use strict"; // Имя'))
        return script


class Node18(Program):
    NODE = node_of("18")


class Node20(Program):
    NODE = node_of("20")


class ExactNode18(Program):
    NODE = node_of("18")
    OPTIONS = EXACT


del Program


class Unknown(Case):
    def test_said_and_not_guessed(self):
        node = node_of("22")
        if not node:
            self.skipTest(f"no Node.js 22 in {NODES}")
        command = [node, SCRIPT, self.scratch / "said"]
        recording = harness.Recording(self.scratch / "capture.tcap", ["--sample", "99", "--", *map(str, command)])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        self.assertIn("functions of V8 12.4 are not read", recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        self.assertEqual([s["user"] for s in samples if SCRIPT.name in s["user"]], [])


SERVICE = """
const http = require("http");
function renderInvoice(ms) {
  const begin = process.cpuUsage();
  let sum = 0;
  while (process.cpuUsage(begin).user < ms * 1000) for (let i = 0; i < 50000; i++) sum = (sum * 31 + i) % 1000003;
  return sum;
}
async function show(n) {
  await null;
  renderInvoice(n > 100 && n % 20 == 7 ? 150 : 2);
}
let served = 0;
http.createServer(async (request, response) => {
  await show(served++);
  response.end("ok");
}).listen(+process.argv[2], "127.0.0.1");
"""


@unittest.skipUnless(NODE, "no node")
class Answers(Case):
    BY_OTHER_NAMES = True

    def test_slow_requests_name_their_function(self):
        script, port = self.scratch / "svc.js", harness.free_port()
        script.write_text(SERVICE)
        service = self.start([NODE, script, port])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid, "--sample", 499) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for _ in range(500):
                connection.request("GET", "/cart")
                self.assertEqual(connection.getresponse().read(), b"ok")
            connection.close()
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        verdict = next(v for v in report["verdicts"] if v["kind"] == "tail" and v["scope"] == "route")
        print(f"  {verdict['sentence']}")
        self.assertEqual(verdict["function"]["name"], "renderInvoice (svc.js:3)")
        shown = [json.loads(self.tailcap("show", recording.file, e, "--json")) for e in verdict["examples"]]
        functions = [each["end"]["samples"]["function"] for each in shown]
        self.assertEqual({f["name"] for f in functions if f}, {"renderInvoice (svc.js:3)"})
        self.assertIn(";renderInvoice (svc.js:3)", self.tailcap("flame", recording.file, "--format", "folded"))


if __name__ == "__main__":
    harness.main()
