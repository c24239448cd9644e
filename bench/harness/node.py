"""The server under test: node's http, answers of 256 bytes."""
import subprocess

from harness.nginx import Nginx, wait_for

SOURCE = """
const answer = 'x'.repeat(256);
require('http').createServer((q, r) => r.end(answer)).listen(+process.argv[1], '127.0.0.1');
"""


class Node(Nginx):
    what = "node http on CPU 0, h2load on CPU 1"

    def __enter__(self):
        self.master = subprocess.Popen(["taskset", "-c", str(self.cpu), "node", "-e", SOURCE, str(self.port)])
        wait_for(self.port)
        self.worker = self.master.pid  # taskset becomes it
        return self
