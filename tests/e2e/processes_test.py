"""Targets that start, fork, exec and end while they are recorded."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import harness
from harness import Case, Recording, free_port, wait_until


def children_of(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


class Processes(Case):
    BY_OTHER_NAMES = True

    def test_command_after_two_dashes(self):
        port = free_port()
        recording = Recording(self.scratch / "command.tcap", ["--", harness.BUILD / "samples/tailcap-sample-service", "--port", port])
        self.addCleanup(self.abandon, recording)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the command")
        truth = self.load(f"http://127.0.0.1:{port}", "-n", "41")
        for child in children_of(recording.process.pid):
            os.kill(child, signal.SIGTERM)
        self.assertEqual(recording.wait_end(), 0, recording.said)
        self.assert_same(truth, self.requests(recording, role="server"))

    def test_command_that_ends(self):
        port = free_port()
        self.sample_service("--port", port, ready=("127.0.0.1", port))
        recording = Recording(self.scratch / "command.tcap",
                              ["--", self.named("curl"), "-s", "-H", "x-request-id: one", f"http://127.0.0.1:{port}/cart/1"])
        self.assertEqual(recording.wait_end(), 0, recording.said)
        rows = self.requests(recording)
        self.assertEqual([(r["request_id"], r["role"], r["comm"], r["status"]) for r in rows], [("one", "client", self.named("curl").name, 200)])

    def test_command_that_cannot_start(self):
        recording = Recording(self.scratch / "command.tcap", ["--", "/nonexistent/program"])
        self.assertEqual(recording.wait_end(), 1)
        self.assertIn("/nonexistent/program", recording.said)

    def test_children_are_targets(self):
        port = free_port()
        self.sample_service("--port", port, ready=("127.0.0.1", port))
        script = f"read go; for i in 1 2 3; do {self.named('curl')} -s -H x-request-id:$i http://127.0.0.1:{port}/cart/$i; done"
        shell = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        with self.record("-p", shell.pid) as recording:
            shell.communicate(b"go\n", timeout=20)
            recording.wait_end()  # its target is gone
        rows = self.requests(recording)
        self.assertEqual([r["request_id"] for r in rows], ["1", "2", "3"])
        self.assertEqual({r["comm"] for r in rows}, {self.named("curl").name})

    def test_target_exits(self):
        port = free_port()
        service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        with self.record("-p", service.pid) as recording:
            truth = self.load(f"http://127.0.0.1:{port}", "-n", "37")
            self.end(service)
            recording.wait_end()
        self.assert_same(truth, self.requests(recording))

    def test_no_such_process(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        recording = Recording(self.scratch / "none.tcap", ["-p", gone.pid])
        self.assertEqual(recording.wait_end(), 1, recording.said)
        self.assertIn(str(gone.pid), recording.said)
        self.assertFalse(recording.file.exists())

    def test_python_http_server(self):
        port = free_port()
        (self.scratch / "file").write_bytes(b"f" * 100_003)
        server = self.start([sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", self.scratch],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "python's server")
        with self.record("-p", server.pid) as recording:
            truth = self.load(f"http://127.0.0.1:{port}", "-c", "2", "-n", "59", "--route", "2 GET /file", "--route",
                              "1 GET /none", "--route", "1 HEAD /file")
        self.assert_same(truth, self.requests(recording))

    def test_cgroup(self):
        # A cgroup v2 hierarchy, wherever this machine has it.
        lines = pathlib.Path("/proc/mounts").read_text().splitlines()
        mounts = [line.split()[1] for line in lines if line.split()[2] == "cgroup2"]
        self.assertTrue(mounts, "no cgroup2 is mounted")
        group = f"{mounts[0]}/tailcap-e2e-{time.monotonic_ns()}"
        subprocess.run(["mkdir", group], check=True)
        self.addCleanup(subprocess.run, ["rmdir", group])
        inside, outside = free_port(), free_port()
        members = self.start(["sh", "-c", f"echo $$ > {group}/cgroup.procs; exec {harness.BUILD}/samples/tailcap-sample-service --port {inside}"],
                             stdout=subprocess.DEVNULL)
        self.start([harness.BUILD / "samples/tailcap-sample-service", "--port", outside], stdout=subprocess.DEVNULL)
        for port in (inside, outside):
            wait_until(lambda port=port: harness.answers(("127.0.0.1", port)), "the services")
        with self.record("--cgroup", group) as recording:
            truth = self.load(f"http://127.0.0.1:{inside}", "-n", "31")
            self.load(f"http://127.0.0.1:{outside}", "-n", "29", "--id", "outside-")
        self.assert_same(truth, self.requests(recording))
        self.end(members)


if __name__ == "__main__":
    harness.main()
