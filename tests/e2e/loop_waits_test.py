"""What an event loop's requests wait for where no call is under way: a timer, while other requests keep the loop awake, and a pool
with one thread. And a thread that reads a timer."""
import socket
import sys
import threading
import time

import harness
from harness import Case, free_port, json_lines, wait_until

# GET /sleep: a timer. GET /pool: a pool with one thread. It writes down how long each waited and worked.
LOOP = r"""
import asyncio, concurrent.futures, json, sys, time
pool = concurrent.futures.ThreadPoolExecutor(1)
def work():
    began = time.monotonic_ns()
    time.sleep(0.06)
    return began
async def serve(reader, writer):
    while (line := await reader.readline()).startswith(b"GET"):
        while (await reader.readline()).strip():
            pass
        path, began, queued = line.split()[1].decode(), time.monotonic_ns(), 0
        if path == "/sleep":
            await asyncio.sleep(0.06)
        if path == "/pool":
            queued = await asyncio.get_running_loop().run_in_executor(pool, work) - began
        print(json.dumps({"path": path, "took": time.monotonic_ns() - began, "queued": queued}), flush=True)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""

TIMER = r"""
import ctypes, http.server, json, os, sys, time
libc = ctypes.CDLL(None)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        f = libc.timerfd_create(1, 0)
        libc.timerfd_settime(f, 0, (ctypes.c_long * 4)(0, 0, 0, 60_000_000), None)
        began = time.monotonic_ns()
        os.read(f, 8)
        print(json.dumps({"path": self.path, "took": time.monotonic_ns() - began}), flush=True)
        os.close(f)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class LoopWaits(Case):
    def serve(self, program):
        port, self.log = free_port(), self.scratch / "service.log"
        with open(self.log, "w") as out:
            process = self.start([sys.executable, "-c", program, port], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        return process, port

    def get(self, port, path):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
            while b"\r\n\r\n" not in s.recv(4096):
                pass

    def sums(self, recording, path):
        """Labels of all requests to this path together; what the service wrote of them."""
        rows = [r for r in self.requests(recording, role="server") if r["path"] == path]
        truth = [t for t in json_lines(self.log.read_text()) if t["path"] == path]
        self.assertEqual(len(rows), len(truth))
        sums = {}
        for part in (p for r in rows for p in r["labels"]):
            sums[part["label"]] = sums.get(part["label"], 0) + part["ns"]
        return sums, truth

    def test_timer_of_a_busy_loop(self):
        process, port = self.serve(LOOP)
        stop = threading.Event()

        def others():
            while not stop.is_set():
                self.get(port, "/other")
                time.sleep(0.003)

        beside = threading.Thread(target=others)
        with self.record("-p", process.pid) as recording:
            beside.start()
            for _ in range(8):
                self.get(port, "/sleep")
            stop.set()
            beside.join()
        sums, truth = self.sums(recording, "/sleep")
        self.assertGreater(sums.get("timer.sleep", 0), 0.8 * sum(t["took"] for t in truth), sums)

    def test_pool(self):
        process, port = self.serve(LOOP)
        with self.record("-p", process.pid) as recording:
            for _ in range(3):
                users = [threading.Thread(target=self.get, args=(port, "/pool")) for _ in range(3)]
                for one in users:
                    one.start()
                    time.sleep(0.01)
                for one in users:
                    one.join()
        sums, truth = self.sums(recording, "/pool")
        queued = sum(t["queued"] for t in truth)
        self.assertGreater(queued, 0.25e9, truth)
        self.assertAlmostEqual(sums.get("q.pool", 0) / queued, 1, delta=0.25, msg=str(sums))
        # What the pool itself did: it slept.
        worked = sum(t["took"] for t in truth) - queued
        self.assertAlmostEqual(sums.get("timer.sleep", 0) / worked, 1, delta=0.25, msg=str(sums))

    def test_timer_that_is_read(self):
        process, port = self.serve(TIMER)
        with self.record("-p", process.pid) as recording:
            for _ in range(4):
                self.get(port, "/timer")
        sums, truth = self.sums(recording, "/timer")
        self.assertAlmostEqual(sums.get("timer.sleep", 0) / sum(t["took"] for t in truth), 1, delta=0.1, msg=str(sums))


if __name__ == "__main__":
    harness.main()
