#!/usr/bin/env python3
"""`tailcap policy` on recordings of which everything is known, against a second implementation of what it should do.

    tests/cli/policy_test.py --build build/release [unittest arguments]
"""
import bisect
import hashlib
import json
import pathlib
import re
import tempfile

import case
import runs

try:
    import jsonschema
    import yaml
except ImportError:  # of another Python than the distribution's
    jsonschema = yaml = None

MASK = (1 << 64) - 1


def place(key):
    """docs/policy.md: FNV-1a and MurmurHash3's finalizer; the upper 53 bits."""
    h = 0xCBF29CE484222325
    for byte in key.encode():
        h = (h ^ byte) * 0x100000001B3 & MASK
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & MASK
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return ((h ^ h >> 33) >> 11) / 2**53


def quantile(q, values):
    """values: (duration, weight). None where too few of them reach it."""
    values = sorted(values)
    if len(values) * (1 - q) < 1 - 1e-9:
        return None
    whole, total = sum(w for _, w in values), 0
    for value, weight in values:
        total += weight
        if total >= q * whole * (1 - 1e-12):
            return value
    return values[-1][0]


class Policy(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tailcap-policy-")
        cls.addClassCleanup(cls.folder.cleanup)
        root = pathlib.Path(cls.folder.name)
        # 60 a second, 5 ms, one in sixty 15 ms; the first 120 fail.
        cls.pay = runs.write(root, "pay", number=1, requests=1200, calls=0, rate=60, errors=120)
        cls.rows = [
            json.loads(line) for line in case.run(case.program(), "requests", cls.pay, "--json").stdout.splitlines()
        ]
        cls.rows.sort(key=lambda r: r["start_ns"])

    def policy(self, text, *arguments, capture=None):
        (self.scratch / "policy.yaml").write_text(text)
        return self.tailcap("policy", capture or self.pay, "policy.yaml", *arguments)

    def replayed(self, text, **options):
        done = self.policy(text, "--json", "-n", "100000", **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        if jsonschema:
            schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/policy.schema.json").read_text()))
            schema.check_schema(schema.schema)
            self.assertEqual([e.message for e in schema.iter_errors(out)], [])
        self.assertEqual(
            (out["policy"], out["tailcap"]),
            (
                {"file": "policy.yaml", "sha256": hashlib.sha256(text.encode()).hexdigest()},
                self.tailcap("--version").stdout.split()[1],
            ),
        )
        return out

    def start(self, row):
        return row["start_ns"] - self.origin

    @property
    def origin(self):
        """The origin of the offsets in the output: the first event, on the clock of start_ns."""
        return 1_700_000_100_000_000_000

    def test_everything_is_kept_at_100(self):
        out = self.replayed("sampling: {rate: 100%}")["sampling"]
        self.assertEqual((out["all"]["kept"], out["missed_total"], out["missed"]), (1200, 0, []))
        self.assertEqual(out["all"]["truth"], out["all"]["estimate"])
        self.assertEqual(out["all"]["truth"]["errors"], 0.1)
        durations = [(r["duration_ns"], 1) for r in self.rows]
        for q, name in ((0.5, "p50_ns"), (0.95, "p95_ns"), (0.99, "p99_ns")):
            self.assertEqual(out["all"]["truth"][name], quantile(q, durations))

    def test_what_is_kept_and_what_estimates_are_worth(self):
        kept_before = set()
        for rate in (2, 10, 30, 75):
            with self.subTest(rate=rate):
                out = self.replayed(f"sampling: {{rate: {rate}%}}")["sampling"]
                kept = [r for r in self.rows if place(r["trace_id"]) < rate / 100]
                ids = {r["id"] for r in kept}
                self.assertLessEqual(kept_before, ids)
                kept_before = ids
                got, weight = out["all"], 1 / (rate / 100)
                self.assertEqual(got["kept"], len(kept))
                self.assertAlmostEqual(got["estimate"]["count"], len(kept) * weight, places=6)
                failed = sum(r["outcome"] == "server_error" for r in kept)
                self.assertAlmostEqual(got["estimate"]["errors"], failed / len(kept))
                for q, name in ((0.5, "p50_ns"), (0.95, "p95_ns"), (0.99, "p99_ns")):
                    self.assertEqual(
                        got["estimate"][name], quantile(q, [(r["duration_ns"], weight) for r in kept]), name
                    )
                # 1,200 durations: the slowest 5 % are slow (docs/GLOSSARY.md).
                slow = {r["id"] for r in sorted(self.rows, key=lambda r: -r["duration_ns"])[:60]}
                failed = {r["id"] for r in self.rows if r["outcome"] == "server_error"}
                self.assertEqual({m["id"] for m in out["missed"]}, (slow | failed) - ids)
                self.assertEqual((got["slow"], got["failed"]), (60, 120))

    def test_a_rule_that_keeps(self):
        out = self.replayed("sampling: {rate: 10%, keep: 'duration > 12ms || status >= 500'}")["sampling"]
        rule = [r for r in self.rows if r["duration_ns"] > 12_000_000 or r["status"] >= 500]
        chance = [r for r in self.rows if r not in rule and place(r["trace_id"]) < 0.1]
        self.assertEqual((out["all"]["kept"], out["all"]["kept_by_rule"]), (len(rule) + len(chance), len(rule)))
        self.assertAlmostEqual(out["all"]["estimate"]["count"], len(rule) + 10 * len(chance), places=6)
        weighed = [(r["duration_ns"], 1) for r in rule] + [(r["duration_ns"], 10) for r in chance]
        self.assertEqual(out["all"]["estimate"]["p95_ns"], quantile(0.95, weighed))
        self.assertEqual(out["all"]["failed_missed"], 0)
        nothing = self.replayed("sampling: {rate: 0%, keep: status >= 500}")["sampling"]["all"]
        self.assertEqual((nothing["kept"], nothing["never"], nothing["estimate"]["errors"]), (120, 1080, 1))

    def looks(self, holds, every=1_000_000_000, least=0):
        """[(fired, resolved)] of a condition that is asked at every look."""
        ends = sorted(((self.start(r) + r["duration_ns"], r["outcome"] == "server_error") for r in self.rows))
        last, out, since, firing = self.replay_end, [], None, False
        look = every
        while look <= last:
            if holds(ends, look):
                since = look if since is None else since
                if look - since >= least and not firing:
                    firing = True
                    out.append([look, None])
            else:
                since = None
                if firing:
                    out[-1][1] = look
                firing = False
            look += every
        return out

    @property
    def replay_end(self):
        return max(self.start(r) + r["duration_ns"] for r in self.rows)

    @staticmethod
    def within(ends, look, over):
        return ends[bisect.bisect_right(ends, (look - over, True)) : bisect.bisect_right(ends, (look, True))]

    def test_when_conditions_fire(self):
        second = 1_000_000_000

        def errors(ends, look):
            window = self.within(ends, look, 2 * second)
            return bool(window) and sum(f for _, f in window) / len(window) >= 0.5

        def rate(ends, look):
            return len(self.within(ends, look, 3 * second)) / 3 >= 59

        for text, expected in (
            ("{name: a, at_least: {errors: 50%}, over: 2s}", self.looks(errors)),
            ("{name: a, at_least: {errors: 50%}, over: 2s, for: 1s}", self.looks(errors, least=second)),
            ("{name: a, at_least: {rate: 59}, over: 3s}", self.looks(rate)),
            ("{name: a, at_least: {count: 10000}, over: 3s}", []),
            (
                "{name: a, where: status == 200, at_least: {share: 50%}, over: 2s}",
                self.looks(
                    lambda ends, look: sum(not f for _, f in self.within(ends, look, 2 * second))
                    >= len(self.within(ends, look, 2 * second)) / 2
                    > 0
                ),
            ),
        ):
            with self.subTest(text=text):
                firings = self.replayed(f"conditions: [{text}]")["conditions"][0]["firings"]
                self.assertEqual([[f["fired_ns"], f["resolved_ns"]] for f in firings], expected)

    def test_a_condition_raises_the_rate(self):
        out = self.replayed(
            """
conditions:
  - {name: failing, route: GET /pay, at_least: {errors: 50%}, over: 2s}
sampling:
  rate: 5%
  adapt: [{when: failing, route: GET /pay, rate: 50%}]
"""
        )
        (firing,) = out["conditions"][0]["firings"]
        kept = [
            r
            for r in self.rows
            if place(r["trace_id"]) < (0.5 if firing["fired_ns"] <= self.start(r) < firing["resolved_ns"] else 0.05)
        ]
        self.assertEqual(out["sampling"]["all"]["kept"], len(kept))
        self.assertEqual([c["applies"] for c in out["sampling"]["changes"]], [[], [0], []])

    def test_a_breaker(self):
        out = self.replayed(
            """
conditions:
  - {name: failing, at_least: {errors: 50%, count: 20}, over: 1s}
breakers:
  - {name: pay, route: /pay, open: [failing], open_for: 500ms, half_open: {requests: 3}}
every: 250ms
"""
        )
        of_pay = [(a["at_ns"], a["action"], a["condition"]) for a in out["actions"] if a["breaker"] == "pay"]
        out = out["breakers"][0]
        called = {"open": "opened", "half_open": "half_opened", "closed": "closed"}
        self.assertEqual([a[:2] for a in of_pay], [(c["at_ns"], called[c["state"]]) for c in out["changes"]])
        # A condition opens it when it is closed; when it is half open, requests that fail do.
        self.assertEqual([c for _, _, c in of_pay], ["failing"] + [None] * (len(of_pay) - 1))
        # It opens at the first look with 20 requests; it closes once probes are among those that do not fail: from 2.01 s on.
        states = [c["state"] for c in out["changes"]]
        self.assertEqual(states[:3], ["open", "half_open", "open"])
        self.assertEqual(states[-1], "closed")
        self.assertEqual(out["changes"][0]["at_ns"], 500_000_000)
        self.assertGreaterEqual(out["changes"][-1]["at_ns"], 2_000_000_000)
        # A request is rejected while it is open, and half open behind the third.
        rejected, failed, probes = 0, 0, 0
        changes = [(c["at_ns"], c["state"]) for c in out["changes"]]
        entered = None
        for row in self.rows:
            at = bisect.bisect_right([t for t, _ in changes], self.start(row)) - 1
            state = changes[at][1] if at >= 0 else "closed"
            if at != entered:
                entered, probes = at, 0
            probes += state == "half_open"
            if state == "open" or state == "half_open" and probes > 3:
                rejected += 1
                failed += row["outcome"] == "server_error"
        self.assertEqual((out["requests"], out["rejected"], out["rejected_failed"]), (1200, rejected, failed))
        self.assertEqual(out["not_closed_ns"], changes[-1][0] - changes[0][0])

    def test_a_part_of_the_connections_stands_for_all(self):
        """1 of 16 is recorded: three requests in the first second."""
        text = (case.ROOT / "tests/golden/sampled-connections/capture.txt").read_text()
        part = runs.write_text(self.scratch, "part", text)
        policy = "conditions: [{name: a, at_least: {rate: 48, count: 48}, over: 1s}, {name: b, at_least: {rate: 49}, over: 1s}]"
        out = self.replayed(policy, capture=part)
        self.assertEqual(out["weight"], 16)
        (firing,) = out["conditions"][0]["firings"]
        self.assertEqual([limit["value"] for limit in firing["limits"]], [48, 48])
        self.assertEqual((firing["requests"], out["conditions"][1]["firings"]), (3, []))
        self.assertIn("1 of 16 is recorded", self.policy(policy, capture=part).stdout)

    def test_text_and_files(self):
        text = "conditions: [{name: busy, at_least: {rate: 10}, over: 5s}]\nsampling: {rate: 10%, adapt: [{when: busy, rate: 1%}]}"
        done = self.policy(text)
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in (
            "busy: rate ≥ 10",
            "What would have been kept?",
            "Which slow or failed requests would have been missed?",
            "true 10.0 %",
        ):
            self.assertIn(words, done.stdout)
        for name in ("out.md", "out.html", "out.json"):
            self.assertEqual(self.policy(text, "-o", name).returncode, 0)
            self.assertGreater((self.scratch / name).stat().st_size, 500)
        self.assertEqual(
            self.policy("sampling: {rate: 1%}", capture=case.SAMPLES / "cut-short/cut-short.tcap").returncode, 3
        )

    WRONG = (
        ("conditions:\n  - name: a\n    over: 1s\n    at_leest: {p95: 1s}", "4:5", "did you mean 'at_least'?"),
        ("conditions:\n  - {name: a, over: 1s, at_least: {p95: 1}}", "2:41", "a time like 200ms"),
        ("conditions:\n  - {name: a, over: 1s, at_least: {p98: 1s}}", "2:36", "unknown key 'p98'"),
        ("conditions:\n  - {name: a, over: 1s, at_least: {calls: 1}}", "2:36", "unknown key 'calls'"),
        ("conditions:\n  - {name: a, over: 1s, at_least: {errors: 101%}}", "2:44", "a percentage"),
        ("conditions:\n  - {name: a, over: 1s, at_least: {count: 1.5}}", "2:43", "a whole number"),
        ("conditions:\n  - {name: a, over: 1s, at_least: {rate: fast}}", "2:42", "requests per second"),
        ("conditions:\n  - {name: a, over: 1s, at_least: {share: 1%}}", "2:5", "share needs where"),
        ("conditions:\n  - {name: a, at_least: {p95: 1s}}", "2:5", "over is missing"),
        ("conditions:\n  - {name: a, over: 0s, at_least: {p95: 1s}}", "2:21", "longer than nothing"),
        ("conditions:\n  - {name: a, over: 1s}", "2:5", "there is no limit"),
        ("conditions:\n  - {over: 1s, at_least: {p95: 1s}}", "2:5", "the name is missing"),
        ("conditions:\n  - {name: a, name: b, over: 1s, at_least: {p95: 1s}}", "2:15", "given twice"),
        (
            "conditions:\n  - {name: a, over: 1s, at_least: {count: 1}}\n  - {name: a, over: 1s, at_least: {count: 1}}",
            "3:5",
            "already",
        ),
        (
            "conditions:\n  - {name: a, over: 1s, where: 'durration > 1ms', at_least: {count: 1}}",
            "2:32",
            "there is no field 'durration'",
        ),
        ("every: 1ms\nsampling: {rate: 1%}", "1:8", "at least 200ms"),
        ("sampling: {keep: status == 500}", "1:11", "the rate is missing"),
        ("sampling: {rate: 0.5}", "1:18", "a percentage"),
        ("sampling: {rate: 1%, key: span}", "1:27", "trace_id or x_request_id"),
        ("sampling: {formula: adaptiv}", "1:21", "formula is adaptive or adaptive_clamped, not 'adaptiv'"),
        ("sampling: {formula: [adaptive]}", "1:21", "formula is adaptive or adaptive_clamped"),
        (
            "sampling: {formula: adaptive, routes: [{route: GET /a, rate: 1%}]}",
            "1:31",
            "a formula computes the rates of routes: give one of the two",
        ),
        ("sampling: {routes: [{route: GET /a, rate: 1%}]}", "1:11", "the rate is missing"),
        ("sampling: {rate: 1%, routes: [{rate: 1%}]}", "1:31", "the route is missing"),
        ("sampling: {rate: 1%, routes: [{route: GET /a}]}", "1:31", "the rate is missing"),
        (
            "sampling: {rate: 1%, routes: [{route: GET /a, rate: 1%}, {route: GET /a, rate: 2%}]}",
            "1:58",
            "'GET /a' has a rate already",
        ),
        (
            "sampling: {rate: 1%, routes: [{route: GET /a, rate: 1%, decided: 2026-03-01}]}",
            "1:66",
            "a time in UTC like 2026-03-01T12:34:56Z",
        ),
        ("sampling:\n  rate: 1%\n  adapt: [{when: slow, rate: 1%}]", "3:18", "there is no condition 'slow'"),
        ("breakers: [{name: a, open_for: 1s}]", "1:12", "open is missing"),
        (
            "conditions: [{name: a, over: 1s, at_least: {count: 1}}]\nbreakers:\n  - {name: a, open: [a], open_for: 1s, half_open: {requests: 5, at_most: {p95: 1s}}}",
            "3:74",
            "p95 needs 20 requests",
        ),
        ("conditions: {}", "1:13", "conditions is a list"),
        ("{}", "1:1", "there are no conditions"),
        ("--- 1\n--- 2", "1:1", "one YAML document"),
        ("- a", "1:1", "a map"),
        ("sampling: [", "", ""),
        ("", "", ""),
    )

    def test_errors_have_line_and_column(self):
        for text, where, words in self.WRONG:
            with self.subTest(text=text):
                done = self.policy(text)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertRegex(
                    done.stderr,
                    r"^tailcap policy: policy\.yaml:" + (re.escape(where) + ": " if where else r"(\d+:\d+)?"),
                )
        self.assertEqual(self.tailcap("policy", self.pay, "absent.yaml").returncode, 1)
        self.assert_refused(self.tailcap("policy", self.pay), 2, "no policy given")

    def test_watch_takes_conditions_only(self):
        text = "conditions: [{name: a, over: 1s, at_least: {count: 1}}]"
        (self.scratch / "policy.yaml").write_text(text + "\nsampling: {rate: 1%}")
        self.assert_refused(
            self.tailcap("watch", "x.tcap", "--conditions", "policy.yaml"),
            2,
            "policy.yaml:2:1: sampling is no condition: --policy applies sampling",
        )
        (self.scratch / "policy.yaml").write_text(text.replace("over", "ower"))
        self.assert_refused(
            self.tailcap("watch", "x.tcap", "--conditions", "policy.yaml"), 2, "policy.yaml:1:24: unknown key 'ower'"
        )
        (self.scratch / "policy.yaml").write_text(text)
        self.assertEqual(
            self.tailcap("watch", "x.tcap", "--conditions", "policy.yaml").returncode, 1, "there is no recorder"
        )
        self.assert_refused(
            self.tailcap("watch", "x.tcap", "--conditions", "policy.yaml", "--look-back", "5s", "--every", "6s"),
            2,
            "--look-back",
        )

    def test_watch_applies_sampling_only(self):
        conditions = "conditions: [{name: a, over: 1s, at_least: {count: 1}}]\n"
        refused = (
            ("", "policy.yaml:1:1: there is no sampling"),
            ("sampling: {rate: 10%, keep: status >= 500}", "policy.yaml:2:23: keep is decided when a request is over"),
            (
                "sampling:\n  rate: 10%\n  adapt:\n  - {when: a, route: /pay, rate: 1%}",
                "policy.yaml:5:15: a rate of one route cannot be applied",
            ),
            (
                "sampling: {rate: 10%}\nbreakers: [{name: b, open: [a], open_for: 1s}]",
                "policy.yaml:3:1: breakers reject requests",
            ),
            ("sampling: {formula: adaptive}", "policy.yaml:2:12: a rate of one route cannot be applied"),
            (
                "sampling: {rate: 1%, routes: [{route: GET /a, rate: 1%}]}",
                "policy.yaml:2:22: a rate of one route cannot be applied",
            ),
            ("sampling: {rate: 10}", "policy.yaml:2:18: rate is a percentage"),
        )
        for text, words in refused:
            (self.scratch / "policy.yaml").write_text(conditions + text)
            self.assert_refused(self.tailcap("watch", "x.tcap", "--policy", "policy.yaml"), 2, words)
        (self.scratch / "policy.yaml").write_text(conditions + "sampling: {rate: 10%, adapt: [{when: a, rate: 1%}]}")
        self.assertEqual(
            self.tailcap("watch", "x.tcap", "--policy", "policy.yaml").returncode, 1, "there is no recorder"
        )
        self.assert_refused(
            self.tailcap("watch", "x.tcap", "--policy", "policy.yaml", "--conditions", "policy.yaml"),
            2,
            "give --conditions or --policy",
        )

    def test_check(self):
        """The policy is read without a capture: those of the documents, and what is wrong has its place."""
        found = 0
        for path in sorted((case.ROOT / "docs").glob("*.md")):
            for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.M | re.S):
                if not re.search(r"^(conditions|sampling|breakers):", block, re.M):
                    continue
                (self.scratch / "policy.yaml").write_text(block)
                done = self.tailcap("policy", "--check", "policy.yaml")
                self.assertEqual((done.returncode, done.stderr), (0, ""), f"{path}\n{block}")
                self.assertRegex(done.stdout, r"^policy\.yaml: \d+ (condition|sampling|breaker)s?")
                found += 1
        self.assertGreaterEqual(found, 3)
        (self.scratch / "policy.yaml").write_text("sampling:\n  rat: 1%")
        self.assert_refused(
            self.tailcap("policy", "--check", "policy.yaml"), 2, "policy.yaml:2:3", "did you mean 'rate'?"
        )
        self.assert_refused(self.tailcap("policy", "--check", self.pay, "policy.yaml"), 2, "takes no capture")
        self.assert_refused(self.tailcap("policy", self.pay), 2, "no policy given")
        self.assertEqual(self.tailcap("policy", "--check", "absent.yaml").returncode, 1)

    def test_hostile_files_end(self):
        for text in (
            "[" * 100_000,
            "conditions: &s\n  - *s",
            "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nconditions: [*b,*b,*b]",
            "\0",
            "a" * (2 << 20),
            "a: &a [" + "x," * 1000 + "]\nb: &b [" + "*a," * 1000 + "]\nconditions: [" + "*b," * 1000 + "]",
        ):
            self.assertEqual(self.policy(text).returncode, 2, text[:20])

    def test_the_schema_agrees(self):
        if not jsonschema:
            self.skipTest("no jsonschema or yaml")
        schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/policy-file.schema.json").read_text()))
        schema.check_schema(schema.schema)
        for block in re.findall(r"```yaml\n(.*?)```", (case.ROOT / "docs/policy.md").read_text(), re.S):
            self.assertEqual([e.message for e in schema.iter_errors(yaml.safe_load(block))], [])
            self.assertEqual(self.policy(block).returncode, 0)
        for text, _, words in self.WRONG:
            if words and not re.search(
                "twice|document|already|101|durration|there is no condition|needs|longer|200ms|conditions:\\n  - {name: a, over: 1s, at_least: {p95: 1}}",
                words + text,
            ):
                self.assertFalse(schema.is_valid(yaml.safe_load(text)), text)
        limits = schema.schema["$defs"]["limits"]["properties"]
        for name in limits:
            done = self.policy(f"conditions: [{{name: a, over: 1s, at_least: {{{name}: 0x}}}}]")
            self.assertIn(f"the limit of {name} is", done.stderr)

    def test_lines_of_errors_count_in_their_window(self):
        sql = "SELECT first_ts + (SELECT realtime_ns - ts FROM clock LIMIT 1) AS first FROM _captures"
        first = json.loads(self.tailcap("query", self.pay, sql, "--json").stdout)["first"]
        pairs = zip(self.rows, self.rows[1:])  # only one is under way where the one before has ended for 10 ms
        alone = [after["start_ns"] for before, after in pairs if before["duration_ns"] < 6_000_000]
        starts = [start for start in alone if start > first + 5_100_000_000][:5]

        def line(at, level):
            return json.dumps({"time": at, "level": level, "msg": "x", "pid": self.rows[0]["pid"]})

        errors = [line(start + 2_500_000, "error") for start in starts]
        others = [line(r["start_ns"], "info") for r in self.rows] + [line(first - 10**9, "error")] * 9
        log = self.scratch / "pay.log"
        log.write_text("\n".join(errors + others) + "\n")
        text = "conditions: [{name: many, at_least: {log_errors: %d}, over: 2s%s}]"
        for at_least, extra, fires in (
            (5, "", [6.0]),
            (6, "", []),
            (5, ", route: '*'", [6.0]),
            (5, ", where: status >= 100", [6.0]),
            (1, ", route: /none", []),
        ):
            done = self.policy(text % (at_least, extra), "--json", "--join-logs", log)
            self.assertEqual(done.returncode, 0, done.stderr)
            firings = json.loads(done.stdout)["conditions"][0]["firings"]
            self.assertEqual([round(f["fired_ns"] / 1e9) for f in firings], fires, (at_least, extra))
            self.assertEqual([round(f["resolved_ns"] / 1e9) for f in firings], [8.0 for _ in fires])
            self.assertEqual([f["limits"][0]["value"] for f in firings], [5 for _ in fires])
        self.assertIn("log_errors ≥ 5", self.policy(text % (5, ""), "--join-logs", log).stdout)
        self.assert_refused(self.policy(text % (5, "")), 2, "--join-logs")
        self.assert_refused(self.policy("sampling: {rate: 1%}", "--join-logs", log), 2, "log_errors")
        breaker = text % (5, "") + "\nbreakers: [{name: b, open: [many], open_for: 1s}]"
        self.assert_refused(self.policy(breaker, "--join-logs", log), 2, "log_errors")


if __name__ == "__main__":
    case.main()
