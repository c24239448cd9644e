"""A recorder gets another configuration while it records: a service is added under load, nothing is lost, and a file that it rejects changes nothing."""
import http.client
import json
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
            self.assertIn("only be added", self.control(recording, f"pid = {nginx.pid}\nkeep-keys = true\n", 2))
            running.join()
        self.assert_whole(recording)
        self.assertEqual(len(self.paths(recording, port)), logged() - before)
        self.assertEqual(
            self.paths(recording, other_port), [f"/{kind}/{n}" for kind in ("older", "younger") for n in range(50)]
        )
        notes = [json.loads(e) for e in self.tailcap("events", recording.file, "--kind", "note", "--json").splitlines()]
        epochs = [e["value"] for e in notes if e["key"] == "tailcap.reload"]
        self.assertEqual(epochs, [f"2: it also records process {other}; noted: deploy=v2"])

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
