"""tailcap-inject: every byte that a client sent arrives once, in order, and ids are where they are certain, and nowhere else."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import harness
from harness import ROOT, answers, free_port, wait_until
from inject_case import ADDED, InjectCase
from inject_peer import CASES

# Cases without a place where ids belong for certain, from their first byte on.
NO_HTTP = {
    "tls": "TLS",
    "http2": "HTTP/2",
    "redis": "no request of HTTP/1.x where one should begin",
    "empty-line": "no request of HTTP/1.x where one should begin",
    "proxy-header": "no request of HTTP/1.x where one should begin",
}
DOUBTFUL = {
    "two-lengths": "a length, a coding or a chunk that is not certain",
    "length-and-chunks": "a length, a coding or a chunk that is not certain",
    "other-coding": "a length, a coding or a chunk that is not certain",
    "signed-length": "a length, a coding or a chunk that is not certain",
    "folded": "no request of HTTP/1.x where one should begin",
    "bare-line-end": "no request of HTTP/1.x where one should begin",
    "no-colon": "no request of HTTP/1.x where one should begin",
    "space-before-colon": "no request of HTTP/1.x where one should begin",
}
LEFT = {
    "upgrade": "Upgrade",
    "connect": "CONNECT",
    "handed-over": "another process sent on it",
    "passed": "another process sent on it",
    "split-heads": "a head in several sends",
    "long-heads": "a head of more than 4,096 bytes or 64 fields",
}


class Bytes(InjectCase):
    def run_case(self, case, *how, nodelay=1):
        self.serve(*how)
        caller = self.caller(case, nodelay=nodelay)
        inject = self.inject("-p", caller.pid)
        self.go(caller)
        ids = self.assert_bytes(case)
        counts = self.end_of(inject)
        self.assertEqual(counts["requests that got ids"], len(ids))
        self.assertEqual(counts["connections followed from their first byte"], 1)
        return ids, {k.removeprefix("connections left alone: "): v for k, v in counts.items() if "left alone" in k}

    def assert_marks(self, case):
        """Each request that was to have ids has them, and no other."""
        for _, received, wanted in self.connections(case):
            heads = re.findall(rb"(?:GET|POST|PUT|CONNECT) \S+ HTTP/1\.[01]\r\n(?:[^\r\n]+\r\n)+?\r\n", received)
            heads = [h for h in heads if b"/not-a-request" not in h]
            self.assertEqual([1 if ADDED.search(h) else 0 for h in heads], wanted, case)

    def test_every_request_gets_ids(self):
        for case in (
            "keep-alive",
            "pipelined",
            "pipelined-many",
            "own-ids",
            "chunked",
            "expect",
            "scattered",
            "old",
            "files",
            "large",
        ):
            with self.subTest(case):
                self.scratch = self.scratch.parent / f"{self.scratch.name}-{case}"
                self.scratch.mkdir()
                ids, left = self.run_case(case)
                self.assertEqual(left, {}, case)
                self.assert_marks(case)
                self.assertTrue(ids)

    def test_connections_are_left_alone(self):
        for case, why in LEFT.items():
            with self.subTest(case):
                self.scratch = self.scratch.parent / f"{self.scratch.name}-{case}"
                self.scratch.mkdir()
                _, left = self.run_case(case)
                self.assertEqual(left, {why: 1}, case)
                self.assert_marks(case)

    def test_what_is_no_http_or_doubtful_gets_none(self):
        for case, why in {**NO_HTTP, **DOUBTFUL}.items():
            with self.subTest(case):
                self.scratch = self.scratch.parent / f"{self.scratch.name}-{case}"
                self.scratch.mkdir()
                ids, left = self.run_case(case)
                self.assertEqual(left, {why: 1}, case)
                self.assertEqual(len(ids), 1 if case in DOUBTFUL else 0, case)

    def test_sends_that_the_kernel_takes_in_part(self):
        ids, left = self.run_case("without-waiting", "slow")
        self.assertEqual(left, {})
        self.assertEqual(len(ids), 60)
        self.assert_in_heads("without-waiting")

    def test_chunks_that_the_kernel_takes_in_part(self):
        ids, left = self.run_case("chunks-without-waiting", "slow")
        self.assertEqual(left, {"the kernel might take a part of a head, or of a chunk's border": 1})
        self.assertTrue(ids)
        self.assert_in_heads("chunks-without-waiting")

    def assert_in_heads(self, case):
        """In a head of the client, not in a body that looks like one."""
        for _, received, _ in self.connections(case):
            for found in ADDED.finditer(received):
                head = received[: found.start()].rpartition(b" HTTP/1.1\r\n")[0].rpartition(b"\n")[2]
                self.assertIn(head, (b"POST /post", b"POST /c"))


class Killed(InjectCase):
    def test_no_byte_is_lost_or_doubled(self):
        """Killed again and again under load: its connections go on as plain ones."""
        self.serve()
        cases = ("keep-alive", "pipelined", "chunked", "large", "files", "without-waiting")
        callers = [self.caller(case, rounds="again") for case in cases]
        for caller in callers:
            caller.stdin.write(b"\n")
            caller.stdin.flush()
        pids = [c.pid for c in callers]
        for _ in range(12):
            inject = self.inject("-p", *pids)
            time.sleep(0.3)
            self.assertIsNone(inject.poll())
            inject.send_signal(signal.SIGKILL)
            inject.wait()
        self.assertEqual([c.poll() for c in callers], [None] * len(callers), "a client failed")
        (self.folder / "stop").touch()
        self.assertEqual([c.wait(timeout=60) for c in callers], [0] * len(callers))
        ids = [one for case in cases for one in self.assert_bytes(case)]
        self.assertEqual(len(set(ids)), len(ids))
        without = sum(1 for case in cases for _, received, _ in self.connections(case) if not ADDED.search(received))
        self.assertGreater(len(ids), 1000)
        self.assertGreater(without, 0, "no connection began without the program")
        self.assertEqual(self.left_programs(), [])

    def left_programs(self):
        """Kernel programs of ours; the kernel takes them down a moment after their process."""

        def names():
            shown = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True, check=True).stdout
            return re.findall("name (insert_ids|follow_targets|follow_all)", shown)

        wait_until(lambda: not names(), "the kernel programs of an ended program")
        return names()


class Servers(InjectCase):
    """nginx as a proxy, and node, Go and Python as clients and servers."""

    COUNT = 400

    def setUp(self):
        super().setUp()
        go = max(harness.go_compilers().items(), key=lambda item: int(item[0].split(".")[1]))[1]
        here = ROOT / "tests/e2e/inject"
        program = self.scratch / "peer-go"
        subprocess.run(
            [go, "build", "-o", program, here / "peer.go"], check=True, env=dict(os.environ, GO111MODULE="off")
        )
        self.kinds = {"go": [program], "node": ["node", here / "peer.js"], "python": [sys.executable, here / "peer.py"]}

    def server(self, kind):
        port, log = free_port(), self.scratch / f"{kind}.served"
        self.start([*self.kinds[kind], "serve", port, log])
        wait_until(lambda: answers(("127.0.0.1", port)), kind)
        return port, log

    def proxy(self, port):
        """nginx in front of a server, with kept connections to it. It writes its own log."""
        folder, own = self.scratch / "nginx", free_port()
        folder.mkdir(exist_ok=True)
        (folder / "nginx.conf").write_text(
            "worker_processes 1; pid nginx.pid; error_log stderr; daemon off; master_process off;\n"
            "events { worker_connections 512; }\n"
            "http { client_body_temp_path b; proxy_temp_path p; client_max_body_size 1m;\n"
            "log_format ids '$http_x_token $http_x_request_id $http_traceparent'; access_log log ids;\n"
            f"upstream u {{ server 127.0.0.1:{port}; keepalive 8; }}\n"
            f"server {{ listen 127.0.0.1:{own}; location / {{ proxy_pass http://u; proxy_http_version 1.1;\n"
            "proxy_set_header Connection ''; } } }\n"
        )
        process = self.start(["nginx", "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(("127.0.0.1", own)), "nginx")
        return own, process

    def run_callers(self, port, *more):
        callers = {}
        for kind, command in self.kinds.items():
            log = self.scratch / f"{kind}.called"
            start = [*command, "call", f"http://127.0.0.1:{port}", log, str(self.COUNT)]
            callers[kind] = (self.start(start, stdin=subprocess.PIPE), log)
        inject = self.inject("-p", *(c.pid for c, _ in callers.values()), *more)
        for caller, _ in callers.values():
            caller.stdin.write(b"\n")
            caller.stdin.close()
        self.assertEqual({k: c.wait(timeout=120) for k, (c, _) in callers.items()}, dict.fromkeys(callers, 0))
        truth = [json.loads(line) for _, log in callers.values() for line in log.read_text().splitlines()]
        self.assertEqual(len(truth), self.COUNT * len(callers))
        return truth, self.end_of(inject)

    def assert_served(self, truth, log, counts):
        served = {row["Token"]: row for row in map(json.loads, log.read_text().splitlines())}
        self.assertEqual(len(served), len(truth))
        given = 0
        for row in truth:
            there = served[row["Token"]]
            self.assertEqual(there["Sum"], row["Sum"])
            if row["Request"]:
                self.assertEqual((there["Request"], there["Trace"]), (row["Request"], ""))
            elif there["Request"]:
                self.assertRegex(there["Trace"], f"^00-{there['Request']}-[0-9a-f]{{16}}-01$")
                given += 1
        self.assertEqual(counts["requests that got ids"], given)
        self.assertEqual(len({r["Trace"] for r in served.values() if r["Trace"]}), given)
        return given

    def test_clients_and_servers(self):
        for kind in self.kinds:
            with self.subTest(kind):
                port, log = self.server(kind)
                truth, counts = self.run_callers(port)
                given = self.assert_served(truth, log, counts)
                self.assertGreaterEqual(given, len(truth) * 4 // 5 * 98 // 100, counts)

    def test_through_nginx(self):
        """nginx passes the ids of its clients on; what it sends itself has them already."""
        port, log = self.server("go")
        own, nginx = self.proxy(port)
        truth, counts = self.run_callers(own, nginx.pid)
        given = self.assert_served(truth, log, counts)
        self.assertGreaterEqual(given, len(truth) * 4 // 5 * 98 // 100, counts)
        lines = [line.split() for line in (self.scratch / "nginx/log").read_text().splitlines()]
        served = {row["Token"]: row for row in map(json.loads, log.read_text().splitlines())}
        for token, request, trace in lines:
            if token != "-":
                self.assertEqual((request, trace), (served[token]["Request"] or "-", served[token]["Trace"] or "-"))
        self.assertGreater(counts["requests without: had a request id or a trace of their own"], given)


if __name__ == "__main__":
    assert set(CASES)
    harness.main()
