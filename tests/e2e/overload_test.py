"""Produced = recorded + lost, by kind, of TLS and Go, where a ring or a table is too small: against what the programs count themselves.

tests/bpf/overload_test.cc holds the same of sockets, threads and files. Where a ring is full the kernel counts every record. Where a
table forgets, what needed the entry is counted at least, or not known, never something else.
"""
import collections
import glob
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import harness
from harness import Case, Recording, json_lines

# TLS within one process, over memory. Each line of input is a number of rounds; a round is a write and a read of either end of each session.
TLS = """
import ssl, sys
cert, sessions = sys.argv[1], int(sys.argv[2])
server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_context.load_cert_chain(cert)
client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
def pair():
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [server_context.wrap_bio(there, back, server_side=True), client_context.wrap_bio(back, there)]
    done = [False, False]
    while not all(done):
        for n in (1, 0):
            try:
                ends[n].do_handshake()
                done[n] = True
            except ssl.SSLWantReadError:
                pass
    return ends
print("ready", flush=True)
pairs = []
for line in sys.stdin:
    while len(pairs) < sessions:
        pairs.append(pair())
    for _ in range(int(line)):
        for server, client in pairs:
            client.write(b"GET / HTTP/1.1\\r\\n\\r\\n")
            server.read(4096)
            server.write(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
            client.read(4096)
    print("done", flush=True)
"""
BY_PROBES = ("--only", "io,tls", "--tls", "probes")  # the sessions have no sockets
SMALL_RING = ("--ring", "4KiB", "--rings", "1")


class Overload(Case):
    def program(self, *command):
        process = self.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def tls(self, sessions):
        cert = self.scratch / "cert.pem"
        if not cert.exists():
            subprocess.run(
                [
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    "/CN=x",
                    "-keyout",
                    cert,
                    "-out",
                    self.scratch / "only.pem",
                ],
                check=True,
                capture_output=True,
            )
            cert.write_text(cert.read_text() + (self.scratch / "only.pem").read_text())
        return self.program(sys.executable, "-W", "ignore", "-c", TLS, cert, str(sessions))

    def go(self, count):
        compilers = sorted(glob.glob("/usr/lib/go-1.*/bin/go"))
        if not compilers:
            self.skipTest("Go is not installed (scripts/install-packages test)")
        program = self.scratch / "overload"
        if not program.exists():
            environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off", "CGO_ENABLED": "0"}
            source = pathlib.Path(__file__).resolve().parent / "overload.go"
            subprocess.run([compilers[-1], "build", "-o", program, source], check=True, timeout=300, env=environment)
        return self.program(program, str(count))

    def do(self, process, line):
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "done\n")

    def recording(self, processes, *arguments, maps=()):
        pids = [argument for process in processes for argument in ("-p", process.pid)]
        recording = Recording(
            self.scratch / f"{time.monotonic_ns()}.tcap", [*pids, *arguments], ("--payload-raw",), maps
        )
        self.addCleanup(self.abandon, recording)
        recording.wait_said()
        time.sleep(0.3)
        return recording

    def in_three_phases(self, recording, work):
        """Before, while and after the recorder is stopped."""
        for stopped in (False, True, False):
            if stopped:
                recording.process.send_signal(signal.SIGSTOP)
            work()
            if stopped:
                recording.process.send_signal(signal.SIGCONT)
            time.sleep(0.3)

    def end_of(self, recording, codes=(0,)):
        """All events, those recorded by kind, and those lost by kind."""
        code = recording.stop()
        self.assertIn(code, codes, recording.said)
        events = json_lines(self.tailcap("events", recording.file, "--json", code=code))
        lost = collections.Counter()
        for event in events:
            if event["kind"] == "loss":
                lost[event["lost"]] += event["count"]
        return events, collections.Counter(e["kind"] for e in events), lost

    def test_plaintext_of_tls(self):
        rounds, sessions = 61, 5
        counts = {}
        for ring in ((), SMALL_RING):
            process = self.tls(sessions)
            recording = self.recording([process], *BY_PROBES, *ring)
            self.in_three_phases(recording, lambda: self.do(process, rounds))
            _, recorded, lost = self.end_of(recording, codes=(3,) if ring else (0,))
            for kind in ("tls_send", "tls_receive"):
                self.assertEqual(recorded[kind] + lost[kind], 3 * rounds * sessions * 2, (kind, ring))
                self.assertEqual(lost[kind] > 0, bool(ring), kind)
            counts[ring] = recorded["tls_step"] + lost["tls_step"]
            self.end(process)
        self.assertEqual(counts[()], counts[SMALL_RING], "steps")

    def test_a_table_that_forgets_sessions(self):
        """All plaintext is recorded. A forgotten session goes on as another one, which is counted, rather too often."""
        rounds, sessions = 5, 100
        process = self.tls(sessions)
        recording = self.recording([process], *BY_PROBES, maps=["tls_sessions=32"])
        for _ in range(rounds):
            self.do(process, 1)
        events, recorded, lost = self.end_of(recording, codes=(3,))
        self.assertEqual((recorded["tls_send"], recorded["tls_receive"]), (2 * rounds * sessions,) * 2)
        ids = {e["session"] for e in events if e["kind"] in ("tls_send", "tls_receive")}
        self.assertGreater(len(ids), 2 * sessions, "nothing was forgotten")
        self.assertGreaterEqual(lost["tls_step"], len(ids) - 2 * sessions)

    def test_goroutines(self):
        count = 1009
        for ring in ((), SMALL_RING):
            process = self.go(count)
            recording = self.recording([process], "--only", "go", *ring)
            self.in_three_phases(recording, lambda: self.do(process, "make"))
            events, _, lost = self.end_of(recording, codes=(3,) if ring else (0,))
            made = {e["child"] for e in events if e["kind"] == "go_create" and e["function"].startswith("main.")}
            ended = [e for e in events if e["kind"] == "go_exit"]
            self.assertEqual(len(made) + lost["go_create"], 3 * count, ring)
            self.assertEqual(len(ended) + lost["go_exit"], 3 * count, ring)
            self.assertEqual(lost["go_create"] > 0, bool(ring))
            self.end(process)

    def test_a_table_that_forgets_go_processes(self):
        """The goroutine of a send is the one that sent, or not known."""
        known = {}
        for maps in ((), ("go_processes=1",)):
            processes = [self.go(1) for _ in range(4)]
            recording = self.recording(processes, "--only", "io,go", maps=maps)
            for _ in range(3):
                for process in processes:
                    self.do(process, "speak")
            events, _, _ = self.end_of(recording)
            sends = [
                (e, found[1])
                for e in events
                if e["kind"] == "send" and (found := re.match(r"goroutine (\d+)", e["head"]))
            ]
            self.assertEqual(len(sends), 3 * 4 * 64)
            self.assertEqual([(e, truth) for e, truth in sends if e.get("goroutine", 0) not in (0, int(truth))], [])
            known[maps] = sum(e.get("goroutine", 0) != 0 for e, _ in sends)
            for process in processes:
                self.end(process)
        self.assertEqual(known[()], 3 * 4 * 64)
        self.assertLess(known[("go_processes=1",)], 3 * 4 * 64, "nothing was forgotten")


if __name__ == "__main__":
    harness.main()
