"""Calls of databases and caches: real servers and drivers. What the client logged is what both ends of the capture hold, in order, on
connections that are new and on one that is older than the recording."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import harness
from harness import Case, answers, free_port, json_lines, wait_until

# Each client connects, says so, waits for a line, makes its calls and writes each down: operation, resource, code of the error, rows.
# With "old" it makes one call before it waits, so that its connection is older than the recording.
LOG = r"""
import json, sys
port, old = int(sys.argv[1]), sys.argv[2] == "old"
def made(operation, resource, error=None, rows=None):
    print(json.dumps({"operation": operation, "resource": resource, "error_code": error, "rows": rows}), flush=True)
def wait():
    print("{}", flush=True)
    sys.stdin.readline()
"""

REDIS = (
    LOG
    + r"""
import redis
encrypted = {"ssl": True, "ssl_cert_reqs": "none"} if sys.argv[2] == "tls" else {}
r = redis.Redis(port=port, **encrypted)
if old:
    r.ping()
wait()
if old:
    r.ping()  # it proves what the connection carries
else:
    r.ping()
    made("PING", None)
for i in range(200):
    r.set(f"user:{i}:cart", f"PLANTED{i:04d}")
    made("SET", "user:*:cart")
    r.get(f"user:{i}:cart")
    made("GET", "user:*:cart")
r.lpush("queue", "PLANTED" * 3000)
made("LPUSH", "queue")
r.lrange("queue", 0, -1)
made("LRANGE", "queue")
for i in range(50):
    r.hset(f"session:PLANTED{i:04d}", mapping={"a": "PLANTED9001", "b": "2"})
    made("HSET", "session:*")
try:
    r.incr("queue")
except redis.ResponseError:
    made("INCRBY", "queue", "WRONGTYPE")
r.mget([f"user:{i}:cart" for i in range(200)])
made("MGET", "user:*:cart")
pipe = r.pipeline(transaction=False)
for i in range(16):
    pipe.get(f"user:{i}:cart")
pipe.execute()
for i in range(16):
    made("GET", "user:*:cart")
r.blpop("nothing", 0.05)
made("BLPOP", "*")
r.config_get("port")
made("CONFIG GET", None)
"""
)

POSTGRESQL = (
    LOG
    + r"""
import psycopg2
sslmode = "require" if sys.argv[2] == "tls" else "disable"
def connect():
    c = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", sslmode=sslmode)
    c.autocommit = True
    return c.cursor()
if old:
    k = connect()
    k.execute("SELECT 1")
wait()
if not old:
    k = connect()
k.execute("SELECT 1")  # with "old" it proves what the connection carries
if not old:
    made("SELECT", None, rows=1)
k.execute("CREATE TABLE IF NOT EXISTS items (id int PRIMARY KEY, name text)")
made("CREATE", "items")
for i in range(100):
    k.execute("INSERT INTO items VALUES (%s, %s)", (i, f"PLANTED{i:04d}"))
    made("INSERT", "items", rows=1)
    k.execute("SELECT name FROM items WHERE id = %s", (i,))
    made("SELECT", "items", rows=1)
k.execute("UPDATE items SET name = 'PLANTED5001' WHERE id < 10")
made("UPDATE", "items", rows=10)
try:
    k.execute("INSERT INTO items VALUES (1, 'PLANTED5002')")
except psycopg2.Error as e:
    made("INSERT", "items", e.pgcode)
try:
    k.execute("SELECT * FROM missing WHERE a = 'PLANTED5003'")
except psycopg2.Error as e:
    made("SELECT", "missing", e.pgcode)
k.execute("SELECT i, repeat('PLANTED', 20) FROM generate_series(1, 5000) i")
made("SELECT", "generate_series")
k.execute("DELETE FROM items")
made("DELETE", "items", rows=100)
# Notifications answer nothing, whenever they come: alone, behind a statement of another connection that runs meanwhile, behind one's own.
import select, threading
other = connect()
def notify():
    other.execute("NOTIFY news, 'PLANTED5004'")
def notified():
    while not k.connection.notifies:
        select.select([k.connection], [], [], 10)
        k.connection.poll()
    assert k.connection.notifies.pop().channel == "news" and not k.connection.notifies
k.execute("LISTEN news")
made("LISTEN", None)
for _ in range(5):
    notify()
    made("NOTIFY", None)
    notified()
    k.execute("SELECT count(*) FROM items")
    made("SELECT", "items", rows=1)
    later = threading.Timer(0.03, notify)
    later.start()
    k.execute("SELECT pg_sleep(0.1)")
    made("SELECT", None, rows=1)
    later.join()
    made("NOTIFY", None)
    notified()
    k.execute("NOTIFY news, 'PLANTED5005'")
    made("NOTIFY", None)
    notified()
    notify()
    made("NOTIFY", None)
    k.execute("DELETE FROM items")  # the notification waits in front of its answer
    made("DELETE", "items", rows=0)
    notified()
"""
)


MYSQL = (
    LOG
    + r"""
import pymysql
encrypted = {"ssl": {"check_hostname": False, "verify_mode": "none"}} if sys.argv[2] == "tls" else {}
def connect():
    return pymysql.connect(
        host="127.0.0.1", port=port, user="tester", password="PLANTED7777", database="test", autocommit=True, **encrypted)
if old:
    c = connect()
    c.cursor().execute("SELECT 1")
wait()
if not old:
    c = connect()
k = c.cursor()
k.execute("SELECT 1")
if not old:
    made("SELECT", None)
k.execute("CREATE TABLE IF NOT EXISTS items (id int PRIMARY KEY, name text)")
made("CREATE", "items")
for i in range(100):
    k.execute("INSERT INTO items VALUES (%s, %s)", (i, f"PLANTED{i:04d}"))
    made("INSERT", "items")
    k.execute("SELECT name FROM items WHERE id = %s", (i,))
    made("SELECT", "items")
try:
    k.execute("INSERT INTO items VALUES (1, 'PLANTED5002')")
except pymysql.Error as e:
    made("INSERT", "items", str(e.args[0]))
try:
    k.execute("SELECT * FROM missing WHERE a = 'PLANTED5003'")
except pymysql.Error as e:
    made("SELECT", "missing", str(e.args[0]))
k.execute("SELECT seq, repeat('PLANTED', 20) FROM seq_1_to_5000")
made("SELECT", "seq_1_to_5000")
c.ping()
made("PING", None)
k.execute("DELETE FROM items")
made("DELETE", "items")
"""
)

MEMCACHED = (
    LOG
    + r"""
from pymemcache.client.base import Client
c = Client(("127.0.0.1", port))
if old:
    c.get("first")
wait()
c.get("first")
if not old:
    made("GET", "*")
for i in range(200):
    c.set(f"user:{i}:cart", f"PLANTED{i:04d}", noreply=False)
    made("SET", "user:*:cart")
    c.get(f"user:{i}:cart")
    made("GET", "user:*:cart")
c.set("big", "PLANTED" * 3000, noreply=False)
made("SET", "*")
c.get("big")
made("GET", "*")
c.delete("nothing", noreply=False)
made("DELETE", "*")
c.get_many([f"user:{i}:cart" for i in range(100)])
made("GET", "user:*:cart")
"""
)


class Store(Case):
    """A server, its client, and what must be the same in the client's log and at both ends of the capture."""

    def serve(self, *command, **rest):
        port = free_port()
        log = open(self.scratch / "server.log", "wb")
        self.addCleanup(log.close)
        process = self.start([str(c).replace("PORT", str(port)) for c in command], stdout=log, stderr=log, **rest)
        wait_until(lambda: answers(("127.0.0.1", port)), f"{command[0]} at {port}")
        return process, port

    def certificate(self, folder, user):
        """A file with a key and its certificate, which the user can read."""
        file = folder / "certificate.pem"
        make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {file} -out {file}.crt"
        subprocess.run(make.split(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(file, "ab") as both:
            both.write(pathlib.Path(f"{file}.crt").read_bytes())
        file.chmod(0o600)
        shutil.chown(file, user)
        return file

    def mariadb(self):
        """A server with a user and a database; its process and port."""
        data = self.scratch / "data"
        data.mkdir()
        shutil.chown(data, "mysql")
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=mysql", "--skip-test-db"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        certificate = self.certificate(data, "mysql")
        sql = self.scratch / "users.sql"
        sql.write_text(
            "CREATE DATABASE test;\nCREATE USER tester@localhost IDENTIFIED BY 'PLANTED7777';\n"
            "GRANT ALL ON test.* TO tester@localhost;\n"
        )
        return self.serve(
            "mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            "--user=mysql",
            "--port=PORT",
            "--bind-address=127.0.0.1",
            f"--socket={data}/socket",
            f"--init-file={sql}",
            f"--ssl-cert={certificate}",
            f"--ssl-key={certificate}",
        )

    def check(self, server, port, program, how, protocol):
        client = self.start(
            ["/usr/bin/python3", "-c", program, port, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if how == "old":
            client.stdout.readline()
        arguments = ["-p", server.pid, "-p", client.pid]
        with self.record(*arguments, name=f"{how}.tcap") as recording:
            if how != "old":
                client.stdout.readline()
            client.stdin.write("\n")
            client.stdin.flush()
            said, _ = client.communicate(timeout=60)
            self.assertEqual(client.returncode, 0)
        truth = json_lines(said)
        rows = [r for r in self.requests(recording) if r["protocol"] == protocol and r["operation"] != "CONNECT"]
        for role in ("client", "server"):
            with self.subTest(how, role=role):
                seen = [r for r in rows if r["role"] == role]
                if how == "old" and (seen[0]["operation"] == "PING" or seen[0]["statement"] == "SELECT ?"):
                    seen = seen[1:]  # its answer proved what the connection carries
                self.assertEqual(
                    [(r["operation"], r["resource"], r["error_code"]) for r in seen],
                    [(t["operation"], t["resource"], t["error_code"]) for t in truth],
                )
                self.assertEqual({r["tls"] for r in seen}, {how == "tls"})
                for r, t in zip(seen, truth):
                    self.assertEqual(r["outcome"], "ok" if t["error_code"] is None else "client_error", r)
                    self.assertIsNotNone(r["duration_ns"], r)
                    if t["rows"] is not None:
                        self.assertEqual(r["rows"], t["rows"], r)
        peers = [r for r in rows if r["peer"] is not None]
        self.assertEqual(len(peers), len(rows))
        everything = self.tailcap("events", recording.file, "--json") + json.dumps(rows)
        self.assertNotIn("PLANTED", everything)
        return rows


class Redis(Store):
    def test_what_a_client_asked(self):
        certificate = self.certificate(self.scratch, "root")
        encrypted = ("--tls-cert-file", certificate, "--tls-key-file", certificate, "--tls-ca-cert-file", certificate)
        for how in ("new", "old", "tls"):
            ports = ("--port", "0", "--tls-port", "PORT", "--tls-auth-clients", "no", *encrypted)
            server, port = self.serve(
                "redis-server", *(ports if how == "tls" else ("--port", "PORT")), "--save", "", "--dir", self.scratch
            )
            rows = self.check(server, port, REDIS, how, "redis")
            waits = [r for r in rows if r["asked_to_wait"]]
            self.assertEqual([r["operation"] for r in waits], ["BLPOP"] * 2)
            self.assertTrue(all(r["duration_ns"] >= 45_000_000 for r in waits))


class PostgreSQL(Store):
    def test_what_a_client_asked(self):
        programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        data = self.scratch / "data"
        data.mkdir()
        shutil.chown(data, "postgres")
        run = dict(user="postgres", cwd=data)
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-N"], check=True, stdout=subprocess.DEVNULL, **run
        )
        certificate = self.certificate(data, "postgres")
        options = "-c", "ssl=on", "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={certificate}"
        server, port = self.serve(programs / "postgres", "-D", data, "-p", "PORT", "-k", data, *options, **run)
        for how in ("new", "old", "tls"):  # plaintext goes before TLS
            rows = self.check(server, port, POSTGRESQL, how, "postgresql")
            inserts = {r["statement"] for r in rows if r["operation"] == "INSERT"}
            self.assertEqual(inserts, {"INSERT INTO items VALUES (?, …)"})


class MySQL(Store):
    def test_what_a_client_asked(self):
        server, port = self.mariadb()
        for how in ("new", "old", "tls"):
            rows = self.check(server, port, MYSQL, how, "mysql")
            inserts = {r["statement"] for r in rows if r["operation"] == "INSERT"}
            self.assertEqual(inserts, {"INSERT INTO items VALUES (?, …)"})


class Memcached(Store):
    def test_what_a_client_asked(self):
        server, port = self.serve("memcached", "-p", "PORT", "-l", "127.0.0.1", "-U", "0", "-u", "nobody")
        for how in ("new", "old"):
            self.check(server, port, MEMCACHED, how, "memcached")


if __name__ == "__main__":
    harness.main()
