"""Which request caused which: nginx in front of a thread-per-request service that calls another, against their logs."""
import http.client
import json
import pathlib
import sys
import threading

import harness
from harness import Case, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{behind}; }}
  }}
}}
"""
CLIENTS, REQUESTS, CALLS = 24, 30, 2


class Causes(Case):
    BY_OTHER_NAMES = True

    def service(self, name, *arguments):
        port = free_port()
        process = self.start(
            [sys.executable, HERE / "chain_service.py", port, self.scratch / f"{name}.jsonl", *arguments]
        )
        wait_until(lambda: harness.answers(("127.0.0.1", port)), name)
        process.port = port
        return process

    def clients(self, port, prefix):
        wrong = []

        def client(number):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for i in range(REQUESTS):
                connection.request("GET", f"/work/{prefix}{number}-{i}")
                response = connection.getresponse()
                if response.status != 200 or response.read() != b"ok":
                    wrong.append(response.status)
            connection.close()

        threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def chain(self):
        leaf = self.service("leaf")
        front = self.service("front", leaf.port, CALLS)
        port = free_port()
        (self.scratch / "nginx.conf").write_text(
            CONFIGURATION.format(folder=self.scratch, port=port, behind=front.port)
        )
        nginx = self.start([self.named("nginx"), "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nginx")
        children = pathlib.Path(f"/proc/{nginx.pid}/task/{nginx.pid}/children")
        wait_until(children.read_text, "nginx's worker")  # its master listens before
        workers = children.read_text().split()
        self.assertEqual(len(workers), 1)
        # Not by name: another nginx of this machine is none of ours.
        return front, port, [a for pid in (*workers, front.pid, leaf.pid) for a in ("-p", pid)]

    def test_links_against_the_services_logs(self):
        front, port, targets = self.chain()
        with self.record(*targets) as recording:
            self.clients(port, "r")
        self.assert_whole(recording)
        rows = self.requests(recording)
        by_id = {row["id"]: row for row in rows}
        caused_by = {}  # what a call's last path segment names: what its request's names
        for line in json_lines((self.scratch / "front.jsonl").read_text()):
            for called in line["called"]:
                caused_by[called] = line["served"]
        name = lambda row: row["path"].rsplit("/", 1)[1]
        score = {}
        for row in rows:
            if row["role"] != "client":
                continue
            proxy = row["comm"] == self.named("nginx").name
            truth = name(row) if proxy else caused_by[name(row)]
            parent = by_id.get(row["parent"])
            kind = "unknown" if parent is None else row["parent_confidence"]
            right = parent is not None and parent["pid"] == row["pid"] and name(parent) == truth
            key = ("proxy" if proxy else "threads", kind, right)
            score[key] = score.get(key, 0) + 1
        print("links:", score, file=sys.stderr)
        total = CLIENTS * REQUESTS
        self.assertEqual(sum(n for (who, *_), n in score.items() if who == "threads"), total * CALLS)
        self.assertEqual(sum(n for (who, *_), n in score.items() if who == "proxy"), total)
        for (who, kind, right), n in score.items():
            self.assertTrue(right or kind != "certain", f"{n} links of {who} that claim certainty are wrong: {score}")
            self.assertTrue(right or kind == "unknown", f"{n} links of {who} are wrong: {score}")
        # Bounds under what was measured, which varies with the load of the machine.
        self.assertGreaterEqual(score.get(("threads", "certain", True), 0), 0.9 * total * CALLS, score)
        found = score.get(("proxy", "likely", True), 0)
        self.assertGreaterEqual(found, 0.95 * total, score)

    def test_a_tree_across_three_processes(self):
        front, port, targets = self.chain()
        with self.record(*targets) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/work/one")
            connection.getresponse().read()
            connection.close()
        rows = self.requests(recording, role="server")
        proxy = self.named("nginx").name
        root = next(r for r in rows if r["comm"] == proxy and r["path"] == "/work/one")
        tree = json.loads(self.tailcap("tree", recording.file, root["id"], "--json"))["tree"]
        seen = []

        def walk(node, depth):
            seen.append((depth, node["role"], node["path"]))
            for child in node["children"]:
                walk(child, depth + 1)

        walk(tree, 0)
        self.assertEqual(
            seen,
            [
                (0, "server", "/work/one"),
                (1, "client", "/work/one"),
                (2, "server", "/work/one"),
                (3, "client", "/leaf/one.0"),
                (4, "server", "/leaf/one.0"),
                (3, "client", "/leaf/one.1"),
                (4, "server", "/leaf/one.1"),
            ],
        )
        calls = json.loads(self.tailcap("topology", recording.file, "--json"))
        names = [n["name"] for n in calls["nodes"]]
        edges = {(names[c["from"]], names[c["to"]]): c["requests"] for c in calls["calls"]}
        first = next(n for n in names if n.endswith(f":{front.port}"))
        second = next(n for n in names if n not in (first, proxy, "callers outside"))
        self.assertEqual(edges, {("callers outside", proxy): 1, (proxy, first): 1, (first, second): 2})


if __name__ == "__main__":
    harness.main()
