"""What was open when recording began: HTTP/2 connections and uploads under way, against what both ends logged."""
import json
import subprocess
import time

import harness
from harness import Case, free_port, json_lines, realtime_offset, wait_until
from nginx_http2_test import CONFIGURATION

# Run by the distribution's Python, which has the distribution's h2 and grpc modules.
PYTHON = "/usr/bin/python3"

# One long-lived connection. Each round opens two streams with one send of two HEADERS frames (an upload and a download, both
# larger than a frame), then one stream with a send of its own.
H2_CLIENT = r'''
import json, socket, sys, time
import h2.connection, h2.config, h2.events
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
h = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
h.initiate_connection()
c.sendall(h.data_to_send())
log, count = {}, 0
def ask(method, path, last):
    global count
    count += 1
    stream = h.get_next_available_stream_id()
    log[stream] = {"id": "r%d" % count, "stream": stream, "method": method, "path": path, "sent_ns": time.monotonic_ns()}
    h.send_headers(stream, [(":method", method), (":scheme", "http"), (":authority", "late.example"), (":path", path),
                            ("user-agent", "late/1"), ("x-request-id", "r%d" % count)], end_stream=last)
    return stream
def read():
    for e in h.receive_data(c.recv(65536)):
        if isinstance(e, h2.events.ResponseReceived):
            log[e.stream_id]["status"] = int(dict(e.headers)[b":status"])
        elif isinstance(e, h2.events.DataReceived):
            h.acknowledge_received_data(e.flow_controlled_length, e.stream_id)
        elif isinstance(e, h2.events.StreamEnded):
            log[e.stream_id]["done_ns"] = time.monotonic_ns()
    c.sendall(h.data_to_send())
def upload(stream, body):
    while body:
        n = min(len(body), h.local_flow_control_window(stream))
        if n == 0:
            read()
            continue
        for i in range(0, n, h.max_outbound_frame_size):
            part = body[i:min(n, i + h.max_outbound_frame_size)]
            h.send_data(stream, part, end_stream=i + len(part) == len(body))
        body = body[n:]
        c.sendall(h.data_to_send())
def round(i):
    up, down = ask("PUT", "/upload/n%d" % count, False), ask("GET", "/page?%d" % count, True)
    c.sendall(h.data_to_send())
    upload(up, b"u" * (20000 + i * 1000))
    while not all("done_ns" in log[s] for s in (up, down)):
        read()
    one = ask("GET", ("/missing?%d" if i % 3 else "/small?%d") % count, True)
    c.sendall(h.data_to_send())
    while "done_ns" not in log[one]:
        read()
for i in range(3):
    round(i)
log.clear()
print("open", flush=True)
sys.stdin.readline()
for i in range(20):
    round(i)
for t in log.values():
    print(json.dumps(t), flush=True)
print("end", flush=True)
sys.stdin.readline()
'''
# Four threads on one channel, messages larger than a frame both ways.
GRPC_SERVER = r'''
import grpc, sys
from concurrent import futures
class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == "/late.T/Fail":
            def fail(request, context):
                context.abort(grpc.StatusCode.NOT_FOUND, "no")
            return grpc.unary_unary_rpc_method_handler(fail)
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Echo()])
server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.start()
print("ready", flush=True)
server.wait_for_termination()
'''
GRPC_CLIENT = r'''
import grpc, json, sys, threading, time
channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1])
log, lock = [], threading.Lock()
def call(i):
    fails = i % 5 == 4
    path = "/late.T/Fail" if fails else "/late.T/Echo%d" % (i % 3)
    t = {"path": path, "sent_ns": time.monotonic_ns(), "grpc_status": 5 if fails else 0}
    try:
        channel.unary_unary(path)(b"x" * (10 if i % 2 else 40000), timeout=20)
        assert not fails
    except grpc.RpcError as e:
        assert fails and e.code() == grpc.StatusCode.NOT_FOUND, e
    t["done_ns"] = time.monotonic_ns()
    with lock:
        log.append(t)
def work(n):
    threads = [threading.Thread(target=lambda: [call(i) for i in range(n)]) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
work(5)
log.clear()
print("open", flush=True)
sys.stdin.readline()
work(15)
for t in log:
    print(json.dumps(t), flush=True)
print("end", flush=True)
sys.stdin.readline()
'''
# An HTTP/1 server that reads what it is sent, and then answers.
SERVER = r'''
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_PUT(self):
        left = int(self.headers["content-length"])
        while left:
            left -= len(self.rfile.read(min(left, 65536)))
        self.send_response(201)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"done")
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''


class Late(Case):
    def script(self, text, *arguments):
        file = self.scratch / f"script{len(list(self.scratch.glob('script*')))}.py"
        file.write_text(text)
        return self.start([PYTHON, file, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lines_until(self, process, last):
        lines = []
        while (line := process.stdout.readline().strip()) != last:
            self.assertNotEqual(line, "", "it ended early")
            lines.append(line)
        return lines

    def nginx(self):
        www = self.scratch / "www"
        (www / "upload").mkdir(parents=True)
        (www / "upload").chmod(0o777)
        (www / "small").write_bytes(b"s" * 256)
        (www / "page").write_bytes(b"p" * 40_000)
        self.port = free_port()
        (self.scratch / "nginx.conf").write_text(CONFIGURATION.format(folder=self.scratch, port=self.port))
        server = self.start(["nginx", "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "nginx")
        return server

    def talk(self, client, *targets):
        """Records while the client, whose connection is open, makes its requests; their log."""
        self.lines_until(client, "open")
        with self.record(*targets, "-p", client.pid) as recording:
            client.stdin.write("go\n")
            client.stdin.flush()
            truth = [json.loads(line) for line in self.lines_until(client, "end")]
        client.stdin.close()
        return recording, truth

    def assert_no_contradiction(self, recording):
        quality = json.loads(self.tailcap("report", recording.file, "--json"))["quality"]
        self.assertEqual([f for f in quality["findings"] if f["severity"] == "defect"], [])

    def assert_known_or_tainted(self, row, truth, *fields):
        for field in fields:
            if row[field] is None:
                self.assertNotEqual(
                    [t for t in row["tainted"] if t != "arrival_unknown"],
                    [],
                    f"{field} is unknown without a word: {row}",
                )
            else:
                self.assertEqual(row[field], truth[field], f"{field} of {truth}: {row}")
        self.assertIsNotNone(row["start_ns"], row)
        start = row["start_ns"] - realtime_offset()
        self.assertLess(truth["sent_ns"] - 250_000_000, start, row)
        self.assertLess(start, truth["done_ns"] + 250_000_000, row)
        if row["duration_ns"] is not None:
            self.assertLess(row["duration_ns"], truth["done_ns"] - truth["sent_ns"] + 250_000_000, row)

    def test_h12_http2_in_sends_of_one_and_two_frames(self):
        self.nginx()
        recording, truth = self.talk(self.script(H2_CLIENT, self.port), "--comm", "nginx")
        self.assertEqual(len(truth), 60)
        for t in truth:
            t["status"] = t.get("status")
        logged = {t["id"]: t for t in json_lines((self.scratch / "access.jsonl").read_text())}
        for t in truth:
            self.assertEqual((logged[t["id"]]["method"], logged[t["id"]]["path"]), (t["method"], t["path"]))
        rows = self.requests(recording)
        for role in ("client", "server"):
            by_stream = {}
            for row in rows:
                if row["role"] == role:
                    self.assertNotIn(row["stream"], by_stream, f"twice: {row}")
                    by_stream[row["stream"]] = row
            self.assertEqual(by_stream.keys() - {t["stream"] for t in truth}, set(), "rows that no log knows")
            for t in truth:
                row = by_stream.get(t["stream"])
                self.assertIsNotNone(row, f"missing at the {role}: {t}")
                self.assert_known_or_tainted(row, t, "method", "path", "status")
            # The client's heads lie in sends of one and two frames, all of them captured: none may go unread. PUT was sent before.
            if role == "client":
                self.assertEqual([r for r in by_stream.values() if r["path"] is None], [])
                self.assertEqual(
                    {r["method"] for r in by_stream.values() if not r["path"].startswith("/upload")}, {"GET"}
                )
            self.assertGreater(sum(r["status"] is not None for r in by_stream.values()), 40)
        self.assert_no_contradiction(recording)

    def test_h12_grpc(self):
        port = free_port()
        server = self.script(GRPC_SERVER, port)
        self.lines_until(server, "ready")
        recording, truth = self.talk(self.script(GRPC_CLIENT, port), "-p", server.pid)
        self.assertEqual(len(truth), 60)
        rows = self.requests(recording)
        for role in ("client", "server"):
            of_role = [r for r in rows if r["role"] == role]
            # The recorder withholds what comes before the first frames that prove their place: the first two or three calls of each
            # of the four threads may be in that, at the beginning of the recording.
            self.assertLessEqual(len(of_role), len(truth), role)
            self.assertGreaterEqual(len(of_role), len(truth) - 12, role)
            for row in of_role:
                if row["path"] is None or row["grpc_status"] is None:
                    self.assertNotEqual([t for t in row["tainted"] if t != "arrival_unknown"], [], row)
                if row["path"] is not None and row["grpc_status"] is not None:
                    self.assertEqual(row["grpc_status"], 5 if row["path"].endswith("Fail") else 0, row)
                if row["path"] is not None:
                    self.assertIsNotNone(row["start_ns"], row)
            for path in {t["path"] for t in truth}:
                self.assertLessEqual(sum(r["path"] == path for r in of_role), sum(t["path"] == path for t in truth))
        self.assert_no_contradiction(recording)

    def assert_began_before(self, recording, began, ended, status, http2=False):
        rows = self.requests(recording)
        self.assertEqual(sorted(r["role"] for r in rows), ["client", "server"], rows)
        for row in rows:
            self.assertIn("began_before", row["tainted"], row)
            self.assertEqual(
                (row["complete"], row["start_ns"], row["duration_ns"], row["method"]), (False, None, None, None), row
            )
            self.assertEqual(row["status"], status, row)
            if http2 and row["role"] == "server" and row["duration_at_least_ns"] is None:
                continue  # a server reads anywhere in a frame: none of its reads shows a frame of the upload
            # Over HTTP/2 the server's first read that shows a frame may be its last one: the bound holds, and says little.
            self.assertGreater(
                row["duration_at_least_ns"], 0 if http2 and row["role"] == "server" else 500_000_000, row
            )
            self.assertLess(row["duration_at_least_ns"], ended - began, row)
            self.assertIn("≥", self.tailcap("show", recording.file, row["id"]))
        self.assertEqual(
            self.tailcap("requests", recording.file).count("≥"),
            sum(r["duration_at_least_ns"] is not None for r in rows),
        )
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        self.assertEqual(
            [r["route"] for r in report["routes"] if r.get("count", 0) and r.get("p50_ns") is not None], []
        )
        self.assert_no_contradiction(recording)

    def upload(self, url, *curl):
        (self.scratch / "upload-body").write_bytes(b"b" * 9_000_000)
        began = time.monotonic_ns()
        return began, self.start(
            ["curl", "-sS", "--limit-rate", "1M", "-T", self.scratch / "upload-body", *curl, url],
            stdout=subprocess.DEVNULL,
        )

    def test_upload_under_way(self):
        port = free_port()
        server = self.script(SERVER, port)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the server")
        began, curl = self.upload(f"http://127.0.0.1:{port}/up")
        time.sleep(0.5)
        with self.record("-p", server.pid, "-p", curl.pid) as recording:
            self.assertEqual(curl.wait(timeout=30), 0)
            ended = time.monotonic_ns()
        self.assert_began_before(recording, began, ended, 201)

    def test_http2_upload_under_way(self):
        self.nginx()
        began, curl = self.upload(f"http://127.0.0.1:{self.port}/upload/f", "--http2-prior-knowledge")
        time.sleep(0.5)
        with self.record("--comm", "nginx", "-p", curl.pid) as recording:
            self.assertEqual(curl.wait(timeout=30), 0)
            ended = time.monotonic_ns()
        self.assert_began_before(recording, began, ended, 201, http2=True)


if __name__ == "__main__":
    harness.main()
