"""TLS by keys, and by probes where keys cannot: connections that are older than the recording beside new ones. What the
client asked is the truth: every request once, none twice."""
import collections
import contextlib
import json
import os
import subprocess
import sys
import time

import harness
import tls_binding_test
import tls_case
from harness import child_of, free_port, json_lines, wait_until
from tls_case import TlsCase

# Keeps connections open. Commands on standard input: open NAME VERSION CIPHERS, ask NAME ID, close NAME.
CLIENT = """
import http.client, socket, ssl, sys
port, connections = int(sys.argv[1]), {}
for line in sys.stdin:
    what, name, *rest = line.split()
    if what == "open":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, rest[0])
        if len(rest) > 2:
            context.set_ciphers(rest[1])
        c = connections[name] = http.client.HTTPSConnection("127.0.0.1", port, context=context)
        if rest[-1] == "proxied":
            c.sock = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
            c.sock.sendall(b"PROXY TCP4 127.0.0.1 127.0.0.1 5 6\\r\\n")
            c.sock = context.wrap_socket(c.sock)
        else:
            c.connect()
    elif what == "ask":
        connections[name].request("GET", "/%s?%s" % (rest[1], rest[0]))
        answer = connections[name].getresponse()
        assert answer.status == 200 and len(answer.read()) == (256 if rest[1] == "small" else 300001)
    else:
        connections.pop(name).close()
    print("done", flush=True)
"""
# Opens connections all the time, each with four requests, and says when; until its input ends.
CROWD = """
import http.client, json, random, ssl, sys, threading, time
port, over, lock, kinds = int(sys.argv[1]), threading.Event(), threading.Lock(), json.loads(sys.argv[2])
def contexts():
    for version, *ciphers in kinds:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
        if ciphers:
            context.set_ciphers(ciphers[0])
        yield context
def ask(n):
    n_connection = 0
    each = list(contexts())
    while not over.is_set():
        c = http.client.HTTPSConnection("127.0.0.1", port, context=random.choice(each))
        opened = time.monotonic_ns()
        c.connect()
        n_connection += 1
        for i in range(4):
            time.sleep(random.random() * 0.05)
            asked = time.monotonic_ns()
            c.request("GET", "/small?%d-%d-%d" % (n, n_connection, i))
            c.getresponse().read()
            with lock:
                print(json.dumps({"id": "%d-%d-%d" % (n, n_connection, i), "opened": opened, "asked": asked}), flush=True)
        c.close()
threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
[t.start() for t in threads]
sys.stdin.read()
over.set()
[t.join() for t in threads]
"""
CBC = "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0"
GCM = "ECDHE-ECDSA-AES256-GCM-SHA384"
KINDS = {
    "gcm": ("TLSv1_2", GCM, "direct"),
    "cbc": ("TLSv1_2", CBC, "direct"),
    "tls13": ("TLSv1_3", "direct"),
    "proxied": ("TLSv1_3", "proxied"),
}
DIRECT = ("gcm", "cbc", "tls13")


def descriptors(pid):
    """The kernel's own account of each kernel program and link that a process holds."""
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/fdinfo/{descriptor}", encoding="ascii") as file:
                yield dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


class AutoCases:
    """Cases of any server at self.port and, behind a proxy, self.proxied: its processes are self.pids."""

    PROGRAMS = ("tls_enter", "tls_return")  # of the kernel, at reads and writes
    FILE = "libssl.so.3"  # that has them
    BLOCKS = 0  # connections that wait in a read when the probes come, at most: what it returns is not seen

    def begin(self):
        self.was = self.count_runs("1")
        self.addCleanup(lambda: self.count_runs(self.was))
        program = self.scratch / "client.py"
        program.write_text(CLIENT)
        self.client = self.start(
            [sys.executable, program, self.port, self.proxied],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.addCleanup(self.client.stdout.close)
        self.addCleanup(self.client.stdin.close)
        self.asked, self.count, self.unsure = [], 0, set()

    @staticmethod
    def count_runs(value):
        with open("/proc/sys/kernel/bpf_stats_enabled", "r+", encoding="ascii") as file:
            was = file.read().strip()
            file.seek(0)
            file.write(value)
        return was

    def tell(self, *words):
        self.client.stdin.write(" ".join(words) + "\n")
        self.assertEqual(self.client.stdout.readline(), "done\n", words)

    def open(self, name, kind):
        self.tell("open", name, *KINDS[kind])

    def ask(self, name, note=True):
        self.count += 1
        number = f"{name}-{self.count}"
        self.tell("ask", name, number, "large" if self.count % 5 == 4 else "small")
        if note:
            self.asked.append(number)
        return number

    def ask_first(self, *names):
        """The probes have come since the last request: the server may wait in a read that they did not see begin."""
        if self.BLOCKS:
            self.unsure |= {self.ask(name, note=False) for name in names}

    def found(self, recording):
        found = collections.Counter(
            r["path"].split("?")[1]
            for r in self.requests(recording, role="server", code=(0, 3))
            if r["path"] and "?" in r["path"]
        )
        for number in self.unsure:
            self.assertLessEqual(found.pop(number, 0), 1)
        return found

    def runs(self, recorder):
        """How often the kernel ran the programs at reads and writes of C libraries, and their links."""
        shown = subprocess.run(["bpftool", "-j", "prog", "show"], check=True, capture_output=True, text=True).stdout
        names = {str(p["id"]): p.get("name") for p in json.loads(shown)}
        own = [d for d in descriptors(recorder.process.pid) if names.get(d.get("prog_id")) in self.PROGRAMS]
        runs = {d["prog_id"]: int(d["run_cnt"]) for d in own if "run_cnt" in d}
        self.assertEqual(len(runs), 2)
        return {"runs": sum(runs.values()), "links": len({d["link_id"] for d in own if "link_id" in d})}

    def settled(self, recording):
        """What runs() says when the server has seen the ends of the connections that were closed."""
        last, now = None, self.runs(recording)
        deadline = time.monotonic() + 20
        while now != last and time.monotonic() < deadline:
            time.sleep(0.2)
            last, now = now, self.runs(recording)
        return now

    def start_recording(self, *arguments):
        way = () if harness.TLS else ("--tls", "auto")
        return self.record(*way, *(a for pid in self.pids for a in ("-p", str(pid))), *arguments, code=(0, 3))

    def test_older_and_new_connections(self):
        for kind in DIRECT:
            for i in range(2):
                self.open(f"old-{kind}-{i}", kind)
                self.ask(f"old-{kind}-{i}", note=False)
        with self.start_recording() as recording:
            recording.wait_said()
            self.ask_first(*(f"old-{kind}-{i}" for kind in DIRECT for i in range(2)))
            for turn in range(3):
                for kind in ("gcm", "tls13"):
                    self.open(f"new-{kind}-{turn}", kind)
                for name in [f"old-{kind}-{i}" for kind in DIRECT for i in range(2)] + [
                    f"new-{kind}-{i}" for kind in ("gcm", "tls13") for i in range(turn + 1)
                ]:
                    for _ in range(3):
                        self.ask(name)
            before = self.runs(recording)
            self.assertGreater(before["runs"], 100)
            for kind in DIRECT:
                self.ask(f"old-{kind}-0")
            self.assertGreater(self.runs(recording)["runs"], before["runs"])
            for kind in DIRECT:
                for i in range(2):
                    self.tell("close", f"old-{kind}-{i}")
            wait_until(
                lambda: self.runs(recording)["links"] <= before["links"] - 2,
                "the probes of reads and writes are removed",
                20,
            )
            after = self.settled(recording)
            for turn in range(30):
                self.ask(f"new-gcm-{turn % 3}")
                self.ask(f"new-tls13-{turn % 3}")
            self.open("late", "tls13")
            self.ask("late")
            self.assertEqual(self.runs(recording), after)
        self.assertEqual(self.found(recording), collections.Counter(self.asked))
        self.assert_whole(recording)
        notes = self.tailcap("events", recording.file, "--json", "--kind", "note")
        self.assertIn("by keys and by probes: connections are older than the recording", notes)
        self.assertIn("by keys: no connection is left", notes)
        self.assertRegex(recording.said, rf"(?m)TLS of .*{self.FILE}: by keys$")
        self.assertIn("tailcap.tls = auto", self.tailcap("info", recording.file))

    def test_no_older_connection(self):
        with self.start_recording() as recording:
            recording.wait_said()
            time.sleep(2)
            before = self.runs(recording)
            self.open("a", "gcm")
            self.open("b", "tls13")
            for _ in range(20):
                self.ask("a")
                self.ask("b")
            self.assertEqual(self.runs(recording), before)
        self.assertRegex(recording.said, f"TLS of .*{self.FILE}: by keys")
        self.assertEqual(self.found(recording), collections.Counter(self.asked))
        self.assert_whole(recording)

    def test_a_cipher_that_keys_do_not_read(self):
        with self.start_recording() as recording:
            recording.wait_said()
            self.open("gcm", "gcm")
            self.ask("gcm")
            self.open("first", "cbc")
            before = self.ask("first", note=False)
            time.sleep(2)
            self.ask_first("first")
            for turn in range(5):
                self.ask("first")
                self.ask("gcm")
                self.open(f"next-{turn}", "cbc")
                for _ in range(3):
                    self.ask(f"next-{turn}")
                self.open(f"good-{turn}", "tls13")
                self.ask(f"good-{turn}")
        found = self.found(recording)
        self.assertLessEqual(found.pop(before, 0), 1)
        self.assertEqual(found, collections.Counter(self.asked))
        info = json.loads(self.tailcap("info", recording.file, "--json", code=(0, 3)))
        self.assertGreater(info["lost"], 0)  # the first request of the first such connection
        self.assertLess(info["lost"], 10)

    def test_sessions_that_keys_do_not_find(self):
        """Behind the header of a proxy the hellos are not seen: probes read all of the process, once that is known."""
        with self.start_recording() as recording:
            recording.wait_said()
            self.open("direct", "tls13")
            self.ask("direct")
            self.open("proxied", "proxied")
            unknown = {self.ask("proxied", note=False)}
            time.sleep(3)
            unknown |= {
                self.ask("proxied", note=False),
                self.ask("direct", note=False),
            }  # a connection of the server ends the wait
            time.sleep(1.5)
            self.ask_first("direct", "proxied")
            for turn in range(5):
                self.open(f"later-{turn}", "proxied")
                self.open(f"again-{turn}", "tls13")
                for name in ("direct", "proxied", f"later-{turn}", f"again-{turn}"):
                    self.ask(name)
        self.assertRegex(recording.said, f"TLS of process {self.pids[-1]}: by probes: its keys do not fit")
        found = self.found(recording)
        for number in unknown:
            self.assertLessEqual(found.pop(number, 0), 1)
        self.assertEqual(found, collections.Counter(self.asked))
        info = json.loads(self.tailcap("info", recording.file, "--json", code=(0, 3)))
        self.assertGreater(info["lost"], 0)
        self.assertLess(info["lost"], 10)

    def crowd(self, port, kinds, *targets, worst=0):
        """The recorder starts amid handshakes, several times: nothing is found twice, and nothing later is missing. worst: what may be missing of
        connections that began before."""
        for turn in range(3):
            with open(self.scratch / f"crowd{turn}", "w+", encoding="ascii") as log:
                crowd = self.start(
                    [sys.executable, "-c", CROWD, port, json.dumps(kinds)], stdin=subprocess.PIPE, stdout=log
                )
                time.sleep(1)
                with self.record(
                    *(() if harness.TLS else ("--tls", "auto")), *targets, name=f"crowd{turn}.tcap", code=(0, 3)
                ) as recording:
                    recording.wait_said()
                    records = time.monotonic_ns()
                    time.sleep(3)
                    crowd.stdin.close()
                    self.assertEqual(crowd.wait(timeout=30), 0)
                log.seek(0)
                asked = json_lines(log.read())
            found = self.found(recording)
            self.assertEqual([number for number, count in found.items() if count > 1], [])
            self.assertEqual(set(found) - {a["id"] for a in asked}, set())
            later = {a["id"] for a in asked if a["opened"] > records}
            older = {a["id"] for a in asked if a["opened"] < records < a["asked"]}
            self.assertGreater(len(later), 100)
            self.assertGreater(len(older), 5)
            self.assertEqual(later - set(found), set())
            self.assertLessEqual(len(older - set(found)), max(worst, self.BLOCKS), older - set(found))

    def test_amid_handshakes(self):
        self.crowd(self.port, (("TLSv1_2", GCM), ("TLSv1_3",)), *(a for pid in self.pids for a in ("-p", pid)))

    def test_sampled(self):
        """Some of the older and new connections are recorded, each with all its requests."""
        names = [f"old-{kind}-{i}" for kind in DIRECT for i in range(6)]
        for name in names:
            self.open(name, name.split("-")[1])
            self.ask(name, note=False)
        with self.start_recording("--sample-connections", "1/2", "--sample-seed", "5") as recording:
            recording.wait_said()
            self.ask_first(*names)
            for i in range(12):
                names.append(f"new-tls13-{i}")
                self.open(names[-1], "tls13")
            for _ in range(4):
                for name in names:
                    self.ask(name)
        found = self.found(recording)
        self.assertEqual(set(found.values()), {1})
        by_name = collections.Counter(number.rsplit("-", 1)[0] for number in found)
        self.assertEqual(set(by_name.values()), {4}, by_name)
        for kind in ("old", "new"):
            self.assertTrue(
                0 < sum(name.startswith(kind) for name in by_name) < sum(name.startswith(kind) for name in names),
                by_name,
            )


class Auto(AutoCases, TlsCase):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        plain, self.proxied = tls_case.CONFIGURATION, free_port()
        tls_case.CONFIGURATION = plain.replace(
            "keepalive_requests",
            "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;"
            f" listen 127.0.0.1:{self.proxied} ssl proxy_protocol;"
            " ssl_early_data on; keepalive_timeout 300; keepalive_requests",
            1,
        )
        try:
            server = self.nginx()
        finally:
            tls_case.CONFIGURATION = plain
        self.pids = [server.pid, child_of(server.pid)]
        self.begin()

    def test_sessions_that_keys_do_not_find(self):
        """nginx reads the header of a proxy by itself: the hellos behind it are seen, and keys read all of it. The server of Go reads both at
        once."""
        with self.start_recording() as recording:
            recording.wait_said()
            for turn in range(5):
                self.open(f"proxied-{turn}", "proxied")
                self.open(f"direct-{turn}", "tls13")
                for name in (f"proxied-{turn}", f"direct-{turn}") * 2:
                    self.ask(name)
        self.assertRegex(recording.said, f"TLS of .*{self.FILE}: by keys")
        self.assertEqual(self.found(recording), collections.Counter(self.asked))
        self.assert_whole(recording)

    def test_early_data(self):
        """Keys do not read a connection on which the server takes data before the handshake is over."""
        ticket = self.scratch / "ticket"

        def ask(*arguments, name):
            client = subprocess.Popen(
                [
                    self.named("openssl"),
                    "s_client",
                    "-connect",
                    f"127.0.0.1:{self.port}",
                    "-tls1_3",
                    *map(str, arguments),
                ],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            client.stdin.write(b"GET /small?%s HTTP/1.1\nHost: a\n\n" % name.encode())
            got = b""
            while got.count(b"s" * 256) < (2 if "-early_data" in arguments else 1):
                piece = client.stdout.read(4096)
                self.assertTrue(piece, got)
                got += piece
            client.communicate(b"Q\n", timeout=20)

        with self.start_recording() as recording:
            recording.wait_said()
            time.sleep(1.5)
            for turn in range(4):
                ask("-sess_out", ticket, name=f"full-{turn}")
                early = self.scratch / "early"
                early.write_bytes(b"GET /small?early-%d HTTP/1.1\r\nHost: a\r\n\r\n" % turn)
                ask("-sess_in", ticket, "-early_data", early, name=f"later-{turn}")
                self.asked += [f"full-{turn}"] + ([f"early-{turn}", f"later-{turn}"] if turn else [])
                time.sleep(1.5)
        found = self.found(recording)
        for number in ("early-0", "later-0"):
            self.assertLessEqual(found.pop(number, 0), 1)
        self.assertEqual(found, collections.Counter(self.asked))
        info = json.loads(self.tailcap("info", recording.file, "--json", code=(0, 3)))
        self.assertGreater(info["lost"], 0)
        self.assertLess(info["lost"], 10)

    def test_amid_handshakes_in_memory(self):
        port, file = free_port(), self.scratch / "server.py"
        file.write_text(tls_binding_test.ASYNCIO_SERVER)
        server = self.start([sys.executable, file, port, self.certificate, self.key], stderr=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the asyncio server")
        # A session without a known connection may need more than one request to be read.
        self.crowd(port, (("TLSv1_2", GCM), ("TLSv1_3",)), "-p", server.pid, worst=2)


if __name__ == "__main__":
    harness.main()
