#!/usr/bin/env python3
"""Captures that are valid and small and stand for very much: commands stop, say so, print what they have, and end with 3.

    tests/cli/crafted_test.py --build build/dev [unittest arguments]

The bounds on memory are those that are promised (formats/bounds/read_limits.h); those on time are loose, since the machine may be busy.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import case

MIB = 1 << 20
# What a program of this size has beside what it reads: its code, blocks that are decoded ahead, tables that grow by doubling.
BESIDE = 192 * MIB
# What formats/bounds/process_bounds.h adds to the limit; the kernel holds the process to both together.
BESIDE_LIMIT = 64
LONGEST = 120  # seconds
COUNTS = {
    "pipelined": 20_000,
    "heads": 4_000,
    "pieces": 4_000,
    "texts": 40_000,
    "halves": 150_000,
    "empty": 200 * 32_768,
}


class Crafted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-crafted-")
        cls.addClassCleanup(folder.cleanup)
        cls.scratch = pathlib.Path(folder.name)

    def capture(self, kind):
        path = self.scratch / f"{kind}.tcap"
        if not path.exists():
            subprocess.run(
                [case.program("tests/synth/synth-capture"), "--crafted", kind, str(COUNTS[kind]), path], check=True
            )
        return path

    def run_bounded(self, *arguments):
        """Output, errors, exit code and the greatest resident memory."""
        with open(self.scratch / "out", "w+") as out, open(self.scratch / "err", "w+") as err:
            process = subprocess.Popen(
                [case.program(), *map(str, arguments)], stdout=out, stderr=err, stdin=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0), err.seek(0)
            self.assertLess(usage.ru_utime + usage.ru_stime, LONGEST, arguments)
            return out.read(), err.read(), process.returncode, usage.ru_maxrss * 1024

    def assert_stopped(self, result, *words, memory):
        out, err, code, resident = result
        self.assertEqual(code, 3, err)
        lines = [line for line in err.splitlines() if "stopped after" in line]
        self.assertEqual(len(lines), 1, err)
        for word in ("What comes later is not in this result", *words):
            self.assertIn(word, lines[0])
        self.assertLess(resident, memory, f"{resident // MIB} MiB")
        return out

    def assert_bounded(self, result, limit):
        """Stopped in good order, or given up with a sentence, or done; within `limit` MiB and what the program has beside it."""
        _, err, code, resident = result
        self.assertLess(resident, (limit + BESIDE_LIMIT) * MIB, f"{resident // MIB} MiB")
        if code == 1:
            self.assertIn(f"more than {limit} MiB of memory (--max-memory sets the limit)", err)
            self.assertEqual(err.count("\n"), 1, err)
        else:
            self.assertIn(code, (0, 3, 4), err)

    def test_pipelined_requests(self):
        """A kilobyte that holds 4.5 million requests."""
        file = self.capture("pipelined")
        size = file.stat().st_size
        self.assertLess(size, 4096)
        out = self.assert_stopped(
            self.run_bounded("requests", file, "--json"), "may be crafted", "--max-requests", memory=800 * MIB
        )
        self.assertEqual(len(out.splitlines()), 250_000 + size)
        out = self.assert_stopped(self.run_bounded("report", file, "--json"), "may be crafted", memory=1024 * MIB)
        self.assertEqual(json.loads(out)["quality"]["capture"]["stopped"], "requests_out_of_proportion")
        out = self.assert_stopped(self.run_bounded("report", file, "--full"), memory=1024 * MIB)
        self.assertIn("the file was not read to its end", out)
        self.assertIn("NOT READ TO ITS END", out)

    def test_the_number_of_requests_can_be_chosen(self):
        file = self.capture("pipelined")
        for limit in (1, 1000, 300_000):
            out = self.assert_stopped(
                self.run_bounded("requests", file, "--json", "--max-requests", limit),
                f"more than {limit} requests",
                memory=1200 * MIB,
            )
            self.assertEqual(len(out.splitlines()), limit)

    def test_heads_that_never_end(self):
        """One in a single piece, the other in pieces that come in turn, which once was read again for each of them."""
        for kind in ("heads", "pieces"):
            file = self.capture(kind)
            self.assertLess(file.stat().st_size, 1 * MIB, kind)
            out, err, code, resident = self.run_bounded("report", file, "--json")
            self.assertIn(code, (0, 3), err)
            self.assertLess(resident, 64 * MIB + 3 * BESIDE, kind)
            self.assertIn('"head_cut"', out)

    def test_memory(self):
        for kind, limit in (("texts", 256), ("halves", 128), ("pipelined", 128)):
            file = self.capture(kind)
            for command in ("requests", "report"):
                self.assert_bounded(
                    self.run_bounded(command, file, f"--max-memory={limit}MiB", "--max-requests", 50_000_000), limit
                )
        # What follows the reading is bounded, too, in every command.
        file = self.capture("halves")
        for arguments in (
            ["export", file, "--format", "otlp"],
            ["query", file, "SELECT count(*) FROM request JOIN connection USING (connection_id)"],
            ["spans", file, "-o", self.scratch / "spans"],
            ["compare", file, "--", file],
            ["diff", file, "--before", "10ms", "--json"],
            ["cut", file, self.scratch / "cut.tcap", "--force"],
            ["topology", file],
        ):
            self.assert_bounded(self.run_bounded(*arguments, "--max-memory=96MiB"), 96)
        self.assertEqual([p.name for p in self.scratch.iterdir() if p.name.startswith(".tailcap-")], [])

    def test_memory_in_proportion(self):
        """Without an option: a gigabyte, and some for each byte of the file."""
        subprocess.run(
            [case.program("tests/synth/synth-capture"), "--crafted", "halves", "300000", self.scratch / "many.tcap"],
            check=True,
        )
        file = self.scratch / "many.tcap"
        self.assert_bounded(self.run_bounded("report", file), 1024 + 300 * file.stat().st_size // MIB)
        self.assert_bounded(self.run_bounded("compare", file, "--", file), 1024 + 300 * file.stat().st_size // MIB)

    def test_processor_time(self):
        file = self.capture("halves")
        _, err, code, _ = self.run_bounded("report", file, "--max-cpu", "100ms")
        self.assertEqual(code, 1, err)
        self.assertIn("--max-cpu", err)
        self.assertIn("processor time", err)
        out, err, code, _ = self.run_bounded("report", file, "--max-cpu", "5m")
        self.assertIn(code, (0, 3), err)

    def test_empty_events(self):
        file = self.capture("empty")
        self.assertLess(file.stat().st_size, 256 * 1024)
        for command in ("report", "diag", "info", "requests"):
            self.assert_stopped(self.run_bounded(command, file), "may be crafted", memory=BESIDE)

    def test_commands(self):
        """Each that reads a capture heeds the limits and says so."""
        file = self.capture("pipelined")
        for arguments in (
            ["spans", file, "-o", self.scratch / "spans"],
            ["topology", file],
            ["show", file, "1.1"],
            ["tree", file, "1.1"],
        ):
            self.assert_stopped(self.run_bounded(*arguments, "--max-requests", 2000), "2000 requests", memory=400 * MIB)
        file = self.capture("empty")
        self.assertEqual(self.run_bounded("recover", file, "-o", self.scratch / "saved.tcap")[2], 3)
        self.assertIn("not read to its end", self.run_bounded("check", file)[0])

    def test_ordinary_captures_are_read_whole(self):
        for file in sorted(case.ROOT.glob("samples/captures/*/*.tcap")):
            _, err, code, _ = self.run_bounded("report", file)
            self.assertNotIn("stopped", err)
            self.assertIn(code, (0, 3))

    def test_usage(self):
        file = case.SAMPLES / "slow-client/slow-client.tcap"
        for arguments, word in (
            (["--max-memory"], "is missing"),
            (["--max-memory", "1MiB"], "64MiB"),
            (["--max-memory", "4"], "4GiB"),
            (["--max-memory=x"], "not 'x'"),
            (["--max-requests", "0"], "at least 1"),
            (["--max-requests", "many"], "not 'many'"),
        ):
            out, err, code, _ = self.run_bounded("report", file, *arguments)
            self.assertEqual((out, code), ("", 2), err)
            self.assertIn(word, err)
        before = self.run_bounded("report", file, "--max-memory", "1GiB", "--max-requests=1000")
        self.assertEqual(before[:3], self.run_bounded("report", file)[:3])


if __name__ == "__main__":
    case.main()
