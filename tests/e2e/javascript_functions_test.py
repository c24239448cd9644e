"""Functions of JavaScript: a program that says what it executed, from when to when. Each sample there has exactly these functions, or
none; V8 compiles some into their callers, whose names stand for both.

TAILCAP_NODES is a folder with a folder for each further Node.js, VERSION/bin/node; what is not there is skipped.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import unittest

import harness
import releases
import script_case
from script_case import is_part, lines_of

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = HERE / "interpreters.js"
NODES = pathlib.Path(os.environ.get("TAILCAP_NODES", "/opt/nodes"))
NODE = shutil.which("node")
# Without them V8 compiles no function into its caller, so that every function has a frame.
EXACT = ["--no-turbo-inlining"]
LATER_EXACT = ["--no-turbo-inlining", "--no-maglev-inlining"]


def node_of(major):
    found = sorted(NODES.glob(f"{major}.*/bin/node"))
    return str(found[-1]) if found else None


class Program(script_case.ScriptProgram):
    NODE = NODE
    OPTIONS = []
    INNERMOST = 0.95  # samples that name the innermost function
    WAITS = {"wait": 100}
    WHOLE = True  # each stack reaches the start of its thread
    MOVES = False  # a function whose name or source the collector moves just then has no name

    def node(self):
        if not self.NODE:
            self.skipTest("no such node")
        return self.NODE

    def script(self):
        return SCRIPT

    def record_program(self, *options):
        said, script = self.scratch / "said", self.script()
        command = [self.node(), *self.OPTIONS, script, said]
        _, samples = self.record_command(options, command)
        lines = lines_of(script)
        spans = [
            {**span, "functions": [f"{name} ({script.name}:{lines[name]})" for name in span["functions"]]}
            for span in json.loads(said.read_text())
        ]
        return samples, spans

    def of_span(self, sample, span):
        return sample["pid"] == span["pid"] == sample["tid"]

    def check(self, samples, spans):
        seen, named, innermost = collections.Counter(), collections.Counter(), collections.Counter()
        of_script = f"({SCRIPT.name}:"
        for sample, span in self.within(samples, spans, lambda s: of_script in s["user"]):
            what, expected = span["what"], span["functions"]
            functions = [f for f in sample["user"].split(";") if of_script in f]
            functions = [f for f in functions if not re.match(r"(\{anonymous\}|now|begins|say) ", f)]
            seen[what] += 1
            named[what] += bool(functions)
            innermost[what] += functions[-1:] == expected[-1:]
            collects = self.MOVES and "v8::internal::Heap::CollectGarbage" in sample["user"]
            if EXACT[0] not in self.OPTIONS or collects:
                check = is_part(functions, expected)
            elif self.WHOLE or sample["end"] == "start":
                check = functions in ([], expected)
            else:
                check = functions == expected[len(expected) - len(functions) :]
            self.assertTrue(check, (what, functions, expected, sample["user"][-600:]))
        for what in seen:
            print(f"  {what}: of {seen[what]} samples {named[what]} have names, {innermost[what]} of the innermost one")
        rest = set(seen) - {"loop", "first wait"}  # the first have no tables
        total = sum(seen[what] for what in rest)
        share = sum(innermost[what] for what in rest) / total
        print(f"  {sum(named[what] for what in rest) / total:.2%} have names, {share:.2%} of the innermost function")
        self.assertGreaterEqual(share, self.INNERMOST)
        return seen


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


class OfNpm(Program):
    VERSION = None
    MOVES = True

    def node(self):
        return releases.node(self.VERSION)


class Node16(OfNpm):
    VERSION = "16.20.2"


class ExactNode16(Node16):
    OPTIONS = EXACT


class InterpretedNode16(Node16):
    OPTIONS = ["--no-opt", "--no-sparkplug"]


class Node22(OfNpm):
    VERSION = "22.23.5"


class ExactNode22(Node22):
    OPTIONS = LATER_EXACT


class InterpretedNode22(Node22):
    OPTIONS = ["--no-opt", "--no-sparkplug", "--no-maglev"]


class Node24(OfNpm):
    VERSION = "24.22.3"
    WHOLE = False  # none does while V8 takes compiled code back


class ExactNode24(Node24):
    OPTIONS = LATER_EXACT


class InterpretedNode24(Node24):
    OPTIONS = ["--no-opt", "--no-sparkplug", "--no-maglev"]


del Program, OfNpm


class Unknown(script_case.ScriptCase):
    def test_said_and_not_guessed(self):
        command = [releases.node("21.7.3"), SCRIPT, self.scratch / "said"]
        recording, samples = self.record_command(["--sample", "99"], command, 60)
        self.assertIn("functions of V8 11.8 are not read", recording.said)
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
  renderInvoice(n > 200 && n % 20 == 7 ? 150 : 2);  // the first half second has no names
}
let served = 0;
http.createServer(async (request, response) => {
  await show(served++);
  response.end("ok");
}).listen(+process.argv[2], "127.0.0.1");
"""


@unittest.skipUnless(NODE, "no node")
class Answers(script_case.ScriptService):
    BY_OTHER_NAMES = True

    def test_slow_requests_name_their_function(self):
        script = self.scratch / "svc.js"
        script.write_text(SERVICE)
        recording, verdict = self.slow_requests([NODE, script, "PORT"], "/cart")
        self.assertEqual(verdict["function"]["name"], "renderInvoice (svc.js:3)")
        self.assertEqual(self.functions_of_examples(recording, verdict), {"renderInvoice (svc.js:3)"})
        self.assertIn(";renderInvoice (svc.js:3)", self.tailcap("flame", recording.file, "--format", "folded"))


if __name__ == "__main__":
    harness.main()
