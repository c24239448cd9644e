"""A service with three routes and a change that can be planted into one of them, for tests of `tailcap diff`.

    diff_service.py --port PORT --stock HOST:PORT --redis PORT [--log FILE] [--change NAME]

GET /items asks Redis once and sleeps; GET /pay calls the stock service and sleeps; GET /bill computes. The log has a JSON line for each
request: its route and what it did, as the service counts it.

    call       GET /pay makes a second call, of GET /shoes
    slow       GET /items sleeps 20 ms longer
    statement  GET /items also asks for HLEN prices
    function   GET /bill spends 15 ms more of CPU time in add_tax
"""
import argparse
import http.client
import http.server
import json
import socket
import threading
import time


def compute(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(200))


def add_tax(seconds):
    compute_tax = time.thread_time() + seconds
    while time.thread_time() < compute_tax:
        sum(range(200))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stock", required=True)
    parser.add_argument("--redis", type=int, required=True)
    parser.add_argument("--log")
    parser.add_argument("--change", default="")
    options = parser.parse_args()
    change = options.change
    log = open(options.log, "w") if options.log else None
    writing = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self):
            super().setup()
            self.stock = http.client.HTTPConnection(options.stock)
            self.redis = socket.create_connection(("127.0.0.1", options.redis))
            self.redis.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def finish(self):
            self.stock.close()
            self.redis.close()
            super().finish()

        def call(self, path):
            self.stock.request("GET", path)
            self.stock.getresponse().read()
            self.did["GET " + path] = self.did.get("GET " + path, 0) + 1

        def ask(self, *words):
            self.redis.sendall(
                b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words)
            )
            self.redis.recv(4096)
            self.did[words[0]] = self.did.get(words[0], 0) + 1

        def items(self):
            self.ask("GET", "items")
            if change == "statement":
                self.ask("HLEN", "prices")
            time.sleep(0.003)
            if change == "slow":
                time.sleep(0.02)

        def pay(self):
            self.call("/shirts")
            if change == "call":
                self.call("/shoes")
            time.sleep(0.002)

        def bill(self):
            compute(0.001)
            add_tax(0.016 if change == "function" else 0.001)

        def do_GET(self):
            self.did = {}
            began = time.monotonic()
            {"/items": self.items, "/pay": self.pay, "/bill": self.bill}[self.path]()
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            if log:
                with writing:
                    took = round((time.monotonic() - began) * 1e9)
                    print(json.dumps({"route": self.path, "did": self.did, "ns": took}), file=log, flush=True)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 64

    with Server(("127.0.0.1", options.port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
