"""Functions of Ruby: a program that says what it executed, from when to when. Each sample there has exactly these functions, or none.

TAILCAP_RUBIES is a folder with a folder for each further Ruby, VERSION/bin/ruby; what is not there is skipped.
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
SCRIPT = HERE / "interpreters.rb"
RUBIES = pathlib.Path(os.environ.get("TAILCAP_RUBIES", "/opt/rubies"))
OF_A_FILE = re.compile(r"[^;]* \([^();]*:\d+\)")
# Functions that Ruby has in C, and that the program's own functions are under way in.
IN_C = set("call clock_gettime curry each each_with_object new pop require resume sleep sort_by times".split())
# Those that the program calls for an instant; they may call others.
BRIEF = set(
    "+ - * < << [] to_s join sort shuffle to_a start new initialize dup round size map initialize_copy hash".split()
) | {"[C function]"}
DEEPEST = 64


def ruby_of(version):
    found = sorted(RUBIES.glob(f"{version}*/bin/ruby"))
    return str(found[-1]) if found else None


def expected_of(functions, lines):
    """As stacks name them. Ruby says of its functions in C the file of their caller, and of its own files no line."""
    out = []
    for label, file in functions:
        if file == SCRIPT.name and label in lines:
            out.append(re.escape(f"{label} ({file}:{lines[label]})"))
        elif file in ("evaluated.rb", "said.part.rb"):
            out.append(re.escape(f"{label} ({file}:") + r"\d+\)" if label not in IN_C else re.escape(label))
        elif label in IN_C and not file.startswith(("<internal:", "kernel_require")):
            out.append(re.escape(label))
        else:
            out.append(rf"({re.escape(label)} \([^();]*:\d+\)|{re.escape(label)})")
    return out


def functions_of(sample):
    """Those of Ruby: the program's own functions have no file."""
    return [f for f in sample["user"].split(";") if OF_A_FILE.fullmatch(f) or f in IN_C or f in BRIEF]


class Program(Case):
    BY_OTHER_NAMES = True
    RUBY = shutil.which("ruby")
    OPTIONS = []
    SHARE = 0.95

    def record_program(self, *options):
        if not self.RUBY:
            self.skipTest("no such ruby")
        said = self.scratch / "said"
        command = [self.RUBY, *self.OPTIONS, SCRIPT, said]
        recording = harness.Recording(self.scratch / "capture.tcap", [*options, "--", *map(str, command)])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(300), 0, recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        said = json.loads(said.read_text())
        for span in said["spans"]:
            span["functions"] = expected_of(span["functions"], said["lines"])
        return samples, said["spans"]

    def check(self, samples, spans):
        """Names are right, or there are none; how many have them."""
        named, seen = collections.Counter(), collections.Counter()
        settled = min((s["time"] for s in samples if functions_of(s)), default=0)  # the first have no tables
        for sample in samples:
            for span in spans:
                if sample["time"] < settled or sample["tid"] != span["tid"]:
                    continue
                if not span["begin"] <= sample["time"] <= span["end"]:
                    continue
                seen[span["what"]] += 1
                functions = functions_of(sample)
                if not any(OF_A_FILE.fullmatch(function) for function in functions):
                    continue
                named[span["what"]] += 1
                expected = span["functions"]
                waits = "wait" in span["what"] and re.fullmatch(expected[-1], functions[-1])
                while not waits and (functions[-1] in BRIEF | IN_C or "(<internal:" in functions[-1]):
                    functions.pop()
                if "[cut]" in sample["user"].split(";"):
                    expected = expected[-len(functions) :]
                what = (span["what"], functions, sample["user"][-1500:])
                self.assertEqual(len(functions), len(expected), what)
                for function, pattern in zip(functions, expected):
                    self.assertRegex(function, f"^{pattern}$", what)
        for what in seen:
            print(f"  {what}: {named[what]} of {seen[what]} samples have names")
        rest = set(seen) - {"loop", "first wait"}  # the first
        share = sum(named[what] for what in rest) / sum(seen[what] for what in rest)
        print(f"  {share:.2%} in all")
        self.assertGreaterEqual(share, self.SHARE)
        return seen

    def test_what_runs(self):
        samples, spans = self.record_program("--sample", 499)
        spans = [span for span in spans if "wait" not in span["what"]]
        self.assertEqual(set(self.check(samples, spans)), {span["what"] for span in spans})

    def test_what_waits(self):
        samples, spans = self.record_program("--stacks")
        waits = [sample for sample in samples if sample["why"] == "off_cpu"]
        seen = self.check(waits, [span for span in spans if "wait" in span["what"]])
        for what in ("wait", "wait in a thread", "wait for a queue"):
            self.assertGreaterEqual(seen[what], 50, what)


class Here(Program):
    pass


class Ruby27(Program):
    RUBY = ruby_of("2.7")


del Program

SERVICE = """require 'socket'

def render_invoice(seconds)
  until_then = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + seconds
  sum = 0
  while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < until_then
    10_000.times { |i| sum = (sum * 31 + i) % 1_000_003 }
  end
end

class Cart
  def show(slow)
    render_invoice(slow ? 0.15 : 0.002)
  end
end

def serve(client)
  while (line = client.gets)
    nil until client.gets.chomp.empty?
    n = line[/n=(\\d+)/, 1].to_i
    Cart.new.show(n > 100 && n % 20 == 7)
    client.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
  end
  client.close
end

server = TCPServer.new('127.0.0.1', ARGV[0].to_i)
loop { Thread.new(server.accept) { |client| serve(client) } }
"""
HOT = {"render_invoice (svc.rb:3)", "block in render_invoice (svc.rb:7)"}


class Answers(Case):
    @unittest.skipUnless(shutil.which("ruby"), "no ruby")
    def test_slow_requests_name_their_function(self):
        script, port = self.scratch / "svc.rb", harness.free_port()
        script.write_text(SERVICE)
        service = self.start(["ruby", script, port])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid, "--sample", 499) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for n in range(500):
                connection.request("GET", f"/?n={n}")
                self.assertEqual(connection.getresponse().read(), b"ok")
            connection.close()
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        verdict = next(v for v in report["verdicts"] if v["kind"] == "tail" and v["scope"] == "route")
        print(f"  {verdict['sentence']}")
        self.assertIn(verdict["function"]["name"], HOT)


if __name__ == "__main__":
    harness.main()
