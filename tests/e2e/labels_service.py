"""A service that knows what its requests' time goes to: threads or loop, port, log and the port of another one.

GET /sleep/MS/ID, /lock/MS/ID, /spin/MS/ID, /down/MS/ID (asks the other one to sleep), in threads or on an event loop.
The log says of each request what was injected, in ns by the monotonic clock: `label` and `took`.
"""
import asyncio
import http.client
import http.server
import json
import sys
import threading
import time

KIND, PORT, LOG, OTHER = (
    sys.argv[1],
    int(sys.argv[2]),
    open(sys.argv[3], "w", buffering=1, encoding="utf-8"),
    int(sys.argv[4]),
)
LOCK, WRITING = threading.Lock(), threading.Lock()


def log(served, label, took):
    with WRITING:
        LOG.write(json.dumps({"id": served, "label": label, "took": took}) + "\n")


def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, what, ms, served = self.path.split("/")
        seconds = int(ms) / 1000
        began = time.monotonic_ns()
        if what == "sleep":
            time.sleep(seconds)
            log(served, "timer.sleep", time.monotonic_ns() - began)
        elif what == "lock":
            with LOCK:
                log(served, "lock.futex", time.monotonic_ns() - began)
                time.sleep(seconds)
        elif what == "spin":
            spin(seconds)
            log(served, "cpu", int(seconds * 1e9))
        else:
            connection = http.client.HTTPConnection("127.0.0.1", OTHER)
            connection.request("GET", f"/sleep/{ms}/d{served}")
            connection.getresponse().read()
            connection.close()
            log(served, "down.wait", time.monotonic_ns() - began)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


async def serve(reader, writer):
    while line := await reader.readline():
        _, what, ms, served = line.split()[1].decode().split("/")
        while (await reader.readline()).strip():
            pass
        seconds = int(ms) / 1000
        began = time.monotonic_ns()
        if what == "sleep":
            await asyncio.sleep(seconds)
            log(served, "timer.sleep", time.monotonic_ns() - began)
        elif what == "spin":
            spin(seconds)
            log(served, "cpu", int(seconds * 1e9))
        else:
            other_reader, other = await asyncio.open_connection("127.0.0.1", OTHER)
            other.write(f"GET /sleep/{ms}/d{served} HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n".encode())
            while not (await other_reader.readline()).startswith(b"ok"):
                pass
            other.close()
            log(served, "down.wait", time.monotonic_ns() - began)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    await server.serve_forever()


if KIND == "threads":
    Server(("127.0.0.1", PORT), Handler).serve_forever()
else:
    asyncio.run(main())
