"""Who caused which call: services of many kinds with 64 clients at once, against their own logs.

Each service logs for whom it called whom, by names that stand in the paths; where a service is "unlike", the names of its calls
have nothing of the request's, and only the log tells. Each but the proxies also calls for nobody. Prints a line of the table in
ROADMAP.md for each service.
"""
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

import harness
from harness import Case, child_of, free_port, json_lines, wait_until

HERE = pathlib.Path(__file__).resolve().parent / "causes"
CLIENTS = 64


NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream leaf {{ server 127.0.0.1:{behind}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port}{how};
    location / {{ proxy_pass http://leaf; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


class Score:
    def __init__(self):
        self.certain, self.likely, self.undecided, self.wrong_certain, self.wrong_likely = [0] * 5
        self.nobody, self.nobody_linked = 0, 0
        self.methods = {}

    def add(self, truth, parent_name, row):
        confidence = row["parent_confidence"]
        if truth == "":
            self.nobody += 1
            self.nobody_linked += parent_name is not None
        elif parent_name is None:
            self.undecided += 1
        elif parent_name == truth:
            self.certain += confidence == "certain"
            self.likely += confidence != "certain"
        if parent_name is not None:
            self.methods[row["parent_how"]] = self.methods.get(row["parent_how"], 0) + 1
            if parent_name != truth:
                self.wrong_certain += confidence == "certain"
                self.wrong_likely += confidence != "certain"

    @property
    def calls(self):
        return self.certain + self.likely + self.undecided + self.wrong_certain + self.wrong_likely - self.nobody_linked

    def share(self, n):
        return 100 * n / max(self.calls, 1)

    def __str__(self):
        return (
            f"{self.calls:6} calls: certain {self.share(self.certain):6.2f} %, likely {self.share(self.likely):6.2f} %, "
            f"undecided {self.share(self.undecided):6.2f} %, wrong: {self.wrong_certain} certain, {self.wrong_likely} likely; "
            f"for nobody {self.nobody}, linked {self.nobody_linked}; {self.methods}"
        )


class CausesScore(Case):
    @classmethod
    def setUpClass(cls):
        cls.programs = pathlib.Path(harness.tempfile.mkdtemp(prefix="tailcap-e2e-causes-"))
        cls.addClassCleanup(lambda: subprocess.run(["rm", "-r", cls.programs], check=True))
        go = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode")
        for name, folder in (("go", HERE), ("grpc", HERE.parent / "grpc_go")):
            subprocess.run(
                ["go", "build", "-ldflags=-s -w", "-o", cls.programs / name, *sorted(folder.glob("*.go"))],
                env=go,
                check=True,
                timeout=300,
            )

    def go(self, *arguments):
        return [self.programs / "go", *arguments]

    def reachable(self, port, what):
        wait_until(lambda: harness.answers(("127.0.0.1", port)), what)

    def leaf(self, secure=False):
        port = free_port()
        self.start(self.go("leaf", f"{'https://' if secure else ''}127.0.0.1:{port}"), stderr=subprocess.DEVNULL)
        self.reachable(port, "the leaf")
        return port

    def load(self, url, connections=0, requests=20):
        subprocess.run(
            [str(c) for c in self.go("load", f"{url}/work/", CLIENTS, requests, connections, "r")],
            check=True,
            timeout=240,
        )

    def score(
        self,
        name,
        pid,
        port,
        url=None,
        connections=0,
        requests=20,
        certain=0,
        found=0,
        profile="default",
        load=None,
        none_wrong=False,
    ):
        self.reachable(port, name)
        time.sleep(0.1)
        with self.record(
            "-p", pid, "--profile", profile, code=(0, 3)
        ) as recording:  # a busy program is skipped now and then, and counted
            if load:
                subprocess.run([str(c) for c in load], check=True, timeout=240)
            else:
                self.load(url or f"http://127.0.0.1:{port}", connections, requests)
        # A kernel program that interrupts itself is skipped and counted; the thresholds below leave room for that.
        self.assert_whole(recording, most_lost=1)
        truth = {
            called: line["served"]
            for line in json_lines((self.scratch / "log").read_text())
            for called in line["called"]
        }
        rows = self.requests(recording, code=(0, 3))
        by_id = {row["id"]: row for row in rows}
        path = lambda row: (row["x_request_id"] or "") if load else (row["path"] or "/").rsplit("/", 1)[1]
        score = Score()
        for row in rows:
            if row["role"] != "client" or path(row) not in truth:  # begun before, when nobody recorded
                continue
            parent = by_id.get(row["parent"])
            score.add(truth[path(row)], parent and path(parent), row)
        print(f"\n{name:24}{score}", end=" ", file=sys.stderr, flush=True)
        if keep := os.environ.get("TAILCAP_KEEP"):
            for file in (recording.file, self.scratch / "log"):
                subprocess.run(["cp", file, f"{keep}/{self._testMethodName}.{file.name}"], check=True)
        if none_wrong:
            self.assertEqual((score.wrong_certain, score.wrong_likely, score.nobody_linked), (0, 0, 0), score)
        # 99.9 % of what claims certainty is right; of so few none may be wrong but by a bad day.
        self.assertLessEqual(score.wrong_certain, (score.certain + score.wrong_certain) // 1000, score)
        # Shares of those that are known to be found; bounds under what was measured (ROADMAP.md).
        self.assertGreaterEqual(score.share(score.certain), certain, score)
        self.assertGreaterEqual(score.share(score.certain + score.likely), found, score)
        return score

    def go_service(
        self, mode, secure=False, secure_leaf=False, connections=0, requests=20, certain=98, found=99, profile="default"
    ):
        port, leaf = free_port(), self.leaf(secure_leaf)
        address = f"{'https://' if secure else ''}127.0.0.1:{port}"
        service = self.start(
            self.go(
                "service", mode, address, f"http{'s' if secure_leaf else ''}://127.0.0.1:{leaf}", self.scratch / "log"
            ),
            stderr=subprocess.DEVNULL,
        )
        return self.score(
            "go "
            + mode
            + (", https" if secure else "")
            + (", h2 calls" if secure_leaf else "")
            + (", deep" if profile == "deep" else ""),
            service.pid,
            port,
            f"http{'s' if secure else ''}://127.0.0.1:{port}",
            connections,
            requests,
            certain,
            found,
            profile,
        )

    # The names are in metadata; 64 clients on 4 connections.
    def grpc_service(self, manner, method, certain=99, found=99):
        leaf, port = free_port(), free_port()
        grpc = self.programs / "grpc"
        self.start([grpc, "leaf", f"127.0.0.1:{leaf}"])
        self.reachable(leaf, "the leaf")
        service = self.start([grpc, "service", manner, f"127.0.0.1:{port}", f"127.0.0.1:{leaf}", self.scratch / "log"])
        load = [grpc, "load", f"127.0.0.1:{port}", f"/test.Work/{method}", CLIENTS, 20, 4, "r"]
        score = self.score(f"grpc-go {manner}, {method}", service.pid, port, certain=certain, found=found, load=load)
        self.assertEqual((score.wrong_certain, score.wrong_likely, score.nobody_linked), (0, 0, 0), score)

    def test_grpc_plain(self):
        self.grpc_service("plain", "Do")

    def test_grpc_fan_out(self):
        self.grpc_service("fan_out", "Do")

    def test_grpc_calls_streams(self):
        self.grpc_service("watch", "Do")

    def test_grpc_serves_streams(self):
        self.grpc_service("plain", "Watch")

    # It passes paths on as they are: each call is of the request with its name.
    def log_proxy(self):
        names = [f"r{client}-{n}" for client in range(CLIENTS) for n in range(20)]
        (self.scratch / "log").write_text(
            "".join(json.dumps({"served": name, "called": [name]}) + "\n" for name in names)
        )

    def nginx(self, name, how="", connections=0):
        port, leaf = free_port(), self.leaf()
        (self.scratch / "nginx.conf").write_text(NGINX.format(folder=self.scratch, port=port, behind=leaf, how=how))
        nginx = self.start(["nginx", "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        self.reachable(port, "nginx")
        self.log_proxy()
        self.score(
            name,
            child_of(nginx.pid),
            port,
            f"{'h2c' if how else 'http'}://127.0.0.1:{port}",
            connections,
            found=95,
            none_wrong=True,
        )

    def test_nginx(self):
        self.nginx("nginx, kept")

    def test_nginx_http2(self):
        self.nginx("nginx, HTTP/2", " http2", 8)

    def test_nghttpx(self):
        port, leaf = free_port(), free_port()
        self.start(self.go("leaf", f"h2c://127.0.0.1:{leaf}"), stderr=subprocess.DEVNULL)
        self.reachable(leaf, "the leaf")
        proxy = self.start(
            [
                "nghttpx",
                "--conf=/dev/null",
                f"--frontend=127.0.0.1,{port};no-tls",
                f"--backend=127.0.0.1,{leaf};;proto=h2",
                "--workers=1",
                "--single-process",
                "--accesslog-file=/dev/null",
                "--errorlog-file=/dev/null",
            ],
            stderr=subprocess.DEVNULL,
        )
        self.log_proxy()
        self.score("nghttpx, HTTP/2", proxy.pid, port, f"h2c://127.0.0.1:{port}", 8, found=95, none_wrong=True)

    def other_service(self, name, *command, requests=20, certain=0, found=0, none_wrong=True):
        port, leaf = free_port(), self.leaf()
        service = self.start([*command, port, leaf, self.scratch / "log"])
        return self.score(
            name, service.pid, port, requests=requests, certain=certain, found=found, none_wrong=none_wrong
        )

    def test_go_plain(self):
        self.go_service("plain")

    def test_go_fan_out(self):
        self.go_service("fan_out")

    def test_go_dialling(self):
        self.go_service("dialling")

    def test_go_errgroup(self):
        self.go_service("errgroup")

    def test_go_pool(self):
        self.go_service("pool", certain=0, found=95)

    def test_go_lazy_pool(self):
        self.go_service("lazy_pool", certain=0, found=0)

    # Who took a job from the channel is seen in the deep profile only.
    def linked_by_channel(self, mode, **more):
        score = self.go_service(mode, profile="deep", certain=95, found=95, **more)
        self.assertEqual((score.wrong_certain, score.wrong_likely, score.nobody_linked), (0, 0, 0), score)

    def test_go_pool_deep(self):
        self.linked_by_channel("pool")

    def test_go_lazy_pool_deep(self):
        self.linked_by_channel("lazy_pool")

    def test_go_buffered_pool_deep(self):
        self.linked_by_channel("buffered_pool")

    def test_go_select_pool_deep(self):
        self.linked_by_channel("select_pool")

    def test_go_hedge(self):
        self.go_service("hedge", certain=90)

    def test_go_http2_server(self):
        self.go_service("fan_out", secure=True, connections=4)

    def test_go_http2_client(self):
        self.go_service("plain", secure_leaf=True)

    def test_threads(self):
        self.other_service("C++ thread", harness.BUILD / "tests/e2e/causes-threads", "thread", certain=95, found=99)

    def test_thread_pool(self):
        self.other_service("C++ pool", harness.BUILD / "tests/e2e/causes-threads", "pool", found=95)

    def test_asyncio_fresh(self):
        self.other_service("asyncio fresh", sys.executable, HERE / "loop.py", "fresh", requests=10, found=95)

    def test_asyncio_unlike(self):
        self.other_service("asyncio unlike", sys.executable, HERE / "loop.py", "unlike", requests=10)

    def test_asyncio_kept(self):
        self.other_service("asyncio kept", sys.executable, HERE / "loop.py", "kept", requests=10, found=95)

    def test_node_fresh(self):
        self.other_service("node fresh", "node", HERE / "loop.js", "fresh", requests=10, found=95)

    def test_node_kept(self):
        self.other_service("node kept", "node", HERE / "loop.js", "kept", requests=10, found=95)

    def test_node_unlike(self):
        self.other_service("node unlike", "node", HERE / "loop.js", "unlike", requests=10)

    def test_node_proxy(self):
        self.other_service("node proxy", "node", HERE / "loop.js", "proxy", found=95)


if __name__ == "__main__":
    harness.main()
