"""Stacks of waits: of a server whose handler waits twelve calls deep, and says so; of nobody where it is switched off."""
import pathlib
import subprocess
import tempfile

import harness
from harness import OneServer, json_lines

HERE = pathlib.Path(__file__).resolve().parent
REQUESTS = 20
CHAIN = [f"link_{i}" for i in range(1, 13)]


class Stacks(OneServer):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tailcap-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.program = pathlib.Path(folder.name) / "stacks"
        subprocess.run(
            [
                "g++",
                "-O1",
                "-fno-omit-frame-pointer",
                "-fno-optimize-sibling-calls",
                "-pthread",
                "-o",
                cls.program,
                HERE / "stacks.cc",
            ],
            check=True,
        )

    def stacks(self, recording):
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        return [s for s in samples if s["why"] == "off_cpu"]

    def waits(self, recording, ongoing=False):
        """(thread, when it left the CPU) of all that were not preempted, and how long they took: of those that ended, or of those
        under way when the recording ends."""
        waits = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "off_cpu"))
        return {
            (w["tid"], w["left"]): w["time"] - w["left"]
            for w in waits
            # 256: preempted; 2048: a new thread, which waits for its first CPU. One may be woken as it leaves.
            if w["state"] not in (0, 256, 2048) and w["ongoing"] == ongoing
        }

    def test_handler_that_waits_twelve_calls_deep(self):
        server = self.serve(self.program)
        with self.record("-p", server.pid, "--stacks") as recording:
            self.ask("/here", REQUESTS)
        stacks, waits = self.stacks(recording), self.waits(recording)
        deep = [s for s in stacks if "link_12" in s["user"]]
        self.assertEqual(len(deep), REQUESTS)
        for stack in deep:
            self.assertEqual(stack["user"].split(";")[-12:], CHAIN)
            self.assertIn("read", stack["kernel"])
            self.assertTrue(stack["kernel"].endswith(";__schedule"), stack["kernel"])
        # Every stack is that of a wait, and every wait of 1 ms and more has one.
        last = self.waits(recording, ongoing=True)
        for stack in stacks:
            self.assertIn((stack["tid"], stack["time"]), {**waits, **last})
        known = {(s["tid"], s["time"]) for s in stacks}
        # Programs are attached one after the other: the first waits may lack theirs.
        first = min(time for _, time in known)
        missing = [w for w, length in waits.items() if length >= 1_000_000 and w[1] >= first and w not in known]
        self.assertEqual(missing, [], f"of {len(waits)} waits")
        print(f"  {len(stacks)} stacks of {len(waits)} waits, {sum(s['weight'] for s in stacks)} by their weights")
        lines = self.tailcap("flame", recording.file, "--measure", "off-cpu", "--format", "folded").splitlines()
        spent = sum(int(line.rsplit(" ", 1)[1]) for line in lines if ";".join(CHAIN) in line)
        asleep = sum(waits[s["tid"], s["time"]] for s in deep)
        self.assertEqual(spent, asleep)
        served = self.tailcap("flame", recording.file, "--measure", "off-cpu", "--route", "/here", "--format", "folded")
        self.assertIn(";".join(CHAIN), served)

    def test_switched_while_recording(self):
        server = self.serve(self.program)
        with self.record("-p", server.pid, "--stacks=off", "--sample", 99) as recording:
            self.ask("/before", REQUESTS)
            self.tailcap("control", recording.file, "stacks", "on")
            self.ask("/while", REQUESTS)
            self.tailcap("control", recording.file, "stacks", "off")
            self.ask("/after", REQUESTS)
            self.tailcap("control", recording.file, "stacks", "on")
            self.ask("/again", 3)
            self.tailcap("control", recording.file, "stacks", "perhaps", code=2)
        notes = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "note"))
        notes = [n for n in notes if n["key"] == "tailcap.stacks"]
        self.assertEqual([n["value"] for n in notes], ["on", "off", "on"])
        on, off, again = (n["time"] for n in notes)
        deep = [s for s in self.stacks(recording) if "link_12" in s["user"]]
        self.assertEqual(len([s for s in deep if on <= s["time"] <= off]), REQUESTS)
        self.assertEqual(len([s for s in deep if s["time"] >= again]), 3)
        self.assertEqual(len(deep), REQUESTS + 3)
        with self.record("-p", server.pid, "--no-stacks", "--no-sample", name="plain.tcap") as plain:
            self.tailcap("control", plain.file, "stacks", "on", code=1)

    def test_those_of_long_waits(self):
        server = self.serve(self.program)
        with self.record("-p", server.pid, "--stacks=long") as recording:
            self.ask("/here", REQUESTS)
        stacks, waits = self.stacks(recording), self.waits(recording)
        last = self.waits(recording, ongoing=True)
        for stack in stacks:
            self.assertGreaterEqual({**waits, **last}[stack["tid"], stack["time"]], 1_000_000)
        deep = [s for s in stacks if "link_12" in s["user"]]
        print(f"  {len(deep)} of {REQUESTS} waits have stacks")
        self.assertGreaterEqual(len(deep), REQUESTS // 2)
        for stack in deep:
            self.assertEqual(stack["user"].split(";")[-12:], CHAIN)
            self.assertIn("read", stack["kernel"])
            self.assertTrue(stack["kernel"].endswith(";__schedule"), stack["kernel"])

    def test_nothing_with_no_stacks(self):
        server = self.serve(self.program)
        with self.record("-p", server.pid, "--no-stacks") as recording:
            self.ask("/here", 2)
        self.assertEqual(self.stacks(recording), [])
        self.assertIn(";read", self.tailcap("flame", recording.file, "--measure", "off-cpu", "--format", "folded"))


if __name__ == "__main__":
    harness.main()
