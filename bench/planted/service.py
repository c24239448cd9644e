"""The service of bench/planted in Python."""
import http.client
import http.server
import itertools
import socket
import sys
import time

PORT, OPTIONS = int(sys.argv[1]), dict(word.split("=", 1) for word in sys.argv[2:])
CALLS, CONNECTS, QUERIES, ERRORS, SPIN, BYTES, LEAK, FAILING, SLEEPS = (
    int(OPTIONS.get(name, 0))
    for name in ("calls", "connects", "queries", "errors", "spin", "bytes", "leak", "failing", "sleeps")
)
TAIL, SLOW = (float(OPTIONS.get(name, 0)) for name in ("tail", "slow"))
BODY = b"x" * BYTES
served, kept = itertools.count(1), []


def wait(number):
    """Every twentieth request waits for about TAIL ms, every hundredth for SLOW ms."""
    milliseconds = TAIL * (0.9 + number * 0.0309 % 0.2) if number % 20 == 0 else SLOW if number % 100 == 50 else 0
    if milliseconds:
        time.sleep(milliseconds / 1000)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.stock = http.client.HTTPConnection(OPTIONS["stock"])
        host, port = OPTIONS["redis"].split(":")
        self.redis = socket.create_connection((host, int(port))) if QUERIES else None

    def call(self, connection, number):
        connection.request("GET", "/error" if FAILING and number % 100 == 0 else "/stock/shirts")
        connection.getresponse().read()

    def do_GET(self):
        number = next(served)
        for _ in range(CALLS):
            self.call(self.stock, number)
        for _ in range(CONNECTS):
            fresh = http.client.HTTPConnection(OPTIONS["stock"])
            self.call(fresh, number)
            fresh.close()
        for _ in range(QUERIES):
            self.redis.sendall(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n")
            self.redis.recv(100)
        until = time.thread_time() + SPIN / 1e6
        while time.thread_time() < until:
            pass
        if LEAK:
            kept.append(b"x" * LEAK)
        for _ in range(SLEEPS):
            time.sleep(0.0001)
        wait(number)
        self.send_response(500 if ERRORS and number % 100 == 0 else 200)
        self.send_header("Content-Length", str(BYTES))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


Server(("127.0.0.1", PORT), Handler).serve_forever()
