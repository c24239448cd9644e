"""`tailcap query` says the same as the other commands, and as the captures' own truth; what it prints is harmless.

    query_test.py --build build/release
"""
import csv
import io
import json
import sqlite3
import subprocess
import unittest

import case

CAPTURES = sorted(case.SAMPLES.glob("*/*.tcap"))


def query(capture, sql, *options):
    done = subprocess.run(
        [case.program(), "query", capture, sql, "--json", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 3), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def requests(capture):
    done = subprocess.run([case.program(), "requests", "--json", capture], capture_output=True, text=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()]


class SameAsOtherCommands(unittest.TestCase):
    def test_one_name_one_meaning(self):
        """`id` is the request's number and `x_request_id` the header's value; `request_id` is still taken, as what it was in each place."""
        capture = CAPTURES[0].parents[1] / "go-stock/go-stock.tcap"
        one = requests(capture)[0]
        self.assertNotIn("request_id", one)
        joined = query(
            capture,
            f"SELECT id, request_id, count(*) AS parts FROM request JOIN account USING (request_id) WHERE request_id = '{one['id']}'",
        )
        self.assertEqual([(row["id"], row["request_id"]) for row in joined], [(one["id"], one["id"])])
        self.assertEqual(joined[0]["parts"], len(one["labels"]))
        for name, warned in (("x_request_id", ""), ("request_id", "'request_id' is now 'x_request_id'")):
            done = subprocess.run(
                [case.program(), "requests", capture, "-w", f"{name} == null && {name} == null", "-n", "1"],
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 2))
            self.assertEqual(done.stderr.count("is now"), 1 if warned else 0)
            self.assertIn(warned, done.stderr)

    def test_requests(self):
        pairs = {
            "id": "id",
            "request_id": "id",
            "x_request_id": "x_request_id",
            "dur": "duration_ns",
            "start_ns": "start_ns",
            "status": "status",
            "method": "method",
            "path": "path",
            "route": "route",
            "outcome": "outcome",
            "role": "role",
            "protocol": "protocol",
            "dur_at_least": "duration_at_least_ns",
            "first_byte_ns": "first_byte_ns",
            "request_bytes": "request_bytes",
            "response_bytes": "response_bytes",
            "comm": "comm",
            "handler": "handler",
            "parent_request_id": "parent",
            "peer_request_id": "peer",
            "local": "local",
            "remote": "remote",
            "service_name": "service_name",
            "grpc_status": "grpc_status",
            "attempt": "attempt",
        }
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                known = requests(capture)
                rows = query(capture, f"SELECT {', '.join(pairs)} FROM request", "-n", "1000000")
                self.assertEqual([{k: r[v] for k, v in pairs.items()} for r in known], rows)
                members = {
                    "split_out_ns": ("split", "out_ns"),
                    "split_server_ns": ("split", "server_ns"),
                    "connect_ns": ("setup", "connect_ns"),
                    "dns_name": ("setup", "dns_name"),
                    "rpc_status": ("rpc", "status"),
                    "rpc_timeout_ns": ("rpc", "timeout_ns"),
                }
                rows = query(capture, f"SELECT {', '.join(members)} FROM request", "-n", "1000000")
                self.assertEqual(
                    [{k: (r[group] or {}).get(name) for k, (group, name) in members.items()} for r in known], rows
                )
                self.assertGreater(len(rows), 5)

    def test_accounts_and_segments_add_up(self):
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                sums = query(
                    capture,
                    """SELECT request_id, r.dur, (SELECT sum(a.dur) FROM account a WHERE a.request_id = r.request_id) AS account,
                    (SELECT sum(s.dur) FROM segment s WHERE s.request_id = r.request_id) AS segments FROM request r WHERE dur > 0""",
                    "-n",
                    "1000000",
                )
                labelled = [row for row in sums if row["account"] is not None]
                self.assertGreater(len(labelled), 5)
                for row in labelled:
                    self.assertEqual((row["account"], row["segments"]), (row["dur"], row["dur"]), row)

    def test_segments_have_the_sums_of_accounts(self):
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                # Which of several moments counted under which label is the same, up to what an event loop did beside a request.
                differ = query(
                    capture,
                    """SELECT request_id, label, sum(dur) AS ns FROM (SELECT request_id, label, dur FROM account
                    UNION ALL SELECT request_id, label, -dur FROM segment) GROUP BY 1, 2 HAVING ns != 0""",
                )
                self.assertEqual(differ, [])

    def test_report(self):
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                done = subprocess.run(
                    [case.program(), "report", "--json", capture], capture_output=True, text=True, check=False
                )
                report = json.loads(done.stdout)
                self.assertEqual(
                    [json.loads(row["json"]) for row in query(capture, "SELECT json FROM verdict")], report["verdicts"]
                )
                mine = query(capture, "SELECT events, lost FROM _captures")[0]
                self.assertEqual(
                    sum(row["count"] for row in query(capture, "SELECT count FROM loss")) > 0, mine["lost"] > 0
                )

    def test_spans(self):
        for capture in CAPTURES:
            with self.subTest(capture.stem):
                done = subprocess.run([case.program(), "spans", capture], capture_output=True, text=True, check=False)
                spans = [
                    span
                    for r in json.loads(done.stdout)["resourceSpans"]
                    for s in r["scopeSpans"]
                    for span in s["spans"]
                ]
                rows = query(capture, "SELECT * FROM otel_traces", "-n", "1000000")
                key = lambda trace, span, start, name: (trace, span, int(start), name)
                self.assertEqual(
                    sorted(key(s["traceId"], s["spanId"], s["startTimeUnixNano"], s["name"]) for s in spans),
                    sorted(key(r["TraceId"], r["SpanId"], r["Timestamp"], r["SpanName"]) for r in rows),
                )
                ids = query(
                    capture,
                    "SELECT count(*) AS n FROM request LEFT JOIN otel_traces ON TraceId = trace_id AND SpanId = span_id"
                    " WHERE TraceId IS NULL AND ts IS NOT NULL",
                )
                self.assertEqual(ids, [{"n": 0}])

    def test_blocks(self):
        for capture in CAPTURES:
            done = subprocess.run(
                [case.program(), "check", "--json", capture], capture_output=True, text=True, check=False
            )
            blocks = json.loads(done.stdout)["blocks"]
            rows = query(capture, "SELECT type, events, stored_bytes FROM block")
            self.assertEqual(
                [(b["type"], b["events"], b["stored_bytes"]) for b in blocks],
                [(r["type"], r["events"], r["stored_bytes"]) for r in rows],
            )


class Output(case.Case):
    CAPTURE = case.SAMPLES / "lock-contention/lock-contention.tcap"

    def test_a_truncated_result_says_so(self):
        for form in ("text", "csv", "json"):
            done = self.tailcap("query", self.CAPTURE, "SELECT request_id FROM request", "-n", "5", "--format", form)
            self.assertEqual(done.returncode, 0)
            self.assertIn("5 rows shown, there are more", done.stderr)
            if form == "json":
                self.assertEqual(json.loads(done.stdout.splitlines()[-1]), {"_truncated": True, "_rows": 5})
            if form == "text":
                self.assertIn("more rows", done.stdout.splitlines()[-1])
        done = self.tailcap("query", self.CAPTURE, "SELECT request_id FROM request LIMIT 5", "-n", "5")
        self.assertNotIn("more", done.stdout + done.stderr)

    def test_control_characters_are_escaped(self):
        sql = "SELECT 'a' || char(27) || '[2J' || char(8238) || char(10) || 'b,\"c' AS 'x' || char(27), NULL AS n, '' AS e, x'00ff' AS b, 1.5 AS r"
        sql = sql.replace("AS 'x' || char(27)", "AS \"x\x1b\"")
        for form in ("text", "csv", "json"):
            done = self.tailcap("query", self.CAPTURE, sql, "--format", form)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("\x1b", done.stdout)
            self.assertNotIn("\u202e", done.stdout)
            if form == "json":
                row = json.loads(done.stdout)
                self.assertEqual(list(row.values()), ["a\x1b[2J\u202e\nb,\"c", None, "", "00ff", 1.5])
            if form == "csv":
                rows = list(csv.reader(io.StringIO(done.stdout)))
                self.assertEqual(rows[1], ["a\\x1b[2J\\u{202e}\\x0ab,\"c", "", "", "x'00ff'", "1.5"])
                self.assertTrue(done.stdout.splitlines()[1].endswith(',,"",x\'00ff\',1.5'))

    def test_refusals(self):
        self.assert_refused(self.tailcap("query", self.CAPTURE, "DELETE FROM request"), 2, "read-only")
        self.assert_refused(self.tailcap("query", self.CAPTURE, "SELECT x FROM request"), 2, "no such column")
        self.assert_refused(self.tailcap("query", "absent.tcap", "SELECT 1"), 1, "absent.tcap")
        endless = "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT sum(x) FROM a"
        self.assert_refused(self.tailcap("query", self.CAPTURE, endless, "--timeout", "200ms"), 1, "--timeout")

    def test_functions_are_on_a_list(self):
        for sql in (
            "SELECT fts3_tokenizer('x', x'4141414141414141')",
            "SELECT hex(fts3_tokenizer('porter'))",
            "SELECT load_extension('x')",
            "SELECT sqlite_compileoption_get(0)",
        ):
            self.assert_refused(self.tailcap("query", self.CAPTURE, sql), 2, "not authorized to use function")
        for sql in ("REINDEX", "ANALYZE", "BEGIN", "VACUUM"):
            self.assert_refused(self.tailcap("query", self.CAPTURE, sql), 2, "read-only")
        done = self.tailcap(
            "query",
            self.CAPTURE,
            "SELECT round(avg(dur)), json_array(1, 2) ->> 1, strftime('%Y', 0, 'unixepoch'), Upper('a') FROM request",
            "--format",
            "csv",
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_one_long_step_is_ended(self):
        """SQLite cannot be interrupted within a function."""
        slow = "SELECT instr(hex(zeroblob(500000)), hex(zeroblob(250000)) || '1')"
        self.assert_refused(self.tailcap("query", self.CAPTURE, slow, "--timeout", "200ms"), 1, "--timeout")
        self.assert_refused(self.tailcap("query", self.CAPTURE, "SELECT length(zeroblob(2000000))"), 2, "too big")

    def test_csv_has_no_formulas(self):
        out = self.tailcap(
            "query", self.CAPTURE, "SELECT '=1+1' a, '+x' b, '-x' c, '@x' d, -5 e, -1.5 f, 'x=' g", "--format", "csv"
        ).stdout
        self.assertEqual(out.splitlines(), ["a,b,c,d,e,f,g", "'=1+1,'+x,'-x,'@x,-5,-1.5,x="])

    def test_saved_tables(self):
        done = self.tailcap("query", self.CAPTURE, "--save", "out.sqlite")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        saved = sqlite3.connect(self.scratch / "out.sqlite")
        self.addCleanup(saved.close)
        self.assertEqual(saved.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.assertEqual(saved.execute("SELECT version FROM _schema_version").fetchone(), (1,))
        self.assertEqual(saved.execute("SELECT count(*) FROM request").fetchone(), (len(requests(self.CAPTURE)),))
        for (name,) in saved.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            saved.execute(f"SELECT count(*) FROM {name}")
        self.assertEqual([p.name for p in self.scratch.iterdir()], ["out.sqlite"])
        # A capture without a reading of the wall clock has no spans, and all else.
        (self.scratch / "c.txt").write_text(
            'preamble tier=a started_realtime=0\n+0 task_info pid=20 tid=20 comm="shop"\n'
        )
        case.run(case.program("tests/synth/synth-capture"), "c.txt", "c.tcap", cwd=self.scratch)
        done = self.tailcap("query", "c.tcap", "SELECT count(*) AS n FROM process", "--save", "c.sqlite", "--json")
        self.assertEqual((done.returncode, done.stdout), (0, '{"n":1}\n'), done.stderr)
        self.assertIn("no reading of the wall clock", done.stderr)
        done = self.tailcap("query", self.CAPTURE, "--save", self.CAPTURE)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(self.CAPTURE.read_bytes().startswith(CAPTURES[0].read_bytes()[:4]))


if __name__ == "__main__":
    case.main()
