"""Listeners and connections that were open before the recording: in this network namespace and another, and a UNIX socket."""
import socket
import subprocess
import sys

import harness
from harness import OK_SERVER, Case, free_port, namespace_of, wait_until

# Asks once at the beginning, and again for each line that it reads: on that connection, then on a new one.
CLIENT = r"""
import http.client, sys
def connect():
    connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=60)
    connection.connect()
    return connection
def ask(connection, path):
    connection.request("GET", path)
    assert connection.getresponse().read() == b"ok"
older = connect()
ask(older, "/before")
print("ready", flush=True)
for line in sys.stdin:
    ask(older, "/older")
    ask(connect(), "/younger")
    print("asked", flush=True)
"""

UNIX_SERVER = r"""
import socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
print("ready", flush=True)
connection = listening.accept()[0]
while connection.recv(4096):
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
"""


class Existing(Case):
    def pair(self, *around):
        """A server and its client, each under the command `around`; they listen at a port of their own."""
        port = free_port()
        server = self.start([*around, sys.executable, "-c", OK_SERVER, "127.0.0.1", port])
        client = None

        def connected():
            nonlocal client
            client = self.start(
                [*around, sys.executable, "-c", CLIENT, "127.0.0.1", str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            return client.stdout.readline() == "ready\n"

        wait_until(connected, "the server")
        return server, client, port

    def ask(self, client):
        client.stdin.write("go\n")
        client.stdin.flush()
        self.assertEqual(client.stdout.readline(), "asked\n")

    def assert_both_known(self, recording, server, port):
        """The connection that was open before, and the one that came later."""
        space = namespace_of(server.pid)  # in another one a test beside this may have the port
        events = harness.json_lines(self.tailcap("events", "--json", recording.file))
        sockets = {
            e["socket"]: e
            for e in events
            if e["kind"] == "socket_info" and e["local"].endswith(f":{port}") and e["net_namespace"] == space
        }
        rows = [r["path"] for r in self.requests(recording, role="server") if r["pid"] == server.pid]
        self.assertEqual(sorted(rows), ["/older", "/younger"])
        origins = sorted(e["origin"] for e in sockets.values())
        self.assertEqual(origins, ["accepted", "existed", "listener"])
        for socket_, told in sockets.items():
            if told["origin"] == "listener":
                continue
            mine = [e for e in events if e.get("socket") == socket_]
            kinds = [e["kind"] for e in mine if e["kind"] in ("arrival", "receive")]
            self.assertEqual(kinds[:2], ["arrival", "receive"], told)
        accepted = next(e for e in sockets.values() if e["origin"] == "accepted")
        self.assertTrue(accepted["listener"], "whose queue it was in")

    def test_in_both_namespaces(self):
        here, there = self.pair(), self.pair("ip", "netns", "exec", self.network_namespace("existing"))
        for chosen in (
            ("-p", f"{here[0].pid},{there[0].pid}"),
            ("--port", here[2], "--port", there[2]),
        ):
            with self.subTest(chosen), self.record(*chosen, name=chosen[0].strip("-")) as recording:
                for _, client, _ in (here, there):
                    self.ask(client)
            self.assert_whole(recording)
            for server, _, port in (here, there):
                with self.subTest((chosen, port)):
                    self.assert_both_known(recording, server, port)

    def test_of_unix(self):
        path = self.scratch / "socket"
        server = self.start([sys.executable, "-c", UNIX_SERVER, path], stdout=subprocess.PIPE, text=True)
        self.assertEqual(server.stdout.readline(), "ready\n")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            ask = lambda name: (connection.sendall(f"GET {name} HTTP/1.1\r\n\r\n".encode()), connection.recv(4096))
            ask("/before")
            with self.record("-p", server.pid) as recording:
                ask("/older")
            self.assert_whole(recording)
        self.assertEqual([r["path"] for r in self.requests(recording, role="server")], ["/older"])
        told = harness.json_lines(self.tailcap("events", "--json", "--kind", "socket_info", recording.file))
        self.assertEqual({e["origin"] for e in told if e["family"] == "unix"} - {"listener"}, {"existed"}, told)


if __name__ == "__main__":
    harness.main()
