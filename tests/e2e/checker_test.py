"""What is claimed under loss: real services recorded with a normal ring and with rings that are far too small.

Each workload runs once, recorded by several recorders at the same time, one for each size of the ring; tests/e2e/checker.py
says what has to hold.
"""
import collections
import os
import pathlib
import signal
import subprocess
import sys
import time

import harness
from checker import OK_OR_LOST, Checker, End
from harness import child_of, free_port, json_lines, wait_until
from tls_case import TlsCase

HERE = pathlib.Path(__file__).resolve().parent
RINGS = ("16MiB", "16KiB", "4KiB")
CLIENTS, REQUESTS = 16, 12

HEAD = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
"""
PROXY = (
    HEAD
    + """
  upstream leaf {{ server 127.0.0.1:{leaf}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port}{how};
    location / {{ proxy_pass http://leaf; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""
)
SECURE = (
    HEAD
    + """
  server {{
    listen 127.0.0.1:{port} ssl{how};
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location / {{ return 200 "ok"; }}
  }}
}}
"""
)


class CheckerTest(TlsCase):
    BY_OTHER_NAMES = True

    @classmethod
    def setUpClass(cls):
        cls.programs = pathlib.Path(harness.tempfile.mkdtemp(prefix="tailcap-e2e-checker-"))
        cls.addClassCleanup(lambda: subprocess.run(["rm", "-r", cls.programs], check=True))
        go = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode")
        for name, folder in (("go", HERE / "causes"), ("grpc", HERE / "grpc_go")):
            subprocess.run(
                ["go", "build", "-ldflags=-s -w", "-o", cls.programs / name, *sorted(folder.glob("*.go"))],
                env=go,
                check=True,
                timeout=300,
            )

    def serve(self, command, port, **options):
        process = self.start(command, **options)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), str(command[0]))
        return process

    def leaf(self, scheme=""):
        port = free_port()
        return (
            self.serve([self.programs / "go", "leaf", f"{scheme}127.0.0.1:{port}"], port, stderr=subprocess.DEVNULL),
            port,
        )

    def nginx(self, configuration, port, **values):
        (self.scratch / "nginx.conf").write_text(configuration.format(folder=self.scratch, port=port, **values))
        master = self.serve(
            [self.named("nginx"), "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"], port
        )
        return child_of(master.pid)

    def log(self):
        file = self.scratch / "log"
        return json_lines(file.read_text()) if file.exists() else []

    def record_all(self, targets, load):
        recordings = {
            ring: harness.Recording(self.scratch / f"{ring}.tcap", [*targets, "--ring", ring]) for ring in RINGS
        }
        for recording in recordings.values():
            self.addCleanup(self.abandon, recording)
        for recording in recordings.values():
            recording.wait_ready()
        load()
        time.sleep(0.3)  # what was sent last must have been read by its receiver
        for recording in recordings.values():
            recording.process.send_signal(signal.SIGINT)
        for recording in recordings.values():
            self.assertIn(recording.wait_end(), OK_OR_LOST, recording.said)
        return recordings

    def check(self, front, load, leaf=None, calls="{}", leaf_path="/work/{}", grpc=False, fields=None, streams=False):
        """load(prefix, log): runs the clients. calls: "{}" for a proxy, which asks its leaf for the same name."""
        method = "/test.Work/Do" if grpc else None
        fields = fields or {"method": "GET", "status": 200, "request_bytes": 0, "response_bytes": 2}
        path_of = (lambda name: method) if grpc else "/work/{}".format
        name = (
            (lambda row: row["x_request_id"]) if grpc else (lambda row: row["path"] and row["path"].rsplit("/", 1)[1])
        )
        log = self.scratch / "asked"
        recordings = self.record_all([a for pid in (front, leaf) if pid for a in ("-p", pid)], lambda: load("r", log))
        asked = {line["id"]: line for line in json_lines(log.read_text())}
        served_for = {called: line["served"] for line in self.log() for called in line["called"]}
        if leaf and not served_for:
            served_for = {name: name for name in asked}
        calls_of = collections.Counter(served_for.values())
        # What a service calls for nobody goes on all the time, before the recording, too.
        expected_calls = {n: dict(fields, path=leaf_path.format(n)) for n, of in served_for.items() if of in asked}
        others = set(served_for) - set(expected_calls)
        for ring, recording in recordings.items():
            ends = [End(front, "server", {n: dict(fields, path=path_of(n)) for n in asked})]
            if leaf:
                ends += [End(front, "client", expected_calls, others), End(leaf, "server", expected_calls, others)]
            if keep := os.environ.get("TAILCAP_KEEP"):
                for file in (recording.file, self.scratch / "log", log):
                    if file.exists():
                        subprocess.run(["cp", file, f"{keep}/{self._testMethodName}.{file.name}"], check=True)
            at_once = CLIENTS * max([1, *calls_of.values()]) if streams else 1
            counts = Checker(self, name, ends, served_for, asked, at_once).check(recording)
            print(
                f"\n{self._testMethodName[5:]:16}{ring:>6}  "
                + ", ".join(f"{k} {v}" for k, v in sorted(counts.items())),
                end=" ",
                file=sys.stderr,
                flush=True,
            )

    def clients(self, url, connections=0):
        def load(prefix, log):
            command = [self.programs / "go", "load", f"{url}/work/", CLIENTS, REQUESTS, connections, prefix, log]
            subprocess.run([str(c) for c in command], check=True, timeout=240)

        return load

    def test_nginx(self):
        (leaf, behind), port = self.leaf(), free_port()
        self.check(self.nginx(PROXY, port, leaf=behind, how=""), self.clients(f"http://127.0.0.1:{port}"), leaf.pid)

    def test_nginx_http2(self):
        (leaf, behind), port = self.leaf(), free_port()
        self.check(
            self.nginx(PROXY, port, leaf=behind, how=" http2"),
            self.clients(f"h2c://127.0.0.1:{port}", 4),
            leaf.pid,
            streams=True,
        )

    def test_nghttpx(self):
        (leaf, behind), port = self.leaf("h2c://"), free_port()
        proxy = self.serve(
            [
                "nghttpx",
                "--conf=/dev/null",
                f"--frontend=127.0.0.1,{port};no-tls",
                f"--backend=127.0.0.1,{behind};;proto=h2",
                "--workers=1",
                "--single-process",
                "--accesslog-file=/dev/null",
                "--errorlog-file=/dev/null",
            ],
            port,
        )
        self.check(proxy.pid, self.clients(f"h2c://127.0.0.1:{port}", 4), leaf.pid, streams=True)

    def test_go(self):
        (leaf, behind), port = self.leaf(), free_port()
        service = self.serve(
            [
                self.programs / "go",
                "service",
                "fan_out",
                f"127.0.0.1:{port}",
                f"http://127.0.0.1:{behind}",
                self.scratch / "log",
            ],
            port,
        )
        self.check(service.pid, self.clients(f"http://127.0.0.1:{port}"), leaf.pid, leaf_path="/leaf/{}")

    def test_threads(self):
        (leaf, behind), port = self.leaf(), free_port()
        service = self.serve(
            [harness.BUILD / "tests/e2e/causes-threads", "thread", port, behind, self.scratch / "log"], port
        )
        self.check(service.pid, self.clients(f"http://127.0.0.1:{port}"), leaf.pid, leaf_path="/leaf/{}")

    def test_asyncio(self):
        (leaf, behind), port = self.leaf(), free_port()
        service = self.serve(
            [sys.executable, HERE / "causes/loop.py", "kept", port, behind, self.scratch / "log"], port
        )
        self.check(service.pid, self.clients(f"http://127.0.0.1:{port}"), leaf.pid, leaf_path="/leaf/{}")

    def test_node(self):
        (leaf, behind), port = self.leaf(), free_port()
        service = self.serve(["node", HERE / "causes/loop.js", "kept", port, behind, self.scratch / "log"], port)
        self.check(service.pid, self.clients(f"http://127.0.0.1:{port}"), leaf.pid, leaf_path="/leaf/{}")

    def test_tls(self):
        self.check(self.nginx(SECURE, port := free_port(), how=""), self.clients(f"https://127.0.0.1:{port}"))

    def test_tls_http2(self):
        self.check(
            self.nginx(SECURE, port := free_port(), how=" http2"),
            self.clients(f"https://127.0.0.1:{port}", 4),
            streams=True,
        )

    def test_grpc(self):
        leaf, port = free_port(), free_port()
        grpc = self.programs / "grpc"
        other = self.serve([grpc, "leaf", f"127.0.0.1:{leaf}"], leaf)
        service = self.serve(
            [grpc, "service", "fan_out", f"127.0.0.1:{port}", f"127.0.0.1:{leaf}", self.scratch / "log"], port
        )

        def load(prefix, log):
            command = [grpc, "load", f"127.0.0.1:{port}", "/test.Work/Do", CLIENTS, REQUESTS, 4, prefix, log]
            subprocess.run([str(c) for c in command], check=True, timeout=240)

        self.check(
            service.pid,
            load,
            other.pid,
            leaf_path="/test.Leaf/Ask",
            grpc=True,
            streams=True,
            fields={"method": "POST", "status": 200, "grpc_status": 0},
        )


if __name__ == "__main__":
    harness.main()
