"""A query in a loop (N+1): compare and assert decide by the count, which is exact, and name the statement."""
import json
import re
import socket
import subprocess
import time

import harness
from harness import Case, free_port, wait_until

PYTHON = "/usr/bin/python3"  # has the drivers that Debian packages

# GET /cart/N asks for ITEMS items, one by one. It writes down how many statements of each kind it made.
SERVICE = r"""
import collections, http.server, json, sys
import psycopg2
port, store, items = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connection = None
    def do_GET(self):
        if not Handler.connection:
            Handler.connection = psycopg2.connect(f"host=127.0.0.1 port={store} user=postgres dbname=postgres sslmode=disable")
            Handler.connection.autocommit = True
        made = collections.Counter()
        k = Handler.connection.cursor()
        k.execute("SELECT count(*) FROM carts WHERE id = %s", (1,))
        made["carts"] += 1
        for item in range(items):
            k.execute("SELECT name FROM items WHERE id = %s", (item,))
            made["items"] += 1
        print(json.dumps(made), flush=True)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


class RepeatedCalls(Case):
    BY_OTHER_NAMES = True
    REQUESTS = 60

    def setUp(self):
        super().setUp()
        self.store = self.postgresql()
        table = "CREATE TABLE items (id int PRIMARY KEY, name text); CREATE TABLE carts (id int)"
        subprocess.run(
            ["psql", "-qh", "127.0.0.1", "-p", str(self.store), "-U", "postgres", "-c", table],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def run_of(self, items, name):
        """A recording of a version, and how many statements it made for each request, of the kind with most."""
        port, log = free_port(), self.scratch / f"{name}.log"
        with open(log, "w") as out:
            service = self.start([PYTHON, "-c", SERVICE, port, self.store, items], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid, name=f"{name}.tcap") as recording:
            with socket.create_connection(("127.0.0.1", port)) as client:
                for n in range(self.REQUESTS):
                    client.sendall(b"GET /cart/%d HTTP/1.1\r\nHost: x\r\n\r\n" % n)
                    answer = b""
                    while not answer.endswith(b"ok"):
                        answer += client.recv(4096)
                    time.sleep(0.04)
        made = [max(json.loads(line).values()) for line in log.read_text().splitlines()]
        self.assertEqual(len(made), self.REQUESTS)
        self.assertEqual(len(set(made)), 1, made)
        return recording.file, made[0]

    def compare(self, base, new, code):
        gate = ["--fail-on", "same_calls(/cart/{}) > +0", "--fail-on", "calls(/cart/{}) > +0"]
        said = json.loads(self.tailcap("compare", base, "--", new, *gate, "--json", code=code))
        text = re.sub(r"\s+", " ", self.tailcap("compare", base, "--", new, *gate, code=code))
        return said, text

    def test_a_query_in_a_loop(self):
        base, one = self.run_of(1, "base")
        again, _ = self.run_of(1, "again")
        new, many = self.run_of(41, "new")
        self.assertEqual((one, many), (1, 41))
        said, text = self.compare(base, new, 3)
        self.assertEqual([g["verdict"] for g in said["gates"]], ["fail", "fail"], text)
        (route,) = [r for r in said["routes"] if r["role"] == "server"]
        (metric,) = [m for m in route["metrics"] if m["metric"] == "same_calls"]
        estimate = metric["estimate"]
        self.assertEqual((estimate["base"], estimate["new"], estimate["exact"]), (one, many, True), estimate)
        self.assertIn("41 calls of `SELECT name FROM items WHERE id = ?` a request, 1 before", text)
        said, text = self.compare(base, again, 0)
        self.assertEqual([g["verdict"] for g in said["gates"]], ["pass", "pass"], text)

        limits = self.scratch / "slo.yaml"
        limits.write_text("slos:\n- route: GET /cart/{}\n  at_most: {same_calls: 2}\n")
        self.assertIn("pass: 1 limit", self.tailcap("assert", base, "--slo", limits))
        text = self.tailcap("assert", new, "--slo", limits, code=3)
        self.assertIn("of `SELECT name FROM items WHERE id = ?`", text)
        (result,) = json.loads(self.tailcap("assert", new, "--slo", limits, "--json", code=3))["results"]
        self.assertEqual((result["value"], result["of"]), (many, "SELECT name FROM items WHERE id = ?"), result)


if __name__ == "__main__":
    harness.main()
