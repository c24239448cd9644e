"""HTTP/2 and gRPC without TLS: nghttpd under h2load, gRPC's own Python server and client, against what the clients saw."""
import collections
import re
import subprocess

import harness
from harness import Case, free_port, json_lines, wait_until

# Run by the distribution's Python, which has the distribution's grpc module.
PYTHON = "/usr/bin/python3"
SERVER = '''
import grpc, sys
from concurrent import futures

def hello(request, context):
    if request == b"bad":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such % thing")
    return b"hello " + request

def count(request, context):
    for i in range(5):
        yield request + bytes([i])

class Greeter(grpc.GenericRpcHandler):
    def service(self, call):
        if call.method == "/demo.Greeter/Hello":
            return grpc.unary_unary_rpc_method_handler(hello)
        if call.method == "/demo.Greeter/Count":
            return grpc.unary_stream_rpc_method_handler(count)

server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Greeter(),))
server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.start()
server.wait_for_termination(60)
'''
CLIENT = '''
import grpc, json, sys
channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1])
hello, count = channel.unary_unary("/demo.Greeter/Hello"), channel.unary_stream("/demo.Greeter/Count")
missing = channel.unary_unary("/demo.Greeter/Missing")

def tell(path, status, sizes):
    print(json.dumps({"path": path, "grpc_status": status, "response_bytes": sum(5 + n for n in sizes)}))

def call(path, method, request):
    try:
        tell(path, 0, [len(method(request))])
    except grpc.RpcError as e:
        tell(path, e.code().value[0], [])

for i in range(307):
    call("/demo.Greeter/Hello", hello, b"bad" if i % 10 == 0 else b"x%d" % i)
for i in range(53):
    tell("/demo.Greeter/Count", 0, [len(m) for m in count(b"y" * i)])
for i in range(7):
    call("/demo.Greeter/Missing", missing, b"")
'''


class Http2(Case):
    def nghttpd(self):
        (self.scratch / "small").write_bytes(b"s" * 300)
        (self.scratch / "page").write_bytes(b"p" * 3001)
        port = free_port()
        server = self.start(["nghttpd", "--no-tls", "-d", self.scratch, port], stdout=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nghttpd")
        return server, f"http://127.0.0.1:{port}"

    def h2load(self, *arguments):
        done = subprocess.run(["h2load", *map(str, arguments)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(re.search(r"status codes: (\d+) 2xx", done.stdout)[1])

    def both_ends(self, streams, paths):
        server, url = self.nghttpd()
        with self.record("-p", server.pid, "--comm", "h2load") as recording:
            ok = self.h2load("-n", 3001, "-c", 4, "-m", streams, *(url + p for p in paths))
        rows = self.requests(recording)
        self.assertEqual({(r["protocol"], r["method"]) for r in rows}, {("http/2", "GET")})
        self.assertEqual([r for r in rows if not r["complete"] or r["tainted"]][:1], [])
        ids = {r["id"]: r for r in rows}
        self.assertEqual(len(ids), 2 * 3001)
        for role in ("server", "client"):
            end = [r for r in rows if r["role"] == role]
            self.assertEqual(len(end), 3001)
            self.assertEqual(len({(r["connection"], r["stream"]) for r in end}), 3001)
            self.assertEqual(sum(r["status"] == 200 for r in end), ok)
            for path, size in (("/small", 300), ("/page", 3001)):
                self.assertEqual({(r["status"], r["response_bytes"]) for r in end if r["path"] == path},
                                 {(200, size)} if path in paths else set())
            self.assertEqual({r["status"] for r in end if r["path"] == "/none"}, {404})
        for r in rows:
            peer = ids[r["peer"]]
            self.assertEqual((peer["peer"], peer["stream"], peer["path"]), (r["id"], r["stream"], r["path"]))

    def test_many_streams(self):
        self.both_ends(16, ["/small", "/none"])

    def test_one_stream_at_a_time(self):
        self.both_ends(1, ["/small", "/page", "/none"])

    def test_grpc(self):
        (self.scratch / "server.py").write_text(SERVER)
        (self.scratch / "client.py").write_text(CLIENT)
        port = free_port()
        server = self.start([PYTHON, self.scratch / "server.py", port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the gRPC server")
        with self.record("-p", server.pid) as recording:
            client = subprocess.run([PYTHON, self.scratch / "client.py", str(port)], capture_output=True, text=True, timeout=60)
            self.assertEqual(client.returncode, 0, client.stderr)
        truth = json_lines(client.stdout)
        self.assertEqual(len(truth), 307 + 53 + 7)
        rows = self.requests(recording)
        self.assertEqual([r for r in rows if r["tainted"] or not r["complete"] or r["protocol"] != "grpc"], [])
        told = lambda rows: collections.Counter((r["path"], r["grpc_status"], r["response_bytes"]) for r in rows)
        self.assertEqual(told(rows), told(truth))


if __name__ == "__main__":
    harness.main()
