"""Services whose requests wait for a connection of a pool, held against their own logs: of a request, when it asked for a connection, had
one and gave it back, and which."""
import re
import socket
import threading
import time

import harness
from harness import Case, free_port, json_lines, wait_until

PYTHON = "/usr/bin/python3"  # has the drivers that Debian packages


class PoolCase(Case):
    """A service with a pool of SIZE connections to PostgreSQL, and more clients than that."""

    BY_OTHER_NAMES = True
    CLIENTS, EACH, SIZE = 6, 6, 2
    WAITED = 20_000_000  # ns, at least: then it waited for the pool, not for the interpreter

    def setUp(self):
        super().setUp()
        self.store = self.postgresql()

    def client(self, route, number):
        with socket.create_connection(("127.0.0.1", self.port)) as c:
            for n in range(self.EACH):
                time.sleep(0.01)  # its thread waits in a read
                c.sendall(b"GET /%s/%d HTTP/1.1\r\nHost: x\r\n\r\n" % (route.encode(), number * 100 + n))
                answer = b""
                while not answer.endswith(b"ok"):
                    answer += c.recv(4096)

    def run_service(self, route, command, *options):
        """Its log by path; rows are those of its requests, by path."""
        self.port, log = free_port(), self.scratch / "service.log"
        with open(log, "w") as out:
            service = self.start(
                [*command[:-2], self.port, self.store, *command[-2:]]
                if command[0] == PYTHON
                else [command[0], self.port, self.store, self.SIZE],
                stdout=out,
            )
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the service")
        self.clients(route)  # the first answers on connections that are older than the recording prove what those carry
        before = len(json_lines(log.read_text()))
        with self.record(*options, "-p", service.pid) as recording:
            self.clients(route)
        truth = {l["path"]: l for l in json_lines(log.read_text())[before:]}
        self.assertEqual(len(truth), self.CLIENTS * self.EACH)
        rows = self.requests(recording)
        self.rows = {r["path"]: r for r in rows if r["role"] == "server"}
        self.by_id = {r["id"]: r for r in rows}
        self.file = recording.file
        return truth

    def clients(self, route):
        threads = [threading.Thread(target=self.client, args=(route, n)) for n in range(self.CLIENTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)

    def of_pool(self, row):
        return [
            c
            for c in row["culprits"]
            if c["label"] == "q.pool" and c["request"] and self.by_id[c["request"]]["path"] in self.rows
        ]

    def assert_waits(self, truth, least=0.8, named=True):
        """All that is said is true, and of most waits it is. named: with the pool."""
        self.assertEqual(len({l["connection"] for l in truth.values()}), self.SIZE, "connections")
        waited = found = 0
        for path, l in truth.items():
            said = self.of_pool(self.rows[path])
            ns = sum(c["ns"] for c in said)
            self.assertLessEqual(ns, l["had"] - l["asked"] + 3_000_000, (l, said))
            for c in said:  # it gave its connection back while this one waited, which ended a wait
                holder = truth[self.by_id[c["request"]]["path"]]
                self.assertLess(l["asked"], holder["gave"], (l, holder))
                self.assertLess(holder["had"], l["had"], (l, holder))
                self.assertLess(holder["gave"], l["had"] + self.WAITED, (l, holder))
            if l["had"] - l["asked"] < self.WAITED:
                continue
            waited += 1
            found += ns > 0.8 * (l["had"] - l["asked"])
        self.assertGreater(waited, len(truth) / 2, "the pool was too large for this load")
        self.assertGreaterEqual(found, least * waited, f"{found} of {waited}")
        text = re.sub(r"\s+", " ", self.tailcap("report", self.file, "--full"))
        pool = f"all {self.SIZE} connections to 127.0.0.1:{self.store} were in use"
        self.assertIn(pool if named else "waiting for a worker or a free connection behind GET /hold/{}", text)

    def assert_no_pool(self, truth):
        self.assertGreater(sum(l["had"] - l["asked"] > self.WAITED for l in truth.values()), len(truth) / 2)
        self.assertEqual([self.of_pool(self.rows[path]) for path in truth if self.of_pool(self.rows[path])], [])
