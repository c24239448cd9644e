"""What tests of functions of scripts share: a program that says what it executed, from when to when, and a service whose slow
requests name their function."""
import http.client
import json
import re

import harness
from harness import Case, json_lines


def lines_of(source):
    """Where functions begin, by the comments there."""
    lines = enumerate(source.read_text().splitlines(), 1)
    return {mark[1]: number for number, line in lines if (mark := re.search(r"//@ (.*)$", line))}


def is_part(functions, whole):
    rest = iter(whole)
    return all(function in rest for function in functions)


class ScriptCase(Case):
    def record_command(self, options, command, seconds=300):
        """A program, recorded until it ends: the recording and its samples."""
        recording = harness.Recording(self.scratch / "capture.tcap", [*options, "--", *map(str, command)])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(seconds), 0, recording.said)
        return recording, json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))


class ScriptProgram(ScriptCase):
    """A language has record_program(*options): the samples, and what the program said; and check(samples, spans): how many
    samples each of it has, once their names were right."""

    BY_OTHER_NAMES = True
    WAITS = {"wait": 50}  # samples of each, at least

    def of_span(self, sample, span):
        return sample["tid"] == span["tid"]

    def is_wait(self, span):
        return "wait" in span["what"]

    def within(self, samples, spans, named):
        """(sample, what the program said of that moment), from the first sample that is named: those before have no tables."""
        settled = min((sample["time"] for sample in samples if named(sample)), default=0)
        for sample in samples:
            for span in spans:
                inside = span["begin"] <= sample["time"] <= span["end"]
                if sample["time"] >= settled and self.of_span(sample, span) and inside:
                    yield sample, span

    def test_what_runs(self):
        samples, spans = self.record_program("--sample", 499)
        spans = [span for span in spans if "wait" not in span["what"]]
        self.assertEqual(set(self.check(samples, spans)), {span["what"] for span in spans})

    def test_what_waits(self):
        samples, spans = self.record_program("--stacks")
        waits = [sample for sample in samples if sample["why"] == "off_cpu"]
        seen = self.check(waits, [span for span in spans if self.is_wait(span)])
        for what, least in self.WAITS.items():
            self.assertGreaterEqual(seen[what], least, what)


class ScriptService(ScriptCase):
    def slow_requests(self, command, path="/?n={n}", connections=1):
        """The capture of a service while it is asked 500 times, and the report's verdict about its slow requests. Its port is the
        last word of the command, or in it."""
        port = harness.free_port()
        service = self.start([str(word).replace("PORT", str(port)) for word in command])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid, "--sample", 499) as recording:
            self.ask_all(port, path, connections)
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        verdict = next(v for v in report["verdicts"] if v["kind"] == "tail" and v["scope"] == "route")
        print(f"  {verdict['sentence']}")
        return recording, verdict

    def ask_all(self, port, path, connections):
        for first in range(0, 500, 500 // connections):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for n in range(first, first + 500 // connections):
                connection.request("GET", path.format(n=n))
                self.assertEqual(connection.getresponse().read(), b"ok")
            connection.close()

    def functions_of_examples(self, recording, verdict):
        """In which functions `tailcap show` says the verdict's examples were, where it says so."""
        shown = [json.loads(self.tailcap("show", recording.file, e, "--json")) for e in verdict["examples"]]
        functions = [each["end"]["samples"]["function"] for each in shown]
        return {f["name"] for f in functions if f}
