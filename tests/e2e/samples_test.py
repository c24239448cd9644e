"""Samples of the CPU: of programs that spend known time in known functions, as they count it themselves."""
import collections
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
from harness import Case, json_lines

HERE = pathlib.Path(__file__).resolve().parent
RATE = 999
SECONDS = 2


class Samples(Case):
    BY_OTHER_NAMES = True

    def samples(self, recording):
        samples = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        return [s for s in samples if s["why"] == "on_cpu"]

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
        subprocess.run(
            [
                "cc",
                "-O1",
                "-fno-omit-frame-pointer",
                "-fno-optimize-sibling-calls",
                *options,
                "-o",
                program,
                HERE / "samples.c",
            ],
            check=True,
        )
        return program

    def test_twelve_calls_deep(self):
        recording, (seconds,) = self.run_whole(self.build_c())
        samples = self.samples(recording)
        self.check_count(samples, seconds)
        chain = ["main", *(f"link_{i}" for i in range(1, 12)), "spin_here"]
        share = self.share(samples, lambda frames: frames[-13:] == chain)
        print(f"  {share:.2%} in the whole chain")
        self.assertGreaterEqual(share, 0.95)

    def test_of_a_request_and_back(self):
        """A request that burns half a second has its samples, by its id and by theirs."""
        program = self.scratch / "spin-service"
        subprocess.run(["cc", "-O1", "-fno-omit-frame-pointer", "-o", program, HERE / "spin_service.c"], check=True)
        port = harness.free_port()
        service = self.start([program, port])
        harness.wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        trace = "0af7651916cd43dd8448eb211c80319c"
        with self.record("--sample", 99, "-p", service.pid) as recording:
            self.curl(f"http://127.0.0.1:{port}/spin/0")
            self.curl("-H", f"traceparent: 00-{trace}-b7ad6b7169203331-01", f"http://127.0.0.1:{port}/spin/500")
        rows = {r["path"]: r for r in self.requests(recording)}
        id = rows["/spin/500"]["id"]
        shown = json.loads(self.tailcap("show", recording.file, id, "--json"))["end"]["samples"]
        print(f"  {shown['count']} samples, {shown['of_top']} in {shown['top']}")
        # A thread that shares its CPU has it at some of the ticks: four standard deviations of a Poisson count.
        alone = rows["/spin/500"]["duration_ns"] < 600_000_000
        self.assertLess(abs(shown["count"] - 50), 10 if alone else 4 * 50**0.5)
        self.assertEqual(shown["top"], "burn_here")
        self.assertGreaterEqual(shown["of_top"], 0.9 * shown["count"])
        text = self.tailcap("show", recording.file, id)
        self.assertIn(f"{shown['count']} samples of the CPU", text)
        self.assertIn(f"tailcap flame FILE {id} ", " ".join(text.split()))
        own = json.loads(self.tailcap("flame", recording.file, id, "--json"))
        self.assertEqual(sum(s["value"] for s in own["stacks"]), shown["count"])
        # And back: every stack by its request and its trace.
        by_request = json.loads(self.tailcap("flame", recording.file, "--per-request", "--json"))["stacks"]
        of_trace = [s for s in by_request if s["stack"].startswith(f"{id} trace {trace};")]
        self.assertEqual(sum(s["value"] for s in of_trace), shown["count"], by_request)
        self.assertLessEqual(sum(s["value"] for s in by_request) - shown["count"], 3, "the other did nothing")
        page = self.tailcap("report", recording.file, "--format", "html")
        self.assertIn(f'href="#samples-{id}"', page)
        self.assertIn(f'id="samples-{id}"', page)
        self.assertIn("burn_here", page)

    def test_stripped_program_is_called_by_its_file(self):
        program = self.build_c("-s")
        recording, (seconds,) = self.run_whole(program)
        samples = self.samples(recording)
        self.check_count(samples, seconds)
        # Not a name that would be another function's: exported ones are few here.
        self.assertGreaterEqual(
            self.share(samples, lambda frames: frames[-13:] == ["[samples-c]"] * 13),
            0.9,
            collections.Counter(s["user"] for s in samples).most_common(3),
        )
        self.assertFalse([s for s in samples if "spin_here" in s["user"]])

    def test_go(self):
        for strip in ([], ["-ldflags=-s -w"]):
            with self.subTest(strip=strip):
                (self.scratch / "capture.tcap").unlink(missing_ok=True)
                program = self.scratch / "samples-go"
                environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "0"}
                subprocess.run(
                    ["go", "build", *strip, "-o", program, HERE / "samples.go"],
                    check=True,
                    timeout=300,
                    env=environment,
                )
                recording, (seconds, goroutine) = self.run_whole(program)
                samples = self.samples(recording)
                self.check_count(samples, seconds)
                chain = ["main.outer", "main.inner", "main.spinHere"]
                share = self.share(
                    samples,
                    lambda frames: "main.spinHere" in frames
                    and frames[: frames.index("main.spinHere") + 1][-3:] == chain,
                )
                print(f"  {share:.2%} in the function")
                self.assertGreaterEqual(share, 0.95)
                spinning = [s for s in samples if "main.spinHere" in s["user"]]
                # Until the recorder has read the program, whose goroutines it then knows; a busy machine takes its time for that.
                unread = next(i for i, s in enumerate(spinning) if s.get("goroutine"))
                self.assertLess(unread, 0.5 * len(spinning))
                named = sum(s.get("goroutine") == int(goroutine) for s in spinning[unread:]) / len(spinning[unread:])
                print(f"  {named:.2%} of them by its goroutine")
                self.assertGreaterEqual(named, 0.95)

    RUST = """
mod shop {
    pub struct Cart<const N: usize>(pub [u64; N]);
    pub trait Priced {
        fn price(&self, round: u64) -> u64;
    }
    impl<const N: usize> Priced for Cart<N> {
        #[inline(never)]
        fn price(&self, round: u64) -> u64 {
            let mut sum = round;
            for _ in 0..1_000_000 {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(self.0[0]));
            }
            sum
        }
    }
}

fn main() {
    use shop::Priced;
    let seconds: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let (begin, cart, mut sum) = (std::time::Instant::now(), shop::Cart([7, 8, 9]), 0);
    while begin.elapsed().as_secs() < seconds {
        sum = cart.price(sum);
    }
    println!("{} {}", begin.elapsed().as_secs_f64(), sum);
}
"""

    @unittest.skipUnless(shutil.which("rustc"), "no rustc")
    def test_rust(self):
        """Names as in the source: of the way of mangling that this compiler prefers, and of the newer one."""
        source, program = self.scratch / "samples.rs", self.scratch / "samples-rust"
        source.write_text(self.RUST)
        for ways in ([], ["-C", "symbol-mangling-version=v0"]):
            with self.subTest(ways=ways):
                (self.scratch / "capture.tcap").unlink(missing_ok=True)
                subprocess.run(["rustc", "-O", *ways, "-o", program, source], check=True, timeout=300)
                recording, _ = self.run_whole(program)
                samples = self.samples(recording)
                self.assertGreater(len(samples), 0.5 * RATE * SECONDS)
                names = {f"<samples::shop::Cart<{size}> as samples::shop::Priced>::price" for size in ("_", "3")}
                share = self.share(samples, lambda frames: frames[-1] in names)
                print(f"  {share:.2%} in the function")
                self.assertGreaterEqual(share, 0.95)

    def test_kernel_stacks_and_nothing_where_it_is_switched_off(self):
        with self.record(
            "--sample", RATE, "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=16M", "count=2000"
        ) as recording:
            recording.wait_end(60)
        samples = self.samples(recording)
        self.assertGreater(len(samples), 100)
        inside = sum(
            "read_zero" in s["kernel"] or "clear_user" in s["kernel"] or "rep_stos" in s["kernel"] for s in samples
        ) / len(samples)
        print(f"  {inside:.2%} where the kernel writes zeros, e.g. {samples[len(samples) // 2]['kernel']}")
        self.assertGreaterEqual(inside, 0.8)
        with self.record(
            "--no-sample", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=16M", "count=2000", name="plain.tcap"
        ) as plain:
            plain.wait_end(60)
        self.assertEqual(self.samples(plain), [])


if __name__ == "__main__":
    harness.main()
