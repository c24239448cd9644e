#!/usr/bin/env python3
"""`tailcap show FILE A B`: what it says of two requests is what `show` says of each.

    tests/cli/side_by_side_test.py --build build/release [unittest arguments]
"""
import collections
import json

import case
import jsonschema

STOCK = case.SAMPLES / "go-stock/go-stock.tcap"
LOCKS = case.SAMPLES / "lock-contention/lock-contention.tcap"


class SideBySide(case.Case):
    def show(self, capture, *ids):
        done = self.tailcap("show", capture, *ids, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_both_are_those_of_show(self):
        for capture, a, b in ((STOCK, "3.39", "13.40"), (LOCKS, "3.144", "2.152"), (LOCKS, "3.144", "3.144")):
            with self.subTest(a=a, b=b):
                pair = self.show(capture, a, b)
                for side, name in (("first", a), ("second", b)):
                    self.assertEqual(pair[side], self.show(capture, name))

    def test_the_labels_add_up(self):
        pair = self.show(STOCK, "3.39", "13.40")
        for side in ("first", "second"):
            sums = collections.Counter()
            for interval in pair[side]["end"]["course"]:
                sums[interval["label"]] += interval["to_ns"] - interval["from_ns"]
            self.assertEqual(
                {row["label"]: row[f"{side}_ns"] for row in pair["labels"] if row[f"{side}_ns"]}, dict(sums)
            )
            self.assertEqual(sum(sums.values()), pair[side]["end"]["request"]["duration_ns"])
        differences = [abs(row["difference_ns"]) for row in pair["labels"]]
        self.assertEqual(differences, sorted(differences, reverse=True))
        for row in pair["labels"]:
            self.assertEqual(row["difference_ns"], row["second_ns"] - row["first_ns"])

    def test_the_schema_has_both_forms(self):
        schema = jsonschema.Draft202012Validator(json.loads(self.tailcap("show", "--schema").stdout))
        for ids in (["3.39"], ["3.39", "13.40"]):
            self.assertEqual([e.message for e in schema.iter_errors(self.show(STOCK, *ids))], [])
        pair = self.show(STOCK, "3.39", "13.40")
        del pair["labels"][0]["label"]
        self.assertFalse(schema.is_valid(pair))

    def test_the_text_names_causes_and_differences(self):
        text = self.tailcap("show", LOCKS, "3.144", "2.152", "--width", "240").stdout
        self.assertIn("Requests 3.144 and 2.152 of lock-contention.tcap", text)
        self.assertRegex(text, r"(?m)^  waiting for a lock +7\.83 ms +1\.64 ms +-6\.20 ms$")
        self.assertRegex(text, r"7\.83 ms waiting for a lock: at 0x7ffe4f070838, held by (another )?GET")
        calls = self.tailcap("show", STOCK, "3.39", "13.40").stdout.partition("── Calls")[2]
        self.assertRegex(calls, r"(?m)^  GET /shirts/\{\} at 127\.0\.0\.1:18082 +1, 27\.8 ms +1, \S+ ms +-\d")
        markdown = self.tailcap("show", STOCK, "3.39", "13.40", "--format", "md").stdout
        self.assertIn("| waiting for another service |", markdown)

    def test_names_of_requests(self):
        by_name = self.tailcap("show", LOCKS, "@1", "slowest").stdout
        self.assertIn("Requests 3.144 and 3.144", by_name)
        (self.scratch / "only.tcap").write_bytes(LOCKS.read_bytes())
        self.assertEqual(
            self.tailcap("show", "3.144", "2.152").stdout, self.tailcap("show", "only.tcap", "3.144", "2.152").stdout
        )

    def test_what_is_refused(self):
        self.assert_refused(self.tailcap("show", LOCKS, "3.144", "999.1"), 1, "999.1")
        self.assert_refused(self.tailcap("show", LOCKS, "3.144", "other"), 2, "other")
        self.assert_refused(self.tailcap("show", LOCKS, "3.144", "2.152", "2.153"), 2, "2.153")
        self.assert_refused(self.tailcap("show", LOCKS, "3.144", "2.152", "-o", "x.html"), 2, "page")
        self.assert_refused(self.tailcap("show", "3.144", LOCKS), 2, "file comes first")


if __name__ == "__main__":
    case.main()
