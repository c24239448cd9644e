"""Lines of logs beside requests: services that log are recorded, and each line says itself which request it is of."""
import base64
import concurrent.futures
import datetime
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
import zlib

import harness
from harness import Case, answers, free_port, json_lines, wait_until

ROOT = harness.ROOT
SQL = (
    "SELECT l.text, l.whole, l.level, l.how, l.why, l.requests, l.among, l.request_id, l.ts, r.path, r.ts AS start, r.dur"
    " FROM log l LEFT JOIN request r ON r.id = l.request_id"
)


def page_data(page):
    """What the script of a page works with."""
    packed = re.search(r'id="data">([^<]*)<', page.read_text()).group(1)
    return json.loads(zlib.decompress(base64.b64decode(packed)))


class Logs(Case):
    def ask(self, port, count, at_a_time, pause, headers):
        """GET /TRUTH, on kept connections; truths are numbers that no other request has."""
        numbers = iter(range(1_000_000))

        def client(share):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            for _ in range(share):
                truth = f"t{next(numbers)}"
                connection.request("GET", "/" + truth, headers=headers(truth))
                self.assertEqual(connection.getresponse().read()[:2], b"ok")
                time.sleep(pause)
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
            for done in [pool.submit(client, count // at_a_time) for _ in range(at_a_time)]:
                done.result()

    def python(self, form):
        port, log = free_port(), self.scratch / f"{form}.log"
        process = self.start([sys.executable, ROOT / "tests/e2e/logs_service.py", port, form, log])
        wait_until(lambda: answers(("127.0.0.1", port)), "the service")
        return process, port, log

    def lines(self, recording, *patterns, options=()):
        joined = [argument for pattern in patterns for argument in ("--join-logs", pattern)]
        return json_lines(self.tailcap("query", recording.file, SQL, "--json", "-n", "1000000", *joined, *options))

    def recorded(self, process, port, count, at_a_time, pause, headers):
        with self.record("-p", process.pid, name=f"{port}.tcap") as recording:
            self.ask(port, count, at_a_time, pause, headers)
        return recording

    def truth_of(self, line):
        return re.search(r"\bt\d+\b", line["text"]).group()

    def assert_true(self, lines):
        """No line is joined with another request than its own."""
        for line in lines:
            if line["request_id"] is not None:
                self.assertEqual(line["path"], "/" + self.truth_of(line), line)

    def assert_all(self, lines, count, how):
        self.assertEqual(len(lines), count)
        self.assert_true(lines)
        self.assertEqual({(line["how"], line["requests"], line["why"]) for line in lines}, {(how, 1, None)})

    TRACED = staticmethod(lambda truth: {"traceparent": f"00-{uuid.uuid4().hex}-00f067aa0ba902b7-01"})
    NAMED = staticmethod(lambda truth: {"X-Request-Id": f"r-{uuid.uuid4().hex}"})
    BARE = staticmethod(lambda truth: {})

    def test_by_trace_id_one_at_a_time(self):
        process, port, log = self.python("json")
        self.assert_all(self.lines(self.recorded(process, port, 60, 1, 0, self.TRACED), log), 180, "trace_id")

    def test_by_trace_id_32_at_a_time(self):
        process, port, log = self.python("json")
        self.assert_all(self.lines(self.recorded(process, port, 640, 32, 0, self.TRACED), log), 1920, "trace_id")

    def test_by_request_id_in_a_journal_32_at_a_time(self):
        process, port, log = self.python("journal")
        self.assert_all(self.lines(self.recorded(process, port, 640, 32, 0, self.NAMED), log), 1920, "request_id")

    def test_by_request_id_in_plain_text(self):
        process, port, log = self.python("plain")
        recording = self.recorded(process, port, 64, 32, 0, self.NAMED)
        lines = self.lines(recording, log, options=("--log-zone", "UTC"))
        self.assert_all(lines, 192, "request_id")
        to_wall = harness.realtime_offset()
        for line in lines:  # as the zone says: what comes before the answer was written while it was under way
            said = datetime.datetime.strptime(line["whole"][:23] + "000+0000", "%Y-%m-%d %H:%M:%S,%f%z")
            self.assertAlmostEqual(line["ts"] + to_wall, said.timestamp() * 1e9, delta=2_000_000, msg=line)
            self.assertGreater(line["ts"], line["start"] - 2_000_000, line)
            if " sent t" not in line["text"]:
                self.assertLess(line["ts"], line["start"] + line["dur"] + 2_000_000, line)
        self.assertEqual(sum(" sent t" in line["text"] for line in lines), 64)
        self.assertEqual({line["ts"] for line in self.lines(recording, log)}, {None}, "a zone is never assumed")

    def test_by_process_and_time_one_at_a_time(self):
        for form in ("json", "journal"):
            with self.subTest(form):
                process, port, log = self.python(form)
                self.assert_all(self.lines(self.recorded(process, port, 40, 1, 0.03, self.BARE), log), 120, "process")

    def test_by_the_service_that_the_user_names(self):
        process, port, log = self.python("plain")
        recording = self.recorded(process, port, 40, 1, 0.03, self.BARE)
        self.assertEqual({line["why"] for line in self.lines(recording, log)}, {"no_zone"})
        self.assertEqual(
            {line["why"] for line in self.lines(recording, log, options=("--log-zone", "+00:00"))}, {"no_process"}
        )
        self.assertEqual(
            {line["why"] for line in self.lines(recording, log, options=("--log-zone", "+05:00"))}, {"outside"}
        )
        name = self.requests(recording)[0]["comm"]
        self.assert_all(self.lines(recording, f"{name}={log}", options=("--log-zone", "UTC")), 120, "process")
        self.assertEqual(
            {l["why"] for l in self.lines(recording, f"other={log}", options=("--log-zone", "UTC"))},
            {"unknown_process"},
        )

    def test_without_ids_32_at_a_time_nothing_is_guessed(self):
        process, port, log = self.python("json")
        recording = self.recorded(process, port, 640, 32, 0, self.BARE)
        lines = self.lines(recording, log)
        self.assertEqual(len(lines), 1920)
        self.assert_true(lines)
        several = [line for line in lines if line["requests"] > 1]
        self.assertGreater(len(several), 1500)
        paths = {r["id"]: r["path"] for r in self.requests(recording)}
        # What is written after the answer may come any time later, where threads wait for a CPU.
        whole = [line for line in several if line["requests"] <= 16 and not line["text"].startswith("sent")]
        self.assertGreater(len(whole), 100)
        for line in whole:
            self.assertIn("/" + self.truth_of(line), [paths[id] for id in line["among"].split()], line)

    def test_show_has_lines_between_the_labels(self):
        process, port, log = self.python("json")
        recording = self.recorded(process, port, 20, 1, 0.03, self.TRACED)
        row = next(r for r in self.requests(recording, role="server") if r["path"] == "/t7")
        shown = self.tailcap("show", recording.file, row["id"], "--join-logs", log)
        course = shown[shown.index("why it took so long") : shown.index("Log lines")]
        places = [course.index(f"log {level}: {text} t7") for level, text in (("info", "begin"), ("error", "work"))]
        self.assertEqual(places, sorted(places))
        self.assertLess(places[0], course.index("sleeping"))
        self.assertGreater(places[1], course.index("sleeping"))
        self.assertIn("60 lines of 1 log file: 60 joined with a request", shown.replace("\n", " "))
        self.assertNotIn("log ", self.tailcap("show", recording.file, row["id"]).split("Milestones")[0])
        logs = json.loads(self.tailcap("show", recording.file, row["id"], "--json", "--join-logs", log))["logs"]
        self.assertEqual([line["text"] for line in logs["lines"]], ["begin t7", "work t7", "sent t7"])
        self.assertEqual({line["how"] for line in logs["lines"]}, {"trace_id"})
        self.assertNotIn("logs", json.loads(self.tailcap("show", recording.file, row["id"], "--json")))

    def test_a_page_holds_lines_only_where_they_were_asked_for(self):
        process, port, log = self.python("json")
        recording = self.recorded(process, port, 20, 1, 0.03, self.TRACED)
        with_lines, without = self.scratch / "with.html", self.scratch / "without.html"
        self.tailcap("report", recording.file, "-o", with_lines, "--join-logs", log)
        self.tailcap("report", recording.file, "-o", without)
        found = page_data(with_lines)["logs"]
        texts = page_data(with_lines)["texts"]
        self.assertEqual(len(found["rows"]), 60)
        self.assertIn("work t7", [texts[number] for number in found["texts"]])
        self.assertNotIn("logs", page_data(without))
        self.assertNotIn("work t7", json.dumps(page_data(without)))

    def journald(self):
        """A service beside a journald of its own, which alone sees its /run."""
        port = free_port()
        script = (
            "mount --make-rprivate / && mount -t tmpfs run /run && mkdir -p /run/systemd/journal /run/log/journal/$(cat /etc/machine-id)"
            " && { /lib/systemd/systemd-journald & } && while [ ! -S /run/systemd/journal/socket ]; do sleep 0.05; done"
            f" && exec {sys.executable} {ROOT}/tests/e2e/logs_service.py {port} journald /dev/null"
        )
        process = self.start(["unshare", "-m", "bash", "-c", script], stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(("127.0.0.1", port)), "the service")
        self.addCleanup(os.kill, harness.child_of(process.pid), signal.SIGTERM)
        return process, port

    def test_a_real_journal_in_both_formats(self):
        if not os.path.exists("/lib/systemd/systemd-journald"):
            self.skipTest("no journald")
        for at_a_time, pause, headers, how in ((32, 0, self.NAMED, "request_id"), (1, 0.03, self.BARE, "process")):
            process, port = self.journald()
            recording = self.recorded(process, port, 64, at_a_time, pause, headers)
            os.kill(harness.child_of(process.pid), signal.SIGRTMIN + 1)  # writes what it holds
            time.sleep(1)
            for form in ("export", "json"):
                with self.subTest(how=how, form=form):
                    journal = [
                        "nsenter",
                        "-t",
                        str(process.pid),
                        "-m",
                        "journalctl",
                        "-D",
                        "/run/log/journal",
                        "-o",
                        form,
                    ]
                    log = self.scratch / f"{how}.{form}"
                    with open(log, "wb") as out:
                        subprocess.run([*journal, f"_PID={process.pid}"], stdout=out, check=True)
                    self.assert_all(self.lines(recording, log), 192, how)

    def nginx(self, form):
        port, log = free_port(), self.scratch / "access.log"
        config = self.scratch / "nginx.conf"
        config.write_text(
            f"worker_processes 2; error_log {self.scratch}/error.log; pid {self.scratch}/nginx.pid; daemon off;\n"
            f"events {{ worker_connections 256; }}\nhttp {{ log_format own escape=json '{form}'; access_log {log} own;\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 ok; }} }} }}\n"
        )
        process = self.start(["nginx", "-c", config, "-p", self.scratch], stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(("127.0.0.1", port)), "nginx")
        harness.child_of(process.pid)
        return process, port, log

    def test_nginx_by_request_id_and_by_worker(self):
        form = '{"msec":"$msec","message":"$request_method $uri","request_id":"$http_x_request_id","pid":"$pid"}'
        for at_a_time, pause, headers, how in (
            (1, 0.03, self.NAMED, "request_id"),
            (32, 0, self.NAMED, "request_id"),
            (1, 0.03, self.BARE, "process"),
        ):
            with self.subTest(at_a_time=at_a_time, how=how):
                process, port, log = self.nginx(form)
                with self.record("--comm", "nginx", "--port", port, name=f"{port}.tcap") as recording:
                    before = log.stat().st_size
                    self.ask(port, 64, at_a_time, pause, headers)
                log.write_bytes(log.read_bytes()[before:])
                lines = self.lines(recording, log)
                for line in lines:
                    line["text"] = line["text"].replace("/", " ")
                self.assert_all(lines, 64, how)
                self.end(process)

    def test_slog_in_both_forms(self):
        program = self.scratch / "slog"
        compilers = harness.go_compilers()
        newest = compilers[max(compilers, key=lambda version: int(version.split(".")[1]))]  # slog came with 1.21
        built = subprocess.run(
            [newest, "build", "-o", program, ROOT / "tests/e2e/logs_slog.go"], capture_output=True, text=True
        )
        self.assertEqual(built.returncode, 0, built.stderr)
        for form in ("text", "json"):
            with self.subTest(form):
                port, log = free_port(), self.scratch / f"slog.{form}"
                process = self.start([program, port, form, log])
                wait_until(lambda: answers(("127.0.0.1", port)), "the service")
                self.assert_all(
                    self.lines(self.recorded(process, port, 320, 32, 0, self.NAMED), log), 320, "request_id"
                )

    def test_files_that_are_no_logs(self):
        process, port, log = self.python("json")
        recording = self.recorded(process, port, 5, 1, 0, self.TRACED)
        hostile = self.scratch / "hostile.log"
        hostile.write_bytes(
            b"\x1b[31mred\x1b[0m\xff\xfe\n" + b"{" * 100_000 + b"\n" + os.urandom(200_000) + b"\n" + b"y" * 3_000_000
        )
        text = self.tailcap("query", recording.file, "SELECT text FROM log", "-n", "100000", "--join-logs", hostile)
        self.assertNotIn("\x1b", text)
        self.assertIn(r"\x1b[31mred", text)
        os.mkfifo(self.scratch / "pipe")
        for wrong in ("pipe", "missing*"):
            self.tailcap("query", recording.file, "SELECT * FROM log", "--join-logs", self.scratch / wrong, code=1)
        self.tailcap("query", recording.file, "SELECT * FROM log", "--log-zone", "UTC", code=2)
        self.tailcap("query", recording.file, "SELECT * FROM log", "--join-logs", log, "--log-zone", "CET", code=2)
        self.tailcap("report", recording.file, "--join-logs", log, code=2)
        # Nothing of them is in the capture.
        self.assertNotIn("begin t1", self.tailcap("events", recording.file))


if __name__ == "__main__":
    harness.main()
