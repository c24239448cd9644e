"""What no probe can read is said first: a server whose OpenSSL has no symbols; and what is no gap: a protocol that is not HTTP."""
import json
import socket
import ssl
import subprocess
import sys

import harness
from harness import Case, free_port, wait_until

# A store that speaks lines, such as a database, and a server of HTTP that asks it for each request.
STORE = r'''
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = listener.accept()
    with c, c.makefile("rb") as lines:
        for line in lines:
            c.sendall(b"$5 " + line.strip()[::-1] + b"\n")
'''
SERVER = r'''
import socket, sys
store = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
answers = store.makefile("rb")
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = listener.accept()
    with c:
        ask = b""
        while not ask.endswith(b"\r\n\r\n"):
            more = c.recv(4096)
            if not more:
                break
            ask += more
        if ask:
            store.sendall(b"*1 look up " + ask.split()[1] + b"\n")
            body = answers.readline()
            c.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
'''
# A proxy that never has the bytes itself: it splices them through a pipe, both ways, until an end closes.
SPLICE = r'''
import os, socket, sys, threading
def pump(source, target):
    r, w = os.pipe()
    while True:
        n = os.splice(source.fileno(), w, 65536)
        if n == 0:
            break
        while n > 0:
            n -= os.splice(r, target.fileno(), n)
    target.shutdown(socket.SHUT_WR)
    os.close(r)
    os.close(w)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = listener.accept()
    behind = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    other = threading.Thread(target=pump, args=(behind, c))
    other.start()
    pump(c, behind)
    other.join()
    c.close()
    behind.close()
'''


class Unread(Case):
    REQUESTS = 7

    def ask(self, port, name, tls):
        for i in range(self.REQUESTS):
            self.curl("-k", f"{'https' if tls else 'http'}://127.0.0.1:{port}/{name}/{i}")

    def shake_hands(self, port):
        """A connection that asks for nothing, as a health check makes."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port)) as s, context.wrap_socket(s) as tls:
            tls.unwrap()

    def quality(self, recording, code):
        return json.loads(self.tailcap("report", recording.file, "--json", code=code))["quality"]

    def serve(self):
        secret, port = free_port(), free_port()
        key, certificate = self.scratch / "key.pem", self.scratch / "certificate.pem"
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                key,
                "-out",
                certificate,
                "-days",
                "2",
                "-subj",
                "/CN=unread",
            ],
            check=True,
            capture_output=True,
        )
        log = open(self.scratch / "served", "w+")
        self.addCleanup(log.close)
        server = self.start([harness.BUILD / "tests/e2e/tls-static", secret, port, certificate, key], stdout=log)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the server")
        return server, secret, port

    def test_the_first_line_says_what_was_encrypted(self):
        server, secret, port = self.serve()
        with self.record("-p", server.pid) as recording:
            self.ask(secret, "secret", True)
            self.ask(port, "plain", False)
            self.shake_hands(secret)
        served = (self.scratch / "served").read_text().split()
        self.assertEqual(
            sorted(served), sorted(f"/{name}/{i}" for name in ("secret", "plain") for i in range(self.REQUESTS))
        )
        rows = self.requests(recording, code=3)
        self.assertEqual(sorted(row["path"] for row in rows), [f"/plain/{i}" for i in range(self.REQUESTS)])
        quality = self.quality(recording, 3)
        self.assertEqual(
            (quality["connections_moved"], quality["connections_unread"]), (2 * self.REQUESTS + 1, self.REQUESTS)
        )
        said = f"{self.REQUESTS} of {2 * self.REQUESTS + 1} connections are encrypted and were not read"
        for options in (["--full"], ["--brief"], ["--format", "agent"]):
            text = " ".join(self.tailcap("report", recording.file, *options, code=3).split())
            self.assertIn(f"Read with care: {said}", text)
            self.assertIn(
                f"TLS of {self.REQUESTS} connections ({self.REQUESTS} accepted at 127.0.0.1:{secret}): requests in it are missing",
                text,
            )
            self.assertNotIn("Complete", text)
        self.assertIn(
            f"accepted at 127.0.0.1:{secret}): requests in it are missing", self.tailcap("info", recording.file, code=3)
        )
        self.assertIn(f"not read: at least {self.REQUESTS + 1} of {self.REQUESTS + 1} TLS connections", recording.said)

    def test_a_server_of_tls_alone(self):
        server, secret, _ = self.serve()
        with self.record("-p", server.pid) as recording:
            self.ask(secret, "secret", True)
        text = " ".join(self.tailcap("report", recording.file, "--full", code=(3, 4)).split())
        self.assertIn(
            f"No HTTP request was seen: {self.REQUESTS} of {self.REQUESTS} connections are encrypted and were not read",
            text,
        )

    def test_what_openssl_reads_is_no_gap(self):
        """The client's end of the same connections: curl's library has its symbols."""
        server, secret, _ = self.serve()
        client = self.named("curl")
        with self.record("--comm", client.name) as recording:
            self.ask(secret, "secret", True)
        rows = self.requests(recording, role="client")
        self.assertEqual(sorted(row["path"] for row in rows), [f"/secret/{i}" for i in range(self.REQUESTS)])
        self.assertEqual(self.quality(recording, 0)["connections_unread"], 0)
        self.assertNotIn("not read", recording.said)

    def test_another_protocol_is_a_fact(self):
        store_port, port = free_port(), free_port()
        self.start([sys.executable, "-c", STORE, store_port])
        wait_until(lambda: harness.answers(("127.0.0.1", store_port)), "the store")
        server = self.start([sys.executable, "-c", SERVER, port, store_port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the server")
        with self.record("-p", server.pid) as recording:
            self.ask(port, "item", False)
        self.assertEqual(len(self.requests(recording)), self.REQUESTS)
        quality = self.quality(recording, 0)
        self.assertEqual((quality["connections_unread"], quality["requests"]), (0, self.REQUESTS))
        text = " ".join(self.tailcap("report", recording.file, "--full").split())
        self.assertIn("Complete: ", text)
        self.assertNotIn("encrypted", text)

    def test_bytes_that_nothing_captured(self):
        store_port, behind, port = free_port(), free_port(), free_port()
        self.start([sys.executable, "-c", STORE, store_port])
        wait_until(lambda: harness.answers(("127.0.0.1", store_port)), "the store")
        self.start([sys.executable, "-c", SERVER, behind, store_port])
        wait_until(lambda: harness.answers(("127.0.0.1", behind)), "the server")
        proxy = self.start([sys.executable, "-c", SPLICE, port, behind])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the proxy")
        with self.record("-p", proxy.pid) as recording:
            self.ask(port, "item", False)
        text = " ".join(self.tailcap("report", recording.file, "--full", code=(3, 4)).split())
        self.assertRegex(text, r"No HTTP request was seen: \d+ connections moved bytes that were not captured")
        unseen = next(f["count"] for f in self.quality(recording, (3, 4))["findings"] if f["name"] == "bytes_unseen")
        self.assertGreaterEqual(unseen, self.REQUESTS)


if __name__ == "__main__":
    harness.main()
