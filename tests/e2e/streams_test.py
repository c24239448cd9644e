"""What happens between HTTP/2 streams: windows, limits, pushes, refusals and retries, against what the peers logged."""
import json
import subprocess

import harness
from harness import Case, free_port, json_lines, wait_until

# Run by the distribution's Python, which has the distribution's grpc module.
PYTHON = "/usr/bin/python3"

# Frames by hand: what no ready client does on purpose.
FRAMES = r'''
import json, socket, struct, sys, time
def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload
def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value
def settings(*pairs):
    return frame(4, 0, 0, b"".join(struct.pack(">HI", *p) for p in pairs))
def exactly(connection, n):
    data = b""
    while len(data) < n:
        more = connection.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data
def read(connection):
    head = exactly(connection, 9)
    return head[3], head[4], struct.unpack(">I", head[5:])[0], exactly(connection, int.from_bytes(head[:3], "big"))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
'''
# Gets one file and stalls for 120 ms whenever a window is full; prints how long, by its own clock.
STALLER = (
    FRAMES
    + r'''
port, path, stream_window, connection_window, stall = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3]), 65535, 0.12
c = socket.create_connection(("127.0.0.1", port))
c.sendall(PREFACE + settings((4, stream_window)) + frame(1, 5, 1, b"\x82\x86" + literal(b":path", path) + literal(b":authority", b"h")))
left, stalled, total, done = {1: stream_window, 0: connection_window}, [], 0, False
while not done:
    kind, flags, stream, payload = read(c)
    if kind != 0:
        done = kind in (3, 7) or (kind == 1 and flags & 1)
        continue
    total += len(payload)
    done = flags & 1
    left[0] -= len(payload)
    left[1] -= len(payload)
    full = [s for s in left if left[s] == 0]
    if full and not done:
        began = time.monotonic()
        time.sleep(stall)
        for s in full:
            left[s] = 30000
        c.sendall(b"".join(frame(8, 0, s, struct.pack(">I", 30000)) for s in full))
        stalled.append(time.monotonic() - began)
print(json.dumps({"bytes": total, "stalled": stalled}))
'''
)
# A gRPC server that refuses, or fails, its first call and answers the others. Prints what it did.
MOODY = (
    FRAMES
    + r'''
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
HEAD = b"\x88" + literal(b"content-type", b"application/grpc")
refused = False
while True:
    c, _ = listener.accept()
    try:
        exactly(c, len(PREFACE))
        c.sendall(settings())
        while True:
            kind, flags, stream, payload = read(c)
            if kind == 4 and not flags & 1:
                c.sendall(frame(4, 1, 0))
            if kind == 6 and not flags & 1:
                c.sendall(frame(6, 1, 0, payload))
            if kind == 1:
                if not refused and sys.argv[2] == "refuse":
                    refused = True
                    c.sendall(frame(3, 0, stream, struct.pack(">I", 7)))
                    print(json.dumps({"stream": stream, "did": "refused"}), flush=True)
                elif not refused and sys.argv[2] == "fail":
                    refused = True
                    c.sendall(frame(1, 5, stream, HEAD + literal(b"grpc-status", b"14")))
                    print(json.dumps({"stream": stream, "did": "failed"}), flush=True)
                else:
                    c.sendall(frame(1, 4, stream, HEAD) + frame(0, 0, stream, b"\0\0\0\0\2ok") + frame(1, 5, stream, literal(b"grpc-status", b"0")))
                    print(json.dumps({"stream": stream, "did": "answered"}), flush=True)
    except (EOFError, ConnectionError):
        pass
'''
)
CALLER = '''
import grpc, json, sys
policy = {"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "0.1s",
          "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}
channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1], options=[("grpc.service_config", json.dumps(policy)), ("grpc.enable_retries", 1)])
print(channel.unary_unary("/demo.T/Once")(b"x", timeout=20).decode())
'''


class Streams(Case):
    def nghttpd(self, *options, **files):
        for name, size in files.items():
            (self.scratch / name).write_bytes(b"x" * size)
        port = free_port()
        server = self.start(["nghttpd", "--no-tls", "-d", self.scratch, *options, port], stdout=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nghttpd")
        return server, port

    def run_script(self, script, *arguments):
        (self.scratch / "script.py").write_text(script)
        done = subprocess.run(
            [PYTHON, self.scratch / "script.py", *map(str, arguments)], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def stall(self, window):
        server, port = self.nghttpd(large=110000)
        with self.record("-p", server.pid) as recording:
            truth = json.loads(self.run_script(STALLER, port, "/large", window))
        self.assertEqual(truth["bytes"], 110000)
        self.assertGreaterEqual(len(truth["stalled"]), 2)
        [row] = [r for r in self.requests(recording) if r["path"] == "/large"]
        self.assertTrue(row["complete"])
        self.assertEqual(row["http2"]["request_flow_control_ns"], 0)
        held, stalled = row["http2"]["response_flow_control_ns"] * 1e-9, sum(truth["stalled"])
        # Both clocks stop when the other end's call returns: far less than a stall apart.
        self.assertLess(abs(held - stalled), 0.05 * len(truth["stalled"]), truth)
        self.assertLessEqual(row["http2"]["response_flow_control_ns"], row["duration_ns"])
        self.assertEqual(len(self.requests(recording, "-w", "flow_control > 100ms")), 1)
        return self.tailcap("show", recording.file, row["id"])

    def test_stalled_stream_window(self):
        self.assertIn("flow-control window of the stream", " ".join(self.stall(20000).split()))

    def test_stalled_connection_window(self):
        self.assertIn("of the connection", " ".join(self.stall(1 << 20).split()))

    def limited(self, *options):
        server, port = self.nghttpd(*options, small=300)
        with self.record("-p", server.pid, "--comm", "h2load") as recording:
            done = subprocess.run(
                ["h2load", "-n", "300", "-c", "1", "-m", "8", f"http://127.0.0.1:{port}/small"],
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.requests(recording)
        # Alike requests, one after the other: whatever was refused, no other can be told to repeat it.
        self.assertEqual([r for r in rows if r["attempt"] is not None], [])
        self.assertEqual({r["http2"]["opened_at_limit"] for r in rows if r["role"] == "server"}, {None})
        return [r for r in rows if r["role"] == "client"]

    def test_at_the_limit_of_streams(self):
        rows = self.limited("-m", "2")
        whole = [r for r in rows if r["complete"]]
        limited = [r for r in whole if r["http2"]["opened_at_limit"]]
        # h2load has always eight to ask; all but those it asked before it knew the limit had to wait.
        self.assertGreater(len(limited), len(whole) * 0.8)
        self.assertEqual([r for r in limited if r["http2"]["stream_limit_ns"] is None], [])

    def test_below_the_limit_of_streams(self):
        self.assertEqual({r["http2"]["opened_at_limit"] for r in self.limited("-m", "100")}, {False})

    def test_push(self):
        server, port = self.nghttpd("--push=/page=/style", page=1000, style=500)
        with self.record("-p", server.pid, "--comm", "nghttp") as recording:
            done = subprocess.run(
                ["nghttp", "-nv", f"http://127.0.0.1:{port}/page"], capture_output=True, text=True, timeout=60
            )
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("PUSH_PROMISE", done.stdout)
        rows = self.requests(recording)
        self.assertEqual(
            sorted(
                (r["role"], r["path"], r["status"], r["response_bytes"], r["http2"]["pushed"], r["complete"])
                for r in rows
            ),
            [
                (role, path, 200, size, pushed, True)
                for role in ("client", "server")
                for path, size, pushed in (("/page", 1000, False), ("/style", 500, True))
            ],
        )
        ids = {r["id"]: r for r in rows}
        for r in rows:
            self.assertEqual((ids[r["peer"]]["peer"], ids[r["peer"]]["path"]), (r["id"], r["path"]))

    def attempts(self, mood, comm, caller):
        (self.scratch / "moody.py").write_text(MOODY)
        port = free_port()
        log = self.scratch / "moody.log"
        with open(log, "w") as out:
            self.start([PYTHON, self.scratch / "moody.py", port, mood], stdout=out)
        wait_until(lambda: "ready" in log.read_text(), "the moody server")
        with self.record("--comm", comm) as recording:
            done = subprocess.run(
                [*caller, str(port) if comm != "curl" else f"http://127.0.0.1:{port}/demo.T/Once"],
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual((done.returncode, done.stdout.strip("\0\2\n")), (0, "ok"), done.stderr)
        did = [d["did"] for d in json_lines(log.read_text().replace("ready\n", ""))]
        rows = [r for r in self.requests(recording) if r["role"] == "client" and r["path"] == "/demo.T/Once"]
        self.assertEqual(len(rows), len(did), (did, rows))
        return did, rows

    def grpc_attempts(self, mood):
        (self.scratch / "caller.py").write_text(CALLER)
        python = self.scratch / "grpc-caller"  # other tests' programs are called python3, too
        python.symlink_to(PYTHON)
        return self.attempts(mood, python.name, [python, self.scratch / "caller.py"])

    def assert_two(self, rows, how):
        self.assertEqual(
            [(r["attempt"], r["attempt_of"], r["attempt_how"]) for r in rows], [(1, None, how), (2, rows[0]["id"], how)]
        )

    # gRPC retries what was refused by itself, and says so.
    def test_refused_stream_is_retried_by_grpc(self):
        did, rows = self.grpc_attempts("refuse")
        self.assertEqual(did, ["refused", "answered"])
        self.assert_two(rows, "grpc header")

    def test_failed_call_is_retried_by_grpc(self):
        did, rows = self.grpc_attempts("fail")
        self.assertEqual(did, ["failed", "answered"])
        self.assertEqual([r["grpc_status"] for r in rows], [14, 0])
        self.assert_two(rows, "grpc header")

    # curl does not.
    def test_refused_stream_is_retried_by_curl(self):
        did, rows = self.attempts("refuse", "curl", ["curl", "-sS", "--http2-prior-knowledge"])
        self.assertEqual(did, ["refused", "answered"])
        self.assert_two(rows, "inferred: refused")


if __name__ == "__main__":
    harness.main()
