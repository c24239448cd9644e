"""A case whose server is nginx: one process that serves /page, 256 bytes, over as many connections as come."""
import subprocess

import harness
from harness import Case, free_port, wait_until


class NginxCase(Case):
    def server(self):
        port, folder = free_port(), self.scratch / "nginx"
        (folder / "html").mkdir(parents=True)
        (folder / "html/page").write_bytes(b"x" * 256)
        (folder / "nginx.conf").write_text(
            "worker_processes 1; pid nginx.pid; error_log stderr; daemon off; master_process off;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; keepalive_requests 100000000; keepalive_timeout 600;\n"
            f"server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ root {folder}/html; }} }} }}\n"
        )
        process = self.start(["nginx", "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "nginx")
        return process.pid, f"http://127.0.0.1:{port}"
