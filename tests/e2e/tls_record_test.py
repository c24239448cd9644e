"""Plaintext of TLS, as OpenSSL hands it over, against what servers and clients logged."""
import os
import socket
import ssl
import subprocess
import sys
import textwrap
import time

import harness
from harness import wait_until
from tls_case import TlsCase

ECHO_SERVER = """
import asyncio, ssl, sys
async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(b"you said " + line)
        await writer.drain()
    writer.close()
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), ssl=context)
    async with server:
        await server.serve_forever()
asyncio.run(main())
"""


class OpenSsl(TlsCase):
    def test_nginx_keep_alive(self):
        server = self.nginx()
        urls = [f"{self.url}/{'large' if i % 10 == 0 else 'small'}?{i}" for i in range(211)]
        with self.record("--comm", "nginx", "--comm", "curl") as recording:
            config = self.scratch / "urls"
            config.write_text("".join(f'url = "{u}"\noutput = "/dev/null"\n' for u in urls))
            self.curl("-k", "--no-progress-meter", "-K", config)
            self.curl("-k", f"{self.url}/missing?211")
        self.assert_whole(recording)
        truth = self.access_log(server)
        self.assertEqual(len(truth), 212)
        by_connection = {}
        for t in truth:
            sums = by_connection.setdefault(t["connection"], [0, 0, []])
            sums[0] += t["sent"]
            sums[1] += t["received"]
            sums[2].append(t["request"])
        # nginx numbers connections in the order of their acceptance, so does the recorder its sessions.
        servers, clients = self.sessions(recording, comm="nginx"), self.sessions(recording, comm="curl")
        self.assertEqual(len(servers), len(by_connection))
        self.assertEqual(len(clients), len(by_connection))
        for (sent, received, requests), server_side, client_side in zip(by_connection.values(), servers, clients):
            for side, (out, into) in ((server_side, (sent, received)), (client_side, (received, sent))):
                self.assertEqual((side["out"], side["in"]), (out, into))
                self.assertEqual(side["library"], "openssl")
                self.assertEqual(side["steps"][0], "handshake", side["steps"])
                self.assertEqual(side["steps"][-1], "freed", side["steps"])
            # Every request line is there, in its order.
            lines = [l for l in server_side["heads"]["in"].split("\r\n") if l.startswith("GET ")]
            self.assertEqual(lines, [f"GET {r} HTTP/1.1" for r in requests])
            self.assertEqual(client_side["heads"]["out"], server_side["heads"]["in"])

    def echo_server(self):
        program = self.scratch / "echo.py"
        program.write_text(ECHO_SERVER)
        server = self.start(
            [sys.executable, program, str(self.port), self.certificate, self.key], stderr=subprocess.DEVNULL
        )
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the echo server")
        return server

    def test_a_failed_handshake(self):
        server = self.echo_server()
        with self.record("-p", server.pid, "--comm", "curl") as recording:
            untrusted = subprocess.run(
                ["curl", "-sS", f"https://localhost:{self.port}/page", "--resolve", f"localhost:{self.port}:127.0.0.1"],
                capture_output=True,
            )
            self.assertEqual(untrusted.returncode, 60, untrusted.stderr)
            time.sleep(0.5)  # the server may read the alert after the client has gone
        (failed,) = self.sessions(recording, comm="curl")
        # The library's reason: certificate verify failed. By the keys only the alert is known: unknown CA.
        self.assertIn(48 if harness.TLS != "probes" else 134, failed["codes"])
        self.assertEqual((failed["out"], failed["in"]), (0, 0))
        # The server was told by an alert: unknown CA (48).
        (told,) = self.sessions(recording, pid=server.pid)
        self.assertIn(1048, told["codes"], told)

    def test_openssl_client(self):
        self.echo_server()
        with self.record("--comm", "openssl") as recording:
            client = subprocess.Popen(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            client.stdin.write(b"hello\n")
            said = b""
            while b"you said hello\n" not in said:
                piece = client.stdout.read(4096)
                self.assertTrue(piece, said)
                said += piece
            client.stdin.write(b"Q\n")
            client.communicate(timeout=20)
        (session,) = self.sessions(recording, comm="openssl")
        # It shakes hands inside SSL_write.
        self.assertEqual(session["steps"][0], "handshake")
        # The peer's close_notify may have been read as well, but by no call that returned it.
        self.assertEqual([c for c in session["calls"] if c != ("in", 0)], [("out", 6), ("in", 15)])

    def test_python_blocking_and_event_loop(self):
        server = self.echo_server()
        client = self.scratch / "client.py"
        client.write_text(
            textwrap.dedent(
                f"""
            import socket, ssl, sys
            context = ssl.create_default_context(cafile={str(self.certificate)!r})
            for connection in range(3):
                with context.wrap_socket(socket.create_connection(("127.0.0.1", {self.port})),
                                         server_hostname="localhost") as s:
                    reader = s.makefile("rb")
                    for i in range(37):
                        line = b"line %d of %d\\n" % (i, connection)
                        s.sendall(line)
                        assert reader.readline() == b"you said " + line
            """
            )
        )
        with self.record("-p", server.pid, "--comm", "client-of-tls", "--payload-raw") as recording:  # no HTTP
            interpreter = self.scratch / "client-of-tls"
            interpreter.symlink_to(os.path.realpath(sys.executable))
            subprocess.run([interpreter, client], check=True, timeout=240)
        self.assert_whole(recording)
        servers, clients = self.sessions(recording, pid=server.pid), self.sessions(recording, comm="client-of-tls")
        self.assertEqual((len(servers), len(clients)), (3, 3))
        for connection, (a, b) in enumerate(zip(servers, clients)):
            said = "".join(f"line {i} of {connection}\n" for i in range(37))
            answer = "".join(f"you said line {i} of {connection}\n" for i in range(37))
            for side, out, into in ((a, answer, said), (b, said, answer)):
                self.assertEqual((side["out"], side["in"]), (len(out), len(into)))
                self.assertEqual((side["heads"]["out"], side["heads"]["in"]), (out, into))

    def test_a_thousand_connections(self):
        server = self.nginx()
        with self.record("--comm", "nginx") as recording:
            context = ssl.create_default_context(cafile=str(self.certificate))
            for batch in range(10):
                connections = [
                    context.wrap_socket(socket.create_connection(("127.0.0.1", self.port)), server_hostname="localhost")
                    for _ in range(100)
                ]
                for n, s in enumerate(connections):
                    s.sendall(f"GET /small?{batch}-{n} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
                for s in connections:
                    while s.recv(65536):
                        pass
                    s.close()
        self.assert_whole(recording)
        truth = self.access_log(server)
        self.assertEqual(len(truth), 1000)
        sessions = self.sessions(recording, comm="nginx")
        self.assertEqual(len(sessions), 1000)
        expected = {t["request"]: (t["sent"], t["received"]) for t in truth}
        for s in sessions:
            path = s["heads"]["in"].split(" ")[1]
            self.assertEqual((s["out"], s["in"]), expected.pop(path))
        self.assertEqual(expected, {})

    def test_a_command_and_masking(self):
        self.nginx()
        secret = self.scratch / "secret"
        secret.write_text("Authorization: Bearer swordfish\n")
        with_secret = ["curl", "-sSk", "-o", "/dev/null", "-H", f"@{secret}", f"{self.url}/small"]
        file = self.scratch / "command.tcap"
        done = subprocess.run(
            [harness.BUILD / "capture/tailcap-record", "-o", file, "--", *with_secret], capture_output=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)

        class Recorded:
            pass

        Recorded.file = file
        (session,) = self.sessions(Recorded, comm="curl")
        self.assertIn("Authorization:****", session["heads"]["out"].replace("authorization", "Authorization"))
        self.assertNotIn("swordfish", session["heads"]["out"])
        self.assertNotIn("swordfish", self.tailcap("events", file, "--json"))

    def test_node_with_openssl_inside(self):
        program = self.scratch / "server.js"
        program.write_text(
            textwrap.dedent(
                f"""
            const https = require("https"), fs = require("fs");
            https.createServer({{key: fs.readFileSync("{self.key}"), cert: fs.readFileSync("{self.certificate}")}},
              (request, response) => {{
                let length = 0;
                request.on("data", (piece) => length += piece.length);
                request.on("end", () => response.end("node says " + request.url + " " + length + "\\n"));
              }}).listen({self.port}, "127.0.0.1");
            """
            )
        )
        server = self.start(["node", program], stdout=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "node")
        upload = self.scratch / "upload"
        upload.write_bytes(b"u" * 100_003)
        with self.record("-p", server.pid, "--comm", "curl") as recording:
            for i in range(11):
                said = self.curl("-k", f"https://127.0.0.1:{self.port}/{i}a", f"https://127.0.0.1:{self.port}/{i}b")
                self.assertEqual(said.decode(), f"node says /{i}a 0\nnode says /{i}b 0\n")
            self.curl("-k", "--data-binary", f"@{upload}", f"https://127.0.0.1:{self.port}/upload")
        self.assert_whole(recording)
        servers, clients = self.sessions(recording, pid=server.pid), self.sessions(recording, comm="curl")
        self.assertEqual((len(servers), len(clients)), (12, 12))
        for a, b in zip(servers, clients):
            self.assertEqual((a["in"], a["out"]), (b["out"], b["in"]))
            self.assertEqual(a["steps"][0], "handshake", a["steps"])
            self.assertEqual(a["steps"][-1], "freed", a["steps"])
        self.assertGreater(servers[-1]["in"], 100_003)

    def test_not_asked_for(self):
        self.nginx()
        with self.record("--comm", "nginx", "--comm", "curl", "--only", "io,tasks") as recording:
            self.curl("-k", f"{self.url}/small")
        self.assertEqual(self.sessions(recording), [])


if __name__ == "__main__":
    harness.main()
