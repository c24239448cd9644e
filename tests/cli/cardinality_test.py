#!/usr/bin/env python3
"""`tailcap cardinality` beside counts of the same text by other means.

    tests/cli/cardinality_test.py --build build/release [unittest arguments]
"""
import collections
import json
import math
import os
import random
import re

import case

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? ')
PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def series_of(text):
    """A set of (metric, ((dimension, value), …))."""
    out = set()
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            name, pairs = SAMPLE.match(line).groups()
            out.add((name, tuple(sorted(PAIR.findall(pairs or "")))))
    return out


def without(series, dimension):
    return collections.Counter((name, tuple(p for p in pairs if p[0] != dimension)) for name, pairs in series)


class Cardinality(case.Case):
    def json(self, *arguments, code=0):
        done = self.tailcap("cardinality", *arguments, "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def write(self, name, lines):
        path = self.scratch / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def assert_counts(self, census, series):
        self.assertTrue(census["exact"])
        self.assertEqual(census["series"], len(series))
        self.assertLessEqual(abs(census["series_estimate"] / len(series) - 1), 0.04)
        self.assertEqual(
            {m["name"]: m["series"] for m in census["metrics"]}, dict(collections.Counter(s[0] for s in series))
        )
        values = collections.defaultdict(collections.Counter)
        for _, pairs in series:
            for name, value in pairs:
                values[name][value] += 1
        self.assertEqual({d["name"]: d["values"] for d in census["dimensions"]}, {n: len(v) for n, v in values.items()})
        for d in census["dimensions"]:
            counts = values[d["name"]].values()
            entropy = -sum(n / sum(counts) * math.log2(n / sum(counts)) for n in counts)
            self.assertAlmostEqual(d["entropy_bits"], entropy, places=6)
            dropped = next(e for e in d["effects"] if e["change"] == "drop")
            left = without(series, d["name"])
            self.assertEqual(dropped["series"], len(left), d["name"])
            self.assertEqual(dropped["merged"], sum(n for n in left.values() if n > 1), d["name"])

    def test_a_capture_has_the_series_of_its_export(self):
        for name in ("go-stock", "lock-contention"):
            capture = case.SAMPLES / name / f"{name}.tcap"
            text = self.tailcap("export", capture, "--format", "openmetrics").stdout
            self.assert_counts(self.json(capture)["files"][0], series_of(text))
            exported = self.scratch / f"{name}.om"
            exported.write_text(text)
            census = self.json(exported)["files"][0]
            self.assert_counts(census, series_of(text))
            self.assertTrue(census["at_of_samples"])

    def test_random_labels(self):
        dice = random.Random(5)
        lines = set()
        for _ in range(20_000):
            user, pod, zone = dice.randrange(3000), dice.randrange(40), dice.choice("abc")
            lines.add(f'http_total{{path="/users/{user}",pod="p{pod}",zone="{zone}",node="n{pod % 7}"}} 1')
        file = self.write("random.txt", sorted(lines))
        census = self.json(file)["files"][0]
        self.assert_counts(census, series_of(file.read_text()))
        # A pod is on one node: leaving the node out merges nothing.
        node = next(d for d in census["dimensions"] if d["name"] == "node")
        self.assertEqual([e["merged"] for e in node["effects"] if e["change"] == "drop"], [0])

    def test_a_limit_is_a_gate_with_a_way_to_keep_it(self):
        file = self.write("m.txt", [f'm{{path="/u/{i}",zone="{z}"}} 1' for i in range(100) for z in "ab"])
        census = self.json(file, "--max-series", "199", code=3)["files"][0]
        self.assertEqual([(s["dimension"], s["effect"]["change"]) for s in census["steps"]], [("zone", "drop")])
        self.assertEqual(census["steps"][0]["effect"]["series"], 100)
        self.assertEqual(census["steps"][0]["effect"]["merged"], 200)
        census = self.json(file, "--max-series", "2", code=3)["files"][0]
        self.assertEqual(
            [(s["dimension"], s["effect"]["change"]) for s in census["steps"]], [("path", "without_numbers")]
        )
        self.assertEqual(self.json(file, "--max-series", "200")["files"][0]["steps"], [])
        text = self.tailcap("cardinality", file, "--max-series", "199").stdout
        self.assertIn("1 above it", text)
        self.assertIn("leave zone out", text)

    def test_several_files_grow(self):
        files = []
        for hour, pods in enumerate((10, 20, 30)):
            file = self.write(f"h{hour}.txt", [f'm{{pod="p{i}"}} 1' for i in range(pods)])
            os.utime(file, (1_764_331_200 + hour * 3600,) * 2)
            files.append(file)
        study = self.json(files[2], files[0], files[1], "--max-series", "100")
        self.assertEqual([c["series"] for c in study["files"]], [10, 20, 30])
        growth = study["growth"]
        self.assertAlmostEqual(growth["each_hour"], 10)
        self.assertAlmostEqual(growth["lead_hours"], 7)
        self.assertEqual((growth["dimension"], growth["values_before"], growth["values_after"]), ("pod", 10, 30))
        self.assertIn("the limit is reached in 7 h", self.tailcap("cardinality", *files, "--max-series", "100").stdout)
        self.assertIsNone(self.json(files[0])["growth"])

    def test_what_is_no_text_of_metrics(self):
        for name, content in (("empty", b""), ("prose", b"no metrics here\n" * 9), ("pipe", None)):
            path = self.scratch / name
            os.mkfifo(path) if content is None else path.write_bytes(content)
            self.assert_refused(self.tailcap("cardinality", path), 1, name)
        file = self.write("odd.txt", ['m{a="\x1b[31m"} 1', "m" * 100_000, 'm{a="b" 1'])
        census = self.json(file)["files"][0]
        self.assertEqual((census["series"], census["unread"]), (1, 2))
        self.assertNotIn("\x1b", self.tailcap("cardinality", file).stdout)


if __name__ == "__main__":
    case.main()
