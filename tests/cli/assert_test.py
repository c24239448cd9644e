#!/usr/bin/env python3
"""`tailcap assert` on recordings of which everything is known.

    tests/cli/assert_test.py --build build/release [unittest arguments]
"""
import json
import pathlib
import re
import tempfile
import xml.etree.ElementTree

import case
import runs

try:
    import jsonschema
    import yaml
except ImportError:  # of another Python than the distribution's
    jsonschema = yaml = None


class Assert(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tailcap-assert-")
        cls.addClassCleanup(cls.folder.cleanup)
        root = pathlib.Path(cls.folder.name)
        # 5 ms, one in sixty 15 ms; two calls, which take 0.9 of it; 2 % fail, spread over the run.
        cls.large = runs.write(root, "large", number=1, requests=4000, calls=2, rate=60)
        cls.small = runs.write(root, "small", number=2, requests=100)
        cls.bad = runs.write(root, "bad", number=3, requests=2000, errors=400)

    def asserted(self, limits, *arguments, capture=None, route="GET /pay"):
        (self.scratch / "slo.yaml").write_text(f"slos:\n  - route: {route}\n    at_most: {limits}\n")
        return self.tailcap("assert", capture or self.large, "--slo", "slo.yaml", *arguments)

    def test_limits_that_are_kept_and_broken(self):
        for limits, code in (("{p50: 6ms}", 0), ("{p50: 4ms}", 3), ("{p99: 20ms}", 0), ("{p99: 10ms}", 3), ("{mean: 5.5ms}", 0), ("{mean: 5ms}", 3), ("{errors: 1%}", 0),
                             ("{calls: 2}", 0), ("{calls: 1.5}", 3), ("{waits: 2, wakeups: 2}", 0), ("{waits: 1}", 3), ("{collections: 1}", 4), ("{allocations: 1}", 4), ("{response_bytes: 2}", 0), ("{down.wait: 4ms}", 3), ("{down.wait: 6ms}", 0), ("{down.wait: 50%}", 3), ("{down.wait: 95%}", 0)):
            self.assertEqual(self.asserted(limits).returncode, code, limits)
        self.assertEqual(self.asserted("{errors: 5%}", capture=self.bad).returncode, 4, "400 failures in a row are one independent event")

    def test_too_little_data_is_undecided(self):
        done = self.asserted("{p99: 200ms}", capture=self.small)
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertIn("too few", " ".join(done.stdout.split()))
        done = self.asserted("{p99: 200ms}", route="/none")
        self.assertEqual(done.returncode, 4)
        self.assertIn("no request of this route was recorded", " ".join(done.stdout.split()))
        self.assertEqual(self.asserted("{p99: 200ms}", "--undecided", "pass", route="/none").returncode, 0)
        self.assertEqual(self.asserted("{p99: 200ms}", "--undecided", "fail", route="/none").returncode, 3)
        cut = case.SAMPLES / "cut-short/cut-short.tcap"
        self.assertEqual(self.asserted("{p50: 1h}", capture=cut, route="'*'").returncode, 4)

    def test_every_capture_and_every_route(self):
        (self.scratch / "slo.yaml").write_text("slos: [{route: '*', at_most: {calls: 1}}]")
        done = self.tailcap("assert", self.small, self.large, "--slo", "slo.yaml", "--json")
        self.assertEqual(done.returncode, 3)
        self.assertEqual([(r["capture"], r["value"], r["verdict"]) for r in json.loads(done.stdout)["results"]], [("small.tcap", 1, "pass"), ("large.tcap", 2, "fail")])

    def test_explain_shows_what_is_kept(self):
        self.assertNotIn("p50", self.asserted("{p50: 6ms}").stdout)
        explained = self.asserted("{p50: 6ms}", "--explain").stdout
        self.assertIn("p50 ≤ 6ms", explained)

    def test_junit(self):
        suite = xml.etree.ElementTree.fromstring(self.asserted("{p50: 4ms, p99: 20ms}", "--format", "junit").stdout)
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("2", "1", "0"))

    WRONG = (
        ("slos:\n  - route: /a\n    at_most: {p98: 1ms}", "3:15", "unknown key 'p98'"),
        ("slos:\n  - rout: /a", "2:5", "did you mean 'route'?"),
        ("slos:\n  - route: /a\n    at_most: {p99: 1}", "3:20", "a time like 200ms"),
        ("slos:\n  - route: /a\n    at_most: {p99: 1ms, p99: 2ms}", "3:25", "given twice"),
        ("slos:\n  - route: /a\n    at_most: {errors: 5ms}", "3:23", "a percentage"),
        ("slos:\n  - route: /a\n    at_most: {errors: 101%}", "3:23", "a percentage"),
        ("slos:\n  - at_most: {p99: 1ms}", "2:5", "the route is missing"),
        ("slos:\n  - route: /a", "2:5", "at_most is missing"),
        ("slos: {}", "1:7", "slos is a list"),
        ("slos: []", "1:1", "there are no slos"),
        ("slos:\n  - [", "", ""),
        ("", "", ""),
        ("--- 1\n--- 2", "1:1", "one YAML document"),
        ("- a", "1:1", "a map"),
    )

    def test_errors_have_line_and_column(self):
        for text, place, words in self.WRONG:
            (self.scratch / "slo.yaml").write_text(text)
            done = self.tailcap("assert", self.small, "--slo", "slo.yaml")
            self.assert_refused(done, 2, words)
            self.assertRegex(done.stderr, r"^tailcap assert: slo\.yaml:" + (re.escape(place) if place else r"(\d+:\d+)?"), text)
        self.assertEqual(self.tailcap("assert", self.small, "--slo", "absent.yaml").returncode, 1)
        self.assert_refused(self.tailcap("assert", self.small), 2, "--slo")

    def test_hostile_files_end(self):
        for text in ("[" * 100_000, "a: &a [*a]", "slos: &s\n  - *s", "{" * 50_000, "\0", "\xff" * 100, "a" * (2 << 20),
                     "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nslos: [*c,*c]"):
            (self.scratch / "slo.yaml").write_text(text, encoding="latin-1")
            self.assertEqual(self.tailcap("assert", self.small, "--slo", "slo.yaml").returncode, 2, text[:20])

    def test_the_schema_agrees(self):
        if not jsonschema:
            self.skipTest("no jsonschema or yaml")
        schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/slo.schema.json").read_text()))
        schema.check_schema(schema.schema)
        good = "slos:\n  - name: a\n    route: '*'\n    at_most: {p99: 200ms, mean: 1m30s, errors: 0.5%, calls: 3, response_bytes: 4kB, lock.futex: 10%, cpu: 5ms, no_account: 1ms}"
        self.assertTrue(schema.is_valid(yaml.safe_load(good)))
        (self.scratch / "slo.yaml").write_text(good)
        self.assertIn(self.tailcap("assert", self.small, "--slo", "slo.yaml").returncode, (0, 3, 4))
        for text, _, words in self.WRONG:
            if words and "twice" not in words and "document" not in words and "101" not in text:
                self.assertFalse(schema.is_valid(yaml.safe_load(text)), text)
        # Every metric that the program knows is in the schema, and no other.
        listed = set(schema.schema["properties"]["slos"]["items"]["properties"]["at_most"]["properties"])
        for name in listed:
            (self.scratch / "slo.yaml").write_text(f"slos: [{{route: '*', at_most: {{{name}: 0x}}}}]")
            self.assertIn(f"the limit of {name} is", self.tailcap("assert", self.small, "--slo", "slo.yaml").stderr)
        labels = set(re.findall(r"^\| `([a-z0-9_.]+)` \|", (case.ROOT / "docs/LABELS.md").read_text(), re.M))
        self.assertLessEqual(labels & listed, labels)


if __name__ == "__main__":
    case.main()
