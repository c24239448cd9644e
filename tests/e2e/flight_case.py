"""The sample service with a recorder, and `tailcap watch` beside a recorder."""
import signal
import subprocess

import harness
from harness import Case, Recording, free_port


class FlightCase(Case):
    def begin(self, *arguments, name="flight.tcap"):
        """A recorder of the sample service that says when it records."""
        port = free_port()
        self.service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{port}"
        recording = Recording(self.scratch / name, ["-p", self.service.pid, *arguments])
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        return recording

    def watch_beside(self, recording, *arguments):
        """What it says stands in said(), behind what an earlier one of the same test said."""
        said = open(self.scratch / "watch.log", "ab")
        self.addCleanup(said.close)
        process = subprocess.Popen(
            [harness.BUILD / "analyze/tailcap", "watch", recording.file, *arguments], stdout=said, stderr=said
        )
        self.addCleanup(self.end, process, signal.SIGKILL)
        return process

    def said(self):
        return (self.scratch / "watch.log").read_text()
