"""Stacks of code without frame pointers reach the start of their thread, with the callers that are known."""
import collections
import pathlib
import subprocess
import threading
import urllib.request

import harness
from harness import json_lines
from nginx_case import NginxCase

HERE = pathlib.Path(__file__).resolve().parent
RATE = 999
THROWN = (
    0.9  # libgcc overwrites its own return address to jump to the handler: until it has jumped, its caller is not known
)
SECONDS = 3
REACHED = 0.98


class Callers(NginxCase):
    BY_OTHER_NAMES = True

    def samples(self, recording, kind="on_cpu"):
        events = json_lines(self.tailcap("events", recording.file, "--json", "--kind", "sample"))
        return [e for e in events if e["why"] == kind and e["user"]]

    def walked(self, samples, least=REACHED):
        """Those from the first one on that was walked by tables, but for 0.4 s: tables are made after the first sample of a process, once
        more where the recorder reads of its exec after that sample, and an interpreter's before those of its libraries.
        """
        settled = samples[0]["time"] + 0.4e9
        walks = lambda s: s["end"] != "unknown" and s["time"] >= settled
        first = next((i for i, s in enumerate(samples) if walks(s)), len(samples))
        self.assertLess(first, 0.5 * len(samples), "the tables came too late")
        rest = samples[first:]
        self.assertFalse([s for s in rest if s["end"] == "unknown"], "tables are not lost again")
        ends = collections.Counter(s["end"] for s in rest)
        print(f"  {first} of {len(samples)} before the tables; then {dict(ends)}")
        self.assertGreaterEqual(ends["start"], least * len(rest), self.outermost(rest))
        return rest

    def outermost(self, samples):
        short = [s for s in samples if s["end"] != "start"]
        return collections.Counter((s["end"], s["user"][:200]) for s in short).most_common(5)

    def run_whole(self, program):
        recording = harness.Recording(
            self.scratch / "capture.tcap", ["--sample", str(RATE), "--", str(program), str(SECONDS)]
        )
        self.addCleanup(self.abandon, recording)
        self.assertEqual(recording.wait_end(60), 0, recording.said)
        return recording

    def test_c_program_twelve_calls_deep(self):
        program = self.scratch / "samples-c"
        options = ["-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls"]
        subprocess.run(["cc", *options, "-o", program, HERE / "samples.c"], check=True)
        samples = self.walked(self.samples(self.run_whole(program)))
        chain = ["main", *(f"link_{i}" for i in range(1, 12)), "spin_here"]
        inside = [s["user"].split(";") for s in samples if "spin_here" in s["user"]]
        whole = sum(
            frames[0] == "_start" and frames[: frames.index("spin_here") + 1][-13:] == chain for frames in inside
        )
        print(f"  {whole} of {len(inside)} with the whole chain")
        self.assertGreaterEqual(whole, REACHED * len(inside))
        self.assertGreater(len(inside), RATE)

    def test_exceptions_of_cpp(self):
        program = self.scratch / "throws"
        subprocess.run(["c++", "-O2", "-fomit-frame-pointer", "-o", program, HERE / "throws.cc"], check=True)
        samples = self.walked(self.samples(self.run_whole(program)), THROWN)
        # Whatever the libraries do for it: inside the function that throws, called by itself five times.
        # The last one is in the part that the compiler has moved away from the function.
        stacks = [s["user"].replace(" [clone .cold]", "").split(";") for s in samples]
        thrown = [frames for frames in stacks if "_Unwind_RaiseException" in frames]
        chain = ["main", *["deeper(int)"] * 6]
        whole = sum(frames[0] == "_start" and frames[frames.index("main") :][:7] == chain for frames in thrown)
        print(f"  {whole} of {len(thrown)} with the whole chain")
        self.assertGreater(len(thrown), 20)
        self.assertGreaterEqual(whole, THROWN * len(thrown))

    def test_python_of_the_distribution(self):
        code = (
            "import json, threading\n"
            "def work():\n    while True: json.dumps([{'a': i} for i in range(200)])\n"
            "threading.Thread(target=work, daemon=True).start()\nwork()\n"
        )
        server = self.start(["/usr/bin/python3", "-c", code])
        with self.record("--sample", RATE, "-p", server.pid) as recording:
            self.wait(SECONDS)
        samples = self.walked(self.samples(recording))
        main = [s for s in samples if s["tid"] == server.pid]
        of_thread = [s for s in samples if s["tid"] != server.pid]
        self.assertTrue(main and of_thread)
        for each, by in (main, "Py_RunMain"), (of_thread, "_PyFunction_Vectorcall"):
            reached = [s for s in each if s["end"] == "start"]
            self.assertGreaterEqual(sum(by in s["user"].split(";") for s in reached), REACHED * len(reached))

    def test_nginx_of_the_distribution(self):
        pid, url = self.server()
        done = threading.Event()

        def ask():
            while not done.is_set():
                urllib.request.urlopen(f"{url}/page").read()

        with self.record("--sample", RATE, "--stacks", "-p", pid) as recording:
            clients = [threading.Thread(target=ask) for _ in range(4)]
            for client in clients:
                client.start()
            self.wait(SECONDS)
            done.set()
            for client in clients:
                client.join()
        for kind in "on_cpu", "off_cpu":
            samples = self.walked(self.samples(recording, kind))
            for sample in samples:
                if sample["end"] == "start":
                    self.assertIn("main;ngx_single_process_cycle", sample["user"])

    def wait(self, seconds):
        threading.Event().wait(seconds)


if __name__ == "__main__":
    harness.main()
