"""Plaintext of TLS, as the libraries hand it over, against what servers and clients logged: OpenSSL in many settings."""
import json
import os
import socket
import ssl
import subprocess
import sys
import textwrap
import unittest

import harness
from harness import Case, free_port, json_lines, wait_until

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  log_format truth '{{"connection":$connection,"request":"$request_uri","sent":$bytes_sent,"received":$request_length}}';
  access_log {folder}/access.jsonl truth;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    keepalive_requests 100000;
    root {folder}/www;
  }}
}}
"""

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


class TlsCase(Case):
    def setUp(self):
        super().setUp()
        self.certificate, self.key = self.scratch / "cert.pem", self.scratch / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", self.key, "-out", self.certificate, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.key, 0o644)
        self.port = free_port()

    def nginx(self):
        www = self.scratch / "www"
        www.mkdir()
        (www / "small").write_bytes(b"s" * 256)
        (www / "large").write_bytes(b"l" * 300_001)
        (self.scratch / "nginx.conf").write_text(CONFIGURATION.format(folder=self.scratch, port=self.port))
        server = self.start(["nginx", "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "nginx")
        self.url = f"https://127.0.0.1:{self.port}"
        return server

    def access_log(self, server):
        self.end(server)
        return json_lines((self.scratch / "access.jsonl").read_text())

    def sessions(self, recording, comm=None, pid=None):
        """Sessions in order of their numbers: {pid, library, steps, out: bytes, in: bytes, heads: {out, in}}; every byte
        of them exactly once."""
        # A capture of one kind of event at a time: only these are of interest.
        events = [e for kind in ("tls_step", "tls_send", "tls_receive", "task_info", "task_exec")
                  for e in json_lines(self.tailcap("events", recording.file, "--json", "--kind", kind))]
        names = {e["pid"]: e["comm"] for e in sorted((e for e in events if "comm" in e), key=lambda e: e["time"])}
        found = {}
        for e in events:
            if e["kind"] not in ("tls_step", "tls_send", "tls_receive"):
                continue
            if (comm and names.get(e["pid"]) != comm) or (pid and e["pid"] != pid):
                continue
            s = found.setdefault(e["session"], {"pid": e["pid"], "library": None, "steps": [], "codes": [], "out": 0,
                                                "in": 0, "heads": {"out": "", "in": ""}, "calls": []})
            if e["kind"] == "tls_step":
                s["steps"].append(e["step"])
                s["library"] = e["library"]
                if e["step"] == "failed":
                    s["codes"].append(e["code"])
                continue
            way = "out" if e["kind"] == "tls_send" else "in"
            self.assertEqual(e["position"], s[way], f"bytes missing or twice: {e}")
            self.assertEqual(e["missed"], 0, e)
            self.assertLessEqual(e["began"], e["time"], e)
            s[way] += e["length"]
            s["heads"][way] += e["head"]
            s["calls"].append((way, e["length"]))
        return [found[number] for number in sorted(found)]


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
        server = self.start([sys.executable, program, str(self.port), self.certificate, self.key],
                            stderr=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the echo server")
        return server

    def test_a_failed_handshake(self):
        server = self.echo_server()
        with self.record("-p", server.pid, "--comm", "curl") as recording:
            untrusted = subprocess.run(["curl", "-sS", f"https://localhost:{self.port}/page",
                                        "--resolve", f"localhost:{self.port}:127.0.0.1"], capture_output=True)
            self.assertEqual(untrusted.returncode, 60, untrusted.stderr)
        (failed,) = self.sessions(recording, comm="curl")
        self.assertIn(134, failed["codes"], "certificate verify failed")
        self.assertEqual((failed["out"], failed["in"]), (0, 0))
        # The server was told by an alert: unknown CA (48).
        (told,) = self.sessions(recording, pid=server.pid)
        self.assertIn(1048, told["codes"], told)

    def test_openssl_client(self):
        self.echo_server()
        with self.record("--comm", "openssl") as recording:
            client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}"], bufsize=0,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            client.stdin.write(b"hello\n")
            said = b""
            while b"you said hello\n" not in said:
                piece = client.stdout.read(4096)
                self.assertTrue(piece, said)
                said += piece
            client.stdin.write(b"Q\n")
            client.communicate(timeout=20)
        (session,) = self.sessions(recording, comm="openssl")
        # It shakes hands inside SSL_write, which nobody sees: what cannot be known to begin here is masked.
        self.assertEqual(session["steps"][0], "seen")
        self.assertEqual(session["calls"], [("out", 6), ("in", 15)])

    def test_python_blocking_and_event_loop(self):
        server = self.echo_server()
        client = self.scratch / "client.py"
        client.write_text(textwrap.dedent(f"""
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
            """))
        with self.record("-p", server.pid, "--comm", "client-of-tls") as recording:
            interpreter = self.scratch / "client-of-tls"
            interpreter.symlink_to(os.path.realpath(sys.executable))
            subprocess.run([interpreter, client], check=True, timeout=60)
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
                connections = [context.wrap_socket(socket.create_connection(("127.0.0.1", self.port)),
                                                   server_hostname="localhost") for _ in range(100)]
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
        done = subprocess.run([harness.BUILD / "capture/tailcap-record", "-o", file, "--", *with_secret], capture_output=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

        class Recorded:
            pass
        Recorded.file = file
        (session,) = self.sessions(Recorded, comm="curl")
        self.assertIn("Authorization:****", session["heads"]["out"].replace("authorization", "Authorization"))
        self.assertNotIn("swordfish", session["heads"]["out"])
        self.assertNotIn("swordfish", self.tailcap("events", file, "--json"))

    def test_not_asked_for(self):
        self.nginx()
        with self.record("--comm", "nginx", "--comm", "curl", "--only", "io,tasks") as recording:
            self.curl("-k", f"{self.url}/small")
        self.assertEqual(self.sessions(recording), [])


if __name__ == "__main__":
    harness.main()
