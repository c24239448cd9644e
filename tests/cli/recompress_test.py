#!/usr/bin/env python3
"""tailcap recompress: nothing changes but the size.

    tests/cli/recompress_test.py --build build/dev [unittest arguments]
"""
import json
import os
import re
import shutil
import subprocess
import unittest

import case
from case import Case

SAMPLES = ("busy-machine", "go-stock", "lock-contention", "lost-events", "slow-client")


def sample(name):
    return case.SAMPLES / name / f"{name}.tcap"


def unpacked(capture):
    """The messages of all blocks, by the zstd program."""
    return subprocess.run(["zstd", "-dcq", capture], capture_output=True, check=True).stdout


class Recompress(Case):
    def recompress(self, capture, out, *options, threads=None):
        environment = {**os.environ, **({"TAILCAP_THREADS": str(threads)} if threads else {})}
        return case.run(case.program(), "recompress", capture, out, *options, cwd=self.scratch, env=environment)

    def blocks(self, capture):
        """What `check` says of each block, but for its place and size, and of the file."""
        done = self.tailcap("check", capture, "--json")
        all_of_it = json.loads(done.stdout)
        blocks = [
            {k: v for k, v in b.items() if k not in ("offset", "stored_bytes")}
            for b in all_of_it.pop("blocks")
            if b["type"] != "footer"
        ]
        return done.returncode, blocks, {k: all_of_it[k] for k in ("state", "ok", "redacted") if k in all_of_it}

    def said(self, capture, *command):
        done = case.run(case.program(), command[0], capture.name, *command[1:], cwd=capture.parent)
        return done.returncode, done.stdout

    @unittest.skipUnless(shutil.which("zstd"), "no zstd")
    def test_nothing_changes_but_the_size(self):
        for name in SAMPLES:
            original = sample(name)
            sizes = {}
            for level in (1, 3, 19):
                with self.subTest(name, level=level):
                    folder = self.scratch / f"{name}-{level}"
                    folder.mkdir()
                    out = folder / original.name
                    done = self.recompress(original, out, "--zstd-level", level)
                    code, blocks, file = self.blocks(original)
                    self.assertEqual(done.returncode, code, done.stderr)
                    self.assertEqual(self.blocks(out), (code, blocks, file))
                    for command in (["events"], ["requests", "--json"], ["report", "--full"], ["report", "--json"]):
                        want, got = self.said(original, *command), self.said(out, *command)
                        if command == ["report", "--json"]:  # but for the size of the file
                            want, got = ((c, re.sub(r'"file_bytes": ?\d+', "SIZE", text)) for c, text in (want, got))
                            self.assertIn("SIZE", want[1])
                        if command == ["report", "--full"]:
                            want, got = (
                                (c, re.sub(r"[\d.]+ [kM]B(?=\n.. events )", "SIZE", text)) for c, text in (want, got)
                            )
                        self.assertEqual(got, want, command)
                    # The footer knows the places of the blocks; what is before it is the same.
                    was, now = unpacked(original), unpacked(out)
                    footer = [
                        b["raw_bytes"]
                        for b in json.loads(self.tailcap("check", original, "--json").stdout)["blocks"]
                        if b["type"] == "footer"
                    ]
                    self.assertEqual(len(footer), 1)
                    self.assertEqual(now[: len(was) - footer[0]], was[: -footer[0]])
                    self.assertGreater(len(was), footer[0])
                    sizes[level] = out.stat().st_size
            self.assertLess(sizes[19], sizes[1])

    def test_back_again(self):
        original = sample("go-stock")
        self.assertEqual(self.recompress(original, "dense.tcap").returncode, 0)
        self.assertEqual(self.recompress("dense.tcap", "1.tcap", "--zstd-level", 1).returncode, 0)
        self.assertEqual(self.recompress(original, "2.tcap", "--zstd-level", 1).returncode, 0)
        self.assertEqual((self.scratch / "1.tcap").read_bytes(), (self.scratch / "2.tcap").read_bytes())

    def test_threads_change_nothing(self):
        results = set()
        for threads in (1, 2, 7):
            out = self.scratch / f"{threads}.tcap"
            self.assertEqual(self.recompress(sample("go-stock"), out, threads=threads).returncode, 0)
            results.add(out.read_bytes())
        self.assertEqual(len(results), 1)

    def test_the_mark_of_redaction_survives(self):
        for level in ("default", "strict"):
            given = self.scratch / f"{level}.tcap"
            self.assertEqual(self.tailcap("redact", sample("slow-client"), given, "--level", level).returncode, 0)
            out = self.scratch / f"{level}-dense.tcap"
            self.assertEqual(self.recompress(given, out).returncode, 0)
            done = self.tailcap("check", out, "--redacted")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"redacted, level {level}, policy ", done.stdout)
            self.assertEqual(out.read_bytes()[19] & 0x0C, 0x04 if level == "default" else 0x0C)
        # What was not redacted does not become so.
        self.assertEqual(self.recompress(sample("slow-client"), "plain.tcap").returncode, 0)
        self.assertEqual(self.tailcap("check", "plain.tcap", "--redacted").returncode, 4)

    def test_what_was_cut_short_or_damaged(self):
        whole = sample("go-stock").read_bytes()
        damaged = bytearray(whole)
        damaged[len(whole) // 2] ^= 0xFF
        inputs = {
            "short": whole[: len(whole) * 2 // 3],
            "damaged": bytes(damaged),
            "both": bytes(damaged)[: len(whole) * 3 // 4],
        }
        for name, content in inputs.items():
            with self.subTest(name):
                given, out, recovered = (self.scratch / f"{name}{end}.tcap" for end in ("", "-dense", "-recovered"))
                given.write_bytes(content)
                done = self.recompress(given, out)
                self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
                self.assertEqual(self.tailcap("recover", given, "-o", recovered).returncode in (0, 3), True)
                code, blocks, file = self.blocks(out)
                self.assertEqual((blocks, file), self.blocks(recovered)[1:])
                self.assertEqual(file["state"], "recovered")
                self.assertEqual(self.said(out, "events")[1], self.said(recovered, "events")[1])
        done = self.recompress(case.SAMPLES / "cut-short/cut-short.tcap", "saved.tcap")
        self.assertEqual(done.returncode, 3)
        # What is recovered stays so.
        self.assertEqual(self.recompress("saved.tcap", "again.tcap").returncode, 3)
        self.assertEqual(self.blocks(self.scratch / "again.tcap")[2]["state"], "recovered")

    def test_refusals(self):
        original = self.scratch / "a.tcap"
        original.write_bytes(sample("slow-client").read_bytes())
        (self.scratch / "link.tcap").symlink_to(original)
        for out in ("a.tcap", "link.tcap"):
            self.assert_refused(self.recompress("a.tcap", out, "--force"), 1, "is the capture itself")
        self.assertEqual(original.read_bytes(), sample("slow-client").read_bytes())
        for level in ("0", "23", "-1", "dense"):
            self.assertEqual(self.recompress("a.tcap", "b.tcap", "--zstd-level", level).returncode, 2)
        self.assertEqual(self.recompress("a.tcap", "b.tcap").returncode, 0)
        self.assert_refused(self.recompress("a.tcap", "b.tcap"), 1, "b.tcap")
        self.assertEqual(self.recompress("a.tcap", "b.tcap", "--force").returncode, 0)
        self.assertEqual(self.tailcap("recompress", "a.tcap").returncode, 2)
        (self.scratch / "text").write_text("no capture")
        self.assert_refused(self.recompress("text", "c.tcap"), 1, "text")
        self.assertFalse((self.scratch / "c.tcap").exists())


if __name__ == "__main__":
    case.main()
