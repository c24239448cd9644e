"""Spans of `tailcap export`: what requests waited for as spans, Jaeger's JSON, and one name for a service in all formats.

    export_spans_test.py --build build/release
"""
import collections
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import case
import decoded

CAPTURES = sorted(case.SAMPLES.glob("*/*.tcap"))
LEAST, MOST = 100_000, 64  # a wait with a span is as long, in ns; spans of waits of a request


def tailcap(*arguments):
    done = subprocess.run([case.program(), *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def rows_of(capture, sql):
    return [json.loads(line) for line in tailcap("query", capture, sql, "--json", "-n", "1000000").splitlines()]


def requests(capture):
    return [json.loads(line) for line in tailcap("requests", "--json", capture).splitlines()]


def synthetic(folder, lines):
    pathlib.Path(folder, "capture.txt").write_text("\n".join(lines) + "\n")
    subprocess.run([case.program("tests/synth/synth-capture"), "capture.txt", "capture.tcap"], cwd=folder, check=True)
    return pathlib.Path(folder, "capture.tcap")


def spans_of(message):
    """(attributes of the resource, span, attributes of the span) of OTLP in JSON."""
    value = lambda v: next(
        int(x) if k == "intValue" else [list(y.values())[0] for y in x["values"]] if k == "arrayValue" else x
        for k, x in v.items()
    )
    named = lambda of: {a["key"]: value(a["value"]) for a in of.get("attributes", [])}
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield named(resource["resource"]), span, named(span)


class Waits(unittest.TestCase):
    def test_every_long_wait_is_a_span(self):
        """The intervals of the table `segment`, at their times, below the span of their request."""
        waits = 0
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                plain = list(spans_of(json.loads(tailcap("export", capture, "--format", "otlp-json"))))
                self.assertEqual([s for _, s, a in plain if "tailcap.label" in a], [])
                all_spans = list(
                    spans_of(json.loads(tailcap("export", capture, "--format", "otlp-json", "--spans", "labels")))
                )
                rest = [s for _, s, a in all_spans if "tailcap.label" not in a]
                self.assertEqual(rest, [s for _, s, _ in plain])
                ids = [s["spanId"] for s in rest]
                by_id = {(s["traceId"], s["spanId"]): (s, a) for _, s, a in all_spans if "tailcap.label" not in a}
                got = collections.Counter()
                for _, span, attributes in all_spans:
                    if "tailcap.label" not in attributes:
                        continue
                    above, of_above = by_id[span["traceId"], span["parentSpanId"]]
                    begin, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
                    self.assertLessEqual(int(above["startTimeUnixNano"]), begin)
                    self.assertLessEqual(end, int(above["endTimeUnixNano"]))
                    self.assertEqual(attributes["tailcap.duration_ns"], end - begin)
                    got[
                        of_above["tailcap.request"],
                        attributes["tailcap.label"],
                        begin - int(above["startTimeUnixNano"]),
                        end - begin,
                    ] += 1
                    ids.append(span["spanId"])
                known = rows_of(
                    capture,
                    "SELECT s.request_id, label, s.ts - r.ts AS at, s.dur FROM segment s JOIN request r ON r.id = s.request_id "
                    f"WHERE s.dur >= {LEAST} AND (label NOT LIKE 'cpu%' OR label = 'cpu.stolen')",
                )
                expected = collections.Counter((r["request_id"], r["label"], r["at"], r["dur"]) for r in known)
                self.assertLessEqual(max(collections.Counter(k[0] for k in expected).values(), default=0), MOST)
                self.assertEqual(got, expected)
                waits += got.total()
                if all(r["span_id"] for r in requests(capture)):
                    self.assertEqual(len(ids), len(set(ids)))
        self.assertGreater(waits, 1000)

    def test_at_most_64_of_a_request(self):
        """The 64 longest of 100 sleeps are exported, and what is left out is said."""
        lines = [
            "preamble tier=a payload_limit=256",
            "+0 clock realtime=1700000000000000000",
            '+0 task_info pid=10 tid=10 comm="shop"',
            "+0.000001 socket_info socket=1 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 "
            "remote=10.0.0.2:4000 next_in=1000 next_out=5000",
            '+0.001 receive pid=10 tid=10 socket=1 pos=1000 data="GET /a HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n"',
        ]
        sleeps, at = [], 1_100_000
        for n in range(100):
            sleeps.append(150_000 + 1000 * ((n * 37) % 100))
            lines.append(
                f"+{(at + sleeps[-1]) / 1e9:.9f} off_cpu pid=10 tid=10 left=+{at / 1e9:.9f} runnable=+{(at + sleeps[-1]) / 1e9:.9f} "
                "state=1 syscall=35"
            )
            at += sleeps[-1] + 100_000
        lines.append(f'+{at / 1e9:.9f} send pid=10 tid=10 socket=1 pos=5000 data="HTTP/1.1 204 No Content\\r\\n\\r\\n"')
        with tempfile.TemporaryDirectory() as folder:
            capture = synthetic(folder, lines)
            done = subprocess.run(
                [case.program(), "export", capture, "--format", "otlp-json", "--spans", "labels"],
                capture_output=True,
                text=True,
                check=True,
            )
            text = subprocess.run(
                [case.program(), "spans", capture, "--spans", "labels"], capture_output=True, text=True, check=True
            )
        self.assertIn("36 waits left out", done.stderr)
        self.assertIn("65 spans written", text.stderr)
        self.assertIn("36 waits left out", text.stderr)
        for output in (done.stdout, text.stdout):
            lengths = sorted(
                a["tailcap.duration_ns"] for _, _, a in spans_of(json.loads(output)) if "tailcap.label" in a
            )
            self.assertEqual(lengths, sorted(sleeps)[-MOST:])


class Jaeger(unittest.TestCase):
    """What Jaeger's user interface needs of a file: types/trace.tsx and model/transform-trace-data.tsx of jaeger-ui 1.x."""

    TYPES = {"string": str, "bool": bool, "int64": int, "float64": float, "binary": str}

    def check_tags(self, tags):
        for tag in tags:
            self.assertEqual(set(tag), {"key", "type", "value"})
            self.assertIs(type(tag["key"]), str)
            self.assertIs(type(tag["value"]), self.TYPES[tag["type"]])
            if tag["type"] == "int64":
                self.assertLess(abs(tag["value"]), 2**53)  # a number of JavaScript
        keys = [(t["key"], str(t["value"])) for t in tags]
        self.assertEqual(len(keys), len(set(keys)))  # the interface warns of duplicates

    def check(self, text):
        """Holds a file to the model; returns the spans with the names of their services, as the interface joins them."""
        file, joined = json.loads(text), []
        self.assertEqual(set(file), {"data", "total", "limit", "offset", "errors"})
        ids = [trace["traceID"] for trace in file["data"]]
        self.assertEqual(len(ids), len(set(ids)))
        for trace in file["data"]:
            self.assertEqual(set(trace), {"traceID", "spans", "processes", "warnings"})
            self.assertRegex(trace["traceID"], r"^[0-9a-f]{32}$")
            self.assertGreater(len(trace["spans"]), 0)
            for process in trace["processes"].values():
                self.assertEqual(set(process), {"serviceName", "tags"})
                self.assertTrue(process["serviceName"])
                self.check_tags(process["tags"])
            self.assertEqual({s["processID"] for s in trace["spans"]}, set(trace["processes"]))
            for span in trace["spans"]:
                self.assertEqual(
                    set(span),
                    {
                        "traceID",
                        "spanID",
                        "flags",
                        "operationName",
                        "references",
                        "startTime",
                        "duration",
                        "tags",
                        "logs",
                        "processID",
                        "warnings",
                    },
                )
                self.assertEqual(span["traceID"], trace["traceID"])
                self.assertRegex(span["spanID"], r"^[0-9a-f]{16}$")
                self.assertTrue(span["operationName"])
                for number in ("startTime", "duration", "flags"):
                    self.assertIs(type(span[number]), int)
                    self.assertGreaterEqual(span[number], 0)
                self.assertGreater(
                    span["startTime"], 10**15
                )  # microseconds since 1970; the interface drops spans of 0
                self.check_tags(span["tags"])
                for log in span["logs"]:
                    self.assertEqual(set(log), {"timestamp", "fields"})
                    self.assertIs(type(log["timestamp"]), int)
                    self.check_tags(log["fields"])
                    self.assertEqual(log["fields"][0]["key"], "event")
                self.assertLessEqual(sum(r["refType"] == "CHILD_OF" for r in span["references"]), 1)
                for reference in span["references"]:
                    self.assertEqual(set(reference), {"refType", "traceID", "spanID"})
                    self.assertIn(reference["refType"], ("CHILD_OF", "FOLLOWS_FROM"))
                joined.append((trace["processes"][span["processID"]]["serviceName"], span))
        return joined

    def test_the_same_spans_as_otlp(self):
        spans = logs = links = 0
        for capture in CAPTURES:
            for options in ((), ("--spans", "labels")):
                with self.subTest(capture.stem, options=options):
                    got = self.check(tailcap("export", capture, "--format", "jaeger", *options))
                    otlp = list(spans_of(json.loads(tailcap("export", capture, "--format", "otlp-json", *options))))
                    self.assertEqual(
                        sorted(
                            (
                                service,
                                s["traceID"],
                                s["spanID"],
                                next((r["spanID"] for r in s["references"] if r["refType"] == "CHILD_OF"), ""),
                                s["operationName"],
                                s["startTime"],
                                s["startTime"] + s["duration"],
                                len(s["logs"]),
                                sum(r["refType"] == "FOLLOWS_FROM" for r in s["references"]),
                                next(t["value"] for t in s["tags"] if t["key"] == "span.kind"),
                                any(t["key"] == "error" for t in s["tags"]),
                            )
                            for service, s in got
                        ),
                        sorted(
                            (
                                resource["service.name"],
                                s["traceId"],
                                s["spanId"],
                                s.get("parentSpanId", ""),
                                s["name"],
                                int(s["startTimeUnixNano"]) // 1000,
                                int(s["endTimeUnixNano"]) // 1000,
                                len(s.get("events", [])),
                                len(s.get("links", [])),
                                ["", "internal", "server", "client"][s["kind"]],
                                s["status"].get("code") == 2,
                            )
                            for resource, s, _ in otlp
                        ),
                    )
                    for (_, s), exact in zip(
                        sorted(got, key=lambda x: x[1]["spanID"]), sorted(otlp, key=lambda x: x[1]["spanId"])
                    ):
                        if sum(x[1]["spanID"] == s["spanID"] for x in got) == 1:
                            length = next(t["value"] for t in s["tags"] if t["key"] == "tailcap.duration_ns")
                            self.assertEqual(
                                length, int(exact[1]["endTimeUnixNano"]) - int(exact[1]["startTimeUnixNano"])
                            )
                            break
                    spans += len(got)
                    logs += sum(len(s["logs"]) for _, s in got)
                    links += sum(len(s["references"]) for _, s in got)
        self.assertGreater(min(spans, logs, links), 1000)

    def test_children_lie_in_their_parents(self):
        """Cut to microseconds, too: the critical path of the interface needs it of the waits."""
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        got = self.check(tailcap("export", capture, "--format", "jaeger", "--spans", "labels"))
        by_id, inside = {(s["traceID"], s["spanID"]): s for _, s in got}, 0
        for _, span in got:
            if not any(t["key"] == "tailcap.label" for t in span["tags"]):
                continue
            above = by_id[span["traceID"], span["references"][0]["spanID"]]
            self.assertLessEqual(above["startTime"], span["startTime"])
            self.assertLessEqual(span["startTime"] + span["duration"], above["startTime"] + above["duration"])
            inside += 1
        self.assertGreater(inside, 500)

    def test_the_ending_of_a_name(self):
        with tempfile.TemporaryDirectory() as folder:
            capture = case.SAMPLES / "slow-client/slow-client.tcap"
            tailcap("export", capture, "-o", f"{folder}/out.jaeger.json")
            self.assertEqual(
                pathlib.Path(folder, "out.jaeger.json").read_bytes(), tailcap("export", capture, "--format", "jaeger")
            )


class OneName(unittest.TestCase):
    """A service has one name: logs, spans and metrics join by it."""

    @staticmethod
    def by_request(capture):
        """{request: {format: name}}, and the names that metrics have."""
        names = collections.defaultdict(dict)
        for line in map(json.loads, tailcap("export", capture, "--format", "loki").splitlines()):
            names[line["id"]]["loki"] = line["service_name"]
        for resource, _, attributes in spans_of(json.loads(tailcap("export", capture, "--format", "otlp-json"))):
            if "tailcap.setup" not in attributes:
                names[attributes["tailcap.request"]]["otlp"] = resource["service.name"]
                names[attributes["tailcap.request"]]["source"] = resource["service.name.source"]
        for trace in json.loads(tailcap("export", capture, "--format", "jaeger"))["data"]:
            for span in trace["spans"]:
                tags = {t["key"]: t["value"] for t in span["tags"]}
                if "tailcap.setup" not in tags:
                    names[tags["tailcap.request"]]["jaeger"] = trace["processes"][span["processID"]]["serviceName"]
        for row in requests(capture):
            names[row["id"]]["requests"] = row["service_name"]
        for row in rows_of(capture, "SELECT id, service_name FROM request"):
            names[row["id"]]["sql"] = row["service_name"]
        text = tailcap("export", capture, "--format", "openmetrics").decode()
        metrics = collections.Counter()
        for service, value in re.findall(
            r'^tailcap_requests_total\{service="((?:[^"\\]|\\.)*)".*?\} (\d+)', text, re.M
        ):
            metrics[service] += int(value)
        return names, metrics

    def check(self, capture):
        names, metrics = self.by_request(capture)
        for request, of in names.items():
            of.pop("source", None)
            self.assertEqual(len(set(of.values())), 1, (request, of))
        self.assertEqual(metrics, collections.Counter(of["requests"] for of in names.values()))
        return names

    def test_samples(self):
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                self.assertGreater(len(self.check(capture)), 5)

    @unittest.skipUnless(decoded.available(), "no protoc")
    def test_protobuf(self):
        for capture in CAPTURES[:2]:
            of = lambda r: {
                a["key"][0].decode(): a["value"][0].get("string_value", [b""])[0].decode()
                for a in r["resource"][0]["attributes"]
            }
            message = decoded.decode(
                tailcap("export", capture, "--format", "otlp"), "otlp.proto", "opentelemetry.ExportTraceServiceRequest"
            )
            self.assertEqual(
                {of(r)["service.name"] for r in message["resource_spans"]},
                {r["service_name"] for r in requests(capture)},
            )

    def test_processes_that_are_not_known(self):
        """Named by what requests name: a host, :authority, an address. One process may have several of them."""
        lines = [
            "preamble tier=a payload_limit=256",
            "+0 clock realtime=1700000000000000000",
        ]
        for n, (origin, host) in enumerate((("accepted", "shop"), ("accepted", "stock"), ("connected", ""))):
            first, second = ("receive", "send") if origin == "accepted" else ("send", "receive")
            there, back = (1000, 5000) if origin == "accepted" else (5000, 1000)
            field = f"Host: {host}\\r\\n" if host else ""
            lines += [
                f"+0.{n}01 socket_info socket={n + 1} family=inet type=stream origin={origin} state=established "
                f"local=10.0.0.1:8{n} remote=10.0.0.2:400{n} next_in=1000 next_out=5000",
                f'+0.{n}02 {first} pid=20 tid=20 socket={n + 1} pos={there} data="GET /a HTTP/1.0\\r\\n{field}\\r\\n"',
                f'+0.{n}03 {second} pid=20 tid=20 socket={n + 1} pos={back} data="HTTP/1.0 204 No Content\\r\\n\\r\\n"',
            ]
        with tempfile.TemporaryDirectory() as folder:
            names = self.check(synthetic(folder, lines))
        self.assertEqual(sorted(of["otlp"] for of in names.values()), ["10.0.0.2:4002", "shop", "stock"], dict(names))


if __name__ == "__main__":
    case.main()
