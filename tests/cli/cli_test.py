#!/usr/bin/env python3
"""Usage, messages and exit codes of both programs, without a capture worth the name and without a kernel to look at.

    tests/cli/cli_test.py --build build/dev [unittest arguments]
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import unittest

import case
from case import Case, run

READERS = ["report", "requests", "info", "check", "events", "spans", "diag"]  # COMMAND FILE
COMMANDS = [
    *READERS,
    "assert",
    "compare",
    "diff",
    "flame",
    "merge",
    "recover",
    "show",
    "timeline",
    "top",
    "topology",
    "tree",
]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class AnalyserCli(Case):
    def test_no_command(self):
        done = self.tailcap()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "tailcap: no command given. `tailcap --help` lists them.\n")

    def test_unknown_command(self):
        done = self.tailcap("explain")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "tailcap: unknown command 'explain'. `tailcap --help` lists them.\n")

    def test_what_was_meant(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        for arguments, meant in (
            (["reprot"], "'report'"),
            (["tree", "x", "--min-deph", "3"], "'--min-depth'"),
            (["report", "x", "--html"], "'--format html'"),
            (["report", "x", "--role", "sever"], "'server'"),
            (["events", capture, "--kind", "sned"], "'send'"),
        ):
            self.assert_refused(self.tailcap(*arguments), 2, f"did you mean {meant}?")
        self.assertIn("did you mean 'duration'?", self.tailcap("report", capture, "-w", "durration > 1ms").stderr)
        self.assertIn(
            "is never 'error'. It is one of ok, client_error",
            self.tailcap("report", capture, "-w", "outcome == error").stderr,
        )
        self.assertIn(
            "did you mean 'server_error'?", self.tailcap("requests", capture, "-w", "outcome == server_eror").stderr
        )
        self.assertIn("did you mean 'request'?", self.tailcap("query", capture, "SELECT * FROM requests").stderr)
        self.assert_refused(
            self.tailcap("report", capture, "-o", "page.pdf"), 2, "ends in no format of this command", ".html"
        )
        self.assertEqual(self.tailcap("report", capture, "-o", "page.pdf", "--format", "md").returncode, 0)
        self.assertNotIn("did you mean", self.tailcap("report", "x", "--nonsense").stderr)
        self.assert_refused(self.tailcap("show", "3.14", capture), 2, "the file comes first: tailcap show", "3.14")
        self.assertIn("There are send, receive", self.tailcap("events", capture, "--kind", "what").stderr)

    def test_one_vocabulary(self):
        """Each option has one spelling, and means the same in all commands that take it."""
        helps = {c: self.tailcap(c, "--help").stdout for c in COMMANDS}
        letters = {}
        for command, text in helps.items():
            for letter, name in re.findall(r"^  -(\w), (--[\w-]+)", text, re.M):
                letters.setdefault(letter, set()).add(name)
        self.assertEqual(
            letters, {"w": {"--where"}, "n": {"--limit"}, "o": {"--output"}, "p": {"--pid"}, "h": {"--help"}}
        )
        taken = {c: set(re.findall(r"^(?:  -\w, |      )(--[\w-]+)", text, re.M)) for c, text in helps.items()}
        for command in ("report", "requests", "topology", "spans", "tree"):
            self.assertLessEqual(
                {"--where", "--route", "--status", "--role", "--from", "--to", "--format", "--json"},
                taken[command],
                command,
            )
        for command in ("events", "timeline", "flame", "diag"):
            self.assertLessEqual({"--from", "--to", "--format", "--json"}, taken[command], command)
        for command in (
            "report",
            "show",
            "tree",
            "topology",
            "timeline",
            "spans",
            "flame",
            "diag",
            "merge",
            "recover",
            "compare",
            "diff",
        ):
            self.assertIn("--output", taken[command])
        for command in set(COMMANDS) - {"recover"}:
            self.assertIn("--json", taken[command])

    def test_the_ending_of_the_output_chooses_the_format(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        for name, begin in (
            ("x.html", "<!doctype html>"),
            ("x.md", "## "),
            ("x.json", '{"schema":'),
            ("x.txt", "slow-client.tcap · 1.88 s from 2"),
            ("plain", "slow-client.tcap · 1.88 s from 2"),
        ):
            done = self.tailcap("report", capture, "-o", name)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            self.assertEqual((self.scratch / name).read_text()[: len(begin)].lower(), begin.lower(), name)
        self.tailcap("report", capture, "-o", "y.html", "--json")
        self.assertEqual((self.scratch / "y.html").read_text()[0], "{")
        self.assert_refused(self.tailcap("report", capture, "--json", "--format", "md"), 2, "contradict")

    def test_incomplete_captures_end_with_3_everywhere(self):
        for name in ("cut-short", "lost-events"):
            capture = case.SAMPLES / f"{name}/{name}.tcap"
            for command in (*READERS, "topology"):
                done = self.tailcap(command, capture)
                self.assertEqual(done.returncode, 3, f"{command} {name}: {done.stderr}")
        self.assertTrue(
            json.loads(self.tailcap("check", case.SAMPLES / "lost-events/lost-events.tcap", "--json").stdout)["ok"]
        )

    def test_help_everywhere(self):
        for command in [[], *[[c] for c in READERS], ["show"], ["timeline"], ["recover"]]:
            done = self.tailcap(*command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            self.assertIn("example", done.stdout, command)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 120, command)

    def test_help_of_a_command(self):
        for command in COMMANDS:
            self.assertEqual(self.tailcap("help", command).stdout, self.tailcap(command, "--help").stdout)
        self.assert_refused(self.tailcap("help", "reprot"), 2, "did you mean 'report'?")

    def test_spans(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        self.assert_refused(self.tailcap("spans", capture, "x"), 2, "'x' is no request", "12.3")
        self.assert_refused(self.tailcap("spans", capture, "9.9"), 1, "no request 9.9", "tailcap requests")
        self.assert_refused(
            self.tailcap("tree", capture, "2.1", "--where", "status == 200"), 2, "--where", "choose one"
        )
        self.assert_refused(
            self.tailcap("spans", capture, "2.1", "--where", "status == 200"), 2, "--where", "choose one"
        )
        self.assert_refused(self.tailcap("spans", capture, "--format", "text"), 2, "--explain")
        self.assertEqual(self.tailcap("spans", capture, "--where", "nonsense == 1").returncode, 2)
        self.assert_refused(self.tailcap("spans", capture, "--names", "new"), 2, "--names is stable or old")
        self.assert_refused(self.tailcap("spans", capture, "--import", "none.json"), 1, "none.json", "No such file")
        (self.scratch / "bad.json").write_text('{"resourceSpans": [')
        self.assert_refused(self.tailcap("spans", capture, "--import", "bad.json"), 1, "cannot import bad.json", "OTLP")
        (self.scratch / "bad.rules").write_text("insert service.namespace = shop\nrename a b\n")
        self.assert_refused(self.tailcap("spans", capture, "--rules", "bad.rules"), 1, "bad.rules, line 2", "rename")
        done = self.tailcap("spans", capture, "2.1", "-o", "out.json")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertIn('"resourceSpans"', (self.scratch / "out.json").read_text())

    def test_nothing_asked_for_is_said(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        for command in ("requests", "events", "report", "tree"):
            self.assert_refused(self.tailcap(command, capture, "--limit", "0"), 2, "--limit must be at least 1")
            self.assertEqual(self.tailcap(command, capture, "--limit", "-3").returncode, 2)
        for command in ("requests", "events", "report", "topology", "timeline", "spans", "tree", "diag"):
            self.assert_refused(
                self.tailcap(
                    command,
                    capture,
                    "--from",
                    "5s",
                    "--to",
                    "1s",
                    "-o" if command == "timeline" else "--json",
                    *(["x"] if command == "timeline" else []),
                ),
                2,
                "nothing lies between --from 5s and --to 1s",
            )

    def test_nothing_matches_ends_with_4_everywhere(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        damaged = case.SAMPLES / "cut-short/cut-short.tcap"
        for file in (capture, damaged):
            for command in ("requests", "report", "topology", "spans", "tree"):
                for selected in (["--status", "599"], ["--from", "1h"], ["--route", "/none"], ["-w", "duration > 1h"]):
                    for form in ([], ["--json"]):
                        done = self.tailcap(command, file, *selected, *form)
                        self.assertEqual(
                            (done.returncode, done.stderr),
                            (
                                4,
                                f"tailcap {command}: {'there are no traces that have at least 2 levels' if command == 'tree' else 'no request matches'}\n",
                            ),
                            (command, selected, form),
                        )
        done = self.tailcap("events", capture, "--pid", "999999")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (4, "", "tailcap events: no event matches\n"))
        done = self.tailcap("report", capture, "--by", "x-none")
        self.assertEqual((done.returncode, done.stderr.count("there is no value of the header field 'x-none'")), (4, 1))
        self.assert_refused(self.tailcap("diag", capture, "--from", "1h"), 4, "no event matches")
        self.assert_refused(
            self.tailcap("timeline", capture, "--pid", "999999", "-o", "x.svg"),
            4,
            "nothing was seen of those processes",
        )
        self.assert_refused(self.tailcap("timeline", capture, "--from", "1h", "-o", "x.svg"), 4, "nothing in that time")
        self.assert_refused(
            self.tailcap("flame", capture, "--measure", "off-cpu", "--route", "/none", "-o", "x.svg"),
            4,
            "no request that was served matches",
        )
        self.assert_refused(
            self.tailcap(
                "flame", capture, "--measure", "off-cpu", "--cohort", "slow", "-w", "duration > 380ms", "-o", "x.svg"
            ),
            4,
            "5 are needed",
        )
        self.assert_refused(self.tailcap("tree", capture, "--min-depth", "50"), 4, "no traces")
        self.assertEqual(list(self.scratch.iterdir()), [])

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
            self.assert_refused(
                self.tailcap(command, "none.tcap"), 1, f"tailcap {command}: ", "none.tcap", "No such file"
            )
        self.assert_refused(self.tailcap("show", "none.tcap", "1"), 1, "none.tcap", "No such file")
        self.assert_refused(self.tailcap("recover", "none.tcap", "-o", "out.tcap"), 1, "none.tcap", "No such file")
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
        done = subprocess.run(f"{case.program()} --help | head -n 1", shell=True, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_recorder_is_an_own_program(self):
        alone = self.scratch / "tailcap"
        shutil.copy(case.program(), alone)
        done = run(alone, "record", "-a", env={"PATH": "/nonexistent"})
        self.assert_refused(done, 1, "tailcap-record")


class RecorderCli(Case):
    def record(self, *arguments, before=(), program=None, **options):
        return run(*before, program or case.program("capture/tailcap-record"), *arguments, cwd=self.scratch, **options)

    def setUp(self):
        super().setUp()
        if not (case.program("capture/tailcap-record")).exists():
            self.skipTest("the recorder is not built")

    def test_help(self):
        done = self.record("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in (
            "--port",
            "--comm",
            "--cgroup",
            "--max-size",
            "--payload",
            "--note",
            "--unsafe-headers",
            "--force",
        ):
            self.assertIn(option, done.stdout)

    def test_no_target(self):
        self.assert_refused(self.record("-o", "x.tcap"), 2, "-p", "--help")

    def test_bad_values(self):
        for arguments in (
            ["-d", "soon"],
            ["--max-size", "huge"],
            ["--port", "99999"],
            ["-p", "me"],
            ["--note", "no-equals"],
            ["--nonsense"],
            ["-d", "-5s"],
            ["--payload", "-1"],
        ):
            done = self.record("-a", "-o", "x.tcap", *arguments)
            self.assert_refused(done, 2, arguments[-1].lstrip("-"))
            self.assertEqual(list(self.scratch.iterdir()), [], "nothing is written")

    def test_what_was_meant(self):
        self.assert_refused(self.record("-a", "--durration", "1s"), 2, "did you mean '--duration'?")

    def test_doctor(self):
        self.assert_refused(self.record("doctor", "--jsno"), 2, "did you mean '--json'?")
        self.assert_refused(self.record("doctor", "--format", "xml"), 2, "--format")
        for form in (["--json"], ["--format", "json"]):
            done = self.record("doctor", *form)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            facts = json.loads(done.stdout)
            self.assertEqual((facts["schema"], facts["possible"]), (3, done.returncode == 0))

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
        self.assert_refused(self.control("x.tcap", "note", "a=b"), 1, "no recorder writes 'x.tcap'", "x.tcap.control")
        self.assert_refused(self.control("none/x.tcap.partial", "note", "a=b"), 1, "no recorder writes 'none/x.tcap'")
        (self.scratch / "y.tcap.control").write_text("mine")
        self.assert_refused(self.control("y.tcap", "note", "a=b"), 1, "y.tcap.control", "not a recorder's socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
            left.bind(str(self.scratch / "z.tcap.control"))
        self.assert_refused(self.control("z.tcap", "note", "a=b"), 1, "no recorder writes 'z.tcap'", "killed")

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
        shutil.copy(case.program("capture/tailcap-record"), program)
        before = NOBODY if os.geteuid() == 0 else ()
        done = self.record("-a", "-d", "1s", "-o", "x.tcap", before=before, program=program)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "root|CAP_BPF")
        self.assertFalse((self.scratch / "x.tcap").exists())
        doctor = self.record("doctor", before=before, program=program)
        self.assertEqual(doctor.returncode, 1, doctor.stdout)
        self.assertRegex(doctor.stdout, "root|CAP_BPF")


if __name__ == "__main__":
    case.main()
