"""What ails a machine: processes that come and go, failed connects, slow disks, as somebody else counted them."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import harness
import kernel_trace
from harness import Case

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = harness.ROOT / "docs/diag.schema.json"
SHORT_LIVED, REFUSED = 200, 7


def check(value, schema, root, where="$"):
    """As much of JSON schema as diag.schema.json uses, for where the package is not installed."""
    if "$ref" in schema:
        return check(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, where)
    if "anyOf" in schema:  # null, or what else there is
        if value is not None:
            check(value, next(s for s in schema["anyOf"] if s.get("type") != "null"), root, where)
        return None
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    assert not wanted or any(
        isinstance(value, kinds[k]) and (k == "boolean" or not isinstance(value, bool)) for k in wanted
    ), (where, value)
    assert "const" not in schema or value == schema["const"], (where, value)
    assert "enum" not in schema or value in schema["enum"], (where, value)
    if isinstance(value, int) and not isinstance(value, bool):
        assert value >= schema.get("minimum", value), (where, value)
    if isinstance(value, str):
        assert re.search(schema.get("pattern", ""), value) and len(value) >= schema.get("minLength", 0), (where, value)
    if isinstance(value, list):
        assert len(value) <= schema.get("maxItems", len(value)), where
        for i, item in enumerate(value):
            check(item, schema.get("items", {}), root, f"{where}[{i}]")
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value), (where, set(schema["required"]) - set(value))
        assert schema.get("additionalProperties", True) or set(value) <= set(schema["properties"]), (where, value)
        for name, item in value.items():
            check(item, schema.get("properties", {}).get(name, {}), root, f"{where}.{name}")


class Diag(Case):
    def diag(self, recording, code=0):
        told = json.loads(self.tailcap("diag", recording.file, "--json", code=code))
        schema = json.loads(SCHEMA.read_text())
        check(told, schema, schema)
        if jsonschema:
            jsonschema.validate(told, schema)
        return told

    def test_processes_that_come_and_go(self):
        parent = self.start(
            [
                "sh",
                "-c",
                f"read go; for n in $(seq {SHORT_LIVED}); do /bin/true; done; /bin/false; echo done; read end",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with self.record("--profile", "node") as recording:
            parent.stdin.write("go\n")
            parent.stdin.flush()
            self.assertEqual(parent.stdout.readline(), "done\n")
        parent.communicate("end\n", timeout=10)
        told = self.diag(recording)
        self.assertTrue(told["everybody"])
        self.assertTrue(told["complete"])
        self.assertEqual(told["not_recorded"], [])
        mine = {p["command"]: p for p in told["processes"]["listed"] if p["parent_pid"] == parent.pid}
        self.assertEqual(mine["/bin/true"]["count"], SHORT_LIVED)
        self.assertEqual(mine["/bin/true"]["failed"], 0)
        self.assertEqual((mine["/bin/false"]["count"], mine["/bin/false"]["failed"]), (1, 1))
        self.assertIn(mine["/bin/true"]["parent"], ("sh", "dash", "bash"))
        for p in mine.values():
            self.assertLessEqual(p["least_ns"], p["mean_ns"])
            self.assertLessEqual(p["mean_ns"], p["most_ns"])
            self.assertLess(p["most_ns"], 1_000_000_000)
        self.assertIn("short_lived", [f["kind"] for f in told["findings"]])
        text = self.tailcap("diag", recording.file)
        self.assertRegex(text, rf"{SHORT_LIVED} +0 .* /bin/true +\w+, process {parent.pid}\n")
        self.assertNotIn("not recorded", text)
        # Nothing of anybody's traffic.
        kinds = json.loads(self.tailcap("info", recording.file, "--json"))["events_by_kind"]
        self.assertFalse({"send", "receive", "arrival", "off_cpu", "sample"} & set(kinds), kinds)

    def test_connections_that_are_refused(self):
        with socket.socket() as closed, self.record("--profile", "node") as recording:
            closed.bind(("127.0.0.1", 0))  # and nobody listens
            port = closed.getsockname()[1]
            for _ in range(REFUSED):
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port), timeout=5)
            client = subprocess.Popen(
                [sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))"],
                stderr=subprocess.DEVNULL,
            )
            client.wait()
        told = self.diag(recording)
        failures = {
            (f["pid"], f["cause"]): f
            for f in told["tcp"]["connect_failures"]["listed"]
            if f["address"] == f"127.0.0.1:{port}"
        }
        self.assertEqual(failures[os.getpid(), "refused"]["count"], REFUSED)
        self.assertEqual(failures[client.pid, "refused"]["count"], 1)
        self.assertEqual(len(failures), 2)
        resets = [r["count"] for r in told["tcp"]["resets_received"]["listed"] if r["address"] == f"127.0.0.1:{port}"]
        self.assertEqual(resets, [REFUSED + 1])
        finding = next(f for f in told["findings"] if f["kind"] == "connect_failures")
        self.assertIn("could not be made", finding["text"])

    def test_memory(self):
        """A thread that has memory moved, as anybody may ask for: as often and as long as the kernel's own trace."""
        knob = pathlib.Path("/proc/sys/vm/compact_memory")
        events = ("compaction/mm_compaction_begin", "compaction/mm_compaction_end")
        if reason := kernel_trace.why_not(*events):
            self.skipTest(reason)
        if not os.access(knob, os.W_OK):
            self.skipTest(f"{knob} cannot be written here")
        with self.record("--profile", "node") as recording:
            with kernel_trace.trace(*events) as lines:
                program = subprocess.Popen([sys.executable, "-c", f"open('{knob}', 'w').write('1')"])
                self.assertEqual(program.wait(), 0)
        mine = [at for at, tid, _, _, _ in lines if tid == program.pid]
        lengths = [end - begin for begin, end in zip(mine[::2], mine[1::2])]
        told = self.diag(recording)["memory"]["compaction"]
        [process] = [p for p in told["processes"] if p["pid"] == program.pid] or [{"count": 0, "total_ns": 0}]
        # Those of less than 10 µs are not told; the trace is in whole µs, and takes its own time.
        self.assertGreaterEqual(process["count"], sum(ns >= 15_000 for ns in lengths))
        self.assertLessEqual(process["count"], sum(ns >= 5_000 for ns in lengths))
        self.assertAlmostEqual(process["total_ns"], sum(ns for ns in lengths if ns >= 5_000), delta=5_000_000)
        print(f"  {process['count']} compactions of {len(lengths)} told")

    def test_disks(self):
        """With the least limit every I/O is told: as many as the kernel's own trace has of this process."""
        event = "block/block_io_done"
        if reason := kernel_trace.why_not("block/block_io_start", event):
            self.skipTest(reason)
        file = pathlib.Path("/var/tmp") / f"tailcap-diag-{os.getpid()}"
        self.addCleanup(file.unlink, missing_ok=True)
        with self.record("--profile", "node", "--slow-io", "1us") as recording:
            with kernel_trace.trace("block/block_io_start") as lines:
                program = subprocess.Popen(
                    ["dd", "if=/dev/zero", f"of={file}", "bs=64K", "count=50", "oflag=direct"],
                    stderr=subprocess.DEVNULL,
                )
                program.wait()
        begun = sum(1 for line in lines if line[1] == program.pid)
        self.assertGreater(begun, 0)
        stalls = [
            s
            for s in harness.json_lines(self.tailcap("events", recording.file, "--json", "--kind", "stall"))
            if s["pid"] == program.pid
        ]
        self.assertEqual(len(stalls), begun)
        self.assertGreaterEqual(sum(s["detail"] for s in stalls), 50 * 65536)
        told = self.diag(recording)
        self.assertGreaterEqual(sum(d["count"] for d in told["slow_io"]["disks"]), begun)

    def test_a_recording_of_one_process(self):
        """What was not recorded is said, and is not none."""
        program = self.start(["sleep", "100"])
        with self.record("-p", program.pid, "--only", "io,tasks") as recording:
            pass
        told = self.diag(recording)
        self.assertFalse(told["everybody"])
        self.assertIsNone(told["slow_io"])
        self.assertIsNone(told["memory"]["compaction"])
        self.assertIsNone(told["tcp"]["retransmits"])
        self.assertEqual(told["processes"]["short_lived"], 0)
        self.assertIn("slow disks", told["not_recorded"])
        text = self.tailcap("diag", recording.file)
        self.assertRegex(text, r"(?s)not recorded +.*slow\s+disks")
        self.assertRegex(text, r"not seen +.*short-lived processes")

    def test_what_does_not_go_together(self):
        for arguments, word in (
            (["-p", "1"], "whole machine"),
            (["--add", "files"], "--add"),
            (["--port", "80"], "whole machine"),
        ):
            done = subprocess.run(
                [
                    harness.BUILD / "capture/tailcap-record",
                    "--profile",
                    "node",
                    "-o",
                    self.scratch / "x.tcap",
                    *arguments,
                ],
                capture_output=True,
                text=True,
            )
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    harness.main()
