"""Targets that start, fork, exec and end while they are recorded."""
import json
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


# Two workers that the master forked before it is recorded; a request sleeps for 5 ms.
PRE_FORK = r"""
import http.server, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        time.sleep(0.005)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"ok")
    do_POST = do_GET
    def log_message(self, *arguments):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
for _ in range(2):
    if os.fork() == 0:
        server.serve_forever()
while True:
    time.sleep(60)
"""


class Processes(Case):
    BY_OTHER_NAMES = True

    def test_command_after_two_dashes(self):
        port = free_port()
        recording = Recording(
            self.scratch / "command.tcap", ["--", harness.BUILD / "samples/tailcap-sample-service", "--port", port]
        )
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
        recording = Recording(
            self.scratch / "command.tcap",
            ["--", self.named("curl"), "-s", "-H", "x-request-id: one", f"http://127.0.0.1:{port}/cart/1"],
        )
        self.assertEqual(recording.wait_end(), 0, recording.said)
        rows = self.requests(recording)
        self.assertEqual(
            [(r["x_request_id"], r["role"], r["comm"], r["status"]) for r in rows],
            [("one", "client", self.named("curl").name, 200)],
        )

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
        self.assertEqual([r["x_request_id"] for r in rows], ["1", "2", "3"])
        self.assertEqual({r["comm"] for r in rows}, {self.named("curl").name})

    def test_workers_that_ran_before(self):
        port = free_port()
        master = self.start([sys.executable, "-c", PRE_FORK, port], stdout=subprocess.DEVNULL)
        wait_until(lambda: len(children_of(master.pid)) == 2 and harness.answers(("127.0.0.1", port)), "the workers")
        workers = set(children_of(master.pid))
        self.addCleanup(lambda: [os.kill(worker, signal.SIGKILL) for worker in workers])
        with self.record("-p", master.pid) as recording:
            truth = self.load(f"http://127.0.0.1:{port}", "-n", "40", "--route", "1 GET /a")
        rows = self.requests(recording, role="server")
        self.assert_same(truth, rows)
        self.assertLessEqual({row["pid"] for row in rows}, workers)
        for row in rows:
            self.assertGreater(
                sum(part["ns"] for part in row["labels"] if part["label"] == "timer.sleep"), 4_000_000, row
            )

    def test_several_pids(self):
        ports = [free_port() for _ in range(3)]
        services = [self.sample_service("--port", port, ready=("127.0.0.1", port)) for port in ports]
        gone = subprocess.Popen(["true"])
        gone.wait()
        pids = [service.pid for service in services]
        with self.record("-p", f"{pids[0]},{gone.pid}", pids[1], "-p", pids[2]) as recording:
            truth = [
                one for port in ports for one in self.load(f"http://127.0.0.1:{port}", "-n", "7", "--id", f"{port}-")
            ]
        self.assert_same(truth, self.requests(recording))
        self.assertIn(f"there is no process {gone.pid}: the others are recorded", recording.said)

    def test_main_thread_ends(self):
        port = free_port()
        service = self.start([harness.BUILD / "tests/e2e/main-ends", port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the server")
        with self.record("-p", service.pid) as recording:
            truth = self.load(
                f"http://127.0.0.1:{port}", "-n", "20", "--id", "before-", "-c", "1", "--route", "1 GET /a"
            )
            self.load(f"http://127.0.0.1:{port}", "-n", "1", "--id", "leave-", "--route", "1 GET /leave")
            wait_until(
                lambda: pathlib.Path(f"/proc/{service.pid}/stat").read_text().split(")")[1].split()[0] == "Z",
                "the end of main()",
            )
            time.sleep(0.5)
            truth += self.load(
                f"http://127.0.0.1:{port}", "-n", "20", "--id", "after-", "-c", "1", "--route", "1 GET /a"
            )
        rows = [row for row in self.requests(recording, role="server") if row["path"] != "/leave"]
        self.assert_same(truth, rows)
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        self.assertEqual(report.get("incidents", []), [])

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
        server = self.start(
            [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", self.scratch],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "python's server")
        with self.record("-p", server.pid) as recording:
            truth = self.load(
                f"http://127.0.0.1:{port}",
                "-c",
                "2",
                "-n",
                "59",
                "--route",
                "2 GET /file",
                "--route",
                "1 GET /none",
                "--route",
                "1 HEAD /file",
            )
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
        members = self.start(
            [
                "sh",
                "-c",
                f"echo $$ > {group}/cgroup.procs; exec {harness.BUILD}/samples/tailcap-sample-service --port {inside}",
            ],
            stdout=subprocess.DEVNULL,
        )
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
