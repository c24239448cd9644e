#!/usr/bin/env python3
"""Captures, requests and moments, as people name them: the newest file here, `slowest`, `@1`, `-10s`, a time of day.

    tests/cli/naming_test.py --build build/dev [unittest arguments]
"""
import datetime
import json
import os
import pathlib
import shutil
import stat

import case

LOCK = case.SAMPLES / "lock-contention/lock-contention.tcap"
SLOW = case.SAMPLES / "slow-client/slow-client.tcap"
SECOND = 1_000_000_000


class Naming(case.Case):
    def setUp(self):
        super().setUp()
        self.older, self.newer = self.scratch / "older.tcap", self.scratch / "newer.tcap"
        shutil.copy(SLOW, self.older)
        shutil.copy(LOCK, self.newer)
        os.utime(self.older, (1_700_000_000, 1_700_000_000))
        os.utime(self.newer, (1_700_000_001, 1_700_000_001))

    def lines(self, *arguments):
        done = self.tailcap(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_the_newest_capture(self):
        named = self.tailcap("report", "newer.tcap").stdout
        left_out = self.tailcap("report")
        self.assertEqual(left_out.stdout, named)
        self.assertIn("reading newer.tcap", left_out.stderr)
        os.utime(self.older, (1_700_000_002, 1_700_000_002))
        self.assertEqual(self.tailcap("report").stdout, self.tailcap("report", "older.tcap").stdout)

    def test_the_newest_capture_of_a_request(self):
        self.assertEqual(self.tailcap("show", "3.144").stdout, self.tailcap("show", "newer.tcap", "3.144").stdout)
        sql = "SELECT count(*) FROM request"
        self.assertEqual(self.tailcap("query", sql).stdout, self.tailcap("query", "newer.tcap", sql).stdout)

    def test_no_capture(self):
        self.older.unlink()
        self.newer.unlink()
        self.assert_refused(self.tailcap("report"), 2, "no file given", "*.tcap")

    def test_a_file_is_missing(self):
        """A name that is wrong is no reason to read another file."""
        self.assert_refused(self.tailcap("report", "nwer.tcap"), 1, "nwer.tcap")
        self.assert_refused(self.tailcap("query", "nwer"), 1, "nwer")
        self.assert_refused(self.tailcap("audit", "--expose", ":80"), 2, "no file given")

    def test_a_file_is_a_report(self):
        self.assertEqual(self.tailcap("newer.tcap").stdout, self.tailcap("report", "newer.tcap").stdout)
        self.assertEqual(
            self.tailcap("./newer.tcap", "--brief").stdout, self.tailcap("report", "newer.tcap", "--brief").stdout
        )
        self.assert_refused(self.tailcap("nwer.tcap"), 2, "unknown command")

    def test_slowest(self):
        report = json.loads(self.tailcap("report", "newer.tcap", "--json").stdout)
        slowest = report["slowest"][0]["id"]
        served = [r for r in self.lines("requests", "newer.tcap", "--json") if r["role"] == "server"]
        longest = max(served, key=lambda r: r["duration_ns"] or 0)
        self.assertEqual(longest["id"], slowest)
        for command in (["show"], ["tree"], ["flame", "--format", "folded", "--measure", "off-cpu"], ["spans"]):
            by_name = self.tailcap(command[0], "newer.tcap", "slowest", *command[1:])
            self.assertEqual(by_name.stdout, self.tailcap(command[0], "newer.tcap", slowest, *command[1:]).stdout)
            self.assertEqual(by_name.returncode, 0, by_name.stderr)

    def test_examples(self):
        report = json.loads(self.tailcap("report", "newer.tcap", "--json").stdout)
        example = report["verdicts"][0]["examples"][0]
        self.assertEqual(
            self.tailcap("show", "newer.tcap", "@1").stdout, self.tailcap("show", "newer.tcap", example).stdout
        )
        self.assert_refused(self.tailcap("show", "newer.tcap", "@9"), 1, "no answer 9")
        self.assert_refused(self.tailcap("show", "newer.tcap", "@0"), 2, "is no request")

    def test_times(self):
        rows = self.lines("requests", "newer.tcap", "--columns", "id,start_ns", "--json")
        info = json.loads(self.tailcap("info", "newer.tcap", "--json").stdout)
        started = min(row["start_ns"] for row in rows)
        whole = [row["id"] for row in rows]
        last = self.lines("requests", "newer.tcap", "--from", "-500ms", "--columns", "id", "--json")
        self.assertGreater(len(last), 0)
        self.assertLess(len(last), len(rows))
        self.assertEqual([row["id"] for row in last], whole[-len(last) :])
        sql = f"SELECT count(*) AS n FROM request WHERE ts >= {info['last_ns'] - SECOND // 2}"
        self.assertEqual(self.lines("query", "newer.tcap", sql, "--json"), [{"n": len(last)}])
        at = datetime.datetime.fromtimestamp(started // SECOND + 1, datetime.timezone.utc)
        self.assertEqual(
            self.lines("requests", "newer.tcap", "--from", at.strftime("%H:%M:%S"), "--json"),
            self.lines("requests", "newer.tcap", "--from", at.strftime("%Y-%m-%dT%H:%M:%SZ"), "--json"),
        )
        self.assert_refused(self.tailcap("requests", "newer.tcap", "--from", "-10x"), 2, "-10x")
        self.assert_refused(self.tailcap("requests", "newer.tcap", "--from", "27:00:00"), 2, "27:00:00")

    def test_around(self):
        rows = self.lines("requests", "newer.tcap", "--columns", "id,start_ns,duration_ns", "--json")
        one = next(row for row in rows if row["id"] == "3.144")
        begin, end = one["start_ns"] - SECOND, one["start_ns"] + one["duration_ns"] + SECOND
        expected = [row["id"] for row in rows if begin <= row["start_ns"] < end]
        found = self.lines("requests", "newer.tcap", "--around", "3.144", "--columns", "id", "--json")
        self.assertEqual([row["id"] for row in found], expected)
        self.assertIn("3.144", expected)
        self.assert_refused(
            self.tailcap("requests", "newer.tcap", "--around", "3.144", "--from", "1s"), 2, "choose one"
        )

    def test_columns(self):
        rows = self.lines("requests", "newer.tcap", "--json")
        chosen = self.lines("requests", "newer.tcap", "--columns", "id,route,duration,status", "--json")
        self.assertEqual(chosen, [{key: row[key] for key in ("id", "route", "duration_ns", "status")} for row in rows])
        text = self.tailcap("requests", "newer.tcap", "--columns", "id,method,status").stdout.splitlines()
        self.assertEqual(text[0].split(), ["id", "method", "status"])
        self.assertEqual([line.split() for line in text[1:]], [[r["id"], r["method"], str(r["status"])] for r in rows])
        self.assert_refused(self.tailcap("requests", "newer.tcap", "--columns", "id,methd"), 2, "methd", "method")

    def test_served(self):
        """One row for each exchange, also where both ends were recorded."""
        rows = self.lines("requests", str(case.SAMPLES / "go-stock/go-stock.tcap"), "--json")
        expected = [r["id"] for r in rows if r["role"] == "server" or r["peer"] is None]
        self.assertLess(len(expected), len(rows))
        served = self.lines(
            "query", str(case.SAMPLES / "go-stock/go-stock.tcap"), "SELECT id FROM served", "--json", "-n", "100000"
        )
        self.assertEqual(sorted(r["id"] for r in served), sorted(expected))

    def test_percentile(self):
        times = sorted(r["duration_ns"] for r in self.lines("requests", "newer.tcap", "--json") if r["duration_ns"])
        for percent in (0, 50, 99, 100):
            place = percent / 100 * (len(times) - 1)
            low, part = int(place), place - int(place)
            expected = times[low] + (part * (times[low + 1] - times[low]) if part else 0)
            row = self.lines("query", "newer.tcap", f"SELECT percentile(dur, {percent}) AS p FROM request", "--json")[0]
            self.assertAlmostEqual(row["p"], expected, delta=1)
        self.assertEqual(
            self.lines("query", "newer.tcap", "SELECT percentile(dur, 50) AS p FROM request WHERE dur < 0", "--json"),
            [{"p": None}],
        )
        for wrong in ("percentile(dur, 101)", "percentile(dur, id)", "percentile(route, 50)", "percentile(dur, dur)"):
            done = self.tailcap("query", "newer.tcap", f"SELECT {wrong} FROM request")
            self.assertNotEqual(done.returncode, 0, wrong)
            self.assertIn("percentile()", done.stderr)

    def test_open(self):
        """A browser that is a script: it gets the page, which only its owner can read."""
        browser = self.scratch / "xdg-open"
        browser.write_text('#!/bin/sh\ncp "$1" "$OPENED"\n')
        browser.chmod(0o755)
        opened = self.scratch / "opened.html"
        there = dict(
            os.environ,
            PATH=f"{self.scratch}:{os.environ['PATH']}",
            BROWSER="any",
            OPENED=str(opened),
            TMPDIR=str(self.scratch),
        )
        done = case.run(case.program(), "open", "newer.tcap", cwd=self.scratch, env=there)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = done.stdout.strip()
        self.assertEqual(opened.read_bytes(), pathlib.Path(page).read_bytes())
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(page)).st_mode), 0o700)
        self.tailcap("report", "newer.tcap", "-o", "page.html")
        self.assertEqual(opened.read_bytes(), (self.scratch / "page.html").read_bytes())
        there["BROWSER"] = there["DISPLAY"] = there["WAYLAND_DISPLAY"] = ""
        for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
            del there[name]
        done = case.run(case.program(), "open", "newer.tcap", "@1", cwd=self.scratch, env=there)
        self.assertIn("no browser", done.stderr)
        self.assertIn("<html", pathlib.Path(done.stdout.strip()).read_text(encoding="utf-8"))

    def test_help_for_agents(self):
        done = self.tailcap("help", "agents")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, (case.ROOT / "docs/agents.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    case.main()
