"""A program is replaced by another one that has its inode: each process's functions and build-id are those of its own program."""
import pathlib
import re
import subprocess
import sys

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = ("first_version", "second_version")
RUNNER = "import subprocess, sys\nfor line in sys.stdin: subprocess.run([line.strip()])"


class SameInode(Case):
    def build(self, version):
        file = self.scratch / version
        source = HERE / "same_inode.c"
        flags = ["-O1", "-fno-omit-frame-pointer", "-Wl,--build-id=sha1", f"-DVERSION={version}"]
        subprocess.run(["cc", *flags, "-o", file, source], check=True, timeout=60)
        notes = subprocess.run(["readelf", "-n", file], check=True, capture_output=True, text=True).stdout
        return file.read_bytes(), re.search(r"Build ID: ([0-9a-f]+)", notes)[1]

    def test_functions_and_build_ids(self):
        built = {version: self.build(version) for version in VERSIONS}
        program = self.scratch / "program"
        program.touch(0o755)
        inode = program.stat().st_ino
        runner = self.start([sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ran = {}
        with self.record("-p", runner.pid, "--sample", 997) as recording:
            # The last is the program that was there before: nothing of it needs to be read again.
            for version in (*VERSIONS, VERSIONS[1]):
                if version not in ran.values():
                    with open(program, "r+b") as file:
                        file.truncate()
                        file.write(built[version][0])
                runner.stdin.write(f"{program}\n")
                runner.stdin.flush()
                pid = int(runner.stdout.readline())
                ran[pid] = version
                harness.wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the end of the program", 30)
        self.assertEqual(program.stat().st_ino, inode)
        seen = {pid: [] for pid in ran}
        for sample in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample")):
            if sample["pid"] in seen and "_version" in sample["user"]:
                seen[sample["pid"]].append(sample["user"].split(";"))
        ids = {}
        for mapping in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "mapping")):
            if mapping["path"] == str(program):
                ids.setdefault(mapping["pid"], set()).add(mapping["build_id"])
        for pid, version in ran.items():
            self.assertGreater(len(seen[pid]), 50, version)
            for stack in seen[pid]:
                self.assertIn(version, stack)
            self.assertEqual(ids[pid], {built[version][1]}, version)


if __name__ == "__main__":
    harness.main()
