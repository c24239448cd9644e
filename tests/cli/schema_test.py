"""`report --json` is what docs/report.schema.json says, for captures of every kind; and the schema can fail.

    schema_test.py --build build/release
"""
import argparse
import copy
import json
import pathlib
import subprocess
import sys
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = sorted((ROOT / "samples/captures").glob("*/*.tcap"))


class ReportSchema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = jsonschema.Draft7Validator(json.loads((ROOT / "docs/report.schema.json").read_text()))
        cls.schema.check_schema(cls.schema.schema)

    def report(self, capture):
        done = subprocess.run([BUILD / "analyze/tailcap", "report", "--json", capture], capture_output=True, check=False)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return json.loads(done.stdout)

    def test_reports_are_as_it_says(self):
        self.assertGreaterEqual(len(CAPTURES), 5)
        verdicts = set()
        for capture in CAPTURES:
            report = self.report(capture)
            errors = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in self.schema.iter_errors(report)]
            self.assertEqual(errors, [], capture)
            verdicts |= {route["tail"]["verdict"] for route in report["routes"] if route["tail"]}
        # What is only there with a comparison was looked at, too.
        self.assertIn("cause", verdicts)

    def test_it_refuses_what_is_not(self):
        good = self.report(next(c for c in CAPTURES if c.stem == "lock-contention"))
        route = next(i for i, r in enumerate(good["routes"]) if r["tail"] and r["tail"]["verdict"] == "cause")

        def spoiled(spoil):
            report = copy.deepcopy(good)
            spoil(report, report["routes"][route]["tail"])
            return not self.schema.is_valid(report)

        self.assertTrue(spoiled(lambda r, tail: tail.update(verdict="perhaps")))
        self.assertTrue(spoiled(lambda r, tail: tail.pop("sentence")))
        self.assertTrue(spoiled(lambda r, tail: tail["labels"][0].update(difference_ns=0.5)))
        self.assertTrue(spoiled(lambda r, tail: tail["exemplars"][0].update(why="nice")))
        self.assertTrue(spoiled(lambda r, tail: r.pop("quality")))
        self.assertTrue(spoiled(lambda r, tail: r.update(schema=1)))
        self.assertFalse(spoiled(lambda r, tail: r.update(a_later_name=1)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    given, rest = parser.parse_known_args()
    BUILD = given.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
