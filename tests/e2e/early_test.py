"""Uploads that are answered or refused before they are there: exchanges with nothing missing, at both ends."""
import pathlib
import subprocess
import sys

import harness
from harness import Case, free_port, wait_until
from streams_test import FRAMES, PYTHON

PEER = pathlib.Path(__file__).resolve().parent / "peer.py"
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_max_body_size 1k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} {http2}; }}
}}
"""
# Answers the first upload with REFUSED_STREAM, the second with 413 and NO_ERROR, each after its first DATA.
REFUSER = (
    FRAMES
    + r'''
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
c, _ = listener.accept()
exactly(c, len(PREFACE))
c.sendall(settings())
answered = set()
while True:
    kind, flags, stream, payload = read(c)
    if kind == 4 and not flags & 1:
        c.sendall(frame(4, 1, 0))
    if kind == 0 and stream not in answered:
        if not answered:
            c.sendall(frame(3, 0, stream, struct.pack(">I", 7)))
        else:
            c.sendall(frame(1, 5, stream, literal(b":status", b"413")) + frame(3, 0, stream, struct.pack(">I", 0)))
        answered.add(stream)
'''
)
UPLOADER = (
    FRAMES
    + r'''
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
c.sendall(PREFACE + settings())
def upload(stream, path):
    c.sendall(frame(1, 4, stream, b"\x83\x86" + literal(b":path", path) + literal(b":authority", b"h")) + frame(0, 0, stream, b"u" * 9000))
    while True:
        kind, flags, of, payload = read(c)
        if kind == 3 and of == stream:
            return
upload(1, b"/refused")
upload(3, b"/large")
'''
)


class Early(Case):
    def assert_pair(self, recording, **expected):
        rows = self.requests(recording)
        self.assertEqual(sorted(r["role"] for r in rows), ["client", "server"], rows)
        for row in rows:
            self.assertEqual({k: row[k] for k in expected}, expected, row)
            self.assertEqual([t for t in row["tainted"] if t != "arrival_unknown"], [], row)

    def nginx(self, http2):
        port = free_port()
        (self.scratch / "nginx.conf").write_text(
            CONFIGURATION.format(folder=self.scratch, port=port, http2="http2" if http2 else "")
        )
        self.start(["nginx", "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nginx")
        (self.scratch / "upload").write_bytes(b"u" * 3_000_000)
        url = f"http://127.0.0.1:{port}/f"
        # curl 7.88 takes the reset behind an early answer over HTTP/2 for an error; nghttp does not.
        client = (
            ["nghttp", "-v", "-d", self.scratch / "upload", url]
            if http2
            else ["curl", "-sS", "-v", "-H", "Expect:", "-T", self.scratch / "upload", url]
        )
        with self.record("--comm", "nginx", "--comm", client[0]) as recording:
            done = subprocess.run(client, capture_output=True, text=True, timeout=30)
        self.assertIn(":status: 413" if http2 else "HTTP/1.1 413", done.stdout + done.stderr)
        self.assert_pair(
            recording, method="POST" if http2 else "PUT", path="/f", status=413, outcome="client_error", complete=True
        )

    def test_nginx_answers_early(self):
        self.nginx(False)

    def test_nginx_answers_early_over_http2(self):
        self.nginx(True)

    def test_refused_and_reset_over_http2(self):
        port = free_port()
        for name, text in (("refuser", REFUSER), ("uploader", UPLOADER)):
            (self.scratch / name).write_text(text)
        server = self.start([PYTHON, self.scratch / "refuser", port], stdout=subprocess.PIPE)
        self.assertEqual(server.stdout.readline(), b"ready\n")
        with self.record("-p", server.pid, "--port", port) as recording:
            subprocess.run([PYTHON, self.scratch / "uploader", str(port)], check=True, timeout=20)
        rows = self.requests(recording)
        self.assertEqual(
            sorted((r["role"], r["method"], r["path"], r["status"], r["outcome"], r["complete"]) for r in rows),
            [
                (role, "POST", path, status, outcome, True)
                for role in ("client", "server")
                for path, status, outcome in (("/large", 413, "client_error"), ("/refused", None, "reset"))
            ],
        )
        for row in rows:
            self.assertEqual(row["tainted"], [], row)

    def peers(self, server_behaviour, client_behaviour):
        port = free_port()
        server = self.start([sys.executable, PEER, "serve", port, server_behaviour], stdout=subprocess.PIPE)
        self.assertEqual(server.stdout.readline(), b"ready\n")
        with self.record("-p", server.pid, "--port", port) as recording:
            subprocess.run([sys.executable, PEER, "speak", str(port), client_behaviour], check=True, timeout=20)
        return recording

    def test_expectation_failed(self):
        recording = self.peers("refusing_expectations", "expecting")
        rows = self.requests(recording)
        self.assertEqual(
            sorted(
                (r["role"], r["method"], r["path"], r["status"], r["request_bytes"], r["outcome"], r["complete"])
                for r in rows
            ),
            [
                (role, method, path, status, sent, outcome, True)
                for role in ("client", "server")
                for method, path, status, sent, outcome in (
                    ("GET", "/two", 200, 0, "ok"),
                    ("PUT", "/one", 417, 0, "client_error"),
                    ("PUT", "/three", 417, 0, "client_error"),
                )
            ],
        )
        for row in rows:
            self.assertEqual(row["tainted"], [], row)

    def test_answered_early_and_closed(self):
        self.assert_pair(
            self.peers("too_large", "uploading"),
            method="PUT",
            path="/large",
            status=413,
            outcome="client_error",
            complete=True,
        )


if __name__ == "__main__":
    harness.main()
