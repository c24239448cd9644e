"""SQL and exports of a recorded nginx, against the logs of the server and of the client."""
import collections
import json
import re
import subprocess

import harness
from nginx_test import Nginx


class Exports(Nginx):
    def test_against_the_logs(self):
        server = self.nginx(workers=2)
        with self.record("--comm", "nginx") as recording:
            client_log = self.load(
                self.url,
                "-c",
                "8",
                "-r",
                "1000",
                "-n",
                "2001",
                "--route",
                "5 GET /small",
                "--route",
                "1 GET /page.html",
                "--route",
                "1 GET /missing/{n}",
                "--route",
                "1 GET /empty",
            )
        self.assert_whole(recording)
        log = self.access_log(server)
        self.assertEqual(len(log), len(client_log))
        truth = collections.Counter((t["method"], t["path"], t["status"]) for t in log)
        rows = json_rows(
            self.tailcap(
                "query",
                recording.file,
                "SELECT method, path, status, count(*) AS n, sum(response_bytes) AS bytes FROM request"
                " WHERE role = 'server' GROUP BY 1, 2, 3",
                "--json",
                "-n",
                "100000",
            )
        )
        self.assertEqual({(r["method"], r["path"], r["status"]): r["n"] for r in rows}, truth)
        self.assertEqual(sum(r["bytes"] for r in rows), sum(t["response_bytes"] for t in log))
        ids = json_rows(
            self.tailcap(
                "query",
                recording.file,
                "SELECT x_request_id AS id, name, pid FROM request JOIN process USING (upid)",
                "--json",
                "-n",
                "100000",
            )
        )
        self.assertEqual(sorted(r["id"] for r in ids), sorted(t["id"] for t in log))
        self.assertEqual({r["name"] for r in ids}, {"nginx"})
        # No thread is in two states at a time, and a request's segments lie within it.
        overlap = "SELECT count(*) AS n FROM (SELECT ts, lag(ts + dur) OVER (PARTITION BY utid ORDER BY ts, dur) AS until FROM thread_state) WHERE ts < until"
        self.assertEqual(json_rows(self.tailcap("query", recording.file, overlap, "--json")), [{"n": 0}])
        outside = "SELECT count(*) AS n FROM segment s JOIN request r USING (request_id) WHERE s.ts < r.ts OR s.ts + s.dur > r.ts + r.dur"
        self.assertEqual(json_rows(self.tailcap("query", recording.file, outside, "--json")), [{"n": 0}])

        har = json.loads(self.tailcap("export", recording.file, "--format", "har"))
        self.assertEqual(
            collections.Counter(
                (e["request"]["method"], e["request"]["url"].removeprefix(self.url), e["response"]["status"])
                for e in har["log"]["entries"]
            ),
            truth,
        )
        loki = json_rows(self.tailcap("export", recording.file, "--format", "loki"))
        self.assertEqual(collections.Counter((r["method"], r["path"], r["status"]) for r in loki), truth)
        metrics = self.tailcap("export", recording.file, "--format", "openmetrics")
        outcomes = collections.Counter()
        for outcome, n in re.findall(r'^tailcap_requests_total\{.*outcome="(\w+)"\} (\d+)', metrics, re.M):
            outcomes[outcome] += int(n)
        self.assertEqual(outcomes, collections.Counter("client_error" if t["status"] >= 400 else "ok" for t in log))
        self.tailcap("export", recording.file, "-o", self.scratch / "out.pcapng")
        seen = subprocess.run(
            [
                "tshark",
                "-o",
                "http.desegment_body:FALSE",
                "-r",
                self.scratch / "out.pcapng",
                "-Y",
                "http.request",
                "-T",
                "fields",
                "-e",
                "http.request.method",
                "-e",
                "http.request.uri",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertEqual(
            collections.Counter(tuple(line.split("\t")) for line in seen.splitlines()),
            collections.Counter((t["method"], t["path"]) for t in log),
        )


def json_rows(text):
    return [json.loads(line) for line in text.splitlines()]


# Those of nginx_test.py run there.
for name in [name for name in dir(Nginx) if name.startswith("test_")]:
    setattr(Exports, name, None)
del Nginx

if __name__ == "__main__":
    harness.main()
