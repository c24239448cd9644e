"""Connections that are asked for and never come to be: the answer names them for the requests that failed by them."""
import json
import re
import socket
import sys

import harness
from harness import Case, free_port, wait_until

# GET /cart/N calls PORT for an even N, and answers 502 where that fails. It writes down each path with its status and error.
GATEWAY = r"""
import http.server, json, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status, error = 200, ""
        if int(self.path.split("/")[2]) % 2 == 0:
            try:
                socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=0.3).close()
            except OSError as e:
                status, error = 502, str(e)
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        print(json.dumps([self.path, status, error]), flush=True)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Connects(Case):
    BY_OTHER_NAMES = True

    def failing(self, port):
        """The report's first answer about a gateway whose every second request calls this port."""
        gateway, log = free_port(), self.scratch / "gateway.log"
        with open(log, "w") as out:
            service = self.start([sys.executable, "-c", GATEWAY, gateway, port], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", gateway)), "the gateway")
        with self.record("-p", service.pid) as recording:
            for n in range(16):
                with socket.create_connection(("127.0.0.1", gateway)) as client:
                    client.sendall(b"GET /cart/%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % n)
                    while client.recv(4096):
                        pass
        truth = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(sum(status == 502 for _, status, _ in truth), 8, truth)
        return re.sub(r"\s+", " ", self.tailcap("report", recording.file, "--brief"))

    def test_refused(self):
        port = free_port()
        text = self.failing(port)
        self.assertIn("8 of 16 requests failed (502). In all 8 a connection to "
                      f"127.0.0.1:{port} failed (refused), and in none of the other 8.", text)

    def test_given_up(self):
        # Its queue is full: the kernel drops what asks for a connection.
        port = free_port()
        full = socket.socket()
        full.bind(("127.0.0.1", port))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        text = self.failing(port)
        for one in [full, *waiting]:
            one.close()
        self.assertIn("8 of 16 requests failed (502). In all 8 a connection to "
                      f"127.0.0.1:{port} failed (given up), and in none of the other 8.", text)


if __name__ == "__main__":
    harness.main()
