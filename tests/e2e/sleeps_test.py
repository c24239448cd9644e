"""How often the requests of a server wait, by label: it sleeps as often as the request asks, and nothing else does."""
import http.client
import sys

import harness
from harness import Case, free_port, wait_until

SERVICE = r"""
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        for _ in range(int(self.path.rsplit("/", 1)[1])):
            time.sleep(0.001)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *unused):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Sleeps(Case):
    def test_as_often_as_it_sleeps(self):
        port = free_port()
        service = self.start([sys.executable, "-c", SERVICE, port])
        wait_until(lambda: harness.answers(("127.0.0.1", port)), "the service")
        with self.record("-p", service.pid) as recording:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            for i in range(120):
                for sleeps in (0, 2, 5):
                    connection.request("GET", f"/naps{sleeps}/{sleeps}")
                    connection.getresponse().read()
            connection.close()
        for sleeps, most, code in ((0, 0, 0), (2, 2, 0), (2, 1, 3), (5, 5, 0), (5, 4.9, 3)):
            limits = self.scratch / "slo.yaml"
            limits.write_text(f"slos:\n- route: /naps{sleeps}/*\n  at_most: {{waits.timer.sleep: {most}}}\n")
            said = self.tailcap("assert", recording.file, "--slo", limits, "--explain", code=code)
            self.assertRegex(said, rf"waits.timer.sleep ≤ {most} +{sleeps} +exact +120 ", said)


if __name__ == "__main__":
    harness.main()
