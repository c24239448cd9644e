#!/usr/bin/env python3
"""`tailcap summarise`, `baseline`, `scorecard` and `similar` on recordings of which everything is known.

    tests/cli/summaries_test.py --build build/release [unittest arguments]
"""
import json
import math
import os
import random

import case
import runs

ERROR = 0.0217  # docs/summaries.md
STEPS = 24  # of a cycle; a second each


def quantile(q, values):
    values = sorted(values)
    return values[max(1, math.ceil(q * len(values) - 1e-9)) - 1]


def cycles(number, count, seed, slower=1.0, first=6_000):
    """Durations (µs) of one request after the other, until `count` cycles of 24 s are over: slower in the middle of a cycle, and by chance."""
    dice, out, spent = random.Random(seed), [], 10_000
    while spent < count * STEPS * 1e6:
        cycle, hour = divmod(spent / 1e6, STEPS)
        factor = 1 + 0.2 * math.sin(math.pi * hour / STEPS) + 0.02 * random.Random(seed * 1000 + cycle).uniform(-1, 1)
        out.append(int(first * slower * factor * dice.lognormvariate(0, 0.3)))
        spent += out[-1] + 1000
    return out


class Summaries(case.Case):
    def summarise(self, name, *files, arguments=()):
        out = self.scratch / f"{name}.tcs"
        done = self.tailcap("summarise", *files, "-o", out, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def json(self, *arguments, code=0):
        done = self.tailcap(*arguments, "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def test_counts_and_percentiles_are_exact_but_for_the_sketch(self):
        dice = random.Random(3)
        durations = [int(dice.lognormvariate(math.log(5000), 0.8)) for _ in range(4000)]
        failed, refused = set(range(0, 4000, 40)), set(range(7, 4000, 100))
        capture = runs.write_text(self.scratch, "exact", runs.exact(durations, failed, refused))
        row = self.json("summarise", capture)["routes"][0]
        self.assertEqual((row["requests"], row["judged"], row["failed"]), (4000, 4000, len(failed)))
        self.assertEqual(row["client_errors"], len(refused - failed))
        for name, q in (("p50_ns", 0.5), ("p95_ns", 0.95), ("p99_ns", 0.99)):
            exact = quantile(q, durations) * 1000
            self.assertLessEqual(abs(row[name] / exact - 1), ERROR, name)
        of_failed = next(s for s in row["statuses"] if s["status"] == "5xx")
        self.assertEqual(of_failed["requests"], len(failed))
        self.assertLessEqual(abs(of_failed["p50_ns"] / quantile(0.5, [durations[i] for i in failed]) / 1000 - 1), ERROR)

    def test_parts_are_the_whole(self):
        captures = [
            runs.write_text(self.scratch, f"c{n}", runs.exact(cycles(n, 0.2, n), number=n + 1)) for n in range(5)
        ]
        parts = [self.summarise(f"part{n}", capture) for n, capture in enumerate(captures)]
        whole = self.summarise("whole", *captures).read_bytes()
        two = self.summarise("two", parts[3], parts[0])
        three = self.summarise("three", captures[1], parts[4], parts[2])
        self.assertEqual(self.summarise("sum", three, two).read_bytes(), whole)
        self.assertEqual(self.summarise("other", two, parts[1], parts[2], captures[4]).read_bytes(), whole)
        self.assert_refused(self.tailcap("summarise", two, parts[0]), 1, "count twice")
        longer = self.summarise("longer", captures[0], arguments=("--window", "10m"))
        self.assert_refused(self.tailcap("summarise", parts[1], longer), 1, "--window")

    def test_a_baseline_of_cycles(self):
        window = ("--window", "1s")
        usual = runs.write_text(self.scratch, "usual", runs.exact(cycles(4, 12, 1), number=4))  # begins with a cycle
        known = self.summarise("known", usual, arguments=window)
        cycle = ("--cycle", f"{STEPS}s")
        learned = self.json("baseline", known, *cycle)
        p50 = next(m for m in learned["services"][0]["metrics"] if m["metric"] == "p50")
        self.assertIsNone(p50["missing"])
        self.assertGreaterEqual(p50["days"], 11)
        self.assertEqual(p50["held_out_outside"], 0)
        typical = [b["typical"] for b in p50["bands"]]
        self.assertGreater(typical[STEPS // 2], 1.1 * typical[0])  # it knows the cycle
        for slower, code in ((1, 0), (1.3, 3)):
            name = f"new{code}"
            new = runs.write_text(self.scratch, name, runs.exact(cycles(400, 1, 99, slower), number=400))
            new = self.summarise(name, new, arguments=window)
            found = self.json("baseline", known, "--new", new, *cycle, code=code)["services"][0]
            self.assertEqual({o["metric"] for o in found["outside"]} >= {"p50"}, code == 3, found["outside"])
            self.assertTrue(all(o["above"] for o in found["outside"] if o["metric"] == "p50"))
        # Too few: refused, with what is missing.
        few = runs.write_text(self.scratch, "few", runs.exact(cycles(1000, 3, 5), number=1000))
        found = self.json("baseline", self.summarise("few", few, arguments=window), *cycle, code=4)
        missing = {m["metric"]: m["missing"] for m in found["services"][0]["metrics"]}
        self.assertIn("needs 7 whole days", missing["p50"])

    def test_a_scorecard_is_that_of_a_hand_calculation(self):
        failed = set(range(0, 3000, 300))
        capture = runs.write_text(self.scratch, "card", runs.exact([4000] * 2970 + [90_000] * 30, failed))
        card = self.json("scorecard", capture, "--at-most", "errors: 0.5%, p99: 50ms, client_errors: 0.1%")
        (week,) = card["weeks"]
        self.assertEqual((week["requests"], week["failed"]), (3000, 10))
        self.assertAlmostEqual(week["availability"], 1 - 10 / 3000, places=9)
        limits = {(w["metric"], w["period"]): w for w in card["limits"]}
        self.assertAlmostEqual(limits["errors", False]["burn_rate"], 10 / 3000 / 0.005, places=9)
        self.assertAlmostEqual(limits["errors", True]["budget_left"], 1 - 10 / 15, places=9)
        self.assertAlmostEqual(limits["p99", False]["burn_rate"], 30 / 3000 / 0.01, places=9)
        self.assertEqual({w["verdict"] for w in card["limits"]}, {"pass"})
        (self.scratch / "slo.yaml").write_text("slos:\n- {route: GET /none, at_most: {errors: 1%}}\n")
        self.assertEqual(self.json("scorecard", capture, "--slo", self.scratch / "slo.yaml")["limits"], [])
        (self.scratch / "slo.yaml").write_text("slos:\n- {route: '*', at_most: {p98: 1ms}}\n")
        self.assert_refused(self.tailcap("scorecard", capture, "--slo", self.scratch / "slo.yaml"), 2, "p98")
        self.assert_refused(self.tailcap("scorecard", capture, "--at-most", "p98: 1ms"), 2, "--at-most", "p98")

    def test_the_nearest_comes_first(self):
        lock, stock, busy = (
            case.SAMPLES / f"{name}/{name}.tcap" for name in ("lock-contention", "go-stock", "busy-machine")
        )
        found = self.json("similar", stock, busy, lock, stock)["nearest"]
        self.assertEqual(found[0]["file"], "go-stock.tcap")
        self.assertEqual(found[0]["distance"], 0)
        self.assertEqual([f["distance"] for f in found], sorted(f["distance"] for f in found))
        self.assertTrue(all(0 < f["distance"] <= 1 for f in found[1:]))

    def test_a_fleet(self):
        """Which capture a link names follows from its id; limits judge what there is no baseline for."""
        folder = self.scratch / "captures"
        folder.mkdir()
        quick = [5000] * 400
        good = runs.write_text(folder, "good", runs.exact(quick, number=1))
        runs.write_text(folder, "other", runs.exact(quick, number=2))
        day = self.summarise("day", good)
        limits = ("--at-most", "p95: 100ms, errors: 1%")
        study = self.json("fleet", day, "--captures", folder, *limits)
        self.assertEqual([(s["health"], s["since_ns"]) for s in study["services"]], [("well", None)])
        self.assertEqual([c["file"] for c in study["captures"]], [str(folder / "good.tcap")])
        self.assertIn("baseline", study["no_baseline"] + "baseline")
        failing = self.summarise(
            "failing", runs.write_text(folder, "bad", runs.exact(quick, set(range(0, 400, 4)), number=3))
        )
        study = self.json("fleet", failing, *limits, code=3)
        (service,) = study["services"]
        self.assertEqual((service["health"], service["lasts"], service["failed"]), ("not_well", True, 100))
        self.assertEqual([l["metric"] for l in service["limits"]], ["errors"])
        self.assertAlmostEqual(service["limits"][0]["burn_rate"], 25, places=3)
        self.assertEqual(service["since_ns"] % 3_600_000_000_000, 0)
        # Without limits and a baseline nothing is judged.
        self.assertEqual(self.json("fleet", failing, code=4)["services"][0]["health"], "not_judged")
        # As a page, links lead from where it is; elsewhere, to where they are said to be.
        page = self.scratch / "fleet.html"
        done = self.tailcap("fleet", day, "--captures", folder, *limits, "-o", page)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = page.read_text()
        self.assertIn('<a href="./captures/good.tcap">', text)
        self.assertNotIn("other.tcap", text)
        base = self.json("fleet", day, "--captures", folder, *limits, "--link-base", "https://captures.example/x")
        self.assertEqual(base["captures"][0]["file"], "https://captures.example/x/good.tcap")
        # No link makes a script of a name.
        odd = folder / "javascript:alert(1).tcap"
        os.rename(good, odd)
        self.tailcap("fleet", day, "--captures", folder, *limits, "-o", page)
        self.assertIn('href="./captures/javascript%3Aalert%281%29.tcap"', page.read_text())
        self.assert_refused(self.tailcap("fleet"), 2, "no file given")
        self.assert_refused(self.tailcap("fleet", day, "--from-clickhouse", "http://127.0.0.1:1"), 2, "choose one")
        self.assert_refused(self.tailcap("fleet", day, "--latest", "1m"), 2, "--latest")
        self.assert_refused(self.tailcap("fleet", day, "--captures", self.scratch / "none"), 2, "--captures")

    def test_what_is_no_summary(self):
        good = self.summarise("good", case.SAMPLES / "go-stock/go-stock.tcap").read_bytes()
        for name, content in (("cut", good[:-5]), ("changed", good[:60] + b"\0" + good[61:]), ("head", good[:20])):
            (self.scratch / f"{name}.tcs").write_bytes(content)
            for command in (
                ["summarise"],
                ["baseline"],
                ["scorecard"],
                ["fleet"],
                ["similar", self.scratch / "good.tcs"],
            ):
                self.assert_refused(
                    self.tailcap(*command, self.scratch / f"{name}.tcs"), 1, f"{name}.tcs", "no summary"
                )
        self.assert_refused(self.tailcap("report", self.scratch / "good.tcs"), 1, "good.tcs")
        self.assert_refused(self.tailcap("summarise"), 2, "no file given")
        os.mkfifo(self.scratch / "pipe.tcs")
        self.assert_refused(self.tailcap("summarise", self.scratch / "pipe.tcs"), 1, "pipe.tcs")
        self.assert_refused(self.tailcap("summarise", self.scratch / "good.tcs", "--window", "1us"), 2, "--window")
        self.assert_refused(self.tailcap("similar", self.scratch / "good.tcs"), 2, "past ones")


if __name__ == "__main__":
    case.main()
