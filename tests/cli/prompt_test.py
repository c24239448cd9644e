#!/usr/bin/env python3
"""The prompt of `tailcap query FILE`: what a person types at a terminal, and what comes back.

    tests/cli/prompt_test.py --build build/release [unittest arguments]
"""
import fcntl
import os
import pty
import re
import select
import stat
import struct
import subprocess
import termios
import time

import case

STOCK = case.SAMPLES / "go-stock/go-stock.tcap"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def edited():
    """Built with libedit."""
    libraries = case.run("ldd", case.program()).stdout
    return "libedit" in libraries


class Prompt(case.Case):
    def start(self, *arguments, **variables):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 1000, 160, 0, 0))
        env = {k: v for k, v in os.environ.items() if k != "XDG_STATE_HOME"}
        self.process = subprocess.Popen(
            [str(a) for a in (case.program(), "query", STOCK, *arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**env, "TERM": "xterm", "NO_COLOR": "1", "HOME": str(self.scratch), **variables},
        )
        os.close(theirs)
        self.addCleanup(os.close, self.ours)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.received = ""

    def until(self, pattern, seconds=30):
        """What came up to a match, which is taken away."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.received, re.M)):
            self.assertLess(time.monotonic(), deadline, f"no {pattern} in {self.received[-2000:]!r}")
            if select.select([self.ours], [], [], 0.2)[0]:
                try:
                    self.received += os.read(self.ours, 65536).decode().replace("\r\n", "\n")
                except OSError:
                    self.assertRegex(self.received, pattern)
        before, self.received = self.received[: found.start()], self.received[found.end() :]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", before)

    def type(self, text):
        os.write(self.ours, text.encode())

    def say(self, text):
        """Types a line, and returns what came until the next prompt."""
        self.type(text + "\n")
        return self.until("tailcap> ")

    def end_of_input(self):
        time.sleep(0.5)  # the prompt is printed before the terminal passes keys on
        self.type("\x04")

    def expected(self, sql):
        return self.tailcap("query", STOCK, sql).stdout

    def test_sql_is_answered_as_elsewhere(self):
        self.start()
        self.assertIn(".tables lists the tables", self.until("tailcap> "))
        for sql in (
            "SELECT route, count(*) AS n FROM request GROUP BY 1 ORDER BY 1",
            "SELECT id, dur FROM served ORDER BY dur DESC LIMIT 3",  # another column of what is filled
            "SELECT name FROM process ORDER BY 1",  # another table
            "SELECT count(*) AS n FROM segment",
        ):
            self.assertIn(self.expected(sql), self.say(sql + ";"), sql)
        # In several lines, and ended by an empty one.
        self.type("SELECT count(*) AS n\n")
        self.until(r"\.\.\.> ")
        self.type("FROM request\n")
        self.until(r"\.\.\.> ")
        self.assertIn(self.expected("SELECT count(*) AS n FROM request"), self.say(""))
        self.end_of_input()
        self.assertEqual(self.process.wait(timeout=10), 0)

    def test_what_is_wrong_is_said_and_it_goes_on(self):
        self.start()
        self.until("tailcap> ")
        self.assertIn("no such column: nosuch", self.say("SELECT nosuch FROM request;"))
        self.assertIn("tailcap query: ", self.say("DELETE FROM request;"))
        self.assertIn("there is no table nosuch", self.say(".schema nosuch"))
        self.assertIn("there is no .tabels", self.say(".tabels"))
        self.assertIn(self.expected("SELECT 1 AS one"), self.say("SELECT 1 AS one;"))
        self.say(".help")
        self.type(".quit\n")
        self.assertEqual(self.process.wait(timeout=10), 0)

    def test_tables_and_schema(self):
        self.start()
        self.until("tailcap> ")
        tables = self.say(".tables")
        for name in ("request", "served", "segment", "thread_state", "otel_traces"):
            self.assertRegex(tables, rf"(?m)^{name} ")
        self.assertNotIn("start_ns", tables)
        listed = self.tailcap("query", STOCK, "--format", "csv").stdout
        columns = [line.split(",")[1].strip('"') for line in listed.splitlines() if line.startswith("link,")]
        schema = self.say(".schema link")
        for column in filter(None, columns):
            self.assertRegex(schema, rf"(?m)^link +{column} ")
        self.assertNotIn("start_ns", schema)

    def test_ctrl_c_cancels_the_line_and_the_sql(self):
        self.start()
        self.until("tailcap> ")
        self.type("SELECT nonsense\x03")
        self.until("tailcap> ")
        self.assertIn(self.expected("SELECT 2 AS two"), self.say("SELECT 2 AS two;"))
        self.type("SELECT 'of two\n")
        self.until(r"\.\.\.> ")
        self.type("\x03")
        self.until("tailcap> ")
        begun = time.monotonic()
        self.type(ENDLESS + ";\n")
        time.sleep(1)
        self.type("\x03")
        self.assertIn("the SQL was cancelled", self.until("tailcap> ", seconds=10))
        self.assertLess(time.monotonic() - begun, 10)
        self.assertIn(self.expected("SELECT 3 AS three"), self.say("SELECT 3 AS three;"))
        self.assertIsNone(self.process.poll())

    def test_a_time_limit(self):
        self.start("--timeout", "300ms")
        self.until("tailcap> ")
        self.assertIn("longer than --timeout", self.say(ENDLESS + ";"))
        self.assertIn(self.expected("SELECT 4 AS four"), self.say("SELECT 4 AS four;"))

    def test_history(self):
        if not edited():
            self.skipTest("built without libedit")
        self.start()
        self.until("tailcap> ")
        self.say("SELECT 41 + 1 AS answer;")
        self.say("SELECT 'other';")
        self.type("\x1b[A\x1b[A\n")  # two up
        self.assertRegex(self.until("tailcap> "), r"(?s)answer\n +42\n")
        self.end_of_input()
        self.assertEqual(self.process.wait(timeout=10), 0)
        kept = self.scratch / ".local/state/tailcap/query_history"
        self.assertEqual(stat.S_IMODE(kept.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(kept.parent.stat().st_mode), 0o700)
        # The next one has it.
        self.start()
        self.until("tailcap> ")
        self.type("\x1b[A\n")
        self.assertRegex(self.until("tailcap> "), r"(?s)answer\n +42\n")
        elsewhere = self.scratch / "state"
        self.start(XDG_STATE_HOME=str(elsewhere))
        self.until("tailcap> ")
        self.say("SELECT 5;")
        self.assertIn("SELECT", (elsewhere / "tailcap/query_history").read_text())

    def test_a_line_is_edited(self):
        if not edited():
            self.skipTest("built without libedit")
        self.start()
        self.until("tailcap> ")
        self.type("ELECT 77 AS n;\x01S\n")  # to the beginning
        self.assertRegex(self.until("tailcap> "), r"(?s)n\n77\n")

    def test_no_place_for_a_history(self):
        self.start(HOME="/proc/nowhere")
        self.until("tailcap> ")
        self.assertIn(self.expected("SELECT 6 AS six"), self.say("SELECT 6 AS six;"))

    def test_elsewhere_there_is_no_prompt(self):
        done = self.tailcap("query", STOCK)
        self.assertRegex(done.stdout, r"(?m)^request +id +TEXT")
        self.start("--json")
        self.until('"table":"request"')
        self.start("SELECT 7 AS seven")
        self.assertIn("seven", self.until("7\n"))
        self.assertEqual(self.process.wait(timeout=10), 0)


if __name__ == "__main__":
    case.main()
