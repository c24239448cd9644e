"""Many captures in ClickHouse: two servers that have a part of the rows each.

    clickhouse_test.py --build build/release
"""
import collections
import json
import math
import re
import signal
import subprocess
import tempfile
import threading
import unittest
import urllib.parse
import urllib.request

import case
from clickhouse_servers import CAPTURES, SCRIPTS, SERVER, TABLES, Servers, exported


class Definitions(unittest.TestCase):
    def test_files_are_what_the_script_says(self):
        for name, options in (
            ("single", []),
            ("distributed", ["--cluster", "tailcap"]),
            ("replicated", ["--cluster", "tailcap", "--replicated"]),
        ):
            made = subprocess.run(
                [SCRIPTS / "tables", "--tailcap", case.program(), *options], capture_output=True, text=True, check=True
            ).stdout
            self.assertEqual(made, (SCRIPTS / f"{name}.sql").read_text())

    def test_rows_have_the_columns_of_the_tables(self):
        text = (SCRIPTS / "single.sql").read_text()
        for table in TABLES:
            columns = []
            for name, kind in re.findall(
                r"^  (\w+) (.+?),?$", re.search(rf"tailcap\.{table} \((.*?)\n\)", text, re.S)[1], re.M
            ):
                if " ALIAS " in kind:
                    continue  # no column of its own
                nested = re.match(r"Nested\((.*)\)", kind)
                columns += [f"{name}.{part.split()[0]}" for part in nested[1].split(", ")] if nested else [name]
            header, rows = exported(CAPTURES["lock-contention"], table)
            self.assertEqual(header, columns)
            self.assertTrue(all(len(row) == len(columns) for row in rows))
            self.assertTrue(rows or table == "deployment")  # of notes that this capture does not have

    def test_a_route_has_one_name_in_all_tables(self):
        """Also where routes are folded: requests, their standings and their labels add up by the key that the tables share."""
        folded = 0
        for capture in CAPTURES.values():
            for options in ([], ["--max-routes", "1"]):
                with self.subTest(capture=capture.stem, options=options):
                    tables = {}
                    for table in ("request", "route", "label"):
                        header, rows = exported(capture, table, *options)
                        tables[table] = [dict(zip(header, row)) for row in rows]
                    key = lambda row: (row["service"], row["role"], row["method"], row["route"])
                    routes = {key(row): row for row in tables["route"]}
                    self.assertEqual(len(routes), len(tables["route"]))
                    requests, labels = {}, {}
                    for row in tables["request"]:
                        requests.setdefault(key(row), []).append(row)
                        for name, ns in zip(
                            re.findall(r"'(.*?)'", row["label.name"]), row["label.ns"].strip("[]").split(",")
                        ):
                            total = labels.setdefault((key(row), name), [0, 0])
                            total[0] += int(ns)
                            total[1] += 1
                    self.assertEqual(set(requests), set(routes))
                    for name, route in routes.items():
                        standings = collections.Counter(row["standing"] for row in requests[name])
                        counted = {standing: int(route[standing]) for standing in ("clean", "doubtful", "in_flight")}
                        self.assertEqual(counted, {standing: standings[standing] for standing in counted}, name)
                        self.assertEqual(sum(standings.values()), len(requests[name]), name)
                        self.assertEqual(
                            int(route["requests"]), sum(row["duration_ns"] != "\\N" for row in requests[name]), name
                        )
                        folded += name[3] == "(other)"
                    self.assertEqual(
                        {(key(row), row["label"]): [int(row["ns"]), int(row["requests"])] for row in tables["label"]},
                        labels,
                    )
        self.assertGreaterEqual(folded, len(CAPTURES))

    def test_usage(self):
        file = CAPTURES["lock-contention"]
        for arguments, word in (
            (["-w", "status == 200"], "whole"),
            (["--table", "label", "--endpoint", "http://127.0.0.1:1"], "--table"),
        ):
            done = subprocess.run(
                [case.program(), "export", file, "--format", "clickhouse", *arguments],
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, 2)
            self.assertIn(word, done.stderr)
        for arguments in (
            [file, "--from-clickhouse", "http://127.0.0.1:1"],
            ["--from-clickhouse", "http://127.0.0.1:1", "--json"],
            [],
        ):
            self.assertEqual(
                subprocess.run([case.program(), "report", *arguments], capture_output=True, check=False).returncode, 2
            )


@unittest.skipUnless(SERVER, "no clickhouse-server: scripts/install-packages clickhouse")
class Fleet(Servers):
    @classmethod
    def setUpClass(cls):
        cls.start(
            lambda *ports: "".join(
                f"<shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>" for port in ports
            )
        )

    def setUp(self):
        for server in self.servers:
            server.ask("DROP DATABASE IF EXISTS tailcap")
            server.run_file(SCRIPTS / "distributed.sql")

    def test_loaded_is_exported_and_nothing_twice(self):
        captures = list(CAPTURES.values())
        for _ in range(2):
            for n, capture in enumerate(captures):
                done = self.load(capture, self.servers[n % 2])
                self.assertIn(done.returncode, (0, 3), done.stderr)
            self.assert_exactly(captures)
        # Both have a part of the rows.
        for server in self.servers:
            self.assertGreater(int(server.ask("SELECT count() FROM tailcap.request_part")), 100)

    def test_a_server_is_killed_while_loading(self):
        captures = self.load_while_killing(self.second)
        self.assert_exactly(captures)
        self.assert_fleet(captures)

    def fleet(self, *arguments):
        limits = ["--at-most", "p99: 20ms, errors: 0.5%", "--json"]
        done = subprocess.run(
            [case.program(), "fleet", *arguments, *limits], capture_output=True, text=True, check=False
        )
        self.assertIn(done.returncode, (0, 3, 4), done.stderr)
        return json.loads(done.stdout)

    def assert_fleet(self, captures):
        """The page of a fleet says the same from the servers and from summaries of the captures."""
        with tempfile.TemporaryDirectory() as folder:
            whole = f"{folder}/whole.tcs"
            arguments = [case.program(), "summarise", *captures, "--window", "1h", "-o", whole]
            self.assertIn(subprocess.run(arguments, capture_output=True, check=False).returncode, (0, 3))
            from_file = self.fleet(whole)
        from_server = self.fleet("--from-clickhouse", self.second.url)
        for name in ("services", "routes", "edges", "notes", "requests", "hosts", "latest_from_ns", "no_baseline"):
            self.assertEqual(from_server[name], from_file[name], name)
        self.assertEqual(
            {(c["id"], c["host"], c["lost"]) for c in from_server["captures"]},
            {(c["id"], c["host"], c["lost"]) for c in from_file["captures"]},
        )

    def test_the_server_that_takes_the_rows_is_killed_while_loading(self):
        self.assert_exactly(self.load_while_killing(self.first))

    def test_a_load_waits_for_a_server(self):
        self.second.end(signal.SIGKILL)
        timer = threading.Timer(3, self.second.start)
        timer.start()
        done = self.load(CAPTURES["lock-contention"])
        timer.join()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_exactly([CAPTURES["lock-contention"]])

    def test_a_capture_that_is_being_loaded_is_left_out(self):
        self.load(CAPTURES["lock-contention"])
        whole = self.report()
        for name in ("request", "route", "label", "verdict"):
            header, rows = exported(CAPTURES["go-stock"], name)
            body = "\n".join("\t".join(row) for row in [header, *rows]) + "\n"
            query = urllib.parse.quote(f"INSERT INTO tailcap.{name} FORMAT TabSeparatedWithNames")
            urllib.request.urlopen(f"{self.first.url}/?insert_distributed_sync=1&query={query}", body.encode()).read()
        self.assertEqual(self.report().stdout, whole.stdout)

    def test_missing_rows_are_said(self):
        self.load(CAPTURES["lock-contention"])
        for server in self.servers:
            server.ask("TRUNCATE TABLE tailcap.route_state_part")
        done = self.report()
        self.assertEqual(done.returncode, 3)
        self.assertIn("Rows of lock-contention.tcap are missing", done.stdout)

    @staticmethod
    def section(text, title):
        """The table below a heading, without the notes behind it."""
        found = re.search(rf"(?ms)^── {title} ─+\n(.*?)(?=^── |\Z)", text)
        return None if found is None else re.sub(r"(?ms)^  Second line: 95.*", "", found[1]).strip()

    def test_a_report_of_one_capture_says_what_its_own_says(self):
        for name in ("lock-contention", "go-stock", "busy-machine", "lost-events", "cut-short"):
            with self.subTest(name):
                self.setUp()
                self.assertIn(self.load(CAPTURES[name]).returncode, (0, 3))
                local = subprocess.run(
                    [case.program(), "report", CAPTURES[name], "--full", "--width", "140", "--no-pager"],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                fleet = self.report()
                self.assertEqual(fleet.returncode, local.returncode, fleet.stderr)
                self.assertTrue(self.section(local.stdout, "Incoming requests"))
                # How far it can be trusted: the same words, behind the title.
                trusted = " ".join(re.split(r"\n   captures  ", fleet.stdout.split("\n", 1)[1])[0].split())
                self.assertTrue(
                    trusted and " ".join(local.stdout.split("\n", 1)[1].split()).startswith(trusted),
                    (trusted, local.stdout[:300]),
                )
                for title in ("Incoming requests", "Outgoing requests"):
                    self.assertEqual(self.section(fleet.stdout, title), self.section(local.stdout, title))
                answers = self.section(local.stdout, "What was slow, and why") or ""
                numbered = re.findall(r"(?ms)^ *\d+\. (.*?)\n {5}\$", answers)
                self.assertTrue(numbered or name not in ("lock-contention", "go-stock"))
                for answer in numbered:
                    self.assertIn(" ".join(answer.split()), " ".join(fleet.stdout.split()))

    def test_a_report_of_several_captures(self):
        captures = [CAPTURES[name] for name in ("lock-contention", "go-stock", "busy-machine")]
        # The same service twice: a copy of a capture with another id.
        text = subprocess.run(
            [case.program(), "export", captures[0], "--format", "clickhouse", "--table", "request"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        identity = text.splitlines()[1].split("\t")[0]
        for capture in captures:
            self.assertIn(self.load(capture).returncode, (0, 3))
        # The copy's requests take 1.5 times as long.
        for table in TABLES:
            columns = [
                c
                for c, in self.first.rows(
                    f"SELECT name FROM system.columns WHERE database = 'tailcap' AND table = '{table}' AND default_kind = ''"
                )
            ]
            values = [{"capture_id": "'copy'", "file": "'copy.tcap'"}.get(c, c) for c in columns]
            if table == "request":
                values = ["intDiv(duration_ns * 3, 2)" if c == "duration_ns" else v for c, v in zip(columns, values)]
            self.first.ask(
                f"INSERT INTO tailcap.{table} SELECT {', '.join(values)} FROM tailcap.{table} FINAL WHERE capture_id = '{identity}'"
            )
        self.first.ask(
            "INSERT INTO tailcap.route_state SELECT capture_id, day, service, role, method, route, "
            "quantilesExactState(0.5, 0.9, 0.95, 0.99, 0.999)(assumeNotNull(duration_ns)), count() FROM tailcap.request FINAL "
            "WHERE capture_id = 'copy' AND standing = 'clean' GROUP BY capture_id, day, service, role, method, route"
        )
        done = self.report("--format", "md", "-n", "50")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("4 captures of", done.stdout)
        # Percentiles of /slow, of both captures, are order statistics of all their durations.
        header, rows = exported(captures[0], "request")
        at = {name: i for i, name in enumerate(header)}
        own = [int(r[at["duration_ns"]]) for r in rows if r[at["route"]] == "/slow" and r[at["standing"]] == "clean"]
        both = sorted(own + [d * 3 // 2 for d in own])
        line = next(l for l in done.stdout.splitlines() if l.startswith("| GET /slow"))
        self.assertIn(f"{len(both):,}", line)
        p50 = both[math.ceil(0.5 * len(both)) - 1]
        self.assertIn(f"{p50 / 1e6:.2f} ms", line)
        # Where the time went: the sum of both.
        lock = sum(
            int(ns)
            for r in rows
            if r[at["route"]] == "/slow"
            for label, ns in zip(re.findall(r"'([^']*)'", r[at["label.name"]]), re.findall(r"\d+", r[at["label.ns"]]))
            if label == "lock.futex"
        )
        self.assertIn(f"| waiting for a lock | {2 * lock / 1e6:.0f} ms |", done.stdout)
        # The answer is that of one capture, and says that two have it.
        self.assertRegex(
            done.stdout,
            r"GET /slow: the slowest 32 of 656 average .* Found in 2 of 4 captures; these figures are of .*\. "
            r"Together they have 64 of 1,312 requests, in all [0-9.]+ m?s longer than typical ones\.",
        )


if __name__ == "__main__":
    case.main()
