"""Protocols that are not HTTP and carry HTTP's text: nothing is invented from it, in either direction."""
import subprocess
import time

import harness
from harness import Case, free_port, wait_until

PYTHON = "/usr/bin/python3"
# What travels as data: a response and a request, as they stand in dumps and caches.
TEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: none\r\n\r\nhello"
ASK = b"GET /invented HTTP/1.1\r\nHost: nowhere\r\n\r\n"

# A FastCGI responder that reads as php-fpm does: a header, then its content. It answers with what it was sent, and keeps its connection.
RESPONDER = r'''
import os, socket, struct, sys, threading
def exactly(c, n):
    data = b""
    while len(data) < n:
        more = c.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data
def record(c, kind, id, content):
    c.sendall(struct.pack(">BBHHBx", 1, kind, id, len(content), 0))
    if content:
        c.sendall(content)
def serve(c):
    body = b""
    try:
        while True:
            _, kind, id, length, padding = struct.unpack(">BBHHBx", exactly(c, 8))
            content = exactly(c, length)
            exactly(c, padding)
            if kind == 1:
                body, keep = b"", content[2] & 1
            if kind == 5 and length:
                body += content
            if kind == 5 and not length:
                record(c, 6, id, b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n")
                record(c, 6, id, body)
                record(c, 6, id, b"")
                record(c, 3, id, bytes(8))
                if not keep:
                    return c.close()
    except (EOFError, OSError):
        c.close()
where = sys.argv[1]
if where.startswith("/"):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(where)
    os.chmod(where, 0o777)
    listener.listen(16)
else:
    listener = socket.create_server(("127.0.0.1", int(where)))
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
'''
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream responder {{ server {responder}; keepalive 2; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ fastcgi_pass responder; fastcgi_keep_conn on; fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_LENGTH $content_length; }}
  }}
}}
"""
# A cache that speaks lines: "set KEY LENGTH", "get KEY", and the data by itself. Both ends.
CACHE = r'''
import socket, sys
def line(c, end=b"\r\n"):
    data = b""
    while not data.endswith(end):
        more = c.recv(1)
        if not more:
            raise EOFError
        data += more
    return data[:-2]
def exactly(c, n):
    data = b""
    while len(data) < n:
        data += c.recv(n - len(data))
    return data
if sys.argv[1] == "serve":
    listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
    print("ready", flush=True)
    kept = {}
    while True:
        c, _ = listener.accept()
        try:
            while True:
                words = line(c).split()
                if words[0] == b"set":
                    kept[words[1]] = exactly(c, int(words[2]))
                    exactly(c, 2)
                    c.sendall(b"STORED\r\n")
                else:
                    c.sendall(b"VALUE %s %d\r\n" % (words[1], len(kept[words[1]])))
                    c.sendall(kept[words[1]])
                    c.sendall(b"\r\n")
        except EOFError:
            c.close()
else:
    c = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    values = [bytes.fromhex(v) for v in sys.argv[3:]]
    def work():
        for i, value in enumerate(values * 5):
            c.sendall(b"set key%d %d\r\n" % (i, len(value)))
            c.sendall(value)
            c.sendall(b"\r\n")
            assert line(c) == b"STORED"
            c.sendall(b"get key%d\r\n" % i)
            line(c)
            assert exactly(c, len(value) + 2) == value + b"\r\n"
    work()
    print("open", flush=True)
    sys.stdin.readline()
    work()
    c.close()
    print("end", flush=True)
    sys.stdin.readline()
'''


class Foreign(Case):
    def script(self, text, *arguments):
        file = self.scratch / f"script{len(list(self.scratch.glob('script*')))}.py"
        file.write_text(text)
        return self.start([PYTHON, file, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def fastcgi(self, unix, late):
        self.responder_at = str(self.scratch / "fcgi.sock") if unix else str(free_port())
        responder = self.script(RESPONDER, self.responder_at)
        self.assertEqual(responder.stdout.readline(), "ready\n")
        port = free_port()
        where = "unix:" + self.responder_at if unix else "127.0.0.1:" + self.responder_at
        (self.scratch / "nginx.conf").write_text(CONFIGURATION.format(folder=self.scratch, port=port, responder=where))
        self.start(["nginx", "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nginx")
        bodies = [TEXT, ASK, TEXT + ASK, TEXT * 200]

        def post(body):
            (self.scratch / "posted").write_bytes(body)
            return self.curl(
                "-H",
                "Expect:",
                "-H",
                "Content-Type: text/plain",
                "--data-binary",
                f"@{self.scratch / 'posted'}",
                f"http://127.0.0.1:{port}/front",
            )

        if late:
            post(TEXT)  # nginx keeps the responder's connection
        with self.record("--comm", "nginx", "-p", responder.pid, "--comm", "curl") as recording:
            for body in bodies * 5:
                self.assertEqual(post(body), body)
        rows = self.requests(recording)
        # nginx answers in chunks, and not all of their sizes are kept of long bodies.
        self.assertEqual(
            {(r["method"], r["path"], r["status"], r["complete"] or r["tainted"] == ["payload_cut"]) for r in rows},
            {("POST", "/front", 200, True)},
        )
        self.assertEqual(
            sorted((r["comm"], r["role"]) for r in rows), [("curl", "client")] * 20 + [("nginx", "server")] * 20
        )

    def test_fastcgi(self):
        self.fastcgi(False, False)

    def test_fastcgi_on_a_unix_socket(self):
        self.fastcgi(True, False)

    def test_fastcgi_open_before(self):
        self.fastcgi(False, True)

    def test_fastcgi_on_a_unix_socket_open_before(self):
        self.fastcgi(True, True)

    def cache(self, late):
        port = free_port()
        server = self.script(CACHE, "serve", port)
        self.assertEqual(server.stdout.readline(), "ready\n")
        values = [v.hex() for v in (TEXT, ASK, TEXT + ASK)]
        client = None

        def begin():
            client = self.script(CACHE, "speak", port, *values)
            self.assertEqual(client.stdout.readline(), "open\n")
            return client

        if late:
            client = begin()
        with self.record("-p", server.pid, "--port", port) as recording:
            client = client or begin()
            client.stdin.write("go\n")
            client.stdin.flush()
            self.assertEqual(client.stdout.readline(), "end\n")
            client.stdin.close()
            time.sleep(0.2)
        self.assertEqual(self.requests(recording), [])

    def test_lines(self):
        self.cache(False)

    def test_lines_open_before(self):
        self.cache(True)


if __name__ == "__main__":
    harness.main()
