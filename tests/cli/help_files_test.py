"""Manual pages and completions: made from the option tables, and read by man, bash, zsh and fish.

    help_files_test.py --build build/release
"""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import case


def share():
    return case.BUILD / "share"


def commands():
    text = subprocess.run([case.program(), "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z]+) {2,}", text[: text.index("Options of all commands")], re.M)


def described(command):
    return json.loads(
        subprocess.run(
            [case.program(), command, "--describe-options"], capture_output=True, text=True, check=True
        ).stdout
    )


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"no {tool}")


RECORDER = ("record", "control", "snapshot", "doctor")
OTHERS = (*RECORDER, "gate")  # programs of their own


class Pages(unittest.TestCase):
    def test_every_command_and_option_has_a_place(self):
        for command in commands():
            path = share() / f"man/man1/tailcap-{command}.1"
            if command in RECORDER and not path.exists():
                continue  # built without the recorder
            page = path.read_text().replace("\\-", "-")
            if command in OTHERS:
                self.assertRegex(page, rf"(?m)^(usage:|      ) tailcap {command}\b")
                continue
            options = [item["name"] for item in described(command)["items"] if "name" in item]
            for option in options:
                self.assertIn(f"--{option}", page)
            help_text = subprocess.run(
                [case.program(), command, "--help"], capture_output=True, text=True, check=True
            ).stdout
            self.assertEqual(
                set(re.findall(r"^ {2}(?:-\w, | {4})--([a-z-]+)", help_text, re.M)) - {"help"}, set(options)
            )

    @needs("man")
    def test_man_formats_them_without_a_warning(self):
        for page in sorted((share() / "man/man1").iterdir()):
            done = subprocess.run(
                ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                capture_output=True,
                text=True,
                check=False,
                env={"PATH": "/usr/bin:/bin", "MANWIDTH": "200", "LC_ALL": "C.UTF-8"},
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)

    @needs("lexgrog")
    def test_names_can_be_indexed(self):
        for page in sorted((share() / "man/man1").iterdir()):
            done = subprocess.run(["lexgrog", page], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, page)


class Completions(unittest.TestCase):
    def bash(self, *words):
        script = f'source {share()}/bash-completion/completions/tailcap; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tailcap; printf "%s\\n" "${{COMPREPLY[@]}}"'
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "slow.tcap").touch()
            done = subprocess.run(
                ["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True, cwd=folder
            )
        return done.stdout.split()

    def test_bash(self):
        self.assertEqual(set(commands()) - set(self.bash("tailcap", "")), set())
        self.assertEqual(self.bash("tailcap", "que"), ["query"])
        self.assertEqual(self.bash("tailcap", "query", "sl"), ["slow.tcap"])
        self.assertEqual(self.bash("tailcap", "query", "slow.tcap", "--format", ""), ["text", "csv", "json"])
        self.assertEqual(self.bash("tailcap", "export", "slow.tcap", "--format", "pc"), ["pcapng"])
        self.assertEqual(self.bash("tailcap", "query", "slow.tcap", "--sa"), ["--save"])
        self.assertEqual(self.bash("tailcap", "gate", "--fail"), ["--fail-on"])
        for command in set(commands()) - set(OTHERS):
            options = {f"--{item['name']}" for item in described(command)["items"] if "name" in item}
            self.assertEqual(options - set(self.bash("tailcap", command, "--")), set())

    @needs("zsh")
    def test_zsh(self):
        path = share() / "zsh/vendor-completions/_tailcap"
        subprocess.run(["zsh", "-n", path], check=True)
        self.assertTrue(path.read_text().startswith("#compdef tailcap"))

    @needs("fish")
    def test_fish(self):
        with tempfile.TemporaryDirectory() as folder:
            ask = lambda line: [
                l.split("\t")[0]
                for l in subprocess.run(
                    [
                        "fish",
                        "--no-config",
                        "-c",
                        f"source {share()}/fish/vendor_completions.d/tailcap.fish; complete -C '{line}'",
                    ],
                    capture_output=True,
                    text=True,
                    check=True,
                    env={"HOME": folder, "PATH": "/usr/bin:/bin"},
                ).stdout.splitlines()
            ]
            self.assertEqual(ask("tailcap que"), ["query"])
            self.assertEqual(ask("tailcap query slow.tcap --format "), ["csv", "json", "text"])
            self.assertIn("--save", ask("tailcap query slow.tcap --sa"))

    def test_installed(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cmake", "--install", case.BUILD, "--prefix", folder], check=True, capture_output=True)
            for file in (
                "bin/tailcap",
                "share/man/man1/tailcap.1",
                "share/man/man1/tailcap-query.1",
                "share/bash-completion/completions/tailcap",
                "share/zsh/vendor-completions/_tailcap",
                "share/fish/vendor_completions.d/tailcap.fish",
                "share/tailcap/schemas/report.schema.json",
                "share/tailcap/schemas/capture.capnp",
                "share/doc/tailcap/docs/agents.md",
                "share/doc/tailcap/examples/tailcap-flight.service",
                "share/doc/tailcap/examples/flight.toml",
            ):
                self.assertTrue(pathlib.Path(folder, file).exists(), file)
            self.assertEqual([str(p) for p in pathlib.Path(folder).rglob("stamp")], [])


if __name__ == "__main__":
    case.main()
