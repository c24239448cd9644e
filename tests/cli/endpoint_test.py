"""`tailcap export --endpoint`: a receiver in Python gets what a file would hold, over HTTP and HTTPS with a client's certificate.

    endpoint_test.py --build build/release
"""
import gzip
import http.server
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import case
import decoded

CAPTURE = case.SAMPLES / "go-stock/go-stock.tcap"


class Receiver:
    """answers: (status, headers, body) of the first requests; 200 for the rest."""

    def __init__(self, answers=(), tls=None):
        self.requests, answers = [], list(answers)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.requests.append((time.monotonic(), handler.path, dict(handler.headers), gzip.decompress(body)))
                status, headers, answer = answers.pop(0) if answers else (200, {}, b"")
                handler.send_response(status)
                for name, value in headers.items():
                    handler.send_header(name, value)
                handler.send_header("Content-Length", str(len(answer)))
                handler.end_headers()
                handler.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@unittest.skipUnless(decoded.available(), "no protoc")
class Endpoint(unittest.TestCase):
    def receiver(self, *arguments, **options):
        receiver = Receiver(*arguments, **options)
        self.addCleanup(receiver.stop)
        return receiver

    def send(self, url, *arguments, **variables):
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        return subprocess.run(
            [case.program(), "export", CAPTURE, "--endpoint", url, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**environment, **variables},
        )

    def ids(self, data):
        message = decoded.decode(data, "otlp.proto", "opentelemetry.ExportTraceServiceRequest")
        return sorted(
            (s["trace_id"][0], s["span_id"][0])
            for r in message["resource_spans"]
            for scope in r["scope_spans"]
            for s in scope["spans"]
        )

    def in_file(self):
        return self.ids(
            subprocess.run(
                [case.program(), "export", CAPTURE, "--format", "otlp"], capture_output=True, check=True
            ).stdout
        )

    def test_it_gets_what_a_file_holds(self):
        receiver = self.receiver()
        done = self.send(
            f"http://127.0.0.1:{receiver.port}/v1/traces",
            OTEL_EXPORTER_OTLP_HEADERS="x-tenant=shop%2C1,authorization=Bearer%20abc",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1,050 requests sent", done.stderr)
        self.assertEqual(sorted(i for r in receiver.requests for i in self.ids(r[3])), self.in_file())
        for _, path, headers, _ in receiver.requests:
            self.assertEqual(
                (path, headers["Content-Type"], headers["x-tenant"], headers["authorization"]),
                ("/v1/traces", "application/x-protobuf", "shop,1", "Bearer abc"),
            )

    def test_it_repeats_what_passes(self):
        receiver = self.receiver([(503, {}, b"busy"), (429, {"Retry-After": "1"}, b"")])
        done = self.send(f"http://127.0.0.1:{receiver.port}/v1/traces")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(receiver.requests), 3)
        bodies = {r[3] for r in receiver.requests}
        self.assertEqual(len(bodies), 1)
        times = [r[0] for r in receiver.requests]
        self.assertGreater(times[1] - times[0], 0.9)
        self.assertGreater(times[2] - times[1], 0.9)

    def test_it_does_not_repeat_what_stays(self):
        receiver = self.receiver([(400, {}, b"no")] * 9)
        done = self.send(f"http://127.0.0.1:{receiver.port}/v1/traces")
        self.assertEqual((done.returncode, len(receiver.requests)), (1, 1))
        self.assertIn("status 400", done.stderr)

    def test_refused_spans_are_said(self):
        # partial_success {rejected_spans: 7, error_message: "too old\\x1b"}
        message = b"too old\x1b"
        part = b"\x08\x07\x12" + bytes([len(message)]) + message
        receiver = self.receiver([(200, {}, b"\x0a" + bytes([len(part)]) + part)])
        done = self.send(f"http://127.0.0.1:{receiver.port}/v1/traces")
        self.assertEqual(done.returncode, 1)
        self.assertIn("refused 7 spans: too old", done.stderr)
        self.assertNotIn("\x1b", done.stderr)

    def test_usage(self):
        for arguments in (
            ("ftp://x/",),
            ("http://127.0.0.1:1/", "--format", "har"),
            ("http://127.0.0.1:1/", "-o", "x"),
        ):
            done = self.send(*arguments)
            self.assertIn(done.returncode, (1, 2), done.stderr)
            self.assertEqual(done.stdout, "")

    @unittest.skipUnless(shutil.which("openssl"), "no openssl")
    def test_tls_with_a_client_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("server", "client"):
                subprocess.run(
                    [
                        "openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "rsa:2048",
                        "-nodes",
                        "-days",
                        "2",
                        "-subj",
                        f"/CN={name}",
                        "-addext",
                        "subjectAltName=IP:127.0.0.1",
                        "-keyout",
                        f"{folder}/{name}.key",
                        "-out",
                        f"{folder}/{name}.pem",
                    ],
                    check=True,
                    capture_output=True,
                )
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
            context.load_verify_locations(f"{folder}/client.pem")
            context.verify_mode = ssl.CERT_REQUIRED
            receiver = self.receiver(tls=context)
            url = f"https://127.0.0.1:{receiver.port}/v1/traces"
            files = {
                "OTEL_EXPORTER_OTLP_CERTIFICATE": f"{folder}/server.pem",
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": f"{folder}/client.pem",
                "OTEL_EXPORTER_OTLP_CLIENT_KEY": f"{folder}/client.key",
            }
            self.assertEqual(self.send(url, **files).returncode, 0)
            self.assertEqual(sorted(i for r in receiver.requests for i in self.ids(r[3])), self.in_file())
            untrusted = self.send(url, **{**files, "OTEL_EXPORTER_OTLP_CERTIFICATE": f"{folder}/client.pem"})
            self.assertEqual(untrusted.returncode, 1)
            self.assertIn("certificate", untrusted.stderr)
            self.assertEqual(len(receiver.requests), 1)


if __name__ == "__main__":
    case.main()
