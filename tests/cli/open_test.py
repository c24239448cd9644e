#!/usr/bin/env python3
"""`tailcap open --perfetto`, with a script in place of the browser: who gets the trace, and who does not.

    tests/cli/open_test.py --build build/release [unittest arguments]
"""
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import case

STOCK = case.SAMPLES / "go-stock/go-stock.tcap"
PORT = 9001
ORIGIN = "https://ui.perfetto.dev"


class Perfetto(case.Case):
    def setUp(self):
        super().setUp()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", PORT))
            except OSError:
                self.skipTest(f"port {PORT} is taken")
        self.pages = self.scratch / "pages"
        self.pages.mkdir()

    def surroundings(self, browser):
        env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
        env["TMPDIR"] = str(self.pages)
        if browser:
            script = self.scratch / "xdg-open"
            script.write_text(browser)
            script.chmod(0o755)
            env |= {"BROWSER": "any", "PATH": f"{self.scratch}:{env['PATH']}"}
        return env

    def open(self, browser=None):
        process = subprocess.Popen(
            [case.program(), "open", STOCK, "--perfetto"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.surroundings(browser),
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def expected(self):
        self.tailcap("export", STOCK, "-o", "expected.pftrace")
        return (self.scratch / "expected.pftrace").read_bytes()

    def path_of(self, process):
        address = process.stdout.readline().strip()
        found = re.fullmatch(
            rf"{ORIGIN}/#!/\?url=(http://127\.0\.0\.1:{PORT}(/[0-9a-f]{{32}}/go-stock\.pftrace))", address
        )
        self.assertTrue(found, address)
        return found[2]

    def ask(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    def test_the_browser_gets_the_trace_and_then_it_ends(self):
        """The script does what the page does: it fetches the url that is in its address, while it is still running."""
        got = self.scratch / "got"
        process = self.open(f'#!/bin/sh\necho "$1" > {got}.url\nexec curl -sf -o {got} "${{1#*url=}}"\n')
        out, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(pathlib.Path(f"{got}.url").read_text(), out)
        deadline = time.monotonic() + 5
        while not got.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(got.read_bytes(), self.expected())
        self.assertEqual(list(self.pages.iterdir()), [])  # nothing stays
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", PORT), timeout=1)

    def test_only_who_knows_the_path_gets_it(self):
        process = self.open()
        path = self.path_of(process)
        for wrong in (
            "/",
            "/go-stock.pftrace",
            path[:-1],
            path.replace("/go", "x/go"),
            "/" + "0" * 32 + "/go-stock.pftrace",
        ):
            status, headers, body = self.ask(wrong)
            self.assertEqual((status, body), (404, b""), wrong)
            self.assertNotIn("Access-Control-Allow-Origin", headers)
        self.assertEqual(self.ask(path, "POST")[0], 404)
        status, headers, body = self.ask(path, "HEAD")
        self.assertEqual((status, body), (200, b""))
        # What Chromium asks first.
        status, headers, _ = self.ask(path, "OPTIONS", **{"Access-Control-Request-Private-Network": "true"})
        self.assertEqual((status, headers["Access-Control-Allow-Private-Network"]), (204, "true"))
        self.assertEqual(headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertIsNone(process.poll())
        status, headers, body = self.ask(path)
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (200, ORIGIN))
        self.assertEqual(body, self.expected())
        self.assertEqual(process.wait(timeout=10), 0)
        self.assertIn("no browser could be started here", process.stderr.read())

    def test_hostile_peers_do_not_keep_it(self):
        process = self.open()
        path = self.path_of(process)
        for bytes_sent in (b"", b"\0" * 3000, b"GET " + path.encode() + b" HTTP/1.1\r\n" + b"x" * 20_000):
            with socket.create_connection(("127.0.0.1", PORT), timeout=10) as peer:
                try:
                    peer.sendall(bytes_sent)
                    peer.shutdown(socket.SHUT_WR)
                    self.assertIn(b"".join(iter(lambda: peer.recv(4096), b""))[:12], (b"", b"HTTP/1.1 404"))
                except OSError:  # it has closed the connection
                    pass
        # Who goes before it has all has not got it.
        with socket.create_connection(("127.0.0.1", PORT), timeout=10) as peer:
            peer.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
            peer.recv(100)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        self.assertEqual(self.ask(path)[2], self.expected())
        self.assertEqual(process.wait(timeout=10), 0)

    def test_it_listens_on_the_loopback_interface_only(self):
        process = self.open()
        self.path_of(process)
        listening = [
            line.split()[1]
            for name in ("tcp", "tcp6")
            for line in pathlib.Path(f"/proc/{process.pid}/net/{name}").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{PORT:04X}") and line.split()[3] == "0A"
        ]
        self.assertEqual(listening, [f"0100007F:{PORT:04X}"])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), 1)
        self.assertEqual(list(self.pages.iterdir()), [])

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", PORT))
            taken.listen()
            process = self.open()
            out, said = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (1, ""))
        self.assertIn(f"port {PORT} of 127.0.0.1 is taken", said)
        self.assertEqual(list(self.pages.iterdir()), [])

    def test_what_is_refused(self):
        self.assert_refused(self.tailcap("open", STOCK, "3.39", "--perfetto"), 2, "whole capture")
        self.assert_refused(self.tailcap("open", "absent.tcap", "--perfetto"), 1, "absent.tcap")


if __name__ == "__main__":
    case.main()
