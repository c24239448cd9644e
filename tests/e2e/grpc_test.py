"""gRPC without TLS: grpcio and grpc++ at either end, all kinds of calls and of ends, against both ends' own logs."""
import base64
import collections
import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

import harness
from harness import Case, free_port, json_lines, wait_until

PEER = pathlib.Path(__file__).resolve().parent / "grpc_peer.py"
PYTHON = "/usr/bin/python3"  # which has the distribution's grpc module

WEB_SERVER = '''
import base64, http.server, sys

def frame(flag, data):
    return bytes([flag]) + len(data).to_bytes(4, "big") + data

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        kind = self.headers["content-type"]
        trailers = b"grpc-status:5\\r\\ngrpc-message:gone: %C3%BC\\r\\n" if self.path.endswith("Error") else b"grpc-status:0\\r\\n"
        size = 50_000 if self.path.endswith("Large") else 20
        body = b"".join(frame(0, b"m" * size) for _ in range(3)) + frame(0x80, trailers)
        if "-text" in kind:
            body = base64.b64encode(body)
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''


class Grpc(Case):
    def peer(self, language):
        """The command of a peer, server or client by its first argument."""
        if language == "python":
            return [PYTHON, PEER]
        program = harness.BUILD / "tests/e2e/grpc-peer"
        self.assertTrue(
            program.exists(), f"{program} is not built: it needs libgrpc++-dev (scripts/install-packages test)"
        )
        return [program]

    def serve(self, language):
        port = free_port()
        log = self.scratch / "server.jsonl"
        with open(log, "wb") as out:
            server = self.start([*self.peer(language), "serve", port], stdout=out)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), f"the {language} server")
        server.log = log
        return server, port

    def calls(self, server_language, client_language, calls):
        """Records the calls; returns the client's log, the server's log, and the rows of both ends."""
        server, port = self.serve(server_language)
        client = self.start([*self.peer(client_language), "call", port, calls], stdout=subprocess.PIPE, text=True)
        with self.record("-p", server.pid, "-p", client.pid) as recording:
            client.send_signal(signal.SIGUSR1)
            client_log = json_lines(client.communicate(timeout=90)[0])
            self.assertEqual(client.returncode, 0)
            time.sleep(1.2)  # handlers that nobody waits for any more
        self.end(server)
        self.assert_whole(recording)
        return recording, client_log, json_lines(server.log.read_text()), self.requests(recording)

    def check(self, truth, served, rows):
        """Every call of the client's log at both ends, exactly; no other. Returns two counts by path of calls whose deadline passed,
        which only a busy machine has: of those that seem to have been given up before it, because the first byte is stamped later than the
        client's timer began (docs/JSON.md), and of those that the client's process ended without cancelling."""
        early, unsent = collections.Counter(), collections.Counter()
        stalled = 0
        last = max(t["done_ns"] for t in truth)
        ids = {r["id"]: r for r in rows}
        made = {r["x_request_id"]: r for r in rows if r["role"] == "client"}
        self.assertEqual(len(made), sum(r["role"] == "client" for r in rows), "a request id twice")
        self.assertEqual(set(made), {t["id"] for t in truth})
        self.assertEqual({r["protocol"] for r in rows}, {"grpc"})
        self.assertEqual([r for r in rows if r["tainted"]][:1], [])
        handled = {t["id"]: t for t in served}
        for t in truth:
            row = made[t["id"]]
            rpc = row["rpc"]
            self.assertEqual((row["path"], "/" + rpc["service"] + "/" + rpc["method"]), (t["path"], t["path"]))
            self.assertEqual(rpc["request_messages"], len(t["sent"]), (t, row))
            self.assertTrue(rpc["messages_exact"], row)
            # The server's library keeps the deadline, too: whose clock is first decides whether a status is sent. One
            # that the client's library only makes up for its caller is not on the wire.
            broken = row["grpc_status"] is None
            ended = t["end"] == "deadline" and row["outcome"] == "truncated" and t["done_ns"] > last - 1_000_000_000
            unsent[t["path"]] += ended
            if ended:
                self.assertEqual((row["reset_ns"], rpc["deadline"]), (None, "unknown"), (t, row))
            elif t["gave_up"] and broken:
                self.assertEqual(row["outcome"], "cancelled", (t, row))
                self.assertGreater(row["reset_ns"], 0, row)
                self.assertGreaterEqual(rpc["response_messages"] or 0, len(t["received"]), (t, row))
            elif t["gave_up"]:
                self.assertEqual((t["end"], row["grpc_status"]), ("deadline", 4), (t, row))
            else:
                self.assertEqual((row["grpc_status"], rpc["message"] or ""), (t["status"], t["message"]), (t, row))
                self.assertEqual(rpc["response_messages"], len(t["received"]), (t, row))
                self.assertEqual(row["response_bytes"], sum(5 + n for n in t["received"]), (t, row))
                self.assertTrue(row["complete"], row)
            self.assertEqual(row["request_bytes"], sum(5 + n for n in t["sent"]), (t, row))
            self.assertEqual(rpc["timeout_ns"] is not None, t["timeout_ms"] is not None, (t, row))
            if t["end"] in ("ok", "error", "cancel") and t["timeout_ms"] is not None:
                self.assertEqual(rpc["deadline"], "abandoned" if t["end"] == "cancel" else "met", (t, row))
            if t["end"] == "deadline" and not ended:
                for end in (row, ids[row["peer"]]):
                    left = end["rpc"]["timeout_ns"] - end["reset_ns"] if end["reset_ns"] is not None else 0
                    before = 2_000_000 + end["rpc"]["timeout_ns"] // 50 < left < 250_000_000
                    self.assertEqual(end["rpc"]["deadline"], "abandoned" if before else "missed", (t, end))
                    early[t["path"]] += before and end is row
            if t["timeout_ms"] is not None:
                # The library rounds up, and takes for the present what its clock said when it began: on a stalled CPU, which is rare, that is a while ago.
                over = rpc["timeout_ns"] - (t["timeout_ms"] * 1_020_000 + 1_000_000)
                stalled += over > 0
                self.assertLessEqual(over, 99_000_000, (t, row))
            peer = ids[row["peer"]]
            self.assertEqual(
                (peer["peer"], peer["role"], peer["x_request_id"], peer["stream"]),
                (row["id"], "server", t["id"], row["stream"]),
            )
            self.assertEqual(peer["rpc"]["request_messages"], len(t["sent"]), (t, peer))
            done = row["reset_ns"] if broken else row["duration_ns"]
            began = row["start_ns"] - harness.realtime_offset()
            self.assertGreater(began, t["began_ns"] - 250_000_000, (t, row))
            if not ended:
                self.assertLess(began + done, t["done_ns"] + 250_000_000, (t, row))
            if t["id"] in handled:
                h = handled[t["id"]]
                self.assertEqual(len(h["received"]), rpc["request_messages"], (h, peer))
                if not t["gave_up"]:
                    self.assertEqual(
                        (peer["grpc_status"], peer["rpc"]["response_messages"]),
                        (t["status"], len(h["sent"])),
                        (h, peer),
                    )
        self.assertEqual(sum(r["role"] == "server" for r in rows), len(truth))
        self.assertLessEqual(stalled, max(1, len(truth) // 100))
        return early, unsent

    def mixed(self, server, client, calls):
        recording, truth, served, rows = self.calls(server, client, calls)
        self.assertEqual(len(truth), calls)
        kinds = collections.Counter((t["path"].rsplit("/", 1)[0], t["end"]) for t in truth)
        self.assertEqual(len(kinds), 16, kinds)
        early, unsent = self.check(truth, served, rows)
        # A deadline that the client's library saw pass is missed at both ends, with both ends' times.
        report = json.loads(self.tailcap("report", recording.file, "--json"))
        by_path = {(r["route"], r["role"]): r["rpc"] for r in report["routes"]}
        for path in {t["path"] for t in truth}:
            mine = [t for t in truth if t["path"] == path]
            rpc = by_path[path, "client"]
            told = collections.Counter({s["grpc_status"]: s["count"] for s in rpc["statuses"]})
            in_time = told.pop(4, 0)
            self.assertEqual(rpc["cancelled"] + in_time, sum(t["gave_up"] for t in mine) - unsent[path], path)
            self.assertEqual(told, collections.Counter(t["status"] for t in mine if not t["gave_up"]), path)
            late = sum(t["end"] == "deadline" for t in mine) - early[path] - unsent[path]
            self.assertGreaterEqual(rpc["deadline_missed"], late, path)
            for miss in rpc["missed"]:
                self.assertGreater(miss["client"]["end_ns"], miss["client"]["begin_ns"])
                self.assertGreater(miss["server"]["end_ns"], miss["server"]["begin_ns"])
        # Context is in every call's head, ahead of its messages, whatever its form and the call's kind.
        self.assertEqual({r["rpc"]["trace_context"] for r in rows}, {"head"})
        for role in ("client", "server"):
            self.assertEqual({r["trace_id"] for r in rows if r["role"] == role}, {t["trace_id"] for t in truth})
        return recording, truth, rows

    def test_python(self):
        recording, truth, rows = self.mixed("python", "python", 2003)
        self.assertIsNotNone(
            json.loads(self.tailcap("show", recording.file, rows[0]["id"], "--json"))["other_end"]["grpc"]
        )

    def test_cpp(self):
        self.mixed("cpp", "cpp", int(os.environ.get("TAILCAP_E2E_CALLS", 2503)))  # more for a long run

    def test_python_calls_cpp(self):
        self.mixed("cpp", "python", 307)

    def test_cpp_calls_python(self):
        self.mixed("python", "cpp", 307)

    def test_not_implemented(self):
        """What is not there at all, and what is there as a stub, in the words of two servers."""
        for language, causes in (
            ("python", ["unregistered", "handler"]),
            ("cpp", ["unknown_method", "unknown_method"]),
        ):
            server, port = self.serve(language)
            script = "\n".join(
                [
                    "import grpc, sys",
                    "channel = grpc.insecure_channel('127.0.0.1:' + sys.argv[1])",
                    "for method in sys.argv[2:]:",
                    "    try: channel.unary_unary('/peer.One.One/' + method)(b'?')",
                    "    except grpc.RpcError as e: assert e.code() == grpc.StatusCode.UNIMPLEMENTED, e",
                    "    else: raise SystemExit(1)",
                ]
            )
            with self.record("-p", server.pid, name=language + ".tcap") as recording:
                subprocess.run([PYTHON, "-c", script, str(port), "Nothing", "Stub"], check=True, timeout=30)
            rows = self.requests(recording)
            self.assertEqual(
                [(r["path"], r["grpc_status"], r["grpc_cause"]) for r in rows],
                [("/peer.One.One/Nothing", 12, causes[0]), ("/peer.One.One/Stub", 12, causes[1])],
            )
            self.end(server)

    def test_web(self):
        """gRPC-Web over HTTP/1.1, binary and text, of a server and a client made by hand: Debian has neither."""
        (self.scratch / "web.py").write_text(WEB_SERVER)
        port = free_port()
        server = self.start([PYTHON, self.scratch / "web.py", port], stderr=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the gRPC-Web server")
        connection = http.client.HTTPConnection("127.0.0.1", port)
        with self.record("-p", server.pid) as recording:
            for kind in ("", "-text"):
                for method in ("Ok", "Error", "Large"):
                    body = b"\0\0\0\0\2hi"
                    connection.request(
                        "POST",
                        "/web.Peer/" + method,
                        base64.b64encode(body) if kind else body,
                        {"content-type": f"application/grpc-web{kind}+proto", "grpc-timeout": "3S"},
                    )
                    connection.getresponse().read()
        connection.close()
        rows = self.requests(recording)
        self.assertEqual(
            [
                (
                    r["protocol"],
                    r["rpc"]["method"],
                    r["grpc_status"],
                    r["rpc"]["message"],
                    r["rpc"]["request_messages"],
                    r["rpc"]["response_messages"],
                    r["rpc"]["timeout_ns"],
                    r["outcome"],
                )
                for r in rows
                if r["rpc"]["method"] != "Large"
            ],
            [
                ("grpc-web", "Ok", 0, None, 1, 3, 3_000_000_000, "ok"),
                ("grpc-web", "Error", 5, "gone: ü", 1, 3, 3_000_000_000, "client_error"),
            ]
            * 2,
        )
        # What stands behind bytes that were not kept is not known, and not taken for success.
        for r in rows:
            if r["rpc"]["method"] == "Large":
                self.assertIn(
                    (r["grpc_status"], r["outcome"], r["tainted"]),
                    [(None, "unknown", ["payload_cut"]), (0, "ok", [])],
                    r,
                )


if __name__ == "__main__":
    harness.main()
