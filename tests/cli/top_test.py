#!/usr/bin/env python3
"""`tailcap top` of finished captures, streams, and files that grow; and what a terminal gets.

    tests/cli/top_test.py --build build/release [unittest arguments]
"""
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time

import case
import follow_test

CAPTURES = sorted(case.SAMPLES.glob("*/*.tcap"))
STOCK = case.SAMPLES / "go-stock/go-stock.tcap"
LOST = case.SAMPLES / "lost-events/lost-events.tcap"


class Top(case.Case):
    grow = follow_test.Follow.grow

    def top(self, *arguments, **options):
        process = subprocess.Popen(
            [str(a) for a in (case.program(), "top", *arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.scratch,
            **options,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def board(self, capture, *arguments):
        done = self.tailcap("top", capture, "--json", *arguments)
        return json.loads(done.stdout), done.returncode

    def stream(self, capture, *arguments):
        with open(capture, "rb") as stream:
            cat = subprocess.Popen(["cat"], stdin=stream, stdout=subprocess.PIPE)
        process = self.top("-", "--json", *arguments, stdin=cat.stdout)
        cat.stdout.close()
        out, _ = process.communicate(timeout=60)
        cat.wait()
        return [json.loads(line) for line in out.splitlines()], process.returncode

    def test_a_finished_capture_has_the_numbers_of_the_report(self):
        self.assertGreaterEqual(len(CAPTURES), 5)
        for capture in CAPTURES:
            with self.subTest(capture=capture.stem):
                board, code = self.board(capture)
                done = self.tailcap("report", capture, "--json")
                report = json.loads(done.stdout)
                self.assertEqual(code, done.returncode)
                rows = {(r["role"], r["comm"], r["method"], r["route"]): r for r in board["routes"]}
                self.assertEqual(len(rows), len(board["routes"]))
                known = 0
                for route in report["routes"]:
                    row = rows[(route["role"], route["comm"] or None, route["method"] or None, route["route"] or None)]
                    latency = {q["q"]: q for q in route["latency"]}
                    for q, name in ((0.5, "p50"), (0.99, "p99")):
                        full = latency[q]["support"] in ("full", "low", "no_interval")
                        self.assertEqual(row[f"{name}_ns"], latency[q]["value_ns"] if full else None, route["route"])
                        known += full
                if capture != LOST:
                    self.assertGreater(known, 0)

    def test_requests_are_those_that_are_listed(self):
        listed = [json.loads(line) for line in self.tailcap("requests", STOCK, "--json").stdout.splitlines()]
        board, _ = self.board(STOCK)
        self.assertEqual(sum(row["requests"] for row in board["routes"]), len(listed))
        for row in board["routes"]:
            same = [r for r in listed if (r["role"], r["route"]) == (row["role"], row["route"])]
            self.assertEqual(row["requests"], len(same))
            slowest = max(same, key=lambda r: r["duration_ns"])
            self.assertEqual((row["slowest_ns"], row["slowest_id"]), (slowest["duration_ns"], slowest["id"]))

    def test_a_stream_ends_with_the_table_of_the_file(self):
        for capture in CAPTURES:
            with self.subTest(capture=capture.stem):
                tables, code = self.stream(capture, "--last", "1h")
                board, expected = self.board(capture)
                self.assertEqual(code, expected)
                ends = lambda table: {
                    (r["role"], r["route"], r["method"]): (r["requests"], r["errors"], r["slowest_id"], r["under_way"])
                    for r in table["routes"]
                }
                self.assertEqual(ends(tables[-1]), ends(board))

    def test_only_the_latest_part_counts(self):
        board = self.stream(STOCK, "--last", "1s")[0][-1]
        self.assertAlmostEqual((board["to_ns"] - board["from_ns"]) / 1e9, 1, places=3)
        listed = [json.loads(line) for line in self.tailcap("requests", STOCK, "--json").stdout.splitlines()]
        ended = [r for r in listed if board["from_ns"] <= r["start_ns"] + r["duration_ns"] <= board["to_ns"]]
        self.assertLess(len(ended), len(listed) / 2)
        self.assertEqual(sum(row["requests"] for row in board["routes"]), len(ended))

    def test_a_selection(self):
        board = self.stream(STOCK, "-w", 'path contains "/cart"')[0][-1]
        self.assertEqual({row["route"] for row in board["routes"]}, {"/cart/{}"})
        self.assertEqual(self.board(STOCK, "--route", "/cart/{}", "--role", "server")[0]["routes"], board["routes"])
        self.assertEqual(self.tailcap("top", STOCK, "-w", "status == 599").returncode, 4)

    def test_tables_come_while_a_file_grows(self):
        steps = self.grow(STOCK, 1, pause=0.06)
        next(steps)
        process = self.top("a.tcap", "--json", "--every", "200ms")
        next(steps)
        os.set_blocking(process.stdout.fileno(), False)
        seen = process.stdout.read() or ""
        self.assertIsNone(process.poll())
        next(steps)
        os.set_blocking(process.stdout.fileno(), True)
        rest, said = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, said)
        tables = [json.loads(line) for line in (seen + rest).splitlines()]
        self.assertGreaterEqual(len(seen.splitlines()), 4)
        self.assertEqual(tables[-1]["routes"], self.stream(STOCK)[0][-1]["routes"])
        times = [table["to_ns"] for table in tables]
        self.assertEqual(times, sorted(times))

    def test_a_terminal_has_one_table_and_keeps_the_last(self):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        with open(STOCK, "rb") as stream:
            data = stream.read()
        process = subprocess.Popen(
            [case.program(), "top", "-", "--every", "100ms"],
            stdin=subprocess.PIPE,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
        )
        os.close(theirs)
        for at in range(0, len(data), len(data) // 8):
            process.stdin.write(data[at : at + len(data) // 8])
            process.stdin.flush()
            time.sleep(0.15)
        process.stdin.close()
        received = b""
        try:
            while part := os.read(ours, 65536):
                received += part
        except OSError:
            pass
        os.close(ours)
        self.assertEqual(process.wait(timeout=20), 0)
        text = received.decode()
        self.assertTrue(text.startswith("\x1b[?1049h\x1b[?25l"), text[:40])
        screen, left, rest = text.partition("\x1b[?25h\x1b[?1049l")
        self.assertTrue(left)
        self.assertGreaterEqual(screen.count("\x1b[H"), 3)
        self.assertNotIn("\x1b", rest)
        self.assertIn("GET /cart/{}", rest)
        self.assertLessEqual(max(len(line) for line in rest.splitlines()), 100)

    def test_a_signal_ends_it(self):
        steps = self.grow(STOCK, 0.6, pause=0)
        next(steps)
        process = self.top("a.tcap.partial", "--every", "100ms")
        next(steps)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=5)
        self.assertEqual((process.returncode, said), (0, ""))
        self.assertIn("GET /cart/{}", out)

    def test_a_reader_that_goes(self):
        script = f"cat {STOCK} - | {case.program()} top - --every 100ms | head -n 1"
        done = subprocess.run(["sh", "-c", script], input="", capture_output=True, text=True, timeout=30)
        self.assertEqual((len(done.stdout.splitlines()), done.stderr), (1, ""))

    def test_what_is_refused(self):
        self.assert_refused(self.tailcap("top", STOCK, "--last", "5s"), 2, "finished")
        self.assert_refused(self.tailcap("top", "-", "--route", "/cart/{}"), 2, "routes")
        self.assert_refused(self.tailcap("top", "-", "--every", "1ms"), 2, "--every")
        self.assert_refused(self.tailcap("top", "absent.tcap"), 1, "absent.tcap")


if __name__ == "__main__":
    case.main()
