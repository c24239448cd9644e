"""TLS by probes, by keys and by both: three recorders of the same traffic say the same of every request, and what the
server's log says."""
import collections
import contextlib
import json
import subprocess
import sys
import time

import harness
import tls_case
from harness import json_lines
from tls_case import TlsCase

# A client that reads and writes records of its own choice: several in one write, one in several, and half of one at last.
PIECES_CLIENT = """
import socket, ssl, sys, time
port = int(sys.argv[1])
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = getattr(ssl.TLSVersion, sys.argv[2])
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing)
s = socket.create_connection(("127.0.0.1", port))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def do(call, *arguments):
    while True:
        try:
            done = call(*arguments)
            break
        except ssl.SSLWantReadError:
            s.sendall(outgoing.read())
            incoming.write(s.recv(65536))
    return done
do(tls.do_handshake)
s.sendall(outgoing.read())
def answers(n):
    got = b""
    while got.count(b"HTTP/1.1 200") < n or not got.endswith(b"s" * 256):
        got += do(tls.read, 65536)
request = lambda name: b"GET /small?%s HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n" % name
for i in range(5):  # many records in one write
    for j in range(7):
        tls.write(request(b"many-%d-%d" % (i, j)))
    s.sendall(outgoing.read())
    answers(7)
for i in range(5):  # one record in many segments
    tls.write(request(b"split-%d" % i))
    for byte in outgoing.read():
        s.sendall(bytes([byte]))
        time.sleep(0.0005)
    answers(1)
for i in range(5):  # one request in many records
    for byte in request(b"bytes-%d" % i):
        tls.write(bytes([byte]))
    s.sendall(outgoing.read())
    answers(1)
tls.write(request(b"never"))
s.sendall(outgoing.read()[:-1])
s.close()
"""

# Begins with a small request, and goes on once the recorder has seen that the connection carries HTTP/1.
PATIENT_CLIENT = """
import http.client, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = getattr(ssl.TLSVersion, sys.argv[2])
c = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), context=context)
for i in range(40):
    if i in (1, 20):
        time.sleep(0.5)
    c.request("GET", "/%s?%d" % ("large" if i % 3 else "small", i), headers={"X-Long": "l" * (3000 if i % 5 == 0 else 10)})
    c.getresponse().read()
c.close()
"""

WAYS = ("probes", "keys", "auto")


def unbound(row):
    row = json.loads(row)
    return (row["local"], row["remote"], row["tainted"]) == ("unknown", "unknown", ["arrival_unknown"])


def apart_from_connection(row):
    return json.dumps(
        {k: v for k, v in json.loads(row).items() if k not in ("local", "remote", "tainted")}, sort_keys=True
    )


class Compared(TlsCase):
    """What three recorders made of the same load."""

    # The most requests in a hundred whose connection probes may leave open: they bind a session to it by time.
    UNBOUND = 0

    def server(self, more="", how="ssl;"):
        plain = tls_case.CONFIGURATION
        tls_case.CONFIGURATION = plain.replace("ssl;", how, 1).replace(
            "keepalive_requests", f"ssl_protocols TLSv1.2 TLSv1.3; {more} keepalive_requests"
        )
        try:
            return self.nginx()
        finally:
            tls_case.CONFIGURATION = plain

    def both(self, load, *targets):
        """What each recorder made of the load, by way; a row without what only its clock or its numbers say."""
        with contextlib.ExitStack() as stack:
            recordings = {
                way: stack.enter_context(self.record("--tls", way, *targets, name=f"{way}.tcap")) for way in WAYS
            }
            load()
        rows = {}
        for way, recording in recordings.items():
            self.assert_whole(recording)
            # Other programs of these names may run on this machine, whose connections need not be read: 3.
            rows[way] = [
                r
                for r in self.requests(recording, code=(0, 3))
                if not self.port or {r["local"], r["remote"]} & {"unknown", f"127.0.0.1:{self.port}"}
            ]
            self.assertEqual(
                sum(
                    e["kind"] == "loss"
                    for e in json.loads(
                        "["
                        + ",".join(self.tailcap("events", recording.file, "--json", "--kind", "loss").split("\n")[:-1])
                        + "]"
                    )
                ),
                0,
            )
        keys = (
            "role",
            "pid",
            "local",
            "remote",
            "method",
            "path",
            "host",
            "status",
            "request_bytes",
            "response_bytes",
            "complete",
            "outcome",
            "tainted",
            "tls",
        )
        same = {
            way: collections.Counter(json.dumps({k: r.get(k) for k in keys}, sort_keys=True) for r in rows[way])
            for way in WAYS
        }
        self.maxDiff = None
        for way in WAYS[1:]:
            more, fewer = (sorted((same[a] - same[b]).elements()) for a, b in ((way, "probes"), ("probes", way)))
            if fewer and len(fewer) <= len(rows["probes"]) * self.UNBOUND / 100 and all(unbound(row) for row in fewer):
                more, fewer = (sorted(apart_from_connection(row) for row in some) for some in (more, fewer))
                self.assertEqual(more, fewer, way)
            else:
                self.assertEqual((more, fewer), ([], []), way)
        return rows

    def log(self, server):
        return collections.Counter(t["request"] for t in self.access_log(server))

    def served(self, rows):
        return collections.Counter(r["path"] for r in rows if r["role"] == "server")

    def s_client(self, *arguments, said):
        """openssl s_client; said: what is typed, each with what has to be read before the next."""
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *arguments],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for text, wanted in said:
            client.stdin.write(text)
            if not wanted:
                time.sleep(0.5)  # a command of s_client
            got = b""
            while wanted not in got:
                piece = client.stdout.read(4096)
                self.assertTrue(piece, got)
                got += piece
        client.stdin.write(b"Q\n")
        client.communicate(timeout=20)

    def request(self, name):
        return b"GET /small?%s HTTP/1.1\nHost: a\n\n" % name, b"s" * 256


class Ways(Compared):
    def curl_load(self, *arguments):
        urls = [f"{self.url}/{'large' if i % 10 == 0 else 'small'}?{i}" for i in range(101)]
        config = self.scratch / "urls"
        config.write_text("".join(f'url = "{u}"\noutput = "/dev/null"\n' for u in urls))
        self.curl("-k", "--no-progress-meter", *arguments, "-K", config)

    def curl_case(self, *arguments, **options):
        server = self.server(**options)
        rows = self.both(lambda: self.curl_load(*arguments), "--comm", "nginx", "--comm", "curl")
        truth = self.log(server)
        self.assertEqual(sum(truth.values()), 101)
        for way in WAYS:
            self.assertEqual(self.served(rows[way]), truth, way)
            self.assertEqual(collections.Counter(r["path"] for r in rows[way] if r["role"] == "client"), truth, way)

    def test_tls_1_2(self):
        self.curl_case("--tls-max", "1.2")

    def test_tls_1_3(self):
        self.curl_case("--tlsv1.3")

    def test_chacha(self):
        self.curl_case("--tlsv1.3", "--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256")

    def test_aes_128(self):
        self.curl_case("--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")

    def test_a_retried_hello(self):
        self.curl_case("--tlsv1.3", "--curves", "X25519:P-384", more="ssl_ecdh_curve secp384r1;")

    def test_http2(self):
        self.curl_case("--http2", "--tlsv1.3", how="ssl http2;")

    def test_pieces_of_records(self):
        server = self.server()
        program = self.scratch / "client.py"
        program.write_text(PIECES_CLIENT)

        def load():
            for version in ("TLSv1_2", "TLSv1_3"):
                subprocess.run([sys.executable, program, str(self.port), version], check=True, timeout=240)

        rows = self.both(load, "--comm", "nginx")
        truth = self.log(server)
        self.assertEqual(sum(truth.values()), 2 * 45)
        for way in WAYS:
            self.assertEqual(self.served(rows[way]), truth, way)

    def test_ends_of_long_records(self):
        server = self.server()
        program = self.scratch / "client.py"
        program.write_text(PATIENT_CLIENT)

        def load():
            for version in ("TLSv1_2", "TLSv1_3"):
                subprocess.run([sys.executable, program, str(self.port), version], check=True, timeout=240)

        rows = self.both(load, "--comm", "nginx")
        truth = self.log(server)
        self.assertEqual(sum(truth.values()), 80)
        # A long record is three events where all of it is kept, two where its beginning and its end are.
        parts = [
            e["length"]
            for e in json_lines(self.tailcap("events", self.scratch / "keys.tcap", "--json", "--kind", "send"))
        ]
        self.assertGreater(parts.count(64), 500)
        for way in WAYS:
            self.assertEqual(self.served(rows[way]), truth, way)

    def check_names(self, load, names):
        server = self.server()
        rows = self.both(load, "--comm", "nginx", "--comm", "openssl")
        truth = self.log(server)
        self.assertEqual(sorted(truth), sorted(f"/small?{n}" for n in names))
        for way in WAYS:
            self.assertEqual(self.served(rows[way]), truth, way)

    def test_key_updates(self):
        """K asks for an update of both directions, k for one."""
        names = [b"a", b"b", b"c"]
        self.check_names(
            lambda: self.s_client(
                "-tls1_3",
                said=[self.request(b"a"), (b"K\n", b""), self.request(b"b"), (b"k\n", b""), self.request(b"c")],
            ),
            [n.decode() for n in names],
        )

    def test_resumption(self):
        tickets = self.scratch / "ticket"

        def load():
            for version in ("-tls1_2", "-tls1_3"):
                self.s_client(version, "-sess_out", tickets, said=[self.request(version[1:].encode() + b"-first")])
                self.s_client(version, "-sess_in", tickets, said=[self.request(version[1:].encode() + b"-again")])

        self.check_names(load, [f"tls1_{v}-{w}" for v in (2, 3) for w in ("first", "again")])

    def test_early_data_that_is_refused(self):
        """The server is recorded: the client's library takes early data by a call that, to its probes, is a write."""
        ticket, early = self.scratch / "ticket", self.scratch / "early"
        early.write_bytes(b"GET /small?early HTTP/1.1\r\nHost: a\r\n\r\n")
        server = self.server("ssl_early_data on;")
        self.s_client("-tls1_3", "-sess_out", ticket, said=[self.request(b"first")])
        configuration = self.scratch / "nginx.conf"
        configuration.write_text(configuration.read_text().replace("ssl_early_data on;", "ssl_early_data off;"))
        server.send_signal(1)
        time.sleep(0.5)
        rows = self.both(
            lambda: self.s_client("-tls1_3", "-sess_in", ticket, "-early_data", early, said=[self.request(b"later")]),
            "--comm",
            "nginx",
        )
        truth = self.log(server)
        self.assertIn("/small?later", truth)
        for way in WAYS:
            self.assertEqual(self.served(rows[way]), truth - collections.Counter(["/small?first"]), way)


if __name__ == "__main__":
    harness.main()
