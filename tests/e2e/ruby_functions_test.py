"""Functions of Ruby: a program that says what it executed, from when to when. Each sample there has exactly these functions, or none.

TAILCAP_RUBIES is a folder with a folder for each further Ruby, VERSION/bin/ruby; what is not there is skipped.
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


def expected_of(functions, lines, in_ruby=frozenset()):
    """As stacks name them. in_ruby: functions that this Ruby has not in C, but in its own files. Ruby says of its functions in C the file of their caller, and of its own files no line."""
    out = []
    for label, file in functions:
        if label in in_ruby:
            out.append(re.escape(label) + r" \(<internal:[^();]*:\d+\)")
            continue
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


class Program(script_case.ScriptProgram):
    RUBY = shutil.which("ruby")
    OPTIONS = []
    IN_RUBY = frozenset()
    SHARE = 0.95
    WAITS = {"wait": 50, "wait in a thread": 50, "wait for a queue": 50}

    def ruby(self):
        if not self.RUBY:
            self.skipTest("no such ruby")
        return [self.RUBY]

    def record_program(self, *options):
        said = self.scratch / "said"
        command = [*self.ruby(), *self.OPTIONS, SCRIPT, said]
        _, samples = self.record_command(options, command)
        said = json.loads(said.read_text())
        for span in said["spans"]:
            span["functions"] = expected_of(span["functions"], said["lines"], self.IN_RUBY)
        return samples, said["spans"]

    def check(self, samples, spans):
        """Names are right, or there are none; how many have them."""
        named, seen = collections.Counter(), collections.Counter()
        for sample, span in self.within(samples, spans, functions_of):
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


class Here(Program):
    pass


class Ruby27(Program):
    """Debian 11's, or one of TAILCAP_RUBIES."""

    RUBY = ruby_of("2.7")
    OPTIONS = ["-EUTF-8"]

    def ruby(self):
        return (
            [self.RUBY]
            if self.RUBY
            else releases.Program("bullseye", "/usr/bin/ruby2.7", "ruby2.7").command(self.scratch, HERE)
        )


class Ruby33(Program):
    """Debian 13's."""

    IN_RUBY = {"pop"}

    def ruby(self):
        return releases.Program("trixie", "/usr/bin/ruby3.3", "ruby3.3").command(self.scratch, HERE)


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


class Answers(script_case.ScriptService):
    @unittest.skipUnless(shutil.which("ruby"), "no ruby")
    def test_slow_requests_name_their_function(self):
        script = self.scratch / "svc.rb"
        script.write_text(SERVICE)
        _, verdict = self.slow_requests(["ruby", script, "PORT"])
        self.assertIn(verdict["function"]["name"], HOT)


if __name__ == "__main__":
    harness.main()
