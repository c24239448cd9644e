#!/usr/bin/env python3
"""`tailcap assert` on recordings of which everything is known.

    tests/cli/assert_test.py --build build/release [unittest arguments]
"""
import hashlib
import json
import pathlib
import random
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
        for limits, code in (
            ("{p50: 6ms}", 0),
            ("{p50: 4ms}", 3),
            ("{p99: 20ms}", 0),
            ("{p99: 10ms}", 3),
            ("{own_p99: 20ms, own_mean: 5.5ms}", 0),
            ("{own_p99: 10ms}", 3),
            ("{own_mean: 5ms}", 3),
            ("{mean: 5.5ms}", 0),
            ("{mean: 5ms}", 3),
            ("{errors: 1%}", 0),
            ("{calls: 2}", 0),
            ("{calls: 1.5}", 3),
            ("{waits: 2, wakeups: 2}", 0),
            ("{waits: 1}", 3),
            ("{waits.down.wait: 2, waits.timer.sleep: 0}", 0),
            ("{waits.down.wait: 1}", 3),
            ("{collections: 1}", 4),
            ("{allocations: 1}", 4),
            ("{response_bytes: 2}", 0),
            ("{down.wait: 4ms}", 3),
            ("{down.wait: 6ms}", 0),
            ("{down.wait: 50%}", 3),
            ("{down.wait: 95%}", 0),
        ):
            self.assertEqual(self.asserted(limits).returncode, code, limits)
        self.assertEqual(
            self.asserted("{errors: 5%}", capture=self.bad).returncode,
            4,
            "400 failures in a row are one independent event",
        )

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
        self.assertEqual(
            [(r["capture"], r["value"], r["verdict"]) for r in json.loads(done.stdout)["results"]],
            [("small.tcap", 1, "pass"), ("large.tcap", 2, "fail")],
        )

    def test_explain_shows_what_is_kept(self):
        self.assertNotIn("p50", self.asserted("{p50: 6ms}").stdout)
        explained = self.asserted("{p50: 6ms}", "--explain").stdout
        self.assertIn("p50 ≤ 6ms", explained)

    def test_junit(self):
        suite = xml.etree.ElementTree.fromstring(self.asserted("{p50: 4ms, p99: 20ms}", "--format", "junit").stdout)
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("2", "1", "0"))
        properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
        self.assertEqual(
            properties,
            {
                "tailcap.version": self.version(),
                "tailcap.slo.file": "slo.yaml",
                "tailcap.slo.sha256": self.sha256(),
                "tailcap.observed": "false",
            },
        )

    def version(self):
        return self.tailcap("--version").stdout.split()[1]

    def sha256(self):
        return hashlib.sha256((self.scratch / "slo.yaml").read_bytes()).hexdigest()

    def test_the_result_says_which_limits_were_used(self):
        document = json.loads(self.asserted("{p50: 6ms}", "--json").stdout)
        self.assertEqual(
            (document["slo"], document["tailcap"]), ({"file": "slo.yaml", "sha256": self.sha256()}, self.version())
        )

    def observed(self, capture, limits, *arguments, route="POST /pay"):
        """Verdicts of the only limit, by the interval and by the value."""
        out = []
        for by in ((), ("--observed",)):
            done = self.asserted(limits, "--json", *by, *arguments, capture=capture, route=route)
            document = json.loads(done.stdout)
            self.assertEqual(document["observed"], bool(by))
            (result,) = document["results"]
            self.assertEqual(done.returncode, {"pass": 0, "fail": 3, "undecided": 4}[result["verdict"]], done.stderr)
            out.append((result["verdict"], result["observed"]))
        return out

    def exact(self, durations, **what):
        return runs.write_text(self.scratch, "exact", runs.exact(durations, **what))

    def test_availability_at_its_boundary(self):
        """99.95 % of 10,000 requests: 5 may fail, 6 may not. Neither is sure of the next recording."""
        for failures, verdict in ((5, "pass"), (6, "fail")):
            failed = random.Random(failures).sample(range(10_000), failures)
            capture = self.exact([1000] * 10_000, failed=failed)
            self.assertEqual(
                self.observed(capture, "{errors: 0.05%}"), [("undecided", False), (verdict, True)], failures
            )
        # Far from the limit both agree, and the interval has decided.
        self.assertEqual(self.observed(capture, "{errors: 1%}"), [("pass", False)] * 2)
        self.assertEqual(self.observed(capture, "{errors: 0.01%}"), [("fail", False)] * 2)

    def test_every_percentage_is_exact(self):
        """7 of 10,000 is 0.07 %, although 0.07 / 100 is a little more in binary."""
        capture = self.exact([1000] * 10_000, failed=range(7, 10_000, 1428), refused=range(5, 10_000, 5000))
        for limits, verdict in (
            ("{errors: 0.07%}", "pass"),
            ("{errors: 0.0699%}", "fail"),
            ("{client_errors: 0.02%}", "pass"),
            ("{client_errors: 0.019%}", "fail"),
        ):
            self.assertEqual(self.observed(capture, limits)[1], (verdict, True), limits)

    def test_a_percentile_at_its_boundary(self):
        """p99 of 1,000 requests is the 990th: 300 ms is at most 300 ms, a microsecond more is not."""
        for ms, verdict in ((300_000, "pass"), (300_001, "fail"), (301_000, "fail")):
            durations = [100_000] * 980 + [ms] * 15 + [400_000] * 5
            random.Random(1).shuffle(durations)
            self.assertEqual(self.observed(self.exact(durations), "{p99: 300ms}")[1][0], verdict, ms)

    def test_few_requests_decide_nothing(self):
        capture = self.exact([1000] * 50)
        for limits in ("{p99: 300ms}", "{errors: 0.05%}"):
            self.assertEqual(self.observed(capture, limits), [("undecided", False)] * 2, limits)
        done = self.asserted("{errors: 0.05%}", "--observed", capture=capture, route="POST /pay")
        self.assertIn("50 requests are too few: needs 2000", " ".join(done.stdout.split()))
        self.assertEqual(self.observed(self.exact([1000] * 100), "{p99: 300ms}")[1], ("pass", True))
        self.assertEqual(self.observed(self.exact([1000] * 99), "{p99: 300ms}")[1], ("undecided", False))
        self.assertEqual(self.observed(self.exact([1000] * 49), "{mean: 300ms}")[1], ("undecided", False))
        # What is the same in every request needs no number of them.
        self.assertEqual(self.observed(self.exact([1000] * 3), "{calls: 0}"), [("pass", False)] * 2)

    def test_an_incomplete_capture_decides_nothing(self):
        cut = case.SAMPLES / "cut-short/cut-short.tcap"
        self.assertEqual(self.asserted("{p50: 1h}", "--observed", capture=cut, route="'*'").returncode, 4)

    def test_what_is_in_doubt_may_be_anything(self):
        """100 of 1,000 requests have no known end. All of them could have failed, or been slow."""
        lines = runs.exact([1000] * 1000, failed=range(0, 1000, 100)).splitlines()
        sends = [i for i, line in enumerate(lines) if " send " in line]
        doubtful = [sends[i] for i in range(5, 1000, 10)]
        for i in doubtful:  # lost: the stream goes on behind them
            lines[i] = None
        capture = runs.write_text(self.scratch, "doubt", "\n".join(line for line in lines if line) + "\n")
        rows = [json.loads(line) for line in self.tailcap("requests", capture, "--json").stdout.splitlines()]
        sure = [r for r in rows if r["duration_ns"] is not None and not r["tainted"]]
        self.assertLess(len(sure), 1000)
        for limits, verdict in (
            ("{errors: 5%}", "undecided"),
            ("{errors: 50%}", "pass"),
            ("{errors: 0.1%}", "fail"),
            ("{p50: 2ms}", "pass"),
            ("{p99: 2ms}", "undecided"),
        ):
            self.assertEqual(self.observed(capture, limits)[1][0], verdict, limits)

    def test_role(self):
        """Served requests are meant where any were recorded, unless the file says otherwise."""
        for role, routes in (("", ["/pay"]), ("role: server, ", ["/pay"]), ("role: client, ", ["/stock"])):
            (self.scratch / "slo.yaml").write_text(f"slos: [{{route: '*', {role}at_most: {{p50: 1h}}}}]")
            results = json.loads(self.tailcap("assert", self.large, "--slo", "slo.yaml", "--json").stdout)["results"]
            self.assertEqual([r["route"] for r in results], routes, role)

    def test_check(self):
        """The file is read without a capture; what is wrong has its place."""
        (self.scratch / "slo.yaml").write_text("slos: [{route: '*', at_most: {p50: 1h, errors: 1%}}]")
        done = self.tailcap("assert", "--slo", "slo.yaml", "--check")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "slo.yaml: 2 limits\n", ""))
        for text, place, words in self.WRONG:
            (self.scratch / "slo.yaml").write_text(text)
            done = self.tailcap("assert", "--check", "--slo", "slo.yaml")
            self.assert_refused(done, 2, words)
            self.assertRegex(
                done.stderr, r"^tailcap assert: slo\.yaml:" + (re.escape(place) if place else r"(\d+:\d+)?"), text
            )
        self.assert_refused(self.tailcap("assert", self.small, "--slo", "slo.yaml", "--check"), 2, "takes no captures")
        self.assert_refused(self.tailcap("assert", "--slo", "slo.yaml", "--check", "--json"), 2, "no --format")
        self.assert_refused(self.tailcap("assert", "--slo", "slo.yaml"), 2, "no file given")
        self.assertEqual(self.tailcap("assert", "--check", "--slo", "absent.yaml").returncode, 1)

    def test_every_example_in_the_documents(self):
        found = 0
        for path in sorted((case.ROOT / "docs").glob("*.md")):
            for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.M | re.S):
                if not re.search(r"^slos:", block, re.M):
                    continue
                (self.scratch / "slo.yaml").write_text(block)
                done = self.tailcap("assert", "--check", "--slo", "slo.yaml")
                self.assertEqual(done.returncode, 0, f"{path}: {done.stderr}\n{block}")
                found += 1
        example = re.search(r"^  slos:\n(?:    .*\n)+", self.tailcap("assert", "--help").stdout, re.M).group()
        (self.scratch / "slo.yaml").write_text(example)
        self.assertEqual(self.tailcap("assert", "--check", "--slo", "slo.yaml").returncode, 0, example)
        self.assertGreaterEqual(found, 2)

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
        ("slos:\n  - route: /a\n    role: both\n    at_most: {p99: 1ms}", "3:11", "server or client"),
        ("slos:\n  - route: /a\n    for: soon\n    at_most: {p99: 1ms}", "3:10", "a time like 5m"),
        ("slos:\n  - route: /a\n    period: 1d\n    at_most: {p99: 1ms}", "3:13", "from 7d to 366d"),
        ("slos:\n  - route: /a\n    period: month\n    at_most: {p99: 1ms}", "3:13", "a time like 30d"),
        ("slos:\n  - route: /a\n    severity: []\n    at_most: {p99: 1ms}", "3:15", "a word"),
        ("slos:\n  - route: /a\n    descripton: x\n    at_most: {p99: 1ms}", "3:5", "did you mean 'description'?"),
    )

    def test_errors_have_line_and_column(self):
        for text, place, words in self.WRONG:
            (self.scratch / "slo.yaml").write_text(text)
            done = self.tailcap("assert", self.small, "--slo", "slo.yaml")
            self.assert_refused(done, 2, words)
            self.assertRegex(
                done.stderr, r"^tailcap assert: slo\.yaml:" + (re.escape(place) if place else r"(\d+:\d+)?"), text
            )
        self.assertEqual(self.tailcap("assert", self.small, "--slo", "absent.yaml").returncode, 1)
        self.assert_refused(self.tailcap("assert", self.small), 2, "--slo")

    def test_hostile_files_end(self):
        for text in (
            "[" * 100_000,
            "a: &a [*a]",
            "slos: &s\n  - *s",
            "{" * 50_000,
            "\0",
            "\xff" * 100,
            "a" * (2 << 20),
            "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nslos: [*c,*c]",
        ):
            (self.scratch / "slo.yaml").write_text(text, encoding="latin-1")
            self.assertEqual(self.tailcap("assert", self.small, "--slo", "slo.yaml").returncode, 2, text[:20])

    def test_the_schema_agrees(self):
        if not jsonschema:
            self.skipTest("no jsonschema or yaml")
        schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/slo.schema.json").read_text()))
        schema.check_schema(schema.schema)
        good = "slos:\n  - name: a\n    description: b\n    route: '*'\n    role: server\n    severity: page\n    for: 1m30s\n    period: 30d\n    at_most: {p99: 200ms, mean: 1m30s, errors: 0.5%, calls: 3, response_bytes: 4kB, lock.futex: 10%, waits.lock.futex: 2, cpu: 5ms, no_account: 1ms}"
        self.assertTrue(schema.is_valid(yaml.safe_load(good)))
        (self.scratch / "slo.yaml").write_text(good)
        self.assertIn(self.tailcap("assert", self.small, "--slo", "slo.yaml").returncode, (0, 3, 4))
        for text, _, words in self.WRONG:
            if (
                words
                and "twice" not in words
                and "document" not in words
                and "101" not in text
                and "from 7d" not in words
            ):
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
