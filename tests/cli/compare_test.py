#!/usr/bin/env python3
"""`tailcap compare` on recordings of which everything is known.

    tests/cli/compare_test.py --build build/release [unittest arguments]
"""
import html
import json
import pathlib
import re
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
        for name, base, new in (
            ("equal", LONG, LONG),
            ("slower", LONG, {**LONG, "ms": 7}),
            ("calls", LONG, {**LONG, "calls": 2}),
            ("errors", LONG, {**LONG, "errors": 140}),
            ("failed", LONG, {**LONG, "failing_every": 20}),
            ("version", {**LONG, "version": "7"}, {**LONG, "ms": 7, "version": "7"}),
        ):
            (root / name).mkdir()
            cls.pairs[name] = runs.abba(root / name, base, new)

    def compare(self, name, *arguments):
        base, new = self.pairs[name]
        return self.tailcap("compare", base, "--", new, *arguments)

    def judged(self, name, *arguments, code):
        done = self.compare(name, "--json", *arguments)
        self.assertEqual(
            done.returncode, code, done.stderr + str(json.loads(done.stdout)["sentence"] if done.stdout else "")
        )
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
        fixed = ("calls", "connects", "lookups", "retries", "failed_calls", "response_bytes", "waits.timer.sleep")
        self.assertEqual(set(gates), {(metric, "/pay") for metric in ("p99", "errors", "own_p99", "own_mean", *fixed)})
        for metric in fixed:
            self.assertTrue(gates[metric, "/pay"]["estimate"]["exact"], metric)
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
            for route in self.judged(name, code={"equal": 0, "slower": 3, "calls": 3}[name])["routes"]:
                for table in (route["mean"], route["slowest"]):
                    for key in ("base_ns", "new_ns", "difference_ns"):
                        self.assertEqual(sum(label[key] for label in table["labels"]), table[key])

    def test_one_more_call_fails_by_default(self):
        document = self.judged("calls", code=3)
        (failing,) = [gate for gate in document["gates"] if gate["verdict"] == "fail"]
        self.assertEqual((failing["metric"], failing["estimate"]["exact"]), ("calls", True))
        text = " ".join(self.compare("calls").stdout.split())
        self.assertIn(
            "Unchanged and exact in 1 route: connects, lookups, retries, failed_calls, response_bytes, "
            "waits.timer.sleep per request.",
            text,
        )

    def test_one_more_call_is_exact(self):
        document = self.judged("calls", "--fail-on", "calls(/pay) > +0", code=3)
        gate = document["gates"][0]
        self.assertEqual((gate["estimate"]["base"], gate["estimate"]["new"], gate["estimate"]["exact"]), (1, 2, True))
        self.assertIn("; 2 calls of `GET /stock` a request, 1 before", gate["sentence"])
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

    def test_calls_that_fail_while_requests_succeed_fail_by_default(self):
        document = self.judged("failed", code=3)
        (failing,) = [gate for gate in document["gates"] if gate["verdict"] == "fail"]
        self.assertEqual(failing["metric"], "failed_calls")
        self.assertEqual(failing["estimate"]["base"], 0)
        self.assertAlmostEqual(failing["estimate"]["new"], 1 / 20, delta=0.002)
        self.assertEqual(self.gates(document)["errors", "/pay"]["estimate"]["difference"], 0)
        self.assertIn("failed_calls > +0.002 ", self.compare("failed").stdout)

    def test_what_is_flagged_fails_only_if_fresh_runs_show_it_again(self):
        runs_a_side = len(list(self.pairs["slower"][0].glob("*.tcap")))
        document = self.judged("slower", "--screened", str(runs_a_side), code=4)
        gate = self.gates(document)["p99", "/pay"]
        self.assertEqual(
            (gate["verdict"], gate["missing"]), ("undecided", ["flagged; it fails only if fresh runs show it again"])
        )
        self.assertEqual((document["parameters"]["alpha"], document["parameters"]["screened"]), (0.05, runs_a_side))
        document = self.judged("slower", "--screened", "2", "--min-runs", "2", code=3)
        self.assertEqual(
            (self.gates(document)["p99", "/pay"]["verdict"], document["parameters"]["alpha"]), ("fail", 0.005)
        )
        self.assertEqual(self.compare("equal", "--screened", "2", "--min-runs", "2").returncode, 0)
        done = self.tailcap("compare", "--self", self.pairs["equal"][0], "--screened", "2")
        self.assertEqual(done.returncode, 2, done.stdout)

    def test_one_version_never_fails(self):
        document = self.judged("version", code=4)
        self.assertEqual(document["same_version"], "version 7")
        self.assertIn("nothing fails", self.gates(document)["p99", "/pay"]["missing"][0])

    def test_what_is_undecided_says_what_is_missing(self):
        base, new = self.pairs["slower"]
        some = [sorted(side.glob("*.tcap"))[:3] for side in (base, new)]
        for code, arguments in (
            (4, []),
            (0, ["--undecided", "pass"]),
            (3, ["--undecided", "fail"]),
            (3, ["--min-runs", "3"]),
        ):
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
        for expression, code in (
            ("p99(/pay) > +60%", 0),
            ("p99(/pay) > +20%", 3),
            ("p50(GET /pay) > +1ms", 3),
            ("p50(/pay) > +4ms", 0),
            ("down.wait(/pay) > +1ms", 3),
            ("p99(/none) > +10%", 4),
        ):
            self.assertEqual(self.compare("slower", "--fail-on", expression).returncode, code, expression)

    def test_self(self):
        done = self.tailcap("compare", "--self", self.pairs["equal"][0])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("this measures the noise of the machine", " ".join(done.stdout.split()))

    def test_markdown_fits_a_comment(self):
        for name in self.pairs:
            lines = self.compare(name, "--format", "md").stdout.splitlines()
            self.assertLessEqual(len([line for line in lines if line]), 25, name)
            self.assertIn("| verdict | gate |", "\n".join(lines))

    def test_junit(self):
        failing = xml.etree.ElementTree.fromstring(self.compare("slower", "--format", "junit").stdout)
        self.assertEqual((failing.get("tests"), failing.get("failures"), failing.get("skipped")), ("10", "3", "0"))
        self.assertIn("p99 of GET /pay +", failing.find(".//failure").get("message"))
        skipped = xml.etree.ElementTree.fromstring(self.compare("version", "--format", "junit").stdout)
        self.assertEqual((skipped.get("failures"), skipped.get("skipped")), ("0", "3"))

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
        self.assert_refused(self.tailcap("compare", base), 2, "like base/ -- new/")
        self.assert_refused(self.tailcap("compare", "--", new), 2, "like base/ -- new/")
        self.assert_refused(self.tailcap("compare", base, "--", self.scratch), 2, "no capture")
        done = self.tailcap("compare", base, "--", new, "--fail-on", "p99(/pay) > 10%")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("column 13", done.stderr)
        self.assertEqual(self.tailcap("compare", base, "--", "absent.tcap").returncode, 1)

    def test_one_slow_request_of_each_side(self):
        """The page shows the request of each side that is nearest to its p99, and the commands that show more of it."""
        self.assertEqual(self.compare("slower", "-o", "x.html").returncode, 3)
        page = html.unescape(re.sub(r"<[^>]+>", " ", (self.scratch / "x.html").read_text()))
        self.assertIn("One slow request of each side: GET /pay", page)
        commands = re.findall(r"tailcap show (\S+\.tcap) (\d+\.\d+)", page)
        self.assertEqual([pathlib.Path(path).parent.name for path, _ in commands], ["base", "new"])
        took = []
        for path, request in commands:
            shown = self.tailcap("show", path, request, "--json")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            took.append(json.loads(shown.stdout)["end"]["request"]["duration_ns"] / 1e6)
        # The truth: the slowest take three times 5 and 7 ms.
        self.assertAlmostEqual(took[0], 15, delta=0.5)
        self.assertAlmostEqual(took[1], 21, delta=0.7)
        # Where nothing fails, the route that changed most is shown.
        self.assertEqual(self.compare("equal", "-o", "y.html").returncode, 0)
        self.assertIn("One slow request of each side: GET /pay", (self.scratch / "y.html").read_text())

    def test_waits_are_counted(self):
        """Every call is one wait of the thread, which a wake-up ends: that is in the recording's text."""
        document = self.judged("calls", "--fail-on", "waits(/pay) > +0", "--fail-on", "wakeups(/pay) > +0", code=3)
        for gate in document["gates"]:
            self.assertEqual(
                (gate["estimate"]["base"], gate["estimate"]["new"], gate["estimate"]["exact"], gate["verdict"]),
                (1, 2, True, "fail"),
            )
        self.assertEqual(self.compare("equal", "--fail-on", "waits(/pay) > +0").returncode, 0)

    def test_what_was_not_recorded_is_undecided_and_says_which_option_records_it(self):
        for metric, option in (("collections", "--add go"), ("allocations", "--add allocations")):
            gate = self.judged("equal", "--fail-on", f"{metric}(/pay) > +0", code=4)["gates"][0]
            self.assertIn(f"tailcap record {option}", " ".join(gate["missing"]))

    def test_allocations_per_request(self):
        """A process that serves one route: 30 and 36 allocations a second, of 60 requests a second."""
        for kind in ("go_allocations", "malloc_calls"):
            for side, each in (("base", 30), ("new", 36)):
                folder = self.scratch / kind / side
                folder.mkdir(parents=True)
                for n in range(5):
                    number = 4 * (n // 2) + {("base", 0): 0, ("new", 0): 1, ("new", 1): 2, ("base", 1): 3}[side, n % 2]
                    lines = runs.text(number=number, **LONG).splitlines()
                    lines += [
                        f"+{second}.5 {kind} pid=10 tid=10 least=16 count={each} bytes={16 * each}"
                        for second in range(11)
                    ]
                    lines[1:] = sorted(lines[1:], key=lambda line: float(line.split()[0]))
                    runs.write_text(folder, f"run{n}", "\n".join(lines) + "\n")
            sides = (f"{kind}/base", "--", f"{kind}/new")
            done = self.tailcap("compare", *sides, "--fail-on", "allocations(/pay) > +1%", "--json")
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            estimate = json.loads(done.stdout)["gates"][0]["estimate"]
            self.assertAlmostEqual(estimate["base"], 0.5, delta=0.01)
            self.assertAlmostEqual(estimate["new"], 0.6, delta=0.01)
            gates = json.loads(self.tailcap("compare", *sides, "--json").stdout)["gates"]
            self.assertEqual([g["metric"] for g in gates if g["verdict"] == "fail"], ["allocations"])

    def built_of(self, side, program, version, modules, revision, build_id, path=None):
        """A run of a Go program whose build information says so."""
        lines = "".join(
            "\\t".join(line) + "\\n"
            for line in [
                ("path", "example.org/" + program),
                ("mod", "example.org/" + program, "(devel)", ""),
                *(("dep", *m) if m[0] != "=>" else m for m in modules),
                ("build", "vcs=git"),
                ("build", "vcs.revision=" + revision),
                ("build", "vcs.modified=false"),
            ]
        )
        text = runs.text(number=self.number, **{**LONG, "requests": 120}).splitlines()
        path = path or f"/srv/{side}/{program}"
        text[2:2] = [
            f'+0 go_program pid=10 tid=10 path="{path}" version="{version}"',
            f'+0 go_build pid=10 tid=10 path="{path}" lines="{lines}"',
            f'+0 mapping pid=10 tid=10 start=4096 end=8192 path="{path}" build_id="{build_id}"',
            '+0 mapping pid=10 tid=10 start=12288 end=16384 path="/lib/libc.so.6" build_id="same"',
        ]
        folder = self.scratch / side
        folder.mkdir(exist_ok=True)
        runs.write_text(folder, f"run{self.number}", "\n".join(text) + "\n")
        self.number += 1

    def test_what_differs_in_the_software(self):
        """Go's version, modules, revisions and build ids, as the recordings hold them; a fact, which decides nothing."""
        self.number = 1
        same = [("golang.org/x/net", "v0.7.0", "h1:x")]
        for _ in range(2):
            self.built_of(
                "base",
                "pay",
                "go1.21.1",
                [
                    ("google.golang.org/grpc", "v1.33.3", "h1:a"),
                    ("example.org/gone", "v1.0.0", "h1:b"),
                    ("example.org/prices", "v1.2.3", ""),
                    ("=>", "../prices", "(devel)", ""),
                    *same,
                ],
                "3f2a91c0b1d2aaaa",
                "\\x12\\x34",
            )
            self.built_of(
                "new",
                "pay",
                "go1.22.3",
                [
                    ("google.golang.org/grpc", "v1.34.0", "h1:a"),
                    ("example.org/came", "v0.1.0", "h1:b"),
                    ("example.org/prices", "v1.2.4", "h1:c"),
                    *same,
                ],
                "77aa00112233bbbb",
                "\\xab\\xcd",
            )
        done = self.tailcap("compare", "base", "--", "new", "--json")
        document = json.loads(done.stdout)
        if jsonschema:
            schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/compare.schema.json").read_text()))
            self.assertEqual([e.message for e in schema.iter_errors(document)], [])
        self.assertEqual(document["tailcap"], self.tailcap("--version").stdout.split()[1])
        self.assertEqual(
            [(c["what"], c["program"], c["module"], c["base"], c["new"]) for c in document["software"]],
            [
                ("revision", "example.org/pay", None, ["3f2a91c0b1d2aaaa"], ["77aa00112233bbbb"]),
                ("go_version", "example.org/pay", None, ["go1.21.1"], ["go1.22.3"]),
                ("module", "example.org/pay", "example.org/came", [], ["v0.1.0"]),
                ("module", "example.org/pay", "example.org/gone", ["v1.0.0"], []),
                ("module", "example.org/pay", "example.org/prices", ["v1.2.3 => ../prices (devel)"], ["v1.2.4"]),
                ("module", "example.org/pay", "google.golang.org/grpc", ["v1.33.3"], ["v1.34.0"]),
                ("build_id", "pay", None, ["1234"], ["abcd"]),
            ],
        )
        text = self.tailcap("compare", "base", "--", "new", "--width", "200").stdout
        for words in (
            "revision 3f2a91c0b1d2 → 77aa00112233",
            "Go go1.21.1 → go1.22.3",
            "example.org/came v0.1.0 added",
            "example.org/gone v1.0.0 removed",
            "and 2 more",
            "What differs in the software",
        ):
            self.assertIn(words, text)
        brief = self.tailcap("compare", "base", "--", "new", "--format", "md").stdout
        self.assertIn("v1.2.3 => ../prices (devel) → v1.2.4", html.unescape(brief.replace("\\", "")))
        self.assertNotIn("libc", brief)
        self.assertLessEqual(len([line for line in brief.splitlines() if line]), 25)
        self.assertIn(
            "google.golang.org/grpc", self.tailcap("compare", "base", "--", "new", "--format", "html", "-o", "-").stdout
        )

    def test_hostile_modules(self):
        """Build information is what a program says of itself."""
        self.number = 1
        bad = "\\x1b]0;x\\x07<img src=x>[a](http://e)`id`|x"
        for n, side in enumerate(("base", "new")):
            self.built_of(
                side,
                "pay",
                f"go1.{n}{bad}",
                [(bad, f"v1.{n}", ""), *((f"example.org/m{i}", f"v1.{n}.0", "") for i in range(400))],
                f"aa{n}{bad}",
                "\\x12",
                path="/srv/" + bad,
            )
        for form in ("text", "md", "json", "junit", "html"):
            out = self.tailcap("compare", "base", "--", "new", "--format", form, "-o", "-").stdout
            self.assertNotRegex(out, "[\x00-\x08\x0b-\x1f\x7f]", form)
            if form in ("md", "html"):
                self.assertNotIn("<img", out, form)
            if form == "md":
                self.assertNotRegex(out, r"(?<!\\)\[a\]")
                self.assertLessEqual(len([line for line in out.splitlines() if line]), 25)
                self.assertIn("and 398 more", out)
            if form == "html":
                self.assertIn("203 more are not shown", out)
        self.assertEqual(
            len(json.loads(self.tailcap("compare", "base", "--", "new", "--json").stdout)["software"]), 403
        )

    def test_software_that_one_side_does_not_say(self):
        """Programs and files that were not recorded on both sides are not mentioned."""
        self.number = 1
        self.built_of("base", "pay", "go1.21.1", [("a.org/x", "v1.0.0", "")], "aa", "\\x12")
        self.built_of("base", "log", "go1.21.1", [("a.org/x", "v1.0.0", "")], "aa", "\\x13")
        self.built_of("new", "pay", "go1.21.1", [("a.org/x", "v1.1.0", "")], "aa", "\\x12")
        software = json.loads(self.tailcap("compare", "base", "--", "new", "--json").stdout)["software"]
        self.assertEqual(
            [(c["what"], c["program"], c["base"], c["new"]) for c in software],
            [("module", "example.org/pay", ["v1.0.0"], ["v1.1.0"])],
        )
        # The only program of each side is compared, whatever its name.
        (self.scratch / "base/run2.tcap").unlink()
        (self.scratch / "new/run3.tcap").unlink()
        self.built_of("new", "payment", "go1.21.1", [("a.org/x", "v1.2.0", "")], "aa", "\\x14")
        software = json.loads(self.tailcap("compare", "base", "--", "new", "--json").stdout)["software"]
        self.assertIn(
            ("module", "a.org/x", ["v1.0.0"], ["v1.2.0"]),
            [(c["what"], c["module"], c["base"], c["new"]) for c in software],
        )
        self.assertEqual(self.judged("equal", code=0)["software"], [])

    def test_one_capture_a_side(self):
        """Undecided without other runs, whatever the difference; with eight of them, what is far beyond their noise fails."""
        long = {"requests": 1300, "rate": 60}
        noise = self.scratch / "noise"
        noise.mkdir()
        for n in range(8):
            runs.write(noise, f"noise{n}", number=n, **long)
        base, same, slow = (
            runs.write(self.scratch, name, number=number, **{**long, **what})
            for name, number, what in (("base", 10, {}), ("same", 11, {}), ("slow", 12, {"ms": 10}))
        )
        gate = ("--fail-on", "p50(/pay) > +20%")
        for arguments, code in (
            ((slow, *gate), 4),
            ((slow, *gate, "--noise", noise), 3),
            ((same, *gate, "--noise", noise), 0),
            ((slow, *gate, "--noise", noise, "--method", "runs-welch"), 4),
            ((slow, *gate, "--noise", noise / "noise1.tcap"), 4),
            ((slow, "--fail-on", "p99(/pay) > +20%", "--noise", noise), 4),
        ):
            done = self.tailcap("compare", base, "--", *arguments, "--json")
            self.assertEqual(done.returncode, code, f"{arguments} {done.stdout} {done.stderr}")
        document = json.loads(self.tailcap("compare", base, "--", slow, *gate, "--noise", noise, "--json").stdout)
        self.assertEqual((document["method"], document["parameters"]["noise_runs"]), ("blocks", 8))
        self.assertIn("runs vary more than one run shows", " ".join(document["remarks"]))
        done = self.tailcap("compare", base, same, "--", slow, "--noise", noise)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--noise is for one capture a side", done.stderr)


if __name__ == "__main__":
    case.main()
