"""The server under test: nginx, one worker on one CPU, a file by sendfile, or over TLS."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  ssl_protocols TLSv1.3; {certificate}
  keepalive_requests 100000000;
  server {{ listen 127.0.0.1:{port} {tls} reuseport; root {folder}; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise RuntimeError(f"no server on port {port}")


def own_library(folder):
    """The environment in which wrk has its own copy of OpenSSL."""
    copies = folder / "own-library"
    if not copies.exists():
        copies.mkdir()
        linked = subprocess.run(["ldd", shutil.which("wrk")], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(/\S*/lib(?:ssl|crypto)\.so\.\S*)", linked):
            shutil.copy(library, copies)
    return {**os.environ, "LD_LIBRARY_PATH": str(copies)}


class Nginx:
    """`daemon off` keeps it in this session: another session is another autogroup, with a share of its own."""

    scheme = "http"
    path = "/file"
    what = "nginx on CPU 0, wrk/load on CPU 1"
    body = 256  # bytes of an answer

    def __init__(self, folder, cpu, _build):
        self.folder = pathlib.Path(folder)
        self.cpu = cpu
        self.port = free_port()
        self.ports = [self.port]

    def __enter__(self):
        os.chmod(self.folder, 0o755)  # the worker runs as another user
        (self.folder / "file").write_bytes(b"x" * self.body)
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(folder=self.folder, port=self.port, **self.tls()))
        self.master = subprocess.Popen(
            [
                "taskset",
                "-c",
                str(self.cpu),
                "nginx",
                "-c",
                str(self.folder / "nginx.conf"),
                "-e",
                str(self.folder / "error.log"),
            ]
        )
        wait_for(self.port)
        # It listens before it forks.
        children = pathlib.Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children")
        while not children.read_text():
            if self.master.poll() is not None:
                raise RuntimeError("nginx ended")
            time.sleep(0.02)
        self.worker = int(children.read_text().split()[0])
        return self

    def __exit__(self, *_):
        self.master.send_signal(signal.SIGTERM)
        self.master.wait(timeout=10)

    def tls(self):
        return {"tls": "", "certificate": ""}

    def load_environment(self):
        return dict(os.environ)

    def saturate(self, seconds):
        out = subprocess.run(
            [
                "taskset",
                "-c",
                "1",
                "wrk",
                "-t1",
                "-c32",
                f"-d{seconds}s",
                "--latency",
                f"{self.scheme}://127.0.0.1:{self.port}{self.path}",
            ],
            capture_output=True,
            text=True,
            check=True,
            env=self.load_environment(),
        ).stdout
        requests, span = re.search(r"(\d+) requests in ([\d.]+)s", out).groups()
        return {"requests": int(requests), "per_second": int(requests) / float(span)}


class NginxTls(Nginx):
    """Keep-alive over TLS 1.3, the key an ordinary one; what is measured is records, not handshakes. The load has its own copy
    of the library: a probe is in a file, and clients of a service mostly run on other machines."""

    scheme = "https"
    what = "nginx with TLS on CPU 0, wrk on CPU 1"

    def tls(self):
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=localhost",
                "-keyout",
                str(key),
                "-out",
                str(certificate),
            ],
            check=True,
            capture_output=True,
        )
        return {"tls": "ssl", "certificate": f"ssl_certificate {certificate}; ssl_certificate_key {key};"}

    def load_environment(self):
        return own_library(self.folder)
