"""What happens on the wire and is hard: each case has one right answer, known because both ends are made by hand."""
import pathlib
import subprocess
import sys

import harness
from harness import Case, free_port

PEER = pathlib.Path(__file__).resolve().parent / "peer.py"

# Tries to connect three times, as clients with a time limit do: without blocking.
REFUSED = """
import socket, sys
sys.stdin.read()
for _ in range(3):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
    except ConnectionRefusedError:
        print("refused", flush=True)
"""


class Wire(Case):
    def talk(self, server_behaviour, client_behaviour, times=1):
        """Both ends recorded; returns their rows by role, each in order of time."""
        port = free_port()
        server = self.start([sys.executable, PEER, "serve", port, server_behaviour], stdout=subprocess.PIPE)
        self.assertEqual(server.stdout.readline(), b"ready\n")
        server.stdout.close()
        with self.record("-p", server.pid, "--port", port) as self.recording:
            for _ in range(times):
                subprocess.run([sys.executable, PEER, "speak", str(port), client_behaviour], check=True, timeout=20)
        rows = self.requests(self.recording)
        return [r for r in rows if r["role"] == "server"], [r for r in rows if r["role"] == "client"]

    def assert_row(self, row, **expected):
        self.assertEqual({k: row[k] for k in expected}, expected, row)

    def test_h01_one_byte_at_a_time(self):
        server, client = self.talk("in_order", "bytewise")
        # The server answers before it reads the body; the body is the request's all the same.
        self.assertEqual([r["path"] for r in client], ["/bytes"])
        self.assert_row(
            client[0], method="POST", request_bytes=3, response_bytes=6, status=200, outcome="ok", complete=True
        )
        self.assert_row(
            server[0], method="POST", request_bytes=3, response_bytes=6, status=200, outcome="ok", complete=True
        )

    def test_h02_response_in_many_writes(self):
        for row in sum(self.talk("in_many_writes", "patiently"), []):
            self.assert_row(row, response_bytes=7, outcome="ok", complete=True)
            self.assertGreater(row["duration_ns"] - row["first_byte_ns"], 15_000_000, row)

    def test_h03_h05_interim_chunked_trailers(self):
        for row in sum(self.talk("trailers", "patiently"), []):
            self.assert_row(row, status=200, response_bytes=21, outcome="ok", complete=True, tainted=[])

    def test_h06_ended_by_fin(self):
        server, client = self.talk("until_close", "patiently")
        self.assert_row(client[0], response_bytes=12345, outcome="ok", complete=True)
        self.assert_row(server[0], response_bytes=12345, outcome="ok", complete=True)

    def test_h06_reset_in_the_body(self):
        server, client = self.talk("reset_in_body", "patiently")
        for row in server + client:
            self.assert_row(row, status=200, complete=False)
            self.assertIn(row["outcome"], ("truncated", "reset"), row)
        self.assertEqual((len(server), len(client)), (1, 1))

    def test_client_resets(self):
        server, _ = self.talk("in_many_writes", "impatiently")
        self.assertEqual(len(server), 1)
        self.assertIn(server[0]["outcome"], ("truncated", "reset"), server)
        self.assertFalse(server[0]["complete"])

    def test_h07_pipelining(self):
        server, client = self.talk("in_order", "pipelined")
        for rows in (server, client):
            self.assertEqual([r["path"] for r in rows], ["/first", "/slow", "/third"])
            self.assertEqual([r["response_bytes"] for r in rows], [6, 5, 6])
            self.assertTrue(all(r["complete"] for r in rows), rows)
            self.assertGreater(rows[2]["phases"]["pipelined"], 40_000_000, "the wait behind the slow one is its own")
        self.assertLess(server[2]["phases"]["work"], 40_000_000, "and not the service's")
        self.assertGreater(server[1]["phases"]["work"], 40_000_000)

    def test_h08_websocket(self):
        for rows in self.talk("websocket", "websocket"):
            self.assertEqual(len(rows), 1, rows)
            self.assert_row(rows[0], status=101, outcome="upgraded", complete=True)

    def test_h20_half_close(self):
        server, client = self.talk("after_fin", "once")
        self.assertEqual((len(server), len(client)), (1, 1))
        self.assert_row(server[0], response_bytes=13, outcome="ok", complete=True, tainted=[])
        # The kernel reports arrivals only of established connections; after its own FIN the client's is not.
        self.assert_row(client[0], response_bytes=13, outcome="ok", complete=True, tainted=["arrival_unknown"])

    def test_h23_writev_with_1024_pieces(self):
        for row in sum(self.talk("writev", "patiently"), []):
            self.assert_row(row, response_bytes=1023, outcome="ok", complete=True)

    def assert_body_of(self, server_behaviour, size):
        server, client = self.talk(server_behaviour, "patiently")
        self.assertEqual((len(server), len(client)), (1, 1))
        for row in server + client:
            self.assert_row(row, status=200, response_bytes=size, outcome="ok", complete=True)

    def test_h23_splice(self):
        self.assert_body_of("splice", 50_021)

    def test_h23_sendfile(self):
        self.assert_body_of("sendfile", 50_021)

    def test_h23_zerocopy(self):
        self.assert_body_of("zerocopy", 50_021)

    def test_h23_partial_writes(self):
        self.assert_body_of("without_waiting", 5_002_100)

    def test_h23_sendmmsg(self):
        # Only the lengths of its messages can be seen; the other end knows what they were.
        server, client = self.talk("sendmmsg", "patiently")
        self.assert_row(client[0], status=200, response_bytes=50_021, outcome="ok", complete=True)
        self.assertTrue(
            all(r["status"] in (200, None) and r["response_bytes"] in (50_021, None) for r in server), server
        )

    def test_h23_peek_moves_nothing(self):
        for rows in self.talk("peeking", "idle"):
            self.assertEqual([r["path"] for r in rows], ["/one", "/two"])
            self.assertTrue(all(r["complete"] and r["outcome"] == "ok" for r in rows), rows)

    def test_h24_inherited_by_fork(self):
        server, client = self.talk("forking", "once", times=13)
        self.assertEqual((len(server), len(client)), (13, 13))
        self.assertTrue(all(r["complete"] for r in server + client))

    def test_h24_descriptor_passed(self):
        server, client = self.talk("passing", "once", times=7)
        self.assertEqual((len(server), len(client)), (7, 7))
        self.assertTrue(all(r["complete"] for r in server + client))

    def test_h24_duplicated_and_reused(self):
        server, client = self.talk("duplicating", "patiently", times=29)
        self.assertEqual((len(server), len(client)), (29, 29))
        self.assertTrue(all(r["complete"] for r in server + client))

    def test_h28_idle_keep_alive(self):
        for rows in self.talk("in_order", "idle"):
            self.assertEqual([r["path"] for r in rows], ["/one", "/two"])
            self.assertLess(rows[1]["duration_ns"], 300_000_000, "the idle time before it is not its own")
            self.assertGreater(rows[1]["start_ns"] - rows[0]["start_ns"], 390_000_000)

    def test_connection_refused(self):
        port = free_port()
        client = self.start([sys.executable, "-c", REFUSED, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(client.stdout.close)
        with self.record("-p", client.pid) as recording:
            client.stdin.close()
            self.assertEqual(client.stdout.read(), b"refused\n" * 3)
        rows = self.requests(recording)  # each a call without an answer, and nothing else
        self.assertEqual(
            [(r["protocol"], r["operation"], r["error_code"]) for r in rows], [("tcp", "CONNECT", "refused")] * 3
        )
        self.assertIn("refused", self.tailcap("report", recording.file, "--full"))


if __name__ == "__main__":
    harness.main()
