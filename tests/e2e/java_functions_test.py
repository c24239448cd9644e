"""Functions of Java: a program that says what it executed, from when to when. Each sample there has exactly these functions, or
none; HotSpot compiles some into their callers, whose names stand for both.
"""
import collections
import json
import pathlib
import re
import shutil
import subprocess

import harness
import releases
import script_case
from script_case import is_part, lines_of

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE / "Interpreters.java"
# Functions that those which a span names call all the time.
CALLEES = {
    "first": ["render"],
    "compiled": ["render"],
    "one class": ["Square.area"],
    "another class": ["Circle.area"],
    "guest": ["Guest.work"],
    "after a guest": ["Square.area", "Circle.area"],
}
OWN = re.compile(r"(\S+) \(Interpreters\.java:(\d+)\)")
SAYS = {"say", "and", "thread", "loadClass"}  # what the program, or HotSpot, calls meanwhile


LINES = lines_of(SOURCE)


def shown(function):
    separator = "$" if "." in function else "."
    return f"Interpreters{separator}{function} (Interpreters.java:{LINES[function]})"


class Program(script_case.ScriptProgram):
    OPTIONS = []
    EXACT = True
    SHARE = 0.95  # samples that name the innermost function
    WAITS = {"wait": 50, "wait for a queue": 50}
    RELEASE = []  # of javac

    def java(self):
        return ["java"]

    def record_program(self, *options):
        if not shutil.which("javac"):
            self.skipTest("no javac")
        classes, said = self.scratch / "classes", self.scratch / "said"
        subprocess.run(["javac", *self.RELEASE, "-d", classes, SOURCE], check=True, timeout=120)
        command = [*self.java(), *self.OPTIONS, "-cp", classes, "Interpreters", said]
        _, samples = self.record_command(options, command)
        return samples, json.loads(said.read_text())

    def check(self, samples, spans):
        seen, named, innermost = collections.Counter(), collections.Counter(), collections.Counter()
        ends, wrong = collections.Counter(), []
        for sample, span in self.within(samples, spans, lambda s: OWN.search(s["user"])):
            what, callees = span["what"], [shown(f) for f in CALLEES.get(span["what"], [])]
            expected = [shown(function) for function in span["functions"]]
            functions = [f for f in sample["user"].split(";") if OWN.fullmatch(f)]
            functions = [f for f in functions if OWN.fullmatch(f)[1].split(".")[-1] not in SAYS]
            seen[what] += 1
            named[what] += bool(functions)
            ends[sample["end"]] += 1
            if functions and functions[-1] in callees:
                functions.pop()
                inner = True
            elif functions[-1:] == [shown("step")] and expected[-1] == shown("counts"):
                functions.pop()
                inner = True
            else:
                inner = functions[-1:] == expected[-1:]
            innermost[what] += inner
            if self.EXACT and sample["end"] == "start":
                right = functions in ([], expected)
            elif self.EXACT:
                right = not functions or expected[-len(functions) :] == functions
            else:
                right = is_part(functions, expected)
            if not right:
                wrong.append((what, functions, expected, sample["user"][-900:]))
        for what in seen:
            print(f"  {what}: of {seen[what]} samples {named[what]} have names, {innermost[what]} of the innermost one")
        rest = set(seen) - {"loop", "first wait", "first"}  # the first have no tables
        total = sum(seen[what] for what in rest)
        share = sum(innermost[what] for what in rest) / total
        print(f"  {sum(named[what] for what in rest) / total:.2%} have names, {share:.2%} of the innermost function")
        print(f"  stacks end at {dict(ends)}")
        self.assertEqual(wrong, [], f"{len(wrong)} wrong, such as {wrong[:3]}"[:4000])
        self.assertGreaterEqual(share, self.SHARE)
        return seen


class Here(Program):
    EXACT = False


class Exact(Program):
    """No function is compiled into its caller."""

    OPTIONS = ["-XX:-Inline"]


class Interpreted(Program):
    OPTIONS = ["-Xint"]


class Quick(Program):
    """By HotSpot's first compiler alone."""

    OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:-Inline"]


class OfDebian(Program):
    EXACT = False
    SUITE = VERSION = None

    def java(self):
        program = f"/usr/lib/jvm/java-{self.VERSION}-openjdk-amd64/bin/java"
        package = f"openjdk-{self.VERSION}-jre-headless"
        return releases.Program(self.SUITE, program, package).command(self.scratch)


class Java11(OfDebian):
    SUITE, VERSION = "bullseye", 11
    RELEASE = ["--release", "11"]


class ExactJava11(Exact, Java11):
    EXACT = True


class InterpretedJava11(Interpreted, Java11):
    EXACT = True


class QuickJava11(Quick, Java11):
    EXACT = True


class Java21(OfDebian):
    SUITE, VERSION = "trixie", 21


class ExactJava21(Exact, Java21):
    EXACT = True


class InterpretedJava21(Interpreted, Java21):
    EXACT = True


class QuickJava21(Quick, Java21):
    EXACT = True


class Java25(OfDebian):
    SUITE, VERSION = "trixie", 25


class ExactJava25(Exact, Java25):
    EXACT = True


class InterpretedJava25(Interpreted, Java25):
    EXACT = True


class QuickJava25(Quick, Java25):
    EXACT = True


del Program, OfDebian

SERVICE = """import com.sun.net.httpserver.HttpServer;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

public class Svc {
    static final ThreadMXBean times = ManagementFactory.getThreadMXBean();
    static long sink;

    static void renderInvoice(long milliseconds) {
        long until = times.getCurrentThreadCpuTime() + milliseconds * 1_000_000;
        long sum = 1;
        while (times.getCurrentThreadCpuTime() < until) {
            for (int i = 0; i < 100_000; i++) {
                sum = (sum * 31 + i) % 1_000_003;
            }
        }
        sink += sum;
    }

    static void show(boolean slow) {
        renderInvoice(slow ? 150 : 2);
    }

    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.createContext("/", exchange -> {
            int n = Integer.parseInt(exchange.getRequestURI().getQuery().substring(2));
            show(n > 100 && n % 20 == 7);
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes());
            exchange.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(2));
        server.start();
    }
}
"""


class Answers(script_case.ScriptService):
    def test_slow_requests_name_their_function(self):
        if not shutil.which("javac"):
            self.skipTest("no javac")
        source = self.scratch / "Svc.java"
        source.write_text(SERVICE)
        subprocess.run(["javac", "-d", self.scratch, source], check=True, timeout=120)
        _, verdict = self.slow_requests(["java", "-cp", self.scratch, "Svc", "PORT"])
        self.assertEqual(verdict["function"]["name"], "Svc.renderInvoice (Svc.java:12)")


if __name__ == "__main__":
    harness.main()
