"""Samples of the CPU: of programs that spend known time in known functions, as they count it themselves."""
import collections
import os
import pathlib
import subprocess

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
RATE = 999
SECONDS = 2


class Samples(Case):
    def samples(self, recording):
        return json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))

    def run_whole(self, program, *options):
        """Records a program from its first instruction to its end, and returns what it said."""
        said = self.scratch / "said"
        command = ["sh", "-c", f"exec {program} {SECONDS} > {said}"]
        recording = harness.Recording(self.scratch / "capture.tcap", ["--sample", str(RATE), *options, "--", *command])
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        return recording, said.read_text().split()

    def share(self, samples, wanted):
        return sum(wanted(s["user"].split(";")) for s in samples) / len(samples)

    def check_count(self, samples, seconds):
        expected = RATE * float(seconds)
        print(f"  {len(samples)} samples of {expected:.0f}")
        self.assertLess(abs(len(samples) - expected), 0.2 * expected)

    def build_c(self, *options):
        program = self.scratch / "samples-c"
        subprocess.run(["cc", "-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", *options, "-o", program, HERE / "samples.c"],
                       check=True)
        return program

    def test_twelve_calls_deep(self):
        recording, (seconds,) = self.run_whole(self.build_c())
        samples = self.samples(recording)
        self.check_count(samples, seconds)
        chain = ["main", *(f"link_{i}" for i in range(1, 12)), "spin_here"]
        share = self.share(samples, lambda frames: frames[-13:] == chain)
        print(f"  {share:.2%} in the whole chain")
        self.assertGreaterEqual(share, 0.95)

    def test_stripped_program_is_called_by_its_file(self):
        program = self.build_c("-s")
        recording, (seconds,) = self.run_whole(program)
        samples = self.samples(recording)
        self.check_count(samples, seconds)
        # Not a name that would be another function's: exported ones are few here.
        self.assertGreaterEqual(self.share(samples, lambda frames: frames[-13:] == ["[samples-c]"] * 13), 0.9,
                                collections.Counter(s["user"] for s in samples).most_common(3))
        self.assertFalse([s for s in samples if "spin_here" in s["user"]])

    def test_go(self):
        for strip in ([], ["-ldflags=-s -w"]):
            with self.subTest(strip=strip):
                (self.scratch / "capture.tcap").unlink(missing_ok=True)
                program = self.scratch / "samples-go"
                environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "0"}
                subprocess.run(["go", "build", *strip, "-o", program, HERE / "samples.go"], check=True, timeout=300, env=environment)
                recording, (seconds, goroutine) = self.run_whole(program)
                samples = self.samples(recording)
                self.check_count(samples, seconds)
                chain = ["main.outer", "main.inner", "main.spinHere"]
                share = self.share(samples, lambda frames: "main.spinHere" in frames and frames[: frames.index("main.spinHere") + 1][-3:] == chain)
                print(f"  {share:.2%} in the function")
                self.assertGreaterEqual(share, 0.95)
                spinning = [s for s in samples if "main.spinHere" in s["user"]]
                named = sum(s.get("goroutine") == int(goroutine) for s in spinning) / len(spinning)
                print(f"  {named:.2%} of them by its goroutine")
                self.assertGreaterEqual(named, 0.95)

    def test_kernel_stacks_and_nothing_without_being_asked(self):
        with self.record("--sample", RATE, "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=20000") as recording:
            recording.wait_end(60)
        samples = self.samples(recording)
        self.assertGreater(len(samples), 100)
        inside = sum("read_zero" in s["kernel"] or "clear_user" in s["kernel"] or "rep_stos" in s["kernel"] for s in samples) / len(samples)
        print(f"  {inside:.2%} where the kernel writes zeros, e.g. {samples[len(samples) // 2]['kernel']}")
        self.assertGreaterEqual(inside, 0.8)
        with self.record("--", "dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=100", name="plain.tcap") as plain:
            plain.wait_end(60)
        self.assertEqual(self.samples(plain), [])


if __name__ == "__main__":
    harness.main()
