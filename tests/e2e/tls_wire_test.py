"""TLS handshakes, connects and name lookups as the wire tells them, against what curl and the name server measured."""
import json
import pathlib
import socket
import subprocess
import sys

import harness
from harness import Case, answers, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent
NAME_SERVER = "127.0.0.77"
SLACK = 20_000_000  # ns by which a process may be late when two clocks are read one after the other


HTTPS = """
import http.server, ssl
server = http.server.HTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain({certificate!r}, {key!r})
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3; location / {{ return 200 "well"; }} }}
}}
"""


def make_certificate(key, certificate):
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
            "30",
            "-subj",
            "/CN=shop.example",
            "-addext",
            "subjectAltName=DNS:shop.example",
        ],
        check=True,
        capture_output=True,
    )


class Tls(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.key, self.certificate = self.scratch / "key.pem", self.scratch / "certificate.pem"
        make_certificate(self.key, self.certificate)
        self.port = free_port()

    def openssl_server(self, *arguments):
        server = self.start(
            [
                self.named("openssl"),
                "s_server",
                "-accept",
                self.port,
                "-cert",
                self.certificate,
                "-key",
                self.key,
                "-www",
                "-quiet",
                *arguments,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: answers(("127.0.0.1", self.port)), "openssl s_server")
        return server

    def visit(self, *arguments, code=0, port=None):
        """What curl measured of one request, in ns."""
        port = port or self.port
        done = subprocess.run(
            [
                self.named("curl"),
                "-s",
                "--max-time",
                "20",
                "--resolve",
                f"shop.example:{port}:127.0.0.1",
                "-o",
                "/dev/null",
                "-w",
                "%{time_connect} %{time_appconnect}",
                *map(str, arguments),
                f"https://shop.example:{port}/",
            ],
            capture_output=True,
            text=True,
            timeout=30,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        connect, handshake = (int(float(t) * 1e9) for t in done.stdout.split())
        return handshake - connect

    def trusting(self, *arguments):
        return self.visit("--cacert", self.certificate, *arguments)

    def report(self, recording):
        return json.loads(self.tailcap("report", recording.file, "--json", code=(0, 3)))  # 3: not all of TLS is read

    def peers(self, recording, server_name="shop.example"):
        """The TLS lines of both ends: server, client."""
        lines = {p["role"]: p for p in self.report(recording)["tls"] if p["server_name"] == server_name}
        self.assertEqual(set(lines), {"server", "client"}, lines)
        return lines["server"], lines["client"]

    def assert_handshakes(self, version, *options):
        self.openssl_server()
        with self.record("--port", self.port) as recording:
            took = sorted(self.trusting(*options) for _ in range(7))
        for end in self.peers(recording):
            self.assertEqual((end["version"], end["connections"], end["encrypted"]), (version, 7, 7), end)
            self.assertEqual(
                (end["handshakes_done"], end["handshakes_failed"], end["handshakes_timed"]), (7, 0, 7), end
            )
            self.assertEqual((end["resumed"], end["resumed_unknown"]), (0, 0), end)
            self.assertGreater(end["bytes_in"], 500)
            self.assertGreater(end["bytes_out"], 500)
        server, client = self.peers(recording)
        # curl measures from the end of its connect until SSL_connect has returned: all of the handshake lies inside.
        self.assertLess(client["handshake_median_ns"], took[-1])
        self.assertGreater(client["handshake_median_ns"], 0)
        self.assertLess(server["handshake_median_ns"], took[-1] + SLACK)
        quality = self.report(recording)["quality"]
        self.assertEqual(
            (quality["connections_encrypted"], quality["connections_other"], quality["requests"]), (14, 0, 0)
        )
        self.assertIn(
            "requests unknown (encrypted)", " ".join(self.tailcap("report", recording.file, "--full", code=3).split())
        )

    def test_tls_1_2(self):
        self.assert_handshakes("TLS 1.2", "--tls-max", "1.2")

    def test_tls_1_3(self):
        self.assert_handshakes("TLS 1.3", "--tlsv1.3")

    def assert_refused(self, *options):
        self.openssl_server()
        with self.record("--port", self.port) as recording:
            for _ in range(10):
                self.visit(*options, code=60)
        for end in self.peers(recording):
            self.assertEqual((end["connections"], end["handshakes_done"], end["handshakes_failed"]), (10, 0, 10), end)
            self.assertEqual(end["failures"], [{"cause": "unknown CA (alert 48) sent by the client", "count": 10}])
        failures = self.report(recording)["connection_failures"]
        self.assertEqual(
            [(f["cause"], f["count"]) for f in failures],
            [("TLS handshake: unknown CA (alert 48) sent by the client", 10)] * 2,
        )
        # Each is a call of the client's, without an answer.
        facts = ("role", "operation", "resource", "error_code", "outcome")
        self.assertEqual(
            [tuple(r[f] for f in facts) for r in self.requests(recording, code=(0, 3)) if r["protocol"] == "tls"],
            [
                (
                    "client",
                    "HANDSHAKE",
                    f"127.0.0.1:{self.port}",
                    "unknown CA (alert 48) sent by the client",
                    "no_response",
                )
            ]
            * 10,
        )

    def test_untrusted_tls_1_2(self):
        self.assert_refused("--tls-max", "1.2")

    def test_untrusted_tls_1_3(self):
        self.assert_refused("--tlsv1.3")

    def test_no_common_version(self):
        self.openssl_server("-tls1_3")
        with self.record("--port", self.port) as recording:
            self.visit("--cacert", self.certificate, "--tls-max", "1.2", code=35)
        for end in self.peers(recording):
            self.assertEqual(
                end["failures"], [{"cause": "protocol version (alert 70) sent by the server", "count": 1}], end
            )

    def assert_resumed(self, version):
        self.openssl_server()
        session = self.scratch / "session.pem"
        command = [
            self.named("openssl"),
            "s_client",
            "-connect",
            f"127.0.0.1:{self.port}",
            "-servername",
            "shop.example",
            "-CAfile",
            self.certificate,
            version,
        ]
        ask = {"input": b"GET / HTTP/1.0\r\n\r\n", "capture_output": True, "timeout": 20}
        with self.record("--port", self.port) as recording:
            first = subprocess.run([*command, "-sess_out", session, "-ign_eof"], **ask)
            self.assertTrue(session.exists(), first.stderr)
            second = subprocess.run([*command, "-sess_in", session, "-ign_eof"], **ask)
            self.assertIn(b"Reused", second.stdout)
        for end in self.peers(recording):
            self.assertEqual((end["handshakes_done"], end["resumed"], end["resumed_unknown"]), (2, 1, 0), end)

    def test_resumed_tls_1_2(self):
        self.assert_resumed("-tls1_2")

    def test_resumed_tls_1_3(self):
        self.assert_resumed("-tls1_3")

    def test_large_answers(self):
        # Many records of 16 KiB, whose payload is not kept: the handshake and the counts do not suffer.
        (self.scratch / "large").write_bytes(b"x" * 5_002_100)
        server = self.start(
            [
                self.named("openssl"),
                "s_server",
                "-accept",
                self.port,
                "-cert",
                self.certificate,
                "-key",
                self.key,
                "-WWW",
                "-quiet",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.scratch,
        )
        wait_until(lambda: answers(("127.0.0.1", self.port)), "openssl s_server")
        with self.record("-p", server.pid) as recording:
            self.assertEqual(
                len(
                    self.curl(
                        "--cacert",
                        self.certificate,
                        "--resolve",
                        f"shop.example:{self.port}:127.0.0.1",
                        f"https://shop.example:{self.port}/large",
                    )
                ),
                5_002_100,
            )
        end = next(p for p in self.report(recording)["tls"] if p["server_name"] == "shop.example")
        self.assertEqual((end["role"], end["handshakes_done"], end["version"]), ("server", 1, "TLS 1.3"))
        self.assertGreater(end["bytes_out"], 5_002_100)

    def test_nginx_keeps_connections(self):
        # By port alone, so that no plaintext is recorded: 3 connections with 5 requests each are 3 handshakes.
        configuration = self.scratch / "nginx.conf"
        configuration.write_text(
            NGINX.format(folder=self.scratch, port=self.port, certificate=self.certificate, key=self.key)
        )
        self.start([self.named("nginx"), "-c", configuration, "-e", self.scratch / "error.log"])
        wait_until(lambda: answers(("127.0.0.1", self.port)), "nginx")
        url = f"https://shop.example:{self.port}/"
        with self.record("--port", self.port) as recording:
            for _ in range(3):
                said = self.curl(
                    "--cacert", self.certificate, "--resolve", f"shop.example:{self.port}:127.0.0.1", *[url] * 5
                )
                self.assertEqual(said, b"well" * 5)
        for end in self.peers(recording):
            self.assertEqual(
                (end["connections"], end["encrypted"], end["handshakes_done"], end["handshakes_failed"]),
                (3, 3, 3, 0),
                end,
            )
            self.assertEqual((end["version"], end["handshakes_timed"]), ("TLS 1.3", 3), end)
        self.assertEqual(self.requests(recording, code=3), [], "nothing is invented of what is encrypted")

    def test_plain_http_to_a_tls_port(self):
        self.openssl_server()
        with self.record("--port", self.port) as recording:
            done = subprocess.run([self.named("curl"), "-s", f"http://127.0.0.1:{self.port}/"], timeout=20)
            self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.report(recording)["tls"], [])
        rows = self.requests(recording)
        self.assertTrue(rows)
        self.assertFalse(any(r["complete"] for r in rows), rows)

    def test_tls_to_a_plain_port(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            with self.record("--port", port) as recording:
                client = subprocess.Popen([self.named("curl"), "-s", f"https://127.0.0.1:{port}/"])
                connection, _ = listener.accept()
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                client.wait(timeout=20)
                connection.close()
        for end in self.report(recording)["tls"]:
            self.assertEqual((end["handshakes_failed"], end["handshakes_done"]), (1, 0), end)
        self.assertEqual(len(self.report(recording)["tls"]), 2)

    def test_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            with self.record("--comm", self.named("curl").name) as recording:
                subprocess.run(
                    [self.named("curl"), "-s", "--max-time", "0.3", f"https://127.0.0.1:{port}/"], timeout=20
                )
        (end,) = self.report(recording)["tls"]
        self.assertEqual(end["failures"], [{"cause": "closed by the client during the handshake", "count": 1}], end)


class Names(Case):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        self.log = self.scratch / "names.jsonl"
        server = self.start(
            [sys.executable, HERE / "name_server.py", NAME_SERVER, "0.05", self.log], stdout=subprocess.PIPE
        )
        self.assertEqual(server.stdout.readline(), b"ready\n")
        server.stdout.close()
        resolver = self.scratch / "resolv.conf"
        resolver.write_text(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:3\n")
        self.port = free_port()
        self.start(
            [sys.executable, "-m", "http.server", str(self.port), "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.scratch,
        )
        wait_until(lambda: answers(("127.0.0.1", self.port)), "http.server")
        # In a mount namespace of its own, so that nobody else asks our server.
        self.within = ["unshare", "-m", "sh", "-c", f'mount --bind {resolver} /etc/resolv.conf && exec "$@"', "sh"]

    def record_run(self, command, codes=(0,)):
        file = self.scratch / "capture.tcap"
        tier = ["--tier", harness.TIER] if harness.TIER else []
        done = subprocess.run(
            [
                str(c)
                for c in (harness.BUILD / "capture/tailcap-record", *tier, "-o", file, "--", *self.within, *command)
            ],
            capture_output=True,
            text=True,
            timeout=40,
        )
        self.assertTrue(file.exists(), done.stderr)
        self.said = done.stdout
        return file

    def rows(self, file, *arguments):
        return json_lines(self.tailcap("requests", file, "--json", *arguments))

    def held(self, name):
        return [l["held_ns"] for l in json_lines(self.log.read_text()) if l["name"] == name]

    def names(self, file):
        return {n["name"]: n for n in json.loads(self.tailcap("report", file, "--json"))["names"]}

    def assert_phase(self, file, name, attempts=1):
        (row,) = [r for r in self.rows(file) if r["role"] == "client"]
        setup = row["setup"]
        self.assertEqual((setup["dns_name"], setup["dns_attempts"]), (name, attempts), row)
        self.assertGreaterEqual(setup["dns_ns"], max(self.held(name)), row)
        self.assertGreaterEqual(setup["connect_ns"], 0)
        self.assertIsNone(setup["tls_ns"])
        # All of it before the request, none of it in its duration.
        self.assertGreaterEqual(setup["began_before_ns"], setup["dns_ns"] + setup["connect_ns"])
        self.assertEqual(sum(row["phases"].values()), row["duration_ns"])
        return row

    def test_curl(self):
        file = self.record_run(
            [self.named("curl"), "-s", "-o", "/dev/null", "-w", "%{time_namelookup}", f"http://shop.test:{self.port}/"]
        )
        row = self.assert_phase(file, "shop.test")
        measured = int(float(self.said) * 1e9)
        self.assertLess(row["setup"]["dns_ns"], measured + SLACK, "curl's own clock began before the question")
        self.assertEqual(self.rows(file, "-w", "dns > 45ms && connect >= 0ns"), [row])
        self.assertEqual(self.rows(file, "-w", "tls_handshake > 0ns"), [])
        self.assertIn("name ", self.tailcap("show", file, row["id"]))

    def test_getaddrinfo(self):
        program = f"import urllib.request; urllib.request.urlopen('http://py.shop.test:{self.port}/').read()"
        self.assert_phase(self.record_run([sys.executable, "-c", program]), "py.shop.test")

    def test_asked_again(self):
        file = self.record_run([self.named("curl"), "-s", "-o", "/dev/null", f"http://drop.shop.test:{self.port}/"])
        row = self.assert_phase(file, "drop.shop.test", attempts=2)
        self.assertGreater(row["setup"]["dns_ns"], 1_000_000_000, "the resolver waits 1 s before it asks again")
        self.assertEqual(self.names(file)["drop.shop.test"]["repeated"], 2)

    def test_no_such_name(self):
        # curl says 6: it could not resolve the host.
        file = self.record_run([self.named("curl"), "-s", f"http://nx.shop.test:{self.port}/"])
        (row,) = self.rows(file)
        self.assertEqual(
            (row["protocol"], row["role"], row["operation"], row["resource"], row["error_code"], row["remote"]),
            ("dns", "client", "LOOKUP", "nx.shop.test", "NXDOMAIN", f"{NAME_SERVER}:53"),
        )
        self.assertGreaterEqual(row["duration_at_least_ns"], max(self.held("nx.shop.test")), row)
        self.assertEqual(self.names(file)["nx.shop.test"]["failures"], [{"result": "NXDOMAIN", "count": 2}])
        self.assertIn("NXDOMAIN", self.tailcap("report", file, "--full"))

    def test_a_name_from_memory_is_not_waited_for(self):
        # The second connection of the same curl has the address already.
        url = f"http://again.shop.test:{self.port}/"
        file = self.record_run(
            [self.named("curl"), "-s", "-H", "Connection: close", url, url, "-o", "/dev/null", "-o", "/dev/null"]
        )
        rows = [r for r in self.rows(file) if r["role"] == "client"]
        self.assertEqual([r["setup"]["dns_ns"] is not None for r in rows], [True, False], rows)

    def test_name_connect_and_tls_before_the_request(self):
        key, certificate, port = self.scratch / "key.pem", self.scratch / "certificate.pem", free_port()
        make_certificate(key, certificate)
        server = HTTPS.format(port=port, certificate=str(certificate), key=str(key))
        self.start([sys.executable, "-c", server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(("127.0.0.1", port)), "the HTTPS server")
        file = self.record_run(
            [
                self.named("curl"),
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{time_namelookup} %{time_connect} %{time_appconnect}",
                "--cacert",
                certificate,
                f"https://shop.example:{port}/",
            ]
        )
        named, connected, shaken = (int(float(t) * 1e9) for t in self.said.split())
        (row,) = [r for r in self.rows(file) if r["role"] == "client"]
        setup = row["setup"]
        self.assertTrue(row["tls"])
        self.assertEqual(
            (setup["dns_name"], setup["tls_server_name"], setup["tls_version"], setup["tls_resumed"]),
            ("shop.example", "shop.example", "TLS 1.3", False),
            row,
        )
        self.assertGreaterEqual(setup["dns_ns"], max(self.held("shop.example")))
        self.assertLess(setup["dns_ns"], named + SLACK)
        self.assertLess(setup["connect_ns"], connected - named + SLACK)
        self.assertLess(setup["tls_ns"], shaken - connected)
        self.assertGreaterEqual(setup["began_before_ns"], setup["dns_ns"] + setup["connect_ns"] + setup["tls_ns"])
        report = json.loads(self.tailcap("report", file, "--json"))
        self.assertEqual(report["quality"]["connections_encrypted"], 0)
        (route,) = report["routes"]
        self.assertEqual([route[part]["count"] for part in ("dns", "connect", "tls_handshake")], [1, 1, 1])


if __name__ == "__main__":
    harness.main()
