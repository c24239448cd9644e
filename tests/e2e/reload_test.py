"""A recorder gets another configuration while it records: services come and go under load, nothing is lost, and a file that it rejects changes nothing."""
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

import harness
from harness import OK_SERVER, Case, answers, free_port, wait_until

RATE, CLIENTS = 2000, 10  # requests a second


class Reload(Case):
    def serve(self):
        port = free_port()
        service = self.start([sys.executable, "-c", OK_SERVER, "127.0.0.1", port])
        wait_until(lambda: answers(("127.0.0.1", port)), "the service")
        return service.pid, port

    def ask(self, connection, path):
        connection.request("GET", path)
        self.assertEqual(connection.getresponse().read(), b"ok")

    def control(self, recording, text, code):
        file = self.scratch / "next.toml"
        file.write_text(text)
        command = [harness.BUILD / "capture/tailcap-record", "control", recording.file, "reload", file]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def paths(self, recording, port):
        rows = [r for r in self.requests(recording, role="server") if r["local"].endswith(f":{port}")]
        return [row["path"] for row in sorted(rows, key=lambda r: r["start_ns"])]

    def test_a_service_is_added(self):
        root = self.scratch / "nginx"
        root.mkdir()
        (root / "index.html").write_text("ok")
        port = free_port()
        config = self.scratch / "nginx.conf"
        config.write_text(
            f"daemon off; worker_processes 1; pid {root}/pid; error_log stderr crit; events {{ }}\n"
            f"http {{ access_log {self.scratch}/access.log; keepalive_requests 1000000;\n"
            f"server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n"
        )
        nginx = self.start(["nginx", "-c", config, "-p", root])
        wait_until(lambda: answers(("127.0.0.1", port)), "nginx")
        other, other_port = self.serve()
        older = http.client.HTTPConnection("127.0.0.1", other_port, timeout=60)
        self.ask(older, "/before")
        logged = lambda: len((self.scratch / "access.log").read_text().splitlines())
        first = self.scratch / "first.toml"
        first.write_text(f"# of nginx alone\npid = {nginx.pid}\nkeep-keys = true\n")
        same = f"pid = [{nginx.pid}, {other}]\nkeep-keys = true\n"
        load = ["h2load", "--h1", "-c", CLIENTS, "--rps", RATE // CLIENTS, "-D", "4", f"http://127.0.0.1:{port}/"]
        with self.record("--config", first) as recording:
            before = logged()
            running = threading.Thread(target=subprocess.run, args=([str(w) for w in load],), kwargs=dict(stdout=-3))
            running.start()
            time.sleep(1)
            self.ask(older, "/unrecorded")
            self.assertIn("payload is fixed", self.control(recording, same + "payload = 64\n", 2))
            self.assertIn("line 1: 'pidd' is no option", self.control(recording, "pidd = 3\n", 2))
            self.assertIn(
                "there is no process 4000000",
                self.control(recording, f"pid = [{nginx.pid}, 4000000]\nkeep-keys = true\n", 1),
            )
            self.ask(older, "/unrecorded")
            said = self.control(recording, same + 'note = "deploy=v2"\n', 0)
            self.assertEqual(said, f"it also records process {other}; noted: deploy=v2\n")
            for n in range(50):
                self.ask(older, f"/older/{n}")
            younger = http.client.HTTPConnection("127.0.0.1", other_port, timeout=60)
            for n in range(50):
                self.ask(younger, f"/younger/{n}")
            self.assertIn("it has noted deploy=v2, and a note cannot be taken away", self.control(recording, same, 2))
            running.join()
        self.assert_whole(recording)
        self.assertEqual(len(self.paths(recording, port)), logged() - before)
        self.assertEqual(
            self.paths(recording, other_port), [f"/{kind}/{n}" for kind in ("older", "younger") for n in range(50)]
        )
        notes = [json.loads(e) for e in self.tailcap("events", recording.file, "--kind", "note", "--json").splitlines()]
        epochs = [e["value"] for e in notes if e["key"] == "tailcap.reload"]
        self.assertEqual(epochs, [f"2: it also records process {other}; noted: deploy=v2"])

    def test_a_service_is_taken_away(self):
        """One of two services under load ends to be recorded: its requests until then, and all of the other, are there. It can come again."""
        (one, one_port), (two, two_port) = self.serve(), self.serve()
        both, only = f"pid = [{one}, {two}]\n", f"pid = {one}\n"
        first = self.scratch / "first.toml"
        first.write_text(both)
        sent, under_way, over = {one_port: [], two_port: []}, threading.Event(), threading.Event()

        def load(port):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            n = 0
            while not over.is_set():
                began = time.monotonic_ns()
                self.ask(connection, f"/{n}")
                sent[port].append((f"/{n}", began, time.monotonic_ns()))
                n += 1
                time.sleep(0.002)

        with self.record("--config", first) as recording:
            idle = http.client.HTTPConnection("127.0.0.1", two_port, timeout=60)
            self.ask(idle, "/idle/before")
            threads = [threading.Thread(target=load, args=(port,)) for port in sent]
            for thread in threads:
                thread.start()
            time.sleep(1)
            self.assertIn("payload is fixed", self.control(recording, only + "payload = 64\n", 2))
            self.assertIn("stacks is fixed", self.control(recording, only + 'stacks = "all"\n', 2))
            asked = time.monotonic_ns()
            said = self.control(recording, only, 0)
            done = time.monotonic_ns()
            self.assertEqual(said, f"it no longer records process {two} (process {two})\n")
            time.sleep(1)
            for n in range(5):
                self.ask(http.client.HTTPConnection("127.0.0.1", two_port, timeout=60), f"/new/{n}")
            self.ask(idle, "/idle/after")
            again = time.monotonic_ns()
            self.assertEqual(self.control(recording, both, 0), f"it also records process {two}\n")
            back = time.monotonic_ns()
            time.sleep(1)
            for n in range(5):
                self.ask(idle, f"/idle/again/{n}")
            over.set()
            for thread in threads:
                thread.join()
        self.assert_whole(recording)
        rows = self.requests(recording, role="server")
        of = lambda port: {r["path"]: r for r in rows if r["local"].endswith(f":{port}")}
        self.assertEqual(set(of(one_port)), {path for path, _, _ in sent[one_port]}, "of the service that stayed")
        seen = of(two_port)
        recorded = {p for p, began, ended in sent[two_port] if ended < asked or began > back}
        unrecorded = {p for p, began, ended in sent[two_port] if began > done and ended < again}
        self.assertGreater(len(unrecorded), 10)
        self.assertEqual(recorded - set(seen), set(), "of the other, while it was recorded")
        self.assertEqual(unrecorded & set(seen), set(), "of the other, while it was not")
        self.assertEqual([p for p in seen if p.startswith("/new/")], [])
        self.assertEqual(
            sorted(p for p in seen if p.startswith("/idle/")),
            ["/idle/again/0", "/idle/again/1", "/idle/again/2", "/idle/again/3", "/idle/again/4", "/idle/before"],
        )
        # What was under way then ends without being lost, or is not there; nothing else is flagged.
        flagged = {p: r["tainted"] for p, r in seen.items() if "left_out" in r["tainted"]}
        self.assertLessEqual(len(flagged), 1, flagged)
        notes = [json.loads(e) for e in self.tailcap("events", recording.file, "--kind", "note", "--json").splitlines()]
        self.assertEqual(
            [e["value"] for e in notes if e["key"] == "tailcap.reload"],
            [f"2: it no longer records process {two} (process {two})", f"3: it also records process {two}"],
        )

    def test_a_request_under_way(self):
        """It has no end, because its process is no longer a target: that is said, and no event counts as lost."""
        slow, port, _ = self.labels_service("threads", 0)
        other, other_port = self.serve()
        first = self.scratch / "first.toml"
        first.write_text(f"pid = [{slow.pid}, {other}]\n")
        with self.record("--config", first) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/sleep/1500/1")
            time.sleep(0.7)
            self.control(recording, f"pid = {other}\n", 0)
            self.assertEqual(connection.getresponse().status, 200)
            self.ask(http.client.HTTPConnection("127.0.0.1", other_port, timeout=60), "/other")
        self.assert_whole(recording)
        rows = [r for r in self.requests(recording, role="server") if r["path"].startswith("/sleep/")]
        self.assertEqual([(r["path"], r["duration_ns"]) for r in rows], [("/sleep/1500/1", None)])
        self.assertEqual(
            rows[0]["tainted"], ["cut_off", "left_out"], "its end is not there, and nothing counts as lost"
        )
        self.assertIn("no longer a target", " ".join(self.tailcap("show", recording.file, rows[0]["id"]).split()))

    def test_children_and_stacks(self):
        """What is below a process that is taken away ends, too, but not what is chosen itself; stacks are switched."""
        port = free_port()
        fork = (
            "import os, sys, time, http.server\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    sys.argv = sys.argv[1:]\n"
            "    exec(open(sys.argv[0]).read())\n"
            "os.waitpid(pid, 0)\n"
        )
        program = self.scratch / "serve.py"
        program.write_text(OK_SERVER)
        parent = self.start([sys.executable, "-c", fork, program, "127.0.0.1", port])
        wait_until(lambda: answers(("127.0.0.1", port)), "the service")
        child = harness.child_of(parent.pid)
        self.addCleanup(os.kill, child, signal.SIGKILL)
        other, other_port = self.serve()
        first = self.scratch / "first.toml"
        first.write_text(f'pid = [{parent.pid}, {other}]\nstacks = "off"\n')
        with self.record("--config", first) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            self.ask(connection, "/of/the/parent")
            # The child is chosen itself: it stays when its parent goes.
            said = self.control(recording, f'pid = [{child}, {other}]\nstacks = "on"\n', 0)
            self.assertIn(f"it no longer records process {parent.pid} (process {parent.pid})", said)
            self.assertIn("stacks are on", said)
            self.ask(connection, "/of/the/child")
            said = self.control(recording, f'pid = {other}\nstacks = "on"\n', 0)
            self.assertEqual(said, f"it no longer records process {child} (process {child})\n")
            self.ask(connection, "/unrecorded")
            self.ask(http.client.HTTPConnection("127.0.0.1", other_port, timeout=60), "/other")
            self.assertIn("no target", self.control(recording, 'stacks = "on"\n', 2))
        self.assert_whole(recording)
        self.assertEqual(self.paths(recording, port), ["/of/the/parent", "/of/the/child"])
        self.assertEqual(self.paths(recording, other_port), ["/other"])

    def test_a_configuration_that_is_wrong(self):
        file = self.scratch / "wrong.toml"
        file.write_text("all = true\nduration = [1, 2]\n")
        command = [harness.BUILD / "capture/tailcap-record", "--config", file, "-o", self.scratch / "none.tcap"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("wrong.toml, line 2: 'duration' has one value", done.stderr)
        self.assertFalse((self.scratch / "none.tcap").exists())


if __name__ == "__main__":
    harness.main()
