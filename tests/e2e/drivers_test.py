"""Drivers of databases in services: HTTP services with threads, event loops, goroutines and processes that call a store on pooled
connections which are older than the recording. Each request marks its calls; what the service says that it made is what both ends of
the capture hold, in order, and each call has the request that made it, or no parent where nothing tells."""
import collections
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import harness
from harness import Case, answers, free_port, wait_until

HERE = pathlib.Path(__file__).resolve().parent / "drivers"
PYTHON = "/usr/bin/python3"
CLIENTS = 8
SYLLABLES = "ba be bi bo bu da de di do du".split()


def mark_of(letter, client, n, words):
    """Where only words stay of a key, digits become syllables."""
    mark = f"{letter}{client}_{n}"
    return mark[0] + "".join("na" if c == "_" else SYLLABLES[int(c)] for c in mark[1:]) if words else mark


class Drivers(Case):
    KEEP = ("--keep-query", "all", "--keep-statements", "--keep-keys")
    MARK = re.compile(r"\b([me])_([wr]\d+_\d+)\b")
    SIGN = re.compile(r"\bk([0-9a-f]{32})\b")

    @classmethod
    def setUpClass(cls):
        cls.go = pathlib.Path(tempfile.mkdtemp(prefix="tailcap-e2e-drivers-")) / "service"
        cls.addClassCleanup(shutil.rmtree, cls.go.parent)
        go = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode")
        files = sorted((HERE / "go").glob("*.go"))
        subprocess.run(["go", "build", "-ldflags=-s -w", "-o", cls.go, *files], env=go, check=True, timeout=300)

    def setUp(self):
        super().setUp()
        self.drivers = 0  # so far: the marks of each are its own

    def end_all(self, service):
        """With the workers of php, which outlive it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.pid, signal.SIGKILL)
        service.wait()

    def load(self, port, letter, requests, words, clients):
        """By mark: what the service says that it called."""
        said, failures = {}, []

        def client(number):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                for n in range(requests):
                    mark = mark_of(letter, 100 * self.drivers + number, n, words)
                    connection.request("GET", f"/work/{mark}")
                    said[mark] = json.loads(connection.getresponse().read())
            except Exception as e:
                failures.append(e)

        threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])
        return said

    def by_mark(self, rows, words, marks):
        """The calls of each request, in order. On a connection one request comes after the other: what is between its marks is its. Where
        each statement takes a connection, it holds the sign of its mark."""
        found, connections = collections.defaultdict(list), collections.defaultdict(list)
        signs = {hashlib.md5(mark.encode()).hexdigest(): mark for mark in marks}
        for row in rows:
            connections[row["connection"]].append(row)
        for calls in connections.values():
            mark = None
            for row in sorted(calls, key=lambda r: int(r["id"].split(".")[1])):
                if words:
                    mark, _, row["resource"] = (row["resource"] or "").partition(":")
                elif sign := self.SIGN.search(row["statement"] or ""):
                    mark, told = signs.get(sign[1]), None
                else:
                    told = self.MARK.search(row["statement"] or "")
                    mark = told[2] if told and told[1] == "m" else mark
                if mark:
                    found[mark].append(row)
                if not words and told and told[1] == "e":
                    mark = None
        for calls in found.values():  # a request's calls may use several connections
            calls.sort(key=lambda r: r["start_ns"])
        return found

    def check(self, server, store, protocol, driver, command, linked=True, leaves=(), clients=CLIENTS, **options):
        """linked: each call has its parent; else none may be wrong. leaves: operations that the driver makes when it likes."""
        port, words = free_port(), protocol == "redis"
        command = [str(c).replace("PORT", str(port)) for c in command]
        self.drivers += 1
        service = self.start(command, stderr=subprocess.DEVNULL, start_new_session=True, **options)
        self.addCleanup(self.end_all, service)
        wait_until(lambda: answers(("127.0.0.1", port)), driver)
        time.sleep(0.2)
        with self.record("-p", server.pid, "-p", service.pid, name=f"{driver}-{self.drivers}.tcap") as recording:
            self.load(
                port, "w", 2 * CLIENTS // clients, words, clients
            )  # the first answer on a connection proves what it carries
            truth = self.load(port, "r", 2, words, clients)
        self.end_all(service)
        rows = self.requests(recording)
        by_id = {row["id"]: row for row in rows}
        for role in ("client", "server"):
            calls = [r for r in rows if r["protocol"] == protocol and r["role"] == role]
            found = self.by_mark(calls, words, truth)
            links = collections.Counter()
            for mark, said in truth.items():
                seen = [r for r in found.pop(mark, []) if r["operation"] not in leaves]
                if words:
                    said = [(operation, key.partition(":")[2], *rest) for operation, key, *rest in said]
                self.assertEqual(
                    [(r["operation"], r["resource"], r["error_code"]) for r in seen],
                    [tuple(s[:3]) for s in said],
                    f"{driver}, {role}, {mark}",
                )
                for r, (*_, error, count) in zip(seen, said):
                    self.assertEqual(r["outcome"], "ok" if error is None else "client_error", r)
                    self.assertIsNotNone(r["duration_ns"], r)
                    self.assertIsNotNone(r["peer"], r)
                    if protocol == "postgresql" and count is not None and r["tainted"] == []:
                        self.assertEqual(r["rows"], count, r)
                    self.assertIn(r["tainted"], ([], ["payload_cut"]), r)
                    parent = by_id.get(r["parent"])
                    right = parent and parent["path"] == f"/work/{mark}"
                    links["right" if right else "wrong" if parent else "unknown"] += 1
            self.assertEqual([m for m in found if m.startswith("r")], [], f"{driver}, {role}: calls of no request")
            if role == "client":
                self.assertEqual(links["wrong"], 0, f"{driver}: {links}")
                self.assertGreater(sum(links.values()), 0)
                if linked:
                    self.assertEqual(links["unknown"], 0, f"{driver}: {links}")

    def check_loop(self, check, driver, command, **options):
        """Event loops of four connections: a lone request is the parent of its calls. Some of eight wait for them."""
        check(driver, command, clients=1, **options)
        check(driver, command, linked=False, **options)

    def php(self, driver, store):
        return dict(
            command=["php", "-S", "127.0.0.1:PORT", HERE / "service.php"],
            env=dict(os.environ, STORE=str(store), DRIVER=driver, PHP_CLI_SERVER_WORKERS="4"),
        )

    def test_postgresql(self):
        programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        data = self.scratch / "data"
        data.mkdir()
        shutil.chown(data, "postgres")
        run = dict(user="postgres", cwd=data, stdout=subprocess.DEVNULL)
        subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-N"], check=True, **run)
        store = free_port()
        server = self.start([programs / "postgres", "-D", data, "-p", store, "-k", data], stderr=run["stdout"], **run)
        table = ["psql", "-qh", data, "-p", str(store), "-U", "postgres", "-c"]
        table.append("CREATE TABLE items (id text PRIMARY KEY, name text)")
        wait_until(lambda: subprocess.run(table, stderr=subprocess.DEVNULL).returncode == 0, "PostgreSQL")
        check = lambda driver, command, **more: self.check(server, store, "postgresql", driver, command, **more)
        check("psycopg2", [PYTHON, HERE / "pg_threads.py", "PORT", store, "psycopg2"])
        # It forgets prepared statements behind a ROLLBACK, and asks what a cursor returns.
        leaves = {"DEALLOCATE", "PREPARE"}
        # It waits with epoll, like an event loop.
        check("psycopg3", [PYTHON, HERE / "pg_threads.py", "PORT", store, "psycopg3"], leaves=leaves)
        self.check_loop(check, "asyncpg", [PYTHON, HERE / "pg_loop.py", "PORT", store, "asyncpg"])
        modules = dict(os.environ, NODE_PATH=os.environ.get("TAILCAP_NODE_MODULES", "/usr/share/nodejs"))
        if subprocess.run(["node", "-e", "require('pg')"], env=modules, stderr=subprocess.DEVNULL).returncode == 0:
            for driver in ("pg", "pg-held"):
                node = ["node", HERE / "pg_node.js", "PORT", store, driver]
                self.check_loop(check, f"node-{driver}", node, env=modules)
            # The answers show that requests hold connections, so those that wait for one have none of another's calls.
            check("node-pg-held", node, env=modules)
        else:
            print("node's module pg is not here (TAILCAP_NODE_MODULES: its folder): not tested", flush=True)
        check("pq", [self.go, "PORT", store, "pq"])
        check("pgx", [self.go, "PORT", store, "pgx"])
        check("php-pgsql", **self.php("pgsql", store), leaves={"CONNECT", "RESET"})

    def test_mysql(self):
        data = self.scratch / "data"
        data.mkdir()
        shutil.chown(data, "mysql")
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        same = ["--no-defaults", f"--datadir={data}", "--user=mysql"]
        subprocess.run(["mariadb-install-db", *same, "--skip-test-db"], check=True, **quiet)
        sql = self.scratch / "begin.sql"
        sql.write_text(
            "CREATE DATABASE test;\nCREATE USER tester@localhost IDENTIFIED BY 'PLANTED7777';\n"
            "GRANT ALL ON test.* TO tester@localhost;\n"
            "CREATE TABLE test.items (id varchar(100) PRIMARY KEY, name text);\n"
        )
        store = free_port()
        place = [f"--port={store}", "--bind-address=127.0.0.1", f"--socket={data}/socket", f"--init-file={sql}"]
        server = self.start(["mariadbd", *same, *place], **quiet)
        wait_until(lambda: answers(("127.0.0.1", store)), "MariaDB")
        check = lambda driver, command, **more: self.check(server, store, "mysql", driver, command, **more)
        check("pymysql", [PYTHON, HERE / "mysql_threads.py", "PORT", store, "pymysql"])
        check("mysqlclient", [PYTHON, HERE / "mysql_threads.py", "PORT", store, "mysqldb"])
        self.check_loop(check, "aiomysql", [PYTHON, HERE / "mysql_loop.py", "PORT", store, "aiomysql"])
        check("go-sql-driver", [self.go, "PORT", store, "mysql"])

    def test_redis(self):
        store = free_port()
        command = ["redis-server", "--port", store, "--save", "", "--dir", self.scratch]
        server = self.start(command, stdout=subprocess.DEVNULL)
        wait_until(lambda: answers(("127.0.0.1", store)), "Redis")
        check = lambda driver, command, **more: self.check(server, store, "redis", driver, command, **more)
        check("redis-py", [PYTHON, HERE / "redis_threads.py", "PORT", store, "redis"])
        self.check_loop(check, "redis.asyncio", [PYTHON, HERE / "redis_loop.py", "PORT", store, "redis"])
        check("redigo", [self.go, "PORT", store, "redigo"])
        check("php-redis", **self.php("redis", store))


if __name__ == "__main__":
    harness.main()
