"""A service in two versions, for tests of gates: GET /pay sleeps N times for S seconds and makes N calls.

    gate_service.py --port PORT --stock HOST:PORT [--calls N] [--sleep S] [--naps N] [--fail-every N]
                    [--spin SECONDS] [--leak BYTES]

With --spin it then uses CPU time until its thread has used SECONDS more; with --leak it keeps BYTES for good.
"""
import argparse
import http.client
import http.server
import itertools
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stock", required=True)
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--sleep", type=float, default=0.002)
    parser.add_argument("--naps", type=int, default=1)
    parser.add_argument("--fail-every", type=int, default=0)
    parser.add_argument("--spin", type=float, default=0)
    parser.add_argument("--leak", type=int, default=0)
    options = parser.parse_args()
    served = itertools.count(1)
    kept = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body after its header would wait 40 ms for the client's acknowledgement

        def setup(self):
            super().setup()
            self.stock = http.client.HTTPConnection(options.stock)

        def finish(self):
            self.stock.close()
            super().finish()

        def do_GET(self):
            for _ in range(options.naps):
                time.sleep(options.sleep)
            for _ in range(options.calls):
                self.stock.request("GET", "/stock/shirts")
                self.stock.getresponse().read()
            until = time.thread_time() + options.spin
            while time.thread_time() < until:
                pass
            if options.leak:
                kept.append(b"x" * options.leak)
            number = next(served)
            self.send_response(500 if options.fail_every and number % options.fail_every == 0 else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 64

    with Server(("127.0.0.1", options.port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
