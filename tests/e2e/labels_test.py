"""Labels of requests against what the services that served them injected: threads and an event loop, over real sockets."""
import contextlib
import http.client
import pathlib
import statistics
import sys
import threading

import harness
from harness import Case, json_lines

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))
from inject import groups  # noqa: E402


class Labels(Case):
    def ask(self, port, paths):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for path in paths:
            connection.request("GET", path)
            connection.getresponse().read()
        connection.close()

    def measured(self, kind, what, clients, ms=20, each=4):
        """(truth, row) of every request that the service logged."""
        behind, other, _ = self.labels_service("threads", 0)
        process, port, log = self.labels_service(kind, other)
        paths = [[f"/{what}/{ms}/{client}x{k}" for k in range(each)] for client in range(clients)]
        with self.record("-p", process.pid, "-p", behind.pid) as recording:
            threads = [threading.Thread(target=self.ask, args=(port, p)) for p in paths]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        rows = {
            r["path"].rsplit("/", 1)[1]: r for r in self.requests(recording, role="server") if f":{port}" in r["local"]
        }
        truth = json_lines(log.read_text())
        self.assertEqual(len(truth), clients * each)
        return [(t, rows[t["id"]]) for t in truth]

    def assert_injected(self, pairs):
        """On the median within a tenth or 2 ms, but for what the service cannot tell from it: that it queued for a CPU, or for
        its loop, after the event. And nothing unexplained."""
        off, unexplained, lost = [], 0, 0
        for truth, row in pairs:
            sums = {}
            for part in row["labels"]:
                sums[part["label"]] = sums.get(part["label"], 0) + part["ns"]
            unexplained += sums.get("unexplained.nocarrier", 0)
            # A wait that the kernel ran no program for makes what is around it unknown: nothing to compare.
            lost += sums.get("unexplained.lost", 0)
            if sums.get("unexplained.lost", 0) > 0:
                continue
            found = sums.get(truth["label"], 0)
            # Where a wake-up was not seen, it is not known how long it queued after it.
            queued = sum(ns for label, ns in sums.items() if label.startswith(("sched.", "q.", "unexplained.opaque")))
            off.append(max(found - truth["took"], truth["took"] - queued - found) - max(truth["took"] // 10, 2_000_000))
            if truth["took"] > 0.9 * row["duration_ns"] and queued < 0.2 * row["duration_ns"]:
                self.assertEqual(max(sums, key=sums.get), truth["label"], (truth, row))
        self.assertLessEqual(statistics.median(off), 0, pairs)
        everything = sum(row["duration_ns"] for _, row in pairs)
        self.assertLess(unexplained, 0.05 * everything)
        self.assertGreaterEqual(len(off), len(pairs) // 3)
        self.assertLess(lost, 0.4 * everything)

    def test_threads_sleep(self):
        self.assert_injected(self.measured("threads", "sleep", 3))

    def test_threads_spin(self):
        self.assert_injected(self.measured("threads", "spin", 1))

    def test_whose_quota_it_was(self):
        """A service in a group that may use 10 ms of every 100 computes for 40."""
        process, port, _ = self.labels_service("threads", 0)
        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(
                    groups.group("cpu", {"cpu.cfs_period_us": 100_000, "cpu.cfs_quota_us": 10_000})
                )
            except groups.NotHere as missing:
                self.skipTest(str(missing))
            groups.join(folder, process.pid)
            with self.record("-p", process.pid) as recording:
                self.ask(port, [f"/spin/40/q{n}" for n in range(3)])
        rows = [
            r
            for r in self.requests(recording, role="server")
            if any(p["label"] == "sched.throttled" and p["ns"] > 20_000_000 for p in r["labels"])
        ]
        self.assertGreater(len(rows), 0)
        for row in rows:
            culprits = [c["cgroup"] for c in row["culprits"] if c["label"] == "sched.throttled"]
            # Below the group that this runs in.
            self.assertEqual([c.pop("path").rpartition("/")[2] for c in culprits], [folder.name])
            self.assertEqual(
                culprits,
                [{"quota_ns": 10_000_000, "period_ns": 100_000_000, "container_id": None, "k8s_pod_uid": None}],
            )

    def test_threads_call(self):
        self.assert_injected(self.measured("threads", "down", 3))

    def test_threads_lock(self):
        pairs = self.measured("threads", "lock", 3, ms=10)
        self.assert_injected(pairs)
        # The lock holder was a request of the same service.
        ids = {row["id"] for _, row in pairs}
        culprits = [
            c
            for _, row in pairs
            for c in row["culprits"]
            if c["label"] == "lock.futex" and c["ns"] > 5_000_000 and not str(c["what"]).startswith("_PyRuntime+")
        ]  # the interpreter's own lock is handed over every 5 ms
        self.assertGreater(len(culprits), 0)
        self.assertEqual([c for c in culprits if c["request"] not in ids], [])

    def test_loop_sleep(self):
        self.assert_injected(self.measured("loop", "sleep", 2))

    def test_loop_spin(self):
        pairs = self.measured("loop", "spin", 3)
        self.assert_injected(pairs)
        # What is not its own turn is a neighbour's.
        waited = [c for _, row in pairs for c in row["culprits"] if c["label"] == "q.loop" and c["ns"] > 5_000_000]
        self.assertGreater(len(waited), 0, [(row["labels"], row["culprits"]) for _, row in pairs])

    def test_loop_call(self):
        # One at a time: of several whose calls are made in one turn nobody can tell whose is whose.
        self.assert_injected(self.measured("loop", "down", 1))


if __name__ == "__main__":
    harness.main()
