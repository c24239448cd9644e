"""A budget where reads and writes of TLS are recorded by probes: these are removed between two looks, and return; the client's log is the truth."""
import collections
import contextlib
import json
import os
import subprocess
import sys
import time

import harness
import tls_case
from harness import Recording, json_lines, wait_until
from tls_case import TlsCase

# Connections that stay open, over which each line of standard input asks for a rate and a time in seconds.
CLIENT = """
import json, socket, ssl, sys, time
port, log = int(sys.argv[1]), open(sys.argv[2], "w")
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
connections = [context.wrap_socket(socket.create_connection(("127.0.0.1", port))) for _ in range(32)]
number = 0
print("connected", flush=True)
for line in sys.stdin:
    rate, seconds = map(float, line.split())
    began, asked = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        if asked > (time.monotonic() - began) * rate:
            time.sleep(0.0005)
            continue
        connection = connections[number % len(connections)]
        connection.sendall(b"GET /small?%d HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" % number)
        answer = b""
        while not answer.endswith(b"s" * 256):
            part = connection.recv(1000)
            assert part
            answer += part
        log.write(json.dumps({"id": str(number), "done": time.monotonic_ns()}) + "\\n")
        number += 1
        asked += 1
    log.flush()
    print("done", flush=True)
"""


def descriptors(pid):
    """The kernel's own account of each kernel program and link that a process holds."""
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/fdinfo/{descriptor}", encoding="ascii") as file:
                yield dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


class BudgetTls(TlsCase):
    BUDGET = "1%"

    def links(self, recorder):
        """How many links the program at the entries of calls that move bytes has."""
        shown = subprocess.run(["bpftool", "-j", "prog", "show"], check=True, capture_output=True, text=True).stdout
        names = {str(p["id"]): p.get("name") for p in json.loads(shown)}
        own = [d for d in descriptors(recorder.process.pid) if names.get(d.get("prog_id")) == "tls_enter"]
        return len({d["link_id"] for d in own if "link_id" in d})

    def test_probes_are_removed_between_looks(self):
        plain = tls_case.CONFIGURATION
        tls_case.CONFIGURATION = plain.replace("keepalive_requests", "keepalive_timeout 600; keepalive_requests", 1)
        try:
            server = self.nginx()
        finally:
            tls_case.CONFIGURATION = plain
        worker = harness.child_of(server.pid)
        log = self.scratch / "client.jsonl"
        client = self.start(
            [sys.executable, "-c", CLIENT, self.port, log],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.stdin.close)
        self.assertEqual(client.stdout.readline(), "connected\n")
        recording = Recording(
            self.scratch / "flight.tcap",
            [
                "-p",
                worker,
                "--tls",
                "probes",
                "--only",
                "io,arrivals,tasks,net,tls",
                "--budget",
                self.BUDGET,
                "--rotate",
                "50MB",
                "--files",
                "200",
                "--sample-seed",
                "7",
            ],
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        placed = self.links(recording)
        self.assertGreater(placed, 0)

        said = []

        def wait_for(share, links, what, seconds):
            def reached():
                time.sleep(1)  # an answer is a part of the cost
                said.append((self.tailcap("status", recording.file), self.links(recording)))
                return share in said[-1][0] and links(said[-1][1])

            try:
                wait_until(reached, what, seconds)
            except AssertionError:
                self.fail(f"not {what}: {said[-10:]}")

        def ask(rate, seconds):
            client.stdin.write(f"{rate} {seconds}\n")

        ask(10, 1)
        self.assertEqual(client.stdout.readline(), "done\n")
        ask(5000, 15)
        wait_for("no connection is recorded", lambda now: now < placed, "a pause without probes", 30)
        self.assertEqual(client.stdout.readline(), "done\n")
        wait_for("all connections are recorded", lambda now: now == placed, "everything, when idle", 150)
        ask(100, 3)
        self.assertEqual(client.stdout.readline(), "done\n")
        time.sleep(0.5)
        self.assertEqual(recording.stop(), 0, recording.said)

        asked = {line["id"]: line["done"] for line in json_lines(log.read_text())}
        found, pauses = collections.Counter(), 0
        for file in sorted(self.scratch.glob("flight-*.tcap")):
            self.assert_blocks_sound(file)
            info = json.loads(self.tailcap("info", file, "--json", code=(0, 3)))
            self.assertEqual(info["lost"], 0, file)
            rows = json_lines(self.tailcap("requests", file, "--json", code=(0, 3)))
            self.assertEqual([r for r in rows if r["outcome"] in ("no_response", "truncated", "reset")][:2], [], file)
            for row in rows:
                if row["complete"]:
                    self.assertEqual((row["tls"], row["status"], row["response_bytes"]), (True, 200, 256), row)
                    found[row["path"].split("?")[1]] += 1
            if info["one_connection_in"] is None:
                pauses += 1
                moved = [
                    e
                    for kind in ("tls_send", "tls_receive")
                    for e in json_lines(self.tailcap("events", file, "--json", "--kind", kind))
                ]
                self.assertEqual([e for e in moved if e["time"] > info["first_ns"] + 20_000_000][:2], [], file)
        self.assertGreater(pauses, 0)
        self.assertEqual([number for number in found if number not in asked], [], "nobody asked for it")
        self.assertEqual([number for number, count in found.items() if count > 1], [], "it was asked once")
        last = [number for number in asked if int(number) >= len(asked) - 250]
        self.assertEqual([number for number in last if number not in found], [], "all of them are recorded again")


if __name__ == "__main__":
    harness.main()
