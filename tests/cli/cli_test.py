#!/usr/bin/env python3
"""Usage, messages and exit codes of both programs, without a capture worth the name and without a kernel to look at.

    tests/cli/cli_test.py --build build/dev [unittest arguments]
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/dev"
READERS = ["report", "requests", "info", "check", "events", "spans", "diag"]  # COMMAND FILE
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                          **options)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-cli-")
        self.addCleanup(folder.cleanup)
        self.scratch = pathlib.Path(folder.name)

    def tailcap(self, *arguments):
        return run(BUILD / "analyze/tailcap", *arguments, cwd=self.scratch)

    def record(self, *arguments, before=(), program=None, **options):
        return run(*before, program or BUILD / "capture/tailcap-record", *arguments, cwd=self.scratch, **options)

    def assert_refused(self, done, code, *words):
        """One complete message on stderr, nothing on stdout."""
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class AnalyserCli(Case):
    def test_no_command(self):
        done = self.tailcap()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "tailcap: no command given. `tailcap --help` lists them.\n")

    def test_unknown_command(self):
        done = self.tailcap("explain")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "tailcap: unknown command 'explain'. `tailcap --help` lists them.\n")

    def test_help_everywhere(self):
        for command in [[], *[[c] for c in READERS], ["show"], ["timeline"], ["recover"]]:
            done = self.tailcap(*command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            self.assertIn("example", done.stdout, command)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 120, command)

    def test_spans(self):
        capture = ROOT / "samples/captures/slow-client/slow-client.tcap"
        self.assert_refused(self.tailcap("spans", capture, "x"), 2, "'x' is no request", "12.3")
        self.assert_refused(self.tailcap("spans", capture, "9.9"), 1, "no request 9.9", "tailcap requests")
        self.assert_refused(self.tailcap("spans", capture, "2.1", "--where", "status == 200"), 2, "--where", "choose one")
        self.assert_refused(self.tailcap("spans", capture, "--json"), 2, "--explain")
        self.assertEqual(self.tailcap("spans", capture, "--where", "nonsense == 1").returncode, 2)
        self.assert_refused(self.tailcap("spans", capture, "--names", "new"), 2, "--names is old or stable")
        self.assert_refused(self.tailcap("spans", capture, "--import", "none.json"), 1, "none.json", "No such file")
        (self.scratch / "bad.json").write_text('{"resourceSpans": [')
        self.assert_refused(self.tailcap("spans", capture, "--import", "bad.json"), 1, "cannot import bad.json", "OTLP")
        (self.scratch / "bad.rules").write_text("insert service.namespace = shop\nrename a b\n")
        self.assert_refused(self.tailcap("spans", capture, "--rules", "bad.rules"), 1, "bad.rules, line 2", "rename")
        done = self.tailcap("spans", capture, "2.1", "-o", "out.json")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertIn('"resourceSpans"', (self.scratch / "out.json").read_text())

    def test_nothing_asked_for_is_said(self):
        capture = ROOT / "samples/captures/slow-client/slow-client.tcap"
        for command in ("requests", "events"):
            self.assert_refused(self.tailcap(command, capture, "--limit", "0"), 2, "--limit must be at least 1")
        self.assert_refused(self.tailcap("requests", capture, "--slowest", "0"), 2, "--slowest must be at least 1")
        for command in ("requests", "events", "report"):
            self.assert_refused(self.tailcap(command, capture, "--from", "5s", "--to", "1s"), 2, "nothing lies between --from 5s and --to 1s")
        for arguments in (["requests", "--status", "599"], ["requests", "--status", "599", "--json"]):
            done = self.tailcap(arguments[0], capture, *arguments[1:])
            self.assertIn("no request matches", done.stderr)
        self.assertIn("no event matches", self.tailcap("events", capture, "--pid", "999999").stderr)

    def test_version(self):
        self.assertRegex(self.tailcap("--version").stdout, r"^tailcap \d+\.\d+\.\d+\n$")

    def test_no_file_given(self):
        for command in [*READERS, "show", "recover"]:
            self.assert_refused(self.tailcap(command), 2, command, "--help")

    def test_unknown_option(self):
        for command in [*READERS, "show", "recover"]:
            self.assert_refused(self.tailcap(command, "x.tcap", "--nonsense"), 2, "--nonsense", "--help")

    def test_missing_file(self):
        for command in READERS:
            self.assert_refused(self.tailcap(command, "none.tcap"), 1, f"tailcap {command}: ", "none.tcap", "No such file")
        self.assert_refused(self.tailcap("show", "none.tcap", "1"), 1, "none.tcap", "No such file")
        self.assert_refused(self.tailcap("recover", "none.tcap", "out.tcap"), 1, "none.tcap", "No such file")
        self.assertFalse((self.scratch / "out.tcap").exists())

    def test_directory(self):
        for command in READERS:
            self.assert_refused(self.tailcap(command, self.scratch), 1, str(self.scratch), "directory")

    def test_not_a_capture(self):
        (self.scratch / "empty.tcap").touch()
        (self.scratch / "text.tcap").write_text("GET / HTTP/1.1\r\n\r\n" * 1000)
        (self.scratch / "binary.tcap").write_bytes(pathlib.Path("/bin/ls").read_bytes())
        (self.scratch / "zeros.tcap").write_bytes(bytes(100_000))
        for name in ("empty.tcap", "text.tcap", "binary.tcap", "zeros.tcap", "/dev/null"):
            for command in READERS:
                self.assert_refused(self.tailcap(command, name), 1, name)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self):
        (self.scratch / "mine.tcap").touch(mode=0)
        self.assert_refused(self.tailcap("info", "mine.tcap"), 1, "mine.tcap", "Permission denied")

    def test_output_closed_early(self):
        """`tailcap … | head` is not a failure to speak of."""
        done = subprocess.run(f"{BUILD}/analyze/tailcap --help | head -n 1", shell=True, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_recorder_is_an_own_program(self):
        alone = self.scratch / "tailcap"
        shutil.copy(BUILD / "analyze/tailcap", alone)
        done = run(alone, "record", "-a", env={"PATH": "/nonexistent"})
        self.assert_refused(done, 1, "tailcap-record")


class RecorderCli(Case):
    def setUp(self):
        super().setUp()
        if not (BUILD / "capture/tailcap-record").exists():
            self.skipTest("the recorder is not built")

    def test_help(self):
        done = self.record("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("--port", "--comm", "--cgroup", "--max-size", "--payload", "--note", "--unsafe-headers", "--force"):
            self.assertIn(option, done.stdout)

    def test_no_target(self):
        self.assert_refused(self.record("-o", "x.tcap"), 2, "-p", "--help")

    def test_bad_values(self):
        for arguments in (["-d", "soon"], ["--max-size", "huge"], ["--port", "99999"], ["-p", "me"], ["--note", "no-equals"],
                          ["--nonsense"], ["-d", "-5s"], ["--payload", "-1"]):
            done = self.record("-a", "-o", "x.tcap", *arguments)
            self.assert_refused(done, 2, arguments[-1].lstrip("-"))
            self.assertEqual(list(self.scratch.iterdir()), [], "nothing is written")

    def control(self, *arguments):
        return self.tailcap("control", *arguments)

    def test_control_usage(self):
        for arguments in ([], ["x.tcap"], ["--nonsense"], ["", "note", "a=b"]):
            self.assert_refused(self.control(*arguments), 2, "tailcap control", "--help")
        self.assert_refused(self.control("x.tcap", "note", "a=" + "x" * 5000), 2, "4096")
        done = self.control("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("example", done.stdout)

    def test_control_without_a_recorder(self):
        self.assert_refused(self.control("x.tcap", "note", "a=b"), 1, "nobody records into 'x.tcap'", "x.tcap.control")
        self.assert_refused(self.control("none/x.tcap.partial", "note", "a=b"), 1, "nobody records into 'none/x.tcap'")
        (self.scratch / "y.tcap.control").write_text("mine")
        self.assert_refused(self.control("y.tcap", "note", "a=b"), 1, "y.tcap.control", "not a recorder's socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
            left.bind(str(self.scratch / "z.tcap.control"))
        self.assert_refused(self.control("z.tcap", "note", "a=b"), 1, "nobody records into 'z.tcap'", "killed")

    def test_control_of_a_stranger(self):
        """A socket that answers as no recorder does, or not at all, is told as it is."""
        for answer, words in ((b"", ["ended before it answered"]), (b"nonsense", [])):
            name = f"s{len(answer)}.tcap"
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                listener.bind(str(self.scratch / f"{name}.control"))
                listener.listen()

                def reply():
                    caller = listener.accept()[0]
                    caller.recv(4096)
                    if answer:
                        caller.send(answer)
                    caller.close()

                thread = threading.Thread(target=reply)
                thread.start()
                done = self.control(name, "note", "a=b")
                thread.join()
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_without_privilege(self):
        if os.geteuid() == 0 and not shutil.which("setpriv"):
            self.skipTest("needs setpriv")
        os.chmod(self.scratch, 0o777)
        program = self.scratch / "tailcap-record"
        shutil.copy(BUILD / "capture/tailcap-record", program)
        before = NOBODY if os.geteuid() == 0 else ()
        done = self.record("-a", "-d", "1s", "-o", "x.tcap", before=before, program=program)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "root|CAP_BPF")
        self.assertFalse((self.scratch / "x.tcap").exists())
        doctor = self.record("doctor", before=before, program=program)
        self.assertEqual(doctor.returncode, 1, doctor.stdout)
        self.assertRegex(doctor.stdout, "root|CAP_BPF")


def main():
    global BUILD
    arguments = sys.argv[1:]
    if "--build" in arguments:
        at = arguments.index("--build")
        BUILD = pathlib.Path(arguments[at + 1]).resolve()
        del arguments[at:at + 2]
    unittest.main(argv=[sys.argv[0], "-v", *arguments])


if __name__ == "__main__":
    main()
