#!/usr/bin/env python3
"""How often commands open a capture: a page must not read it again for every picture. The kernel counts.

    tests/cli/readings_test.py --build build/dev [unittest arguments]
"""
import ctypes
import os
import pathlib
import re
import shutil
import struct

import case

IN_ACCESS, IN_OPEN = 0x1, 0x20  # the reads between them keep two openings from being reported as one
EVENT = struct.Struct("iIII")
libc = ctypes.CDLL(None, use_errno=True)


def openings(path, act):
    fd = libc.inotify_init1(os.O_NONBLOCK)
    if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(path), IN_OPEN | IN_ACCESS) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    try:
        act()
        data = os.read(fd, 1 << 20)
        return sum(EVENT.unpack_from(data, at)[1] & IN_OPEN != 0 for at in range(0, len(data), EVENT.size))
    finally:
        os.close(fd)


class Readings(case.Case):
    def count(self, capture, *arguments):
        page = self.scratch / "page.html"

        def act():
            done = self.tailcap(*arguments, "-o", page)
            self.assertIn(done.returncode, (0, 3), done.stderr)
        opened = openings(capture, act)
        self.assertGreater(page.stat().st_size, 0)
        return opened

    def captures(self):
        """Copies, because other tests read the samples at the same time."""
        found = [pathlib.Path(shutil.copy(capture, self.scratch)) for capture in sorted(case.SAMPLES.glob("*/*.tcap"))]
        self.assertTrue(found)
        return found

    def test_the_counter_counts(self):
        capture = self.captures()[0]
        self.assertEqual(openings(capture, lambda: [capture.read_bytes() for _ in range(3)]), 3)

    def test_a_report_reads_twice(self):
        for capture in self.captures():
            with self.subTest(capture.name):
                self.assertEqual(self.count(capture, "report", capture), 2)

    def test_a_request_reads_twice(self):
        for capture in self.captures():
            with self.subTest(capture.name):
                listed = self.tailcap("requests", capture, "--json", "--sort", "duration", "-n", "1").stdout
                request = re.search(r'"id":"([0-9.]+)"', listed).group(1)
                self.assertEqual(self.count(capture, "show", capture, request), 2)


if __name__ == "__main__":
    case.main()
