#!/usr/bin/env python3
"""tailcap cut, note and pack: what is left reads as in the original.

    tests/cli/cut_test.py --build build/dev [unittest arguments]
"""
import json
import os
import pathlib
import pty
import subprocess
import tempfile
import zipfile

import case
from case import Case

GOLDEN = case.ROOT / "tests/golden"
STOCK = case.SAMPLES / "go-stock/go-stock.tcap"


class Cut(Case):
    def rows(self, capture):
        return {
            row["id"]: row for row in map(json.loads, self.tailcap("requests", capture, "--json").stdout.splitlines())
        }

    def cut(self, capture, *options):
        out = self.scratch / "cut.tcap"
        return out, self.tailcap("cut", capture, out, "--force", *options)

    def test_what_is_left_reads_as_in_the_original(self):
        compared = 0
        captures = sorted(case.SAMPLES.glob("*/*.tcap"))
        for text in sorted(GOLDEN.glob("*/capture.txt")):
            capture = self.scratch / f"{text.parent.name}.tcap"
            self.assertEqual(case.run(case.program("tests/synth/synth-capture"), text, capture).returncode, 0)
            captures.append(capture)
        for capture in captures:
            original = self.rows(capture)
            if not any(r["duration_ns"] is not None for r in original.values()):
                continue
            for options in (
                ["--slowest", "3", "--controls", "3"],
                ["--slowest", "1", "--controls", "0", "--context", "1ms"],
            ):
                with self.subTest(capture.name, options=options):
                    out, done = self.cut(capture, "--json", *options)
                    self.assertIn(done.returncode, (0, 3), done.stderr)
                    said = json.loads(done.stdout)
                    rows = self.rows(out)
                    self.assertEqual(len(rows), said["chosen"] + said["controls"] + said["related"])
                    self.assertEqual(said["requests"], len(original))
                    for id, row in rows.items():
                        self.assertEqual(row, original[id])
                    slowest = max(
                        (
                            r["duration_ns"]
                            for r in original.values()
                            if r["duration_ns"] is not None and r["start_ns"] is not None
                        ),
                        default=None,
                    )
                    self.assertIn(slowest, [r["duration_ns"] for r in rows.values()])
                    compared += len(rows)
        self.assertGreater(compared, 200)

    def test_the_report_names_the_original(self):
        out, done = self.cut(STOCK, "--slowest", "5", "--controls", "5", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        report = self.tailcap("report", out, "--full").stdout
        self.assertRegex(report, r"10 of 1,050 requests of the original")
        route = next(r for r in json.loads(self.tailcap("report", STOCK, "--json").stdout)["routes"])
        self.assertIn(f"{route['method']} {route['route']}", report)
        self.assertEqual(self.tailcap("check", out).returncode, 0)

    def test_the_size_is_bounded(self):
        lock = case.SAMPLES / "lock-contention/lock-contention.tcap"
        out, done = self.cut(lock, "--slowest", "0", "--controls", "20")
        self.assertEqual(done.returncode, 0, done.stderr)
        whole = out.stat().st_size
        out, done = self.cut(lock, "--slowest", "20", "--max-size", f"{whole // 2000}kB")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual(out.stat().st_size, whole // 2)
        _, done = self.cut(lock, "--max-size", "1kB")
        self.assert_refused(done, 1, "even one request takes")

    def test_nothing_to_cut(self):
        _, done = self.cut(STOCK, "-w", "status == 599")
        self.assert_refused(done, 1, "nothing to cut")
        self.assert_refused(self.tailcap("cut", STOCK, STOCK, "--force"), 1, "is the capture itself")

    def test_a_cut_of_a_redacted_capture_and_the_reverse(self):
        redacted = self.scratch / "redacted.tcap"
        self.assertEqual(self.tailcap("redact", STOCK, redacted, "--level", "strict").returncode, 0)
        out, done = self.cut(redacted, "--slowest", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.tailcap("check", out, "--redacted").returncode, 0)
        out, done = self.cut(STOCK, "--slowest", "3")
        both = self.scratch / "both.tcap"
        self.assertEqual(self.tailcap("redact", out, both, "--level", "strict").returncode, 0)
        self.assertEqual(set(self.rows(both)), set(self.rows(out)))
        self.assertNotIn("/cart", self.tailcap("report", both, "--full").stdout)
        self.assertIn("of 1,050 requests of the original", self.tailcap("report", both, "--full").stdout)

    def test_notes(self):
        out, _ = self.cut(STOCK, "--slowest", "3")
        id = next(iter(self.rows(out)))
        before = self.rows(out)
        self.assertEqual(self.tailcap("note", out, "why so slow?").returncode, 0)
        self.assertEqual(self.tailcap("note", out, "and this one?", "--request", id).returncode, 0)
        report = self.tailcap("report", out, "--full").stdout
        self.assertIn("why so slow?", report)
        self.assertIn(f"on {id}: and this one?", report)
        self.assertEqual(self.rows(out), before)
        self.assertEqual(self.tailcap("check", out).returncode, 0)
        self.assertEqual([p.name for p in self.scratch.iterdir()], ["cut.tcap"])
        self.assertNotEqual(self.tailcap("note", out, "?", "--request", "999999.1").returncode, 0)
        self.assert_refused(self.tailcap("note", out, ""), 2, "1 to 256 bytes")
        broken = self.scratch / "broken.tcap"
        broken.write_bytes(out.read_bytes()[:-50])
        self.assert_refused(self.tailcap("note", broken, "x"), 1, "recover")

    def test_a_pack_that_is_far_larger_than_it_looks(self):
        """Refused before anything is unpacked; one that an archiver compressed once more is read."""
        bomb = self.scratch / "bomb.zip"
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("capture.tcap", "w") as member:
            for _ in range(200):
                member.write(bytes(1 << 20))
        self.assertLess(bomb.stat().st_size, 1 << 20)
        self.assert_refused(self.tailcap("report", bomb), 1, "larger than any pack's")
        # A header that states less than there is.
        data = bytearray(bomb.read_bytes())
        directory = data.rindex(b"PK\x01\x02")
        data[directory + 24 : directory + 28] = (100_000).to_bytes(4, "little")
        bomb.write_bytes(data)
        self.assertEqual(self.tailcap("report", bomb).returncode, 1)
        again = self.scratch / "again.zip"
        with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(STOCK, "capture.tcap")
        self.assertEqual(self.tailcap("report", again, "--full").returncode, 0)

    def test_a_pack(self):
        out = self.scratch / "bug.zip"
        self.assert_refused(self.tailcap("pack", STOCK, "-o", out), 2, "--yes")
        done = self.tailcap("pack", STOCK, "-o", out, "--yes", "--level", "strict")
        self.assertEqual(done.returncode, 0, done.stderr)
        # As private as the capture.
        self.assertEqual(out.stat().st_mode & 0o777 & ~(STOCK.stat().st_mode & 0o777), 0)
        for said in ("capture.tcap", "Redacted, level strict", "none found"):
            self.assertIn(said, done.stdout)
        with zipfile.ZipFile(out) as archive:
            self.assertEqual(archive.namelist(), ["capture.tcap", "report.html", "report.md", "manifest.json"])
            self.assertIsNone(archive.testzip())
            manifest = json.loads(archive.read("manifest.json"))
            self.assertIn(b"<html", archive.read("report.html"))
            archive.extract("capture.tcap", self.scratch)
        self.assertEqual(manifest["capture"]["level"], "strict")
        self.assertEqual(manifest["cut"]["requests"], 1050)
        inside = self.scratch / "capture.tcap"
        self.assertEqual(self.rows(out), self.rows(inside))
        id = next(iter(self.rows(out)))
        for command in (
            ["report", None, "--full"],
            ["show", None, id],
            ["tree", None, id],
            ["events"],
            ["check", None, "--redacted"],
        ):
            words = [out if w is None else w for w in command] if None in command else [*command, out]
            of_pack = self.tailcap(*words)
            of_file = self.tailcap(*[inside if w == out else w for w in words])
            self.assertEqual(of_pack.returncode, of_file.returncode, of_pack.stderr)
            self.assertEqual(of_pack.stdout.count("\n"), of_file.stdout.count("\n"))
        self.assert_refused(self.tailcap("pack", STOCK, "-o", out, "--yes"), 1, "--force")
        self.assertIn(f"tailcap show {out.name} ", self.tailcap("report", out, "--full").stdout)
        # What is written is not taken for a pack to read, nor the pack for something to write over.
        before = out.stat().st_ino, out.stat().st_mtime_ns
        self.assert_refused(self.tailcap("report", out, "-o", out), 1, "capture")
        self.assertEqual((out.stat().st_ino, out.stat().st_mtime_ns), before)
        self.assertEqual(self.tailcap("pack", STOCK, "-o", out, "--yes", "--force", "--level", "strict").returncode, 0)
        self.assertNotEqual((out.stat().st_ino, out.stat().st_mtime_ns), before)
        # IN may be a pack, also where OUT is given, wherever options stand.
        redacted = self.scratch / "redacted.tcap"
        done = self.tailcap("redact", "--level", "strict", out, redacted)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.rows(redacted)), len(self.rows(out)))
        done = self.tailcap("redact", "--verify", redacted, "--against", out)
        self.assertNotIn("no capture", done.stderr)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        other = self.scratch / "other.zip"
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr("x", "y")
        self.assert_refused(self.tailcap("report", other), 1, "no pack of tailcap")

    def answered(self, answer, *options):
        """What a terminal shows on which the question is answered so, and the exit code."""
        ours, theirs = pty.openpty()
        running = subprocess.Popen(
            [case.program(), "pack", STOCK, "-o", "bug.zip", "--slowest", "2", *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.scratch,
        )
        os.close(theirs)
        shown, asked = b"", False
        try:
            while part := os.read(ours, 65536):
                shown += part
                if not asked and b"[y/N]" in shown:
                    asked = True
                    os.write(ours, answer)
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        return shown.decode().replace("\r\n", "\n"), running.wait(timeout=60)

    def test_a_pack_asks_on_a_terminal(self):
        out = self.scratch / "bug.zip"
        for answer in (b"n\n", b"\n", b"nearly\n", b"\x04"):
            with self.subTest(answer):
                shown, code = self.answered(answer)
                self.assertEqual(code, 4, shown)
                # What is inside, and what was removed, before the question.
                before, question, after = shown.partition("Write it? [y/N]")
                self.assertTrue(question, shown)
                for said in ("capture.tcap", "report.html", "manifest.json", "Redacted, level default", "none found"):
                    self.assertIn(said, before)
                self.assertNotIn("open it in a browser", before, "the report is in no file of its own")
                self.assertIn("Nothing was written.", after)
                self.assertEqual(list(self.scratch.iterdir()), [])
        shown, code = self.answered(b"", "--yes")
        self.assertEqual(code, 0, shown)
        self.assertNotIn("Write it?", shown)
        out.unlink()
        for answer in (b"y\n", b"yes\n"):
            with self.subTest(answer):
                shown, code = self.answered(answer)
                self.assertEqual(code, 0, shown)
                self.assertIn("bug.zip:", shown)
                self.assertIn("of 1,050 requests of the original", self.tailcap("report", out, "--full").stdout)
                out.unlink()

    def test_a_capture_that_was_cut_short(self):
        """A part of it and a redacted copy have the requests that were under way as they were."""
        short = case.SAMPLES / "cut-short/cut-short.tcap"
        original = self.rows(short)
        out, done = self.cut(short, "--slowest", "10000", "--controls", "0")
        self.assertEqual(done.returncode, 3, done.stderr)
        redacted = self.scratch / "redacted.tcap"
        self.assertEqual(self.tailcap("redact", short, redacted).returncode, 3)
        for copy in (out, redacted):
            rows = self.rows(copy)
            under_way = [id for id, row in original.items() if row["outcome"] == "in_flight" and id in rows]
            self.assertEqual([rows[id]["outcome"] for id in under_way], ["in_flight"] * len(under_way))
            self.assertEqual(
                {id: row["outcome"] for id, row in rows.items()}, {id: original[id]["outcome"] for id in rows}
            )
            info = json.loads(self.tailcap("info", copy, "--json").stdout)
            self.assertEqual(info["state"], "recovered", info)


if __name__ == "__main__":
    case.main()
