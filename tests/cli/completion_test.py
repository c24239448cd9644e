#!/usr/bin/env python3
"""Words of the capture on the command line, in bash, zsh and fish; and that what a capture holds is never run.

    tests/cli/completion_test.py --build build/release [unittest arguments]
"""
import json
import os
import shutil
import subprocess
import time
import unittest

import case

STOCK = case.SAMPLES / "go-stock/go-stock.tcap"
# A program can have asked for any path.
HOSTILE = """preamble tier=a payload_limit=256
+0 task_info pid=10 tid=10 comm="shop"
+0.001 socket_info socket=5 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 remote=10.0.0.2:40000 next_in=0 next_out=0
"""
PATHS = ("/$(touch${IFS}ran)", "/`touch${IFS}ran`", "/a;touch${IFS}ran", "/*", "/a'b", "/~root", "/x&y")


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"no {tool}")


class Completion(case.Case):
    def setUp(self):
        super().setUp()
        (self.scratch / "slow.tcap").write_bytes(STOCK.read_bytes())
        (self.scratch / "notes.txt").touch()
        (self.scratch / "bug.zip").touch()
        (self.scratch / "runs").mkdir()
        self.share = case.BUILD / "share"

    def environment(self):
        return {**os.environ, "PATH": f"{case.program().parent}:{os.environ['PATH']}", "HOME": str(self.scratch)}

    def bash(self, *words):
        script = (
            f"source {self.share}/bash-completion/completions/tailcap\n"
            'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tailcap; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", script, "bash", *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=self.scratch,
            env=self.environment(),
        )
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def fish(self, line):
        done = subprocess.run(
            [
                "fish",
                "--no-config",
                "-c",
                f"source {self.share}/fish/vendor_completions.d/tailcap.fish; complete -C '{line}'",
            ],
            capture_output=True,
            text=True,
            check=True,
            cwd=self.scratch,
            env=self.environment(),
        )
        return [word.split("\t")[0] for word in done.stdout.splitlines()]

    def requests(self):
        return [json.loads(line) for line in self.tailcap("requests", STOCK, "--json").stdout.splitlines()]

    def test_what_is_offered_is_what_the_capture_has(self):
        ids = self.tailcap("complete", "ids", "slow.tcap").stdout.splitlines()
        listed = sorted(self.requests(), key=lambda r: -r["duration_ns"])
        self.assertEqual([line.split("\t")[0] for line in ids[:3]], ["slowest", "@1", listed[0]["id"]])
        self.assertEqual(len(ids), 2 + 100)
        self.assertLessEqual({line.split("\t")[0] for line in ids[2:]}, {r["id"] for r in listed})
        self.assertEqual(
            self.tailcap("complete", "routes", "slow.tcap").stdout.splitlines(), sorted({r["route"] for r in listed})
        )
        # The newest capture of the folder, as where FILE is left out.
        self.assertEqual(self.tailcap("complete", "ids").stdout.splitlines(), ids)
        self.assertNotIn("  complete", self.tailcap("--help").stdout)

    def test_bash(self):
        self.assertEqual(sorted(self.bash("tailcap", "report", "")), ["bug.zip", "runs", "slow.tcap"])
        self.assertEqual(self.bash("tailcap", "slo"), ["slow.tcap"])
        self.assertEqual(self.bash("tailcap", "show", "s"), ["slow.tcap"])
        self.assertEqual(self.bash("tailcap", "show", "slow.tcap", "slo"), ["slowest"])
        ids = self.bash("tailcap", "show", "slow.tcap", "3.")
        self.assertIn("3.39", ids)
        self.assertEqual([i for i in ids if not i.startswith("3.")], [])
        self.assertIn("11.120", self.bash("tailcap", "show", "slow.tcap", "3.39", "11"))
        self.assertEqual(self.bash("tailcap", "requests", "slow.tcap", "--route", "/c"), ["/cart/\\{\\}"])
        self.assertIn("3.39", self.bash("tailcap", "requests", "slow.tcap", "--around", "3.3"))
        self.assertEqual(self.bash("tailcap", "query", "slow.tcap", "no"), ["notes.txt"])

    def test_values_of_options(self):
        self.assertEqual(self.bash("tailcap", "events", "slow.tcap", "--kind", "off"), ["off_cpu"])
        kinds = {json.loads(l)["kind"] for l in self.tailcap("events", STOCK, "--json").stdout.splitlines()}
        self.assertLessEqual(kinds, set(self.bash("tailcap", "events", "slow.tcap", "--kind", "")))
        recorder = case.program("capture/tailcap-record")
        if not recorder.exists():
            return
        offered = {
            "--tls": ["auto", "keys", "probes"],
            "--profile": ["default", "deep", "node"],
            "--tier": ["a", "c"],
        }
        for option, words in offered.items():
            self.assertEqual(self.bash("tailcap", "record", option, ""), words)
            # The recorder knows each; what is wrong with the call is another thing.
            for word in (*words, "nosuch"):
                said = case.run(recorder, option, word, "-a", "--rings", "3").stderr
                self.assertEqual("--rings" in said, word != "nosuch", said)
        groups = self.bash("tailcap", "record", "--add", "")
        self.assertLessEqual({"io", "tls", "samples", "files", "allocations"}, set(groups))
        for group in groups:
            self.assertIn("--rings", case.run(recorder, "--add", group, "-a", "--rings", "3").stderr, group)

    def test_nothing_of_a_capture_is_run(self):
        text, at_in, at_out = HOSTILE, 0, 0
        for n, path in enumerate(PATHS):
            asked, answered = f"GET {path} HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n", "HTTP/1.1 204 No Content\\r\\n\\r\\n"
            text += f'+0.{n + 1}1 receive pid=10 tid=10 socket=5 pos={at_in} data="{asked}"\n'
            text += f'+0.{n + 1}2 send pid=10 tid=10 socket=5 pos={at_out} data="{answered}"\n'
            at_in += len(asked.encode().decode("unicode_escape"))
            at_out += len(answered.encode().decode("unicode_escape"))
        (self.scratch / "hostile.txt").write_text(text)
        done = case.run(case.program("tests/synth/synth-capture"), "hostile.txt", "hostile.tcap", cwd=self.scratch)
        self.assertEqual(done.returncode, 0, done.stderr)
        routes = self.tailcap("complete", "routes", "hostile.tcap").stdout.splitlines()
        self.assertEqual(routes, sorted(PATHS))
        offered = self.bash("tailcap", "requests", "hostile.tcap", "--route", "/")
        self.assertEqual(len(offered), len(routes))
        self.assertFalse((self.scratch / "ran").exists())
        # What is offered is quoted: the shell makes of it the word that it stands for.
        for quoted, route in zip(offered, routes):
            said = subprocess.run(
                ["bash", "-c", f"printf %s {quoted}"], capture_output=True, text=True, cwd=self.scratch
            )
            self.assertEqual(said.stdout, route)
        self.assertFalse((self.scratch / "ran").exists())
        if shutil.which("fish"):
            self.assertEqual(sorted(self.fish("tailcap requests hostile.tcap --route /")), sorted(routes))
            self.assertFalse((self.scratch / "ran").exists())

    @needs("fish")
    def test_fish(self):
        self.assertEqual(self.fish("tailcap show slow.tcap slo"), ["slowest"])
        self.assertIn("3.39", self.fish("tailcap show slow.tcap 3.3"))
        self.assertEqual(self.fish("tailcap requests slow.tcap --route /c"), ["/cart/{}"])
        self.assertEqual(self.fish("tailcap report s"), ["slow.tcap"])
        self.assertEqual(self.fish("tailcap events slow.tcap --kind off"), ["off_cpu"])

    @needs("zsh")
    def test_zsh(self):
        """The completion system in a terminal of its own; Tab adds what is certain."""
        script = self.scratch / "complete.zsh"
        script.write_text(
            f"""zmodload zsh/zpty
zpty z zsh -f -i
ask() {{
  zpty -w -n z "$1"
  local line out=""
  repeat 40; do zpty -r -t z line && out+=$line; sleep 0.05; done
  print -r -- "$out"
}}
ask 'PROMPT=; fpath=({self.share}/zsh/vendor-completions $fpath); autoload -U compinit; compinit -u -D; cd {self.scratch}'$'\n' > /dev/null
ask $'tailcap requests slow.tcap --route /c\\t'
ask $'\\x15tailcap show slow.tcap slo\\t'
"""
        )
        done = subprocess.run(
            ["zsh", "-f", script],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.scratch,
            env={**self.environment(), "TERM": "dumb"},
        )
        self.assertIn("/cart/\\{\\}", done.stdout, done.stdout[-2000:])
        self.assertIn("slow.tcap slowest", done.stdout, done.stdout[-2000:])

    def test_it_is_bounded(self):
        """A file that is no capture, one that is absent, and one that never ends: nothing is offered, soon."""
        os.mkfifo(self.scratch / "never.tcap")
        for file in ("notes.txt", "absent.tcap", "never.tcap"):
            begun = time.monotonic()
            done = self.tailcap("complete", "ids", file)
            self.assertEqual(done.stdout, "", file)
            self.assertLess(time.monotonic() - begun, 10, file)


if __name__ == "__main__":
    case.main()
