"""Plaintext of TLS, as GnuTLS and Go's crypto/tls hand it over, against what servers and clients logged."""
import os
import subprocess
import time

import harness
from harness import wait_until
from tls_case import TlsCase


class GnuTls(TlsCase):
    def assert_as_logged(self, sessions, truth):
        self.assertEqual([(s["in"], s["out"]) for s in sessions], truth)
        for s in sessions:
            self.assertEqual(s["library"], "gnutls")
            self.assertEqual(s["steps"][0], "handshake", s["steps"])

    def test_wget(self):
        server = self.nginx()
        with self.record("--comm", "wget") as recording:
            for i in range(7):
                subprocess.run(
                    [
                        "wget",
                        "-q",
                        "--no-check-certificate",
                        "-O",
                        "/dev/null",
                        f"{self.url}/small?{i}",
                        f"{self.url}/large?{i}",
                    ],
                    check=True,
                    timeout=30,
                )
        self.assert_whole(recording)
        truth = {}
        for t in self.access_log(server):
            sums = truth.setdefault(t["connection"], [0, 0])
            sums[0] += t["sent"]
            sums[1] += t["received"]
        self.assertEqual(len(truth), 7)
        sessions = self.sessions(recording, comm="wget")
        self.assert_as_logged(sessions, [tuple(t) for t in truth.values()])
        for i, s in enumerate(sessions):
            lines = [l for l in s["heads"]["out"].split("\r\n") if l.startswith("GET ")]
            self.assertEqual(lines, [f"GET /small?{i} HTTP/1.1", f"GET /large?{i} HTTP/1.1"])

    def test_gnutls_cli_and_a_failed_handshake(self):
        server = self.nginx()
        with self.record("--comm", "gnutls-cli") as recording:
            client = subprocess.Popen(
                ["gnutls-cli", "--insecure", "-p", str(self.port), "127.0.0.1"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            client.stdin.write(b"GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            said = client.communicate(timeout=20)[0]
            self.assertIn(b"s" * 256, said)
            refused = subprocess.run(
                ["gnutls-cli", "-p", str(self.port), "127.0.0.1"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=20,
            )
            self.assertNotEqual(refused.returncode, 0)
        whole, failed = self.sessions(recording, comm="gnutls-cli")
        (truth,) = self.access_log(server)
        self.assert_as_logged([whole], [(truth["sent"], truth["received"])])
        self.assertEqual(whole["steps"][-1], "freed", whole)
        self.assertEqual((failed["in"], failed["out"]), (0, 0))
        self.assertTrue(failed["codes"], failed)


class Go(TlsCase):
    def setUp(self):
        super().setUp()
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls_peer.go")
        self.peer, self.stripped = self.scratch / "tls-peer", self.scratch / "tls-peer-s"
        subprocess.run(["go", "build", "-o", self.peer, source], check=True, timeout=100)
        subprocess.run(["go", "build", "-ldflags=-s -w", "-o", self.stripped, source], check=True, timeout=100)

    def serve(self, program):
        log = self.scratch / "connections"
        server = self.start([program, "serve", f"127.0.0.1:{self.port}", self.certificate, self.key, log])
        self.ended = lambda: len(log.read_text().splitlines())
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "the Go server")
        wait_until(lambda: self.ended() == 1, "the Go server to end the connection that found it")
        return server, lambda: [tuple(map(int, l.split())) for l in log.read_text().splitlines() if l != "0 0"]

    def test_server_and_client(self):
        server, log = self.serve(self.stripped)
        before = self.ended()
        running = self.start([self.peer, "serve", "127.0.0.1:0", self.certificate, self.key, "/dev/null"])
        with self.record("-p", server.pid, "-p", running.pid, "--comm", "tls-peer", "--comm", "curl") as recording:
            for n in (1, 37):
                said = subprocess.run(
                    [self.peer, "get", f"localhost:{self.port}", self.certificate, str(n)],
                    check=True,
                    capture_output=True,
                    timeout=30,
                ).stdout.decode()
                self.assertEqual(said, "".join(f"go says /{i} 0\n" for i in range(n)))
            self.curl("-k", "--data-binary", f"@{self.peer}", f"https://127.0.0.1:{self.port}/upload")
            refused = subprocess.run(["curl", "-s", f"https://127.0.0.1:{self.port}/"], capture_output=True)
            self.assertEqual(refused.returncode, 60)
            wait_until(lambda: self.ended() >= before + 4, "the server's connections to end")
        self.assert_whole(recording)
        servers = self.sessions(recording, pid=server.pid)
        clients = [
            s for s in self.sessions(recording, comm="tls-peer") if s["library"] == "go" and s["pid"] != server.pid
        ]
        curls = self.sessions(recording, comm="curl")
        self.assertEqual(sorted((s["in"], s["out"]) for s in servers[:3]), sorted(log()))
        self.assertEqual([(s["in"], s["out"]) for s in clients], [(s["out"], s["in"]) for s in servers[:2]])
        self.assertEqual((servers[2]["in"], servers[2]["out"]), (curls[0]["out"], curls[0]["in"]))
        self.assertGreater(servers[2]["in"], os.path.getsize(self.peer))
        for s in servers + clients:
            self.assertEqual((s["library"], s["steps"][0]), ("go", "handshake"))
        lines = [l for l in clients[1]["heads"]["out"].split("\r\n") if l.startswith("GET ")]
        self.assertEqual(lines, [f"GET /{i} HTTP/1.1" for i in range(37)])
        self.assertEqual(servers[3]["in"], 0)
        self.assertIn("failed", servers[3]["steps"])

    def test_a_program_that_starts_later(self):
        server, log = self.serve(self.stripped)
        with self.record("--comm", "tls-late") as recording:
            late = self.scratch / "tls-late"
            os.rename(self.peer, late)
            # Long enough that most of it is after the probes came; how much is before is up to the machine.
            client = subprocess.Popen(
                [late, "get", f"localhost:{self.port}", self.certificate, "3000"], stdout=subprocess.DEVNULL
            )
            self.assertEqual(client.wait(timeout=60), 0)
        sessions = self.sessions(recording, comm="tls-late")
        wait_until(log, "the server's connections to end")
        # As many as the server had connections: Go opens another when the one before is not yet given back.
        # By keys alone, not of a connection that was there before the probes.
        least = 0 if harness.TLS == "keys" else 1
        self.assertTrue(least <= len(sessions) <= len(log()), (sessions, log()))
        self.assertIn(sum("GET /2999 HTTP/1.1" in s["heads"]["out"] for s in sessions), (least, 1))

    def test_a_command(self):
        server, log = self.serve(self.stripped)
        file = self.scratch / "command.tcap"
        done = subprocess.run(
            [
                harness.BUILD / "capture/tailcap-record",
                "-o",
                file,
                "--",
                self.peer,
                "get",
                f"localhost:{self.port}",
                self.certificate,
                "3",
            ],
            capture_output=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(log, "the server's connection to end")

        class Recorded:
            pass

        Recorded.file = file
        (session,) = self.sessions(Recorded, comm="tls-peer")
        self.assertEqual([(session["out"], session["in"])], log())
        self.assertEqual(session["steps"][0], "handshake")


if __name__ == "__main__":
    harness.main()
