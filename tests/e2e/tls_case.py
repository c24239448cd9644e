"""What tests of TLS share: a certificate, nginx with TLS, and sessions as a capture tells them."""
import os
import subprocess

import harness
from harness import Case, free_port, json_lines, wait_until

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  log_format truth '{{"connection":$connection,"request":"$request_uri","sent":$bytes_sent,"received":$request_length}}';
  access_log {folder}/access.jsonl truth;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    keepalive_requests 100000;
    root {folder}/www;
  }}
}}
"""


class TlsCase(Case):
    def setUp(self):
        super().setUp()
        self.certificate, self.key = self.scratch / "cert.pem", self.scratch / "key.pem"
        subprocess.run(
            [
                self.named("openssl"),
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                self.key,
                "-out",
                self.certificate,
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        os.chmod(self.key, 0o644)
        self.port = free_port()

    def nginx(self):
        www = self.scratch / "www"
        www.mkdir()
        (www / "small").write_bytes(b"s" * 256)
        (www / "large").write_bytes(b"l" * 300_001)
        (self.scratch / "nginx.conf").write_text(CONFIGURATION.format(folder=self.scratch, port=self.port))
        server = self.start([self.named("nginx"), "-c", self.scratch / "nginx.conf", "-e", self.scratch / "error.log"])
        wait_until(lambda: harness.answers(("127.0.0.1", self.port)), "nginx")
        self.url = f"https://127.0.0.1:{self.port}"
        return server

    def access_log(self, server):
        self.end(server)
        return json_lines((self.scratch / "access.jsonl").read_text())

    def sessions(self, recording, comm=None, pid=None):
        """Sessions in order of their numbers: {pid, library, steps, out: bytes, in: bytes, heads: {out, in}}; every byte
        of them exactly once."""
        # A capture of one kind of event at a time: only these are of interest.
        events = [
            e
            for kind in ("tls_step", "tls_send", "tls_receive", "task_info", "task_exec")
            for e in json_lines(self.tailcap("events", recording.file, "--json", "--kind", kind))
        ]
        names = {e["pid"]: e["comm"] for e in sorted((e for e in events if e.get("comm")), key=lambda e: e["time"])}
        found = {}
        for e in events:
            if e["kind"] not in ("tls_step", "tls_send", "tls_receive"):
                continue
            if (comm and names.get(e["pid"]) != comm) or (pid and e["pid"] != pid):
                continue
            s = found.setdefault(
                e["session"],
                {
                    "pid": e["pid"],
                    "library": None,
                    "steps": [],
                    "codes": [],
                    "out": 0,
                    "in": 0,
                    "heads": {"out": "", "in": ""},
                    "calls": [],
                },
            )
            if e["kind"] == "tls_step":
                s["steps"].append(e["step"])
                s["library"] = e["library"]
                if e["step"] == "failed":
                    s["codes"].append(e["code"])
                continue
            way = "out" if e["kind"] == "tls_send" else "in"
            self.assertEqual(e["position"], s[way], f"bytes missing or twice: {e}")
            self.assertEqual(e["missed"], 0, e)
            self.assertLessEqual(e["began"], e["time"], e)
            s[way] += e["length"]
            s["heads"][way] += e["head"]
            s["calls"].append((way, e["length"]))
        return [found[number] for number in sorted(found)]
