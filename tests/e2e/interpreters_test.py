"""Functions of Python: programs that say what they executed, from when to when. Each sample there has exactly these frames, or none."""
import collections
import json
import pathlib
import re
import shutil
import unittest

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = re.compile(r"[^;]* \([^();]*:\d+\)")
DEEPEST = 64


def of_python(sample):
    return [frame for frame in sample["user"].split(";") if PYTHON.fullmatch(frame)]


class Interpreters(Case):
    BY_OTHER_NAMES = True
    PYTHON = "/usr/bin/python3"  # Debian's: CPython is a part of the program

    def record_program(self, *options):
        said = self.scratch / "said"
        command = [self.PYTHON, HERE / "interpreters.py", said]
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
            frames = of_python(sample)
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
        seen = self.check(samples, spans, 0.97)
        self.assertEqual(set(seen), {span["what"] for span in spans})
        # Python's functions stand where its interpreter was; what is between them is still there.
        calls = [s["user"].split(";") for s, span in self.within(samples, spans) if span["what"] == "key of sorted"]
        for frames in calls:
            self.assertNotIn(
                "_PyEval_EvalFrameDefault", frames[: frames.index(of_python({"user": ";".join(frames)})[-1])]
            )
        graph = self.tailcap("flame", recording.file, "--format", "folded")
        method = next(span for span in spans if span["what"] == "method")
        self.assertTrue(";" + method["frames"][-1] in graph, method["frames"][-1])

    def test_what_waits(self):
        recording, spans = self.record_program("--stacks")
        stacks = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        waits = [s for s in stacks if s["why"] == "off_cpu"]
        seen = self.check(waits, [s for s in spans if s["what"] == "wait"], 0.97)
        self.assertGreaterEqual(seen["wait"], 100)


@unittest.skipIf(
    pathlib.Path(shutil.which("python3")).resolve() == pathlib.Path("/usr/bin/python3").resolve(), "no other Python"
)
class Others(Interpreters):
    """The Python that this test runs with: CPython may be a library there."""

    PYTHON = shutil.which("python3")


if __name__ == "__main__":
    harness.main()
