#!/usr/bin/env python3
"""The formulas of `tailcap policy`, held against a computation of its own from `tailcap requests --json`.

    tests/cli/policy_formula_test.py --build build/release [unittest arguments]

A recording of 45 s has a path that fails, one that is slow, one that is well, and one that few requests have.
"""
import collections
import json
import math
import pathlib
import tempfile

import case
import runs
from policy_test import place

try:
    import jsonschema
except ImportError:  # of another Python than the distribution's
    jsonschema = None

WINDOW = 10_000_000_000
LENGTH = 45


def load():
    """(start in s, path, duration in s, status)"""
    for path, per_second in (("/home", 5), ("/search", 10), ("/pay", 4), ("/rare", 1)):
        for i in range(per_second * LENGTH - per_second):
            start = 0.013 + i / per_second
            length = {"/home": 0.02, "/pay": 0.05, "/rare": 0.03}.get(path, 0.3)
            if path == "/search" and 10 <= start < 30:
                length = 1.5 if start < 20 else 3.0
            failed = path == "/pay" and 15 <= start < 30 and i % 2
            yield start, path, length * (1 + 1e-4 * (i % 97)), 500 if failed else 200


def text():
    """Events as text of tests/synth: a connection and a thread serve one request at a time."""
    begin = 1_700_000_100
    head = [
        f"preamble tier=a payload_limit=256 capture_id=f1 started_realtime={begin}000000000",
        f"+0 clock realtime={begin}000000000 boottime=0 uncertainty=100",
        '+0 task_info pid=10 tid=10 comm="shop"',
    ]
    lines, free, at = [], [], {}
    for start, path, length, status in sorted(load()):
        idle = [one for one in free if one[0] < start - 0.005]
        socket = idle[0][1] if idle else 5 + len(at)
        free = [one for one in free if one[1] != socket] + [(start + length, socket)]
        if socket not in at:
            at[socket] = [1000, 5000]
            head.append(
                f"+0.001 socket_info socket={socket} family=inet type=stream origin=accepted state=established "
                f"local=10.0.0.1:80 remote=10.0.0.2:{40000 + socket} next_in=1000 next_out=5000"
            )
        ask = f"GET {path} HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n"
        answer = f"HTTP/1.1 {status} OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
        sizes = [len(data.replace("\\r\\n", "##")) for data in (ask, answer)]
        where = f"pid=10 tid={socket + 100} socket={socket}"
        lines += [
            (start, f"arrival socket={socket} pos={at[socket][0]} len={sizes[0]}"),
            (start + 1e-5, f'receive {where} pos={at[socket][0]} data="{ask}"'),
            (start + length, f'send {where} pos={at[socket][1]} data="{answer}"'),
        ]
        at[socket] = [at[socket][0] + sizes[0], at[socket][1] + sizes[1]]
    lines.append((LENGTH, 'task_info pid=10 tid=10 comm="shop"'))
    return "\n".join(head + [f"+{when:.6f} {what}" for when, what in sorted(lines)]) + "\n"


def formula(clamped, errors, per_second, p95_ms):
    """S0 §3.3, as a spreadsheet has it; None: not known."""
    if errors is not None and errors > 0.05:
        return 0.01
    if None in (errors, per_second, p95_ms):
        return None
    base = 0.1 + 0.4 * min(per_second / 1000, 1)
    lat = max(0.2, 1 - (p95_ms - 800) / 2000)
    return min(max(base * (min(lat, 1) if clamped else lat), 0.01), 1.0)


class PolicyFormula(case.Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-formula-")
        cls.addClassCleanup(folder.cleanup)
        cls.shop = runs.write_text(pathlib.Path(folder.name), "shop", text())
        cls.rows = [
            json.loads(line) for line in case.run(case.program(), "requests", cls.shop, "--json").stdout.splitlines()
        ]
        origin = 1_700_000_100_000_000_000
        for row in cls.rows:
            row["begin"] = row["start_ns"] - origin
            row["end"] = row["begin"] + row["duration_ns"]
            row["name"] = row["method"] + " " + row["route"]
            row["failed"] = row["status"] >= 500
        cls.rows.sort(key=lambda row: row["begin"])
        by_route = collections.defaultdict(list)
        for row in cls.rows:
            by_route[row["name"]].append(row)
        for rows in by_route.values():
            rows.sort(key=lambda row: -row["duration_ns"])
            for i, row in enumerate(rows):
                row["slow"] = i < cls.slow_of(len(rows))

    @staticmethod
    def slow_of(n):
        """5 % of fewer than 2,000, and three of few."""
        return max(n // 20, min(3, n // 5), 1)

    def policy(self, text, *arguments):
        (self.scratch / "policy.yaml").write_text(text)
        return self.tailcap("policy", self.shop, "policy.yaml", *arguments)

    def replayed(self, text, *arguments):
        done = self.policy(text, "--json", "-n", "100000", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        if jsonschema:
            schema = jsonschema.Draft202012Validator(json.loads((case.ROOT / "docs/policy.schema.json").read_text()))
            self.assertEqual([e.message for e in schema.iter_errors(out)], [])
        return out

    def ended(self, name, window):
        """What is known of the requests of a route that ended in a window: how many, per second, errors, p95."""
        rows = [r for r in self.rows if r["name"] == name and window * WINDOW < r["end"] <= (window + 1) * WINDOW]
        durations = sorted(r["duration_ns"] for r in rows)
        return {
            "requests": len(rows),
            "per_second": len(rows) / 10 if (window + 1) * 10 <= LENGTH else None,
            "errors": sum(r["failed"] for r in rows) / len(rows) if rows else None,
            "p95_ns": durations[math.ceil(0.95 * len(rows) - 1e-9) - 1] if len(rows) >= 20 else None,
        }

    def rate(self, clamped, name, window):
        """That of requests which begin in a window."""
        if window == 0:
            return None
        was = self.ended(name, window - 1)
        return formula(clamped, was["errors"], was["per_second"], was["p95_ns"] and was["p95_ns"] / 1e6)

    def expected(self, fallback):
        out = []
        for window in range(math.ceil(LENGTH / 10)):
            for name in sorted({r["name"] for r in self.rows}):
                begun = [r for r in self.rows if r["name"] == name and r["begin"] // WINDOW == window]
                row = {
                    "from_ns": window * WINDOW,
                    "route": name,
                    "ended": self.ended(name, window),
                    "begun": len(begun),
                    "slow": sum(r["slow"] for r in begun),
                    "failed": sum(r["failed"] for r in begun),
                }
                for which in ("adaptive", "adaptive_clamped"):
                    rate = self.rate(which == "adaptive_clamped", name, window)
                    used = fallback if rate is None else rate
                    missed = [r for r in begun if place(r["trace_id"]) >= used]
                    row[which] = {
                        "rate": used,
                        "known": rate is not None,
                        "kept": len(begun) - len(missed),
                        "slow_missed": sum(r["slow"] for r in missed),
                        "failed_missed": sum(r["failed"] for r in missed),
                    }
                out.append(row)
        return out

    def assert_close(self, got, expected, where=""):
        if isinstance(expected, dict):
            self.assertEqual(set(got), set(expected), where)
            for key in expected:
                self.assert_close(got[key], expected[key], f"{where}.{key}")
        elif isinstance(expected, list):
            self.assertEqual(len(got), len(expected), where)
            for i, one in enumerate(expected):
                self.assert_close(got[i], one, f"{where}[{i}]")
        elif isinstance(expected, float):
            self.assertAlmostEqual(got, expected, 12, where)
        else:
            self.assertEqual(got, expected, where)

    def test_the_recording_is_what_it_should_be(self):
        """So that the tests below ask what they mean to."""
        self.assertEqual(len(self.rows), sum(1 for _ in load()))
        self.assertEqual(self.ended("GET /rare", 1)["p95_ns"], None)
        self.assertGreater(self.ended("GET /pay", 1)["errors"], 0.05)
        self.assertGreater(self.ended("GET /search", 2)["p95_ns"], 2_800_000_000)
        rates = {self.rate(c, name, w) for c in (0, 1) for name in ("GET /search", "GET /pay") for w in range(1, 5)}
        self.assertGreaterEqual(len(rates), 6, rates)

    def test_each_window_is_that_of_a_spreadsheet(self):
        for which in ("adaptive", "adaptive_clamped"):
            out = self.replayed(f"sampling: {{formula: {which}, rate: 40%}}")["sampling"]
            expected = self.expected(0.4)
            self.assert_close(out["windows"], expected)
            self.assertEqual(out["formula"], which)
            self.assertEqual(out["all"]["kept"], sum(row[which]["kept"] for row in expected))
            for variant, name in zip(out["variants"], ("adaptive", "adaptive_clamped"), strict=True):
                self.assertEqual(variant["sampling"], name)
                self.assertEqual(variant["kept"], sum(row[name]["kept"] for row in expected))
                for lost in ("slow_missed", "failed_missed"):
                    self.assertEqual(variant[lost], sum(row[name][lost] for row in expected))

    def test_actions_are_the_changes_of_rates(self):
        out = self.replayed("sampling: {formula: adaptive}")
        expected, rates = [], collections.defaultdict(lambda: 1.0)
        for window in range(1, 5):
            for name in sorted({r["name"] for r in self.rows}):
                rate = self.rate(False, name, window)
                rate = 1.0 if rate is None else rate
                if rate != rates[name]:
                    expected.append((window * WINDOW, name, rates[name], rate))
                rates[name] = rate
        got = [(a["at_ns"], a["route"], a["from"], a["to"]) for a in out["actions"]]
        self.assert_close([list(one) for one in got], [list(one) for one in expected])
        self.assertEqual({a["action"] for a in out["actions"]}, {"rate"})
        self.assertEqual(out["actions_total"], len(expected))
        for action in out["actions"]:
            self.assert_close(action["figures"], self.ended(action["route"], action["at_ns"] // WINDOW - 1))

    def test_the_registry_is_read_again(self):
        done = self.policy("sampling: {formula: adaptive, rate: 40%}", "--registry", "rates.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        registry = json.loads((self.scratch / "rates.json").read_text())
        if jsonschema:
            schema = json.loads((case.ROOT / "docs/policy-file.schema.json").read_text())
            self.assertEqual(list(jsonschema.Draft202012Validator(schema).iter_errors(registry)), [])
        self.assertEqual(registry["sampling"]["rate"], "40%")
        rates = {}
        for name in sorted({r["name"] for r in self.rows}):
            rate = self.rate(False, name, 4)
            rates[name] = 0.4 if rate is None else rate
        listed = {one["route"]: float(one["rate"].rstrip("%")) / 100 for one in registry["sampling"]["routes"]}
        self.assert_close(listed, rates)
        # The last window that is over ends at 40 s.
        self.assertEqual({one["decided"] for one in registry["sampling"]["routes"]}, {"2023-11-14T22:15:40.000000000Z"})
        self.assertEqual(self.tailcap("policy", "--check", "rates.json").returncode, 0)
        again = self.tailcap("policy", self.shop, "rates.json", "--json")
        self.assertEqual(again.returncode, 0, again.stderr)
        kept = sum(place(r["trace_id"]) < rates[r["name"]] for r in self.rows)
        self.assertEqual(json.loads(again.stdout)["sampling"]["all"]["kept"], kept)
        self.assertIn("as listed by route, otherwise 40.0 %", self.tailcap("policy", self.shop, "rates.json").stdout)
        # A wrong one is named with its place.
        text = (self.scratch / "rates.json").read_text()
        (self.scratch / "rates.json").write_text(text.replace('"decided":"2023', '"decided":"x'))
        self.assert_refused(self.tailcap("policy", "--check", "rates.json"), 2, "rates.json:4:", "a time in UTC")

    def test_directions_that_contradict_each_other(self):
        """Errors above 5 %: 1 %. A surge of errors: 30 %. A high p95: 80 %. Their effects stand side by side."""
        out = self.replayed(
            """
conditions:
  - {name: surge, at_least: {errors: 5%}, over: 10s, route: /pay}
  - {name: high, at_least: {p95: 2s}, over: 10s, route: /search}
sampling:
  rate: 1%
  formula: adaptive
  adapt: [{when: surge, route: /pay, rate: 30%}, {when: high, route: /search, rate: 80%}]
"""
        )
        names = [v["sampling"] for v in out["sampling"]["variants"]]
        self.assertEqual(names, ["policy", "adaptive", "adaptive_clamped", "adapt"])
        by = {v["sampling"]: v for v in out["sampling"]["variants"]}
        self.assertEqual(by["policy"]["kept"], out["sampling"]["all"]["kept"])
        self.assertLess(by["policy"]["failed_missed"], by["adaptive"]["failed_missed"])
        self.assertLess(by["adapt"]["failed_missed"], by["adaptive"]["failed_missed"])
        (surge,) = out["conditions"][0]["firings"]
        pay = [(a["at_ns"], a["to"]) for a in out["actions"] if a["route"] == "GET /pay" and a["to"] == 0.3]
        self.assertEqual(pay, [(surge["fired_ns"], 0.3)])  # within a window of the surge at 15 s
        self.assertLessEqual(abs(surge["fired_ns"] - 15_000_000_000), WINDOW)
        failed = [r for r in self.rows if r["failed"]]
        kept = [
            r
            for r in failed
            if place(r["trace_id"])
            < (0.3 if surge["fired_ns"] <= r["begin"] < surge["resolved_ns"] else self.rate(False, "GET /pay", 1))
        ]
        self.assertEqual(by["policy"]["failed_missed"], len(failed) - len(kept))
        # All actions are in the order that the manual promises.
        order = {"fired": 0, "resolved": 0, "rate": 1, "opened": 2, "half_opened": 2, "closed": 2}
        keys = [(a["at_ns"], order[a["action"]], a["route"] or "") for a in out["actions"]]
        self.assertEqual(keys, sorted(keys))
        self.assertEqual({a["action"] for a in out["actions"]}, {"fired", "resolved", "rate"})

    def test_text(self):
        done = self.policy("sampling: {formula: adaptive_clamped}", "--width", "140", "-n", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in (
            "Which rates do the formulas compute?",
            "What would other rates have kept and missed?",
            "adaptive_clamped, this policy",
            "What would it have done, in the order of time?",
            "by the formula adaptive_clamped",
            "and 17 more",
        ):
            self.assertIn(words, done.stdout)
        self.assertEqual(self.policy("sampling: {formula: adaptive}", "-o", "out.html").returncode, 0)
        self.assert_refused(
            self.policy("conditions: [{name: a, over: 1s, at_least: {count: 1}}]", "--registry", "r.json"),
            2,
            "--registry is for a policy with sampling",
        )
        self.assertFalse((self.scratch / "r.json").exists())
        for same in (("--registry", "-"), ("--registry", "x", "-o", "x")):
            self.assert_refused(self.policy("sampling: {rate: 1%}", *same), 2, "the same file")
        before = self.shop.read_bytes()
        done = self.policy("sampling: {rate: 1%}", "--registry", self.shop)
        self.assertEqual((done.returncode, self.shop.read_bytes()), (1, before), "a capture is never written over")


if __name__ == "__main__":
    case.main()
