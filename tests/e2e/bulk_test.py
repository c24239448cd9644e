"""Large bodies: the recorder steps over the bulk of HTTP/2 and of TLS, and everything that is said stays exact."""
import collections
import json
import random
import subprocess

import harness
from harness import Case, free_port, json_lines, wait_until

# Run by the distribution's Python, which has the distribution's grpc module.
PYTHON = "/usr/bin/python3"
SERVER = '''
import grpc, sys
from concurrent import futures

def up(requests, context):
    return str(sum(len(r) for r in requests)).encode()

def down(request, context):
    for size in request.split(b","):
        yield b"d" * int(size)

def both(requests, context):
    yield from requests

METHODS = {"Up": grpc.stream_unary_rpc_method_handler(up), "Down": grpc.unary_stream_rpc_method_handler(down),
           "Both": grpc.stream_stream_rpc_method_handler(both)}

class Mover(grpc.GenericRpcHandler):
    def service(self, call):
        return METHODS[call.method.split("/")[-1]]

server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((Mover(),))
server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.start()
server.wait_for_termination(60)
'''
CLIENT = '''
import grpc, json, sys, threading
channel, lock = grpc.insecure_channel("127.0.0.1:" + sys.argv[1]), threading.Lock()
up, down = channel.stream_unary("/demo.Mover/Up"), channel.unary_stream("/demo.Mover/Down")
both = channel.stream_stream("/demo.Mover/Both")

def tell(path, requests, responses):
    size = lambda messages: sum(5 + len(m) for m in messages)
    with lock:
        print(json.dumps({"path": path, "request_bytes": size(requests), "response_bytes": size(responses)}))

def run(sizes):
    messages = [b"q" * n for n in sizes]
    wish = b",".join(b"%d" % n for n in sizes)
    tell("/demo.Mover/Up", messages, [up(iter(messages))])
    tell("/demo.Mover/Down", [wish], list(down(wish)))
    tell("/demo.Mover/Both", messages, list(both(iter(messages))))

mixes = [[1] * 211, [100] * 307, [1000] * 101, [5000] * 53, [20000] * 23, [100000] * 7, [1000000] * 2,
         [1, 1000000, 1, 300, 70000, 0, 0, 5, 16384, 16379, 9000]]
for mix in mixes:
    run(mix)
threads = [threading.Thread(target=run, args=(mix,)) for mix in mixes]
for t in threads: t.start()
for t in threads: t.join()
'''


class Bulk(Case):
    def events(self, recording):
        # not json_lines: payload has other characters that end a line
        return [json.loads(line) for line in self.tailcap("events", recording.file, "--json").split("\n") if line]

    def moved(self, recording):
        """Bytes sent and received, and of them captured."""
        io = [e for e in self.events(recording) if e["kind"] in ("send", "receive")]
        return sum(e["length"] for e in io), sum(len(e["head"]) + len(e["tail"]) for e in io)

    def nghttpd(self, *arguments):
        (self.scratch / "big").write_bytes(random.Random(1).randbytes(1 << 20))
        (self.scratch / "small").write_bytes(b"s" * 300)
        port = free_port()
        server = self.start(["nghttpd", "--no-tls", "-d", self.scratch, *arguments, port], stdout=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nghttpd")
        return server, f"http://127.0.0.1:{port}"

    def h2load(self, *arguments):
        """The status of every request, from its log."""
        log = self.scratch / "h2load.log"
        done = subprocess.run(
            ["h2load", *map(str, arguments), "--log-file", log], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return collections.Counter(int(line.split("\t")[1]) for line in log.read_text().splitlines())

    def test_downloads(self):
        server, url = self.nghttpd()
        with self.record("-p", server.pid, "--comm", "h2load") as recording:
            statuses = self.h2load("-n", 400, "-c", 2, "-m", 4, url + "/big", url + "/small")
        self.assertEqual(statuses, {200: 400})
        rows = self.requests(recording)
        self.assertEqual(
            collections.Counter((r["role"], r["path"], r["status"], r["response_bytes"]) for r in rows),
            {
                (role, path, 200, size): 200
                for role in ("server", "client")
                for path, size in (("/big", 1 << 20), ("/small", 300))
            },
        )
        self.assertEqual([r for r in rows if r["tainted"] or not r["complete"]], [])
        moved, kept = self.moved(recording)
        self.assertGreater(moved, 2 * 200 << 20)
        self.assertLess(kept, moved / 50)

    def test_uploads(self):
        server, url = self.nghttpd("--echo-upload")
        with self.record("-p", server.pid, "--comm", "h2load") as recording:
            statuses = self.h2load("-n", 211, "-c", 2, "-m", 3, "-d", self.scratch / "big", url + "/up")
        self.assertEqual(statuses, {200: 211})
        rows = self.requests(recording)
        self.assertEqual(
            collections.Counter(
                (r["role"], r["method"], r["status"], r["request_bytes"], r["response_bytes"]) for r in rows
            ),
            {(role, "POST", 200, 1 << 20, 1 << 20): 211 for role in ("server", "client")},
        )
        self.assertEqual([r for r in rows if r["tainted"] or not r["complete"]], [])

    def test_grpc_streams(self):
        (self.scratch / "server.py").write_text(SERVER)
        (self.scratch / "client.py").write_text(CLIENT)
        port = free_port()
        server = self.start([PYTHON, self.scratch / "server.py", port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the gRPC server")
        with self.record("-p", server.pid) as recording:
            client = subprocess.run(
                [PYTHON, self.scratch / "client.py", str(port)], capture_output=True, text=True, timeout=60
            )
            self.assertEqual(client.returncode, 0, client.stderr)
        truth = json_lines(client.stdout)
        self.assertEqual(len(truth), 2 * 8 * 3)
        rows = self.requests(recording)
        self.assertEqual([r for r in rows if r["tainted"] or not r["complete"] or r["grpc_status"] != 0], [])
        told = lambda rows: collections.Counter((r["path"], r["request_bytes"], r["response_bytes"]) for r in rows)
        self.assertEqual(told(rows), told(truth))

    def test_tls(self):
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                self.scratch / "key",
                "-out",
                self.scratch / "cert",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ],
            check=True,
            capture_output=True,
        )
        (self.scratch / "big").write_bytes(random.Random(1).randbytes(1 << 20))
        port = free_port()
        server = self.start(
            [
                "openssl",
                "s_server",
                "-accept",
                port,
                "-cert",
                self.scratch / "cert",
                "-key",
                self.scratch / "key",
                "-WWW",
                "-quiet",
            ],
            cwd=self.scratch,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "openssl s_server")
        with self.record("-p", server.pid, "--comm", "curl", "--only", "io") as recording:
            for _ in range(3):
                self.assertEqual(len(self.curl("--insecure", f"https://127.0.0.1:{port}/big")), 1 << 20)
        streams = collections.defaultdict(
            bytearray
        )  # by socket and direction; what was not captured is filled with None
        for e in self.events(recording):
            if e["kind"] in ("send", "receive"):
                head = e["head"].encode("latin1")
                streams[e["socket"], e["kind"]].extend(head + bytes(e["length"] - len(head)))
        self.assertEqual(len(streams), 3 * 2 * 2)
        records = collections.Counter()
        for stream in streams.values():
            at = 0
            while at < len(stream):  # every record's head was captured: they chain up to the end
                kind, size = stream[at], int.from_bytes(stream[at + 3 : at + 5], "big")
                self.assertIn(kind, (20, 21, 22, 23), (at, bytes(stream[at : at + 5])))
                self.assertEqual(stream[at + 1], 3)
                if kind == 22:
                    self.assertNotEqual(bytes(stream[at + 5 : at + 5 + size]).strip(b"\0"), b"")
                records[kind] += 1
                at += 5 + size
            self.assertEqual(at, len(stream))
        self.assertGreaterEqual(records[22], 3 * 2 * 2)  # both hellos, at both ends
        self.assertGreater(records[23], 3 * 64 * 2)
        moved, kept = self.moved(recording)
        self.assertGreater(moved, 6 << 20)
        self.assertLess(kept, 40 << 10)


if __name__ == "__main__":
    harness.main()
