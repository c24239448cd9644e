"""nginx with HTTP/2, its clients curl and nghttp: prior knowledge and `Upgrade: h2c`, uploads, against nginx's access log."""
import collections
import subprocess

import harness
from harness import Case, free_port, json_lines, wait_until

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  log_format truth '{{"id":"$http_x_request_id","method":"$request_method","path":"$request_uri","status":$status,'
                   '"response_bytes":$body_bytes_sent,"protocol":"$server_protocol","connection":$connection}}';
  access_log {folder}/access.jsonl truth;
  client_max_body_size 1g;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} http2;
    root {folder}/www;
    location /upload {{ dav_methods PUT; create_full_put_path on; root {folder}/www; }}
    location /empty {{ return 204; }}
    location /moved {{ return 301 /small; }}
  }}
}}
"""
ROUTES = [
    ("GET", "/small"),
    ("GET", "/page"),
    ("HEAD", "/page"),
    ("GET", "/missing"),
    ("GET", "/empty"),
    ("GET", "/moved"),
    ("GET", "/small?with=" + "q" * 500),
]


class NginxHttp2(Case):
    def nginx(self):
        self.port = free_port()
        www = self.scratch / "www"
        (www / "upload").mkdir(parents=True)
        (www / "upload").chmod(0o777)
        (www / "small").write_bytes(b"s" * 256)
        (www / "page").write_bytes(b"p" * 40_000)
        (self.scratch / "nginx.conf").write_text(CONFIGURATION.format(folder=self.scratch, port=self.port))
        server = self.start(["nginx", "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "nginx")
        self.url = f"http://127.0.0.1:{self.port}"
        return server

    def assert_as_logged(self, recording, server, expected):
        self.end(server)
        truth = [t for t in json_lines((self.scratch / "access.jsonl").read_text()) if t["id"]]
        self.assertEqual(len(truth), expected)
        self.assertEqual({t["protocol"] for t in truth}, {"HTTP/2.0"})
        for role in ("server", "client"):
            rows = self.requests(recording, role=role)
            self.assert_same(truth, rows)
            self.assertEqual({r["protocol"] for r in rows}, {"http/2"})
            # Streams that shared a connection there share one here.
            shared = lambda key, all: collections.Counter(collections.Counter(key(x) for x in all).values())
            self.assertEqual(shared(lambda r: r["connection"], rows), shared(lambda t: t["connection"], truth))

    def test_curl(self):
        server = self.nginx()
        with self.record("--comm", "nginx", "--comm", "curl") as recording:
            for i in range(29):
                method, path = ROUTES[i % len(ROUTES)]
                self.curl(
                    "--http2-prior-knowledge",
                    *(["--head"] if method == "HEAD" else []),
                    "-H",
                    f"x-request-id: t{i}",
                    self.url + path,
                )
        self.assert_whole(recording)
        self.assert_as_logged(recording, server, 29)

    def test_many_streams(self):
        server = self.nginx()
        paths = [p for m, p in ROUTES if m == "GET"]
        with self.record("--comm", "nginx", "--comm", "h2load") as recording:
            done = subprocess.run(
                ["h2load", "-n", "1501", "-c", "4", "-m", "20", *(self.url + p for p in paths)],
                capture_output=True,
                text=True,
                timeout=60,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
        self.end(server)
        what = lambda all: collections.Counter((t["method"], t["path"], t["status"], t["response_bytes"]) for t in all)
        truth = [t for t in json_lines((self.scratch / "access.jsonl").read_text()) if t["protocol"] == "HTTP/2.0"]
        self.assertEqual(len(truth), 1501)
        for role in ("server", "client"):
            rows = self.requests(recording, role=role)
            self.assertEqual([r for r in rows if not r["complete"] or set(r["tainted"]) - {"arrival_unknown"}], [])
            self.assertEqual(what(rows), what(truth))

    def test_uploads(self):
        server = self.nginx()
        sizes = [0, 1, 300, 16_384, 200_001, 5_000_000]
        with self.record("--comm", "nginx", "--comm", "curl") as recording:
            for i, size in enumerate(sizes):
                (self.scratch / "to-upload").write_bytes(b"u" * size)
                self.curl(
                    "--http2-prior-knowledge",
                    "-T",
                    self.scratch / "to-upload",
                    "-H",
                    f"x-request-id: u{i}",
                    f"{self.url}/upload/{i}",
                )
        self.assert_as_logged(recording, server, len(sizes))
        for role in ("server", "client"):
            by_id = {r["x_request_id"]: r for r in self.requests(recording, role=role)}
            self.assertEqual([by_id[f"u{i}"]["request_bytes"] for i in range(len(sizes))], sizes)

    def test_upgrade_through_a_proxy(self):
        """nghttp upgrades its connection to nghttpx, which speaks HTTP/2 to nghttpd: four records of each request."""
        (self.scratch / "page").write_bytes(b"p" * 3001)
        port, behind = free_port(), free_port()
        server = self.start(["nghttpd", "--no-tls", "-d", self.scratch, behind], stdout=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", behind)), "nghttpd")
        proxy = self.start(
            [
                "nghttpx",
                "--conf=/dev/null",
                "--single-process",
                f"--frontend=127.0.0.1,{port};no-tls",
                f"--backend=127.0.0.1,{behind};;proto=h2",
                f"--errorlog-file={self.scratch}/errors",
            ]
        )
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nghttpx")
        with self.record("-p", server.pid, "-p", proxy.pid, "--comm", "nghttp") as recording:
            for _ in range(3):
                done = subprocess.run(
                    ["nghttp", "-u", "-n", f"http://127.0.0.1:{port}/page", f"http://127.0.0.1:{port}/none"],
                    capture_output=True,
                    text=True,
                    timeout=30,
                )
                self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.requests(recording)
        # A request that rides on the last packet of the handshake has no arrival of its own.
        self.assertEqual([r for r in rows if not r["complete"] or set(r["tainted"]) - {"arrival_unknown"}], [])
        what = collections.Counter((r["comm"], r["role"], r["path"], r["status"]) for r in rows)
        ends = [("nghttp", "client"), ("nghttpx", "server"), ("nghttpx", "client"), ("nghttpd", "server")]
        self.assertEqual(
            what, {(*end, path, status): 3 for end in ends for path, status in (("/page", 200), ("/none", 404))}
        )
        self.assertEqual({r["response_bytes"] for r in rows if r["path"] == "/page"}, {3001})


if __name__ == "__main__":
    harness.main()
