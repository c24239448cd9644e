"""tailcap gate history: what drifts over the summaries of gates, and how often it is wrong.

    gate_history_test.py --build build/release
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import case
import jsonschema

sys.path.insert(0, str(case.ROOT / "scripts/gate"))
import drift  # noqa: E402
import history  # noqa: E402

NOISE = json.loads((pathlib.Path(__file__).parent / "gate_noise.json").read_text())


def summary(n, values, machine="m, 2 CPUs", rate=200.0):
    """values: (route, metric) -> number, or (number, exact)."""
    rows = []
    for (route, metric), value in values.items():
        value, exact = value if isinstance(value, tuple) else (value, False)
        rows.append({"route": route, "metric": metric, "value": value, "base": value, "exact": exact})
    return {
        "schema": 1,
        "kind": "tailcap gate summary",
        "time": f"2026-03-{1 + n // 24:02}T{n % 24:02}:00:00Z",
        "commit": f"{n:040x}",
        "verdict": "pass",
        "tailcap": "0",
        "machine": machine,
        "requests_per_second": rate,
        "values": rows,
    }


class History(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.validator = jsonschema.Draft202012Validator(
            json.loads((case.ROOT / "docs/gate-history.schema.json").read_text())
        )

    def write(self, summaries):
        for n, one in enumerate(summaries):
            self.assertTrue(self.validator.is_valid(one))
            (self.folder / f"{n:03}.json").write_text(json.dumps(one))

    def run_history(self, *arguments):
        done = subprocess.run(
            [case.program(), "gate", "history", self.folder, *arguments], capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def look(self):
        found = json.loads(self.run_history("--json"))
        self.assertEqual([e.message for e in self.validator.iter_errors(found)], [])
        return found

    def noisy(self, n, level=lambda i: 10e6):
        generator = random.Random(1)
        pay = ("GET /pay", "p99")
        other = ("GET /pay", "p50")
        return [
            summary(i, {pay: level(i) * generator.gauss(1, 0.03), other: generator.gauss(1e6, 3e4)}) for i in range(n)
        ]

    def test_a_step_is_found_where_it_is(self):
        self.write(self.noisy(40, lambda i: 10e6 if i < 25 else 11.2e6))
        found = self.look()
        self.assertEqual([(d["route"], d["metric"]) for d in found["drifts"]], [("GET /pay", "p99")])
        drifted = found["drifts"][0]
        self.assertAlmostEqual(int(drifted["commit"], 16), 25, delta=1)
        self.assertAlmostEqual(drifted["change"], 0.12, delta=0.03)
        self.assertLessEqual(drifted["p"], 0.01)
        self.assertRegex(
            self.run_history(), r"Drift: p99 of GET /pay: \+(?:9|1\d)\.\d %, .* ms → .* ms since 2026-03-02T0"
        )

    def test_a_slow_drift_is_found(self):
        """+0.5 % from run to run, which no gate finds."""
        self.write(self.noisy(40, lambda i: 10e6 * 1.005**i))
        self.assertEqual({d["metric"] for d in self.look()["drifts"]}, {"p99"})

    def test_nothing_is_nothing(self):
        self.write(self.noisy(40))
        found = self.look()
        self.assertEqual((found["runs"], found["drifts"], found["steps"], found["tested"]), (40, [], [], 2))
        self.assertIn("No drift in 2 series", self.run_history())

    def test_what_never_varies_needs_no_test(self):
        calls = ("GET /pay", "calls")
        self.write([summary(i, {calls: (2 if i < 3 else 3, True)}) for i in range(4)])
        found = self.look()
        self.assertEqual([(s["before"], s["after"], s["p"]) for s in found["steps"]], [(2, 3, None)])
        self.assertEqual(int(found["steps"][0]["commit"], 16), 3)

    def test_other_machines_loads_and_files_are_left_out(self):
        self.write(self.noisy(20))
        for n, other in enumerate((summary(30, {}, machine="other"), summary(31, {}, rate=400.0))):
            other["time"] = "2026-02-01T00:00:00Z"
            (self.folder / f"0000{n}.json").write_text(json.dumps(other))
        values = summary(1, {("GET /pay", "p99"): 1.0})
        for n, text in enumerate(
            (
                "",
                "[" * 100_000,
                "{}",
                "[1, 2]",
                json.dumps({**values, "values": [{"route": 1}]}),
                json.dumps(values).replace("1.0", "NaN"),
                json.dumps({**values, "commit": "x" * 200_000}),
                json.dumps({**values, "time": 5}),
            )
        ):
            (self.folder / f"00-{n}.json").write_text(text)
        found = self.look()
        self.assertEqual((found["runs"], found["others"], found["strange"]), (20, 2, 8))

    def test_texts_of_others_do_not_reach_the_terminal(self):
        steps = [summary(i, {("\x1b[2J/a\n", "calls"): (i // 5, True)}) for i in range(10)]
        for one in steps:
            one["commit"] = "\x1b[31m"
        self.write(steps)
        self.assertNotIn("\x1b", self.run_history())

    def test_few_runs_say_so(self):
        self.write(self.noisy(5))
        self.assertIn("5 runs: drifts are looked for from 8 on", self.run_history())

    def test_a_folder_is_needed(self):
        done = subprocess.run(
            [case.program(), "gate", "history", self.folder / "none"], capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 2)
        self.assertIn("history needs a folder of summaries", done.stderr)

    def test_a_summary_is_kept(self):
        comparison = {
            "verdict": "pass",
            "tailcap": "0",
            "new": {"requests_per_second": 20.0},
            "routes": [
                {
                    "role": "server",
                    "method": "GET",
                    "route": "/pay",
                    "metrics": [
                        {
                            "metric": "p99",
                            "estimate": {"base": 1.0, "new": 2.0, "exact": False, "new_at_least": False},
                        },
                        {"metric": "p95", "estimate": None},
                        {"metric": "p50", "estimate": {"base": 1.0, "new": 2.0, "exact": False, "new_at_least": True}},
                    ],
                }
            ],
        }
        paths = {history.keep(self.folder, comparison, "../x y") for _ in range(2)}
        self.assertEqual(len(paths), 2)
        for path in paths:
            self.assertEqual(path.parent, self.folder)
            kept = json.loads(path.read_text())
            self.assertTrue(self.validator.is_valid(kept))
            self.assertEqual([(v["metric"], v["value"]) for v in kept["values"]], [("p99", 2.0)])
        self.assertEqual(self.look()["runs"], 2)


class FalseAlarms(unittest.TestCase):
    """How often a look at a history without change finds a drift; the level says 1 %."""

    def alarms(self, looks):
        return sum(bool(drift.change_points(named, permutations=199, seed=n)) for n, named in enumerate(looks))

    def test_of_simulated_noise(self):
        """Looks 400 times at 10 series of 30 runs. 11 or more are seen in 0.3 % where the level holds."""
        generator = random.Random(5)
        looks = [
            {f"m{m}": [(i, generator.lognormvariate(0, 0.1)) for i in range(30)] for m in range(10)} for _ in range(400)
        ]
        self.assertLess(self.alarms(looks), 11)

    def test_of_recorded_noise(self):
        """Recordings of one version, one after the other: the series of each metric are what a machine makes of it."""
        looks = [
            {metric: list(enumerate(values[begin : begin + 20])) for metric, values in service.items()}
            for service in NOISE["services"].values()
            for begin in range(0, len(next(iter(service.values()))) - 19, 4)
        ]
        self.assertGreater(len(looks), 10)
        self.assertLessEqual(self.alarms(looks), NOISE["alarms"])


if __name__ == "__main__":
    case.main()
