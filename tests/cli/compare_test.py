#!/usr/bin/env python3
"""`tailcap compare` on recordings of which everything is known.

    tests/cli/compare_test.py --build build/release [unittest arguments]
"""
import json
import pathlib
import tempfile
import unittest
import xml.etree.ElementTree

import case
import runs

try:
    import jsonschema
except ImportError:  # of another Python than the distribution's
    jsonschema = None

LONG = {"requests": 700}  # 11.7 s at 60/s, of which 10.5 s are compared


class Compare(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tailcap-compare-")
        cls.addClassCleanup(cls.folder.cleanup)
        root = pathlib.Path(cls.folder.name)
        cls.pairs = {}
        for name, base, new in (("equal", LONG, LONG), ("slower", LONG, {**LONG, "ms": 7}), ("calls", LONG, {**LONG, "calls": 2}), ("errors", LONG, {**LONG, "errors": 140}),
                                ("version", {**LONG, "version": "7"}, {**LONG, "ms": 7, "version": "7"})):
            (root / name).mkdir()
            cls.pairs[name] = runs.abba(root / name, base, new)

    def compare(self, name, *arguments):
        base, new = self.pairs[name]
        return self.tailcap("compare", base, "--", new, *arguments)

    def judged(self, name, *arguments, code):
        done = self.compare(name, "--json", *arguments)
        self.assertEqual(done.returncode, code, done.stderr + str(json.loads(done.stdout)["sentence"] if done.stdout else ""))
        document = json.loads(done.stdout)
        if jsonschema:
            schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/compare.schema.json").read_text()))
            self.assertEqual([e.message for e in schema.iter_errors(document)], [])
        return document

    def gates(self, document):
        return {(g["metric"], g["route"]["route"]): g for g in document["gates"]}

    def test_equal_versions_pass(self):
        document = self.judged("equal", code=0)
        self.assertEqual((document["verdict"], document["obstacles"], document["interleaved"]), ("pass", [], True))
        gates = self.gates(document)
        self.assertEqual(set(gates), {("p99", "/pay"), ("errors", "/pay")})
        # The truth: the slowest take 15 ms, a sixtieth of all.
        self.assertAlmostEqual(gates["p99", "/pay"]["estimate"]["base"] / 1e6, 15, delta=0.5)

    def test_a_slower_version_fails(self):
        document = self.judged("slower", code=3)
        gate = self.gates(document)["p99", "/pay"]
        self.assertEqual(gate["verdict"], "fail")
        self.assertAlmostEqual(gate["estimate"]["difference"], 0.4, delta=0.05)
        self.assertLess(gate["estimate"]["low"], 0.4)
        self.assertGreater(gate["estimate"]["high"], 0.4)
        # Nearly all of it is spent in the call, and the sentence says so.
        self.assertIn("waiting for another service", gate["sentence"])
        self.assertIn("GET /stock", gate["sentence"])

    def test_labels_sum_to_the_total(self):
        for name in ("equal", "slower", "calls"):
            for route in self.judged(name, code={"equal": 0, "slower": 3, "calls": 0}[name])["routes"]:
                for table in (route["mean"], route["slowest"]):
                    for key in ("base_ns", "new_ns", "difference_ns"):
                        self.assertEqual(sum(label[key] for label in table["labels"]), table[key])

    def test_one_more_call_is_exact(self):
        document = self.judged("calls", "--fail-on", "calls(/pay) > +0", code=3)
        gate = document["gates"][0]
        self.assertEqual((gate["estimate"]["base"], gate["estimate"]["new"], gate["estimate"]["exact"]), (1, 2, True))
        self.assertIn("of it +1 to GET /stock", gate["sentence"])
        # Exact numbers need no repeated runs.
        base, new = self.pairs["calls"]
        one = [sorted(side.glob("*.tcap"))[0] for side in (base, new)]
        done = self.tailcap("compare", one[0], "--", one[1], "--fail-on", "calls(/pay) > +0")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(self.compare("equal", "--fail-on", "calls(/pay) > +0").returncode, 0)

    def test_errors_fail(self):
        gates = self.gates(self.judged("errors", "--fail-on", "errors(/pay) > +1pt", code=3))
        self.assertEqual(gates["errors", "/pay"]["verdict"], "fail")
        # 140 of 700 requests fail, the first ones: 70 of them are warm-up.
        self.assertAlmostEqual(gates["errors", "/pay"]["estimate"]["difference"], 70 / 630, delta=0.01)
        # Such runs find only large changes, but this one lies above the default of a quarter of a point in its whole interval.
        gate = self.gates(self.judged("errors", code=3))["errors", "/pay"]
        self.assertEqual(gate["verdict"], "fail")
        self.assertGreater(gate["estimate"]["mde80"], 3 * 0.0025)

    def test_one_version_never_fails(self):
        document = self.judged("version", code=4)
        self.assertEqual(document["same_version"], "version 7")
        self.assertIn("nothing fails", self.gates(document)["p99", "/pay"]["missing"][0])

    def test_what_is_undecided_says_what_is_missing(self):
        base, new = self.pairs["slower"]
        some = [sorted(side.glob("*.tcap"))[:3] for side in (base, new)]
        for code, arguments in ((4, []), (0, ["--undecided", "pass"]), (3, ["--undecided", "fail"]), (3, ["--min-runs", "3"])):
            done = self.tailcap("compare", *some[0], "--", *some[1], *arguments)
            self.assertEqual(done.returncode, code, done.stdout)
        self.assertIn("3 runs a side: needs 5", self.tailcap("compare", *some[0], "--", *some[1]).stdout)

    def test_runs_one_after_the_other(self):
        sides = [sorted(side.glob("*.tcap")) for side in self.pairs["slower"]]
        first, second = sides[0][:2] + sides[1][:1], sides[0][2:] + sides[1][3:]
        done = self.tailcap("compare", *first, "--", *second, "--min-runs", "3")
        self.assertEqual(done.returncode, 4)
        self.assertIn("not interleaved", done.stdout)

    def test_thresholds(self):
        for expression, code in (("p99(/pay) > +60%", 0), ("p99(/pay) > +20%", 3), ("p50(GET /pay) > +1ms", 3), ("p50(/pay) > +4ms", 0), ("down.wait(/pay) > +1ms", 3), ("p99(/none) > +10%", 4)):
            self.assertEqual(self.compare("slower", "--fail-on", expression).returncode, code, expression)

    def test_self(self):
        done = self.tailcap("compare", "--self", self.pairs["equal"][0])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("this measures the noise of the machine", " ".join(done.stdout.split()))

    def test_markdown_fits_a_comment(self):
        for name in self.pairs:
            lines = self.compare(name, "--format", "md").stdout.splitlines()
            self.assertLessEqual(len(lines), 60, name)
            self.assertIn("| verdict | gate |", "\n".join(lines))

    def test_junit(self):
        failing = xml.etree.ElementTree.fromstring(self.compare("slower", "--format", "junit").stdout)
        self.assertEqual((failing.get("tests"), failing.get("failures"), failing.get("skipped")), ("2", "1", "0"))
        self.assertIn("p99 of GET /pay +", failing.find(".//failure").get("message"))
        skipped = xml.etree.ElementTree.fromstring(self.compare("version", "--format", "junit").stdout)
        self.assertEqual((skipped.get("failures"), skipped.get("skipped")), ("0", "1"))

    def test_page(self):
        done = self.compare("slower", "-o", "x.html")
        self.assertEqual(done.returncode, 3, done.stderr)
        page = (self.scratch / "x.html").read_text()
        self.assertIn("<!doctype html>", page.lower())
        self.assertIn("GET /pay", page)
        # The distributions of both sides lie over each other.
        self.assertIn('class="curve"', page)
        self.assertIn("base all runs", page)

    def test_usage(self):
        base, new = self.pairs["equal"]
        self.assert_refused(self.tailcap("compare", base), 2, "BASE... -- NEW...")
        self.assert_refused(self.tailcap("compare", "--", new), 2, "BASE... -- NEW...")
        self.assert_refused(self.tailcap("compare", base, "--", self.scratch), 2, "no capture")
        done = self.tailcap("compare", base, "--", new, "--fail-on", "p99(/pay) > 10%")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("column 13", done.stderr)
        self.assertEqual(self.tailcap("compare", base, "--", "absent.tcap").returncode, 1)


if __name__ == "__main__":
    case.main()
