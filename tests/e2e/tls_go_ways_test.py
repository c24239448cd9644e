"""TLS of Go by probes, by keys and by both: three recorders of the same traffic say the same of every request, and what the
servers' logs say."""
import collections
import os
import socket
import ssl
import subprocess
import threading
import time

import harness
from harness import json_lines, wait_until
from tls_ways_test import WAYS, Compared


class GoWays(Compared):
    """Servers and clients of Go, each with the other, with curl and with nginx."""

    release = None  # as /usr/bin/go is
    UNBOUND = 25

    def setUp(self):
        super().setUp()
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls_ways.go")
        self.peer = self.scratch / "tls-ways"
        compiler = f"/usr/lib/go-{self.release}/bin/go" if self.release else "go"
        if self.release and not os.path.exists(compiler):
            self.skipTest(f"Go {self.release} is not installed")
        subprocess.run(
            [compiler, "build", "-ldflags=-s -w", "-o", self.peer, source],
            check=True,
            timeout=100,
            env=dict(os.environ, GO111MODULE="off", GOTOOLCHAIN="local"),
        )
        self.own = ("-certificate", self.certificate, "-key", self.key)

    def paths(self, count=40):
        return [f"/{'large' if i % 10 == 3 else 'small'}{'-upload' if i % 7 == 5 else ''}/{i}" for i in range(count)]

    def go_server(self, *flags):
        server = self.start([self.peer, *self.own, *flags, "serve", f"127.0.0.1:{self.port}", self.scratch / "log"])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        return server

    def get(self, *flags, paths=None):
        subprocess.run(
            [self.peer, *self.own, *flags, "get", f"localhost:{self.port}", *(paths or self.paths())],
            check=True,
            timeout=60,
        )

    def check(self, rows, roles=("server", "client"), truth=None):
        truth = collections.Counter(truth or (self.scratch / "log").read_text().split())
        self.assertGreater(sum(truth.values()), 2)
        for way in WAYS:
            for role in roles:
                self.assertEqual(
                    collections.Counter(r["path"] for r in rows[way] if r["role"] == role), truth, (way, role)
                )
        return rows

    def sessions_by_keys(self):
        """How many connections of each way were read by keys."""
        notes = {way: self.tailcap("events", self.scratch / f"{way}.tcap", "--json", "--kind", "note") for way in WAYS}
        said = {way: [n["value"] for n in json_lines(notes[way]) if n["key"] == "tailcap.tls.keys"] for way in WAYS}
        return {way: int(said[way][-1].split()[1]) if said[way] else 0 for way in WAYS}

    def both_go(self, server=(), client=(), paths=None, connections=1):
        process = self.go_server(*server, *client)
        rows = self.check(self.both(lambda: self.get(*client, paths=paths), "-p", process.pid, "--comm", "tls-ways"))
        read = self.sessions_by_keys()
        self.assertEqual(read["probes"], 0)
        for way in WAYS[1:]:
            self.assertGreaterEqual(read[way], 2 * connections, read)
        return rows

    def test_http1_tls_1_2(self):
        self.both_go(client=("-most", "1.2", "-h1"))

    def test_http1_tls_1_3(self):
        self.both_go(client=("-h1",))

    def test_http2_tls_1_2(self):
        self.both_go(client=("-most", "1.2"))

    def test_http2_tls_1_3(self):
        self.both_go()

    def test_http2_at_once(self):
        self.both_go(client=("-at-once",))

    def test_chacha(self):
        self.both_go(client=("-most", "1.2", "-suite", str(0xCCA9), "-h1"))

    def test_a_cipher_that_keys_do_not_read(self):
        """By keys and probes: all but what the first such connection carried before there were probes."""
        process = self.go_server("-most", "1.2", "-suite", str(0xC009), "-h1")
        cbc = ("-most", "1.2", "-suite", str(0xC009), "-h1")
        with self.record("--tls", "auto", "-p", process.pid, code=(0, 3)) as recording:
            recording.wait_said()
            self.get(*cbc, paths=["/small/first"])
            time.sleep(2)
            self.get(*cbc, paths=self.paths())
        found = collections.Counter(r["path"] for r in self.requests(recording, role="server", code=(0, 3)))
        # Perhaps only the response of the first was recorded.
        self.assertLessEqual(found.pop("/small/first", 0) + found.pop(None, 0), 1)
        self.assertEqual(found, collections.Counter(self.paths()))

    def test_a_retried_hello(self):
        self.both_go(server=("-p256",))

    def test_certificates_of_both(self):
        self.both_go(client=("-mutual",))

    def test_resumption(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                for file in self.scratch.glob("*.tcap"):
                    file.unlink()
                self.port = harness.free_port()
                self.both_go(client=("-most", version, "-fresh", "-h1"), paths=self.paths(8), connections=8)

    def test_both_ends_in_one_process(self):
        for flags in ((), ("-h1", "-most", "1.2")):
            with self.subTest(flags=flags):
                for file in self.scratch.glob("*.tcap"):
                    file.unlink()
                both = self.start(
                    [self.peer, *self.own, *flags, "both", self.scratch / "log", *self.paths()], stdin=subprocess.PIPE
                )
                self.port = None

                def load():
                    both.stdin.close()
                    self.assertEqual(both.wait(timeout=60), 0)

                self.check(self.both(load, "-p", both.pid))

    def test_a_client_that_ends_in_the_middle_of_a_write(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        taken = []

        def accept():  # and read nothing
            while len(taken) < 2:
                taken.append(context.wrap_socket(listener.accept()[0], server_side=True))

        server = threading.Thread(target=accept)
        server.start()
        address = f"localhost:{listener.getsockname()[1]}"
        with self.record("--tls", "probes", "--comm", "tls-ways", code=3) as recording:
            first = self.start([self.peer, *self.own, "-h1", "leave", address])
            self.assertEqual(first.wait(timeout=30), 0)
            time.sleep(1)
            second = self.start([self.peer, *self.own, "-h1", "leave", address])
            self.assertEqual(second.wait(timeout=30), 0)
        server.join(timeout=10)
        for connection in taken:
            connection.close()
        self.assertRegex(
            recording.said, r"\b[12] tls_send: writes of Go that had not returned when their process ended"
        )

    def test_curl(self):
        process = self.go_server()

        def load():
            for version in (
                ("--tls-max", "1.2"),
                ("--tlsv1.3",),
                ("--tlsv1.3", "--http1.1"),
                ("--tlsv1.3", "--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"),
            ):
                self.curl(
                    "-k",
                    "--no-progress-meter",
                    *version,
                    *(a for p in self.paths(5) for a in ("-o", "/dev/null", f"https://127.0.0.1:{self.port}{p}")),
                )

        self.check(self.both(load, "-p", process.pid), roles=("server",))

    def test_nginx(self):
        server = self.server(how="ssl http2;")
        paths = [f"/{'large' if i % 5 == 0 else 'small'}?{i}" for i in range(20)]
        running = self.start([self.peer, *self.own, "serve", "127.0.0.1:0", "/dev/null"])

        def load():
            for version in ("1.2", "1.3"):
                self.get("-most", version, paths=[f"{p}-{version}" for p in paths])

        rows = self.both(load, "-p", running.pid, "--comm", "tls-ways")
        self.check(rows, roles=("client",), truth=self.log(server))

    def test_key_updates(self):
        process = self.go_server("-h1")
        requests = [(b"GET /small/%s HTTP/1.1\nHost: a\n\n" % name, b"x" * 256) for name in (b"a", b"b", b"c", b"d")]
        said = [requests[0], (b"K\n", b""), requests[1], (b"k\n", b""), requests[2], requests[3]]
        rows = self.both(lambda: self.s_client("-tls1_3", said=said), "-p", process.pid)
        self.check(rows, roles=("server",))


class NewestGoWays(GoWays):
    """As GoWays, with the newest release that is installed."""

    release = max(
        (d[3:] for d in os.listdir("/usr/lib") if d.startswith("go-1.")),
        key=lambda r: int(r.split(".")[1]),
        default="1.19",
    )


if __name__ == "__main__":
    harness.main()
