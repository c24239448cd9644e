"""tailcap-inject at work, and what arrived held against what was sent."""
import json
import os
import re
import subprocess
import sys

import harness
from harness import ROOT, Case, answers, free_port, wait_until

ADDED = re.compile(
    rb"traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\r\nX-Request-Id: ([0-9a-f]{32})\r\n(?=\r\n)",
)
PEER = ROOT / "tests/e2e/inject_peer.py"


class InjectCase(Case):
    def inject(self, *arguments):
        """Returns the program when it touches new connections; `said()` ends it."""
        reading, writing = os.pipe()
        command = [harness.BUILD / "inject/tailcap-inject", *arguments, "--ready-fd", str(writing)]
        process = self.start(command, stderr=subprocess.PIPE, text=True, pass_fds=[writing])
        os.close(writing)
        self.assertEqual(os.read(reading, 1), b"")
        os.close(reading)
        self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else "")
        return process

    def end_of(self, process):
        """What it counted, by what it says."""
        process.send_signal(2)
        _, said = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, said)
        counts = {}
        for line in said.splitlines():
            found = re.match(r"(.*\S) {2,}([\d,]+)$", line)
            if found:
                counts[found[1]] = int(found[2].replace(",", ""))
        return counts

    def serve(self, *how):
        self.port, self.folder = free_port(), self.scratch / "bytes"
        self.folder.mkdir()
        self.start([sys.executable, PEER, "serve", str(self.port), self.folder, *how])
        wait_until(lambda: answers(("127.0.0.1", self.port)), "the server")

    def caller(self, *cases, rounds="once", nodelay=1):
        command = [sys.executable, PEER, "call", str(self.port), self.folder, rounds, *cases]
        return self.start(command, stdin=subprocess.PIPE, env=dict(os.environ, NODELAY=str(nodelay)))

    def go(self, caller, seconds=60):
        caller.stdin.write(b"\n")
        caller.stdin.close()
        self.assertEqual(caller.wait(timeout=seconds), 0)

    def connections(self, case):
        """(bytes sent, bytes received, which requests were to have ids) of each connection of a case."""
        for name, wanted in json.loads((self.folder / f"{case}.json").read_text()):
            whole = self.folder / f"{name}.whole"
            wait_until(whole.exists, f"the server's end of a connection of {case}")
            yield (self.folder / f"{name}.out").read_bytes(), whole.read_bytes(), wanted

    def assert_bytes(self, case):
        """Returns the ids that were added, in order, of all connections."""
        ids = []
        for sent, received, wanted in self.connections(case):
            self.assertTrue(ADDED.sub(b"", received) == sent, f"{case}: other bytes arrived than were sent")
            for found in ADDED.finditer(received):
                self.assertTrue(received[: found.start()].endswith(b"\r\n"), case)
                self.assertEqual(found[1], found[3])
                ids.append((found[1].decode(), found[2].decode()))
        self.assertEqual(len(set(ids)), len(ids), f"{case}: one id for two requests")
        return ids
