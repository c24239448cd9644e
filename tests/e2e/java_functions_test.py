"""Functions of Java: a program that says what it executed, from when to when. Each sample there has exactly these functions, or
none; HotSpot compiles some into their callers, whose names stand for both.
"""
import collections
import http.client
import json
import pathlib
import re
import shutil
import subprocess

import harness
from harness import Case, json_lines

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


def lines_of(source):
    """Where the code of functions begins, by the comments there."""
    lines = enumerate(source.read_text().splitlines(), 1)
    return {mark[1]: number for number, line in lines if (mark := re.search(r"//@ (.*)$", line))}


LINES = lines_of(SOURCE)


def shown(function):
    separator = "$" if "." in function else "."
    return f"Interpreters{separator}{function} (Interpreters.java:{LINES[function]})"


def is_part(functions, whole):
    rest = iter(whole)
    return all(function in rest for function in functions)


class Program(Case):
    BY_OTHER_NAMES = True
    OPTIONS = []
    EXACT = True
    SHARE = 0.95  # samples that name the innermost function

    def record_program(self, *options):
        if not shutil.which("javac"):
            self.skipTest("no javac")
        classes, said = self.scratch / "classes", self.scratch / "said"
        subprocess.run(["javac", "-d", classes, SOURCE], check=True, timeout=120)
        command = ["java", *self.OPTIONS, "-cp", classes, "Interpreters", said]
        recording = harness.Recording(self.scratch / "capture.tcap", [*options, "--", *map(str, command)])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(300), 0, recording.said)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        return samples, json.loads(said.read_text())

    def check(self, samples, spans):
        seen, named, innermost = collections.Counter(), collections.Counter(), collections.Counter()
        ends, wrong = collections.Counter(), []
        settled = min((s["time"] for s in samples if OWN.search(s["user"])), default=0)  # the first have no tables
        for sample in samples:
            for span in spans:
                if sample["time"] < settled or sample["tid"] != span["tid"]:
                    continue
                if not span["begin"] <= sample["time"] <= span["end"]:
                    continue
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

    def test_what_runs(self):
        samples, spans = self.record_program("--sample", 499)
        spans = [span for span in spans if "wait" not in span["what"]]
        self.assertEqual(set(self.check(samples, spans)), {span["what"] for span in spans})

    def test_what_waits(self):
        samples, spans = self.record_program("--stacks")
        waits = [sample for sample in samples if sample["why"] == "off_cpu"]
        seen = self.check(waits, [span for span in spans if "wait" in span["what"]])
        for what in ("wait", "wait for a queue"):
            self.assertGreaterEqual(seen[what], 50, what)


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


del Program

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


class Answers(Case):
    def test_slow_requests_name_their_function(self):
        if not shutil.which("javac"):
            self.skipTest("no javac")
        source, port = self.scratch / "Svc.java", harness.free_port()
        source.write_text(SERVICE)
        subprocess.run(["javac", "-d", self.scratch, source], check=True, timeout=120)
        service = self.start(["java", "-cp", self.scratch, "Svc", port])
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
        self.assertEqual(verdict["function"]["name"], "Svc.renderInvoice (Svc.java:12)")


class Unknown(Case):
    def test_said_and_not_guessed(self):
        java = sorted(pathlib.Path("/usr/lib/jvm").glob("*-25-*/bin/java"))
        if not java:
            self.skipTest("no Java 25")
        source = self.scratch / "Loop.java"
        source.write_text(
            "class Loop { public static void main(String[] a) { long n = 0, end = System.nanoTime() + 3_000_000_000L;"
            " while (System.nanoTime() < end) { n++; } System.out.println(n > 0); } }"
        )
        recording = harness.Recording(
            self.scratch / "capture.tcap", ["--sample", "99", "--", str(java[-1]), str(source)]
        )
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        self.assertIn("functions of Java 25 are not read", recording.said)


if __name__ == "__main__":
    harness.main()
