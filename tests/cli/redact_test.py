#!/usr/bin/env python3
"""tailcap redact: what survives, what does not, and that nothing of it is found again.

    tests/cli/redact_test.py --build build/dev [unittest arguments]
"""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import case
from case import Case

GOLDEN = case.ROOT / "tests/golden"
LEVELS = ("default", "strict")
# Text that the rules may replace; everything else of a request is as it was.
NAMES = {
    "path",
    "route",
    "authority",
    "comm",
    "handler",
    "service_name",
    "rpc",
    "x_request_id",
    "what",
    "cgroup",
    "trace_id",
    "span_id",
    "parent_span_id",
    "user_agent",
    "grpc_message",
    "server_name",
    "host",
    "method",
    "executable",
    "container",
    "address",
    "local",
    "remote",
}
# The recorder would have withheld it, too: payload recorded behind what follows it.
WITHHELD = {"h29-out-of-order-capture.tcap"}
# sw8 has names beside its ids; no TLS connection begins with encrypted data.
FLAGGED = {
    "h25-tls-lost-read-capture.tcap": {
        "duration_ns",
        "first_byte_ns",
        "labels",
        "phases",
        "milestones",
        "start_ns",
        "tainted",
    },
    "trace-contexts-capture.tcap": {"trace_format", "trace_id_source"},
}


def without_names(value, more=frozenset()):
    if isinstance(value, dict):
        return {k: without_names(v, more) for k, v in value.items() if k not in NAMES and k not in more}
    return [without_names(v, more) for v in value] if isinstance(value, list) else value


class Redact(Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-redact-")
        cls.addClassCleanup(folder.cleanup)
        cls.made = pathlib.Path(folder.name)
        cls.captures = sorted(case.SAMPLES.glob("*/*.tcap"))
        for text in sorted(GOLDEN.glob("*/*.txt")):
            capture = cls.made / f"{text.parent.name}-{text.stem}.tcap"
            done = case.run(case.program("tests/synth/synth-capture"), text, capture)
            assert done.returncode == 0, done.stderr
            cls.captures.append(capture)

    def redact(self, capture, *options, code=None):
        out = self.scratch / "out.tcap"
        done = self.tailcap("redact", capture, out, "--force", *options)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stderr)
        return out, done

    def rows(self, capture):
        done = self.tailcap("requests", capture, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_requests_survive(self):
        compared = 0
        for capture in self.captures:
            flagged = FLAGGED.get(capture.name, frozenset())
            before = self.rows(capture)
            for level in LEVELS:
                with self.subTest(capture.name, level=level):
                    # To strangers no statement and no key of a database is shown.
                    more = flagged | (
                        frozenset({"operation", "resource", "statement"}) if level == "strict" else flagged
                    )
                    want = [without_names(row, more) for row in before]
                    out, done = self.redact(capture, "--level", level)
                    self.assertIn(done.returncode, (0, 3), done.stderr)
                    got = [without_names(row, more) for row in self.rows(out)]
                    if capture.name in WITHHELD:
                        self.assertLessEqual({r["id"] for r in got}, {r["id"] for r in want})
                        self.assertIn("withheld", done.stdout)
                        continue
                    self.assertEqual([r["id"] for r in got], [r["id"] for r in want])
                    for a, b in zip(got, want):
                        self.assertEqual(a, b)
                    compared += len(want)
        self.assertGreater(compared, 2000)

    def test_threads_change_nothing(self):
        key = self.scratch / "key"
        key.write_bytes(bytes(range(32)))
        sizes = []
        for capture in self.captures:
            for level in LEVELS:
                with self.subTest(capture.name, level=level):
                    results = set()
                    for threads in (1, 2, 7):
                        out = self.scratch / "out.tcap"
                        done = case.run(
                            case.program(),
                            "redact",
                            capture,
                            out,
                            "--force",
                            "--level",
                            level,
                            "--key",
                            key,
                            "--json",
                            cwd=self.scratch,
                            env={**os.environ, "TAILCAP_THREADS": str(threads)},
                        )
                        self.assertIn(done.returncode, (0, 3), done.stderr)
                        results.add((done.returncode, done.stdout, out.read_bytes()))
                    self.assertEqual(len(results), 1)
                    sizes.append(json.loads(done.stdout)["events"])
        self.assertGreater(max(sizes), 20_000, "some of them are redacted in several pieces")

    def test_nothing_replaced_is_found_again(self):
        for capture in self.captures:
            for level in LEVELS:
                with self.subTest(capture.name, level=level):
                    out, _ = self.redact(capture, "--level", level)
                    done = self.tailcap("redact", "--verify", out, "--against", capture)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_redacting_twice(self):
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        once, _ = self.redact(capture, "--level", "default", code=0)
        kept = once.rename(self.scratch / "once.tcap")
        twice, _ = self.redact(kept, "--level", "strict", code=0)
        self.assertEqual([without_names(r) for r in self.rows(twice)], [without_names(r) for r in self.rows(capture)])
        self.assertEqual(self.tailcap("check", twice, "--redacted").returncode, 0)
        self.assertEqual(self.tailcap("redact", "--verify", twice, "--against", kept).returncode, 0)
        # What was strict stays so.
        strict = twice.rename(self.scratch / "strict.tcap")
        again, _ = self.redact(strict, "--level", "default", code=0)
        self.assertEqual(json.loads(self.tailcap("check", again, "--json").stdout)["redacted"]["level"], "strict")

    def test_one_key_gives_one_pseudonym(self):
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        key = self.scratch / "key"
        key.write_bytes(bytes(range(32)))
        paths = []
        for options in (["--key", key], ["--key", key], []):
            out, _ = self.redact(capture, "--level", "strict", *options, code=0)
            paths.append([r["path"] for r in self.rows(out)])
        self.assertEqual(paths[0], paths[1])
        self.assertNotEqual(paths[0], paths[2])
        original = [r["path"] for r in self.rows(capture)]
        self.assertEqual(len(set(zip(original, paths[0]))), len(set(original)), "equal paths have equal pseudonyms")
        key.write_bytes(b"short")
        self.assert_refused(self.tailcap("redact", capture, "out2.tcap", "--key", key), 1, "16 bytes")

    def test_the_marker(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        self.assertEqual(self.tailcap("check", capture, "--redacted").returncode, 4)
        for level, flags in (("default", 0x04), ("strict", 0x0C)):
            out, _ = self.redact(capture, "--level", level, code=0)
            done = self.tailcap("check", out, "--redacted")
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"redacted, level {level}, policy ", done.stdout)
            self.assertEqual(out.read_bytes()[19], flags)
            out.write_bytes(out.read_bytes()[:-100])
            self.assertEqual(self.tailcap("check", out, "--redacted").returncode, 4, "not whole")

    def test_a_leak_is_found(self):
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        out, _ = self.redact(capture, "--level", "default", code=0)
        # By the stricter rules, what the default keeps is one.
        done = self.tailcap("redact", "--verify", capture, "--against", capture)
        self.assert_refused(done, 1, "not marked as redacted")
        other, _ = self.redact(case.SAMPLES / "slow-client/slow-client.tcap", code=0)
        self.assert_refused(self.tailcap("redact", "--verify", other, "--against", capture), 1, "not made from")

    def test_what_is_added_later_is_searched(self):
        """A note behind the redaction, with a replaced word as it was, in capitals, and all but its first character; and the mark."""
        capture = self.scratch / "noted.tcap"
        shutil.copy(case.SAMPLES / "go-stock/go-stock.tcap", capture)
        word = "ZebraQuokka7Wombat19"
        self.assertEqual(self.tailcap("note", capture, word).returncode, 0)
        for text, leaks in (
            (f"see {word}", True),
            (f"SEE {word.upper()}", True),
            (word[1:], True),
            (word[1:13] + "!", True),
            (word[4:].lower(), True),
            ("why is this one slow?", False),
        ):
            with self.subTest(text):
                out, _ = self.redact(capture, "--level", "strict", code=0)
                self.assertIn("redacted, level strict", self.tailcap("check", out, "--redacted").stdout)
                self.assertEqual(self.tailcap("note", out, text).returncode, 0)
                self.assertIn("NOT STRICT any more", self.tailcap("check", out, "--redacted").stdout)
                self.assertTrue(json.loads(self.tailcap("check", out, "--json").stdout)["redacted"]["added_later"])
                self.assertEqual(out.read_bytes()[19] & 0x0C, 0x04)
                done = self.tailcap("redact", "--verify", out, "--against", capture)
                self.assertEqual(done.returncode, 1 if leaks else 0, done.stdout)
                self.assertEqual("FOUND in note.value" in done.stdout, leaks, done.stdout)

    def test_a_dry_run_writes_nothing(self):
        done = self.tailcap("redact", case.SAMPLES / "go-stock/go-stock.tcap", "--dry-run", "--level", "strict")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("task_info.comm: shop -> ", done.stdout)
        self.assertIn("Nothing was written", done.stdout)
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_bad_usage_and_bad_policies(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        self.assert_refused(self.tailcap("redact", capture), 2, "no output given")
        self.assert_refused(self.tailcap("redact", capture, capture, "--force"), 1, "is the capture itself")
        self.assert_refused(self.tailcap("redact", capture, "-"), 1, "standard output")
        policy = self.scratch / "p.yaml"
        for text, word in (
            ("fields: {task_info.com: keep}", "no field task_info.com"),
            ("levels: strict", "'levels' is none"),
            ("fields: {send.head: keep}", "not for a policy"),
            ("fields: {send.length: words}", "only be kept or dropped"),
            ("[", "line"),
        ):
            policy.write_text(text)
            self.assert_refused(self.tailcap("redact", capture, "out.tcap", "--policy", policy), 1, word)
        for text, word in (
            ("keep_headers: [authorization]", "allow_credentials"),
            ("keep_headers: [Host]", "lower case"),
            ("keep_headers: [host]", "not kept as a whole"),
            ("keep_queries: [api_key]", "allow_credentials"),
            ("fields: {task_info.command_line: keep}", "allow_credentials"),
            ("keep_queries: page", "is no list"),
        ):
            policy.write_text(text)
            self.assert_refused(self.tailcap("redact", capture, "out.tcap", "--policy", policy), 1, word)
        policy.write_text("level: strict\nfields:\n  task_info.comm: keep\nmask_headers: [host]\n")
        out, done = self.redact(capture, "--policy", policy, code=0)
        self.assertIn("level strict and a policy file", done.stdout)
        self.assertIn("tailcap-sample-", self.tailcap("events", out).stdout)


if __name__ == "__main__":
    case.main()
