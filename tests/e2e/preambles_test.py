"""What stands on a connection before its first request: the PROXY protocol (versions 1 and 2) and empty lines, in front of nginx."""
import collections
import json
import subprocess
import sys

import harness
from harness import Case, free_port, json_lines, wait_until

CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
  log_format truth '{{"path":"$request_uri","status":$status,"protocol":"$server_protocol"}}';
  access_log {folder}/access.jsonl truth;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{one} proxy_protocol; location / {{ return 200 "hello\\n"; }} }}
  server {{ listen 127.0.0.1:{two} proxy_protocol http2; location / {{ return 200 "hello\\n"; }} }}
  server {{ listen 127.0.0.1:{plain}; location / {{ return 200 "hello\\n"; }} }}
}}
"""

# Five connections of each kind, five requests on each; the first request comes with the preamble, or behind it.
CLIENT = r"""
import socket, struct, sys, time
one, two, plain = map(int, sys.argv[1:4])
V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
def v2(extension):
    block = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack(">HH", 56324, 443) + b"\x04" + struct.pack(">H", extension) + b"\0" * extension
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", len(block)) + block
def read(s, end):
    b = b""
    while not b.endswith(end):
        d = s.recv(4096)
        assert d, b
        b += d
def http1(port, preamble, name):
    for c in range(5):
        s = socket.create_connection(("127.0.0.1", port))
        for i in range(5):
            ask = b"GET /%s/%d-%d HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n" % (name, c, i, b"v" * 600)
            if i == 0 and c % 2:
                s.sendall(preamble)
                time.sleep(0.02)
            s.sendall(ask if i or c % 2 else preamble + ask)
            read(s, b"hello\n")
        s.close()
def frame(kind, flags, stream, load=b""):
    return struct.pack(">I", len(load))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + load
def http2(port, preamble, name):
    for c in range(5):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(preamble + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
        for i in range(5):
            path = b"/%s/%d-%d" % (name, c, i)
            s.sendall(frame(1, 5, 2 * i + 1, b"\x82\x86\x04" + bytes([len(path)]) + path + b"\x01\x01x"))
            read(s, b"hello\n")
        s.close()
http1(plain, b"", b"none")
http1(plain, b"\r\n", b"lines")
http1(one, V1, b"v1")
http1(one, b"PROXY UNKNOWN\r\n", b"unknown")
http1(one, v2(0), b"v2")
http1(one, v2(700), b"v2-long")
http2(two, V1, b"two-v1")
http2(two, v2(0), b"two-v2")
http2(two, v2(700), b"two-v2-long")
"""
KINDS = ["none", "lines", "v1", "unknown", "v2", "v2-long", "two-v1", "two-v2", "two-v2-long"]


class Preambles(Case):
    BY_OTHER_NAMES = True

    def test_before_http(self):
        ports = {name: free_port() for name in ("one", "two", "plain")}
        (self.scratch / "nginx.conf").write_text(CONFIGURATION.format(folder=self.scratch, **ports))
        server = self.start(
            [self.named("nginx"), "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"],
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: harness.answers(("127.0.0.1", ports["plain"])), "nginx")
        with self.record("-p", server.pid, *(x for p in ports.values() for x in ("--port", p))) as recording:
            subprocess.run([sys.executable, "-c", CLIENT, *map(str, ports.values())], check=True, timeout=30)
        self.end(server)
        truth = collections.Counter(
            t["path"] for t in json_lines((self.scratch / "access.jsonl").read_text()) if t["path"] != "-"
        )
        self.assertEqual(collections.Counter(p.split("/")[1] for p in truth), {kind: 25 for kind in KINDS})
        for role in ("server", "client"):
            rows = self.requests(recording, role=role)
            self.assertEqual(collections.Counter(r["path"] for r in rows), truth, role)
            self.assertEqual([r for r in rows if not r["complete"] or set(r["tainted"]) - {"arrival_unknown"}], [])
            self.assertEqual({r["peer"] is None for r in rows}, {False})
        quality = json.loads(self.tailcap("report", recording.file, "--json"))["quality"]
        self.assertEqual((quality["connections_other"], quality["unseen_at_most"]), (0, 0), quality)


if __name__ == "__main__":
    harness.main()
