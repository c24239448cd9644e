"""Requests that wait for a connection of a pool: what they waited for, behind which request, held against their service's own log."""
import json
import os
import re
import socket
import subprocess
import threading
import time

import harness
from harness import Case, free_port, json_lines, wait_until

PYTHON = "/usr/bin/python3"  # has the drivers that Debian packages

# GET /hold/N takes a connection of the pool for 60 ms. GET /lock/N does the same behind a lock of its own. It writes down when each
# waited for what, and which connection it had.
SERVICE = r"""
import contextlib, http.server, json, sys, threading, time
port, store, driver, size = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
address = f"host=127.0.0.1 port={store} user=postgres dbname=postgres sslmode=disable"
if driver == "psycopg2":
    import psycopg2.pool
    free, pool = threading.Semaphore(size), psycopg2.pool.ThreadedConnectionPool(size, size, address)
    @contextlib.contextmanager
    def connection():
        free.acquire()
        c = pool.getconn()
        c.autocommit = True
        try:
            yield c
        finally:
            pool.putconn(c)
            free.release()
    number = lambda c: c.get_backend_pid()
elif driver == "psycopg3":
    from psycopg_pool import ConnectionPool
    pool = ConnectionPool(address, min_size=size, max_size=size, timeout=60, kwargs={"autocommit": True})
    pool.wait()
    connection = pool.connection
    number = lambda c: c.info.backend_pid
else:
    import psycopg2, sqlalchemy.pool
    pool = sqlalchemy.pool.QueuePool(lambda: psycopg2.connect(address), pool_size=size, max_overflow=0, timeout=60)
    @contextlib.contextmanager
    def connection():
        c = pool.connect()
        try:
            yield c
        finally:
            c.close()
    number = lambda c: c.get_backend_pid() if hasattr(c, "get_backend_pid") else c.connection.get_backend_pid()
lock = threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        asked = time.monotonic_ns()
        with lock if self.path.startswith("/lock") else contextlib.nullcontext(), connection() as c:
            had = time.monotonic_ns()
            k = c.cursor()
            k.execute("SELECT pg_sleep(0.06)")
            k.fetchall()
            k.close()
            pid = number(c)
        made = {"path": self.path, "asked": asked, "had": had, "gave": time.monotonic_ns(), "connection": pid}
        sys.stdout.write(json.dumps(made) + "\n")
        sys.stdout.flush()
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64
Server(("127.0.0.1", port), Handler).serve_forever()
"""

# The same in Go, with database/sql and lib/pq.
GO = r"""
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "github.com/lib/pq"
)

var started = time.Now()

func main() {
	db, err := sql.Open("postgres", "host=127.0.0.1 port="+os.Args[2]+" user=postgres dbname=postgres sslmode=disable")
	if err != nil {
		panic(err)
	}
	size, _ := strconv.Atoi(os.Args[3])
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	var lock, write sync.Mutex
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		asked := time.Now()
		if strings.HasPrefix(r.URL.Path, "/lock") {
			lock.Lock()
			defer lock.Unlock()
		}
		c, err := db.Conn(context.Background())
		if err != nil {
			panic(err)
		}
		had, pid := time.Now(), 0
		if err := c.QueryRowContext(context.Background(), "SELECT pg_backend_pid() FROM pg_sleep(0.06)").Scan(&pid); err != nil {
			panic(err)
		}
		c.Close()
		write.Lock()
		json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"path": r.URL.Path, "asked": asked.Sub(started).Nanoseconds(),
			"had": had.Sub(started).Nanoseconds(), "gave": time.Since(started).Nanoseconds(), "connection": pid})
		write.Unlock()
		w.Write([]byte("ok"))
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
"""


class Pools(Case):
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

    def assert_waits(self, truth, least=0.8):
        """All that is said is true, and of most waits it is."""
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
        self.assertIn(f"all {self.SIZE} connections to 127.0.0.1:{self.store} were in use", text)

    def assert_no_pool(self, truth):
        self.assertGreater(sum(l["had"] - l["asked"] > self.WAITED for l in truth.values()), len(truth) / 2)
        self.assertEqual([self.of_pool(self.rows[path]) for path in truth if self.of_pool(self.rows[path])], [])

    def python(self, driver, size=None):
        return [PYTHON, "-c", SERVICE, driver, size or self.SIZE]

    def test_psycopg2(self):
        self.assert_waits(self.run_service("hold", self.python("psycopg2")))

    def test_psycopg3(self):
        # It waits for answers with epoll, as loops do: some of its calls have no parent.
        self.assert_waits(self.run_service("hold", self.python("psycopg3")), 0.4)

    def test_sqlalchemy(self):
        self.assert_waits(self.run_service("hold", self.python("sqlalchemy")))

    def test_a_lock_is_no_pool(self):
        # All use the connection that was given back last, and others are free.
        self.CLIENTS, self.EACH = 4, 4
        self.assert_no_pool(self.run_service("lock", self.python("psycopg2", 3)))

    def go(self):
        source, program = self.scratch / "service.go", self.scratch / "e2e-pool"
        source.write_text(GO)
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
        subprocess.run(["go", "build", "-o", program, source], check=True, timeout=120, env=environment)
        return [program]

    def test_go(self):
        self.assert_waits(self.run_service("hold", self.go(), "--profile", "deep"))

    def test_go_lock_is_no_pool(self):
        self.CLIENTS, self.EACH, self.SIZE = 4, 4, 3
        self.assert_no_pool(self.run_service("lock", self.go(), "--profile", "deep"))


if __name__ == "__main__":
    harness.main()
