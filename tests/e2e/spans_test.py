"""Spans of two services in Go, of which an SDK told some: completed by what was recorded."""
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import time

import harness
from harness import json_lines, wait_until
from tls_case import TlsCase

N = 10
CONTAINER = "c0ffee" * 10 + "abcd"


def spans_in(document):
    return [(r, s) for r in document["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]


def values(attributes):
    return {a["key"]: next(iter(a["value"].values())) for a in attributes}


def cpu_hierarchy():
    """Where a process's cgroup is told from: the CPU controller's hierarchy, or the only one."""
    mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    for _, folder, kind, options, *_ in mounts:
        if kind == "cgroup" and "cpu" in options.split(","):
            return pathlib.Path(folder)
    return pathlib.Path(next(m[1] for m in mounts if m[2] == "cgroup2"))


class Spans(TlsCase):
    BY_OTHER_NAMES = True

    def setUp(self):
        super().setUp()
        source = pathlib.Path(__file__).resolve().parent / "spans.go"
        peer = self.scratch / "spans"
        subprocess.run(["go", "build", "-o", peer, source], check=True, timeout=100)
        group = cpu_hierarchy() / f"docker-{CONTAINER}.scope"
        group.mkdir(exist_ok=True)
        self.addCleanup(
            lambda: wait_until(
                lambda: not (group / "cgroup.procs").read_text() and (group.rmdir() or True), "an empty cgroup"
            )
        )
        # What containerd keeps of a container on a node of Kubernetes.
        kept = pathlib.Path("/run/containerd/io.containerd.runtime.v2.task/k8s.io", CONTAINER)
        kept.mkdir(parents=True, exist_ok=True)
        self.addCleanup(shutil.rmtree, kept)
        names = {"sandbox-namespace": "shop", "sandbox-name": "front-0", "container-name": "web"}
        (kept / "config.json").write_text(
            json.dumps({"ociVersion": "1.1.0", "annotations": {f"io.kubernetes.cri.{k}": v for k, v in names.items()}})
        )
        self.front_port = harness.free_port()
        back = ["back", f"127.0.0.1:{self.port}", self.scratch / "back.json", self.certificate, self.key]
        front = [
            "front",
            f"127.0.0.1:{self.front_port}",
            self.scratch / "front.json",
            f"127.0.0.1:{self.port}",
            self.certificate,
        ]
        self.back = self.start([peer, *back])
        self.began = time.time()
        self.front = self.start(
            ["sh", "-c", f"echo $$ > {group}/cgroup.procs; exec " + " ".join(map(str, [peer, *front]))]
        )
        for port in (self.port, self.front_port):
            wait_until(lambda p=port: harness.answers(("127.0.0.1", p)), "a Go server")

    def test_completed(self):
        traces = [f"{i + 1:032x}" for i in range(N)]
        with self.record("-p", self.front.pid, "-p", self.back.pid) as recording:
            for i in range(N):
                connection = http.client.HTTPConnection("127.0.0.1", self.front_port, timeout=20)
                connection.request(
                    "GET",
                    f"/item/{i}",
                    headers={"traceparent": f"00-{traces[i]}-{0xabc0 + i:016x}-01", "Connection": "close"},
                )
                self.assertEqual(connection.getresponse().read(), b"ok")
                connection.close()
        self.assert_whole(recording)
        sdk = self.scratch / "sdk.json"
        sdk.write_text((self.scratch / "front.json").read_text() + (self.scratch / "back.json").read_text())
        told = [r for line in json_lines(sdk.read_text()) for r in line["resourceSpans"]]
        self.assertEqual(len(told), N + N // 2 + N)
        rules = self.scratch / "rules"
        rules.write_text(
            "insert k8s.namespace.name = shop\ncopy service.namespace from k8s.namespace.name where container.id = "
            + CONTAINER
            + "\n"
        )
        done = json.loads(self.tailcap("spans", recording.file, "--import", sdk, "--rules", rules))
        self.assertEqual(done["resourceSpans"][: len(told)], told, "what the SDK told stays as it was")
        ours = spans_in({"resourceSpans": done["resourceSpans"][len(told) :]})
        by_id = {s["spanId"]: s for _, s in spans_in(done)}
        self.assertEqual(len(by_id), len(spans_in(done)), "an id twice")
        theirs = [s for _, s in spans_in({"resourceSpans": told})]
        holes = 0
        for i, trace in enumerate(traces):
            served = [s for s in theirs if s["traceId"] == trace and s["name"] == "serve back"]
            fronted = [s for s in theirs if s["traceId"] == trace and s["name"] == "serve front"]
            self.assertEqual((len(served), len(fronted)), (1, 1))
            call = by_id.get(served[0]["parentSpanId"])
            self.assertIsNotNone(call, f"the parent of {served[0]} is nowhere")
            self.assertEqual(call["parentSpanId"], fronted[0]["spanId"], call)
            self.assertEqual(call["traceId"], trace)
            self.assertEqual(call["kind"], 3)
            holes += call not in theirs
            self.assertEqual(call in theirs, i % 2 == 1, call)
            below = {s["name"]: s for _, s in ours if s.get("parentSpanId") == call["spanId"]}
            self.assertIn("TCP connect", below, call)
            self.assertIn("TLS handshake", below, call)
            for name in ("TCP connect", "TLS handshake"):
                said = values(below[name]["attributes"])
                self.assertEqual((said["tailcap.inferred"], below[name]["traceId"]), (True, trace))
                self.assertTrue(said["tailcap.evidence"]["values"], said)
                began = int(below[name]["startTimeUnixNano"])
                self.assertGreater(began, int(fronted[0]["startTimeUnixNano"]) - 1_000_000_000)
                self.assertLessEqual(began, int(below[name]["endTimeUnixNano"]))
            self.assertLessEqual(
                int(below["TCP connect"]["endTimeUnixNano"]), int(below["TLS handshake"]["startTimeUnixNano"])
            )
            self.assertEqual(values(below["TLS handshake"]["attributes"])["tls.protocol.version"], "1.3")
        self.assertEqual(holes, N // 2)
        self.assert_resources(ours)
        lines = json_lines(self.tailcap("export", recording.file, "--format", "loki"))
        self.assertEqual(
            {line.get("k8s_pod") for line in lines if line["role"] == "server" and line["path"].startswith("/item/")},
            {"front-0"},
        )
        self.assertIn(None, {line.get("k8s_pod") for line in lines}, "those of the other process")
        facts = json.loads(self.tailcap("spans", recording.file, "--import", sdk, "--explain", "--json"))
        self.assertEqual(facts["imported"]["spans"], len(theirs), facts)
        # The parents of what front serves are the client's, which nobody told.
        self.assertEqual((facts["imported"]["holes"], facts["imported"]["filled"]), (N + N // 2, N // 2), facts)
        connects = next(e for e in facts["events"] if e["name"] == "connect")
        self.assertGreaterEqual(connects["attached"], N, connects)

    def assert_resources(self, ours):
        by_pid = {
            values(r["resource"]["attributes"])["process.pid"]: (values(r["resource"]["attributes"]), s)
            for r, s in ours
        }
        self.assertEqual(set(by_pid), {str(self.front.pid), str(self.back.pid)})
        front, span = by_pid[str(self.front.pid)]
        self.assertEqual(front["container.id"], CONTAINER)
        self.assertEqual(front["container.runtime"], "docker")
        self.assertEqual(
            [front[f"k8s.{k}.name"] for k in ("namespace", "pod", "container")], ["shop", "front-0", "web"]
        )
        self.assertEqual(front["service.namespace"], "shop", "by the rules")
        self.assertEqual(front["process.executable.path"], str(self.scratch / "spans"))
        self.assertEqual((front["service.name"], front["service.name.source"]), ("spans", "process"))
        created = time.strptime(front["process.creation.time"].split(".")[0], "%Y-%m-%dT%H:%M:%S")
        self.assertLess(abs(int(time.mktime(created)) - time.timezone - self.began), 30)
        self.assertEqual(front["host.name"], os.uname().nodename)
        self.assertEqual(values(span["attributes"])["net.iface.name"], "lo")
        back, _ = by_pid[str(self.back.pid)]
        self.assertNotIn("container.id", back)
        self.assertNotIn("k8s.pod.name", back)
        self.assertNotIn("service.namespace", back)
        self.assertNotIn(str(self.certificate), json.dumps(list(by_pid)), "no arguments")


if __name__ == "__main__":
    harness.main()
