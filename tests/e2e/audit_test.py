"""Network policies against real connections: between two network namespaces, over loopback, refused, and older than the recording."""
import collections
import csv
import io
import json
import pathlib
import subprocess
import sys

import harness
from harness import Case, ip, wait_until

try:
    import jsonschema
except ImportError:  # of another Python than the distribution's
    jsonschema = None

# Listens at every port given, answers each line, and keeps what it accepted until its peer closes.
SERVER = r"""
import selectors, socket, sys
open("/proc/self/comm", "w").write(sys.argv[1])
wait = selectors.DefaultSelector()
for port in sys.argv[2:]:
    there = socket.create_server(("0.0.0.0", int(port)))
    wait.register(there, selectors.EVENT_READ, True)
while True:
    for key, _ in wait.select():
        if key.data:
            wait.register(key.fileobj.accept()[0], selectors.EVENT_READ, False)
        elif line := key.fileobj.recv(100):
            key.fileobj.sendall(line)
        else:
            wait.unregister(key.fileobj)
            key.fileobj.close()
"""

# Reads lines "open HOST PORT", "say" (all that are open), "close", and writes down what it did: its truth is the kernel's answers.
CLIENT = r"""
import json, socket, sys
open("/proc/self/comm", "w").write(sys.argv[1])
kept = []
for line in sys.stdin:
    words = line.split()
    done = {"did": words[0]}
    if words[0] == "open":
        one = socket.socket()
        try:
            one.connect((words[1], int(words[2])))
            kept.append(one)
            one.sendall(b"hello\n")
            one.recv(100)
            done["from"] = "%s:%d" % one.getsockname()
        except OSError as e:
            done["error"] = e.errno
        done["to"] = "%s:%s" % (words[1], words[2])
    elif words[0] == "say":
        for one in kept:
            one.sendall(b"again\n")
            one.recv(100)
    else:
        for one in kept:
            one.close()
        kept = []
    print(json.dumps(done), flush=True)
"""

PODS = """
complete: true
pods:
  - {name: front-0, namespace: shop, address: 10.78.0.1, labels: {app: front}}
  - {name: stock-0, namespace: data, address: 10.78.0.2, labels: {app: stock}}
namespaces:
  - {name: shop, labels: {team: web}}
  - {name: data, labels: {team: db}}
"""

KUBERNETES = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: stock-in, namespace: data}
spec:
  podSelector: {matchLabels: {app: stock}}
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {team: web}}
          podSelector: {matchLabels: {app: front}}
      ports:
        - {port: 8080, endPort: 8081}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: archive-in, namespace: data}
spec: {podSelector: {matchLabels: {app: archive}}}
"""

# By the names that the programs gave themselves.
ALLOW_LIST = """
allow_list: local
rules:
  - name: front-to-stock
    from: {process: e2e-front}
    to: {process: e2e-stock, address: 127.0.0.0/8, port: 8080-8081}
  - name: nothing
    from: {process: e2e-other}
    to: {port: 1}
"""


class Audit(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.near, self.far = self.network_namespace("n"), self.network_namespace("f")
        ip("link", "add", self.near, "netns", self.near, "type", "veth", "peer", "name", self.far, "netns", self.far)
        for name, address in ((self.near, "10.78.0.1"), (self.far, "10.78.0.2")):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", name)
            ip("-n", name, "link", "set", name, "up")
        for name, text in (("pods", PODS), ("kubernetes", KUBERNETES), ("list", ALLOW_LIST)):
            (self.scratch / f"{name}.yaml").write_text(text)

    def within(self, name, program, *arguments, **options):
        return self.start(["ip", "netns", "exec", name, sys.executable, "-c", program, *map(str, arguments)], **options)

    def server(self, name, *ports):
        process = self.within(self.far, SERVER, name, *ports)
        listening = pathlib.Path(f"/proc/{process.pid}/net/tcp")
        # `ip` becomes the program, so the file is that of the namespace once the ports are in it.
        wait_until(lambda: all(f":{port:04X} 0000" in listening.read_text() for port in ports), "the server")
        return process

    def client(self, where, name):
        process = self.within(where, CLIENT, name, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        comm = pathlib.Path(f"/proc/{process.pid}/comm")
        wait_until(lambda: comm.read_text().strip() == name, "the client")
        return process

    def do(self, client, words):
        client.stdin.write(words + "\n")
        client.stdin.flush()
        return json.loads(client.stdout.readline())

    def audit(self, recording, *arguments, code):
        out = json.loads(self.tailcap("audit", recording.file, *arguments, "--json", code=code))
        if jsonschema:
            schema = jsonschema.Draft202012Validator(json.loads((harness.ROOT / "docs/audit.schema.json").read_text()))
            self.assertEqual([e.message for e in schema.iter_errors(out)], [])
        self.assertEqual(out["allowed"] + out["denied"] + out["unknown"], out["connections"])
        self.assertEqual(sum(g["connections"] for g in out["groups"]), out["connections"])
        return out

    def test_between_namespaces(self):
        server = self.server("e2e-stock", 8080, 8081, 9090)
        front, local = self.client(self.near, "e2e-front"), self.client(self.far, "e2e-local")
        self.assertIn("from", self.do(front, "open 10.78.0.2 8080"))  # before the recording
        with self.record("-p", server.pid, "-p", front.pid, "-p", local.pid) as recording:
            self.do(front, "say")
            truth = [self.do(front, f"open 10.78.0.2 {port}") for port in [8080] * 5 + [8081] * 4 + [9090] * 3]
            refused = self.do(front, "open 10.78.0.2 7")
            loopback = [self.do(local, "open 127.0.0.1 9090") for _ in range(2)]
            for client in (front, local):
                self.do(client, "close")
        self.assertTrue(all("from" in t for t in truth + loopback), truth)
        self.assertIn("error", refused)
        policies = ("--policies", self.scratch / "kubernetes.yaml", "--pods", self.scratch / "pods.yaml")
        out = self.audit(recording, *policies, "--expose", "9090", code=3)
        # 5 + 4 to ports that are allowed, 2 within a pod; 3 to another port and one that was refused; and the older one.
        self.assertEqual((out["allowed"], out["denied"], out["unknown"]), (11, 4, 1), out)
        self.assertTrue(out["complete"])
        self.assertEqual([g["missing"] for g in out["groups"] if g["verdict"] == "unknown"], [["direction"]])
        denied = {g["port"]: g for g in out["groups"] if g["verdict"] == "denied"}
        self.assertEqual(
            {port: (g["connections"], g["failed"]) for port, g in denied.items()}, {9090: (3, 0), 7: (1, 1)}
        )
        for group in denied.values():
            self.assertEqual(group["who"], {"kind": "pod", "name": "data/stock-0"})
            self.assertEqual(group["peer"], {"kind": "pod", "name": "shop/front-0"})
            self.assertEqual((group["direction"], group["by"]), ("from", ["data/stock-in"]))
        self.assertEqual(
            {(e["from"], e["to"]) for e in denied[9090]["examples"]},
            {(t["from"], t["to"]) for t in truth if t["to"].endswith(":9090")},
        )
        by_name = {p["name"]: p for p in out["policies"]}
        # The loopback ones are not selected.
        self.assertEqual(
            [by_name["data/stock-in"][k] for k in ("selects", "allows", "denies", "used")], [13, 9, 4, True]
        )
        self.assertEqual([by_name["data/archive-in"][k] for k in ("selects", "unknown", "used")], [0, 0, False])
        exposed = out["exposed"]
        self.assertEqual((exposed["connections"], exposed["local"], exposed["unknown"]), (3, 2, 0), exposed)
        self.assertEqual([(s["from"], s["to"]) for s in exposed["sources"]], [("10.78.0.1", "10.78.0.2:9090")])
        # What no policy selects: the loopback ones.
        strict = self.audit(recording, *policies, "--default", "deny", code=3)
        self.assertEqual((strict["allowed"], strict["denied"]), (9, 6), strict)
        rows = list(csv.DictReader(io.StringIO(self.tailcap("audit", recording.file, *policies, "--csv", code=3))))
        sums = collections.Counter()
        for row in rows:
            sums[row["verdict"]] += int(row["connections"])
        self.assertEqual(sums, {"allowed": 11, "denied": 4, "unknown": 1})

    def test_processes(self):
        server = self.server("e2e-stock", 8080, 8081, 9090)
        front, other = self.client(self.far, "e2e-front"), self.client(self.far, "e2e-other")
        with self.record("-p", server.pid, "-p", front.pid, "-p", other.pid) as recording:
            for client, port in (
                (front, 8080),
                (front, 8081),
                (front, 8081),
                (front, 9090),
                (other, 8080),
                (other, 8081),
            ):
                self.assertIn("from", self.do(client, f"open 127.0.0.1 {port}"))
            for client in (front, other):
                self.do(client, "close")
        out = self.audit(recording, "--policies", self.scratch / "list.yaml", code=3)
        seen = {(g["verdict"], g["who"]["name"], g["port"]): g["connections"] for g in out["groups"]}
        self.assertEqual(
            seen,
            {
                ("allowed", "e2e-front", 8080): 1,
                ("allowed", "e2e-front", 8081): 2,
                ("denied", "e2e-front", 9090): 1,
                ("denied", "e2e-other", 8080): 1,
                ("denied", "e2e-other", 8081): 1,
            },
        )
        self.assertEqual({g["peer"]["name"] for g in out["groups"]}, {"e2e-stock"})
        text = self.tailcap("audit", recording.file, "--policies", self.scratch / "list.yaml", code=3)
        self.assertIn("local: no connection matches nothing.", text)

    def test_the_server_alone(self):
        """Its clients are not recorded: which process they are is unknown, where they come from is not."""
        server = self.server("e2e-stock", 8080, 9090)
        front = self.client(self.near, "e2e-front")
        with self.record("-p", server.pid) as recording:
            for port in (8080, 9090):
                self.assertIn("from", self.do(front, f"open 10.78.0.2 {port}"))
            self.do(front, "close")
        (self.scratch / "list.yaml").write_text("rules:\n  - from: {process: e2e-front}\n    to: {port: 8080}\n")
        out = self.audit(recording, "--policies", self.scratch / "list.yaml", code=3)
        self.assertEqual((out["allowed"], out["denied"], out["unknown"]), (0, 1, 1))
        # The addresses of a namespace that is not the recorder's are not in the capture; that another pod has one is.
        out = self.audit(recording, "--expose", "8080", code=4)
        self.assertEqual((out["allowed"], out["exposed"]["connections"], out["exposed"]["unknown"]), (2, 0, 1))
        out = self.audit(recording, "--expose", "8080", "--pods", self.scratch / "pods.yaml", code=3)
        self.assertEqual((out["allowed"], out["exposed"]["connections"], out["exposed"]["unknown"]), (2, 1, 0))


if __name__ == "__main__":
    harness.main()
