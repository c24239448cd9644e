"""Flame graphs of a real service: the slow requests' function, and no other, is what they have more of."""
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import time

import harness
from harness import Case, answers, free_port, wait_until

HERE = pathlib.Path(__file__).resolve().parent
REQUESTS = 600
SELDOM = 15  # flame.go: one request in 15 does more


class Flame(Case):
    def folded(self, recording, *arguments):
        """(frames, numbers) of every stack."""
        lines = self.tailcap("flame", recording.file, "--format", "folded", *arguments).splitlines()
        columns = 2 if "diff" in arguments else 1
        parts = [line.rsplit(" ", columns) for line in lines]
        return [(p[0].split(";"), [int(n) for n in p[1:]]) for p in parts]

    def spent(self, stacks, function, column=-1):
        return sum(numbers[column] for frames, numbers in stacks if function in frames)

    def test_slow_requests_against_typical_ones(self):
        program = self.scratch / "flame-go"
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "0"}
        subprocess.run(["go", "build", "-o", program, HERE / "flame.go"], check=True, timeout=300, env=environment)
        port = free_port()
        server = self.start([program, port])
        wait_until(lambda: answers(("127.0.0.1", port)), "the Go server")
        with self.record("-p", server.pid, "--sample", 999) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            took = []
            for _ in range(REQUESTS):
                began = time.monotonic()
                connection.request("GET", "/cart")
                connection.getresponse().read()
                took.append(time.monotonic() - began)
            connection.close()
        whole = self.folded(recording)
        seldom, always = self.spent(whole, "main.seldom"), self.spent(whole, "main.always")
        print(f"  all: {always} samples in what every request does, {seldom} in what one in fifteen does")
        self.assertGreater(seldom, 100)
        served = self.folded(recording, "--route", "/cart")
        for function, count in (("main.seldom", seldom), ("main.always", always)):
            self.assertGreaterEqual(self.spent(served, function), 0.98 * count, function)
            self.assertLessEqual(self.spent(served, function), count)
        compared = self.folded(recording, "--route", "/cart", "--cohort", "diff")
        slow, typical = self.spent(compared, "main.seldom", 1), self.spent(compared, "main.seldom", 0)
        print(
            f"  slow: {slow} samples in it, typical {typical}; always: {self.spent(compared, 'main.always', 1)}, {self.spent(compared, 'main.always', 0)}"
        )
        self.assertGreater(slow, 20 * max(typical, 10))
        self.assertEqual(self.spent(self.folded(recording, "--cohort", "typical"), "main.seldom"), 0)
        graph = json.loads(self.tailcap("flame", recording.file, "--cohort", "diff", "--json"))
        # Those that do what one in fifteen does, and of the others those that the machine held up.
        typical_time = statistics.median(took)
        held_up = sum(t > 2 * typical_time for n, t in enumerate(took, 1) if n % SELDOM)
        self.assertIn(graph["requests"], range(REQUESTS // SELDOM, REQUESTS // SELDOM + held_up + 1))
        output = self.scratch / "flame.svg"
        self.tailcap("flame", recording.file, "--route", "/cart", "--cohort", "diff", "-o", output)
        self.tailcap("flame", recording.file, "-o", self.scratch / "all.svg")
        self.tailcap("flame", recording.file, "--measure", "off-cpu", "-o", self.scratch / "off.svg")
        self.assertIn("<title>main.seldom (", output.read_text())
        keep = os.environ.get("KEEP_FLAMES")
        if keep:
            for file in (recording.file, *self.scratch.glob("*.svg")):
                pathlib.Path(keep, file.name).write_bytes(file.read_bytes())


if __name__ == "__main__":
    harness.main()
