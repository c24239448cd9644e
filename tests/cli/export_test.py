"""`tailcap export`: each format is read by its own tool, or decoded by its published schema, and says what other commands say.

    export_test.py --build build/release
"""
import collections
import gzip
import json
import pathlib
import subprocess
import tempfile
import unittest

import case
import decoded

CAPTURES = sorted(case.SAMPLES.glob("*/*.tcap"))


def tailcap(*arguments):
    done = subprocess.run([case.program(), *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def requests(capture, *options):
    return [json.loads(line) for line in tailcap("requests", "--json", capture, *options).splitlines()]


def query(capture, sql):
    return [json.loads(line) for line in tailcap("query", capture, sql, "--json", "-n", "1000000").splitlines()]


@unittest.skipUnless(decoded.available(), "no protoc")
class Perfetto(unittest.TestCase):
    def trace(self, capture, *options):
        data = tailcap("export", capture, "--format", "perfetto", *options)
        return decoded.decode(data, "perfetto.proto", "perfetto.protos.Trace")["packet"]

    def check(self, packets):
        """Every slice is closed, slices nest, and what an event names exists. Returns closed slices of requests: (name, ns, notes, flows)."""
        counters = set()
        tracks, opened, requests_, other = set(), collections.defaultdict(list), [], collections.Counter()
        flows, ending = collections.Counter(), collections.Counter()
        last = {}
        for packet in packets:
            self.assertEqual(packet["trusted_packet_sequence_id"], [1])
            for track in packet.get("track_descriptor", []):
                self.assertNotIn(track["uuid"][0], tracks)
                self.assertTrue(track.get("parent_uuid", [None])[0] in tracks | {None})
                tracks.add(track["uuid"][0])
                if "counter" in track:
                    counters.add(track["uuid"][0])
            for event in packet.get("track_event", []):
                self.assertEqual(packet["timestamp_clock_id"], [3])
                track, at, kind = event["track_uuid"][0], packet["timestamp"][0], event["type"][0]
                self.assertIn(track, tracks)
                self.assertEqual(track in counters, kind == "TYPE_COUNTER")
                if kind != "TYPE_INSTANT":  # those are of the process' own track
                    self.assertGreaterEqual(at, last.get(track, 0))
                    last[track] = at
                flows.update(event.get("flow_ids", []))
                ending.update(event.get("terminating_flow_ids", []))
                if kind == "TYPE_SLICE_BEGIN":
                    opened[track].append((at, event))
                elif kind == "TYPE_SLICE_END":
                    begin, event = opened[track].pop()
                    notes = {
                        n["name"][0].decode(): next(v[0] for k, v in n.items() if k != "name")
                        for n in event.get("debug_annotations", [])
                    }
                    category = event["categories"][0].decode()
                    other[category] += 1
                    if category == "request":
                        requests_.append((notes["id"].decode(), begin, at - begin))
                else:
                    other[kind] += 1
        self.assertEqual([track for track, stack in opened.items() if stack], [])
        self.assertEqual(flows, ending)
        self.assertTrue(all(n == 1 for n in flows.values()))
        return requests_, other, flows

    def test_slices(self):
        seen = collections.Counter()
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                requests_, other, flows = self.check(self.trace(capture))
                known = query(capture, "SELECT id, ts, dur FROM request WHERE dur IS NOT NULL AND upid IS NOT NULL")
                self.assertEqual(sorted(requests_), sorted((r["id"], r["ts"], r["dur"]) for r in known))
                states = query(
                    capture, "SELECT count(*) AS n FROM thread_state JOIN thread USING (utid) WHERE upid IS NOT NULL"
                )[0]["n"]
                self.assertEqual(other["thread"], states)
                links = query(
                    capture,
                    """SELECT count(*) AS n FROM link JOIN request a ON a.id = from_request_id
                    JOIN request b ON b.id = to_request_id WHERE kind IN ('cause', 'other_end') AND a.dur IS NOT NULL AND b.dur IS NOT NULL""",
                )
                self.assertEqual(len(flows), links[0]["n"])
                segments = query(
                    capture,
                    "SELECT count(*) AS n FROM segment s JOIN request r ON r.id = s.request_id WHERE upid IS NOT NULL",
                )[0]["n"]
                self.assertEqual(
                    sum(
                        n
                        for c, n in other.items()
                        if c not in ("thread", "goroutine", "request") and not c.startswith("TYPE")
                    ),
                    segments,
                )
                seen.update(other)
                seen["flows"] += len(flows)
        for kind in ("thread", "request", "flows", "TYPE_COUNTER", "lock", "downstream"):
            self.assertGreater(seen[kind], 10, kind)

    def test_goroutines(self):
        """Captures of the deep profile have their states; this one is made up."""
        events = [
            "preamble tier=a payload_limit=256",
            '+0 task_info pid=20 tid=20 comm="shop"',
            "+1 go_state pid=20 tid=20 of=9 state=running",
            '+2 go_state pid=20 tid=20 of=9 state=parked reason="chan receive\\x1b"',
            "+2.5 go_state pid=20 tid=20 of=9 state=ready",
            "+2.75 go_state pid=20 tid=21 of=9 state=running",
            "+4 task_info pid=20 tid=20 comm=\"shop\"",
        ]
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "capture.txt").write_text("\n".join(events) + "\n")
            subprocess.run(
                [case.program("tests/synth/synth-capture"), "capture.txt", "capture.tcap"], cwd=folder, check=True
            )
            packets = self.trace(f"{folder}/capture.tcap")
        _, other, _ = self.check(packets)
        self.assertEqual(other["goroutine"], 4)
        names = [e["name"][0] for p in packets for e in p.get("track_event", []) if e["type"] == ["TYPE_SLICE_BEGIN"]]
        self.assertEqual(names, [b"running", rb"chan receive\x1b", b"runnable", b"running"])
        slices = [(p["timestamp"][0], e["type"][0][11:]) for p in packets for e in p.get("track_event", [])]
        self.assertEqual(
            [(at - slices[0][0], kind) for at, kind in slices],
            [
                (0, "BEGIN"),
                (10**9, "END"),
                (10**9, "BEGIN"),
                (15 * 10**8, "END"),
                (15 * 10**8, "BEGIN"),
                (175 * 10**7, "END"),
                (175 * 10**7, "BEGIN"),
                (3 * 10**9, "END"),
            ],
        )

    def test_the_busiest_goroutines(self):
        """Four goroutines: 1 runs longest, 2 and 3 serve requests, 4 does little. Tracks are those of the ones that served most."""
        ask, answer = "GET /a HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n", "HTTP/1.1 204 No Content\\r\\n\\r\\n"
        lines = [
            "preamble tier=a payload_limit=256",
            '+0 task_info pid=20 tid=20 comm="shop"',
            "+0.0001 go_state pid=20 tid=21 of=1 state=running",
            "+0.0002 go_state pid=20 tid=22 of=4 state=running",
            '+0.0003 go_state pid=20 tid=22 of=4 state=parked reason="sleep"',
        ]
        for n, goroutine, length in ((1, 2, 0.03), (2, 3, 0.02)):
            at = 0.1 * n
            lines += [
                f"+{at:.6f} socket_info socket={n} family=inet type=stream origin=accepted state=established local=10.0.0.1:80 "
                f"remote=10.0.0.2:400{n} next_in=1000 next_out=5000",
                f"+{at + 0.001:.6f} go_state pid=20 tid=20 of={goroutine} state=running",
                f'+{at + 0.002:.6f} receive pid=20 tid=20 goroutine={goroutine} socket={n} pos=1000 data="{ask}"',
                f'+{at + 0.002 + length:.6f} send pid=20 tid=20 goroutine={goroutine} socket={n} pos=5000 data="{answer}"',
                f'+{at + 0.05:.6f} go_state pid=20 tid=20 of={goroutine} state=parked reason="IO wait"',
            ]
        lines.append('+0.5 go_state pid=20 tid=21 of=1 state=parked reason="sleep"')
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "capture.txt").write_text("\n".join(lines) + "\n")
            subprocess.run(
                [case.program("tests/synth/synth-capture"), "capture.txt", "capture.tcap"], cwd=folder, check=True
            )
            for most, shown in (
                (50, {1, 2, 3, 4}),
                (4, {1, 2, 3, 4}),
                (3, {1, 2, 3}),
                (2, {2, 3}),
                (1, {2}),
                (0, set()),
            ):
                packets = self.trace(f"{folder}/capture.tcap", "--goroutine-tracks", most)
                self.check(packets)
                names = {
                    t["name"][0].decode()
                    for p in packets
                    for t in p.get("track_descriptor", [])
                    if t.get("name", [b""])[0].startswith(b"goroutine ")
                }
                self.assertEqual(names, {f"goroutine {n}" for n in shown}, most)
                lacks = {
                    n["name"][0].decode(): n["int_value"][0]
                    for p in packets
                    for e in p.get("track_event", [])
                    for n in e.get("debug_annotations", [])
                    if n["name"][0].endswith(b"_left_out")
                }
                self.assertEqual(lacks, {"goroutines_left_out": 4 - most} if most < 4 else {})

    def test_goroutines_of_a_sample(self):
        """2,336 goroutines had states: 50 of them are shown, and the command says so."""
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        tracks = lambda *options: len(
            {
                t["name"][0]
                for p in self.trace(capture, *options)
                for t in p.get("track_descriptor", [])
                if t.get("name", [b""])[0].startswith(b"goroutine ")
            }
        )
        self.assertEqual(tracks(), 50)
        self.assertEqual(tracks("--goroutine-tracks", "60"), 60)
        self.assertGreater(tracks("--goroutine-tracks", "1000000"), 1000)

    def test_containers(self):
        """The container and the pod of a process, in the trace and in SQL."""
        identity, uid = "5d1f0c3a9e7b42d68c10ab34ef567890" * 2, "0d3f3ab5-4d6c-4c12-8b8b-0f3a52a5e7a1"
        cgroup = f"/kubepods.slice/kubepods-pod{uid.replace('-', '_')}.slice/cri-containerd-{identity}.scope"
        events = [
            "preamble tier=a payload_limit=256",
            f'+0 task_info pid=20 tid=20 comm="shop" cgroup="{cgroup}"',
            f'+0 note key=tailcap.pod value="{identity} shop-eu/cart-7d4b9/cart"',
            '+0 task_info pid=30 tid=30 comm="free" cgroup="/system.slice/free.service"',
        ]
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "capture.txt").write_text("\n".join(events) + "\n")
            subprocess.run(
                [case.program("tests/synth/synth-capture"), "capture.txt", "capture.tcap"], cwd=folder, check=True
            )
            packets = self.trace(f"{folder}/capture.tcap")
            rows = query(
                f"{folder}/capture.tcap",
                "SELECT pid, container_id, container_runtime, k8s_pod_uid, k8s_namespace, k8s_pod, k8s_container FROM process WHERE name IS NOT NULL ORDER BY pid",
            )
        labels = {
            d["process"][0]["pid"][0]: d["process"][0].get("process_labels", [])
            for p in packets
            for d in p.get("track_descriptor", [])
            if "process" in d
        }
        self.assertEqual(
            labels,
            {
                20: [
                    f"container.id={identity}".encode(),
                    f"k8s.pod.uid={uid}".encode(),
                    b"k8s.namespace.name=shop-eu",
                    b"k8s.pod.name=cart-7d4b9",
                    b"k8s.container.name=cart",
                ],
                30: [],
            },
        )
        self.assertEqual(
            rows,
            [
                {
                    "pid": 20,
                    "container_id": identity,
                    "container_runtime": "containerd",
                    "k8s_pod_uid": uid,
                    "k8s_namespace": "shop-eu",
                    "k8s_pod": "cart-7d4b9",
                    "k8s_container": "cart",
                },
                {
                    "pid": 30,
                    "container_id": None,
                    "container_runtime": None,
                    "k8s_pod_uid": None,
                    "k8s_namespace": None,
                    "k8s_pod": None,
                    "k8s_container": None,
                },
            ],
        )

    def test_what_a_limit_leaves_out_is_said(self):
        """Intervals below requests are kept of the first 200,000."""
        more, size, back = 7, len("GET /a HTTP/1.1\r\nHost: s\r\n\r\n"), len("HTTP/1.1 204 No Content\r\n\r\n")
        lines = [
            "preamble tier=a payload_limit=256",
            '+0 task_info pid=10 tid=10 comm="shop"',
            "+0.000001 socket_info socket=1 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 remote=10.0.0.2:4000 "
            "next_in=1000 next_out=5000",
        ]
        for n in range(200_000 + more):
            at = 0.001 + n * 0.00001
            lines.append(
                f'+{at:.6f} receive pid=10 tid=10 socket=1 pos={1000 + n * size} data="GET /a HTTP/1.1\\r\\nHost: s\\r\\n\\r\\n"'
            )
            lines.append(
                f'+{at + 0.000005:.6f} send pid=10 tid=10 socket=1 pos={5000 + n * back} data="HTTP/1.1 204 No Content\\r\\n\\r\\n"'
            )
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "capture.txt").write_text("\n".join(lines) + "\n")
            subprocess.run(
                [case.program("tests/synth/synth-capture"), "capture.txt", "capture.tcap"], cwd=folder, check=True
            )
            done = subprocess.run(
                [case.program(), "export", "capture.tcap", "-o", "trace.pftrace"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            data = pathlib.Path(folder, "trace.pftrace").read_bytes()
            few = subprocess.run(
                [case.program(), "export", "capture.tcap", "-o", "few.pftrace", "--to", "0.5s"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        self.assertEqual(
            (done.returncode, done.stderr),
            (
                0,
                f"tailcap export: slices of 200,{more:03} requests written. There are no tracks of CPUs: on which CPU a thread ran "
                "is not recorded.\n"
                f"tailcap export: {more} requests have no intervals below: the first 200,000 of a capture have them.\n",
            ),
        )
        self.assertEqual(len(few.stderr.splitlines()), 1, few.stderr)
        self.assertIn(b"tailcap: what this file lacks", data[-400:])
        self.assertIn(b"requests_without_segments", data[-400:])

    def test_a_selection(self):
        capture = case.SAMPLES / "lock-contention/lock-contention.tcap"
        requests_, _, _ = self.check(self.trace(capture, "-w", "duration > 5ms"))
        self.assertEqual(
            sorted(r[0] for r in requests_), sorted(r["id"] for r in requests(capture, "-w", "duration > 5ms"))
        )


@unittest.skipUnless(decoded.available(), "no protoc")
class Otlp(unittest.TestCase):
    @staticmethod
    def value(any_value):
        ((kind, (value,)),) = any_value.items()
        if kind == "array_value":
            return [Otlp.value(v) for v in value.get("values", [])]
        return value.decode() if kind == "string_value" else value

    @staticmethod
    def json_value(any_value):
        ((kind, value),) = any_value.items()
        if kind == "arrayValue":
            return [Otlp.json_value(v) for v in value["values"]]
        return int(value) if kind == "intValue" else value

    def attributes(self, of):
        return {a["key"][0].decode(): self.value(a["value"][0]) for a in of.get("attributes", [])}

    def json_attributes(self, of):
        return {a["key"]: self.json_value(a["value"]) for a in of.get("attributes", [])}

    def spans(self, message):
        for resource in message["resource_spans"]:
            for scope in resource["scope_spans"]:
                for span in scope["spans"]:
                    yield self.attributes(resource["resource"][0]), span

    def json_spans(self, message):
        for resource in message["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    yield self.json_attributes(resource["resource"]), span

    def test_protobuf_and_json_say_the_same(self):
        events = 0
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                binary = decoded.decode(
                    tailcap("export", capture, "--format", "otlp"),
                    "otlp.proto",
                    "opentelemetry.ExportTraceServiceRequest",
                )
                text = json.loads(tailcap("export", capture, "--format", "otlp-json"))
                a, b = list(self.spans(binary)), list(self.json_spans(text))
                self.assertEqual(len(a), len(b))
                self.assertEqual(
                    sum("tailcap.setup" not in self.attributes(s) for _, s in a),
                    len([r for r in requests(capture) if r["start_ns"]]),
                )
                kinds = ["", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT"]
                for (resource, x), (json_resource, y) in zip(a, b):
                    self.assertEqual(resource, json_resource)
                    self.assertEqual(
                        (
                            x["trace_id"][0].hex(),
                            x["span_id"][0].hex(),
                            x.get("parent_span_id", [b""])[0].hex(),
                            x["name"][0].decode(),
                            x["kind"][0],
                            x["start_time_unix_nano"][0],
                            x["end_time_unix_nano"][0],
                            x["flags"][0] if "flags" in x else 0,
                        ),
                        (
                            y["traceId"],
                            y["spanId"],
                            y.get("parentSpanId", ""),
                            y["name"],
                            kinds[y["kind"]],
                            int(y["startTimeUnixNano"]),
                            int(y["endTimeUnixNano"]),
                            y["flags"],
                        ),
                    )
                    self.assertEqual(self.attributes(x), self.json_attributes(y))
                    self.assertEqual(
                        [
                            (e["time_unix_nano"][0], e["name"][0].decode(), self.attributes(e))
                            for e in x.get("events", [])
                        ],
                        [(int(e["timeUnixNano"]), e["name"], self.json_attributes(e)) for e in y.get("events", [])],
                    )
                    self.assertEqual(
                        [(l["trace_id"][0].hex(), l["span_id"][0].hex()) for l in x.get("links", [])],
                        [(l["traceId"], l["spanId"]) for l in y.get("links", [])],
                    )
                    code = x.get("status", [{}])[0].get("code", ["STATUS_CODE_UNSET"])[0]
                    self.assertEqual(
                        code, ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"][y["status"].get("code", 0)]
                    )
                    events += len(x.get("events", []))
        self.assertGreater(events, 100)

    def test_phases_partition_the_span(self):
        capture = case.SAMPLES / "slow-client/slow-client.tcap"
        message = json.loads(tailcap("export", capture, "--format", "otlp-json"))
        checked = 0
        for _, span in self.json_spans(message):
            phases = [
                (int(e["timeUnixNano"]), self.json_attributes(e)["tailcap.phase.duration_ns"])
                for e in span.get("events", [])
                if e["name"].startswith("tailcap.phase.")
            ]
            at = int(span["startTimeUnixNano"])
            for begin, length in phases:
                self.assertEqual(begin, at)
                at += length
            if phases:
                self.assertEqual(at, int(span["endTimeUnixNano"]))
                checked += 1
        self.assertGreater(checked, 3)

    def test_only_a_declared_route_is_http_route(self):
        capture = case.SAMPLES / "lock-contention/lock-contention.tcap"
        learned = json.loads(tailcap("export", capture, "--format", "otlp-json"))
        self.assertFalse(any("http.route" in self.json_attributes(s) for _, s in self.json_spans(learned)))
        declared = json.loads(tailcap("export", capture, "--format", "otlp-json", "--route-template", "/cart/{id}"))
        routes = collections.Counter(self.json_attributes(s).get("http.route") for _, s in self.json_spans(declared))
        self.assertEqual(routes["/cart/{id}"], sum(r["route"] == "/cart/{}" for r in requests(capture)))

    def test_gzip(self):
        capture = case.SAMPLES / "go-stock/go-stock.tcap"
        with tempfile.TemporaryDirectory() as folder:
            tailcap("export", capture, "--format", "otlp", "-o", f"{folder}/spans.pb.gz")
            with gzip.open(f"{folder}/spans.pb.gz") as file:
                self.assertEqual(file.read(), tailcap("export", capture, "--format", "otlp"))


if __name__ == "__main__":
    case.main()
