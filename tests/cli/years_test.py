#!/usr/bin/env python3
"""A time that is wrong by years, in every kind of event: no command takes work that grows with time.

    tests/cli/years_test.py --build build/dev [unittest arguments]
"""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import case

YEARS = 10 * 366 * 86400
MOST = 10  # seconds of processor time; the capture as it was takes a third of one
STOCK = case.SAMPLES / "go-stock/go-stock.tcap"
SYNTH = "tests/synth/synth-capture"
TIME = re.compile(r"\+(\d+)\.")
COMMANDS = (
    ["report"],
    ["report", "--full"],
    ["report", "--json"],
    ["requests"],
    ["topology"],
    ["summarise"],
    ["diag"],
    ["diff", "--before", "1s", "--full"],
    ["info"],
    ["timeline"],
    ["tree"],
    ["spans", "-o", "OUT"],
    ["flame", "--measure", "off-cpu"],
    ["export", "--format", "perfetto", "-o", "OUT"],
    ["export", "--format", "openmetrics", "-o", "OUT"],
    ["query", "SELECT count(*) FROM thread_state"],
    ["cut", "OUT.tcap", "--force"],
)


def later(line, place):
    """The line with the time at this place (0: of the event itself) moved by years."""
    times = list(TIME.finditer(line))
    if place >= len(times):
        return None
    found = times[place]
    return line[: found.start(1)] + str(int(found[1]) + YEARS) + line[found.end(1) :]


class Years(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-years-")
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = pathlib.Path(folder.name)
        text = subprocess.run(
            [case.program(SYNTH), "--print", STOCK], check=True, capture_output=True, text=True
        ).stdout
        cls.lines = text.splitlines()

    def check(self, name, lines, commands=COMMANDS):
        (self.scratch / "text").write_text("\n".join(lines) + "\n")
        capture = self.scratch / f"{name}.tcap"
        subprocess.run([case.program(SYNTH), self.scratch / "text", capture], check=True)
        for command in commands:
            words = [str(self.scratch / word) if word.startswith("OUT") else word for word in command[1:]]
            process = subprocess.Popen(
                [case.program(), command[0], capture, *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
            )
            error = process.stderr.read()
            process.stderr.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertLess(usage.ru_utime + usage.ru_stime, MOST, (name, command))
            self.assertLess(usage.ru_maxrss, 700 * 1024, (name, command))
            self.assertGreaterEqual(process.returncode, 0, (name, command, error))
        capture.unlink()

    def test_one_event_is_years_later(self):
        """One of each kind; of some also the first and the last."""
        places = {}
        for i, line in enumerate(self.lines):
            if line.startswith("+"):
                places.setdefault(line.split()[1], []).append(i)
        self.assertGreater(len(places), 15)
        for kind, found in places.items():
            for which, i in (("first", found[0]), ("middle", found[len(found) // 2]), ("last", found[-1])):
                if which != "middle" and kind not in ("off_cpu", "go_state", "send", "task_start"):
                    continue
                with self.subTest(kind=kind, which=which):
                    self.check(
                        f"{kind}-{which}",
                        self.lines[:i] + [later(self.lines[i], 0)] + self.lines[i + 1 :],
                        COMMANDS if kind in ("off_cpu", "go_state") else COMMANDS[:1],
                    )

    def test_all_that_follows_is_years_later(self):
        middle = len(self.lines) // 2
        self.check(
            "all",
            self.lines[:middle] + [later(line, 0) if line.startswith("+") else line for line in self.lines[middle:]],
        )

    def test_intervals_of_years(self):
        """Every hundredth off-CPU interval ends years later than it began."""
        count = 0
        lines = []
        for line in self.lines:
            if " off_cpu " in line:
                count += 1
                if count % 100 == 0:
                    line = later(line, 0)
            lines.append(line)
        self.check("intervals", lines)


if __name__ == "__main__":
    case.main()
