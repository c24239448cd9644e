#!/usr/bin/env python3
"""What the report looks like to somebody who sits at a terminal: colours, width, pager; and that a pipe gets none of it.

    tests/cli/terminal_test.py --build build/dev [unittest arguments]
"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import case

CAPTURE = case.SAMPLES / "cut-short/cut-short.tcap"
STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(case.Case):
    def on_terminal(self, *arguments, rows=1000, columns=100, code=3, **variables):
        """What a terminal of that size receives."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        surroundings = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "PAGER", "LESS")}
        done = subprocess.Popen(
            [case.program(), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            cwd=self.scratch,
            env=surroundings | {"TERM": "xterm"} | variables,
        )
        os.close(theirs)
        received = b""
        try:
            while part := os.read(ours, 65536):
                received += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(done.wait(timeout=60), code)  # 3: the capture is cut short
        return received.decode().replace("\r\n", "\n")

    def piped(self, *arguments):
        return self.tailcap(*arguments).stdout

    def test_colours_are_all_that_a_terminal_of_the_same_width_adds(self):
        for options, alarm in (((), "data      read with care"), (("--full",), "!! Read with care")):
            text = self.on_terminal("report", CAPTURE, *options)
            self.assertIn("\x1b[1;31m" + alarm, text)
            self.assertEqual(STYLE.sub("", text), self.piped("report", CAPTURE, *options))
            self.assertNotIn("\x1b", self.piped("report", CAPTURE, *options))

    def test_no_color_and_dumb_terminals_get_plain_text(self):
        for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            for options in ((), ("--full",)):
                self.assertEqual(
                    self.on_terminal("report", CAPTURE, *options, **variables), self.piped("report", CAPTURE, *options)
                )

    def test_the_width_is_that_of_the_terminal(self):
        for columns, variables in ((72, {}), (120, {}), (100, {"COLUMNS": "72"})):
            wanted = int(variables.get("COLUMNS", columns))
            text = STYLE.sub("", self.on_terminal("report", CAPTURE, "--brief", columns=columns, **variables))
            self.assertEqual(text, self.piped("report", CAPTURE, "--brief", "--width", wanted))
        narrow = STYLE.sub("", self.on_terminal("report", CAPTURE, "--brief", "--width", "80", columns=120))
        self.assertEqual(narrow, self.piped("report", CAPTURE, "--brief", "--width", "80"))

    def test_bars_and_arrows_are_ascii_where_the_locale_is(self):
        stock = case.SAMPLES / "go-stock/go-stock.tcap"
        for locale, shown, other in (("C", "[:-=+*#_. ]{24}", "▁▂▃▄▅▆▇█→"), ("C.UTF-8", "[▁▂▃▄▅▆▇█ ]{24}", "#")):
            text = STYLE.sub("", self.on_terminal("report", stock, code=0, LC_ALL=locale))
            line = next(line for line in text.splitlines() if line.startswith("latency"))
            self.assertRegex(line, rf"^latency   \[{shown}\] p99 ")
            self.assertFalse(set(text) & set(other), text)
            self.assertEqual(text.isascii(), locale == "C", text)
        # A file does not depend on where it was made.
        env = {**os.environ, "LC_ALL": "C"}
        self.assertIn("█", case.run(case.program(), "report", stock, env=env).stdout)

    def test_what_is_longer_than_the_screen_goes_through_the_pager(self):
        pager = {"PAGER": "tee paged > /dev/null"}
        self.assertEqual(self.on_terminal("report", CAPTURE, "--full", rows=24, **pager), "")
        paged = STYLE.sub("", (self.scratch / "paged").read_text())
        self.assertEqual(paged, self.piped("report", CAPTURE, "--full"))
        (self.scratch / "paged").unlink()
        for rows, arguments in ((24, ["--full", "--no-pager"]), (1000, ["--full"]), (60, ["--brief"]), (24, [])):
            self.assertIn("ead with care", self.on_terminal("report", CAPTURE, *arguments, rows=rows, **pager))
            self.assertFalse((self.scratch / "paged").exists())

    def test_without_the_pager_the_text_is_printed(self):
        text = self.on_terminal("report", CAPTURE, "--full", rows=24, PAGER="no-such-pager")
        self.assertEqual(STYLE.sub("", text), self.piped("report", CAPTURE, "--full"))


if __name__ == "__main__":
    case.main()
