"""Allocations by malloc and its kind, against what a program counts of its own; and that only recorded processes have probes."""
import collections
import http.client
import os
import pathlib
import time

import harness
from harness import Case, free_port, json_lines, wait_until

EACH = 20  # of each kind, in a request
REQUESTS = 30


class Mallocs(Case):
    def start_server(self, **environment):
        self.port, self.other_port = free_port(), free_port()
        server = self.start(
            [harness.BUILD / "tests/e2e/mallocs", self.port, self.other_port], env={**os.environ, **environment}
        )
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the server")
        return server

    def ask(self, port, path, times=1):
        """The number of allocations that the server has counted."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(times):
            connection.request("GET", path)
            count = int(connection.getresponse().read())
        connection.close()
        return count

    def counted(self, recording):
        """By process: how many allocations of which sizes, and bytes."""
        counts = collections.Counter()
        for event in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "malloc_calls")):
            counts[event["pid"], "count"] += event["count"]
            counts[event["pid"], "bytes"] += event["bytes"]
            counts[event["pid"], event["least"]] += event["count"]
        return counts

    def probed(self, recording):
        """The places of the file's probes, by function."""
        found = {}
        for event in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "probe")):
            if event["function"] in ("malloc", "calloc", "realloc") and event["price"]:
                found[event["function"]] = (event["path"], event["offset"])
        return found

    def changed(self, pid, place):
        """Whether the code of the process differs from its file there: whether it has a probe."""
        path, offset = place
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            addresses, mode, begin, *_ = line.split(maxsplit=5)
            start, end = (int(address, 16) for address in addresses.split("-"))
            at = start + offset - int(begin, 16)
            if not line.endswith(path) or "x" not in mode or not start <= at < end:
                continue
            with open(f"/proc/{pid}/mem", "rb") as memory, open(path, "rb") as file:
                memory.seek(at)
                file.seek(offset)
                return memory.read(1) != file.read(1)
        self.fail(f"process {pid} does not map {path}")

    def children(self, pid):
        """Any of its threads may have forked them."""
        lists = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for children in lists for child in children.read_text().split()]

    def place_of_malloc(self, server):
        with self.record("-p", server.pid, "--add", "allocations", name="places.tcap") as recording:
            pass
        return self.probed(recording)["malloc"]

    def count_each(self, server):
        with self.record("-p", server.pid, "--add", "allocations") as recording:
            before = self.ask(self.port, "/")
            made = self.ask(self.port, f"/all/{EACH}", REQUESTS) - before
        self.assertEqual(made, REQUESTS * EACH * 9)
        counts = self.counted(recording)
        self.assertEqual(counts[server.pid, "count"], made)
        self.assertEqual(counts[server.pid, "bytes"], REQUESTS * EACH * (48 * (1 + 3 + 1 + 1 + 40 + 1 + 2) + 256))
        self.assertEqual(counts[server.pid, 1024], REQUESTS * EACH)  # 40 * 48 bytes
        self.assertEqual({pid for pid, _ in counts}, {server.pid})

    def test_each_is_counted_once(self):
        self.count_each(self.start_server())

    def test_another_library(self):
        libraries = list(pathlib.Path("/usr/lib").glob("*/libjemalloc.so.2"))
        if not libraries:
            self.skipTest("libjemalloc.so.2 is not installed")
        self.count_each(self.start_server(LD_PRELOAD=str(libraries[0])))

    def test_two_versions(self):
        server = self.start_server()
        for name, each in (("base", EACH), ("new", EACH + 1)):
            with self.record("-p", server.pid, "--add", "allocations", name=f"{name}.tcap") as recording:
                for _ in range(60):
                    self.ask(self.port, f"/all/{each}", 10)
                    time.sleep(0.1)
        sides = self.tailcap(
            "compare",
            self.scratch / "base.tcap",
            "--",
            self.scratch / "new.tcap",
            "--fail-on",
            "allocations > +1%",
            code=4,
        )
        self.assertRegex(sides, rf"allocations > \+1% +GET /all/{{}} +{EACH * 9} +{EACH * 9 + 9} ")

    def test_others_have_no_probe(self):
        other, other_port = self.start_server(), self.port
        server = self.start_server()
        place = self.place_of_malloc(server)
        with self.record("-p", server.pid, "--add", "allocations") as recording:
            wait_until(lambda: self.changed(server.pid, place), "a probe")
            self.assertFalse(self.changed(other.pid, place))
            self.ask(other_port, f"/all/{EACH}", REQUESTS)
            self.ask(self.port, f"/all/{EACH}", REQUESTS)
        self.assertEqual({pid for pid, _ in self.counted(recording)}, {server.pid})
        self.assertFalse(self.changed(server.pid, place))

    def test_a_process_that_it_forks(self):
        server = self.start_server()
        place = self.place_of_malloc(server)
        with self.record("-p", server.pid, "--add", "allocations") as recording:
            self.ask(self.port, "/fork")
            (child,) = self.children(server.pid)
            time.sleep(
                1.5
            )  # its code is a copy of its parent's, with the probes, before the recorder has placed its own
            before = self.ask(self.other_port, "/")
            made = self.ask(self.other_port, f"/all/{EACH}", REQUESTS) - before
            self.assertTrue(self.changed(child, place))
        self.assertEqual(self.counted(recording)[child, "count"], made)
        self.assertFalse(self.changed(child, place))


if __name__ == "__main__":
    harness.main()
