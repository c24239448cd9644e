"""Traffic that is recorded in another way than TCP's, or not at all: MPTCP, UDP, vsock, io_uring. Nothing of it vanishes."""
import http.client
import json
import re
import socket
import subprocess
import sys
import textwrap
import threading

import harness
from harness import Case, free_port, wait_until

IPPROTO_MPTCP = 262

# An HTTP server over MPTCP. What it served is printed: method, path, bytes of the body.
SERVER = textwrap.dedent(
    """
    import http.server, socket, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_GET(self):
            body = b"x" * int(self.path.rsplit("/", 1)[1])
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            print(self.headers["x-request-id"], self.path, len(body), flush=True)
        def log_message(self, *arguments): pass
    class Server(http.server.ThreadingHTTPServer):
        def __init__(self, address, handler):
            super().__init__(address, handler, bind_and_activate=False)
            self.socket.close()
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
            self.server_bind()
            self.server_activate()
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
)
# Makes `count` requests on one connection, over the protocol of that number.
CLIENT = textwrap.dedent(
    """
    import http.client, socket, sys
    port, protocol, count = map(int, sys.argv[1:4])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    connection.sock.connect(("127.0.0.1", port))
    for i in range(count):
        connection.request("GET", f"/item/{i * 100}", headers={"x-request-id": f"{protocol}-{i}"})
        assert len(connection.getresponse().read()) == i * 100
"""
)


class Unrecorded(Case):
    REQUESTS = 53

    def setUp(self):
        super().setUp()
        with open("/proc/sys/net/mptcp/enabled") as enabled:
            self.assertEqual(enabled.read().strip(), "1", "MPTCP is switched off")

    def serve(self):
        port = free_port()
        log = open(self.scratch / "served", "w+")
        self.addCleanup(log.close)
        server = self.start([sys.executable, "-c", SERVER, port], stdout=log)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the server")
        return server, port

    def served(self):
        return {words[0]: words[1:] for words in map(str.split, (self.scratch / "served").read_text().splitlines())}

    def quality(self, recording):
        return json.loads(self.tailcap("report", recording.file, "--json", code=(0, 3)))["quality"]

    def unrecorded(self, recording):
        """(process, kind) → (bytes, calls, sockets), as the notes have it."""
        found = {}
        for key, value in self.quality(recording)["capture"]["notes"]:
            if key.startswith("tailcap.unrecorded."):
                process, kind = key.split(".")[2:]
                numbers = re.search(r": (\d+) bytes? in (\d+) calls?(?: on (\d+) sockets?)? by ", value).groups()
                found[int(process), kind] = tuple(int(n) if n else None for n in numbers)
        return found

    def check(self, rows, protocol, unknown_arrivals=0):
        """unknown_arrivals: at most this number of requests; with MPTCP all have unknown arrivals."""
        self.assertEqual(len(rows), self.REQUESTS)
        truth = self.served()
        for row in rows:
            path, size = truth[row["x_request_id"]]
            self.assertEqual(
                (row["method"], row["path"], row["status"], row["response_bytes"], row["complete"]),
                ("GET", path, 200, int(size), True),
                row,
            )
            self.assertLessEqual(set(row["tainted"]), {"arrival_unknown"}, row)
        if protocol == socket.IPPROTO_TCP:
            self.assertLessEqual(sum(bool(row["tainted"]) for row in rows), unknown_arrivals)

    def test_mptcp_at_both_ends(self):
        if harness.TIER == "c":
            self.skipTest("tier c counts MPTCP only")
        server, port = self.serve()
        with self.record(
            "-p", server.pid, "--", sys.executable, "-c", CLIENT, port, IPPROTO_MPTCP, self.REQUESTS
        ) as recording:
            recording.process.wait(timeout=60)
        self.end(server)
        rows = self.requests(recording)
        for role in ("server", "client"):
            self.check([r for r in rows if r["role"] == role], IPPROTO_MPTCP)
        by_id = {r["id"]: r for r in rows}
        for row in rows:
            self.assertEqual(by_id[row["peer"]]["x_request_id"], row["x_request_id"], "each end knows the other")
        self.assertEqual(self.unrecorded(recording), {})
        self.assertEqual(self.quality(recording)["failed_connections"], 0, "subflows are no connections of their own")

    def test_client_of_mptcp(self):
        if harness.TIER == "c":
            self.skipTest("tier c counts MPTCP only")
        for protocol in (IPPROTO_MPTCP, socket.IPPROTO_TCP):  # to a server that knows MPTCP
            with self.subTest(protocol=protocol):
                server, port = self.serve()
                with self.record(
                    "--", sys.executable, "-c", CLIENT, port, protocol, self.REQUESTS, name=f"{protocol}.tcap"
                ) as recording:
                    recording.process.wait(timeout=60)
                self.end(server)
                self.check(self.requests(recording, role="client"), protocol)

    def test_plain_clients_of_a_server_of_mptcp(self):
        server, port = self.serve()
        with self.record("-p", server.pid) as recording:
            subprocess.run(
                [sys.executable, "-c", CLIENT, str(port), str(socket.IPPROTO_TCP), str(self.REQUESTS)],
                check=True,
                timeout=240,
            )
        self.end(server)
        # Its listener was there before: a connection is known from the first read on.
        self.check(
            self.requests(recording, role="server"),
            socket.IPPROTO_TCP,
            unknown_arrivals=self.REQUESTS if harness.TIER == "c" else 1,
        )

    def test_connections_of_mptcp_that_were_there_before_are_counted(self):
        server, port = self.serve()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as client:
            client.connect(("127.0.0.1", port))
            request = b"GET /item/10 HTTP/1.1\r\nhost: x\r\nx-request-id: a\r\n\r\n"
            client.sendall(request)
            client.recv(4096)
            with self.record("-p", server.pid) as recording:
                for _ in range(5):
                    client.sendall(request)
                    client.recv(4096)
        self.end(server)
        self.assertEqual(self.requests(recording, code=3), [])
        found = self.unrecorded(recording)
        self.assertEqual(list(found), [(server.pid, "mptcp")])
        self.assertGreaterEqual(found[server.pid, "mptcp"][0], 5 * len(request) + 5 * 10)
        self.assertIn("by MPTCP", self.tailcap("report", recording.file, "--full", code=(0, 3)))
        self.assertIn("by MPTCP", recording.said)

    def test_udp_is_counted_to_the_byte(self):
        script = textwrap.dedent(
            """
            import socket
            a, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            b.bind(("127.0.0.1", 0))
            for i in range(1, 101):
                a.sendto(b"d" * i, b.getsockname())
                b.recv(1000)
        """
        )
        with self.record("--", sys.executable, "-c", script) as recording:
            recording.process.wait(timeout=30)
        found = self.unrecorded(recording)
        self.assertEqual([kind for _, kind in found], ["udp"])
        self.assertEqual(list(found.values()), [(2 * 5050, 200, None if harness.TIER == "c" else 2)])

    def test_io_uring_is_counted_to_the_byte(self):
        if harness.TIER == "c":
            self.skipTest("tier c does not see io_uring")
        port = free_port()
        count = 31
        log = open(self.scratch / "served", "w+")
        self.addCleanup(log.close)
        server = self.start([harness.BUILD / "tests/e2e/uring-server", port, count], stdout=log)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the server")
        with self.record("-p", server.pid) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            for i in range(count):
                connection.request("GET", f"/{i}")
                self.assertEqual(connection.getresponse().read(), b"hello")
            connection.close()
            server.wait(timeout=10)
        moved = [int(n) for line in (self.scratch / "served").read_text().splitlines() for n in line.split()]
        self.assertEqual(len(moved), 2 * count)
        self.assertEqual(self.unrecorded(recording), {(server.pid, "io_uring"): (sum(moved), 2 * count, 1)})
        self.assertIn("by io_uring", self.tailcap("report", recording.file, "--full", code=(0, 3)))


if __name__ == "__main__":
    harness.main()
