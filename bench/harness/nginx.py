"""The server under test: nginx, one worker on one CPU, a file of 256 bytes by sendfile."""
import os
import pathlib
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
  keepalive_requests 100000000;
  server {{ listen 127.0.0.1:{port} reuseport; root {folder}; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """`daemon off` keeps it in this session: another session is another autogroup, with a share of its own."""

    def __init__(self, folder, cpu):
        self.folder = pathlib.Path(folder)
        self.cpu = cpu
        self.port = free_port()

    def __enter__(self):
        os.chmod(self.folder, 0o755)  # the worker runs as another user
        (self.folder / "file").write_bytes(b"x" * 256)
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(folder=self.folder, port=self.port))
        self.master = subprocess.Popen(["taskset", "-c", str(self.cpu), "nginx", "-c", str(self.folder / "nginx.conf"),
                                        "-e", str(self.folder / "error.log")])
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        children = pathlib.Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children").read_text().split()
        self.worker = int(children[0])
        return self

    def __exit__(self, *_):
        self.master.send_signal(signal.SIGTERM)
        self.master.wait(timeout=10)
