"""Packets that the kernel drops: as many, for the reasons and with the destinations, as sockets, rules and counters of the kernel say."""
import json
import re
import subprocess
import sys
import time

import harness
from harness import Case, ip

# Sends N datagrams to each of the ports, from a namespace of its own, when a line comes.
SENDER = r"""
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sys.stdin.readline()
for word in sys.argv[2:]:
    port, count = map(int, word.split("*"))
    for n in range(count):
        try:
            s.sendto(b"x" * 100, (sys.argv[1], port))
        except ConnectionRefusedError:  # of the one before
            s.sendto(b"x" * 100, (sys.argv[1], port))
        time.sleep(0.001)
"""

# Has a socket with a small queue that it never reads, and says when.
DEAF = r"""
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
s.bind(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
time.sleep(600)
"""

SERVER = r"""
import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    s.accept()[0].sendall(b"x")
"""

RULES = """
table inet drops {
  chain in {
    type filter hook input priority 0; policy accept;
    udp dport 7003 counter drop
    tcp dport 7005 counter drop
  }
}
"""


class Drops(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.space = self.network_namespace("drop")
        # Addresses that nothing else on the machine has.
        ip("-n", self.space, "addr", "add", "10.79.83.1/32", "dev", "lo")
        ip("-n", self.space, "addr", "add", "fd79::83:1/128", "dev", "lo", "nodad")

    def within(self, program, *arguments):
        process = self.start(
            ["ip", "netns", "exec", self.space, sys.executable, "-c", program, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        return process

    def run_in(self, *command, **options):
        done = subprocess.run(
            ["ip", "netns", "exec", self.space, *command], check=True, capture_output=True, text=True, **options
        )
        return done.stdout

    def send(self, *words):
        sender = self.within(SENDER, *words)
        sender.communicate(b"go\n", timeout=60)
        self.assertEqual(sender.returncode, 0)

    def dropped(self, recording, address):
        """By reason and port: what is said of packets to this address."""
        told = json.loads(self.tailcap("diag", recording.file, "--json"))
        self.assertTrue(told["complete"])
        counts = {}
        for one in told["drops"]["listed"]:
            if one["to"] and one["to"].startswith(address):
                counts[one["reason"], int(one["to"].rsplit(":", 1)[1])] = one["count"]
                self.assertLessEqual(one["most"], one["count"])
        self.assertGreaterEqual(told["drops"]["count"], sum(counts.values()))
        return told, counts

    def counter(self, name):
        """One of the namespace's Udp counters."""
        lines = [l.split() for l in self.run_in("cat", "/proc/net/snmp").splitlines() if l.startswith("Udp:")]
        return int(dict(zip(lines[0], lines[1]))[name])

    def test_reasons_and_destinations(self):
        target = self.within("import time; time.sleep(600)")
        deaf = self.within(DEAF, 7002)
        self.assertEqual(deaf.stdout.readline(), b"ready\n")
        self.run_in("nft", "-f", "-", input=RULES)
        with self.record("-p", target.pid) as recording:
            self.send("10.79.83.1", "7001*40", "7002*60", "7003*25")
            time.sleep(1.2)
            self.send("10.79.83.1", "7001*7")
            self.send("fd79::83:1", "7004*11")
        # The kernel's own counts of the same packets.
        full = int(self.run_in("cat", "/proc/net/udp").split("1B5A")[1].split("\n")[0].split()[-1])
        self.assertGreater(full, 10)
        filtered = int(re.search(r"counter packets (\d+)", self.run_in("nft", "list", "ruleset"))[1])
        self.assertEqual(self.counter("NoPorts"), 47)
        told, counts = self.dropped(recording, "10.79.83.1")
        self.assertEqual(
            {key: count for key, count in counts.items() if key[1] in (7001, 7002, 7003)},
            {("NO_SOCKET", 7001): 47, ("SOCKET_RCVBUFF", 7002): full, ("NETFILTER_DROP", 7003): filtered},
        )
        _, counts = self.dropped(recording, "[fd79::83:1]")
        self.assertEqual(counts, {("NO_SOCKET", 7004): 11})
        finding = {f["kind"]: f for f in told["findings"]}["drops"]
        self.assertEqual(finding["count"], told["drops"]["count"])
        # In the seconds in which they were sent.
        events = [
            e
            for e in harness.json_lines(self.tailcap("events", recording.file, "--json", "--kind", "packet_drops"))
            if e["to"] == "10.79.83.1:7001"
        ]
        self.assertGreaterEqual(len({e["began"] for e in events}), 2, events)
        self.assertEqual(sum(e["count"] for e in events), 47)

    def test_a_report_lists_those_for_its_own_sockets(self):
        server = self.within(SERVER, 7005)
        self.assertEqual(server.stdout.readline(), b"ready\n")
        with self.record("-p", server.pid) as recording:
            client = "import socket; socket.create_connection(('10.79.83.1', 7005), 5).recv(1)"
            self.run_in(sys.executable, "-c", client)
            self.run_in("nft", "-f", "-", input=RULES)
            # Some SYNs, and datagrams to a port of that number and to others.
            subprocess.run(["ip", "netns", "exec", self.space, sys.executable, "-c", client], capture_output=True)
            self.send("10.79.83.1", "7001*5")
        rules = self.run_in("nft", "list", "ruleset")
        lost = int(re.search(r"tcp dport 7005 counter packets (\d+)", rules)[1])
        self.assertGreater(lost, 1)
        told = json.loads(self.tailcap("report", recording.file, "--json"))["quality"]["dropped_packets"]
        self.assertEqual(
            [(d["reason"], d["to"], d["count"]) for d in told], [("NETFILTER_DROP", "10.79.83.1:7005", lost)]
        )
        text = re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--full"))
        self.assertIn(f"{lost} to 10.79.83.1:7005 because of NETFILTER_DROP", text)

    def test_more_destinations_than_are_counted_apart(self):
        target = self.within("import time; time.sleep(600)")
        with self.record("-p", target.pid) as recording:
            self.send("10.79.83.1", *(f"{port}*1" for port in range(20000, 20900)))
        told = json.loads(self.tailcap("diag", recording.file, "--json"))
        events = harness.json_lines(self.tailcap("events", recording.file, "--json", "--kind", "packet_drops"))
        to = [e for e in events if e["to"].startswith("10.79.83.1:")]
        rest = [e for e in events if not e["to"] and e["reason"] == "NO_SOCKET"]
        self.assertEqual(self.counter("NoPorts"), 900)
        self.assertGreaterEqual(sum(e["count"] for e in to + rest), 900)
        self.assertLessEqual(sum(e["count"] for e in to), 900)
        self.assertLessEqual(len(told["drops"]["listed"]), 100)


if __name__ == "__main__":
    harness.main()
