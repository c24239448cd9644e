"""Requests that have no answer when the recording ends: the report begins with them and says what they wait for."""
import http.client
import json
import threading
import time

import harness
from harness import Case, json_lines

HUNG, WAITED = 4, 1.5  # requests, seconds


class Hang(Case):
    def ask(self, port, what, ms, served):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", f"/{what}/{ms}/{served}")
        try:
            connection.getresponse().read()
        except (http.client.HTTPException, OSError):
            pass  # the service has ended
        connection.close()

    def hung(self, kind, what):
        """The report of a service of this kind, of which some requests have an answer and the last ones, later, have not."""
        behind, other, _ = self.labels_service("threads", 0)
        process, port, log = self.labels_service(kind, other)
        with self.record("-p", process.pid, "-p", behind.pid) as recording:
            for i in range(30):
                self.ask(port, what, 1, 100 + i)
            answered = len(json_lines(log.read_text()))
            clients = [
                threading.Thread(target=self.ask, args=(port, what, 8000, 9000 + i), daemon=True) for i in range(HUNG)
            ]
            for client in clients:
                client.start()
            time.sleep(WAITED)
        # The truth: the service finished none of them, and had no reason to log anything.
        self.assertEqual(len([t for t in json_lines(log.read_text()) if not t["id"].startswith("9")]), answered)
        self.end(process)
        self.end(behind)
        for client in clients:
            client.join(timeout=10)
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        first = report["verdicts"][0]
        self.assertEqual(first["kind"], "unfinished", report["verdicts"])
        self.assertEqual(first["level"], "severe")
        self.assertGreaterEqual(first["oldest_ns"], WAITED * 1e9)
        return first, self.tailcap("report", recording.file, "--brief")

    def test_a_lock_that_nobody_releases(self):
        # The first has the lock and sleeps, the others wait for it. All are of one route.
        first, text = self.hung("threads", "lock")
        self.assertEqual(first["requests"], HUNG)
        parts = {p["label"]: p["slow_ns"] for p in first["parts"]}
        self.assertEqual(max(parts, key=parts.get), "lock.futex")
        self.assertGreater(parts["lock.futex"], 0.6 * WAITED * 1e9)
        self.assertIn("4 requests had no answer when the recording ended", text)

    def test_a_service_that_does_not_answer(self):
        first, text = self.hung("threads", "down")
        self.assertEqual(first["requests"], HUNG)
        part = first["parts"][0]
        self.assertEqual(part["label"], "down.wait")
        self.assertEqual([s["label"] for s in part["chain"]], ["timer.sleep"])
        self.assertGreater(part["slow_ns"], 0.9 * WAITED * 1e9)
        self.assertIn("no answer when the recording ended", text)

    def test_on_an_event_loop(self):
        first, _ = self.hung("loop", "down")
        self.assertEqual(first["requests"], HUNG)
        part = first["parts"][0]
        self.assertEqual(part["label"], "down.wait")
        # Where the loop made several calls at once, it is not known which of them is whose, nor what the callee does for it.
        self.assertIn(
            [s["label"] for s in part["chain"]], ([], ["timer.sleep"]) if part["inferred"] else (["timer.sleep"],)
        )

    def test_requests_that_end_are_none(self):
        behind, other, _ = self.labels_service("threads", 0)
        process, port, _ = self.labels_service("threads", other)
        with self.record("-p", process.pid, "-p", behind.pid) as recording:
            for i in range(30):
                self.ask(port, "down", 1, i)
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        self.assertNotIn("unfinished", [v["kind"] for v in report["verdicts"]])


if __name__ == "__main__":
    harness.main()
