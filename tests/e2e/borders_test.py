"""Where requests begin and end, and which two ends are one connection: what a server and its client say themselves."""
import os
import socket
import struct
import subprocess
import sys
import time

import harness
from harness import OK_SERVER, Case, free_port

# Answers without a length, and then passes on what the client types until it types "exit".
HANDS_OVER = r"""
import socket, sys, threading
def serve(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
    sent = 0
    while (typed := connection.recv(4096)) not in (b"", b"exit\n"):
        connection.sendall(b"> " + typed)
        sent += 2 + len(typed)
    connection.close()
    print(head.split(b" ")[1].decode(), sent, flush=True)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=50)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

CLIENT = r"""
import http.client, sys
sys.stdin.readline()
for n in range(20):
    connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]))
    for turn in range(2):
        connection.request("GET", f"/item/{n}/{turn}")
        connection.getresponse().read()
    connection.close()
print("done", flush=True)
sys.stdin.readline()
"""

# Reads everything, and says nothing but its settings.
SILENT = r"""
import socket, sys, time
connection = socket.create_server(("127.0.0.1", int(sys.argv[1]))).accept()[0]
connection.sendall(bytes.fromhex("000000040000000000"))
time.sleep(1)
while connection.recv(1 << 20):
    pass
"""


class Borders(Case):
    BY_OTHER_NAMES = True

    def test_nothing_is_a_request_after_an_answer_that_ends_with_its_connection(self):
        port = free_port()
        server = self.start([sys.executable, "-c", HANDS_OVER, port], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        harness.wait_until(lambda: self.listens(port), "the server")
        with self.record("-p", server.pid, os.getpid()) as recording:
            for n in range(3):
                with socket.create_connection(("127.0.0.1", port)) as client:
                    client.sendall(f"POST /exec/{n} HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n".encode())
                    client.recv(4096)
                    for text in (
                        b"ls\n",
                        b"GET /secret HTTP/1.1\r\nHost: inner\r\n\r\n",
                        b"POST /inner HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
                    ):
                        client.sendall(text)
                        client.recv(4096)
                    client.sendall(b"exit\n")
                    while client.recv(4096):
                        pass
        said = dict(server.stdout.readline().split() for _ in range(3))
        for role in ("server", "client"):
            rows = self.requests(recording, role=role)
            self.assertEqual({row["path"]: str(row["response_bytes"]) for row in rows}, said, role)
            self.assertEqual(len(rows), 3)
            self.assertEqual({(row["status"], row["outcome"], row["complete"]) for row in rows}, {(200, "ok", True)})

    def listens(self, port):
        return (
            subprocess.run(["ss", "-Htln", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout != ""
        )

    def test_thousands_of_frames_in_one_call(self):
        """A client that cancels what it asks for, as in a rapid reset: 2,000 requests, which the server reads at once."""
        port = free_port()
        server = self.start([sys.executable, "-c", SILENT, port])
        harness.wait_until(lambda: self.listens(port), "the server")

        def frame(kind, flags, stream, payload=b""):
            return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

        head = b"\x82\x86\x84\x41\x01a"  # GET, http, /, and an authority that is not remembered
        count = 2000
        with self.record("-p", server.pid, os.getpid()) as recording:
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
                client.sendall(
                    b"".join(
                        frame(1, 5, 2 * n + 1, head) + frame(3, 0, 2 * n + 1, struct.pack(">I", 8))
                        for n in range(count)
                    )
                )
                time.sleep(1.5)
        for role in ("server", "client"):
            rows = self.requests(recording, role=role)
            self.assertEqual(len(rows), count, role)
            self.assertEqual({row["outcome"] for row in rows}, {"cancelled"}, role)

    def test_ends_are_joined_where_a_packet_filter_rewrites_addresses(self):
        """As with the address of a service in a cluster: the client knows another address and port than the server has."""
        names = [f"tc-{role}-{os.getpid()}" for role in ("client", "server")]
        near, far = names

        def run(*words):
            subprocess.run(words, check=True, capture_output=True, timeout=20)

        for name in names:
            self.addCleanup(lambda name=name: subprocess.run(["ip", "netns", "del", name], capture_output=True))
            run("ip", "netns", "add", name)
        run("ip", "-n", near, "link", "add", "v1", "type", "veth", "peer", "name", "v2", "netns", far)
        for name, link, address in ((near, "v1", "10.77.0.1/24"), (far, "v2", "10.77.0.2/24")):
            run("ip", "-n", name, "addr", "add", address, "dev", link)
            run("ip", "-n", name, "link", "set", link, "up")
        run("ip", "-n", near, "route", "add", "10.96.0.0/16", "dev", "v1")
        for rule in (
            "add table ip nat",
            "add chain ip nat out { type nat hook output priority -100; }",
            "add rule ip nat out ip daddr 10.96.0.10 tcp dport 80 dnat to 10.77.0.2:8080",
        ):
            run("ip", "netns", "exec", near, "nft", rule)
        server = self.start(["ip", "netns", "exec", far, sys.executable, "-c", OK_SERVER, "10.77.0.2", "8080"])
        client = self.start(
            ["ip", "netns", "exec", near, sys.executable, "-c", CLIENT, "10.96.0.10", "80"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(client.stdin.close)
        self.addCleanup(client.stdout.close)
        time.sleep(1)
        with self.record("-p", server.pid, client.pid) as recording:
            print("go", file=client.stdin, flush=True)
            self.assertEqual(client.stdout.readline(), "done\n")
        calls = self.requests(recording, role="client")
        served = {row["id"]: row for row in self.requests(recording, role="server")}
        self.assertEqual((len(calls), len(served)), (40, 40))
        for call in calls:
            self.assertEqual(served[call["peer"]]["path"], call["path"])


if __name__ == "__main__":
    harness.main()
