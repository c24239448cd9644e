"""Requests that wait for a connection of a pool: what they waited for, behind which request, held against their service's own log."""
import os
import subprocess

import harness
from pool_case import PYTHON, PoolCase

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


class Pools(PoolCase):
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
