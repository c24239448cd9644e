"""Sockets beyond ordinary TCP: both ends of UNIX sockets, urgent data, sockets that connect again, and a poll of one descriptor; the truth is what this process did."""
import ctypes
import os
import socket
import subprocess
import sys
import time

import harness
from harness import Case, json_lines

PAUSE = 0.06  # seconds


def read_until(connection, size):
    got = b""
    while len(got) < size:
        part = connection.recv(size - len(got))
        if not part:
            break
        got += part
    return got


class Sockets(Case):
    def exchange(self, client, server, path, status, body):
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        client.sendall(request)
        self.assertEqual(read_until(server, len(request)), request)
        answer = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        server.sendall(answer)
        self.assertEqual(read_until(client, len(answer)), answer)
        return path, status, len(body)

    def said(self, rows, role):
        return [
            (r["path"], r["status"], r["response_bytes"])
            for r in sorted(rows, key=lambda r: r["start_ns"])
            if r["role"] == role
        ]

    def test_both_ends_of_a_unix_socket(self):
        path = self.scratch / "service.sock"
        service = self.sample_service("--unix", path, ready=path)
        # A name of its own: other tests run loads, too.
        client = self.scratch / f"load-{os.getpid()}"
        client.symlink_to(harness.BUILD / "samples/tailcap-load")
        for tier in "a", "c":
            with self.record(
                "-p", service.pid, "--comm", client.name, "--tier", tier, name=f"{tier}.tcap"
            ) as recording:
                log = self.load(f"unix:{path}", "-r", "200", "-c", "4", "-n", "103", program=client)
            rows = self.requests(recording)
            servers, clients = ([r for r in rows if r["role"] == role] for role in ("server", "client"))
            self.assert_same(log, servers, ["arrival_unknown"])
            self.assert_same(log, clients, ["arrival_unknown"])
            by_id = {r["id"]: r for r in rows}
            for row in rows:
                self.assertIsNotNone(row["peer"], row)
                peer = by_id[row["peer"]]
                self.assertEqual((peer["peer"], peer["x_request_id"]), (row["id"], row["x_request_id"]))
                self.assertNotEqual(peer["role"], row["role"])
            self.assertNotIn("callers outside", self.tailcap("topology", recording.file))

    def test_urgent_data(self):
        for tier in "a", "c":
            with self.record("-p", os.getpid(), "--tier", tier, name=f"{tier}.tcap") as recording, socket.create_server(
                ("127.0.0.1", 0)
            ) as listener:
                with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as server:
                    truth = [self.exchange(client, server, "/a", 200, "1")]
                    client.send(b"!", socket.MSG_OOB)
                    time.sleep(PAUSE)
                    truth.append(self.exchange(client, server, "/b", 500, "22"))
                    server.send(b"!", socket.MSG_OOB)
                    time.sleep(PAUSE)
                    truth += [
                        self.exchange(client, server, path, 200, body) for path, body in (("/c", "333"), ("/d", "4444"))
                    ]
            rows = self.requests(recording)
            for role in "server", "client":
                self.assertEqual(self.said(rows, role), truth, (tier, role))
            self.assertEqual([r for r in rows if r["tainted"]], [], tier)

    def test_a_socket_that_connects_again(self):
        disconnect = ctypes.create_string_buffer(16)  # AF_UNSPEC
        with self.record("-p", os.getpid()) as recording, socket.create_server(
            ("127.0.0.1", 0)
        ) as listener, socket.socket() as client:
            with self.assertRaises(ConnectionRefusedError):
                client.connect(("127.0.0.1", harness.free_port()))
            truth, addresses = [], []
            for path in "/first", "/second":
                client.connect(listener.getsockname())
                with listener.accept()[0] as server:
                    addresses.append(":".join(map(str, client.getsockname())))
                    truth.append(self.exchange(client, server, path, 200, "333"))
                    self.assertEqual(ctypes.CDLL(None).connect(client.fileno(), disconnect, 16), 0)
            where = ":".join(map(str, listener.getsockname()))
        rows = self.requests(recording)
        self.assertEqual([r["error_code"] for r in rows if r["protocol"] == "tcp"], ["refused"])
        rows = [r for r in rows if r["protocol"] != "tcp"]
        for role in "server", "client":
            self.assertEqual(self.said(rows, role), truth, role)
        clients = sorted((r for r in rows if r["role"] == "client"), key=lambda r: r["start_ns"])
        self.assertEqual([(r["local"], r["remote"]) for r in clients], [(address, where) for address in addresses])
        self.assertEqual([r for r in rows if r["peer"] is None or r["tainted"]], [])

    POLLER = """
import select, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection = listener.accept()[0]
waiting = select.poll()
waiting.register(connection, select.POLLIN)
for _ in range(20):
    waiting.poll()
    connection.recv(100)
sys.stdin.read()
"""

    def test_a_poll_of_one_descriptor_says_which(self):
        poller = self.start([sys.executable, "-c", self.POLLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port = int(poller.stdout.readline())
        with self.record("-p", poller.pid) as recording, socket.create_connection(("127.0.0.1", port)) as client:
            for _ in range(20):
                time.sleep(PAUSE)
                client.send(b"x")
            time.sleep(PAUSE)
        sockets = {
            e["socket"]: e["local"]
            for e in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "socket_info"))
        }
        waits = [
            w
            for w in json_lines(self.tailcap("events", recording.file, "--json", "--kind", "off_cpu"))
            if w["pid"] == poller.pid and w["syscall"] in (7, 271) and w["time"] - w["left"] > 0.5e9 * PAUSE
        ]
        self.assertGreaterEqual(len(waits), 15)
        for wait in waits:
            self.assertEqual((wait["file"], sockets.get(wait["socket"])), ("socket", f"127.0.0.1:{port}"), wait)


if __name__ == "__main__":
    harness.main()
