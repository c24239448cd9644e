#!/usr/bin/env python3
"""The report as it is without options: one screen, for whatever capture. What does not fit is counted.

    python3 tests/cli/first_screen_test.py --build build/dev
"""
import pathlib
import re
import shutil
import subprocess
import unicodedata
import unittest

import case

LINES, COLUMNS = 23, 80  # above the prompt of a terminal of 24 lines
ANSWER = re.compile(r"^(\d+) (SEVERE|notable|note)  (\S.*)$")
GOLDEN = case.ROOT / "tests/golden"


def columns(line):
    """As a terminal shows it."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(unicodedata.combining(c) != 0 for c in line)


def words(text):
    return " ".join(text.split())


class FirstScreen(case.Case):
    def captures(self):
        yield from sorted(case.SAMPLES.glob("*/*.tcap"))
        for capture in sorted(GOLDEN.glob("*/*.tcap")):
            yield capture
        for text in sorted(GOLDEN.glob("*/*.txt")):
            capture = self.scratch / f"{text.parent.name}-{text.stem}.tcap"
            subprocess.run([case.program("tests/synth/synth-capture"), text, capture], check=True)
            yield capture

    def screen(self, capture, *options):
        done = self.tailcap("report", capture, *options)
        self.assertIn(done.returncode, (0, 3, 4), (capture, done.stderr))
        return done.stdout

    def answers_in_full(self, capture):
        """The sentences that --brief prints, the first first."""
        text = self.tailcap("report", capture, "--brief", "--width", "1000").stdout
        return [words(t) for t in re.findall(r"^  \d+\. (.*)$", text, re.M)]

    def test_every_capture_fits(self):
        seen = 0
        for capture in self.captures():
            with self.subTest(capture=capture.name):
                lines = self.screen(capture).splitlines()
                self.assertLessEqual(len(lines), LINES, "\n".join(lines))
                for line in lines:
                    self.assertLessEqual(columns(line), COLUMNS, line)
                    self.assertEqual(line, line.rstrip(), "nothing at the end of a line")
                seen += 1
        self.assertGreater(seen, 60)

    def test_answers_are_those_of_the_brief_report_or_counted(self):
        shown_in_all = 0
        for capture in self.captures():
            with self.subTest(capture=capture.name):
                text = self.screen(capture)
                full = self.answers_in_full(capture)
                shown = [m for m in map(ANSWER.match, text.splitlines()) if m]
                self.assertEqual([int(m[1]) for m in shown], list(range(1, len(shown) + 1)))
                for match, sentence in zip(shown, full):
                    # The line ends where it is broken, where the cause begins, with an id, or in an ellipsis.
                    said = words(re.sub(r" +\d+\.\d+$| …$", "", match[3]))
                    self.assertTrue(sentence.startswith(said), (said, sentence))
                more = re.search(r"^(\d+) more answers?: ", text, re.M)
                if len(full) < 8:  # what --brief prints at most of routes
                    self.assertEqual(len(shown) + (int(more[1]) if more else 0), len(full), text)
                shown_in_all += len(shown)
        self.assertGreater(shown_in_all, 30)

    def test_no_answer_has_more_than_three_lines(self):
        for capture in self.captures():
            length = 0
            for line in self.screen(capture).splitlines():
                length = 1 if ANSWER.match(line) else length + 1 if length and line.startswith("   ") else 0
                self.assertLessEqual(length, 3, (capture.name, line))

    def test_the_commands_work_as_they_are_written(self):
        for name in ("lock-contention", "go-stock", "lost-events"):
            shutil.copy(case.SAMPLES / name / f"{name}.tcap", self.scratch)
            text = self.screen(f"{name}.tcap")
            commands = [line.split("  ")[0] for line in text.splitlines() if line.startswith("tailcap ")]
            self.assertGreaterEqual(len(commands), 2, text)
            for command in commands:
                if command.startswith("tailcap open"):  # would start a browser
                    continue
                done = self.tailcap(*command.split()[1:])
                self.assertIn(done.returncode, (0, 3), (command, done.stderr))

    def test_narrow_wide_and_selected(self):
        capture = case.SAMPLES / "busy-machine/busy-machine.tcap"
        for width in (60, 72, 120):
            for line in self.screen(capture, "--width", width).splitlines():
                if not line.startswith(("latency", "errors", "tailcap ")):  # a chart; to be copied
                    self.assertLessEqual(columns(line), width, line)
        text = self.screen(capture, "--route", "/cart/{}")
        self.assertIn("filtered  requests of route /cart/{}", text)
        self.assertLessEqual(len(text.splitlines()), LINES)

    def test_lengths_exclude_each_other(self):
        done = self.tailcap("report", case.SAMPLES / "busy-machine/busy-machine.tcap", "--full", "--brief")
        self.assert_refused(done, 2, "--full", "--brief")

    def test_a_list_of_n_routes_is_part_of_the_full_report(self):
        capture = case.SAMPLES / "busy-machine/busy-machine.tcap"
        self.assertIn("Incoming requests", self.screen(capture, "-n", "2"))
        self.assertNotIn("Incoming requests", self.screen(capture))


if __name__ == "__main__":
    case.main()
