"""A program is replaced by another one that has its inode: each process's functions and build-id are those of its own program."""
import pathlib
import re
import subprocess
import sys
import typing

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = ("first_version", "second_version")
RUNNER = "import subprocess, sys\nfor line in sys.stdin: subprocess.run(line.split())"


class Run(typing.NamedTuple):
    version: str
    build_id: str
    stacks: list
    build_ids: set


class SameInode(Case):
    def build(self, version):
        file = self.scratch / version
        source = HERE / "same_inode.c"
        flags = ["-O1", "-fno-omit-frame-pointer", "-Wl,--build-id=sha1", f"-DVERSION={version}"]
        subprocess.run(["cc", *flags, "-o", file, source], check=True, timeout=60)
        notes = subprocess.run(["readelf", "-n", file], check=True, capture_output=True, text=True).stdout
        return file.read_bytes(), re.search(r"Build ID: ([0-9a-f]+)", notes)[1]

    def run_versions(self, runs):
        """Each version is written into the same file and uses the CPU for its milliseconds. Its stacks are those with
        the program, and its build_ids those of its mappings."""
        built = {version: self.build(version) for version in VERSIONS}
        program = self.scratch / "program"
        program.touch(0o755)
        inode = program.stat().st_ino
        runner = self.start([sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ran, written = {}, None
        with self.record("-p", runner.pid, "--sample", 997) as recording:
            for version, milliseconds in runs:
                if version != written:
                    with open(program, "r+b") as file:
                        file.truncate()
                        file.write(built[version][0])
                    written = version
                runner.stdin.write(f"{program} {milliseconds}\n")
                runner.stdin.flush()
                pid = int(runner.stdout.readline())
                ran[pid] = Run(version, built[version][1], [], set())
                harness.wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the end of the program", 30)
        self.assertEqual(program.stat().st_ino, inode)
        for sample in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample")):
            if sample["pid"] in ran and re.search(r"_version|\[program\]", sample["user"]):
                ran[sample["pid"]].stacks.append(sample["user"].split(";"))
        for mapping in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "mapping")):
            if mapping["path"] == str(program):
                ran[mapping["pid"]].build_ids.add(mapping["build_id"])
        return list(ran.values())

    def test_functions_and_build_ids(self):
        # The last is the program that was there before: nothing of it needs to be read again.
        for run in self.run_versions([(version, 2000) for version in (*VERSIONS, VERSIONS[1])]):
            named = [stack for stack in run.stacks if run.version in stack]
            self.assertGreater(len(named), 200, run.version)
            self.assertLess(len(run.stacks) - len(named), 5, run.version)
            self.assertEqual(run.build_ids, {run.build_id}, run.version)

    def test_rewritten_at_once(self):
        """Names may come too late then. What is shown is the program's own."""
        other = dict(zip(VERSIONS, reversed(VERSIONS)))
        runs = self.run_versions([(v, most) for most in 5 * [30] + 3 * [200] for v in VERSIONS])
        self.assertTrue(any(run.stacks for run in runs))
        for run in runs:
            for stack in run.stacks:
                self.assertNotIn(other[run.version], stack)
            self.assertLessEqual(run.build_ids, {run.build_id, ""}, run.version)


if __name__ == "__main__":
    harness.main()
