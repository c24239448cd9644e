"""`tailcap export` in formats that Prometheus, browsers, log stores, pprof and Wireshark read: each is read by its tool, and says what
`requests` and `flame` say.

    export_tools_test.py --build build/release
"""
import collections
import datetime
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import browser
import case

CAPTURES = sorted(case.SAMPLES.glob("*/*.tcap"))
STOCK = case.SAMPLES / "go-stock/go-stock.tcap"
LOCK = case.SAMPLES / "lock-contention/lock-contention.tcap"


def tailcap(*arguments):
    done = subprocess.run([case.program(), *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def export(capture, form, *options):
    return tailcap("export", capture, "--format", form, *options)


def requests(capture, *options):
    return [json.loads(line) for line in tailcap("requests", "--json", capture, *options).splitlines()]


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"no {tool}")


class OpenMetrics(unittest.TestCase):
    SAMPLE = re.compile(
        r'(\w+)(?:\{(.*?)\})? (\S+)(?: (\d+\.\d+))?(?: # \{trace_id="([0-9a-f]{32})",span_id="([0-9a-f]{16})"\} (\S+)(?: (\S+))?)?$'
    )
    LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def samples(self, text):
        self.assertTrue(text.endswith("# EOF\n"))
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value, _, trace, span, exemplar, _ = self.SAMPLE.fullmatch(line).groups()
            yield name, dict(self.LABEL.findall(labels or "")), float(value), (
                trace,
                span,
                float(exemplar),
            ) if trace else None

    def test_values(self):
        exemplars = 0
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                rows = requests(capture)
                of = lambda labels: [
                    r
                    for r in rows
                    if (r["role"], r["method"] or "unknown", r["route"] or "unknown", r["comm"] or "unknown")
                    == (labels["role"], labels["method"], labels["route"], labels["service"])
                ]
                seen = collections.Counter()
                spans = {(r["span_id"], r["duration_ns"]) for r in rows}
                for name, labels, value, exemplar in self.samples(export(capture, "openmetrics").decode()):
                    seen[name] += 1
                    if name == "tailcap_lost_events_total":
                        continue
                    durations = [r["duration_ns"] for r in of(labels) if r["duration_ns"] is not None]
                    if name.endswith("_bucket"):
                        self.assertEqual(value, sum(d <= float(labels["le"]) * 1e9 for d in durations))
                    elif name == "tailcap_request_duration_seconds_count":
                        self.assertEqual(value, len(durations))
                    elif name == "tailcap_request_duration_seconds_sum":
                        self.assertAlmostEqual(value, sum(durations) / 1e9, 9)
                    elif name == "tailcap_requests_total":
                        self.assertEqual(value, sum(r["outcome"] == labels["outcome"] for r in of(labels)))
                    elif name == "tailcap_requests_unmeasured_total":
                        self.assertEqual(value, sum(r["duration_ns"] is None for r in of(labels)))
                    elif name == "tailcap_request_label_seconds_total":
                        ns = sum(
                            l["ns"] for r in of(labels) for l in r["labels"] or [] if l["label"] == labels["label"]
                        )
                        self.assertAlmostEqual(value, ns / 1e9, 9)
                    if exemplar:
                        exemplars += 1
                        self.assertIn(round(exemplar[2] * 1e9), {d for _, d in spans})
                self.assertGreater(seen["tailcap_requests_total"], 0)
                self.assertGreater(seen["tailcap_request_label_seconds_total"], 0)
        self.assertGreater(exemplars, 10)

    @needs("promtool")
    def test_prometheus_reads_it(self):
        for capture in CAPTURES:
            with self.subTest(capture.stem), tempfile.TemporaryDirectory() as folder:
                text = export(capture, "openmetrics")
                pathlib.Path(folder, "metrics.om").write_bytes(text)
                blocks = subprocess.run(
                    ["promtool", "tsdb", "create-blocks-from", "openmetrics", "metrics.om", "db"],
                    cwd=folder,
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
                samples = [line for line in text.decode().splitlines() if not line.startswith("#")]
                self.assertEqual(int(blocks.splitlines()[-1].split()[4]), len(samples))
                # The older text format has no exemplars, no units, other times, and the names of counters' families end in _total.
                old = re.sub(r"(?m) # \{.*$", "", text.decode())
                old = re.sub(r"(?m)^([^#].*) \d+\.\d+$", r"\1", old)
                old = re.sub(r"(?m)^# (EOF|UNIT.*)\n", "", old)
                old = re.sub(
                    r"(?m)^# (TYPE|HELP) (tailcap_(?:requests|requests_unmeasured|request_label_seconds|lost_events)) ",
                    r"# \1 \2_total ",
                    old,
                )
                checked = subprocess.run(
                    ["promtool", "check", "metrics"], input=old, capture_output=True, text=True, check=False
                )
                self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))


class Har(unittest.TestCase):
    def strings(self, of, *names):
        for name in names:
            self.assertIsInstance(of[name], str)

    def check_pairs(self, pairs):
        self.assertIsInstance(pairs, list)
        for pair in pairs:
            self.assertEqual(set(pair), {"name", "value"})
            self.strings(pair, "name", "value")

    def test_rules(self):
        """What http://www.softwareishard.com/blog/har-12-spec/ demands of the fields that are there."""
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                log = json.loads(export(capture, "har"))["log"]
                self.assertEqual(log["version"], "1.2")
                self.strings(log["creator"], "name", "version")
                by_id = {r["id"]: r for r in requests(capture)}
                seen, last = set(), ""
                for entry in log["entries"]:
                    row = by_id[entry["_id"]]
                    self.assertLessEqual(last, entry["startedDateTime"])
                    last = entry["startedDateTime"]
                    at = datetime.datetime.fromisoformat(last)
                    self.assertEqual(row["start_ns"] // 1000, int(at.timestamp()) * 10**6 + at.microsecond)
                    request, response, timings = entry["request"], entry["response"], entry["timings"]
                    self.strings(request, "method", "url", "httpVersion")
                    self.strings(response, "statusText", "httpVersion", "redirectURL")
                    self.assertRegex(request["url"], r"^https?://[^/]")
                    for message in (request, response):
                        self.check_pairs(message["headers"])
                        self.assertEqual(message["cookies"], [])
                        self.assertEqual(message["headersSize"], -1)
                        self.assertIsInstance(message["bodySize"], int)
                    self.check_pairs(request["queryString"])
                    self.assertIsInstance(response["content"]["size"], int)
                    self.strings(response["content"], "mimeType")
                    self.assertEqual(entry["cache"], {})
                    for part in ("send", "wait", "receive"):
                        self.assertGreaterEqual(timings[part], 0)
                    self.assertAlmostEqual(timings["send"] + timings["wait"] + timings["receive"], entry["time"], 6)
                    self.assertAlmostEqual(entry["time"], row["duration_ns"] / 1e6, 6)
                    self.assertEqual(
                        (request["method"], response["status"], response["bodySize"]),
                        (
                            row["method"],
                            row["status"] or 0,
                            -1 if row["response_bytes"] is None else row["response_bytes"],
                        ),
                    )
                    self.assertTrue(request["url"].endswith(row["path"]))
                    self.assertFalse(row["role"] == "server" and row["peer"] in seen)
                    seen.add(entry["_id"])
                complete = {
                    r["id"] for r in by_id.values() if r["complete"] and r["duration_ns"] is not None and r["authority"]
                }
                self.assertEqual({i for i in complete if i not in seen and by_id[i]["peer"] not in seen}, set())


@unittest.skipUnless(browser.program(), "no Chromium")
class HarInBrowser(unittest.TestCase):
    """The importer of Chromium's network panel, without a window."""

    FRONT_END = "devtools://devtools/bundled"
    READ = """(async text => {{
        const har = await import('{0}/models/har/har.js');
        const log = new har.HARFormat.HARRoot(JSON.parse(text)).log;
        return har.Importer.Importer.requestsFromHARLog(log).map(
            r => [r.requestMethod, r.url(), r.statusCode, r.startTime, r.duration, r.requestHeaders().length, r.responseHeaders.length]);
    }})({1})"""

    def open(self):
        page = browser.Browser()
        self.addCleanup(page.close)
        page.send("Page.navigate", url=f"{self.FRONT_END}/devtools_app.html")
        for _ in range(100):
            try:
                page.run(f"import('{self.FRONT_END}/models/har/har.js').then(() => 0)")
                return page
            except RuntimeError:  # not loaded yet
                time.sleep(0.1)
        self.fail("Chromium has no developer tools")

    def test_the_network_panel_reads_it(self):
        page, read = self.open(), 0
        for capture in CAPTURES:
            text = export(capture, "har").decode()
            got = page.run(self.READ.format(self.FRONT_END, json.dumps(text)))
            entries = json.loads(text)["log"]["entries"]
            self.assertEqual(len(got), len(entries))
            for (method, url, status, start, duration, sent, received), entry in zip(got, entries):
                request, response = entry["request"], entry["response"]
                self.assertEqual(
                    (method, url, status, sent, received),
                    (
                        request["method"],
                        request["url"],
                        response["status"],
                        len(request["headers"]),
                        len(response["headers"]),
                    ),
                )
                self.assertAlmostEqual(duration, entry["time"] / 1e3, 6)
                self.assertAlmostEqual(start, datetime.datetime.fromisoformat(entry["startedDateTime"]).timestamp(), 2)
                read += 1
        self.assertGreater(read, 1000)
        # It refuses what is no HAR: that it takes ours says something.
        for broken in ("{}", '{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{}]}}'):
            with self.assertRaises(RuntimeError):
                page.run(self.READ.format(self.FRONT_END, json.dumps(broken)))


class Loki(unittest.TestCase):
    def test_lines(self):
        for capture in CAPTURES:
            lines = [json.loads(line) for line in export(capture, "loki").splitlines()]
            rows = [r for r in requests(capture) if r["start_ns"] is not None]
            self.assertEqual(
                [
                    (l["id"], int(l["time_ns"]), l["duration_ns"], l["status"], l["outcome"], l["path"], l["route"])
                    for l in lines
                ],
                [
                    (r["id"], r["start_ns"], r["duration_ns"], r["status"], r["outcome"], r["path"], r["route"])
                    for r in rows
                ],
            )
            for line, row in zip(lines, rows):
                sums = collections.Counter()
                for part in row["labels"] or []:
                    sums[part["label"]] += part["ns"]
                self.assertEqual(line["longest_label"] is None, not sums)
                if sums:
                    self.assertLessEqual(line["longest_label_ns"], sums[line["longest_label"]])


class Stacks(unittest.TestCase):
    CAPTURE = case.SAMPLES / "go-stacks/go-stacks.tcap"

    def test_folded(self):
        for measure in ("cpu", "off-cpu"):
            self.assertEqual(
                export(self.CAPTURE, "folded", "--measure", measure),
                tailcap("flame", self.CAPTURE, "--format", "folded", "--measure", measure),
            )

    def test_speedscope(self):
        """By its schema: https://www.speedscope.app/file-format-schema.json."""
        for measure, unit in (("cpu", "none"), ("off-cpu", "nanoseconds")):
            arguments = ("--measure", measure)
            file = json.loads(tailcap("export", self.CAPTURE, "--format", "speedscope", *arguments))
            self.assertEqual(file["$schema"], "https://www.speedscope.app/file-format-schema.json")
            frames = [frame["name"] for frame in file["shared"]["frames"]]
            self.assertEqual(len(frames), len(set(frames)))
            (profile,) = file["profiles"]
            self.assertEqual((profile["type"], profile["unit"], profile["startValue"]), ("sampled", unit, 0))
            self.assertEqual(profile["endValue"], sum(profile["weights"]))
            self.assertEqual(len(profile["samples"]), len(profile["weights"]))
            found = collections.Counter()
            for stack, weight in zip(profile["samples"], profile["weights"]):
                found[";".join(frames[i] for i in stack)] += weight
            folded = tailcap("flame", self.CAPTURE, "--format", "folded", *arguments).decode()
            self.assertEqual(
                found,
                collections.Counter(
                    {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in folded.splitlines()}
                ),
            )
            self.assertGreater(len(found), 5)

    @needs("go")
    def test_go_reads_the_profile(self):
        for measure, kind, options in (
            ("cpu", "samples/count", ()),
            ("off-cpu", "off-CPU time/nanoseconds", ()),
            ("cpu", "samples/count", ("-w", "duration > 1ms")),
        ):
            with self.subTest(measure), tempfile.TemporaryDirectory() as folder:
                tailcap(
                    "export",
                    self.CAPTURE,
                    "--format",
                    "pprof",
                    "--measure",
                    measure,
                    "-o",
                    f"{folder}/p.pb.gz",
                    *options,
                )
                raw = subprocess.run(
                    ["go", "tool", "pprof", "-raw", "p.pb.gz"],
                    cwd=folder,
                    check=True,
                    capture_output=True,
                    text=True,
                    env={"PATH": "/usr/bin:/bin", "HOME": folder},
                ).stdout
                self.assertIn(kind, raw)
                functions = dict(
                    re.findall(r"^\s+(\d+): 0x0 (?:M=\d+ )?(.*) :0(?::0)? s=0.*$", raw[raw.index("Locations") :], re.M)
                )
                samples = collections.Counter()
                for value, stack in re.findall(r"^\s+(\d+): ([\d ]+)$", raw[: raw.index("Locations")], re.M):
                    samples[";".join(functions[i].strip() for i in reversed(stack.split()))] += int(value)
                folded = tailcap("flame", self.CAPTURE, "--format", "folded", "--measure", measure, *options).decode()
                self.assertEqual(
                    samples,
                    collections.Counter(
                        {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in folded.splitlines()}
                    ),
                )
                self.assertGreater(len(samples), 5)


@needs("tshark")
class Pcapng(unittest.TestCase):
    def tshark(self, file, *arguments):
        done = subprocess.run(
            ["tshark", "-r", file, "-o", "http.desegment_body:FALSE", *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        )
        return done.stdout.splitlines()

    def test_wireshark_reads_it(self):
        for capture in (
            LOCK,
            case.SAMPLES / "slow-client/slow-client.tcap",
            case.SAMPLES / "busy-machine/busy-machine.tcap",
        ):
            with self.subTest(capture.stem), tempfile.TemporaryDirectory() as folder:
                file = f"{folder}/out.pcapng"
                tailcap("export", capture, "-o", file)
                packets = len(self.tshark(file))
                counted = subprocess.run(
                    ["capinfos", "-c", "-M", file], capture_output=True, text=True, check=True
                ).stdout
                self.assertEqual(int(re.search(r"Number of packets:\s+(\d+)", counted)[1]), packets)
                rows = [r for r in requests(capture) if r["role"] == "server" and r["method"]]
                mine = sorted((r["id"], r["method"], r["path"]) for r in rows if r["request_bytes"] is not None)
                read = []
                for line in self.tshark(
                    file,
                    "-Y",
                    "http.request",
                    "-T",
                    "fields",
                    "-e",
                    "frame.comment",
                    "-e",
                    "http.request.method",
                    "-e",
                    "http.request.uri",
                ):
                    comment, method, uri = line.split("\t")
                    read.append((re.match(r"request (\d+\.\d+)", comment)[1], method, uri))
                self.assertEqual(sorted(read), mine)
                self.assertEqual(self.tshark(file, "-Y", "ip.checksum.status == 0", "-o", "ip.check_checksum:TRUE"), [])
                # Every byte of a stream has its place: no segment is missing or sent twice.
                self.assertEqual(
                    self.tshark(
                        file,
                        "-Y",
                        "tcp.analysis.lost_segment || tcp.analysis.retransmission || tcp.analysis.out_of_order",
                    ),
                    [],
                )
                responses = self.tshark(file, "-Y", "http.response", "-T", "fields", "-e", "http.response.code")
                self.assertEqual(
                    collections.Counter(responses), collections.Counter(str(r["status"]) for r in rows if r["status"])
                )

    def test_plaintext_of_tls(self):
        """HTTP/2 in TLS: the client's end of each connection, as plaintext."""
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/out.pcapng"
            tailcap("export", STOCK, "-o", file)
            paths = collections.Counter()
            for line in self.tshark(
                file,
                "-d",
                "tcp.port==18082,http2",
                "-Y",
                "http2.headers.path",
                "-T",
                "fields",
                "-e",
                "http2.headers.path",
            ):
                paths.update(line.split(","))
            self.assertEqual(paths, collections.Counter(r["path"] for r in requests(STOCK) if r["role"] == "client"))
            comments = [
                c
                for line in self.tshark(file, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment")
                for c in re.findall(r"request (\d+\.\d+)", line)
            ]
            self.assertEqual(
                sorted(comments), sorted(r["id"] for r in requests(STOCK) if r["role"] == "client" or r["peer"] is None)
            )


if __name__ == "__main__":
    case.main()
