"""A recorder in memory under steady load, with `tailcap watch` beside it: its memory, descriptors and files do not grow.

TAILCAP_SOAK is how long, in seconds (60); an hour is `TAILCAP_SOAK=3600 tests/e2e/soak_test.py --build build/release`."""
import os
import pathlib
import signal
import subprocess
import time

import harness
from harness import Case, Recording, free_port, wait_until

SECONDS = int(os.environ.get("TAILCAP_SOAK", "60"))
RATE = os.environ.get("TAILCAP_SOAK_RATE", "500")


class Soak(Case):
    def sizes(self, pid):
        """Resident KiB, descriptors, and bytes on the disk."""
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0])
        files = sum(f.stat().st_size for f in self.scratch.glob("flight*") if f.is_file())
        return resident, len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())), files

    def test_nothing_grows(self):
        port = free_port()
        # Without logs: those of an hour would be gigabytes.
        service = self.start(
            [harness.BUILD / "samples/tailcap-sample-service", "--port", port], stdout=subprocess.DEVNULL
        )
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the sample service")
        recording = Recording(self.scratch / "flight.tcap", ["-p", service.pid, "--last", "5s"])
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        said = open(self.scratch / "watch.log", "wb")
        self.addCleanup(said.close)
        watch = subprocess.Popen(
            [
                harness.BUILD / "analyze/tailcap",
                "watch",
                recording.file,
                "-w",
                "status >= 500",
                "--every",
                "2s",
                "--cooldown",
                "1s",
                "--most",
                "1000000",
            ],
            stdout=said,
            stderr=said,
        )
        self.addCleanup(self.end, watch, signal.SIGKILL)
        # Each connection serves some requests and is replaced: what is kept of a closed one must go, too.
        load = subprocess.Popen(
            [
                str(c)
                for c in (
                    harness.BUILD / "samples/tailcap-load",
                    f"http://127.0.0.1:{port}",
                    "--rate",
                    RATE,
                    "-c",
                    "8",
                    "--per-connection",
                    "20",
                    "-d",
                    SECONDS,
                    "--route",
                    "9 GET /search",
                    "--route",
                    "1 GET /cart/7",
                )
            ],
            stdout=subprocess.DEVNULL,
        )
        self.addCleanup(self.end, load, signal.SIGKILL)
        sizes = []
        while load.poll() is None:
            time.sleep(0.5)
            sizes.append((self.sizes(recording.process.pid), self.sizes(watch.pid)))
        self.assertEqual(load.returncode, 0)
        self.assertIsNone(watch.poll(), (self.scratch / "watch.log").read_text())
        self.assertEqual(recording.stop(), 0, recording.said)
        self.assertIn("lost: nothing", recording.said)
        self.assertGreater(len(sizes), SECONDS, "every half second")
        third = len(sizes) // 3
        for name, who in (("the recorder", 0), ("watch", 1)):
            # A snapshot that is being written is on the disk for a moment.
            for what, unit, slack, more in (
                (0, "KiB resident", 1.1, 1),
                (1, "descriptors", 1.1, 1),
                (2, "bytes on the disk", 1.5, 2**20),
            ):
                middle, last = ([s[who][what] for s in part] for part in (sizes[third : 2 * third], sizes[2 * third :]))
                print(f"  {name}: {max(middle):,} {unit} in the second third of the time, {max(last):,} in the last")
                self.assertLessEqual(max(last), max(middle) * slack + more, f"{unit} of {name} grow")


if __name__ == "__main__":
    harness.main()
