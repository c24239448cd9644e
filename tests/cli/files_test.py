#!/usr/bin/env python3
"""Where results are written: never over a capture, never through a link, readable by as many as the capture.

    tests/cli/files_test.py --build build/dev [unittest arguments]
"""
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import threading
import unittest

import case

SAMPLE = case.SAMPLES / "slow-client/slow-client.tcap"
OUTPUTS = [
    ["report", "{}", "--format", "html", "-o", "{out}"],
    ["show", "{}", "2.1", "--format", "html", "-o", "{out}"],
    ["topology", "{}", "--format", "svg", "-o", "{out}"],
    ["timeline", "{}", "-o", "{out}"],
    ["spans", "{}", "-o", "{out}"],
    ["flame", "{}", "--measure", "off-cpu", "-o", "{out}"],
]


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-files-")
        self.addCleanup(folder.cleanup)
        self.scratch = pathlib.Path(folder.name)
        self.capture = self.scratch / "a.tcap"
        shutil.copyfile(SAMPLE, self.capture)
        os.chmod(self.capture, 0o600)

    def run_output(self, arguments, out, capture=None, **options):
        words = [a.format(capture or self.capture, out=out) for a in arguments]
        return subprocess.run(
            [case.program(), *words],
            cwd=self.scratch,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            **options,
        )

    def names(self):
        return sorted(p.name for p in self.scratch.iterdir())

    def assert_refused(self, done, *words):
        self.assertEqual(done.returncode, 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_a_capture_is_never_replaced(self):
        before = SAMPLE.read_bytes()
        other, link, hard = self.scratch / "other.tcap", self.scratch / "link.tcap", self.scratch / "hard"
        shutil.copyfile(SAMPLE, other)
        link.symlink_to(self.capture)
        hard.hardlink_to(self.capture)
        damaged = self.scratch / "damaged"
        damaged.write_bytes(b"\0" * 100 + before[100:])  # its first block is none any more
        for arguments in OUTPUTS:
            self.assert_refused(self.run_output(arguments, self.capture), "not writing over the capture itself")
            self.assert_refused(self.run_output(arguments, hard), "not writing over the capture itself")
            self.assert_refused(self.run_output(arguments, other), "it is a capture")
            self.assert_refused(self.run_output(arguments, damaged), "it is a capture")
            self.assert_refused(self.run_output(arguments, link), "symbolic link")
        for path in (self.capture, other, hard):
            self.assertEqual(path.read_bytes(), before)
        self.assertEqual(damaged.read_bytes()[100:], before[100:])
        self.assertEqual(self.names(), ["a.tcap", "damaged", "hard", "link.tcap", "other.tcap"], "nothing is left")

    def test_a_recording_that_runs_keeps_its_file_and_its_name(self):
        partial = self.scratch / "live.tcap.partial"
        shutil.copyfile(SAMPLE, partial)
        for arguments in OUTPUTS:
            self.assert_refused(
                self.run_output(arguments, self.scratch / "live.tcap", partial), "live.tcap.partial will take that name"
            )
            self.assert_refused(
                self.run_output(arguments, self.scratch / "live.tcap"), "live.tcap.partial will take that name"
            )
        self.assertEqual(partial.read_bytes(), SAMPLE.read_bytes())
        self.assertFalse((self.scratch / "live.tcap").exists())

    def test_no_link_is_followed(self):
        victim, out = self.scratch / "victim", self.scratch / "out.html"
        victim.write_text("mine")
        (self.scratch / "out.html.partial").symlink_to(victim)
        done = self.run_output(OUTPUTS[0], out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(stat.S_ISREG(out.lstat().st_mode))
        self.assertEqual(victim.read_text(), "mine")
        for target in (victim, self.scratch / "none"):
            link = self.scratch / f"to-{target.name}"
            link.symlink_to(target)
            self.assert_refused(self.run_output(OUTPUTS[0], link), "symbolic link")
        self.assertEqual(victim.read_text(), "mine")
        self.assertFalse((self.scratch / "none").exists())

    def test_who_may_read_the_capture_may_read_the_result(self):
        for mode in (0o600, 0o640, 0o644, 0o666, 0o755):
            os.chmod(self.capture, mode)
            for arguments in OUTPUTS:
                out = self.scratch / "out"
                done = self.run_output(arguments, out, umask=0)
                self.assertIn(done.returncode, (0, 3), done.stderr)
                self.assertEqual(oct(out.stat().st_mode & 0o7777), oct(mode & 0o666), arguments)
                self.run_output(arguments, out, umask=0o077)
                self.assertEqual(
                    oct(out.stat().st_mode & 0o7777), oct(mode & 0o600), "the mask of the process holds, too"
                )

    def test_devices_and_pipes(self):
        expected = self.run_output(OUTPUTS[0], "-").stdout
        self.assertIn("<html", expected)
        self.assertIn(expected, self.run_output(OUTPUTS[0], "/dev/stdout").stdout)
        with open(self.scratch / "redirected", "w") as file:
            done = subprocess.run(
                [case.program(), "spans", self.capture, "-o", "/dev/stdout"], stdout=file, stderr=subprocess.PIPE
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("resourceSpans", (self.scratch / "redirected").read_text())
        self.assertEqual(self.run_output(OUTPUTS[0], "/dev/null").returncode, 0)
        pipe, read = self.scratch / "pipe", []
        os.mkfifo(pipe)
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
        reader.start()
        self.assertEqual(self.run_output(OUTPUTS[4], pipe).returncode, 0)
        reader.join(10)
        self.assertIn("resourceSpans", read[0])
        if os.geteuid() == 0:
            os.chown(pipe, 65534, 65534)
            self.assert_refused(self.run_output(OUTPUTS[4], pipe), "belongs to another user")

    def test_recover_and_merge_create_their_files_anew(self):
        """The file is made by the same code as the recorder's."""
        out, partial = self.scratch / "saved.tcap", self.scratch / "saved.tcap.recovered.partial"
        recover = ["recover", "{}", "-o", "{out}", "--force"]
        victim = self.scratch / "victim"
        for prepare, words in (
            (lambda: partial.symlink_to(victim), "symbolic link"),
            (lambda: partial.hardlink_to(victim), "hard links"),
            (lambda: os.mkfifo(partial), "not a regular file"),
            (lambda: (partial.touch(), os.chown(partial, 65534, 65534)), "belongs to another user"),
        ):
            if "another" in words and os.geteuid() != 0:
                continue
            victim.write_text("mine")
            prepare()
            self.assert_refused(self.run_output(recover, out), words)
            self.assertEqual(victim.read_text(), "mine")
            partial.unlink()
        partial.touch()
        os.chmod(partial, 0o666)
        held = os.open(partial, os.O_RDONLY)  # who opened it before must not see what is written
        done = self.run_output(recover, out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(oct(out.stat().st_mode & 0o777), oct(0o600))
        self.assertEqual(os.fstat(held).st_size, 0)
        os.close(held)
        out.unlink()
        out.symlink_to(victim)
        self.assert_refused(self.run_output(recover, out), "not a regular file")


if __name__ == "__main__":
    case.main()
