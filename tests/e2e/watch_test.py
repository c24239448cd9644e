"""`tailcap watch` beside a recorder in memory, against what the service itself logged."""
import http.client
import json
import subprocess
import threading
import time

import harness
from flight_case import FlightCase
from harness import Recording, json_lines, wait_until


class Watch(FlightCase):
    def setUp(self):
        super().setUp()
        self.service, self.port, self.log = self.labels_service("threads", 0)
        self.recording = Recording(self.scratch / "flight.tcap", ["-p", self.service.pid, "--last", "60s"])
        self.addCleanup(self.abandon, self.recording)
        self.recording.wait_said()

    def ask(self, what, ms, served):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", f"/{what}/{ms}/{served}")
        try:
            connection.getresponse().read()
        except (http.client.HTTPException, OSError):
            pass  # the service has ended
        connection.close()

    def watch(self, *arguments, every=("--every", "1s")):
        return self.watch_beside(self.recording, *every, *arguments)

    def snapshots(self):
        return sorted(self.scratch.glob("flight-*.tcap"))

    def test_a_slow_request(self):
        process = self.watch("-w", 'duration > 300ms && path contains "/sleep"', "--cooldown", "60s", "--most", "1")
        for i in range(20):
            self.ask("sleep", 2, i)
        time.sleep(2.5)
        self.assertEqual(self.snapshots(), [], self.said())
        self.ask("sleep", 400, "culprit")
        self.assertEqual(process.wait(timeout=90), 0, self.said())
        self.assertEqual(len(self.snapshots()), 1, self.said())
        self.assertIn("GET /sleep/400/culprit took", self.said())
        took = next(t["took"] for t in json_lines(self.log.read_text()) if t["id"] == "culprit")
        rows = json_lines(self.tailcap("requests", self.snapshots()[0], "--json"))
        self.assertEqual(len(rows), 21, "all that was in memory")
        slow = [r for r in rows if r["path"] == "/sleep/400/culprit"]
        self.assertEqual(len(slow), 1)
        self.assertGreaterEqual(slow[0]["duration_ns"], took)
        self.assertIn(
            "tailcap watch: GET /sleep/400/culprit",
            " ".join(self.tailcap("report", self.snapshots()[0], "--full").split()),
        )
        self.assertFalse((self.scratch / "flight.tcap.watch").exists())
        self.assertEqual(self.recording.stop(), 0, self.recording.said)

    def test_a_request_without_an_answer(self):
        process = self.watch("--unanswered", "2s", "--most", "1", "--look-back", "10s")
        self.ask("sleep", 2, 1)
        client = threading.Thread(target=self.ask, args=("sleep", 60000, "hung"), daemon=True)
        client.start()
        self.assertEqual(process.wait(timeout=60), 0, self.said())
        self.assertIn("GET /sleep/60000/hung had no answer after", self.said())
        first = json.loads(self.tailcap("report", self.snapshots()[0], "--json"))["verdicts"][0]
        self.assertEqual(first["kind"], "unfinished")
        self.end(self.service)
        client.join(timeout=60)

    def test_the_conditions_of_a_policy(self):
        policy = self.scratch / "policy.yaml"
        policy.write_text(
            "every: 1s\nconditions:\n- {name: sleepy, where: 'path contains \"/sleep\"', at_least: {p50: 200ms, count: 3}, over: 3s}\n"
        )
        process = self.watch("--conditions", policy, "--most", "1", every=())
        for i in range(20):
            self.ask("sleep", 2, i)
        time.sleep(4.5)
        self.assertEqual(self.snapshots(), [], self.said())
        for i in range(4):
            self.ask("sleep", 300, i)
        self.assertEqual(process.wait(timeout=90), 0, self.said())
        self.assertRegex(self.said(), r"sleepy: p50 3\d\d ms, count [34]")
        # The replay over the snapshot says the same.
        replayed = json.loads(self.tailcap("policy", self.snapshots()[0], policy, "--json"))["conditions"][0]["firings"]
        self.assertEqual(len(replayed), 1)
        self.assertEqual([limit["name"] for limit in replayed[0]["limits"]], ["p50", "count"])
        self.assertGreaterEqual(replayed[0]["limits"][0]["value"], 300e6)
        self.assertEqual(self.recording.stop(), 0, self.recording.said)

    def test_it_ends_with_the_recorder(self):
        process = self.watch("-w", "status >= 500")
        self.ask("sleep", 2, 1)
        time.sleep(1.5)
        self.assertEqual(self.recording.stop(), 0, self.recording.said)
        self.assertEqual(process.wait(timeout=60), 0, self.said())
        self.assertIn("the recorder has ended", self.said())
        self.assertEqual(self.snapshots(), [])
        self.assertEqual(self.watch("-w", "status >= 500").wait(timeout=60), 1, "there is no recorder")

    def test_an_order_of_the_wrong_form(self):
        for order in ("x.tcap\nlast=soon", "x.tcap\nwhy=" + "w" * 300, "x.tcap\nother=1"):
            done = subprocess.run(
                [harness.BUILD / "analyze/tailcap", "control", self.recording.file, "snapshot", order],
                capture_output=True,
                text=True,
                timeout=30,
            )
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        time.sleep(0.2)
        self.assertEqual(self.recording.stop(), 0, self.recording.said)


if __name__ == "__main__":
    harness.main()
