"""A Prometheus server scrapes exported metrics over loopback and answers queries with the counts of other commands.

    prometheus_test.py --build build/release
"""
import collections
import http.server
import json
import math
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import case

CAPTURE = case.SAMPLES / "lock-contention/lock-contention.tcap"
FORMS = {
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "prometheus": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
}
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: openmetrics, honor_timestamps: false, metrics_path: /openmetrics, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
  - {{job_name: prometheus, honor_timestamps: false, metrics_path: /prometheus, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


def exported(form):
    return subprocess.run(
        [case.program(), "export", CAPTURE, "--format", form, "-o", "-"], capture_output=True, check=True
    ).stdout


@unittest.skipUnless(shutil.which("prometheus"), "no prometheus: scripts/install-packages test")
class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        content = {form: exported(form) for form in FORMS}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                form = self.path.strip("/")
                self.send_response(200)
                self.send_header("Content-Type", FORMS[form])
                self.end_headers()
                self.wfile.write(content[form])

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = tempfile.TemporaryDirectory(prefix="tailcap-prometheus-")
        cls.addClassCleanup(folder.cleanup)
        path = pathlib.Path(folder.name)
        (path / "prometheus.yml").write_text(CONFIG.format(port=server.server_address[1]))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        cls.url = f"http://127.0.0.1:{port}/api/v1/query"
        cls.log = path / "log"
        with open(cls.log, "wb") as log:
            cls.process = subprocess.Popen(
                [
                    "prometheus",
                    "--config.file=prometheus.yml",
                    "--storage.tsdb.path=data",
                    f"--web.listen-address=127.0.0.1:{port}",
                    "--enable-feature=native-histograms",
                ],
                cwd=path,
                stdout=log,
                stderr=log,
            )
        cls.addClassCleanup(cls.end)
        cls.rows = [
            json.loads(line)
            for line in subprocess.run(
                [case.program(), "requests", CAPTURE, "--json"], capture_output=True, text=True, check=True
            ).stdout.splitlines()
        ]
        for _ in range(600):
            if cls.process.poll() is not None:
                raise AssertionError(cls.log.read_text())
            try:
                if cls.ask("min(up)") == 1 and cls.ask("count(up)") == 2:
                    return
            except (urllib.error.URLError, ConnectionError, ValueError):
                pass
            time.sleep(0.1)
        raise AssertionError("nothing was scraped: " + cls.log.read_text()[-2000:])

    @classmethod
    def end(cls):
        cls.process.terminate()
        cls.process.wait(30)

    @classmethod
    def ask(cls, query):
        with urllib.request.urlopen(f"{cls.url}?query={urllib.parse.quote(query)}", timeout=10) as answer:
            results = json.load(answer)["data"]["result"]
        if len(results) != 1:
            raise ValueError(f"{query}: {results}")
        return float(results[0]["value"][1])

    def test_counts(self):
        for form in FORMS:
            self.assertEqual(self.ask(f'sum(tailcap_requests_total{{job="{form}"}})'), len(self.rows))
            for route, n in collections.Counter(r["route"] for r in self.rows).items():
                self.assertEqual(self.ask(f'sum(tailcap_requests_total{{job="{form}",route="{route}"}})'), n)

    def test_classic_histogram(self):
        slow = [r["duration_ns"] for r in self.rows if r["route"] == "/slow"]
        self.assertEqual(
            self.ask('sum(tailcap_request_duration_seconds_count{job="openmetrics",route="/slow"})'), len(slow)
        )
        self.assertEqual(
            self.ask('sum(tailcap_request_duration_seconds_bucket{job="openmetrics",route="/slow",le="0.005"})'),
            sum(d <= 5_000_000 for d in slow),
        )

    def test_native_histogram(self):
        slow = sorted(r["duration_ns"] for r in self.rows if r["route"] == "/slow")
        family = 'sum(tailcap_request_duration_seconds{job="prometheus",route="/slow"})'
        self.assertEqual(self.ask(f"histogram_count({family})"), len(slow))
        self.assertAlmostEqual(self.ask(f"histogram_sum({family})"), sum(slow) / 1e9, places=6)
        for q in (0.1, 0.5, 0.9, 0.99):
            exact = slow[math.ceil(q * len(slow)) - 1] / 1e9
            found = self.ask(f"histogram_quantile({q}, {family})")
            self.assertLess(abs(math.log(found / exact)), math.log(2) / 16 + 1e-9, q)  # in the same bucket
        # No count is between its buckets: all are in them.
        self.assertEqual(self.ask(f"histogram_fraction(0, 1000, {family})"), 1)

    def test_labels(self):
        ns = sum(part["ns"] for r in self.rows for part in r["labels"] if part["label"] == "lock.futex")
        self.assertGreater(ns, 0)
        for form in FORMS:
            self.assertAlmostEqual(
                self.ask(f'sum(tailcap_request_label_seconds_total{{job="{form}",label="lock.futex"}})'),
                ns / 1e9,
                places=6,
            )


if __name__ == "__main__":
    case.main()
