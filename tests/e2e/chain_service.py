"""A thread-per-request service: port, log and, for one that calls another, its port and how many calls it makes.

GET /work/ID is answered with as many calls GET /leaf/ID.K to the other one after the other; everything else at once.
The log says for each request which id it served and which ids it called.
"""
import http.client
import http.server
import json
import sys
import threading
import time

PORT, LOG = int(sys.argv[1]), open(sys.argv[2], "w", buffering=1, encoding="utf-8")
OTHER, CALLS = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 3 else (0, 0)
WRITING = threading.Lock()
KEPT = threading.local()


def call(path):
    connection = getattr(KEPT, "connection", None)
    if connection is None:
        connection = KEPT.connection = http.client.HTTPConnection("127.0.0.1", OTHER)
    connection.request("GET", path)
    connection.getresponse().read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        served = self.path.rsplit("/", 1)[1]
        called = [f"{served}.{k}" for k in range(CALLS)]
        for name in called:
            call(f"/leaf/{name}")
        if not CALLS:
            time.sleep(0.002)
        with WRITING:
            LOG.write(json.dumps({"served": served, "called": called}) + "\n")
        body = b"ok"
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


Server(("127.0.0.1", PORT), Handler).serve_forever()
