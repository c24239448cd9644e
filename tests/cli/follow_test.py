#!/usr/bin/env python3
"""`tailcap requests --follow` of captures that grow, are renamed, are cut, or come through a pipe.

    tests/cli/follow_test.py --build build/release [unittest arguments]
"""
import fcntl
import json
import os
import signal
import subprocess
import time

import case

CAPTURES = sorted(case.SAMPLES.glob("*/*.tcap"))
STOCK = case.SAMPLES / "go-stock/go-stock.tcap"


class Follow(case.Case):
    def follow(self, *arguments, **options):
        out = open(self.scratch / "out", "wb")
        self.addCleanup(out.close)
        process = subprocess.Popen(
            [str(a) for a in (case.program(), "requests", "--follow", *arguments)],
            stdout=out,
            stderr=subprocess.PIPE,
            cwd=self.scratch,
            **options,
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def out(self):
        return (self.scratch / "out").read_text().splitlines()

    def closed(self, capture, *arguments):
        done = self.tailcap("requests", capture, *arguments)
        return done.returncode, done.stdout.splitlines()

    def grow(self, capture, part, pause=0.02):
        """Writes it piece by piece, locked as a recorder does, and gives it its name."""
        data = capture.read_bytes()
        with open(self.scratch / "a.tcap.partial", "wb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            step, end = max(1, len(data) // 40), int(len(data) * part) - 500  # the end comes later
            for at in range(0, end, step):
                file.write(data[at : min(at + step, end)])
                time.sleep(pause)
            yield file
            if part == 1:
                os.rename(self.scratch / "a.tcap.partial", self.scratch / "a.tcap")
                time.sleep(0.2)
                file.write(data[end:])
        yield None

    def test_every_sample_gives_the_lines_of_the_closed_file(self):
        self.assertGreaterEqual(len(CAPTURES), 5)
        for capture in CAPTURES:
            code, lines = self.closed(capture)
            for way in ("file", "pipe"):
                with self.subTest(capture=capture.stem, way=way):
                    if way == "file":
                        process = self.follow(capture)
                    else:
                        with open(capture, "rb") as stream:
                            cat = subprocess.Popen(["cat"], stdin=stream, stdout=subprocess.PIPE)
                        process = self.follow("-", stdin=cat.stdout)
                        cat.stdout.close()
                    self.assertEqual(process.wait(timeout=60), code)
                    if way == "pipe":
                        cat.wait()
                    self.assertEqual(self.out()[0], lines[0])
                    self.assertEqual(sorted(self.out()), sorted(lines))

    def test_json_has_the_fields_that_can_be_known(self):
        for capture in CAPTURES:
            self.follow(capture, "--json").wait(timeout=60)
            closed = {row["id"]: row for row in map(json.loads, self.closed(capture, "--json")[1])}
            live = [json.loads(line) for line in self.out()]
            self.assertEqual(sorted(row["id"] for row in live), sorted(closed))
            for row in live:
                self.assertEqual(row, {key: closed[row["id"]][key] for key in row})
                self.assertGreaterEqual(len(row), 25)

    def test_a_file_that_grows_and_gets_its_name(self):
        steps = self.grow(STOCK, 1)
        next(steps)
        process = self.follow("a.tcap", "-w", "role == server")
        next(steps)
        # Lines are there before the recording has ended.
        deadline = time.monotonic() + 20
        while len(self.out()) < 300:
            self.assertLess(time.monotonic(), deadline, self.out()[-1:])
            time.sleep(0.05)
        self.assertIsNone(process.poll())
        next(steps)
        self.assertEqual(process.wait(timeout=20), 0, process.stderr.read())
        self.assertEqual(sorted(self.out()), sorted(self.closed(STOCK, "--role", "server")[1]))

    def test_a_recorder_that_dies(self):
        steps = self.grow(STOCK, 0.6)
        next(steps)
        process = self.follow("a.tcap.partial")
        next(steps)
        self.assertIsNone(process.poll())
        next(steps)  # the lock is gone, the name is not given
        self.assertEqual(process.wait(timeout=20), 3, process.stderr.read())
        code, lines = self.closed("a.tcap.partial")
        self.assertEqual(code, 3)
        self.assertEqual(sorted(self.out()), sorted(lines))

    def test_a_file_that_is_cut(self):
        steps = self.grow(STOCK, 0.6)
        next(steps)
        process = self.follow("a.tcap.partial")
        file = next(steps)
        time.sleep(1)
        file.truncate(1000)
        self.assertEqual(process.wait(timeout=20), 3, process.stderr.read())
        self.assertGreater(len(self.out()), 10)

    def test_a_signal_and_a_limit(self):
        steps = self.grow(STOCK, 0.6, pause=0)
        next(steps)
        process = self.follow("a.tcap.partial")
        next(steps)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=5), 0)
        self.assertEqual(self.follow(STOCK, "-n", "7").wait(timeout=20), 0)
        self.assertEqual(len(self.out()), 1 + 7)
        self.assertEqual(self.follow(STOCK, "-w", "status == 599").wait(timeout=20), 4)
        self.assertEqual(self.follow(STOCK, "--max-requests", "100").wait(timeout=20), 3)

    def test_a_reader_that_goes(self):
        done = subprocess.run(
            ["sh", "-c", f"{case.program()} requests --follow {STOCK} | head -n 3"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        self.assertEqual((len(done.stdout.splitlines()), done.stderr), (3, ""))

    def test_what_is_refused(self):
        for words in (
            ["--route", "/cart/{}"],
            ["--route-template", "/a/{id}"],
            ["-w", "labels.lock.futex > 1ms"],
            ["-w", "status == 200 && not (parent == null)"],
            ["-w", "route == '/a'"],
            ["--sort", "duration"],
            ["--from", "1s"],
            ["--headers"],
        ):
            self.assert_refused(self.tailcap("requests", "--follow", STOCK, *words), 2)
        # A value may have the name of a field.
        self.assertEqual(
            self.tailcap(
                "requests", "--follow", STOCK, "-n", "1", "-w", "path contains route || status == 200"
            ).returncode,
            0,
        )
        (self.scratch / "no.tcap").write_bytes(b"GIF89a" * 1000)
        self.assert_refused(self.tailcap("requests", "--follow", "absent.tcap"), 1, "absent.tcap")
        done = self.tailcap("requests", "--follow", "no.tcap")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not a tailcap capture", done.stderr)


if __name__ == "__main__":
    case.main()
