"""Stacks of waits that are under way when the recording ends: of threads that say themselves in which function they wait."""
import pathlib
import subprocess
import time

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
CALLS = {"restock": "sys_poll", "add_item": "sys_futex", "read_order": "sys_read", "rest": "nanosleep"}
FUNCTIONS = set(CALLS)


class LastWaits(Case):
    BY_OTHER_NAMES = True

    def record_waits(self, *options, more=()):
        """What the threads said, with the stacks and the ongoing waits of the recording."""
        program, begin = self.scratch / "waits", self.scratch / "begin"
        subprocess.run(["cc", *options, "-pthread", "-o", program, HERE / "last_waits.c"], check=True)
        with open(self.scratch / "said", "w") as said:
            running = subprocess.Popen([program, begin], stdout=said)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        time.sleep(0.5)
        with self.record("-p", running.pid, *more) as recording:
            time.sleep(0.3)
            begin.touch()
            time.sleep(1)
        said = (self.scratch / "said").read_text().splitlines()
        threads = {int(tid): name for name, tid in (line.split() for line in said)}
        self.assertEqual(set(threads.values()), FUNCTIONS)
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        waits = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "off_cpu"))
        last = {w["tid"]: w["left"] for w in waits if w["ongoing"]}
        self.assertLessEqual(set(threads), set(last))
        return recording, threads, {s["tid"]: s for s in samples if s["time"] == last.get(s["tid"])}

    def check(self, threads, stacks):
        for tid, function in threads.items():
            self.assertIn(tid, stacks, function)
            stack = stacks[tid]
            self.assertEqual(stack["why"], "off_cpu")
            frames = stack["user"].split(";")
            self.assertEqual(FUNCTIONS & set(frames), {function}, stack)
            self.assertEqual(frames.index(function), frames.index("serve") + 1, stack)
            self.assertEqual(stack["end"], "start", stack)
            self.assertIn(CALLS[function], stack["kernel"])
            self.assertEqual(stack["weight"], 1)

    def test_each_has_its_function(self):
        recording, threads, stacks = self.record_waits("-O2", more=["--stacks=long"])
        self.check(threads, stacks)
        flame = self.tailcap("flame", recording.file, "--measure", "off-cpu", "--format", "folded")
        self.assertRegex(flame, r"serve;add_item;[^\n]*pthread_mutex_lock")

    def test_without_tables_before(self):
        """A process that had no stack before, and whose waits are all of the end."""
        _, threads, stacks = self.record_waits(
            "-O2", "-fno-omit-frame-pointer", more=["--stacks=long", "--long-wait", "500ms"]
        )
        self.check(threads, stacks)

    def test_none_where_stacks_are_switched_off(self):
        _, threads, stacks = self.record_waits("-O2", more=["--no-stacks"])
        self.assertEqual(stacks, {})


if __name__ == "__main__":
    harness.main()
