"""TLS of a Go server by keys, and by probes where keys cannot: the cases of tls_auto_test, and a program that starts while
the recorder runs."""
import collections
import json
import os
import signal
import subprocess
import time

import harness
from harness import free_port, wait_until
from tls_auto_test import AutoCases
from tls_case import TlsCase

KINDS_BY_KEYS = ("gcm", "tls13")


class GoAuto(AutoCases, TlsCase):
    PROGRAMS = ("go_enter", "tls_return")
    FILE = "tls-auto"
    BLOCKS = 16

    def setUp(self):
        super().setUp()
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls_ways.go")
        self.peer, self.proxied = self.scratch / self.FILE, free_port()
        subprocess.run(
            ["go", "build", "-ldflags=-s -w", "-o", self.peer, source],
            check=True,
            timeout=100,
            env=dict(os.environ, GO111MODULE="off"),
        )
        self.begin()
        self.pids = []
        if "starts_later" not in self.id():
            self.pids = [self.serve().pid]

    def serve(self):
        # What it says of handshakes that failed is of no interest.
        server = self.start(
            [
                self.peer,
                "-certificate",
                self.certificate,
                "-key",
                self.key,
                "-h1",
                "-proxied",
                f"127.0.0.1:{self.proxied}",
                "serve",
                f"127.0.0.1:{self.port}",
                "/dev/null",
            ],
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        return server

    def test_a_program_that_starts_later(self):
        """Its first connections are older than its probes: those read them from then on, and go with them."""
        with self.record("--tls", "auto", "--comm", self.FILE, code=(0, 3)) as recording:
            wait_until(lambda: "recording " in recording.said, "the recorder")
            recording.process.send_signal(signal.SIGSTOP)
            try:
                self.serve()
                for kind in KINDS_BY_KEYS:
                    self.open(f"old-{kind}", kind)
                    self.ask(f"old-{kind}", note=False)
            finally:
                recording.process.send_signal(signal.SIGCONT)
            time.sleep(4)  # the probes come
            self.ask_first(*(f"old-{kind}" for kind in KINDS_BY_KEYS))
            for turn in range(10):
                for kind in KINDS_BY_KEYS:
                    self.ask(f"old-{kind}")
                for kind in KINDS_BY_KEYS:
                    self.open(f"new-{kind}-{turn}", kind)
                    self.ask(f"new-{kind}-{turn}")
                    self.ask(f"new-{kind}-{turn}")
            before = self.runs(recording)
            self.assertGreater(before["runs"], 30)
            for kind in KINDS_BY_KEYS:
                self.tell("close", f"old-{kind}")
            wait_until(
                lambda: self.runs(recording)["links"] <= before["links"] - 2,
                "the probes of reads and writes are removed",
                20,
            )
            after = self.runs(recording)
            for turn in range(10):
                self.ask(f"new-gcm-{turn}")
                self.ask(f"new-tls13-{turn}")
            self.assertEqual(self.runs(recording), after)
        found = self.found(recording)
        self.assertEqual([n for n, count in found.items() if count > 1], [])
        self.assertEqual(collections.Counter(self.asked) - found, collections.Counter())
        self.assertIn(
            "by keys and by probes: connections are older",
            self.tailcap("events", recording.file, "--json", "--kind", "note"),
        )
        self.assertRegex(recording.said, rf"(?m)TLS of .*{self.FILE}: by keys$")
        self.assertEqual(json.loads(self.tailcap("info", recording.file, "--json", code=(0, 3)))["lost"], 0)


if __name__ == "__main__":
    harness.main()
