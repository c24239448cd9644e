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

try:
    import jsonschema
except ImportError:
    jsonschema = None

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
                    if (r["role"], r["method"] or "unknown", r["route"] or "unknown", r["service_name"])
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
                    self.assertEqual(line["longest_label_ns"], max(sums.values()))
                    self.assertEqual(line["longest_label_ns"], sums[line["longest_label"]])


class Stacks(unittest.TestCase):
    CAPTURE = case.SAMPLES / "go-stacks/go-stacks.tcap"

    def test_folded(self):
        for measure, outside in (("cpu", ()), ("off-cpu", ("--outside",))):
            self.assertEqual(
                export(self.CAPTURE, "folded", "--measure", measure, *outside),
                tailcap("flame", self.CAPTURE, "--format", "folded", "--measure", measure),
            )

    def test_waits_are_those_inside_requests(self):
        """Threads that no request has are idle: their waits are in no profile by default."""
        for form in ("folded", "speedscope"):
            inside = export(LOCK, form, "--measure", "off-cpu")
            self.assertNotEqual(inside, export(LOCK, form, "--measure", "off-cpu", "--outside"))
            # Every served request has a duration of 0 or more.
            self.assertEqual(inside, export(LOCK, form, "--measure", "off-cpu", "-w", "duration >= 0ns"))
        whole = lambda *options: sum(
            int(line.rpartition(" ")[2])
            for line in export(LOCK, "folded", "--measure", "off-cpu", *options).decode().splitlines()
        )
        served = sum(r["duration_ns"] for r in requests(LOCK) if r["role"] == "server")
        self.assertLess(whole(), served)
        self.assertGreater(whole(), served / 2)  # of its requests most wait for a lock
        self.assertGreater(whole("--outside"), served)
        refused = subprocess.run(
            [case.program(), "export", LOCK, "--format", "folded", "--outside"], capture_output=True, check=False
        )
        self.assertEqual(refused.returncode, 2)

    def test_speedscope(self):
        for measure, unit, outside in (("cpu", "none", ()), ("off-cpu", "nanoseconds", ("--outside",))):
            arguments = ("--measure", measure)
            file = json.loads(tailcap("export", self.CAPTURE, "--format", "speedscope", *arguments, *outside))
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

    @unittest.skipUnless(jsonschema, "no jsonschema")
    def test_schema_of_speedscope(self):
        """The schema that speedscope publishes of its files."""
        schema = case.of_npm("speedscope", "speedscope/dist/release/file-format-schema.json")
        if not schema:
            self.skipTest("npm cannot fetch speedscope")
        schema = json.loads(schema.read_text())
        # It has the name of a type for each of several files; ours is this.
        judge = jsonschema.Draft7Validator(schema)
        for capture, arguments in (
            (self.CAPTURE, ()),
            (self.CAPTURE, ("--measure", "off-cpu", "--outside")),
            (self.CAPTURE, ("-w", "duration > 1ms")),
            (LOCK, ("--measure", "off-cpu")),
        ):
            file = json.loads(export(capture, "speedscope", *arguments))
            self.assertEqual([e.message[:200] for e in judge.iter_errors(file)], [])
            for wrong in ({**file, "profiles": [{**file["profiles"][0], "unit": "ns"}]}, {"profiles": []}):
                self.assertTrue(list(judge.iter_errors(wrong)))

    @needs("go")
    def test_go_reads_the_profile(self):
        for measure, kind, options in (
            ("cpu", "samples/count", ()),
            ("off-cpu", "off-CPU time/nanoseconds", ("--outside",)),
            ("off-cpu", "off-CPU time/nanoseconds", ("-w", "duration > 1ms")),
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
                # Recorded with --sample 997.
                period = 10**9 // 997
                self.assertEqual(f"Period: {period}" in raw and "cpu/nanoseconds" in raw, measure == "cpu")
                functions = dict(
                    re.findall(r"^\s+(\d+): 0x0 (?:M=\d+ )?(.*) :0(?::0)? s=0.*$", raw[raw.index("Locations") :], re.M)
                )
                samples = collections.Counter()
                flame = () if options == ("--outside",) else options
                line = r"^\s+(\d+)" + (r"\s+(\d+)" if measure == "cpu" else r"()") + r": ([\d ]+)$"
                for value, time, stack in re.findall(line, raw[: raw.index("Locations")], re.M):
                    self.assertEqual(time, str(int(value) * period) if measure == "cpu" else "")
                    samples[";".join(functions[i].strip() for i in reversed(stack.split()))] += int(value)
                folded = tailcap("flame", self.CAPTURE, "--format", "folded", "--measure", measure, *flame).decode()
                self.assertEqual(
                    samples,
                    collections.Counter(
                        {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in folded.splitlines()}
                    ),
                )
                self.assertGreater(len(samples), 0 if measure == "off-cpu" and flame else 5)

    @needs("go")
    def test_top_is_in_time(self):
        with tempfile.TemporaryDirectory() as folder:
            tailcap("export", self.CAPTURE, "--format", "pprof", "-o", f"{folder}/p.pb.gz")
            tailcap("export", self.CAPTURE, "--format", "pprof", "--measure", "off-cpu", "-o", f"{folder}/w.pb.gz")
            top = lambda name: subprocess.run(
                ["go", "tool", "pprof", "-top", name],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
                env={"PATH": "/usr/bin:/bin", "HOME": folder},
            ).stdout
            self.assertIn("Type: cpu\n", top("p.pb.gz"))
            self.assertRegex(top("p.pb.gz"), r"Total samples = [\d.]+ms")
            self.assertIn("Type: off-CPU time\n", top("w.pb.gz"))
            self.assertNotIn("epoll_wait", top("w.pb.gz"))  # of idle connections

    @needs("go")
    def test_a_rate_that_is_not_known(self):
        """A capture of all samples that does not say how often they were taken: counts only, and that is said."""
        lines = [
            "preamble tier=a payload_limit=256",
            '+0 task_info pid=20 tid=20 comm="shop"',
            '+0.1 sample pid=20 tid=20 user="main;work"',
        ]
        for note, period in (("", None), (" note=tailcap.sampling.samples=250", 4_000_000)):
            with self.subTest(note), tempfile.TemporaryDirectory() as folder:
                pathlib.Path(folder, "capture.txt").write_text("\n".join([lines[0] + note, *lines[1:]]) + "\n")
                subprocess.run(
                    [case.program("tests/synth/synth-capture"), "capture.txt", "capture.tcap"], cwd=folder, check=True
                )
                said = subprocess.run(
                    [case.program(), "export", "capture.tcap", "--format", "pprof", "-o", "p.pb.gz"],
                    cwd=folder,
                    check=True,
                    capture_output=True,
                    text=True,
                ).stderr
                raw = subprocess.run(
                    ["go", "tool", "pprof", "-raw", "p.pb.gz"],
                    cwd=folder,
                    check=True,
                    capture_output=True,
                    text=True,
                    env={"PATH": "/usr/bin:/bin", "HOME": folder},
                ).stdout
                self.assertEqual("samples have no CPU time" in said, period is None)
                self.assertEqual(f"Period: {period}" in raw, period is not None, raw)
                self.assertEqual("cpu/nanoseconds" in raw, period is not None)


@needs("tshark")
class Pcapng(unittest.TestCase):
    def tshark(self, file, *arguments, whole=False):
        """whole: as tshark does by default, it puts messages together before it shows them."""
        done = subprocess.run(
            ["tshark", "-r", file, *([] if whole else ["-o", "http.desegment_body:FALSE"]), *arguments],
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

    def test_every_response_is_shown_by_default(self):
        """Also where bodies, of 24 MB and of some bytes, are not in the capture."""
        shown = 0
        for name in ("lock-contention", "slow-client", "busy-machine", "cut-short"):
            capture = case.SAMPLES / f"{name}/{name}.tcap"
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                file = f"{folder}/out.pcapng"
                tailcap("export", capture, "-o", file)
                rows = [r for r in requests(capture) if r["role"] == "server" and r["method"]]
                got = self.tshark(file, "-Y", "http.response", "-T", "fields", "-e", "http.response.code", whole=True)
                self.assertEqual(
                    collections.Counter(got), collections.Counter(str(r["status"]) for r in rows if r["status"])
                )
                asked = self.tshark(file, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri", whole=True)
                self.assertEqual(collections.Counter(asked), collections.Counter(r["path"] for r in rows))
                shown += len(got)
                self.assertLess(pathlib.Path(file).stat().st_size, 2 << 20)
                if name == "slow-client":
                    self.assertEqual({r["response_bytes"] for r in rows}, {24_000_000})
                    comments = self.tshark(
                        file, "-Y", "http.response", "-T", "fields", "-e", "frame.comment", whole=True
                    )
                    for comment in comments:
                        self.assertIn("the last byte of the head is left out", comment)
        self.assertGreater(shown, 2000)

    def test_a_long_chunk(self):
        """A body in chunks of 200 kB, of which the lengths are recorded and the bytes are not."""
        head = "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
        ask, size = "GET /long HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n", 200_000
        lines = [
            "preamble tier=a payload_limit=256",
            "+0 clock realtime=1700000000000000000",
            '+0 task_info pid=10 tid=10 comm="shop"',
            "+0.000001 socket_info socket=1 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 "
            "remote=10.0.0.2:4000 next_in=1000 next_out=5000",
        ]
        at, inward, outward = 0.001, 1000, 5000
        length = lambda text: len(text.encode().decode("unicode_escape"))
        for _ in range(3):
            lines.append(f'+{at:.6f} receive pid=10 tid=10 socket=1 pos={inward} data="{ask}"')
            inward += length(ask)
            for piece, total in ((head, 0), (f"{size:x}\\r\\n", size), ("\\r\\n0\\r\\n\\r\\n", 0)):
                at += 0.001
                whole = f" len={length(piece) + total}" if total else ""
                lines.append(f'+{at:.6f} send pid=10 tid=10 socket=1 pos={outward}{whole} data="{piece}"')
                outward += length(piece) + total
            at += 0.001
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "capture.txt").write_text("\n".join(lines) + "\n")
            subprocess.run(
                [case.program("tests/synth/synth-capture"), "capture.txt", "capture.tcap"], cwd=folder, check=True
            )
            file = f"{folder}/out.pcapng"
            tailcap("export", f"{folder}/capture.tcap", "-o", file)
            self.assertEqual(len(self.tshark(file, "-Y", "http.response", whole=True)), 3)
            self.assertEqual(len(self.tshark(file, "-Y", "http.request", whole=True)), 3)

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
