"""The sample service under load, over every kind of socket, against the logs of both sides."""
import socket
import subprocess
import time

import harness
from harness import Case, free_port, json_lines


class Service(Case):
    MIX = ["--rate", "400", "-c", "8", "-n", "499"]  # a prime number of requests: no count fits by chance

    def serve_and_record(self, url, ready, *service_arguments, tainted=()):
        service = self.sample_service(*service_arguments, ready=ready)
        with self.record("-p", service.pid) as recording:
            client_log = self.load(url, *self.MIX)
        self.end(service)
        self.assert_whole(recording)
        rows = self.requests(recording)
        self.assert_same(client_log, rows, tainted)
        self.assert_same([t for t in json_lines(service.log.read_text()) if t["id"]], rows, tainted)
        return rows

    def test_ipv4(self):
        port = free_port()
        rows = self.serve_and_record(f"http://127.0.0.1:{port}", ("127.0.0.1", port), "--port", port)
        self.assertEqual({r["role"] for r in rows}, {"server"})
        self.assertEqual({r["protocol"] for r in rows}, {"http/1.1"})

    def test_ipv6(self):
        port = free_port(socket.AF_INET6)
        self.serve_and_record(f"http://[::1]:{port}", ("::1", port), "--port", port, "--address", "::1")

    def test_unix_socket(self):
        path = self.scratch / "service.sock"
        # A UNIX socket has no segments: when its bytes arrived is known only from the other end.
        self.serve_and_record(f"unix:{path}", path, "--unix", path, tainted=["arrival_unknown"])

    def test_thread_that_served(self):
        port = free_port()
        service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        with self.record("-p", service.pid) as recording:
            self.load(f"http://127.0.0.1:{port}", "-c", "5", "-n", "53")
        self.end(service)
        truth = {t["id"]: t for t in json_lines(service.log.read_text()) if t["id"]}
        for row in self.requests(recording):
            self.assertEqual(
                (row["pid"], row["tid"]), (truth[row["x_request_id"]]["pid"], truth[row["x_request_id"]]["tid"]), row
            )
            self.assertEqual(row["comm"][:15], "tailcap-sample-service"[:15])

    def test_both_ends_know_each_other(self):
        port = free_port()
        service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        with self.record("--port", port) as recording:
            client_log = self.load(f"http://127.0.0.1:{port}", "-r", "200", "-c", "4", "-n", "211")
        servers, clients = self.requests(recording, role="server"), self.requests(recording, role="client")
        self.assert_same(client_log, servers)
        self.assert_same(client_log, clients)
        by_id = {r["id"]: r for r in servers + clients}
        self.assertEqual(len(by_id), 2 * 211, "ids are unique")
        for row in servers + clients:
            self.assertIsNotNone(row["peer"], row)
            peer = by_id[row["peer"]]
            self.assertEqual(peer["peer"], row["id"])
            self.assertEqual(peer["x_request_id"], row["x_request_id"])
            self.assertNotEqual(peer["role"], row["role"])

    def test_connections_that_were_open_before(self):
        port = free_port()
        service = self.sample_service("--port", port, ready=("127.0.0.1", port))
        url = f"http://127.0.0.1:{port}"
        load = self.start(
            self.load_command(url, "-r", "100", "-c", "4", "-d", "9", "--route", "1 GET /cart/{n}"),
            stdout=subprocess.DEVNULL,
        )
        time.sleep(0.7)
        with self.record("-p", service.pid) as recording:
            load.wait(timeout=30)
        log = json_lines((self.scratch / "load.jsonl").read_text())
        rows = {r["x_request_id"]: r for r in self.requests(recording)}
        self.assertLessEqual(set(rows) - {None}, {t["id"] for t in log}, "invented")
        whole = [t for t in log if t["id"] in rows]
        self.assertGreater(len(whole), 100)
        for t in whole[1:]:
            self.assertEqual((rows[t["id"]]["path"], rows[t["id"]]["status"]), (t["path"], t["status"]))

    def test_by_port_only_what_is_asked_for(self):
        one, other = free_port(), free_port()
        self.sample_service("--port", one, ready=("127.0.0.1", one))
        self.start([harness.BUILD / "samples/tailcap-sample-service", "--port", other], stdout=subprocess.DEVNULL)
        harness.wait_until(lambda: harness.answers(("127.0.0.1", other)), "the second service")
        with self.record("--port", one) as recording:
            wanted = self.load(f"http://127.0.0.1:{one}", "-n", "31", "--id", "one-")
            self.load(f"http://127.0.0.1:{other}", "-n", "29", "--id", "other-")
        self.assert_same(wanted, self.requests(recording, role="server"))
        self.assert_same(wanted, self.requests(recording, role="client"))


if __name__ == "__main__":
    harness.main()
