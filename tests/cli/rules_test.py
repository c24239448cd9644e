"""`tailcap assert` and Prometheus, asked about the same limits: what the generator of the recordings knows, both must say.

    rules_test.py --build build/release [unittest arguments]

promtool evaluates the rules over exported metrics, as if the load of the recording went on for 15 minutes. A Prometheus
server with native histograms scrapes recordings that grow.
"""
import fractions
import http.server
import json
import math
import random
import re
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
import runs

MS = 1000  # µs
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)(?: \S+)?$")
# Burn rates that wake somebody, in multiples of what the error budget of 30 days allows.
BURNS = {"Fast": 14.4, "Slow": 6}


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"no {tool}: scripts/install-packages test")


def quantile(q, durations):
    """The smallest duration with at least a share q at or below it."""
    return sorted(durations)[math.ceil(q * len(durations) - 1e-9) - 1]


def shuffled(*groups):
    durations = [ms * MS for n, ms in groups for _ in range(n)]
    random.Random(len(durations)).shuffle(durations)
    return durations


# What is recorded: durations (µs), and which requests fail, or get a client error.
STEADY = {
    "durations": shuffled((950, 20), (35, 80), (15, 300)),
    "failed": range(0, 1000, 125),
    "refused": range(1, 1000, 50),
}
SLOW = {"durations": shuffled((400, 60), (100, 900)), "failed": range(0, 500, 10)}
# 99 % are at a bound of the buckets, the others above it; 5 of 10,000 fail.
EDGE = {"durations": shuffled((9900, 1), (100, 3)), "failed": range(7, 10_000, 2000)}
FAILING = {"durations": shuffled((300, 5)), "failed": range(100, 220)}
PERFECT = {"durations": shuffled((500, 5))}

# The recording, the limits that are asked for one by one. Bounds of the buckets decide exactly; other limits lie in other
# buckets than the percentile.
CASES = (
    (
        "steady",
        STEADY,
        (
            "p50: 10ms",
            "p50: 25ms",
            "p95: 25ms",
            "p95: 10ms",
            "p99: 250ms",
            "p99: 500ms",
            "p99: 100ms",
            "mean: 20ms",
            "mean: 30ms",
            "errors: 0.7%",
            "errors: 0.8%",
            "errors: 0.9%",
            "errors: 0.05%",
            "client_errors: 1%",
            "client_errors: 2%",
            "client_errors: 1.99%",
        ),
    ),
    ("slow", SLOW, ("p50: 100ms", "p95: 500ms", "p95: 1s", "mean: 250ms", "errors: 20%", "errors: 5%", "errors: 1%")),
    ("edge", EDGE, ("p99: 1ms", "p95: 1ms", "p99: 0.5ms", "errors: 0.05%", "errors: 0.0499%")),
    ("failing", FAILING, ("errors: 40%", "errors: 39%", "errors: 1%", "p50: 5ms", "p50: 2.5ms")),
    ("perfect", PERFECT, ("errors: 0%", "errors: 0.5%", "client_errors: 0%")),
)


def is_kept(what, limit):
    """By the generator."""
    durations, n = what["durations"], len(what["durations"])
    metric, text = limit.split(": ")
    if metric.endswith("errors"):
        return (
            len(what.get("failed" if metric == "errors" else "refused", ())) <= fractions.Fraction(text[:-1]) / 100 * n
        )
    at_most = float(text.rstrip("ms")) * (MS if text.endswith("ms") else 1000 * MS)
    return (sum(durations) / n if metric == "mean" else quantile(int(metric[1:]) / 100, durations)) <= at_most


def alerts_of(what, limit):
    """Which alerts fire, by the generator."""
    metric, text = limit.split(": ")
    name = "TailcapSlo" + "".join(word.capitalize() for word in metric.split("_"))
    out = set() if is_kept(what, limit) else {name}
    if metric == "errors":
        share, at_most = len(what.get("failed", ())) / len(what["durations"]), float(text[:-1]) / 100
        out |= {f"{name}Burn{burn}" for burn, times in BURNS.items() if times * at_most < 1 and share > times * at_most}
    return out


class Rules(case.Case):
    def rules(self, text, code=0, name="slo.yaml"):
        (self.scratch / name).write_text(text)
        done = self.tailcap("assert", "--slo", name, "--format", "prometheus-rules", "-o", f"rules-{name}")
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr, (self.scratch / f"rules-{name}").read_text()

    def checked(self, name="slo.yaml"):
        """How many rules there are, if the file is sound."""
        done = case.run("promtool", "check", "rules", f"rules-{name}", cwd=self.scratch)
        self.assertRegex(done.stdout, r"\d+ rules found", done.stderr)  # and no duplicates
        return int(re.search(r"(\d+) rules found", done.stdout).group(1))

    def verdicts(self, capture, name="slo.yaml", *arguments):
        return {
            r["name"]: r["verdict"]
            for r in json.loads(self.tailcap("assert", capture, "--slo", name, "--json", *arguments).stdout)["results"]
        }

    def assert_fires(self, capture, expected, name="slo.yaml"):
        """expected: alerts with their limits, after 15 minutes in which each minute brings what the recording holds."""
        series = []
        for line in self.tailcap("export", capture, "--format", "openmetrics", "-o", "-").stdout.splitlines():
            if not line.startswith("#"):
                metric, labels, value = SAMPLE.match(line.split(" # ")[0]).groups()
                series.append({"series": metric + "{" + (labels or "") + "}", "values": f"0+{value}x30"})
        firing = [{"labels": f'{{alertname="{alert}",slo="{limit}"}}', "value": 1} for alert, limit in sorted(expected)]
        asked = [
            {
                "expr": 'count by (alertname, slo) (ALERTS{alertstate="firing"})',
                "eval_time": "15m",
                "exp_samples": firing,
            },
            # A limit has to be broken for 5 minutes.
            {"expr": 'count(ALERTS{alertstate="firing",alertname!~".*Burn.*"})', "eval_time": "4m", "exp_samples": []},
        ]
        (self.scratch / "test.yaml").write_text(
            json.dumps(
                {
                    "rule_files": [f"rules-{name}"],
                    "evaluation_interval": "1m",
                    "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": asked}],
                }
            )
        )
        done = case.run("promtool", "test", "rules", "test.yaml", cwd=self.scratch)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @needs("promtool")
    def test_assert_and_prometheus_agree(self):
        self.assertGreaterEqual(sum(len(limits) for *_, limits in CASES), 20)
        for name, what, limits in CASES:
            with self.subTest(name):
                capture, file = runs.write_text(self.scratch, name, runs.exact(**what)), f"{name}.yaml"
                self.rules(
                    "slos:\n"
                    + "".join(f"  - {{name: '{limit}', route: POST /pay, at_most: {{{limit}}}}}\n" for limit in limits),
                    name=file,
                )
                self.checked(file)
                truth = {limit: "pass" if is_kept(what, limit) else "fail" for limit in limits}
                self.assertEqual(self.verdicts(capture, file, "--observed"), truth)
                # What an interval decides is so as well.
                decided = {
                    limit: verdict for limit, verdict in self.verdicts(capture, file).items() if verdict != "undecided"
                }
                self.assertEqual(decided, {limit: truth[limit] for limit in decided})
                self.assert_fires(
                    capture, [(alert, limit) for limit in limits for alert in alerts_of(what, limit)], file
                )

    @needs("promtool")
    def test_time_under_labels(self):
        """0.9 of a request of 5 ms is spent in its two calls: that is in the recording's text."""
        capture = runs.write(self.scratch, "calls", number=1, requests=1200, calls=2)
        limits = {
            "down.wait: 4ms": False,
            "down.wait: 6ms": True,
            "down.wait: 50%": False,
            "down.wait: 95%": True,
            "lock.futex: 1%": True,
            "no_account: 1s": True,
        }
        self.rules(
            "slos:\n" + "".join(f"  - {{name: '{limit}', route: GET /pay, at_most: {{{limit}}}}}\n" for limit in limits)
        )
        self.checked()
        self.assertEqual(self.verdicts(capture), {k: "pass" if kept else "fail" for k, kept in limits.items()})
        self.assert_fires(capture, [("TailcapSloDownWait", limit) for limit, kept in limits.items() if not kept])

    def test_what_the_metrics_cannot_express(self):
        said, rules = self.rules(
            "slos:\n  - route: POST /pay\n    at_most: {p99: 200ms, calls: 3, response_bytes: 4kB}\n  - route: PURGE /x\n    at_most: {p99: 1ms}\n"
            "  - name: far\n    route: '*'\n    at_most: {p95: 15s, errors: 10%}\n"
        )
        lines = said.strip().splitlines()
        expected = (
            ("line 3", "calls ≤ 3", "left out"),
            ("line 3", "response_bytes ≤ 4kB", "left out"),
            ("line 5", "p99 ≤ 1ms", "_OTHER"),
            ("line 8", "p95 ≤ 15s", "native histograms"),
            ("line 8", "errors ≤ 10%", "14.4"),
        )
        self.assertEqual(len(lines), len(expected), said)
        for line, words in zip(lines, expected):
            self.assertTrue(line.startswith("tailcap assert: " + words[0]), line)
            for word in words:
                self.assertIn(word, line)
            self.assertIn("# " + line.removeprefix("tailcap assert: "), rules)
        self.assertNotIn("BurnFast", rules)
        self.assertIn("BurnSlow", rules)
        self.assertNotIn("_bucket", rules[rules.index("p95_seconds") :])
        # 200 ms is no bound of the buckets.
        self.assertIn("0.1 s and 0.25 s", rules)
        # Nothing is left.
        said, rules = self.rules("slos: [{route: '*', at_most: {calls: 3}}]", code=4)
        self.assertIn("left out", said)
        if shutil.which("promtool"):
            self.assertEqual(
                case.run("promtool", "check", "rules", "rules-slo.yaml", cwd=self.scratch).returncode, 0, rules
            )

    def test_the_keys_of_alerts(self):
        _, rules = self.rules(
            "slos:\n  - name: checkout\n    description: customers cannot pay\n    route: /api/v1.0/*\n    role: client\n    severity: wake\n    for: 1m30s\n    period: 7d\n    at_most: {p95: 100ms, errors: 1%}\n"
            "  - route: POST *\n    at_most: {mean: 10ms}\n"
        )
        for words in (
            "for: 1m30s",
            "severity: 'wake'",
            "description: 'customers cannot pay'",
            'role="client"',
            'route=~"/api/v1\\\\.0/.*"',
            "> 3.36 * 0.01",
            "> 1.4 * 0.01",
            '{role="server",method="POST"}',
            "slo: 'POST *'",
        ):
            self.assertIn(words, rules)
        self.assertNotIn("ticket", rules[: rules.index("POST *")])

    @needs("promtool")
    def test_hostile_texts(self):
        """Names become YAML, PromQL and templates; none of them ends early."""
        hostile = [
            "it's",
            'a"b',
            "{{ $labels.x }}",
            "{{",
            "a\\b",
            "[x](y)",
            "#",
            "- a: b",
            "\u202e\u2028",
            "%s",
            "é*",
            "/a(b|c)[d]{e}+^$*",
            "x y z",
        ]
        slos = [
            {
                "name": text,
                "description": text,
                "severity": text,
                "route": "GET " + text,
                "at_most": {"p99": "1ms", "errors": "1%"},
            }
            for text in hostile
        ]
        slos += [
            {"route": text.replace(" ", ""), "at_most": {"mean": "1ms"}} for text in hostile
        ] * 2  # and twice the same
        _, rules = self.rules(json.dumps({"slos": slos}))
        self.assertEqual(self.checked(), len(hostile) * (2 + 2 + 3 + 2) + 2 * 2 * len(hostile))
        self.assertNotIn("\u202e", rules)

    def test_usage(self):
        (self.scratch / "slo.yaml").write_text("slos: [{route: '*', at_most: {p50: 1h}}]")
        self.assert_refused(
            self.tailcap("assert", "x.tcap", "--slo", "slo.yaml", "--format", "prometheus-rules"),
            2,
            "takes no captures",
        )
        # The ending of OUT chooses the format.
        self.assertEqual(self.tailcap("assert", "--slo", "slo.yaml", "-o", "a.yml").returncode, 0)
        self.assertIn("TailcapSloP50", (self.scratch / "a.yml").read_text())
        rules = self.tailcap("assert", "--slo", "slo.yaml", "--format", "prometheus-rules").stdout
        self.assertEqual(rules, (self.scratch / "a.yml").read_text())


@needs("prometheus")
class Native(case.Case):
    """With native histograms, limits between the bounds of classic buckets are decided, too."""

    LIMITS = {
        "p99: 200ms": True,
        "p99: 130ms": True,
        "p99: 110ms": False,
        "p50: 125ms": True,
        "p50: 112ms": False,
        "mean: 150ms": True,
        "mean: 110ms": False,
        "errors: 10%": True,
        "errors: 4%": False,
    }
    STEPS = 12

    def test_a_server_agrees(self):
        # 118 to 122 ms, all in one classic bucket; 1 of 20 fails.
        durations = [118 * MS + 500 * (i % 9) for i in range(100 * self.STEPS)]
        grown = []
        for step in range(1, self.STEPS + 1):
            n = 100 * step
            capture = runs.write_text(self.scratch, f"step{step}", runs.exact(durations[:n], failed=range(0, n, 20)))
            grown.append(
                subprocess.run(
                    [case.program(), "export", capture, "--format", "prometheus", "-o", "-"],
                    capture_output=True,
                    check=True,
                ).stdout
            )
        (self.scratch / "slo.yaml").write_text(
            "slos:\n" + "".join(f"  - {{name: '{limit}', route: '*', at_most: {{{limit}}}}}\n" for limit in self.LIMITS)
        )
        self.assertEqual(self.tailcap("assert", "--slo", "slo.yaml", "-o", "rules.yaml").returncode, 0)
        results = json.loads(
            self.tailcap("assert", f"step{self.STEPS}.tcap", "--slo", "slo.yaml", "--observed", "--json").stdout
        )["results"]
        self.assertEqual(
            {r["name"]: r["verdict"] for r in results},
            {limit: "pass" if kept else "fail" for limit, kept in self.LIMITS.items()},
        )
        scrapes = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = grown[min(len(scrapes), len(grown) - 1)]
                scrapes.append(len(body))
                self.send_response(200)
                self.send_header(
                    "Content-Type",
                    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
                )
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (self.scratch / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yaml]\nscrape_configs:\n"
            f"  - {{job_name: shop, honor_timestamps: false, static_configs: [{{targets: ['127.0.0.1:{server.server_address[1]}']}}]}}\n"
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with open(self.scratch / "log", "wb") as log:
            process = subprocess.Popen(
                [
                    "prometheus",
                    "--config.file=prometheus.yml",
                    "--storage.tsdb.path=data",
                    f"--web.listen-address=127.0.0.1:{port}",
                    "--enable-feature=native-histograms",
                ],
                cwd=self.scratch,
                stdout=log,
                stderr=log,
            )
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.terminate)

        def ask(query):
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(query)}", timeout=10
            ) as answer:
                return json.load(answer)["data"]["result"]

        for _ in range(600):
            self.assertIsNone(process.poll(), (self.scratch / "log").read_text())
            try:
                # All that grows was scraped, and the rules were evaluated afterwards: the last of them has a value.
                if len(scrapes) >= self.STEPS + 2 and ask('{__name__="tailcap_slo:errors_share:rate6h"}'):
                    break
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.1)
        else:
            raise AssertionError((self.scratch / "log").read_text()[-2000:])
        self.assertEqual(
            ask('{__name__="tailcap_request_duration_seconds_bucket"}'), [], "the server has native histograms only"
        )
        pending = {row["metric"]["slo"] for row in ask('ALERTS{alertname!~".*Burn.*"}')}
        self.assertEqual(pending, {limit for limit, kept in self.LIMITS.items() if not kept})


if __name__ == "__main__":
    case.main()
