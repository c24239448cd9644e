"""A part of all connections is recorded, each whole or not at all: against the client's log and a rule computed here."""
import ipaddress
import json
import subprocess
import sys

import harness
from harness import Case, Recording, free_port, json_lines, wait_until
from tls_case import TlsCase

PEER = harness.ROOT / "tests/e2e/sampling_peer.py"
MASK = (1 << 64) - 1


def mixed(x):
    """SplitMix64's finalizer."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def end_number(seed, host, port):
    address = ipaddress.ip_address(host)
    packed = address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed
    x = mixed(seed + 0x9E3779B97F4A7C15 & MASK)
    for part in (int.from_bytes(packed[:8], "little"), int.from_bytes(packed[8:], "little"), port):
        x = mixed(x ^ part)
    return x


def chosen(seed, of, one, other):
    return mixed(end_number(seed, *one) + end_number(seed, *other) & MASK) >> 32 < (1 << 32) // of


class Sampling(Case):
    CONNECTIONS = 160
    OF, SEED = 4, 7

    def serve(self, way, address, *tls):
        server = self.start([sys.executable, PEER, "serve", way, address, *tls])
        wait_until(
            lambda: harness.answers(("127.0.0.1", address) if isinstance(address, int) else address), "the server"
        )
        return server

    def record_both(self, server, address, connections=CONNECTIONS, tls="PLAIN", seed=SEED, more=()):
        """Records everything and a sample side by side. Returns the log and both recordings."""
        log = self.scratch / "calls.jsonl"
        client = self.start(
            [sys.executable, PEER, "call", address, log, connections, tls],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        targets = ["-p", server.pid, "-p", client.pid]
        with self.record(*targets, name="all.tcap") as everything:
            with self.record(
                *targets, "--sample-connections", f"1/{self.OF}", "--sample-seed", seed, *more, name="sample.tcap"
            ) as sample:
                client.stdin.write("go\n")
                client.stdin.flush()
                self.assertEqual(client.stdout.readline(), "done\n")
        client.stdin.close()
        client.stdout.close()
        return json_lines(log.read_text()), everything, sample

    # Arrivals are not known on UNIX sockets.
    def ids(self, recording, role, tainted=()):
        rows = self.requests(recording, role=role)
        ids = [row["x_request_id"] for row in rows]
        self.assertEqual(len(ids), len(set(ids)), "twice")
        self.assertEqual(
            [row for row in rows if not row["complete"] or set(row["tainted"]) - {"arrival_unknown", *tainted}][:2], []
        )
        if (
            "arrival_unknown" not in tainted
        ):  # on a busy machine the arrival of a retransmitted segment may not be seen; its request says so
            self.assertLessEqual(sum("arrival_unknown" in row["tainted"] for row in rows), 2)
        return set(ids)

    def by_rule(self, log, port, seed=SEED):
        """The requests of the connections that the rule chooses, and how many connections that are."""
        kept = {
            line["connection"]
            for line in log
            if chosen(seed, self.OF, line["local"], ("127.0.0.1" if "." in line["local"][0] else "::1", port))
        }
        return {line["id"] for line in log if line["connection"] in kept}, len(kept)

    def assert_sampled(self, log, everything, sample, port):
        ids = {line["id"] for line in log}
        expected, connections = self.by_rule(log, port)
        # Outside with a chance of 10^-7.
        self.assertTrue(14 <= connections <= 70, connections)
        self.assertLess(len(expected), len(ids))
        for role in ("server", "client"):
            self.assertEqual(self.ids(everything, role), ids)
            self.assertEqual(self.ids(sample, role), expected, role)
        return expected, connections

    def test_whole_connections_and_no_others(self):
        port = free_port()
        server = self.serve("threads", port)
        log, everything, sample = self.record_both(server, port)
        self.assert_whole(sample)
        expected, connections = self.assert_sampled(log, everything, sample, port)
        # What both saw is the same: when the connection was made, too.
        rows = {
            name: {row["x_request_id"]: row for row in self.requests(r, role="client")}
            for name, r in (("all", everything), ("sample", sample))
        }
        connects = 0
        for name in expected:
            one, other = rows["all"][name], rows["sample"][name]
            for field in ("method", "path", "status", "request_bytes", "response_bytes"):
                self.assertEqual(one[field], other[field])
            setups = one["setup"], other["setup"]
            self.assertEqual(setups[0] is None, setups[1] is None, name)
            if setups[0] and setups[0]["connect_ns"] is not None:
                connects += 1
                self.assertLess(abs(setups[0]["connect_ns"] - setups[1]["connect_ns"]), 50_000_000, name)
        self.assertEqual(connects, connections)
        # Nothing of the others is in the file: no socket, no bytes.
        sockets = {
            (e["local"].rsplit(":", 1)[1], e["remote"].rsplit(":", 1)[1])
            for e in json_lines(self.tailcap("events", sample.file, "--json", "--kind", "socket_info"))
            if e["remote"]
        }
        ports = {line["local"][1] for line in log if line["id"] in expected}
        for pair in sockets:
            self.assertTrue({int(p) for p in pair} & (ports | {0}), pair)
        # The number of all connections is counted, not estimated.
        notes = [
            e["value"]
            for e in json_lines(self.tailcap("events", sample.file, "--json", "--kind", "note"))
            if e["key"] == "tailcap.sampling.ends"
        ]
        self.assertEqual(notes[-1], f"{2 * connections} recorded, {2 * (self.CONNECTIONS - connections)} left out")

    def test_what_reports_say(self):
        port = free_port()
        server = self.serve("threads", port)
        log, _, sample = self.record_both(server, port)
        expected, connections = self.by_rule(log, port)
        report = json.loads(self.tailcap("report", sample.file, "--json"))
        said = report["quality"]["sampling"]
        self.assertEqual((said["one_in"], said["seed"], said["scales"]), (self.OF, self.SEED, True))
        self.assertEqual(
            (said["ends_recorded"], said["ends_left_out"]), (2 * connections, 2 * (self.CONNECTIONS - connections))
        )
        self.assertEqual(said["requests"]["value"], self.OF * len(expected))
        for route in report["routes"]:
            self.assertEqual(route["count"], len(expected))
            self.assertEqual(route["connections"], connections)
            self.assertEqual(route["all"]["requests"]["value"], self.OF * len(expected))
        for command in ("report", "info"):
            self.assertIn(f"1 of {self.OF} connections", " ".join(self.tailcap(command, sample.file).split()))

    def test_ends_of_unix_sockets_are_chosen_alike(self):
        path = self.scratch / "server.sock"
        server = self.serve("threads", path)
        log, everything, sample = self.record_both(server, path)
        served, made = (self.ids(sample, role, ["arrival_unknown"]) for role in ("server", "client"))
        self.assertEqual(served, made)
        self.assertEqual(self.ids(everything, "server", ["arrival_unknown"]), {line["id"] for line in log})
        connections = {line["connection"] for line in log if line["id"] in served}
        self.assertEqual(served, {line["id"] for line in log if line["connection"] in connections})
        self.assertTrue(14 <= len(connections) <= 70, connections)

    def test_a_connection_that_is_refused(self):
        port = free_port()
        server = self.serve("threads", free_port())
        # Bound before they connect, and kept: each has a port of its own.
        program = (
            "import json, socket, sys\nsys.stdin.readline()\nkept = [socket.socket() for _ in range(64)]\nports = []\n"
            "for s in kept:\n    s.bind(('127.0.0.1', 0))\n    ports.append(s.getsockname()[1])\n"
            "    try: s.connect(('127.0.0.1', %d))\n    except ConnectionRefusedError: pass\nprint(json.dumps(ports))\n"
            % port
        )
        client = self.start([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with self.record(
            "-p", server.pid, "-p", client.pid, "--sample-connections", "1/4", "--sample-seed", "1"
        ) as recording:
            client.stdin.write(b"go\n")
            client.stdin.close()
            ports = json.loads(client.stdout.read())
            client.stdout.close()
            client.wait(timeout=60)
        failures = json.loads(self.tailcap("report", recording.file, "--json", code=(0, 3, 4)))["connection_failures"]
        expected = sum(chosen(1, 4, ("127.0.0.1", own), ("127.0.0.1", port)) for own in ports)
        self.assertGreater(expected, 2)  # less with a chance of 10^-5
        self.assertEqual([(f["cause"], f["count"]) for f in failures], [("refused", expected)])


class SampledTls(TlsCase, Sampling):
    BY_OTHER_NAMES = True

    # Only what is called here is taken over from the plain class.
    test_whole_connections_and_no_others = test_what_reports_say = test_ends_of_unix_sockets_are_chosen_alike = None
    test_a_connection_that_is_refused = None

    def check_tls(self, way):
        server = self.serve(way, self.port, self.certificate, self.key)
        log, everything, sample = self.record_both(server, self.port, tls="TLS")
        expected, _ = self.assert_sampled(log, everything, sample, self.port)
        return log, sample, expected

    def heads(self, recording):
        events = [
            e
            for kind in ("tls_send", "tls_receive")
            for e in json_lines(self.tailcap("events", recording.file, "--json", "--kind", kind))
        ]
        return "".join(e["head"] for e in events)

    def test_tls_by_calls_on_sockets(self):
        log, sample, expected = self.check_tls("threads")
        # No plaintext of the other connections is in the file.
        text = self.heads(sample)
        for line in log:
            self.assertEqual(f"x-request-id: {line['id']}\r\n" in text, line["id"] in expected, line)

    def test_tls_in_memory(self):
        """Which connection carries a session of such a library follows from the lengths of two records at least."""
        server = self.serve("asyncio", self.port, self.certificate, self.key)
        log, _, sample = self.record_both(server, self.port, tls="TLS")
        expected, _ = self.by_rule(log, self.port)
        self.assertEqual(self.ids(sample, "client"), expected)
        served = self.ids(sample, "server")
        self.assertEqual(served - expected, set())
        alone = {line["id"] for line in log if line["connection"] % 4 == 0}
        self.assertEqual(expected - served - alone, set())
        said = json.loads(self.tailcap("report", sample.file, "--json"))["quality"]
        if harness.TLS != "probes":  # of which the connections are known
            return self.assertEqual((said["tls"]["unbound"], served), (0, expected))
        self.assertGreater(said["tls"]["unbound"], 0)
        self.assertFalse(said["sampling"]["scales"])
        self.assertIsNone(said["sampling"]["requests"])


if __name__ == "__main__":
    harness.main()
